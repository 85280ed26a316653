"""The reflog of a worktree's HEAD: which commits it was at, since when, and what brought it there.

Read from its file, without a process; where refs are no files (reftable) git is asked.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from gitqueen.git.places import Place

MOST_BYTES = 64 * 1024
"""Of a long reflog only its end is read: some 400 moves."""
_MOST = 400


@dataclass(frozen=True, slots=True)
class Move:
    """HEAD went from `old` to `new` at `at` (Unix time). `why`: git's words, empty for a bare `update-ref`."""

    old: str
    new: str
    at: float
    why: str

    @property
    def first(self) -> bool:
        """Whether the worktree began here."""
        return not self.old.strip("0")


def moves(place: Place) -> list[Move]:
    """The latest moves of HEAD, the latest last; none where no reflog is kept."""
    try:
        with open(os.path.join(place.git_dir, "logs", "HEAD"), "rb") as file:
            start = max(0, file.seek(0, os.SEEK_END) - MOST_BYTES)
            file.seek(start)
            lines = file.read().splitlines()
    except OSError:
        return _asked(place)
    return [move for line in lines[1 if start else 0 :] if (move := _move(line)) is not None]


def _move(line: bytes) -> Move | None:
    """`OLD NEW NAME <MAIL> SECONDS ZONE`, a tab, and the words."""
    facts, _, why = line.decode("utf-8", "replace").partition("\t")
    words = facts.split()
    if len(words) < 4 or not words[-2].isdecimal():
        return None
    return Move(words[0], words[1], float(words[-2]), why.strip())


def _asked(place: Place) -> list[Move]:
    if not os.path.isdir(os.path.join(place.common_dir, "reftable")):
        return []
    from gitqueen.git import process  # only for repositories that need it

    asked = ("log", "--walk-reflogs", "--date=unix", f"--max-count={_MOST}", "--format=%H %gd %gs", "HEAD", "--")
    said = process.run(*asked, cwd=place.folder, check=False).out.decode("utf-8", "replace")
    lines = [line.partition(" ") for line in reversed(said.splitlines())]
    found, old = list[Move](), ""
    for new, _, rest in lines:  # NEW HEAD@{SECONDS} WORDS
        when, _, why = rest.partition("} ")
        seconds = when.rpartition("{")[2]
        if seconds.isdecimal():
            found.append(Move(old, new, float(seconds), why.strip()))
            old = new
    return found
