"""What git itself says of a place: the measure that every reader of repositories is held to."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from gitqueen.git import places, process
from gitqueen.git.places import Place


def git(*args: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> str | None:
    """What `git ARGS` printed, without its last newline; None when it says no."""
    full = {**os.environ, **(env or {})}
    done = subprocess.run(["git", *args], cwd=cwd, env=full, capture_output=True, check=False)
    return None if done.returncode else os.fsdecode(done.stdout.removesuffix(b"\n"))


def place_by_git(folder: Path, env: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """The facts of a Place, asked of git one by one; `busy` and `repo` apart."""
    git_dir = git("rev-parse", "--absolute-git-dir", cwd=folder, env=env)
    common = git("rev-parse", "--path-format=absolute", "--git-common-dir", cwd=folder, env=env)
    branch = git("symbolic-ref", "--quiet", "HEAD", cwd=folder, env=env)
    return {
        "git_dir": git_dir and os.path.realpath(git_dir),
        "common_dir": common and os.path.realpath(common),
        "worktree": git("rev-parse", "--show-toplevel", cwd=folder, env=env) or None,
        "branch": branch and branch.removeprefix("refs/heads/"),
        "prefix": (git("rev-parse", "--show-prefix", cwd=folder, env=env) or "").removesuffix("/"),
    }


def place_by_us(folder: Path, env: Mapping[str, str] | None = None) -> dict[str, str | None]:
    place = places.find(os.fspath(folder), env)
    assert place is not None
    return {key: getattr(place, key) for key in ("git_dir", "common_dir", "worktree", "branch", "prefix")}


def main_by_git(folder: Path) -> str | None:
    """The first of git's worktrees: what people call the repository."""
    said = git("worktree", "list", "--porcelain", "-z", cwd=folder)
    return said and said.partition("\0")[0].removeprefix("worktree ")


def changed_by_git(top: Path) -> list[str]:
    said = git("status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", cwd=top)
    assert said is not None
    return sorted(entry[3:].rstrip("/") for entry in said.split("\0") if entry)


def here(folder: Path, env: Mapping[str, str] | None = None) -> Place:
    """The place of `folder`, where there must be one."""
    place = places.find(os.fspath(folder), env)
    assert place is not None
    return place


def environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """A clean environment with `env` over it, as a command of the user's gets it."""
    return {**process.without_local(os.environ), **(env or {})}
