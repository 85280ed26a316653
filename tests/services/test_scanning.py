"""One look around, on real processes and repositories, and all that follows from it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gitqueen.services import queen, scanning
from tests import hive
from tests.hive import Repo, Runner, Sister, until


@pytest.fixture
def db(home: Path, run: Runner) -> Iterator[sqlite3.Connection]:
    """The database of this test, as another program has it open."""
    run("gitqueen", "scan", check=True)
    with closing(sqlite3.connect(home / "queen.db", isolation_level=None, timeout=30)) as opened:
        yield opened


@pytest.fixture
def scan(run: Runner, db: sqlite3.Connection) -> Callable[[], dict[str, Any]]:
    def look() -> dict[str, Any]:
        said: dict[str, Any] = json.loads(run("gitqueen", "scan", "--json", check=True).stdout)
        assert said.pop("schema") == 1 and said.pop("scanned")
        return said

    return look


def seen(run: Runner) -> dict[str, Any]:
    return {one["name"]: one for one in json.loads(run("gitqueen", "status", "--json", check=True).stdout)["sisters"]}


Scan = Callable[[], dict[str, Any]]


def test_it_sees_branch_head_and_dirt_of_every_worktree(
    sister: Callable[..., Sister], repo: Callable[..., Repo], scan: Scan, run: Runner
) -> None:
    app, other = repo("app"), repo("other")
    sister("iza-1", app).sh("iam 'one thing'")
    sister("iza-2", other.worktree("feature")).sh(
        "iam 'another matter'; git rm -q README; echo x >new; mkdir d; echo x >d/e"
    )
    assert scan() == {"sisters": 2, "worktrees": 2, "gone": [], "given_back": [], "resolved": [], "faults": []}
    assert [(one["branch"], one["head"], one["dirty"]) for one in seen(run).values()] == [
        ("main", app.head, 0), ("feature", other.head, 3)
    ]  # fmt: skip
    assert run("gitqueen", "scan").stdout == "✓ 2 sisters in 2 worktrees\n"


def test_the_dead_are_buried_and_what_was_theirs_stays_with_the_name(
    sister: Callable[..., Sister], repo: Callable[..., Repo], scan: Scan, run: Runner, db: sqlite3.Connection
) -> None:
    app = repo()
    one, two = sister("iza-1", app), sister("iza-2", app)
    one.sh("iam 'one thing'; gitqueen claim deploy")
    two.sh("iam 'another matter'; gitqueen tell iza-1 hello")
    shared = scan()
    one.kill()
    assert list(seen(run)) == ["iza-2"]  # dead is dead at once, whenever the next scan is
    found = scan()
    assert (shared["gone"], found["gone"], scan()["gone"]) == ([], ["iza-1"], [])
    assert [conflict.rpartition("-")[0] for conflict in found["resolved"]] == ["shared-branch"]
    assert found["given_back"] == []  # the grace: a new process of that name keeps it
    said = json.loads(run("gitqueen", "status", "--json").stdout)
    assert [one["id"] for one in said["claims"]] == ["deploy"]
    assert {one["sister"]: one["unread"] for one in said["mail"]}["iza-1"] == 2
    kinds = [event["kind"] for event in json.loads(run("gitqueen", "history", "--json").stdout)["events"]]
    assert kinds.count("died") == 1 and kinds.count("conflict-over") == 1
    # Eleven minutes later.
    db.execute("UPDATE names SET died_at = strftime('%Y-%m-%dT%H:%M:%SZ', died_at, '-11 minutes')")
    assert scan()["given_back"] == ["deploy"]
    event = json.loads(run("gitqueen", "history", "-n", "1", "--json").stdout)["events"][0]
    assert (event["kind"], event["sister"], event["detail"]["id"]) == ("given-back", "iza-1", "deploy")
    assert run("gitqueen", "claims").stdout.startswith("no claims")
    assert scan()["given_back"] == []


def test_one_broken_repository_is_named_and_the_others_are_seen(
    sister: Callable[..., Sister], repo: Callable[..., Repo], scan: Scan, run: Runner
) -> None:
    good, bad, gone = repo("good"), repo("bad"), repo("main").worktree("gone")
    sister("iza-1", good).sh("iam 'one thing'")
    sister("iza-2", bad).sh("iam 'another matter'")
    sister("iza-3", gone).sh("iam 'a third'")
    assert scan()["faults"] == []
    (bad.path / ".git" / "index").write_bytes(b"no index at all" * 10)
    shutil.rmtree(gone.path)
    good.write("new", "file")
    found = scan()
    assert (found["sisters"], found["worktrees"], found["gone"]) == (3, 1, [])
    first, second = found["faults"]
    assert first.startswith(f"{bad.path}: git status failed: ") and "index" in first
    assert second == f"{gone.path}: no worktree is there any more"
    facts = {name: (one["branch"], one["head"], one["dirty"]) for name, one in seen(run).items()}
    assert facts == {"iza-1": ("main", good.head, 1), "iza-2": (None, None, None), "iza-3": (None, None, None)}
    done = run("gitqueen", "scan")
    assert done.returncode == 0
    assert f"\n  could not look: {gone.path}: no worktree is there any more\n" in done.stdout
    # What was mended is seen again.
    (bad.path / ".git" / "index").unlink()
    bad.git("reset", "--quiet")
    assert [fault.partition(":")[0] for fault in scan()["faults"]] == [str(gone.path)]
    assert seen(run)["iza-2"]["dirty"] == 0


def test_a_branch_moved_under_a_sister_that_no_hook_told_of(
    sister: Callable[..., Sister], repo: Callable[..., Repo], scan: Scan
) -> None:
    app = repo()
    one, two = sister("iza-1", app), sister("iza-2", app)
    one.sh("iam 'one thing'")
    two.sh("iam 'another matter'")
    scan()
    two.sh("git switch -q -c 'it'\"'\"'s mine'; git switch -q -c feature; gitqueen whoami")
    scan()
    [letter] = [
        one
        for one in json.loads(one.sh("gitqueen inbox --json").out)["messages"]
        if one["body"].startswith("somebody unknown switched")
    ]
    assert (letter["from"], letter["priority"]) == ("queen", "urgent")
    assert f"{app.path} was on main, is on feature now.\nBack:  git switch main " in letter["body"]
    assert "switched the branch" not in two.sh("gitqueen inbox").out  # she knew: her command was there after it
    conflicts = json.loads(one.sh("gitqueen conflicts --json").out)["conflicts"]
    moved = [conflict for conflict in conflicts if conflict["type"] == "branch-switched"]
    assert [(conflict["sisters"], conflict["severity"]) for conflict in moved] == [(["iza-1"], "warning")]
    # Back again: over.
    two.sh("git switch -q main; gitqueen whoami")
    one.sh("gitqueen whoami")
    assert moved[0]["id"] in scan()["resolved"]


def test_alone_in_her_worktree_she_moves_as_she_likes(
    sister: Callable[..., Sister], repo: Callable[..., Repo], scan: Scan
) -> None:
    iza = sister("iza-1", repo())
    iza.sh("iam 'one thing'")
    scan()
    iza.sh("git switch -q -c feature")
    scan()
    assert iza.sh("gitqueen inbox").out == "📬 no unread for iza-1\n"
    assert iza.sh("gitqueen conflicts --all").out == "no open conflicts\n"


def test_a_row_of_another_program_becomes_known_while_its_process_lives(
    scan: Scan, db: sqlite3.Connection, run: Runner, tmp_path: Path
) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        now = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"
        db.execute(f"INSERT INTO sisters VALUES ({process.pid}, 'theirs', 'main', 'a task', 'declared', 'idle', {now})")
        db.execute(f"INSERT INTO sisters VALUES (10000001, 'gone', NULL, NULL, 'auto', 'idle', {now})")
        assert scan()["sisters"] == 2
        assert {name: one["status"] for name, one in seen(run).items()} == {"gone": "unknown", "theirs": "idle"}
        process.kill()
    found = scan()
    assert found["gone"] == ["theirs"]  # we knew its process; of the other nobody knows: ten minutes of doubt
    db.execute("UPDATE sisters SET last_seen = strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-11 minutes')")
    assert scan()["gone"] == ["gone"]
    assert db.execute("SELECT count(*) FROM sisters").fetchone() == (0,)


def test_eight_at_once_all_end_well(
    sister: Callable[..., Sister], repo: Callable[..., Repo], run: Runner, home: Path, db: sqlite3.Connection
) -> None:
    app = repo()
    for number in (1, 2):
        sister(f"iza-{number}", app).sh(f"iam 'task number {number}'")
    db.execute("DELETE FROM messages")
    started = [
        subprocess.Popen(
            [hive.gitqueen(), "scan", "--json"], cwd=run.cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(8)
    ]
    ended = [(process, *process.communicate(timeout=hive.PATIENCE)) for process in started]
    assert [(process.returncode, err) for process, _, err in ended] == [(0, b"")] * 8
    assert [json.loads(out)["faults"] for _, out, _ in ended] == [[]] * 8
    # What they all saw is told once.
    told = db.execute("SELECT to_sister, count(*) FROM messages WHERE body LIKE 'shared-branch%' GROUP BY 1").fetchall()
    assert told == [] or told == [("iza-1", 1), ("iza-2", 1)]
    assert db.execute("SELECT count(*) FROM conflicts WHERE type = 'shared-branch'").fetchone() == (1,)


def test_who_waited_for_the_look_of_another_makes_none_of_its_own(home: Path) -> None:
    waiting, looking = (queen.open(os.environ, lambda: datetime.now(UTC), "/") for _ in range(2))
    assert scanning.locked(looking, stale_only=True) is not None
    # Opened before that look was made, and its turn comes after it.
    assert scanning.locked(waiting, stale_only=True) is None
    assert scanning.locked(waiting) is not None
    waiting.db.close()
    looking.db.close()


def test_a_scan_killed_at_any_moment_stops_nobody(
    sister: Callable[..., Sister], repo: Callable[..., Repo], run: Runner, scan: Scan
) -> None:
    iza = sister("iza-1", repo())
    iza.sh("iam 'one thing'")
    for syscall in (50, 400, 900):
        # Killed after so many lines of its trace: at very different places, and always the same.
        script = f"import sys, os; n = 0\ndef f(*_):\n global n; n += 1\n if n > {syscall}: os.kill(os.getpid(), 9)\n"
        script += " return f\nsys.argv = ['gitqueen', 'scan']\nfrom gitqueen.cli import main, look\nsys.settrace(f)\n"
        script += "main.main()"
        assert run("python3", "-c", script).returncode == -signal.SIGKILL
    assert scan()["sisters"] == 1
    assert list(seen(run)) == ["iza-1"]


def test_a_home_that_cannot_be_written_is_answered_from(
    sister: Callable[..., Sister],
    repo: Callable[..., Repo],
    run: Runner,
    scan: Scan,
    db: sqlite3.Connection,
    home: Path,
) -> None:
    """Another holds the database for long: looking answers from what is known."""
    sister("iza-1", repo()).sh("iam 'one thing'")
    scan()
    db.execute("UPDATE meta SET value = value - 31 WHERE key = 'last_scan'")
    db.execute("BEGIN IMMEDIATE")
    assert list(seen(run)) == ["iza-1"]
    db.execute("ROLLBACK")


def test_a_command_that_does_not_look_has_somebody_else_look(
    sister: Callable[..., Sister], repo: Callable[..., Repo], run: Runner, db: sqlite3.Connection
) -> None:
    app = repo()
    iza = sister("iza-1", app)
    iza.sh("iam 'one thing'")
    app.write("new", "file")
    db.execute("UPDATE meta SET value = '0.0' WHERE key = 'last_scan'")
    iza.sh("gitqueen claims")
    query = "SELECT dirty FROM sessions"
    until(lambda: db.execute(query).fetchone() == (1,), "it was looked")


def test_markers_of_a_managed_repository_say_who_lives_there(
    sister: Callable[..., Sister], repo: Callable[..., Repo], scan: Scan
) -> None:
    app = repo()
    one, two = sister("iza-1", app), sister("iza-2", app)
    one.sh("gitqueen hooks install .; iam 'one thing'")
    two.sh("iam 'another matter'")
    live = app.path / ".git" / "gitqueen" / "live"
    scan()
    assert sorted(os.listdir(live)) == sorted([str(one.pid), str(two.pid)])
    two.kill()
    (live / "999999999").touch()
    os.unlink(live / str(one.pid))
    scan()
    assert os.listdir(live) == [str(one.pid)]
