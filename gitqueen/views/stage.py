"""The demo as a person watches it: who typed what, and what came."""

from __future__ import annotations

from gitqueen.services.demonstrating import Step
from gitqueen.views.text import Palette, clean


def step(played: Step, colour: Palette) -> str:
    """One step: title, prompt, output, and in red what should have been seen and was not."""
    rows = [f"\n{colour.bold('— ' + played.line.title + ' —')}"] if played.line.title else []
    rows.append(f"{colour.purple(played.line.who)} $ {played.line.command}")
    rows += [f"    {clean(line)}" for line in played.output.split("\n") if line]
    rows += [colour.danger(f"    ✗ not seen: {clean(text)}") for text in played.missing]
    return "\n".join(rows)


def end(good: bool, colour: Palette) -> str:
    if good:
        return colour.good("\n✓ every step was seen to work; the demo's home and repository are gone again")
    return colour.danger("\n✗ the demo did not show what it should: gitqueen doctor")


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
