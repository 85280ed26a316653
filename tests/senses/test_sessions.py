"""Which of all processes are sessions: real ones, in every disguise that agents come in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitqueen.senses import processes, sessions
from gitqueen.senses.sessions import Session
from tests.hive import until

SH = os.path.realpath(shutil.which("sh") or "/bin/sh")
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a program that tells when it runs; its whole process group is gone after the test."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin(*argv: str, executable: str | None = None, **env: str) -> subprocess.Popen[bytes]:
        begun.append(
            subprocess.Popen(
                argv,
                executable=executable,
                cwd=tmp_path,
                env={**os.environ, **env},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
        )
        stdout = begun[-1].stdout
        assert stdout is not None and stdout.readline() == b"up\n"
        return begun[-1]

    yield begin
    for one in begun:
        try:
            os.killpg(one.pid, 9)
        except ProcessLookupError:
            pass
        one.communicate()


def program(folder: Path, name: str, of: str = SH) -> str:
    """A real program under another name."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.fspath(shutil.copy2(of, path))


def found(*pids: int) -> dict[int, Session]:
    """The sessions among `pids` and what is below them."""
    table = processes.everyone()
    below = {pid for pid, one in table.items() if {p.pid for p in processes.chain(table, one)} & set(pids)}
    return {one.process.pid: one for one in sessions.find(table) if one.process.pid in below}


def test_a_session_is_told_with_its_folder_kind_and_what_its_environment_says_of_it(
    start: Start, tmp_path: Path
) -> None:
    child = start(program(tmp_path, "claude"), "-c", "echo up; read x", GITQUEEN_NAME="iza", API_KEY="hush", TMUX="a,1")
    one = found(child.pid)[child.pid]
    assert (one.agent, one.folder) == ("claude", os.fspath(tmp_path))
    assert [process.pid for process in one.chain][:2] == [child.pid, os.getpid()]
    assert one.env == {
        **{key: os.environ[key] for key in sessions.KEYS if key in os.environ},
        "GITQUEEN_NAME": "iza",
        "TMUX": "a,1",
    }


def test_what_an_agent_forks_and_greps_with_is_no_session(start: Start, tmp_path: Path) -> None:
    claude = program(tmp_path, "claude")
    grep = f"exec -a rg {claude} -c 'read x <{tmp_path}/pipe'"
    os.mkfifo(tmp_path / "pipe")
    outer = start(claude, "-c", f'(read x <{tmp_path}/pipe; :) & bash -c "$0" & echo up; read x', grep)

    def children() -> list[list[str]]:
        return [processes.arguments(one.pid) for one in processes.everyone().values() if one.ppid == outer.pid]

    until(lambda: len(children()) == 2 and ["rg", "-c"] in [words[:2] for words in children()])
    assert list(found(outer.pid)) == [outer.pid]


def test_a_server_of_an_agent_is_no_session(start: Start, tmp_path: Path) -> None:
    (tmp_path / "mcp").write_text("echo up; read x\n")
    (tmp_path / "resume").write_text("echo up; read x\n")
    claude = program(tmp_path, "claude")
    serving, working = start(claude, "mcp"), start(claude, "resume")
    assert list(found(serving.pid, working.pid)) == [working.pid]


@pytest.mark.parametrize(("same_session", "expected"), [(True, "inner"), (False, "both")])
def test_a_wrapper_and_what_it_wraps_are_one_session_and_a_command_of_an_agent_another(
    same_session: bool, expected: str, start: Start, tmp_path: Path
) -> None:
    inner = program(tmp_path / "native", "codex")
    script = tmp_path / "codex.js"
    script.write_text(
        "import subprocess\n"
        f"one = subprocess.Popen([{inner!r}, '-c', 'read x'], stdin=subprocess.PIPE,"
        f" start_new_session={not same_session})\n"
        "print('up', flush=True)\n"
        "one.wait()\n"
    )
    # An interpreter that runs a script: which language it speaks is nobody's business here.
    outer = start(sys.executable, os.fspath(script))
    until(lambda: len(found(outer.pid)) == (1 if same_session else 2))
    assert [one.agent for one in found(outer.pid).values()] == ["codex"] * (1 if same_session else 2)
    assert (outer.pid in found(outer.pid)) == (expected == "both")
    for pid in found(outer.pid).keys() - {outer.pid}:
        os.kill(pid, 9)


