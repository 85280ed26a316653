"""The demo: a throw-away home and repository in which two real sisters meet through real commands, hooks and git.

Nothing is staged but the scene: each step is typed into a sister's own shell, and what it must show is looked for in
what it really printed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitqueen.git.process import without_local

LONGEST = 60.0
"""Seconds that one step may take."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the script: who types what, which exit code, and what must be seen."""

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
        unseen = tuple(text for text in self.line.sees if text not in self.output)
        return unseen if self.code == self.line.code else (f"exit code {self.line.code}, not {self.code}", *unseen)


YOU, IZA, ADA = "you", "iza", "ada"

SCRIPT = (
    Line(YOU, "gitqueen hooks install .", ("pre-commit", "post-checkout"), title="Two sisters, one checkout"),
    Line(IZA, 'iam "writing the parser, #12"', ("📌 iza",)),
    Line(ADA, 'iam "documenting the parser"', ("📌 ada",)),
    Line(ADA, "gitqueen onboard", ("gitqueen onboarding for ada", "writing the parser, #12", "share this worktree")),
    Line(IZA, 'queen tell ada "please leave src/parser.py to me" --urgent', ("#", "to ada"), title="Mail"),
    Line(ADA, "queen inbox", ("1 unread for ada", "from iza", "⚡URGENT", "leave src/parser.py to me")),
    Line(ADA, "queen ack $(queen inbox --all --json | sed 's/.*\"id\": \\([0-9]*\\).*/\\1/')", ("acknowledged",)),
    Line(
        IZA, "queen claim parser --path 'src/parser.py' -m 'rewriting it'", ("yours",), title="A claim has one holder"
    ),
    Line(ADA, "queen claim parser", ("held by iza", "rewriting it"), code=1),
    Line(
        ADA,
        "echo '# documented' >> src/parser.py && git commit -qam 'Document the parser'",
        ("src/parser.py", "claimed by iza", "gitqueen tell iza"),
        title="A commit that collides",
    ),
    Line(
        ADA,
        "git switch -q -c docs",
        ("switched the branch under", "iza", "git switch main"),
        title="A checkout under somebody's feet",
    ),
    Line(IZA, "queen inbox", ("file-collision", "ada switched the branch under you", "git worktree add")),
    Line(YOU, "gitqueen", ("iza", "ada", "📌", "[docs", "parser (iza"), title="What you see"),
    Line(YOU, "gitqueen history -n 50", ("declared", "claimed", "conflict-seen")),
)


class Shell:
    """A real sister: a shell that lives until the demo ends and runs what is typed as its own children."""

    def __init__(self, name: str, folder: str, env: dict[str, str]) -> None:
        named = {"GITQUEEN_NAME": name} if name != YOU else {}
        self.process = subprocess.Popen(
            ["sh"], cwd=folder, env={**env, **named}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def type(self, command: str) -> tuple[int, str]:
        """Run one line; its exit code and everything it printed."""
        assert self.process.stdin is not None and self.process.stdout is not None
        end = f"end-{uuid.uuid4().hex}"
        self.process.stdin.write(f"{command} </dev/null\nprintf '\\n%s %s\\n' {end} $?\n".encode())
        self.process.stdin.flush()
        lines: list[str] = []
        for raw in self.process.stdout:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            if line.startswith(end):
                return int(line.split()[1]), "\n".join(lines).strip("\n")
            lines.append(line)
        return 255, "\n".join(lines)

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def demonstrate() -> Iterator[Step]:
    """Play the script step by step; whatever happens, the folder and the processes are gone at the end."""
    folder = tempfile.mkdtemp(prefix="gitqueen-demo-")
    shells: dict[str, Shell] = {}
    try:
        env = _stage(folder)
        shells = {name: Shell(name, os.path.join(folder, "app"), env) for name in (YOU, IZA, ADA)}
        for line in SCRIPT:
            yield Step(line, *shells[line.who].type(line.command))
    finally:
        for shell in shells.values():
            shell.end()
        shutil.rmtree(folder, ignore_errors=True)


def _stage(folder: str) -> dict[str, str]:
    """A home, the commands and a repository with one commit; the environment that leads to nothing else."""
    home, commands, app = (os.path.join(folder, name) for name in ("home", "bin", "app"))
    for path in (home, commands, os.path.join(app, "src")):
        os.makedirs(path)
    _write_commands(commands)
    env = {
        **{k: v for k, v in without_local(os.environ).items() if not k.startswith(("GITQUEEN_", "CLAUDE", "CODEX"))},
        "HOME": home,
        "GITQUEEN_HOME": os.path.join(home, "queen"),
        "PATH": os.pathsep.join((commands, os.environ.get("PATH", os.defpath))),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.path.join(home, "gitconfig"),
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
    with open(os.path.join(app, "src", "parser.py"), "w", encoding="utf-8") as file:
        file.write("def parse(text): ...\n")
    for key, value in (("user.name", "Demo"), ("user.email", "demo@example.org"), ("init.defaultBranch", "main")):
        _git(env, folder, "config", "--global", key, value)
    for arguments in (("init", "-q"), ("add", "."), ("commit", "-qm", "The parser")):
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
    subprocess.run(["git", *arguments], cwd=folder, env=env, check=True, timeout=LONGEST, stdin=subprocess.DEVNULL)


def passed(steps: Sequence[Step]) -> bool:
    """Whether every line of the script was played and everything that must be seen was."""
    return len(steps) == len(SCRIPT) and not any(step.missing for step in steps)
