"""Errors as people and programs read them: what happened, and what to type next."""

from __future__ import annotations

from gitqueen.errors import GitqueenError
from gitqueen.views import structured
from gitqueen.views.text import Palette, clean


def as_text(fault: GitqueenError, coloured: bool) -> str:
    """One line of what happened, one of what to type; of a bug of ours one line in all."""
    colour = Palette(coloured)
    line = f"{colour.danger('gitqueen:')} {clean(fault.message)}"
    if not fault.hint:
        return line
    gap = "  " if fault.exit_code == 3 else "\n  "
    return f"{line}{gap}→ {clean(fault.hint)}"


def as_json(fault: GitqueenError) -> str:
    return structured.dump(structured.error(fault.code, fault.message, fault.hint))
