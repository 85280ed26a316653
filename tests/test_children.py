"""What a child gets of us when it is started, and what we hear of it; how git is asked is in `git/test_process`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gitqueen import children

ENV = {"PATH": os.environ["PATH"], "HOME": "/nowhere", "GITQUEEN_HOME": "/nowhere"}


def ask(line: str, stdin: bytes | None = None, timeout: float = 60.0) -> tuple[int, bytes, bytes]:
    return children.ask(["sh", "-c", line], ENV, stdin, timeout)


def test_what_it_says_and_how_it_ends() -> None:
    assert ask("echo out; echo err >&2; exit 3") == (3, b"out\n", b"err\n")
    assert ask("kill -TERM $$") == (-signal.SIGTERM, b"", b"")
    assert ask("cat") == ask("cat", b"") == (0, b"", b"")
    assert ask("cat", b"x" * 3_000_000) == (0, b"x" * 3_000_000, b"")


def test_one_that_does_not_want_to_hear_all_is_heard() -> None:
    assert ask("exec <&-; sleep 0.1; echo enough", b"x" * 3_000_000) == (0, b"enough\n", b"")


def test_one_that_closes_its_pipes_and_goes_on_is_waited_for() -> None:
    assert ask("exec >&- 2>&-; sleep 0.2; exit 4") == (4, b"", b"")
    with pytest.raises(TimeoutError):
        ask("exec >&- 2>&-; sleep 100", timeout=0.3)


def test_it_gets_its_own_environment_and_session_and_nothing_that_was_open() -> None:
    read, write = os.pipe()
    os.set_inheritable(write, True)
    try:
        code, out, err = ask("env; ls /dev/fd 2>/dev/null | wc -w; echo $$; cut -d' ' -f6 /proc/$$/stat")
    finally:
        os.close(read)
        os.close(write)
    lines = out.decode().split("\n")
    assert (code, err) == (0, b"")
    assert "HOME=/nowhere" in lines and not any(line.startswith("LOGNAME=") for line in lines)
    fds, pid, session = (int(line) for line in lines[-4:-1])
    assert fds == 4  # three, and the one by which `ls` reads the folder
    assert pid == session


def test_it_dies_of_a_broken_pipe_as_programs_do() -> None:
    assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN
    # An ignored signal cannot be heard again by a shell: `yes` would complain instead of dying.
    assert ask("yes | head -n 1") == (0, b"y\n", b"")


def test_a_program_of_the_folder_that_we_stand_in_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "git"
    trap.write_text("#!/bin/sh\necho trapped\n")
    trap.chmod(0o755)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").mkdir()
    monkeypatch.chdir(tmp_path)
    for path in ("", ".", f"{tmp_path}/bin", f"{tmp_path}/gone"):
        with pytest.raises(FileNotFoundError):
            children.ask(["git"], {**ENV, "PATH": path}, None, 60)


def _behind(code: str, **how: object) -> subprocess.CompletedProcess[bytes]:
    start = f"import os, signal\nfrom gitqueen import children\nenv = {ENV!r}\n"
    return subprocess.run([sys.executable, "-c", start + code], timeout=60, capture_output=True, **how)  # type: ignore[call-overload,no-any-return]


def test_who_has_no_descriptors_of_its_own_still_hears() -> None:
    code = """if True:
        out = os.dup(1)
        for number in (0, 1, 2):
            os.close(number)
        said = children.ask(["sh", "-c", "cat; echo err >&2"], env, b"in", 30)
        os.write(out, repr(said).encode())
    """
    assert _behind(code).stdout == b"(0, b'in', b'err\\n')"


def test_who_is_forgetful_of_children_takes_them_for_well() -> None:
    code = """if True:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        print(children.ask(["sh", "-c", "echo said; exit 3"], env, None, 30))
    """
    assert _behind(code).stdout == b"(0, b'said\\n', b'')\n"


def test_one_that_is_left_holds_nothing_and_outlives_us(tmp_path: Path) -> None:
    code = f"""if True:
        children.leave(["/bin/sh", "-c", "sleep 0.5; echo still >{tmp_path}/still"], env)
    """
    started = time.monotonic()
    done = _behind(code)  # which ends only when nobody holds the pipes that it reads
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    deadline = started + 60
    while not (tmp_path / "still").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (tmp_path / "still").exists()


def test_nothing_is_left_open_or_unburied(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    def spawn(*args: Any, **named: Any) -> int:
        started.append(real(*args, **named))
        return started[-1]

    real, before = os.posix_spawn, os.listdir("/dev/fd")
    monkeypatch.setattr(os, "posix_spawn", spawn)
    for _ in range(3):
        ask("echo")
        with pytest.raises(TimeoutError):
            ask("sleep 100", timeout=0.05)
        with pytest.raises(ValueError, match="null"):
            children.ask(["sh", "a\0b"], ENV, b"x", 1)
    assert os.listdir("/dev/fd") == before
    assert len(started) == 6
    for pid in started:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
