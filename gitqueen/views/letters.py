"""Block letters: the name that a session wakes up with, as the original's did. Only ever on a terminal."""

from __future__ import annotations

from typing import Any

from gitqueen.views.text import Palette, cut

WIDEST = 13
"""Columns of the widest block letter."""


def block(name: str, colour: Palette) -> str:
    """`name` in purple block letters, as the original's sessions wake up; as it is where they do not fit."""
    room = colour.room(100)
    if room < WIDEST or not (name.isascii() and name.isprintable()):
        return colour.purple(cut(name, room))
    import pyfiglet  # a small library's font, only on a terminal

    # Its own wrapping never ends on a terminal narrower than a letter, so it gets none to do.
    font = pyfiglet.Figlet(font="ansi_shadow", width=100_000)
    rows = []
    while name:
        taken = next(n for n in range(len(name), 0, -1) if n == 1 or _drawn(font, name[:n])[1] <= room)
        rows += _drawn(font, name[:taken])[0]
        name = name[taken:]
    return "\n".join(colour.purple(row) for row in rows)


def _drawn(font: Any, name: str) -> tuple[list[str], int]:
    """Rows without the empty ones below, and how wide the widest is."""
    rows = [row.rstrip() for row in font.renderText(name).rstrip().split("\n")]
    return rows, max(map(len, rows))
