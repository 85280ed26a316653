"""The daemon as a real process: it sees without being asked, is alone, and survives what happens around it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests import hive
from tests.hive import Repo, Runner, Sister, until


class Daemon:
    """The daemon of this test's home, by its own commands."""

    def __init__(self, run: Runner, home: Path) -> None:
        self.run, self.home = run, home

    def start(self, interval: float = 1.0) -> int:
        said = self.run("gitqueen", "daemon", "start", "--interval", str(interval), "--json", check=True)
        pid: int = json.loads(said.stdout)["pid"]
        return pid

    def status(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.run("gitqueen", "daemon", "status", "--json").stdout)
        return said

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.home}/queen.db?mode=ro", uri=True, timeout=30)) as db:
            return db.execute(statement).fetchall()

    def log(self) -> str:
        return (self.home / "daemon.log").read_text()


@pytest.fixture
def daemon(run: Runner, home: Path) -> Iterator[Daemon]:
    one = Daemon(run, home)
    yield one
    if (pid := one.status()["pid"]) is not None:
        os.kill(pid, signal.SIGKILL)


def test_it_comes_is_alone_says_how_it_is_and_goes(daemon: Daemon, run: Runner, home: Path) -> None:
    none = run("gitqueen", "daemon", "status")
    assert (none.returncode, none.stdout) == (
        1, "no daemon runs: commands look around themselves   (gitqueen daemon start)\n"
    )  # fmt: skip
    assert not home.exists()
    pid = daemon.start()
    assert (home / "daemon.pid").read_text() == f"{pid}\n"
    assert (home / "daemon.log").stat().st_mode & 0o077 == 0
    assert daemon.start() == pid
    again = run("gitqueen", "daemon", "run")
    assert (again.returncode, again.stderr) == (
        1, "gitqueen: there is a daemon already\n  → gitqueen daemon status\n"
    )  # fmt: skip
    said = daemon.status()
    assert (said["running"], said["pid"]) == (True, pid) and said["since"].endswith("Z")
    assert run("gitqueen", "daemon", "stop").stdout == f"✓ the daemon has ended, process {pid}\n"
    assert not (home / "daemon.pid").exists()
    until(lambda: not os.path.exists(f"/proc/{pid}"), "it is gone")
    assert daemon.log().splitlines()[-1].endswith(" ended: asked to")
    assert run("gitqueen", "daemon", "stop").stdout == "no daemon runs\n"


def test_of_many_that_start_at_once_one_runs(daemon: Daemon, run: Runner, home: Path) -> None:
    command = [hive.gitqueen(), "daemon", "start", "--interval", "1", "--json"]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(6)]
    answers = [one.communicate(timeout=hive.PATIENCE)[0] for one in started]
    assert {json.loads(answer)["pid"] for answer in answers} == {daemon.status()["pid"]}
    assert daemon.log().count(" started, ") == 1


def test_a_kill_leaves_nothing_that_blocks_the_next(daemon: Daemon, home: Path) -> None:
    first = daemon.start()
    os.kill(first, signal.SIGKILL)
    until(lambda: not daemon.status()["running"], "a killed daemon does not run")
    assert (home / "daemon.pid").read_text() == f"{first}\n"  # nobody removed it, and nobody believes it
    second = daemon.start()
    assert second != first and daemon.status()["pid"] == second


def test_it_takes_no_secret_and_no_name_along(
    daemon: Daemon, sister: Callable[..., Sister], repo: Callable[..., Repo]
) -> None:
    iza = sister("iza-1", repo(), env={"API_TOKEN": "s3cret", "KITTY_WINDOW_ID": "7"})
    pid = json.loads(iza.sh("gitqueen daemon start --interval 1 --json").out)["pid"]
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"s3cret" not in environment and b"iza-1" not in environment and b"KITTY" not in environment
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    iza.close()
    assert daemon.status()["pid"] == pid  # it outlives whoever started it


