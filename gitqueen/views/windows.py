"""Where a sister's window is, in a word or a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitqueen.model.sisters import Terminal
from gitqueen.views.text import Palette, clean, cut

if TYPE_CHECKING:  # `status` brings nothing to the front
    from gitqueen.services.focusing import Focused


def label(terminal: Terminal | None) -> str:
    """`kitty:7`; nothing for what only the system knows: nobody finds a window by that."""
    return "" if terminal is None or terminal.kind == "tty" else clean(f"{terminal.kind}:{terminal.window}")


def focused(report: Focused, colour: Palette) -> str:
    """What is in front now."""
    terminal = report.sister.terminal
    words = f"✓ {colour.name(clean(report.sister.name))} is in front: {label(terminal)}"
    if terminal is not None and terminal.title:
        words += f"  {cut(terminal.title, 60)}"
    return words if report.around is None else f"{words}   in {label(report.around.terminal)}"
