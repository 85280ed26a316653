"""The one door for git processes: their environment, their end, and what is said when they cannot be started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen import errors
from gitqueen.git import process
from tests.hive import Repo


def _program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(text)
    file.chmod(0o755)
    return file


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a shell script in git's place."""

    def put(text: str) -> None:
        _program(tmp_path / "bin", "git", f"#!/bin/sh\n{text}\n")
        monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}")

    return put


def test_the_answer_is_bytes_and_the_complaint_is_text(repo: Callable[..., Repo]) -> None:
    app = repo("app")

    assert process.run("rev-parse", "HEAD", cwd=os.fspath(app)) == process.Result(0, app.head.encode() + b"\n", "")
    no = process.run("rev-parse", "--verify", "nothing", cwd=os.fspath(app), check=False)
    assert no == process.Result(128, b"", "fatal: Needed a single revision")
    with pytest.raises(errors.GitFailed) as caught:
        process.run("rev-parse", "--verify", "nothing", cwd=os.fspath(app))
    assert caught.value.message == "git rev-parse failed: fatal: Needed a single revision"
    assert caught.value.stderr == "fatal: Needed a single revision"


def test_what_is_fed_arrives(repo: Callable[..., Repo]) -> None:
    said = process.run("hash-object", "--stdin", cwd=os.fspath(repo("app")), stdin=b"hive\n")

    assert said.out == b"7ac114afb20f138d5a1650c87aeeff5edff5b35c\n"


def test_variables_of_another_repository_do_not_leak(
    repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = repo("one", {"a": "1"}), repo("other", {"b": "2"})
    monkeypatch.setenv("GIT_DIR", f"{other.path}/.git")
    monkeypatch.setenv("GIT_INDEX_FILE", f"{other.path}/.git/index")

    assert process.run("ls-files", cwd=os.fspath(one)).out == b"a\n"
    assert process.run("ls-files", cwd=os.fspath(one), env=dict(os.environ)).out == b"b\n"


NOT_IN_EVERY_GIT = {"GIT_REFERENCE_BACKEND", "GIT_INTERNAL_SUPER_PREFIX"}
"""Of one repository all the same: new in 2.54 and not listed there, and no more known in 2.55."""


def test_the_variables_are_those_that_git_lists() -> None:
    said = process.run("rev-parse", "--local-env-vars").out.decode().split()

    assert set(said) - NOT_IN_EVERY_GIT == set(process.LOCAL) - NOT_IN_EVERY_GIT


@pytest.mark.needs_newer_git
def test_the_variables_are_those_that_a_newer_git_lists(newer_git: str) -> None:
    test_the_variables_are_those_that_git_lists()
    version = process.run("--version").out.decode().split()[2].split(".")
    assert [int(part) for part in version[:2]] >= [2, 54]


def test_children_are_marked_and_take_no_locks(
    stand_in: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "1")
    stand_in('echo "$GITQUEEN_CHILD $GIT_OPTIONAL_LOCKS $GIT_TERMINAL_PROMPT ${GIT_LITERAL_PATHSPECS-unset} $*"')

    for env in (None, dict(os.environ)):
        assert process.run("status", env=env).out == b"1 0 0 unset -c core.fsmonitor=false status\n"


def test_much_is_read_whole(stand_in: Callable[[str], None]) -> None:
    stand_in("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero | tr '\\0' x >&2")

    said = process.run("x")

    assert (len(said.out), len(said.err)) == (3_000_000, 3_000_000)


def test_a_complaint_that_is_no_utf8_is_still_a_text(stand_in: Callable[[str], None]) -> None:
    stand_in(r"printf 'caf\351\n' >&2; exit 3")

    with pytest.raises(errors.GitFailed) as caught:
        process.run("x")
    assert caught.value.message == "git x failed: caf\N{REPLACEMENT CHARACTER}"
    assert process.run("x", check=False).code == 3


def test_silence_is_said(stand_in: Callable[[str], None]) -> None:
    stand_in("exit 7")

    with pytest.raises(errors.GitFailed, match=r"^git x failed: it said nothing$"):
        process.run("x")


def _gone(pid: int) -> bool:
    """Whether a process ends within a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


def _too_slow(pids: Path) -> list[int]:
    """Run a git that writes the processes it started to `pids` and does not end; on a busy machine give it longer."""
    for limit in (0.5, 5.0, 50.0):
        with pytest.raises(errors.GitFailed) as caught:
            process.run("fetch", timeout=limit)
        assert caught.value.message == f"git fetch took longer than {limit:g} s"
        if pids.exists() and (started := pids.read_text().split()):
            return [int(pid) for pid in started]
    pytest.fail("git did not start within 50 s")


@pytest.mark.needs_proc
def test_a_slow_git_is_ended_with_all_that_it_started(stand_in: Callable[[str], None], tmp_path: Path) -> None:
    stand_in(f"sleep 1000 & echo $$ $! >{tmp_path}/pids; wait")

    assert [_gone(pid) for pid in _too_slow(tmp_path / "pids")] == [True, True]


@pytest.mark.needs_proc
def test_one_that_left_its_pipe_to_a_child_of_another_session_does_not_hang_us(
    stand_in: Callable[[str], None], tmp_path: Path
) -> None:
    stand_in(f"setsid sleep 1000 & echo $! >{tmp_path}/pids")

    for pid in _too_slow(tmp_path / "pids"):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.needs_proc
def test_the_limit_of_a_hook_ends_git_too(stand_in: Callable[[str], None], tmp_path: Path) -> None:
    # It says that it runs when it is spoken to: before that, Python is still busy starting it.
    stand_in(f"read -r go; echo $$ >{tmp_path}/git; sleep 1000; echo late")
    script = f"""if True:
        import os, signal
        from gitqueen.git import process
        class TooSlow(BaseException): pass
        def stop(*_):
            if os.path.exists({str(tmp_path / "git")!r}) and os.path.getsize({str(tmp_path / "git")!r}):
                signal.setitimer(signal.ITIMER_REAL, 0)
                raise TooSlow
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        try:
            process.run("x", stdin=b"go\\n")
        except TooSlow:
            print("stopped")
    """

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("stopped\n", "")
    assert _gone(int((tmp_path / "git").read_text()))


def test_no_git_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))

    with pytest.raises(errors.GitFailed) as caught:
        process.run("status")
    assert caught.value.message.startswith("git could not be started: ")
    assert caught.value.hint == "is git installed?"


def test_no_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in ("gone", "file"):
        with pytest.raises(errors.GitFailed) as caught:
            process.run("status", cwd=os.fspath(tmp_path / folder))
        assert (caught.value.message, caught.value.hint) == (f"there is no folder {tmp_path}/{folder}", "")


def test_arguments_that_no_program_can_get_are_said() -> None:
    for argument in ("a\0b", "\ud800", "x" * 10_000_000):
        with pytest.raises(errors.GitFailed, match=r"^git could not be started: "):
            process.run("status", argument)
