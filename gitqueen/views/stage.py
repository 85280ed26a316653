"""The demo as a person watches it: who types what, and what comes."""

from __future__ import annotations

import textwrap

from gitqueen.services.demonstrating import ADA, IZA, SCRIPT, Line, Step
from gitqueen.views.text import Palette, clean

TITLES = [line.title for line in SCRIPT if line.title]


def opening(colour: Palette) -> str:
    title, iza, ada = colour.bold("gitqueen demo"), colour.name(IZA), colour.name(ADA)
    return "\n".join(
        [
            f"🐝 {title} — two sisters, {iza} and {ada}, work in one checkout",
            colour.dim("   Every line is really typed and run, in a throw-away home and repository."),
        ]
    )


def line(typed: Line, colour: Palette) -> str:
    """A line as it is typed, under the title that begins with it."""
    rows = []
    if typed.title:
        rows += ["", colour.bold(f"{TITLES.index(typed.title) + 1}. {typed.title}"), ""]
    rows.append(f"  {colour.purple(typed.who)} $ {typed.command}")
    return "\n".join(rows)


def step(played: Step, colour: Palette) -> str:
    """What came of it, and in red what should have been seen and was not."""
    rows = [part for row in played.output.split("\n") for part in _fitted(row, colour)] if played.output else []
    rows += [colour.danger(f"      ✗ {clean(text)}") for text in played.missing]
    return "\n".join(rows)


def _fitted(row: str, colour: Palette) -> list[str]:
    """A row of output under its command; folded between words where the terminal is narrower."""
    words = clean(row)
    margin = " " * (6 + len(words) - len(words.lstrip()))
    most = 10_000 if colour.columns is None else max(40, colour.columns - 1)
    folded = textwrap.wrap(
        words.strip(), most, initial_indent=margin, subsequent_indent=margin + "  ", break_long_words=False,
        break_on_hyphens=False, drop_whitespace=True,
    )  # fmt: skip
    return folded or [""]


def end(good: bool, colour: Palette) -> str:
    if good:
        return colour.good("\n✓ every step was seen to work; the demo's home and repository are gone again")
    return colour.danger("\n✗ the demo stopped at a step that did not show what it must   (gitqueen doctor)")


def shape(steps: list[Step], good: bool) -> dict[str, object]:
    return {
        "ok": good,
        "steps": [
            {
                "who": one.line.who,
                "command": one.line.command,
                "code": one.code,
                "output": one.output,
                "missing": list(one.missing),
            }
            for one in steps
        ],
    }
