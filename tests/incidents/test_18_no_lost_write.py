"""INCIDENTS 18: "12 writes succeeded", 2 on disk; database locked.

No acknowledged write is lost, with 64 processes at once and with `kill -9` at any moment, and none is there by half.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gitqueen.store import schema
from tests.hive import Runner, gitqueen

SISTERS, LETTERS, KILLED = 64, 5, 24

HIVE = r"""
import os, random, signal, sys, time
from datetime import UTC, datetime
from gitqueen.services import claiming, identifying, mailing, queen

sisters, letters, killed, folder = *map(int, sys.argv[1:4]), sys.argv[4]
gate, opener = os.pipe()

def work(number):
    log = os.open(f"{folder}/{number}", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    env = {**os.environ, "GITQUEEN_NAME": f"s-{number}", "GITQUEEN_PID": str(os.getpid())}
    os.close(opener)
    os.read(gate, 1)
    opened = queen.open(env, lambda: datetime.now(UTC), patience=100)
    me = identifying.identify(opened, declare=True)
    for turn in range(letters):
        sent = mailing.send(opened, me, me.address, f"{number} {turn}")
        os.write(log, f"message {sent.ids[0]}\n".encode())
        claim = claiming.wanted(opened, me.sister, f"c-{number}-{turn}", None, [], None)
        assert not claiming.take(opened, me.sister, claim).refused
        os.write(log, f"claim {claim.id}\n".encode())

pids = []
for number in range(sisters):
    pid = os.fork()
    if pid == 0:
        try:
            work(number)
        except BaseException as fault:
            sys.stderr.write(f"{number}: {fault!r}\n")
            os._exit(1)
        os._exit(0)
    pids.append(pid)
os.close(gate)
os.close(opener)  # and off they go

def said(number):
    try:
        return os.path.getsize(f"{folder}/{number}")
    except OSError:
        return 0

for number in random.sample(range(sisters), killed):
    # In the middle of her work: after her first acknowledgement, before her last.
    deadline = time.monotonic() + 60
    while not said(number) and time.monotonic() < deadline:
        time.sleep(0.0005)
    time.sleep(random.random() * 0.004)
    os.kill(pids[number], signal.SIGKILL)
print(*(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids))
"""


def test_64_processes_at_once_and_killed_at_any_moment(run: Runner, home: Path, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (tmp_path / "hive.py").write_text(HIVE)
    done = run(sys.executable, "hive.py", str(SISTERS), str(LETTERS), str(KILLED), logs, timeout=110)
    assert (done.returncode, done.stderr) == (0, "")
    ends = [int(word) for word in done.stdout.split()]
    assert len(ends) == SISTERS
    assert set(ends) == {0, -9}
    acknowledged = [line.split() for log in sorted(logs.iterdir()) for line in log.read_text().splitlines()]
    letters = {int(name) for what, name in acknowledged if what == "message"}
    claims = {name for what, name in acknowledged if what == "claim"}
    with opened(home) as db:
        assert whole(db) == []
        assert letters <= column(db, "SELECT id FROM messages")
        assert claims <= column(db, "SELECT id FROM claims")
        # And of those that nobody killed, everything.
        survivors = [number for number, end in enumerate(ends) if end == 0]
        bodies = column(db, "SELECT body FROM messages")
        assert {f"{number} {turn}" for number in survivors for turn in range(LETTERS)} <= bodies
        assert len(column(db, "SELECT name FROM sisters")) == SISTERS


KILL = ("strace", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64,fdatasync,ftruncate,unlink")


@pytest.mark.needs_strace
@pytest.mark.parametrize("command", ["tell iza-1 NEW", "claim NEW", "iam NEW"])
def test_killed_at_one_of_its_writes_a_command_is_done_or_never_was(command: str, run: Runner, home: Path) -> None:
    """`kill -9` where it hurts: on the way into the nth write, for n ever higher until the command comes through."""
    env = {"GITQUEEN_NAME": "iza-1", "GITQUEEN_PID": str(os.getpid())}
    run("gitqueen", "scan", env=env, check=True)  # so that no command starts another one behind our back
    before, died = state(home), 0
    for number in range(1, 100, 3):
        words = command.replace("NEW", f"new-{number}").split()
        inject = f"inject=pwrite64:signal=KILL:when={number}"
        done = run(*KILL, "-e", inject, gitqueen(), *words, env=env)
        after = state(home)
        assert after in (before, before + 1), f"write {number}"
        assert done.returncode in (0, -9)
        if done.returncode == 0:
            assert after == before + 1
            break
        assert done.stdout == "" or after == before + 1
        before, died = after, died + 1
    assert died >= 3


def state(home: Path) -> int:
    """How many doings are there, each of them whole."""
    with opened(home) as db:
        assert whole(db) == []
        return len(column(db, "SELECT id FROM events WHERE kind IN ('sent', 'claimed', 'declared')"))


@pytest.mark.needs_strace
def test_the_very_first_command_killed_leaves_no_half_made_database(run: Runner, home: Path) -> None:
    died = 0
    for number in range(1, 200, 11):
        env = {"GITQUEEN_HOME": str(home / str(number))}
        killed = run(*KILL, "-e", f"inject=pwrite64:signal=KILL:when={number}", gitqueen(), "claims", env=env)
        assert killed.returncode in (0, -9)
        assert run("gitqueen", "claims", env=env, check=True).stdout.startswith("no claims")
        with opened(home / str(number)) as db:
            assert whole(db) == []
            assert db.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
        if killed.returncode == 0:
            break
        died += 1
    assert died >= 3


@contextmanager
def opened(home: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(home / "queen.db", timeout=60)) as db:
        yield db


def column(db: sqlite3.Connection, query: str) -> set[object]:
    return {row[0] for row in db.execute(query)}


def whole(db: sqlite3.Connection) -> list[str]:
    """What is broken, or there by half: nothing, if each doing was all or nothing."""
    wrong = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
    told: dict[str, list[dict[str, object]]] = {}
    for kind, detail in db.execute("SELECT kind, detail FROM events"):
        told.setdefault(kind, []).append(json.loads(detail))
    sent = [number for detail in told.get("sent", []) for number in _list(detail["ids"])]
    if sorted(sent) != [row[0] for row in db.execute("SELECT id FROM messages ORDER BY id")]:
        wrong.append("a message without its event, or an event without its message")
    held = sorted(str(detail["id"]) for detail in told.get("claimed", []))
    for table in ("claims", "holds"):
        if held != [row[0] for row in db.execute(f"SELECT id FROM {table} ORDER BY id")]:
            wrong.append(f"an event without its row in {table}, or the other way round")
    names = [row[0] for row in db.execute("SELECT name FROM sisters ORDER BY pid")]
    if names != [row[0] for row in db.execute("SELECT name FROM sessions ORDER BY row")]:
        wrong.append("a sister without her session, or the other way round")
    tasks = {str(detail["task"]) for detail in told.get("declared", [])}
    if not {row[0] for row in db.execute("SELECT current_task FROM sisters WHERE current_task IS NOT NULL")} <= tasks:
        wrong.append("a task that nobody declared")
    return wrong


def _list(value: object) -> list[int]:
    assert isinstance(value, list)
    return value
