"""The demo: a throw-away home and repository in which two real sisters meet through real commands, hooks and git.

Nothing is staged but the scene: each line is typed into a sister's own shell, and what it must show is looked for in
what it really printed. Whatever happens, no process and no folder is left.
"""

from __future__ import annotations

import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass

from gitqueen import errors
from gitqueen.senses import processes

LONGEST = 60.0
"""Seconds that one line may take."""
FAREWELL = 10.0
"""Seconds that what was started by the way (a scan) may take to end by itself."""

KEPT = ("PATH", "LOGNAME", "USER", "TMPDIR", "TZ", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Variables that come in. All others stay out: GIT_*, GITQUEEN_SKIP or an agent's own would change what is played."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the script: who types what, its exit code, and what must be seen."""

    who: str
    command: str
    sees: tuple[str, ...] = ()
    code: int = 0
    title: str = ""
    """What begins with this line."""


@dataclass(frozen=True, slots=True)
class Step:
    """What really came of a line."""

    line: Line
    code: int
    output: str

    @property
    def missing(self) -> tuple[str, ...]:
        """What should have been seen and was not."""
        unseen = tuple(f"not seen: {text}" for text in self.line.sees if text not in self.output)
        return unseen if self.code == self.line.code else (f"exit code {self.code}, not {self.line.code}", *unseen)


YOU, IZA, ADA = "you", "iza", "ada"

SCRIPT = (
    Line(YOU, "gitqueen hooks install .", ("armed", "pre-commit", "post-checkout"), title="Once in a repository"),
    Line(IZA, 'iam "writing the parser, #12"', ("📌 iza",), title="Each says what she works on"),
    Line(ADA, 'iam "translating the docs"', ("📌 ada",)),
    Line(
        ADA,
        "gitqueen onboard",
        ("gitqueen onboarding for ada", "writing the parser, #12", "share this worktree"),
        title="What a session reads when it wakes up",
    ),
    Line(
        IZA,
        'queen tell ada "please leave src/parser.py to me" --urgent',
        ("to ada",),
        title="They write to each other",
    ),
    Line(ADA, "queen inbox", ("for ada", "from iza", "⚡URGENT", "please leave src/parser.py to me")),
    Line(ADA, 'queen tell iza "gladly"', ("to iza",)),
    Line(IZA, "queen inbox", ("for iza", "from ada", "gladly")),
    Line(IZA, 'queen claim parser --path src/parser.py -m "rewriting it"', ("yours",), title="A claim has one holder"),
    Line(ADA, "queen claim parser", ("held by iza", "rewriting it"), code=1),
    Line(
        ADA,
        'echo "# documented" >>src/parser.py; git commit -qam "Document it"',
        ("collides with iza", "src/parser.py", "gitqueen tell iza"),
        title="A commit that collides: ada forgot",
    ),
    Line(
        ADA,
        "git switch -q -c docs",
        ("switched the branch under", "iza", "git switch main"),
        title="A checkout that moves iza's branch too",
    ),
    Line(
        IZA,
        "queen inbox",
        ("src/parser.py", "ada switched the branch under you", "git worktree add"),
        title="iza was told of both",
    ),
    Line(
        IZA,
        'echo "# an hour of work" >>src/parser.py; echo new >src/lexer.py',
        title="Nothing is lost: ada destroys what iza has not committed",
    ),
    Line(YOU, "gitqueen scan   # as the daemon does all the time", ("2 sisters",)),
    Line(ADA, "git reset --hard -q; git clean -fdq; gitqueen scan; git status --short", ("2 sisters",)),
    Line(IZA, "queen inbox", ("src/lexer.py", "disappeared from", "gitqueen rescue restore")),
    Line(IZA, "gitqueen rescue restore; tail -1 src/parser.py", ("2 files from", "# an hour of work")),
    Line(YOU, "gitqueen", ("iza", "ada", "📌", "[docs", "parser (iza"), title="And this is what you see"),
)


class Shell:
    """A real sister: a shell that lives until the demo ends, and runs what is typed as its own children.

    Its parent is gone before anything is typed: who runs the demo, an agent perhaps, stands above nobody in it.
    """

    def __init__(self, name: str, folder: str, env: Mapping[str, str], leash: int) -> None:
        named = {"GITQUEEN_NAME": name} if name != YOU else {}
        self.parent = subprocess.Popen(
            ["sh", "-c", "exec 3<&0; sh <&3 3<&- &"], cwd=folder, env={**env, **named}, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, pass_fds=(leash,),
        )  # fmt: skip
        self.parent.wait()

    def type(self, command: str) -> tuple[int, str]:
        """Run one line; its exit code and everything it printed. One that takes too long is ended, with its shell."""
        assert self.parent.stdin is not None and self.parent.stdout is not None
        end = f"end-{os.urandom(8).hex()}"
        watch = threading.Timer(LONGEST, self.end)
        watch.daemon = True  # an interrupt while it starts must not make the end wait for it
        try:
            watch.start()
            self.parent.stdin.write(f"{{ {command}\n}} </dev/null\nprintf '\\n%s %s\\n' {end} $?\n".encode())
            self.parent.stdin.flush()
            lines: list[str] = []
            for raw in self.parent.stdout:
                line = raw.decode("utf-8", "replace").rstrip("\n")
                if line.startswith(end):
                    return int(line.split()[1]), "\n".join(lines).strip("\n")
                lines.append(line)
        except BrokenPipeError:
            lines = ["its shell is gone"]
        finally:
            watch.cancel()
        return 255, "\n".join(lines)

    def end(self) -> None:
        """End the shell and what runs in it: one process group, whose number is theirs while one of them lives."""
        try:
            os.killpg(self.parent.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass

    def close(self) -> None:
        """End it, and let go of its pipes."""
        self.end()
        for pipe in (self.parent.stdin, self.parent.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except BrokenPipeError:
                pass


def demonstrate() -> Generator[Line | Step]:
    """Play the script: each line before it is run, and what came of it after; the first that fails is the last.

    Close it (`contextlib.closing`): then the folder and the processes are gone, however far it came.
    """
    folder = os.path.realpath(tempfile.mkdtemp(prefix="gitqueen-demo-"))
    # Every process of the demo holds the other end until it ends: so we know when all are gone.
    gone, leash = os.pipe()
    shells: dict[str, Shell] = {}
    try:
        env = _stage(folder)
        for name in (YOU, IZA, ADA):
            shells[name] = Shell(name, os.path.join(folder, "app"), env, leash)
        for line in SCRIPT:
            yield line
            code, output = shells[line.who].type(line.command)
            # As a person reads it: the folder is the home.
            step = Step(line, code, output.replace(folder, "~"))
            yield step
            if step.missing:
                return
    finally:
        for shell in shells.values():
            shell.close()
        os.close(leash)
        # A scan that was started by the way would make the home anew behind us.
        select.select([gone], [], [], FAREWELL)
        os.close(gone)
        _wait_for_what_was_started(os.path.join(folder, ".claude", "queen"))
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_what_was_started(home: str) -> None:
    """What writes notes by the way holds nothing of ours: it is known by its environment."""
    deadline = time.monotonic() + FAREWELL
    key = "GITQUEEN_HOME"
    while any(processes.environment(pid, (key,)).get(key) == home for pid in processes.everyone()):
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)


def _stage(folder: str) -> dict[str, str]:
    """Make `folder` a home with the commands and a repository; the environment that leads to nothing else."""
    commands, app = os.path.join(folder, "bin"), os.path.join(folder, "app")
    for path in (commands, os.path.join(app, "src")):
        os.makedirs(path)
    _write_commands(commands)
    env = {
        **{key: os.environ[key] for key in KEPT if key in os.environ},
        "HOME": folder,
        "GITQUEEN_HOME": os.path.join(folder, ".claude", "queen"),
        "PATH": os.pathsep.join((commands, os.environ.get("PATH", os.defpath))),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.path.join(folder, ".gitconfig"),
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
    with open(os.path.join(app, "src", "parser.py"), "w", encoding="utf-8") as file:
        file.write("def parse(text): ...\n")
    with open(env["GIT_CONFIG_GLOBAL"], "w", encoding="utf-8") as file:
        file.write("[user]\n\tname = Demo\n\temail = demo@example.org\n[init]\n\tdefaultBranch = main\n")
    for arguments in (("init", "-q", "--template="), ("add", "."), ("commit", "-qm", "The parser")):
        _git(env, app, *arguments)
    return env


def _write_commands(folder: str) -> None:
    # This very installation, whether or not it is on the PATH.
    door = shlex.join((sys.executable, "-P", "-m", "gitqueen"))
    for name, words in (("gitqueen", door), ("queen", door), ("iam", f"{door} iam")):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec {words} "$@"\n')
        os.chmod(path, 0o755)


def _git(env: dict[str, str], folder: str, *arguments: str) -> None:
    # Not git/process: this is git as the person of the demo types it, hooks and all.
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, env=env, timeout=LONGEST, stdin=subprocess.DEVNULL, capture_output=True
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise errors.CannotWork(f"git could not be run: {fault}", hint="is git installed?") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip() or f"exit code {done.returncode}"
        raise errors.CannotWork(f"git {arguments[0]} failed: {said}", hint="gitqueen doctor")


def passed(steps: list[Step]) -> bool:
    """Whether every line of the script was played and everything that must be seen was."""
    return len(steps) == len(SCRIPT) and not any(step.missing for step in steps)
