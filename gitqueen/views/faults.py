"""Errors as people and programs read them: what happened, and what to type next."""

from __future__ import annotations

from gitqueen.errors import GitqueenError
from gitqueen.views import structured
from gitqueen.views.text import Palette, clean


def as_text(fault: GitqueenError, coloured: bool) -> str:
    """One line of what happened, one of what to type."""
    colour = Palette(coloured)
    line = f"{colour.danger('gitqueen:')} {clean(fault.message)}"
    return f"{line}\n  → {clean(fault.hint)}" if fault.hint else line


def as_json(fault: GitqueenError) -> str:
    return structured.dump(structured.error(fault.code, fault.message, fault.hint))
