"""Merges that nobody has made yet: what git would say if one sister merged the work of another now.

Facts only, as they are kept and shown. Who is merged with whom is decided by services; what git says is `git/merging`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CLEAN, CONFLICT, UNKNOWN = "clean", "conflict", "unknown"
"""The verdicts on a pair."""

CONTENT = "conflict"
ADDED_TWICE = "add/add"
MODIFY_DELETE = "modify/delete"
RENAME_RENAME = "rename/rename"
RENAME_DELETE = "rename/delete"
RENAME_ADD = "rename/add"
FOLDER_MOVED = "directory rename"
DIRECTORY_FILE = "directory/file"
KINDS = "file type"
SUBMODULE = "submodule"
BINARY = "binary"
"""The verdicts on a file, beside `CLEAN` and `UNKNOWN`: the lines of a text conflict, or it is something else."""


SHOWN = 3
"""Places in one file that a sentence names before it counts the rest."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that stand against each other, first and last of each side's own file, counted from 1. A side that took
    them out has none: its last is one less than its first, which is where they stood."""

    ours: tuple[int, int]
    theirs: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Clash:
    """One file that git cannot merge by itself."""

    path: str
    """Where git would leave it."""
    verdict: str
    lines: tuple[Lines, ...] = ()
    """Empty where it is no text, or they could not be told."""
    also: tuple[str, ...] = ()
    """What else it is called: where it came from, and where the other side has it."""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.path, *self.also)

    @property
    def words(self) -> str:
        """`lines 3 and 10-14 (hers 3 and 12-15)`, or what kind of conflict it is."""
        if not self.lines:
            return self.verdict if self.verdict != CONTENT else "its text"
        hers = places(self.lines, "theirs").partition(" ")[2]
        return f"{places(self.lines, 'ours')} (hers {hers})"


def places(lines: Sequence[Lines], side: str) -> str:
    """`line 3`, `lines 3 and 10-14`: of the side `ours` or `theirs`."""
    words = [_range(getattr(one, side)) for one in lines]
    return f"{'line' if len(words) == 1 and '-' not in words[0] else 'lines'} {_listed(words)}"


def _range(lines: tuple[int, int]) -> str:
    first, last = lines
    return f"{first}-{last}" if last > first else str(first)


def _listed(words: Sequence[str]) -> str:
    if len(words) > SHOWN:
        return f"{', '.join(words[:SHOWN])} and {len(words) - SHOWN} more"
    return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"


@dataclass(frozen=True, slots=True)
class Merge:
    """What becomes of merging `theirs` into `ours`."""

    verdict: str
    clashes: tuple[Clash, ...] = ()
    merged: tuple[str, ...] = ()
    """Files that both sides changed and git merges by itself."""
    why: str = ""
    """Why it is unknown."""
    hint: bool = False
    """Whether libgit2 said so, not git: it knows fewer renames and no merge drivers."""

    def at(self, path: str) -> Clash | None:
        """What stands against `path`, whichever of its names that is."""
        return next((clash for clash in self.clashes if path in clash.names), None)


APART = Merge(CLEAN)
"""Nothing that the two sides changed can meet."""
