"""The status line: one line of what matters, whatever comes in, and never a fault."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import gitqueen
from tests.hive import Repo, Runner, Sister

DOOR = os.path.join(os.path.dirname(gitqueen.__file__), "cli", "statusline.py")
LEAN = f"{sys.executable} -I -S {DOOR}"


@pytest.mark.parametrize("command", [LEAN, "gitqueen statusline"], ids=["door", "command"])
def test_it_says_name_task_conflicts_mail_and_who_is_here(
    command: str, repo: Callable[..., Repo], sister: Callable[..., Sister], tmp_path: Path
) -> None:
    app = repo()
    iza, una = sister("iza-1", app), sister("una", app)
    assert iza.sh("iam 'hunting the mp3 trigger'").rc == 0
    assert una.sh("gitqueen tell iza-1 'look at main' --urgent && gitqueen scan").rc == 0
    said = json.dumps({"session_id": "x", "workspace": {"current_dir": str(app.path)}})
    done = iza.sh(f"cd / && echo '{said}' | {command}")
    assert done == (0, "🐝 iza-1  hunting the mp3 trigger  ⚠ 1 conflict  📬 2 ⚡  👥 1\n", "")
    assert una.sh(command).out == "🐝 una  ⚠ 1 conflict  📬 1  👥 1\n"


@pytest.mark.parametrize(
    "said", [b"", b"{", b"[]", b'{"cwd": 1}', b'{"workspace": []}', b"\xff\xfe", b"[" * 200_000, b'{"cwd": "/none"}']
)
def test_whatever_comes_in_it_answers(said: bytes, sister: Callable[..., Sister]) -> None:
    iza = sister("iza-1")
    iza.sh("gitqueen whoami")
    done = subprocess.run([sys.executable, "-I", "-S", DOOR], input=said, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout.decode()[0], done.stdout.count(b"\n"), done.stderr) == (0, "🐝", 1, b"")


def test_without_a_hive_it_makes_none(run: Runner, home: Path) -> None:
    done = run(sys.executable, "-I", "-S", DOOR, input="{}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "🐝\n", "")
    assert not home.exists()


def test_a_broken_hive_is_no_matter_of_a_status_line(run: Runner, home: Path) -> None:
    home.mkdir(parents=True)
    (home / "queen.db").write_bytes(b"no database" * 100)
    done = run(sys.executable, "-I", "-S", DOOR, input="{}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_others_wrote_never_reaches_the_terminal_raw(sister: Callable[..., Sister]) -> None:
    iza = sister("iza-1")
    assert iza.sh("iam \"$(printf 'red \\033[31m \\342\\200\\256 end')\"").rc == 0
    assert iza.sh(f"{LEAN}").out == "🐝 iza-1  red \\x1b[31m \\u202e end\n"


def test_the_door_loads_nothing_heavy(sister: Callable[..., Sister]) -> None:
    iza = sister("iza-1")
    iza.sh("iam 'a task'")
    found = iza.sh(f"{sys.executable} -I -S -X importtime {DOOR}")
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in found.err.splitlines()}
    assert found.out.startswith("🐝 iza-1")
    assert not loaded & {"click", "rich", "pygit2", "psutil", "filelock", "pyfiglet", "subprocess", "asyncio"}
