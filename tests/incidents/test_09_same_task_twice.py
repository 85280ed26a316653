"""INCIDENTS 9: two sessions build the same thing. `iam` says so at once, to both, and once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.hive import Repo, Sister


@pytest.fixture
def two(sister: Callable[..., Sister], repo: Callable[..., Repo]) -> tuple[Sister, Sister]:
    """Two sisters in worktrees of their own, each on a branch of her own."""
    app = repo()
    return sister("iza-1", app), sister("iza-2", app.worktree("topic"))


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("fixing the login, issue 42", "look into #42", "both name #42"),
        ("fixing the flaky upload test", "fix flaky upload tests", "they say the same"),
        ("rewriting the old parser", "rewrite the manual", None),
        ("adding dark mode to the settings page", "dark mode: settings page", "they say nearly the same"),
        ("fixing the login, #42", "fixing the logout, #43", None),
    ],
)
def test_the_second_is_warned_and_the_first_is_told_once(
    two: tuple[Sister, Sister], first: str, second: str, why: str | None
) -> None:
    one, other = two
    assert one.sh(f"iam '{first}'") == (0, f"📌 iza-1: {first}\n", "")
    warned = (
        f'⚠ duplicate-task: iza-1 ("{first}") and iza-2 ("{second}"): {why}\n  Ask her: gitqueen tell iza-1 "..."\n'
        if why
        else ""
    )
    for _ in range(2):  # said again it is warned of again, and neither kept nor mailed again
        assert other.sh(f"iam '{second}'") == (0, f"📌 iza-2: {second}\n{warned}", "")
    kept = json.loads(one.sh("gitqueen conflicts --json").out)["conflicts"]
    assert [(c["type"], c["sisters"], c["severity"]) for c in kept] == (
        [("duplicate-task", ["iza-1", "iza-2"], "warning")] if why else []
    )
    mail = json.loads(one.sh("gitqueen inbox --json").out)["messages"]
    assert [(m["from"], m["body"].splitlines()[0]) for m in mail] == (
        [("queen", f'duplicate-task: iza-1 ("{first}") and iza-2 ("{second}"): {why}')] if why else []
    )
    assert json.loads(other.sh("gitqueen inbox --json").out)["messages"] == []


def test_the_warning_in_json(two: tuple[Sister, Sister]) -> None:
    one, other = two
    assert one.sh("iam '#7'").rc == 0
    done = other.sh("iam 'issue 7' --json")
    assert (done.rc, json.loads(done.out)["duplicates"]) == (
        0,
        [{"sisters": ["iza-1", "iza-2"], "detail": 'iza-1 ("#7") and iza-2 ("issue 7"): both name #7'}],
    )


def test_the_same_feature_branch_is_the_same_work(sister: Callable[..., Sister], repo: Callable[..., Repo]) -> None:
    app = repo()
    app.git("switch", "--quiet", "--create", "feature/relay")
    one, other = sister("iza-1", app), sister("iza-2", app)
    assert one.sh("iam 'writing the docs'").rc == 0
    assert "duplicate-task: " in other.sh("iam 'measuring speed'").out
    app.git("switch", "--quiet", "main")
    assert one.sh("iam 'writing more docs'").out == "📌 iza-1: writing more docs\n"


@pytest.mark.parametrize(
    ("task", "branch", "where", "why"),
    [
        ("fixing the crash, #7", "main", "elsewhere", None),
        ("#7", "main", "elsewhere", None),
        ("the other half", "feature/relay", "elsewhere", None),
        ("the upload test is flaky", "main", "elsewhere", "they say the same"),
        ("fixing the crash, #7", "main", "clone", "both name #7"),
        ("the other half", "feature/relay", "clone", "both on feature/relay"),
        ("fixing the crash, #7", None, "nowhere", "both name #7"),
    ],
)
def test_numbers_and_branches_mean_something_only_within_a_project(
    task: str, branch: str | None, where: str, why: str | None,
    sister: Callable[..., Sister], repo: Callable[..., Repo], tmp_path: Path,
) -> None:  # fmt: skip
    app = repo()
    there = tmp_path if where == "nowhere" else app.clone("web") if where == "clone" else repo("web")
    app.git("switch", "--quiet", "--create", "feature/relay")
    if isinstance(there, Repo) and branch != "main":
        there.git("switch", "--quiet", "--create", str(branch))
    one, other = sister("iza-1", app), sister("iza-2", there)
    assert one.sh("iam 'flaky upload tests, #7'").rc == 0
    # Which repositories are one project is known once a scan has looked at them.
    assert other.sh("gitqueen whoami; gitqueen scan").rc == 0
    said = other.sh(f"iam '{task}'").out
    assert (f": {why}\n" in said) if why else ("duplicate-task" not in said), said
    assert one.sh("gitqueen scan").rc == 0
    kept = json.loads(one.sh("gitqueen conflicts --json").out)["conflicts"]
    assert ("duplicate-task" in [conflict["type"] for conflict in kept]) is (why is not None)


def test_it_is_over_when_one_is_done_and_the_dead_do_not_count(two: tuple[Sister, Sister]) -> None:
    one, other = two
    assert one.sh("iam '#7'").rc == 0
    assert "duplicate-task" in other.sh("iam '#7'").out
    assert one.sh("iam --done && gitqueen scan").rc == 0
    assert json.loads(one.sh("gitqueen conflicts --json").out)["conflicts"] == []
    assert one.sh("iam '#8'").rc == 0
    one.kill()
    assert other.sh("iam '#8'").out == "📌 iza-2: #8\n"


def test_where_policy_is_off_nothing_is_said(two: tuple[Sister, Sister]) -> None:
    one, other = two
    assert one.sh("git config --global gitqueen.duplicate-task.policy off; iam '#7'").rc == 0
    assert other.sh("iam '#7'").out == "📌 iza-2: #7\n"
    assert json.loads(one.sh("gitqueen inbox --json").out)["messages"] == []


def test_a_task_that_another_program_wrote_counts(two: tuple[Sister, Sister], home: Path) -> None:
    one, other = two
    assert one.sh("gitqueen whoami").rc == 0
    with closing(sqlite3.connect(home / "queen.db", timeout=10)) as db, db:
        db.execute("UPDATE sisters SET current_task = '#7', task_source = 'declared'")
    assert "both name #7" in other.sh("iam '#7'").out
