"""iam and whoami as people and programs use them: whole output, exit codes, real processes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import hive
from tests.cli.kit import AT, sql, timeless
from tests.hive import Repo, Runner, Sister


def test_a_task_is_declared_shown_and_finished(sister: Callable[..., Sister], repo: Callable[..., Repo]) -> None:
    one = sister("iza-1", repo())
    assert one.sh("iam") == (0, 'iza-1 has declared nothing   (iam "what you are doing")\n', "")
    assert one.sh("iam 'fixing the login'") == (0, "📌 iza-1: fixing the login\n", "")
    assert one.sh("iam") == (0, "📌 iza-1: fixing the login\n", "")
    assert one.sh("gitqueen iam tests for it") == (0, "📌 iza-1: tests for it\n", "")
    assert one.sh("iam --done") == (0, "✓ iza-1 is done with: tests for it\n", "")
    assert one.sh("iam --done") == (0, 'iza-1 has declared nothing   (iam "what you are doing")\n', "")
    assert one.sh("iam -- --done") == (0, "📌 iza-1: --done\n", "")


def test_the_json_of_both(sister: Callable[..., Sister], repo: Callable[..., Repo]) -> None:
    app = repo()
    one = sister("iza-1", app)
    shape = {
        "name": "iza-1",
        "pid": one.pid,
        "agent": "unknown",
        "status": "working",
        "task": "fixing the login",
        "task_source": "declared",
        "repo": str(app.path),
        "worktree": str(app.path),
        "branch": "main",
        "head": None,
        "dirty": None,
        "last_seen": AT,
        "started_at": AT,
        "terminal": None,
    }
    said = one.sh("iam fixing the login --json")
    assert (said.rc, said.err) == (0, "")
    assert json.loads(timeless(said.out)) == {"schema": 1, "sister": shape, "done": None, "duplicates": []}
    # The scan that it started may have seen head and dirty files by now.
    seen = {"head": app.head, "dirty": 0}
    assert one.sh("gitqueen scan").rc == 0
    assert json.loads(timeless(one.sh("gitqueen whoami --json").out)) == {"schema": 1, "sister": {**shape, **seen}}
    finished = {**shape, **seen, "task": None, "task_source": "auto", "status": "idle"}
    assert json.loads(timeless(one.sh("iam --done --json").out)) == {
        "schema": 1,
        "sister": finished,
        "done": "fixing the login",
        "duplicates": [],
    }


def test_whoami_says_who_and_where(sister: Callable[..., Sister], repo: Callable[..., Repo]) -> None:
    app = repo()
    one = sister("iza-1", app)
    assert one.sh("gitqueen whoami") == (0, f"iza-1  pid {one.pid}  unknown  [main]  {app.path}\n", "")
    assert one.sh("iam 'fixing the login'; cd /; gitqueen whoami").out.splitlines()[1:] == [
        f"iza-1  pid {one.pid}  unknown  [main]  {app.path}",
        "  fixing the login",
    ]
    assert one.sh(f"cd '{app.path}' && git switch -qc topic && gitqueen whoami").out.splitlines()[0] == (
        f"iza-1  pid {one.pid}  unknown  [topic]  {app.path}"
    )


def test_a_person_looks_and_stays_a_person(tmp_path: Path) -> None:
    assert hive.orphan("gitqueen", "whoami", cwd=tmp_path) == (
        0,
        'keeper: a person at an undeclared shell   (become a sister: iam "what you are doing")\n',
        "",
    )
    assert hive.orphan("gitqueen", "whoami", "--json", cwd=tmp_path).out == '{"schema": 1, "sister": null}\n'
    for argv in (["iam"], ["iam", "--done"]):
        assert hive.orphan(*argv, cwd=tmp_path) == (
            0,
            'you are no sister yet   (become one: iam "what you are doing")\n',
            "",
        )
    done = hive.orphan("gitqueen", "status", "--json", cwd=tmp_path)
    assert json.loads(done.out)["sisters"] == []


def test_renaming_takes_mail_and_claims_along(sister: Callable[..., Sister], home: Path) -> None:
    one, other = sister("iza-1"), sister("iza-2")
    assert other.sh("gitqueen whoami").rc == 0
    assert one.sh("iam 'the relay' && gitqueen claim deploy").rc == 0
    assert other.sh("gitqueen tell iza-1 hello").rc == 0
    renamed = one.sh("gitqueen whoami --name relay")
    assert (renamed.rc, renamed.out.splitlines()[0]) == (0, f"relay  pid {one.pid}  unknown")
    assert one.sh("gitqueen whoami").out == renamed.out
    assert json.loads(other.sh("gitqueen claims --json").out)["claims"][0]["owner"] == "relay"
    assert sql(home, "SELECT to_sister, body FROM messages") == [("relay", "hello")]
    assert other.sh("gitqueen tell relay hi && gitqueen tell iza-1 'still there?'").rc == 0


@pytest.mark.parametrize("name", ["iza-2", "IZA-2", "'a b'", "queen", "''", "x..y", "x" * 65])
def test_names_that_one_cannot_take(sister: Callable[..., Sister], name: str) -> None:
    one, other = sister("iza-1"), sister("iza-2")
    assert other.sh("gitqueen whoami").rc == 0
    done = one.sh(f"gitqueen whoami --name {name}")
    assert (done.rc, done.out) == (1 if name == "iza-2" else 2, "")
    assert done.err.startswith("gitqueen: ")
    assert one.sh("gitqueen whoami").out.startswith("iza-1  ")


@pytest.mark.parametrize(
    ("typed", "shown", "kept"),
    [
        ("\\033[31mred\\007", "\\x1b[31mred\\x07", "\x1b[31mred\x07"),
        ("two\\n\\t lines", "two lines", "two lines"),
        ("🐝 bees", "🐝 bees", "🐝 bees"),
        ("\\342\\200\\256abc", "\\u202eabc", "\u202eabc"),
        ("caf\\351", "caf\N{REPLACEMENT CHARACTER}", "caf\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_task_of_any_characters(sister: Callable[..., Sister], home: Path, typed: str, shown: str, kept: str) -> None:
    one = sister("iza-1")
    assert one.sh(f"iam \"$(printf '{typed}')\"") == (0, f"📌 iza-1: {shown}\n", "")
    assert sql(home, "SELECT current_task, task_source, status FROM sisters") == [(kept, "declared", "working")]
    raw = one.sh("iam --json").out
    assert json.loads(raw)["sister"]["task"] == kept
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", raw)
    assert re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", one.sh("gitqueen status").out) is None


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("''", "the task is empty"),
        ("'   '", "the task is empty"),
        ("\"$(printf '\\033\\342\\200\\217')\"", "the task is empty"),
        ("x" * 501, "the task has 501 characters, at most 500 are kept"),
        ("x --done", "TASK and --done exclude each other"),
        ("-x", "No such option"),
    ],
)
def test_what_is_no_task(sister: Callable[..., Sister], typed: str, why: str) -> None:
    one = sister("iza-1")
    done = one.sh(f"iam {typed}")
    assert (done.rc, done.out) == (2, "")
    assert done.err.startswith(f"gitqueen: {why}") and "\n  → " in done.err
    assert json.loads(one.sh(f"iam {typed} --json").out)["error"]["code"] == "usage"
    assert "declared nothing" in one.sh("iam").out


def test_500_characters_are_a_task(sister: Callable[..., Sister], home: Path) -> None:
    assert sister("iza-1").sh(f"iam {'é' * 500}").out == f"📌 iza-1: {'é' * 199}…\n"
    assert sql(home, "SELECT length(current_task) FROM sisters") == [(500,)]


@pytest.mark.parametrize("command", ["iam", "whoami"])
def test_help_has_an_example(run: Runner, command: str) -> None:
    done = run("gitqueen", command, "--help")
    assert done.returncode == 0
    assert re.search(rf"Examples?: (gitqueen )?{command}\b", done.stdout)
