"""`status` of more than one repository, and of a crowd: what is most pressing first, on one screen."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitqueen.model.conflicts import Conflict
from gitqueen.model.jobs import Job
from gitqueen.model.sisters import Body, Sister
from gitqueen.services.reporting import Mail, RepoReport, Status, Work
from gitqueen.views import colony, text
from gitqueen.views.text import Palette

NOW = datetime(2026, 4, 11, 5, 29, 2, tzinfo=UTC)
PLAIN = Palette(False)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/iza")


def sister(name: str, repo: str | None, **facts: Any) -> Sister:
    path = f"/home/iza/{repo}" if repo else None
    usual = {"worktree": path, "repo": path, "branch": "main", "last_seen": NOW, "status": "idle"}
    pid = 100 + int(name.rpartition("-")[2])
    return Sister(row=pid, name=name, body=Body("here", pid, 1), **{**usual, **facts})


def hive(**parts: Any) -> Status:
    empty: dict[str, Any] = dict.fromkeys(("sisters", "claims", "conflicts", "mail", "repos"), ())
    return Status(at=NOW, machine="vm", **{**empty, **parts})


def test_grouped_by_repository_the_most_pressing_first() -> None:
    report = hive(
        sisters=(
            sister("iza-1", "app", dirty=2, status="working", task="one thing", task_source="declared"),
            sister("iza-2", "app", worktree="/home/iza/app-fix", branch="fix"),
            sister("iza-3", "lib"),
            sister("iza-4", "site"),
            sister("iza-5", None, branch=None),
        ),
        conflicts=(Conflict("x", "lost-work", ("iza-4",), "gone", NOW, severity="danger", repo="/home/iza/site"),),
        mail=(Mail("iza-3", 2, 1),),
        work={
            "/home/iza/app": Work("main", 2, 2, 1, "rebase"),
            "/home/iza/app-fix": Work("fix", 0, 0, 0),
            "/home/iza/lib": Work("main", 0, None, None),
        },
    )
    assert colony.status(report, PLAIN) == (
        "🐝 gitqueen — colony status\n"
        "\n"
        "  ~/site\n"
        "    iza-4    pid 104  idle          [main]\n"
        "  ~/lib\n"
        "    iza-3    pid 103  idle          [main]\n"
        "  ~/app\n"
        "    iza-1    pid 101  working  📌   [main*] ↑2 ↓1 rebase\n"
        "             one thing\n"
        "    iza-2    pid 102  idle          [fix]                 ~/app-fix\n"
        "  in no repository\n"
        "    iza-5    pid 105  idle\n"
        "\n"
        "  Claims: none   Conflicts: 1   Cron jobs tracked: 0\n"
        "    lost-work: gone\n"
        "  📬 Pending mail: iza-3 2 unread ⚡1"
    )


def test_what_waits_where_nobody_is() -> None:
    paths = ["/home/iza/calm", "/home/iza/dirty", "/home/iza/quiet", "/home/iza/unseen"]
    report = hive(
        repos=tuple(RepoReport(path, (path,), "main", ()) for path in paths),
        work={
            "/home/iza/calm": Work("main", 0, 0, 0),
            "/home/iza/dirty": Work(None, 1, 0, 3),
            "/home/iza/quiet": Work("main", 0),
        },
    )
    assert colony.status(report, PLAIN).split("\n")[5:8] == [
        "  Without a sister:", "    ~/dirty  [(detached)*] ↓3", "    3 repositories with nothing to do"
    ]  # fmt: skip


def crowd(count: int) -> Status:
    return hive(
        sisters=tuple(
            sister(f"iza-{n}", f"code/app-{n % 7}", task=f"a task of many words, number {n}", dirty=n % 2,
                   status="working" if n % 5 == 0 else "idle", task_source="declared")
            for n in range(1, count + 1)
        ),
        conflicts=tuple(
            Conflict(f"x-{n}", "shared-branch", ("iza-3",), f"number {n}", NOW, severity="warning",
                     repo="/home/iza/code/app-3")
            for n in range(9)
        ),
        mail=(Mail("iza-2", 1, 1),),
        repos=tuple(RepoReport(f"/home/iza/code/other-{n}", (), "main", ()) for n in range(170)),
        work={f"/home/iza/code/other-{n}": Work("main", n % 2) for n in range(170)},
        soon=(Job("crontab", "", "git pull", NOW + timedelta(minutes=3), "/home/iza/code/app-1"),),
    )  # fmt: skip


def test_thirty_sisters_in_two_hundred_repositories_fit_one_screen() -> None:
    lines = colony.status(crowd(30), Palette(False, 100)).split("\n")
    hers = lines[9 : 9 + 30]
    assert lines[:9] == [
        "🐝 gitqueen — colony status",
        "",
        "  Claims: none   Conflicts: 9   Cron jobs tracked: 0",
        "    shared-branch: number 0",
        "    shared-branch: number 1",
        "    and 7 more: gitqueen conflicts",
        "  📬 Pending mail: iza-2 1 unread ⚡1",
        "  ⏰ in 3 min: git pull in ~/code/app-1, where iza-1, iza-15, iza-29 work uncommitted",
        "",
    ]
    # The one with conflicts, the one with urgent mail, then those in which most work.
    assert [line.split()[0] for line in hers if line.startswith("  ~")] == [
        f"~/code/app-{n}" for n in (3, 2, 1, 4, 5, 6, 0)
    ]
    assert hers[0] == "  ~/code/app-3  iza-3   pid 103  idle     📌  [main*]  a task of many words, number 3"
    assert hers[1] == "                iza-10  pid 110  working  📌  [main]   a task of many words, number 10"
    assert lines[40] == "  Without a sister:"
    assert lines[-2:] == [
        "    and 65 more with something to commit, push or pull: gitqueen repos list",
        "    85 repositories with nothing to do",
    ]


def test_on_a_small_terminal_what_comes_first_stays_on_it() -> None:
    report = hive(
        sisters=tuple(
            sister(f"a-name-with-many-letters-{n}", f"code/a/folder/with/many/letters-{n}", dirty=1,
                   task=f"task {n} of many words", branch="a-branch-with-many-letters",
                   last_seen=NOW - timedelta(hours=n))
            for n in range(1, 31)
        ),
        mail=(Mail("calm-1", 3, 0), Mail("calm-2", 3, 0), Mail("a-name-with-many-letters-4", 2, 1)),
    )  # fmt: skip
    lines = colony.status(report, Palette(False, 80), 24).split("\n")
    assert lines[2:7] == [
        "  Claims: none   Conflicts: 0   Cron jobs tracked: 0",
        "  📬 Pending mail: a-name-with-many-letters-4 2 unread ⚡1 and 2 more",
        "",
        "  …any/letters-4  a-name-with…  idle         [a-branch…*]  task 4 of many words",
        "  …any/letters-1  a-name-with…  idle         [a-branch…*]  task 1 of many words",
    ]
    assert (len(lines), lines[-1]) == (23, "  and 13 more sisters: gitqueen status --all")
    assert len(colony.status(report, Palette(False, 80)).split("\n")) == 35
    assert colony.status(report, Palette(False, 160), 80).split("\n")[6] == (
        "  …de/a/folder/with/many/letters-1  a-name-with-many-letter…  pid 101  idle         "
        "[a-branch-with-many-lette…*]  1 h ago   task 1 of many words"
    )


@given(
    st.lists(st.tuples(st.integers(0, 4), st.text(max_size=60), st.none() | st.text(max_size=40)), max_size=14),
    st.sampled_from([60, 80, 100, 160]),
    st.booleans(),
)
def test_no_line_is_wider_than_the_terminal(
    facts: list[tuple[int, str, str | None]], columns: int, coloured: bool
) -> None:
    report = hive(
        sisters=tuple(
            sister(f"iza-{n}", f"r{repo}/{word}", task=word, branch=branch)
            for n, (repo, word, branch) in enumerate(facts)
        ),
        work={f"/home/iza/r{repo}/{word}": Work(branch, 1, 12, 345, "rebase") for repo, word, branch in facts},
    )
    shown = [
        re.sub(r"\x1b\[[0-9;]*m", "", line) for line in colony.status(report, Palette(coloured, columns)).split("\n")
    ]
    assert [line for line in shown if text.width(line) > columns] == []
    assert [char for line in shown for char in line if ord(char) < 32] == []
