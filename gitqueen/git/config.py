"""git's configuration, as gitqueen is set by it: `gitqueen.*` of every level, read by git itself."""

from __future__ import annotations

from collections.abc import Mapping

from gitqueen.git import process


def ours(folder: str | None, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """All `gitqueen.*` settings in force in `folder` (None: outside any repository), keys as git prints them.

    The last value wins, as with git. Empty when git cannot say.
    """
    asked = process.run("config", "-z", "--get-regexp", r"^gitqueen\.", cwd=folder or "/", env=env, check=False)
    found = {}
    for entry in asked.out.decode("utf-8", "backslashreplace").split("\0"):
        key, equals, value = entry.partition("\n")
        if key:
            found[key] = value if equals else "true"
    return found
