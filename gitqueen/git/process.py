"""Running git: one door for every git process that gitqueen starts.

Cleans the environment (a linked worktree's GIT_DIR leaks into `git -C elsewhere`), takes no optional locks, and marks
the child so that our own hooks stay silent under it. No command of git is known here, only how to start one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from gitqueen import children, errors
from gitqueen.tracing import step

TYPE_CHECKING = False  # importing typing costs a hook 4 ms
if TYPE_CHECKING:
    from typing import IO

# What `git rev-parse --local-env-vars` lists (git 2.39 to 2.55); asked of git it would cost a process each time.
LOCAL = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT",
    "GIT_OBJECT_DIRECTORY", "GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE", "GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE", "GIT_PREFIX", "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR", "GIT_INTERNAL_SUPER_PREFIX", "GIT_REFERENCE_BACKEND",
)  # fmt: skip
# Paths that we hand to git are paths: these would make patterns of them, or forbid us to say so.
MEANINGS = ("GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS")
OURS = {"GIT_OPTIONAL_LOCKS": "0", "GITQUEEN_CHILD": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}
OFFLINE = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}
"""What a partial clone has not fetched is unknown: nobody waits for a remote who did not ask one."""
# A repository's own configuration names a program here that even `git status` would start.
CALM = ("-c", "core.fsmonitor=false")


@dataclass(frozen=True, slots=True)
class Result:
    """How a git process ended."""

    code: int
    out: bytes
    err: str


def run(
    *args: str,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    check: bool = True,
    timeout: float = 30.0,
) -> Result:
    """Run `git ARGS` in `cwd`; `env` None means ours without git's local variables.

    Raises `errors.GitFailed` when git is missing, too slow or, with `check`, says no.
    """
    full = {**(without_local(os.environ) if env is None else env), **OURS}
    for name in MEANINGS:
        full.pop(name, None)
    # Its own session: it ends with all that it started (filters, transports), and nothing asks the terminal.
    argv = ["git", *(() if cwd is None else ("-C", cwd)), *CALM, *args]
    with step("git", " ".join(args)):
        try:
            code, out, said = children.ask(argv, full, stdin, timeout)
        except TimeoutError:
            raise errors.GitFailed(f"git {_command(args)} took longer than {timeout:g} s") from None
        except (OSError, ValueError) as fault:  # ValueError: an argument that no program can get
            missing = isinstance(fault, FileNotFoundError)
            raise errors.GitFailed(
                f"git could not be started: {fault}", hint="is git installed?" if missing else ""
            ) from None
    if cwd is not None and code == 128 and said.startswith(b"fatal: cannot change to "):
        there = os.path.isdir(cwd)
        raise errors.GitFailed(f"the folder {cwd} cannot be entered" if there else f"there is no folder {cwd}")
    result = Result(code, out, said.decode("utf-8", "replace").strip())
    if check and result.code:
        raise errors.GitFailed(f"git {_command(args)} failed: {result.err or 'it said nothing'}", stderr=result.err)
    return result


@contextmanager
def reading(*args: str, cwd: str, stdin: bytes = b"") -> Iterator[IO[bytes]]:
    """What `git ARGS` prints, as it comes, for output without end; when nobody reads on, git ends too.

    Raises `errors.GitFailed` when git says no, after all that it printed was read.
    """
    import subprocess
    import tempfile

    env = {**without_local(os.environ), **OURS}
    with step("git", " ".join(args)), tempfile.TemporaryFile() as feed, tempfile.TemporaryFile() as said:
        feed.write(stdin)  # a file: with two pipes each side may wait for the other
        feed.seek(0)
        try:
            child = subprocess.Popen(
                ["git", *CALM, *args], cwd=cwd, env=env, stdin=feed, stdout=subprocess.PIPE, stderr=said,
                start_new_session=True,
            )  # fmt: skip
        except OSError as fault:
            raise errors.GitFailed(f"git could not be started: {fault}") from None
        assert child.stdout is not None
        with child.stdout as out:
            try:
                yield out
                whole = not out.read(1)
            except BaseException:
                children.kill(child.pid)
                child.wait()
                raise
        if not whole:
            children.kill(child.pid)
        if child.wait() and whole:
            said.seek(0)
            words = said.read().decode("utf-8", "replace").strip()
            raise errors.GitFailed(f"git {_command(args)} failed: {words or 'it said nothing'}", stderr=words)


def _command(args: Sequence[str]) -> str:
    """What git was asked to do, without the options before it."""
    return next((word for word in args if not word.startswith("-")), args[0])


def without_local(env: Mapping[str, str]) -> dict[str, str]:
    """The environment as a git command in another repository must see it."""
    return {key: value for key, value in env.items() if key not in LOCAL}


def borrowing(env: Mapping[str, str], folders: Iterable[str]) -> dict[str, str]:
    """`env` for a git that finds objects in these object folders, too."""
    known = env.get("GIT_ALTERNATE_OBJECT_DIRECTORIES")
    words = [*map(_quoted, folders), *([known] if known else [])]
    return {**env, "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.pathsep.join(words)}


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
