"""How the daemon is, in three lines or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitqueen.model import times
from gitqueen.views.text import Palette, cut, folder, held

LAST = 300
"""Columns at most of what it said last."""

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Protocol

    class State(Protocol):
        """The daemon's room is above this one: what is shown of it."""

        @property
        def pid(self) -> int | None: ...
        @property
        def since(self) -> datetime | None: ...
        @property
        def log(self) -> str: ...
        @property
        def last(self) -> str: ...


def words(state: State, now: datetime, colour: Palette) -> str:
    if state.pid is None:
        lines = ["no daemon runs: commands look around themselves   (gitqueen daemon start)"]
    else:
        lines = [", ".join(filter(None, [f"✓ the daemon runs, process {state.pid}", held(state.since, now)]))]
    if state.last:
        lines += [f"  log   {folder(state.log)}", f"  last  {cut(state.last, colour.room(LAST, 8))}"]
    return "\n".join(lines)


def stopped(state: State | None) -> str:
    return "no daemon runs" if state is None else f"✓ the daemon has ended, process {state.pid}"


def shape(state: State) -> dict[str, object]:
    return {
        "running": state.pid is not None,
        "pid": state.pid,
        "since": times.iso(state.since) if state.since and state.pid is not None else None,
        "log": state.log,
        "last": state.last or None,
    }


def settled(path: str) -> str:
    return f"✓ the daemon runs, see {folder(path)}"


def left(paths: list[str]) -> str:
    return f"✓ the daemon has ended{': ' + ', '.join(map(folder, paths)) if paths else ''}"
