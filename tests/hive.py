"""What the tests are played with: real repositories, real sisters (living processes), real commands.

All of it runs under the sealed environment of the test (see `seal`); nothing here is a mock.
"""

from __future__ import annotations

import os
import pty
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import pytest

BIN = os.path.dirname(sys.executable)
COMMANDS = ("gitqueen", "queen", "iam")
PATIENCE = 60.0
"""Seconds that a command of a test may take."""


class Done(NamedTuple):
    """What became of a command."""

    rc: int
    out: str
    err: str


def gitqueen(name: str = "gitqueen") -> str:
    """The path of our command beside this interpreter; a test never takes another one from PATH."""
    path = os.path.join(BIN, name)
    if not os.access(path, os.X_OK):
        pytest.fail(f"{name} is not installed beside {sys.executable}: tests/run does that", pytrace=False)
    return path


def laid_over(env: Mapping[str, str | None] | None) -> dict[str, str]:
    """This process's environment with `env` over it; None takes a variable away."""
    merged = {**os.environ, **(env or {})}
    return {key: value for key, value in merged.items() if value is not None}


@dataclass(frozen=True)
class Runner:
    """`run("gitqueen", "status", cwd=repo)`: run a command to its end, without a terminal or input of its own.

    Parents are walked to find out who runs a command, and the tests themselves may be run by an agent: give
    GITQUEEN_PID, use a `Sister`, or `orphan`, where it matters who asks.
    """

    cwd: Path

    def __call__(
        self,
        *argv: str | os.PathLike[str],
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str | None] | None = None,
        input: str | None = None,
        check: bool = False,
        timeout: float = PATIENCE,
    ) -> subprocess.CompletedProcess[str]:
        """Exit code and both outputs as text (bytes that are no UTF-8 as surrogates); `check`: it must exit 0."""
        words = [os.fspath(word) for word in argv]
        if words[0] in COMMANDS:
            words[0] = gitqueen(words[0])
        done = subprocess.run(
            words,
            cwd=cwd or self.cwd,
            env=laid_over(env),
            stdin=subprocess.DEVNULL if input is None else None,
            input=input,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            pytest.fail(f"{shlex.join(words)} exited {done.returncode}\n{done.stdout}{done.stderr}")
        return done


@dataclass(frozen=True)
class Repo(os.PathLike[str]):
    """A worktree of a real repository."""

    path: Path

    def __fspath__(self) -> str:
        return os.fspath(self.path)

    def git(self, *args: str | os.PathLike[str]) -> str:
        """What `git ARGS` printed here, without its last newline; it must succeed."""
        return Runner(self.path)("git", *args, check=True).stdout.removesuffix("\n")

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def write(self, path: str, text: str) -> Path:
        """Write a file, with its folders."""
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")
        return file

    def commit(self, message: str, files: Mapping[str, str] | None = None) -> str:
        """Write and add `files`, commit what is staged, and return the new commit's id."""
        for path, text in (files or {}).items():
            self.write(path, text)
            self.git("add", "--", path)
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.head

    def worktree(self, branch: str, start: str = "HEAD") -> Repo:
        """A linked worktree beside this one, on the new branch `branch`."""
        path = self.path.with_name(f"{self.path.name}-{branch.replace('/', '-')}")
        self.git("worktree", "add", "--quiet", "-b", branch, path, start)
        return Repo(path)

    def clone(self, name: str) -> Repo:
        """A clone of it beside this one."""
        path = self.path.with_name(name)
        self.git("clone", "--quiet", self.path, path)
        return Repo(path)


def new_repo(path: Path, files: Mapping[str, str] | None = None) -> Repo:
    """A new repository at `path` on branch main, with one commit of `files` (default: a README).

    The commit bears the folder's name: with one first commit in both, two of them would be clones of one project.
    """
    path.mkdir(parents=True)
    repo = Repo(path)
    repo.git("init", "--quiet")
    repo.commit(f"first\n\n{path.name}", {"README": "hive\n"} if files is None else files)
    return repo


class Sister:
    """A session: a real shell that lives until it is closed or killed, and whose commands are its own children.

    `program` runs her under another executable name (`claude`), as agents are recognised by it; `declared=False` leaves
    GITQUEEN_NAME and GITQUEEN_PID out, so that she must be found as agents are.
    """

    def __init__(
        self,
        name: str,
        cwd: str | os.PathLike[str],
        *,
        program: str | None = None,
        declared: bool = True,
        env: Mapping[str, str | None] | None = None,
    ) -> None:
        self.name = name
        self.box = tempfile.mkdtemp(prefix="sister-")
        own: dict[str, str | None] = {"GITQUEEN_NAME": name} if declared else {}
        self.process = subprocess.Popen(
            [self._shell(program)],
            cwd=cwd,
            env=laid_over({**own, **(env or {})}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Her own session: whatever she leaves behind can be ended with her, and no terminal's signal reaches her.
            start_new_session=True,
        )
        self.pid = self.process.pid
        self.count = 0
        if declared:
            self.sh("export GITQUEEN_PID=$$")

    def _shell(self, program: str | None) -> str:
        shell = os.path.realpath(shutil.which("sh") or "/bin/sh")
        if program is None:
            return shell
        return shutil.copy2(shell, os.path.join(self.box, program))

    def sh(self, command: str, timeout: float = PATIENCE) -> Done:
        """Type `command` into her shell (folder and variables stay) and wait for it."""
        self.begin(command)
        return self.end(timeout)

    def begin(self, command: str) -> None:
        """Type `command` and do not wait: `end` does."""
        assert self.process.stdin is not None
        self.count += 1
        out, err = self._files()
        line = f"eval {shlex.quote(command)} </dev/null >{shlex.quote(out)} 2>{shlex.quote(err)}; echo $?\n"
        self.process.stdin.write(os.fsencode(line))
        self.process.stdin.flush()

    def end(self, timeout: float = PATIENCE) -> Done:
        """What became of the command begun last."""
        rc = int(self._line(timeout))
        out, err = (Path(file).read_text("utf-8", "surrogateescape") for file in self._files())
        return Done(rc, out, err)

    def _files(self) -> tuple[str, str]:
        return os.path.join(self.box, f"{self.count}.out"), os.path.join(self.box, f"{self.count}.err")

    def _line(self, timeout: float) -> str:
        assert self.process.stdout is not None
        deadline, said = time.monotonic() + timeout, b""
        while not said.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            more = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            if not more:
                why = "died" if ready else f"did not answer within {timeout:g} s"
                pytest.fail(f"sister {self.name} {why}: {said.decode('utf-8', 'replace')}")
            said += more
        return said.decode()

    def kill(self) -> None:
        """`kill -9`, as a crash: her children live on."""
        os.kill(self.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """End her and whatever is left of her session."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                pass
        shutil.rmtree(self.box, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()


def until(true: Callable[[], Any], what: str | Callable[[], str] = "it came true") -> Any:
    """Wait for `true()` to be so, which `what` says in words, and return what it said."""
    deadline = time.monotonic() + PATIENCE
    while not (found := true()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {PATIENCE:g} s: {what if isinstance(what, str) else what()}", pytrace=True)
        time.sleep(0.02)
    return found


def orphan(
    *argv: str | os.PathLike[str],
    cwd: str | os.PathLike[str],
    env: Mapping[str, str | None] | None = None,
) -> Done:
    """Run a command above which nobody stands but init: neither these tests nor the agent that may run them."""
    words = [os.fspath(word) for word in argv]
    if words[0] in COMMANDS:
        words[0] = gitqueen(words[0])
    with tempfile.TemporaryDirectory(prefix="orphan-") as box:
        # It starts when `go` arrives, which is after the shell that forked it has died.
        script = 'b=$1; shift; exec 3<&0; { read -r _ <&3; "$@" 3<&- >"$b/out" 2>"$b/err"; echo $? >"$b/part"; '
        script += 'mv "$b/part" "$b/rc"; } &'
        with subprocess.Popen(
            ["sh", "-c", script, "sh", box, *words],
            cwd=cwd,
            env=laid_over(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as parent:
            parent.wait()
            assert parent.stdin is not None
            parent.stdin.write(b"go\n")
        until(lambda: os.path.exists(os.path.join(box, "rc")), f"{shlex.join(words)} ended")
        rc, out, err = (Path(box, name).read_text("utf-8", "surrogateescape") for name in ("rc", "out", "err"))
        return Done(int(rc), out, err)


def on_a_terminal(typed: str, command: str, *args: str) -> tuple[int, str]:
    """One of our commands on a terminal where somebody types `typed`: its exit code, and all that was to be seen."""
    outer, inner = pty.openpty()
    env = laid_over({"NO_COLOR": "1"})
    with subprocess.Popen([gitqueen(command), *args], stdin=inner, stdout=inner, stderr=inner, env=env) as process:
        os.close(inner)
        os.write(outer, typed.encode())
        said, deadline = b"", time.monotonic() + PATIENCE
        while time.monotonic() < deadline and select.select([outer], [], [], PATIENCE)[0]:
            try:
                said += os.read(outer, 65536)
            except OSError:  # the other end is closed
                break
        os.close(outer)
        return process.wait(PATIENCE), said.decode().replace("\r", "")
