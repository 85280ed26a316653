"""The pager: long output as git shows it, through the user's own, where there is a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator

import click

from gitqueen.services.queen import Queen


def page(queen: Queen, lines: Iterable[str], pager: str | None = None) -> None:
    """Show `lines`, in `pager` (empty: in none), or the one that git would take."""
    if not sys.stdout.isatty() or pager == "":
        for line in lines:
            sys.stdout.buffer.write(line.encode("utf-8", "backslashreplace") + b"\n")
        return
    from gitqueen.services import crediting

    os.environ.setdefault("LESS", "FRX")  # git's own
    os.environ["PAGER"] = pager or crediting.pager(queen)
    # The colours are in the lines, or are not, as the user wants it: click would take them away from many pagers.
    click.echo_via_pager(_text(lines), color=True)


def _text(lines: Iterable[str]) -> Iterator[str]:
    """All but the last line's end: click adds that."""
    end = ""
    for line in lines:
        yield end + line
        end = "\n"
