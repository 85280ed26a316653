"""What every command shares: opening the queen, `--json`, and where output goes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from gitqueen import errors
from gitqueen.model.sisters import Identity
from gitqueen.services import identifying, queen, watching
from gitqueen.services.queen import Queen
from gitqueen.views.text import Palette, clean

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(command)


def open_queen() -> Queen:
    return queen.open(os.environ, lambda: datetime.now(UTC))


def actor(opened: Queen, declare: bool = False) -> Identity:
    """Who runs this command; what she must know about her name goes to stderr."""
    return _told(identifying.identify(opened, declare))


def onlooker(opened: Queen) -> Identity:
    """Like `actor`, for commands that only look: they never wait for a locked database."""
    return _told(identifying.glance(opened))


def _told(me: Identity) -> Identity:
    if me.notice:
        try:
            click.echo(f"🐝 {clean(me.notice)}", err=True)
        except OSError:
            pass  # a closed or full stderr is no reason not to answer
    return me


def sister(opened: Queen) -> Identity:
    """Like `actor`, for commands that make a person's shell a sister."""
    return actor(opened, declare=True)


def look_around_later(opened: Queen) -> None:
    """Commands that do not answer from a scan start one, detached, when the last is old."""
    watching.start_detached(opened)


def ask(question: str) -> None:
    """Go on only where the person at the terminal says yes."""
    if not click.confirm(question, err=True):
        raise errors.Refused("nothing was changed")


def palette() -> Palette:
    """Colours as NO_COLOR, CLICOLOR_FORCE and the terminal say; lines as long as it is wide."""
    terminal = sys.stdout.isatty()
    columns = _columns() if terminal else None
    if os.environ.get("NO_COLOR"):
        return Palette(False, columns)
    forced = os.environ.get("CLICOLOR_FORCE", "") not in ("", "0")
    return Palette(forced or (terminal and os.environ.get("TERM") != "dumb"), columns)


def rows() -> int | None:
    """How many lines the terminal shows; None where there is none."""
    return _size()[1]


def _columns() -> int | None:
    return _size()[0]


def _size() -> tuple[int | None, int | None]:
    try:
        columns, lines = os.get_terminal_size(1)
    except OSError:
        return None, None
    return columns or None, lines or None  # 0: a terminal that does not know


def show(as_json: bool, shape: Callable[[], Mapping[str, object]], words: Callable[[], str]) -> None:
    """Print one of the two faces of a report."""
    if as_json:
        from gitqueen.views import structured

        text = structured.dump(shape())
    else:
        text = words()
    # Bytes: a terminal or pipe without UTF-8 must not stop an answer.
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.flush()