def test_it_sees_what_changes_and_who_dies(
    daemon: Daemon, sister: Callable[..., Sister], repo: Callable[..., Repo]
) -> None:
    app, quiet = repo("app"), repo("quiet")
    one, two = sister("iza-1", app), sister("iza-2", quiet)
    one.sh("iam 'one thing'")
    two.sh("iam 'another matter'")
    daemon.start()
    seen = "SELECT name, dirty FROM sessions ORDER BY name"
    until(lambda: daemon.sql(seen) == [("iza-1", 0), ("iza-2", 0)], "both are clean")
    until(lambda: len(daemon.sql("SELECT 1 FROM worktrees")) == 2, "both are known")
    looks = daemon.sql("SELECT scanned_at FROM worktrees ORDER BY path")
    # Read once more with watches, and from then on not at all.
    settled = looks
    deadline = time.monotonic() + hive.PATIENCE
    while True:
        last = daemon.sql("SELECT value FROM meta WHERE key = 'last_scan'")
        until(lambda last=last: daemon.sql("SELECT value FROM meta WHERE key = 'last_scan'") != last, "it scans")  # type: ignore[misc]
        now = daemon.sql("SELECT scanned_at FROM worktrees ORDER BY path")
        if now == settled:
            break
        settled = now
        assert time.monotonic() < deadline, "what nobody touches is read no more"
    with open(app.path / "README", "a") as file:
        file.write("edited in place\n")
    until(lambda: daemon.sql(seen) == [("iza-1", 1), ("iza-2", 0)], "an edit in place is seen")
    (before, kept), (after, still) = settled, daemon.sql("SELECT scanned_at FROM worktrees ORDER BY path")
    assert (after != before, still == kept) == (True, True)  # only the one that changed was read
    one.kill()
    until(lambda: daemon.sql(seen) == [("iza-2", 0)], "the dead are buried")


def test_it_survives_a_database_a_worktree_and_a_repository_that_break(
    daemon: Daemon, sister: Callable[..., Sister], repo: Callable[..., Repo], run: Runner, home: Path
) -> None:
    gone, corrupt, fine = repo("gone"), repo("corrupt"), repo("fine")
    run("gitqueen", "repos", "add", gone, corrupt, fine, check=True)
    pid = daemon.start()
    until(lambda: len(daemon.sql("SELECT 1 FROM worktrees")) == 3, "all are seen")
    shutil.rmtree(gone)
    (corrupt.path / ".git/index").write_bytes(b"DIRC nonsense")
    until(lambda: len(daemon.sql("SELECT 1 FROM unread")) == 2, "two are told as unread")
    fine.write("new", "new\n")
    until(lambda: daemon.sql("SELECT dirty FROM worktrees") == [(1,)], "the third is seen all the same")
    assert daemon.log().count("no worktree is there any more") == 1
    for name in ("queen.db", "queen.db-wal", "queen.db-shm"):
        (home / name).unlink(missing_ok=True)
    (home / "queen.db").write_bytes(b"no database at all, but long enough to be looked at" * 100)
    until(lambda: "queen.db" in daemon.log(), "a broken database is said")
    (home / "queen.db").unlink()
    run("gitqueen", "repos", "add", fine, check=True)
    until(lambda: daemon.sql("SELECT dirty FROM worktrees") == [(1,)], "the new database is used")
    assert daemon.status()["pid"] == pid


def test_what_hooks_leave_behind_wakes_it_at_once(daemon: Daemon, home: Path) -> None:
    daemon.start(3600)
    until((home / "spool").is_dir, "it makes the spool")
    until(lambda: daemon.sql("SELECT 1 FROM meta WHERE key = 'last_scan'"), "the first look is over")
    fields = ["post-commit", "/nowhere", ".git", "", "", "", "", "", "", "", "", "end"]
    record = home / "spool" / "post-commit.123"
    record.write_bytes(b"".join(field.encode() + b"\0" for field in fields))
    until(lambda: not record.exists(), "it is taken")


def test_it_ends_when_its_home_is_gone(daemon: Daemon, home: Path) -> None:
    pid = daemon.start()
    shutil.rmtree(home)
    until(lambda: not os.path.exists(f"/proc/{pid}"), "it ends")


def test_the_hooks_start_no_look_while_it_runs(daemon: Daemon, run: Runner, home: Path) -> None:
    daemon.start()
    until(lambda: (home / "next-scan").exists(), "it says until when nobody need look")
    assert (home / "next-scan").stat().st_mtime > time.time()


def test_run_ends_by_the_keyboard(home: Path, daemon: Daemon) -> None:
    child = subprocess.Popen(
        [hive.gitqueen(), "daemon", "run", "--interval", "1"], stderr=subprocess.PIPE, start_new_session=True
    )
    until(lambda: daemon.status()["running"], "it runs")
    until((home / "daemon.pid").exists, "it is there")
    os.killpg(child.pid, signal.SIGINT)
    _, said = child.communicate(timeout=hive.PATIENCE)
    assert child.returncode == 0
    assert said.decode().splitlines()[-1].endswith(" ended: asked to")


def test_it_looks_every_30_seconds_unless_told_otherwise(daemon: Daemon, run: Runner) -> None:
    pid = json.loads(run("gitqueen", "daemon", "start", "--json", check=True).stdout)["pid"]
    assert daemon.log().splitlines()[0].endswith(f" started, process {pid}, a look around every 30 s")


@pytest.mark.parametrize("interval", ["0", "-1", "nonsense", "99999"])
def test_an_interval_out_of_form(run: Runner, interval: str) -> None:
    assert run("gitqueen", "daemon", "start", "--interval", interval).returncode == 2
