"""Whatever comes in: exit 0, nothing on either stream, a line in the log, and nothing of what it held kept."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doors import kit
from tests.doors.kit import Session
from tests.hive import Repo, until

START = json.dumps(kit.claude("SessionStart:startup")).encode()


@pytest.mark.parametrize(
    ("payload", "logged"),
    [
        (b"", "Expecting value"),
        (b"   \n", "Expecting value"),
        (START[: len(START) // 2], "JSONDecodeError"),
        (b"\xff\xfe" + START, "UnicodeDecodeError"),
        (b'{"hook_event_name": "Stop\xff"}', "UnicodeDecodeError"),
        (b"[1, 2]", "the payload is no object"),
        (b"null", "the payload is no object"),
        (b"{}", "there is no event"),
        (b'{"hook_event_name": "Reincarnation\\u001b[31m"}', r"there is no event 'Reincarnation\x1b[31m'"),
        (b'{"hook_event_name": 7}', "there is no event"),
        (b"[" * 100_000, "RecursionError"),
    ],
)
def test_what_is_no_payload(home: Path, payload: bytes, logged: str) -> None:
    done = kit.raw(payload)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert logged in kit.crashes()
    assert sorted(os.listdir(home)) == ["crash.log"]  # and no hive was made


def test_an_agent_that_nobody_knows(home: Path) -> None:
    done = kit.raw(START, "hal9000")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert "there is no agent 'hal9000'" in kit.crashes()


def test_ten_megabytes_are_read_and_more_is_not(repo: Callable[..., Repo], session: Callable[..., Session]) -> None:
    ada = session(repo("app", {"a.py": "1\n"}), "ada")
    ada.start()
    content = "x" * (10 * 1024 * 1024 - 2000)
    file = os.path.join(ada.folder, "a.py")
    assert ada.event("PostToolUse:Write", tool_input={"file_path": file, "content": content}) == {}
    assert kit.crashes() == ""
    assert ada.event("PostToolUse:Write", tool_input={"file_path": file, "content": content + "x" * 4000}) == {}
    assert "more than 10485760 bytes" in kit.crashes()


def test_a_queen_that_is_broken_stops_nobody(repo: Callable[..., Repo], session: Callable[..., Session]) -> None:
    app = repo("app", {"a.py": "1\n"})
    ada = session(app, "ada")
    ada.start()
    home = Path(os.environ["GITQUEEN_HOME"])
    for name in os.listdir(home):
        if name.startswith("queen.db"):
            (home / name).write_bytes(b"no database" * 1000)
    assert ada.before("a.py") == {}
    assert ada.prompt() == ""
    assert "is damaged" in kit.crashes()


def test_a_queen_held_by_another_costs_a_second_and_no_edit(
    repo: Callable[..., Repo], session: Callable[..., Session]
) -> None:
    app = repo("app", {"a.py": "1\n"})
    ada = session(app, "ada")
    ada.start()
    with sqlite3.connect(Path(os.environ["GITQUEEN_HOME"], "queen.db"), isolation_level=None) as db:
        db.execute("BEGIN EXCLUSIVE")
        assert ada.event("PostToolUse:Write", tool_input={"file_path": os.path.join(app, "a.py")}) == {}
        db.execute("ROLLBACK")
    assert "is held by another program" in kit.crashes()


def test_no_answer_within_the_limit_is_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITQUEEN_HOOK_LIMIT", "1")
    reader, writer = os.pipe()  # stdin that never ends
    command = [sys.executable, "-I", "-S", kit.DOOR, "agent", "claude"]
    with subprocess.Popen(command, stdin=reader, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as door:
        assert door.communicate(timeout=60) == (b"", b"")
    os.close(reader)
    os.close(writer)
    assert door.returncode == 0
    assert "TooSlow" in kit.crashes()


def test_interrupted_it_leaves_without_a_word(repo: Callable[..., Repo]) -> None:
    reader, writer = os.pipe()
    command = [sys.executable, "-I", "-S", kit.DOOR, "agent", "claude"]
    with subprocess.Popen(command, stdin=reader, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as door:
        until(lambda: "SigCgt" in (said := Path(f"/proc/{door.pid}/status").read_text()) and _catches(said))
        door.send_signal(signal.SIGALRM)
        assert door.communicate(timeout=60) == (b"", b"")
    os.close(reader)
    os.close(writer)
    assert door.returncode == 0


def _catches(status: str) -> bool:
    mask = next(line for line in status.split("\n") if line.startswith("SigCgt")).split()[1]
    return bool(int(mask, 16) >> (signal.SIGALRM - 1) & 1)


def test_nothing_of_prompts_and_files_is_kept(
    home: Path, repo: Callable[..., Repo], session: Callable[..., Session]
) -> None:
    app = repo("app", {"a.py": "1\n"})
    ada, bob = session(app, "ada"), session(app, "bob")
    for one in (ada, bob):
        one.start()
        one.event("UserPromptSubmit", prompt="my password is XYZZY1")
        one.edits("a.py", "content XYZZY2")
        one.command("echo XYZZY3; git stash; export TOKEN=XYZZY4")
        one.event("Stop", last_assistant_message="XYZZY5")
        one.event("SessionEnd:other")
        one.send(b'{"prompt": "XYZZY6"')
    for file in home.rglob("*"):
        assert not file.is_file() or b"XYZZY" not in file.read_bytes(), file


@pytest.mark.parametrize(
    "event", ["PreToolUse:Edit", "PreToolUse:Bash", "UserPromptSubmit", "Stop", "SessionEnd:other"]
)
def test_only_a_session_that_starts_makes_a_hive(home: Path, event: str) -> None:
    done = kit.raw(json.dumps({**kit.claude(event), "cwd": "/"}).encode())
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert not home.exists()


def test_the_front_door_says_the_same(repo: Callable[..., Repo], session: Callable[..., Session]) -> None:
    app = repo("app", {"a.py": "1\n"})
    ada, bob = session(app, "ada"), session(app, "bob")
    ada.start()
    bob.start()
    ada.edits("a.py", "hers\n")
    said = bob.before("a.py")
    assert "ada" in kit.warning(said)
    done = bob.sister.sh(f"gitqueen hook claude <{bob.sister.box}/payload-{bob.count}")
    assert (done.rc, json.loads(done.out), done.err) == (0, said, "")