def test_who_only_calls_himself_an_agent_is_none(start: Start, tmp_path: Path) -> None:
    child = start("claude", "-c", "echo up; read x", executable=SH)
    script = tmp_path / "claude"
    script.write_text("echo up; read x\n")
    other = start(SH, os.fspath(script))
    assert found(child.pid, other.pid) == {}


def test_a_zombie_and_what_vanishes_is_no_session(start: Start, tmp_path: Path) -> None:
    child = start(program(tmp_path, "claude"), "-c", "echo up; read x")
    table = processes.everyone()
    assert child.pid in {one.process.pid for one in sessions.find(table)}
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert child.pid not in processes.everyone()
    child.wait()
    assert child.pid not in {one.process.pid for one in sessions.find(table)}, "the table is older than its death"


@pytest.mark.needs_bwrap
def test_a_container_s_sessions_are_the_container_s(start: Start, tmp_path: Path) -> None:
    claude = program(tmp_path, "claude")
    box = ["bwrap", "--dev-bind", "/", "/", "--unshare-pid", "--proc", "/proc"]
    outer = start(*box, claude, "-c", "echo up; read x")
    table = processes.everyone()
    inside = [one for one in table.values() if processes.executable(one.pid) == claude]
    assert [processes.chain(table, one)[-1].pid for one in inside] and found(outer.pid) == {}
    assert not any(processes.ours(one.pid) for one in inside)


@pytest.mark.needs_nobody
@pytest.mark.skipif(os.getuid() != 0, reason="only root can be two users")
def test_another_user_s_sessions_are_not_ours(start: Start, tmp_path: Path) -> None:
    # Where anybody can run it.
    folder = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    folder.chmod(0o755)
    try:
        claude = program(folder, "claude")
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        child = start(*as_nobody, claude, "-c", "echo up; read x")
        assert processes.executable(child.pid) == claude
        assert not processes.ours(child.pid)
        assert found(child.pid) == {}
    finally:
        shutil.rmtree(folder)


@pytest.mark.needs_nobody
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become one whom codex hides from")
def test_one_that_lets_nobody_look_into_it_is_placed_by_who_started_it(start: Start) -> None:
    hide = "import ctypes; libc = ctypes.CDLL(None); libc.prctl(15, b'codex', 0, 0, 0); libc.prctl(4, 0, 0, 0, 0);"
    hide += "print('up', flush=True); input()"
    as_nobody = ["env", "PATH=/usr/local/bin:/usr/bin:/bin", "setpriv", *"--reuid=65534 --regid=65534".split()]
    shell = start(*as_nobody, "--clear-groups", "sh", "-c", 'cd /; python3 -c "$0"; true', hide, GITQUEEN_NAME="iza")

    def seen() -> list[tuple[str, str | None, str | None]]:
        return [(one.agent, one.folder, one.env.get("GITQUEEN_NAME")) for one in found(shell.pid).values()]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fork beside the threads of pytest-xdist
        child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            os._exit(0 if seen() == [("codex", "/", "iza")] else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0


def test_the_terminal_of_a_process_has_the_name_that_ps_gives_it(start: Start) -> None:
    leader, terminal = os.openpty()
    try:
        wanted = os.ttyname(terminal).removeprefix("/dev/")
        code = "import fcntl, sys, termios; fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0);"
        code += "print('up', flush=True); input()"
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(terminal)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[terminal],
            start_new_session=True,
        )
        assert child.stdout is not None and child.stdout.readline() == b"up\n"
        seen = processes.look(child.pid)
        assert seen is not None and processes.terminal(seen) == wanted
        child.kill()
        child.communicate()
        here = processes.look(start(SH, "-c", "echo up; read x").pid)
        assert here is not None and processes.terminal(here) is None
    finally:
        os.close(leader)
        os.close(terminal)
