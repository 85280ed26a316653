"""git's configuration, as gitqueen is set by it: `gitqueen.*` of every level, read by git itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from gitqueen.git import process
from gitqueen.git.places import Place


def ours(place: Place | None, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """All `gitqueen.*` settings in force at `place` (None: outside any repository), keys as git prints them.

    The last value wins, as with git. Empty when git cannot say.
    """
    folder = "/" if place is None else place.folder
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


@dataclass(frozen=True, slots=True)
class Taste:
    """How the user likes to read a difference. `pager`: a command line, empty for none, None for the usual one."""

    pager: str | None
    colour: bool


def taste(env: Mapping[str, str]) -> Taste:
    """By the user's own settings, not by a repository's: they may name a program."""
    asked = process.run(
        "config", "-z", "--get-regexp", r"^(pager\.diff|color\.(diff|ui))$", cwd="/", env=env, check=False
    )
    said = {}
    for entry in os.fsdecode(asked.out).split("\0"):
        key, equals, value = entry.partition("\n")
        said[key] = value if equals else "true"
    word = said.get("pager.diff", "true")
    pager = {**dict.fromkeys(_NO, ""), **dict.fromkeys(_YES)}.get(word.lower(), word)
    return Taste(pager, said.get("color.diff", said.get("color.ui", "auto")).lower() not in (*_NO, "never"))


_NO, _YES = ("false", "no", "off", "0", ""), ("true", "yes", "on", "1")
