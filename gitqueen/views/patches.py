"""Patches with git's own colours, everything else in them made harmless."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gitqueen.views.text import Palette, clean


def coloured(lines: Iterable[str], colour: Palette) -> Iterator[str]:
    for line in lines:
        shown = clean(line.replace("\t", "        "))
        match line[:1]:
            case "+" if not line.startswith("+++"):
                yield colour.good(shown)
            case "-" if not line.startswith("---"):
                yield colour.removed(shown)
            case "@":
                yield colour.name(shown)
            case " ":
                yield shown
            case _:
                yield colour.bold(shown)
