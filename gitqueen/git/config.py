"""git's configuration, as gitqueen is set by it: `gitqueen.*` of every level, read by git itself."""

from __future__ import annotations

import os
from collections.abc import Mapping

from gitqueen.git import process
from gitqueen.git.places import Place


def ours(place: Place | None, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """All `gitqueen.*` settings in force at `place` (None: outside any repository), keys as git prints them.

    The last value wins, as with git. Empty when git cannot say.
    """
    folder = "/" if place is None else place.worktree or place.git_dir
    env = place.environment(env) if place is not None and env is not None else env
    asked = process.run("config", "-z", "--get-regexp", r"^gitqueen\.", cwd=folder, env=env, check=False)
    found = {}
    for entry in os.fsdecode(asked.out).split("\0"):
        key, equals, value = entry.partition("\n")
        if key:
            found[key] = value if equals else "true"
    return found


def pager(env: Mapping[str, str]) -> str:
    """The command line of the user's pager, as git finds it: GIT_PAGER, core.pager, PAGER."""
    asked = process.run("var", "GIT_PAGER", env=env, check=False)
    return os.fsdecode(asked.out).strip() or "cat"
