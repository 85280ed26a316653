"""Mail under load and under fire: nothing acknowledged is lost, nothing is shown twice, all of a group or none."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitqueen.services import identifying, mailing, queen
from tests import hive
from tests.hive import Runner, Sister

ROOT = Path(__file__).parents[2]

SENDER = r"""
import os, sys
from datetime import UTC, datetime
from gitqueen.services import identifying, mailing, queen
crowd, letters = int(sys.argv[1]), int(sys.argv[2])
def send(number):
    env = {**os.environ, "GITQUEEN_NAME": f"w-{number}", "GITQUEEN_PID": str(os.getpid())}
    opened = queen.open(env, lambda: datetime.now(UTC), patience=100)
    me = identifying.identify(opened, declare=True)
    for letter in range(letters):
        os.write(1, b"%d\n" % mailing.send(opened, me, "reader", f"{number} {letter}").ids[0])
children = []
for number in range(crowd):
    pid = os.fork()
    if not pid:
        code = 1
        try:
            send(number)
            code = 0
        except Exception as fault:
            print(number, repr(fault), file=sys.stderr)
        os._exit(code)
    children.append(pid)
sys.exit(any(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


def rows(home: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(home / "queen.db", timeout=10)) as db:
        return db.execute(query).fetchall()


@pytest.mark.timeout(240)
def test_64_senders_at_once_lose_nothing(
    run: Runner, sister: Callable[..., Sister], home: Path, tmp_path: Path
) -> None:
    reader = sister("reader")
    assert reader.sh("gitqueen whoami").rc == 0
    done = run(sys.executable, "-c", SENDER, "64", "10", env={"PYTHONPATH": str(ROOT)}, check=True, timeout=110)
    told = [int(line) for line in done.stdout.split()]
    found = json.loads(reader.sh("gitqueen inbox --json").out)["messages"]
    assert sorted(told) == [message["id"] for message in found]
    assert {message["body"] for message in found} == {f"{n} {k}" for n in range(64) for k in range(10)}
    # Each sender's letters come in the order they were sent.
    for number in range(64):
        mine = [message["body"] for message in found if message["from"] == f"w-{number}"]
        assert mine == [f"{number} {letter}" for letter in range(10)]
    assert rows(home, "SELECT count(*) FROM events WHERE kind = 'sent'") == [(640,)]


def test_a_sender_killed_at_any_moment_has_told_all_or_nobody(
    sister: Callable[..., Sister], home: Path, tmp_path: Path
) -> None:
    everybody = [sister(f"iza-{number}") for number in range(4)]
    for one in everybody:
        assert one.sh("gitqueen whoami").rc == 0
    begun = time.monotonic()
    assert everybody[0].sh("gitqueen tell @all first").rc == 0
    usual = time.monotonic() - begun
    env = hive.laid_over({"GITQUEEN_NAME": "iza-0", "GITQUEEN_PID": str(everybody[0].pid)})
    for step in range(12):
        command = [hive.gitqueen(), "tell", "@all", f"step {step}"]
        with subprocess.Popen(command, env=env, cwd=tmp_path, stdout=subprocess.PIPE) as process:
            time.sleep(usual * (0.5 + step / 20))
            process.kill()
            assert process.stdout is not None
            said = process.stdout.read()
        letters = rows(home, f"SELECT to_sister FROM messages WHERE body = 'step {step}' ORDER BY id")
        assert letters in ([], [("iza-1",), ("iza-2",), ("iza-3",)])
        assert letters or not said, "what was acknowledged must be there"
    sent = rows(home, "SELECT count(*) FROM messages")[0][0]
    assert isinstance(sent, int)
    assert rows(home, "SELECT count(*) FROM events WHERE kind = 'sent'") == [(sent // 3,)]
    assert rows(home, "PRAGMA integrity_check") == [("ok",)]


def test_a_letter_that_comes_between_two_looks_is_seen(home: Path, tmp_path: Path) -> None:
    """One that waits asks whether anything changed before it asks for mail: what comes in between is not missed."""
    env = {**os.environ, "GITQUEEN_NAME": "iza-1", "GITQUEEN_PID": str(os.getpid())}
    opened = queen.open(env, lambda: datetime.now(UTC), os.fspath(tmp_path))
    me = identifying.identify(opened, declare=True)
    with closing(sqlite3.connect(home / "queen.db", timeout=10)) as other:
        asked: list[str] = []
        letters = ["hi"]

        def write(statement: str) -> None:
            """When the mail was read, and nothing was there, and the next question comes."""
            if letters and asked and "FROM messages" in asked[-1]:
                with other:
                    other.execute(
                        "INSERT INTO messages (to_sister, body, sent_at) VALUES ('iza-1', ?, '2026-04-11')",
                        [letters.pop()],
                    )
            asked.append(statement)

        opened.db.set_trace_callback(write)
        found = mailing.inbox(opened, me, wait=hive.PATIENCE)
        opened.db.set_trace_callback(None)
    opened.db.close()
    assert [(message.body, found.timed_out) for message in found.messages] == [("hi", False)]
