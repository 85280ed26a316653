"""Draining with real hooks: crowds, kills, and queens that cannot be written. Nothing is lost, nothing is doubled."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen.git.hooktext import tool
from tests.hive import Repo, Sister
from tests.hooks import kit


def drain(wait: bool = True) -> subprocess.Popen[bytes]:
    of = tool()
    process = subprocess.Popen([of.python, "-I", "-S", of.door, "drain"], stdin=subprocess.DEVNULL)
    if wait:
        assert process.wait(60) == 0
    return process


def oids(app: Repo) -> Counter[str]:
    return Counter(one["detail"]["oid"] for one in kit.events(app, "committed"))


def test_64_commits_in_64_worktrees_at_once(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    app = kit.install(repo())
    bea = sister("bea", app)
    bea.sh("iam 'everything at once'")
    trees = [app.path.with_name(f"w{number}") for number in range(64)]
    for tree in trees:
        app.git("-c", "core.hooksPath=/dev/null", "worktree", "add", "-q", "-b", tree.name, tree)
    crowd = " & ".join(
        f"(cd {tree}; echo {tree.name} >f; git add f; git commit -qm {tree.name}) 2>&1" for tree in trees
    )
    done = bea.sh(f"{crowd} & wait", timeout=100)
    assert (done.rc, done.out) == (0, "")
    heads = [app.git("rev-parse", tree.name) for tree in trees]
    assert oids(app) == Counter(heads)
    assert {one["sister"] for one in kit.events(app, "committed")} == {"bea"}
    for tree in trees[::8]:
        assert Repo(tree).git("status", "--porcelain") == ""
        assert Repo(tree).git("fsck", "--no-dangling") == ""


def test_a_drain_killed_at_any_moment_loses_nothing_and_doubles_nothing(
    repo: Callable[..., Repo], sister: Callable[..., Sister], home: Path
) -> None:
    app = kit.install(repo())
    bea = sister("bea", app)
    bea.sh("iam 'a long day'")
    kit.alone()
    kit.drained()
    # Somebody seems to drain already, so that no hook starts anybody.
    (home / "spool" / "draining").write_text(f"{os.getpid()}\n")
    bea.sh("for n in $(seq 40); do git commit --allow-empty -qm $n; done; git commit --amend --allow-empty -qm amended")
    made = app.git("rev-list", "--reverse", "HEAD", "--not", "HEAD~40").split()
    for delay in (0.12, 0.16, 0.2, 0.24, 0.28, 0.32, 0.4, 0.5):
        process = drain(wait=False)
        time.sleep(delay)  # any moment is the right one
        process.send_signal(signal.SIGKILL)
        process.wait()
    drain()
    found = oids(app)
    assert set(found.values()) == {1} and set(made) <= set(found) and len(found) == 41
    assert [one["detail"] for one in kit.events(app, "rewrote")] == [{"how": "amend", "commits": 1}]


def test_a_record_that_was_in_the_book_before_its_drain_died_is_not_told_twice(
    repo: Callable[..., Repo], sister: Callable[..., Sister], home: Path
) -> None:
    app = kit.install(repo())
    bea = sister("bea", app)
    bea.sh("iam 'her work'")
    kit.alone()
    (home / "spool" / "draining").write_text(f"{os.getpid()}\n")
    bea.sh("git commit --allow-empty -qm once; git commit --amend --allow-empty -qm twice")
    kept = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in (home / "spool").glob("post-*")}
    assert len(kept) == 3
    (home / "spool" / "draining").unlink()
    for _ in range(2):
        for file, (raw, at) in kept.items():
            file.write_bytes(raw)
            os.utime(file, ns=(at, at))
        drain()
    assert kit.committed(app) == [("once", "bea"), ("twice", "bea")]
    assert len(kit.events(app, "rewrote")) == 1


def test_a_queen_that_is_locked_gets_it_later(
    repo: Callable[..., Repo], sister: Callable[..., Sister], home: Path
) -> None:
    app = kit.install(repo())
    bea = sister("bea", app)
    bea.sh("iam 'her work'")
    other = sqlite3.connect(home / "queen.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        # Nobody waits for it: what is recorded, is recorded afterwards.
        assert bea.sh("git commit --allow-empty -qm locked") == (0, "", "")
        assert [name for name in kit.spool() if name.startswith("post-commit.")] != []
        other.execute("ROLLBACK")
    finally:
        other.close()
    assert kit.committed(app) == [("locked", "bea")]


@pytest.mark.parametrize("fate", ["damaged", "newer", "gone"])
def test_a_queen_that_cannot_be_opened_lets_the_spool_grow_to_its_bound(
    fate: str, repo: Callable[..., Repo], sister: Callable[..., Sister], home: Path
) -> None:
    app = kit.install(repo())
    bea = sister("bea", app)
    bea.sh("iam 'her work'; gitqueen scan")
    kit.drained()
    kit.alone()  # a scan that comes late would make a new queen
    whole = (home / "queen.db").read_bytes() if fate == "damaged" else b""
    if fate == "newer":
        with sqlite3.connect(home / "queen.db") as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            db.execute("PRAGMA user_version = 9999")
        db.close()
    else:
        with sqlite3.connect(home / "queen.db") as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        whole = (home / "queen.db").read_bytes()
        for file in home.glob("queen.db*"):
            file.unlink()
        if fate == "damaged":
            (home / "queen.db").write_bytes(b"no database" * 1000)
    assert bea.sh("git commit --allow-empty -qm kept") == (0, "", "")
    drain()
    assert [name for name in kit.spool() if name.startswith("post-commit.")] != []
    assert fate != "gone" or not (home / "queen.db").exists()
    for number in range(10_001):
        (home / "spool" / f"post-merge.{number}").touch()
    drain()
    assert "full" in kit.spool()
    before = len(kit.spool())
    assert bea.sh("git commit --allow-empty -qm unseen") == (0, "", "")
    assert len(kit.spool()) == before
    for number in range(10_001):
        (home / "spool" / f"post-merge.{number}").unlink()
    # Mended: what waited is told.
    if fate == "newer":
        with sqlite3.connect(home / "queen.db") as db:
            db.execute(f"PRAGMA user_version = {version}")
        db.close()
    else:
        for file in home.glob("queen.db*"):
            file.unlink()
        (home / "queen.db").write_bytes(whole)
    drain()
    assert "full" not in kit.spool()
    assert kit.committed(app) == [("kept", "bea")]


def test_a_worktree_that_is_gone_and_a_repository_that_is_broken_hold_nobody_up(
    repo: Callable[..., Repo], sister: Callable[..., Sister], home: Path
) -> None:
    app, other = kit.install(repo()), kit.install(repo("other"))
    bea, zoe = sister("bea", app), sister("zoe", other)
    zoe.sh("iam 'elsewhere'")
    bea.sh("iam 'her work'; git worktree add -q ../short -b short")
    kit.drained()
    kit.alone()  # a scan drains, whatever is said of another
    (home / "spool" / "draining").write_text(f"{os.getpid()}\n")
    zoe.sh("git commit --allow-empty -qm broken")
    bea.sh("cd ../short; git commit --allow-empty -qm short-lived; cd ../app; git worktree remove ../short")
    bea.sh("git commit --allow-empty -qm last")
    (other.path / ".git" / "HEAD").write_text("nonsense\n")
    (home / "spool" / "draining").unlink()
    drain()
    assert kit.committed(app) == [("short-lived", "bea"), ("last", "bea")]


def test_what_is_recorded_shows_without_any_other_command(
    repo: Callable[..., Repo], sister: Callable[..., Sister], home: Path
) -> None:
    app = kit.install(repo())
    bea = sister("bea", app)
    bea.sh("iam 'her work'")
    bea.sh("git commit --allow-empty -qm shown")

    def told() -> list[tuple[str]]:
        db = sqlite3.connect(f"file:{home}/queen.db?mode=ro", uri=True)
        try:
            return db.execute("SELECT sister FROM events WHERE kind = 'committed'").fetchall()
        finally:
            db.close()

    assert kit.until(told, "the event shows") == [("bea",)]
