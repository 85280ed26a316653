"""Focusing: a sister's window comes to the front, because a person asked for it.

The only thing that gitqueen ever does to a terminal. Where she is, is looked up at this moment: windows move.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gitqueen import errors
from gitqueen.model import names
from gitqueen.model.processes import Process
from gitqueen.model.sisters import Sister
from gitqueen.senses import kitty, processes, sessions, terminals, tmux
from gitqueen.senses.terminals import Seat, Spot, Terminals
from gitqueen.services import sighting
from gitqueen.services.queen import Queen


@dataclass(frozen=True, slots=True)
class Focused:
    """Who is in front now; her `terminal` as it was found, and the kitty window around her tmux."""

    sister: Sister
    around: Spot | None = None


def focus(queen: Queen, name: str) -> Focused:
    """Bring the window of the sister `name` to the front.

    Raises `errors.Refused` when nobody of that name lives on this machine, or her window cannot be reached.
    """
    table = processes.everyone()
    sister = _living(queen, name, table)
    seat = sighting.seat(table, sister)
    seen = terminals.look([seat])
    spot = seen.spot(seat)
    if spot is None or spot.terminal.kind == "tty":
        where = "in no terminal" if spot is None else f"on {spot.terminal.window}"
        raise errors.Refused(
            f"{name} (pid {sister.pid}) is {where}: only kitty and tmux bring a window to the front",
            hint=f"look for {spot.terminal.window}" if spot else "gitqueen status",
        )
    sister = replace(sister, terminal=spot.terminal)
    if spot.terminal.kind == "kitty":
        _show(spot, seen)
        return Focused(sister)
    _fault(tmux.focus(spot.address or "", spot.terminal.window), f"tmux at {spot.address}")
    return Focused(sister, _show_around(table, spot, seen))


def _living(queen: Queen, name: str, table: dict[int, Process]) -> Sister:
    here = {sister.name: sister for sister in sighting.living(queen, table)}
    if name in here:
        return here[name]
    near = names.nearest(name, here)
    raise errors.Refused(
        f"no sister called {ascii(name)[1:-1]} lives on this machine",
        hint=f"did you mean {' or '.join(near)}?" if near else "gitqueen status shows the names",
    )


def _show(spot: Spot, seen: Terminals) -> None:
    """Have kitty show a window of its own."""
    if spot.address is None:
        said = next(iter(seen.refused.values()), "") or next(iter(seen.faults), "")
        raise errors.Refused(
            f"kitty's window {spot.terminal.window} cannot be asked to come: {said or 'it listens at no socket'}",
            hint=f"put into kitty.conf and restart kitty: {'   '.join(kitty.CONF)}",
        )
    _fault(kitty.focus(spot.address, int(spot.terminal.window)), f"kitty at {spot.address}")


def _show_around(table: dict[int, Process], spot: Spot, seen: Terminals) -> Spot | None:
    """The kitty window in which somebody looks at the tmux session of `spot`; nobody may."""
    clients = [pid for server in seen.servers for pid, session in server.clients if session == spot.session]
    chains = [processes.chain(table, table[pid]) for pid in clients if pid in table]
    seats = [Seat(chain, sessions.environment(chain)) for chain in chains]
    if not clients:
        raise errors.Refused(
            f"nobody looks at the tmux session of {spot.terminal.window}: it is in front there, for whoever attaches",
            hint=f"tmux -S {spot.address} attach -t '{spot.session}'",
        )
    around = terminals.look(seats)
    for seat in seats:
        # By the terminal it stands in: the client of a tmux inside a tmux is a pane itself.
        if (outer := around.spot(seat)) is not None and outer.terminal.kind == "kitty" and outer.address:
            _show(outer, around)
            return outer
    return None


def _fault(said: str | None, whose: str) -> None:
    if said is not None:
        raise errors.Refused(f"{whose} does not bring the window to the front: {said}", hint="gitqueen doctor")
