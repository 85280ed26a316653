"""Running git: one door for every git process that gitqueen starts.

Cleans the environment (a linked worktree's GIT_DIR leaks into `git -C elsewhere`), takes no optional locks, and marks
the child so that our own hooks stay silent under it. No command of git is known here, only how to start one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from gitqueen import errors
from gitqueen.tracing import step

# What `git rev-parse --local-env-vars` lists (git 2.39 to 2.55); asked of git it would cost a process each time.
LOCAL = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT",
    "GIT_OBJECT_DIRECTORY", "GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE", "GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE", "GIT_PREFIX", "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR", "GIT_INTERNAL_SUPER_PREFIX", "GIT_REF_FORMAT", "GIT_REFERENCE_BACKEND",
)  # fmt: skip
OURS = {"GIT_OPTIONAL_LOCKS": "0", "GITQUEEN_CHILD": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}


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
    import subprocess  # 2.5 ms: commands that ask git nothing do not pay them

    full = {**(without_local(os.environ) if env is None else env), **OURS}
    with step("git", " ".join(args)):
        try:
            done = subprocess.run(
                ["git", *args], cwd=cwd, env=full, capture_output=True, timeout=timeout,
                input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
            )  # fmt: skip
        except (FileNotFoundError, NotADirectoryError, PermissionError) as fault:
            raise errors.GitFailed(f"git could not be started: {fault}", hint="is git installed?") from None
        except subprocess.TimeoutExpired:
            raise errors.GitFailed(f"git {args[0]} took longer than {timeout:g} s") from None
    result = Result(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace").strip())
    if check and result.code:
        said = result.err or "it said nothing"
        raise errors.GitFailed(f"git {args[0]} failed: {said}", stderr=result.err)
    return result


def without_local(env: Mapping[str, str]) -> dict[str, str]:
    """The environment as a git command in another repository must see it."""
    return {key: value for key, value in env.items() if key not in LOCAL}
