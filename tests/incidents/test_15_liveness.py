"""INCIDENTS 15: healthy sessions were killed, dead ones shown alive. Nothing is killed; alive is pid and start."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hive import Repo, Runner, Sister


def shown(done: str) -> dict[str, int]:
    return {one["name"]: one["pid"] for one in json.loads(done)["sisters"]}


def test_a_healthy_session_that_says_nothing_for_days_is_alive_and_left_alone(
    repo: Callable[..., Repo], sister: Callable[..., Sister], home: Path
) -> None:
    app = repo()
    quiet, stopped, zoe = (
        sister("", app, program="claude", declared=False),
        sister("", app, program="codex", declared=False),
        sister("zoe", app),
    )
    child = int(quiet.sh("sleep 300 & echo $!").out)
    quiet.sh("iam 'thinking'")
    stopped.sh("gitqueen claim deploy")
    os.kill(stopped.pid, signal.SIGSTOP)
    with sqlite3.connect(home / "queen.db") as db:
        db.execute("UPDATE sisters SET last_seen = '2020-01-01T00:00:00Z'")
    db.close()
    assert zoe.sh("gitqueen scan").rc == 0
    assert shown(zoe.sh("gitqueen status --json").out) == {
        "keeper-1": quiet.pid,
        "keeper-2": stopped.pid,
        "zoe": zoe.pid,
    }
    for pid in (quiet.pid, stopped.pid, child):
        os.kill(pid, 0)
    os.kill(stopped.pid, signal.SIGCONT)
    assert stopped.sh("gitqueen release deploy").rc == 0


@pytest.mark.needs_proc
def test_a_killed_session_is_dead_at_once_also_while_nobody_has_reaped_it(sister: Callable[..., Sister]) -> None:
    crashed, zoe = sister("", program="claude", declared=False), sister("zoe")
    left = int(crashed.sh("gitqueen whoami >/dev/null; sleep 300 & echo $!").out)
    assert shown(zoe.sh("gitqueen status --json").out) == {"keeper-1": crashed.pid, "zoe": zoe.pid}
    os.kill(crashed.pid, signal.SIGKILL)
    os.waitid(os.P_PID, crashed.pid, os.WEXITED | os.WNOWAIT)
    assert os.path.exists(f"/proc/{crashed.pid}")  # a zombie
    assert shown(zoe.sh("gitqueen status --json").out) == {"zoe": zoe.pid}
    os.kill(left, 0)  # what she began goes on


REUSE = """
start() { "$1/claude" -c "$2; until [ -e over ]; do sleep 0.01; done" & }
start "$1" 'gitqueen whoami >/dev/null; : >born'; first=$!
until [ -e born ]; do sleep 0.01; done
GITQUEEN_NAME=zoe GITQUEEN_PID=$$ gitqueen status --json
kill -9 $first; wait $first 2>/dev/null
second=
while [ "$second" != "$first" ]; do
  echo $((first - 1)) >/proc/sys/kernel/ns_last_pid
  start "$1" :; second=$!
done
GITQUEEN_NAME=zoe GITQUEEN_PID=$$ gitqueen status --json
: >over; wait
echo $first
"""


@pytest.mark.needs_bwrap
def test_another_agent_that_gets_the_dead_one_s_pid_is_not_she(run: Runner, tmp_path: Path) -> None:
    """In a namespace of its own a test may say which pid comes next."""
    shutil.copy2(os.path.realpath(shutil.which("sh") or "/bin/sh"), tmp_path / "claude")
    box = ["bwrap", "--dev-bind", "/", "/", "--unshare-user", "--unshare-pid", "--proc", "/proc", "--cap-add", "ALL"]
    done = run(*box, "sh", "-c", REUSE, "sh", tmp_path)
    before, after, pid = done.stdout.splitlines()
    assert shown(before)["keeper-1"] == int(pid)
    assert list(shown(after)) == ["zoe"], done


def test_a_row_of_another_program_whose_process_died_is_unknown_then_gone(
    sister: Callable[..., Sister], home: Path
) -> None:
    zoe = sister("zoe")
    zoe.sh("gitqueen whoami")
    with subprocess.Popen(["true"]) as gone:
        pass
    for age, expected in ((60, "unknown"), (660, None)):
        with sqlite3.connect(home / "queen.db") as db:
            seen = f"strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-{age} seconds')"
            db.execute(
                f"INSERT OR REPLACE INTO sisters VALUES ({gone.pid}, 'old', 'main', 'x', 'auto', 'working', {seen})"
            )
        db.close()
        found = json.loads(zoe.sh("gitqueen scan >&2; gitqueen status --json").out)["sisters"]
        assert {one["name"]: one["status"] for one in found}.get("old") == expected
