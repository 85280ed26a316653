"""What installing and uninstalling touches, or touched: a line each, or as JSON."""

from __future__ import annotations

from gitqueen.services.settling import Outcome, Part
from gitqueen.views.text import clean, folder


def plan(outcome: Outcome, what: str) -> str:
    lines = [f"gitqueen {what} will touch:", *map(_line, outcome.parts)]
    if not outcome.parts:
        lines = [f"gitqueen {what} has nothing to do"]
    return "\n".join([*lines, *_faults(outcome)])


def done(outcome: Outcome, what: str) -> str:
    return "\n".join([*map(_line, outcome.parts), *_faults(outcome), f"{'✗' if outcome.faults else '✓'} {what}"])


def _line(part: Part) -> str:
    return f"  {part.what:<7} {folder(part.path)}: {clean(part.words)}"


def _faults(outcome: Outcome) -> list[str]:
    return [f"  could not: {clean(fault)}" for fault in outcome.faults]


def shape(outcome: Outcome, done: bool) -> dict[str, object]:
    return {
        "done": done,
        "parts": [{"what": part.what, "path": part.path, "detail": part.words} for part in outcome.parts],
        "faults": list(outcome.faults),
    }
