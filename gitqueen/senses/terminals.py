"""Terminals: in which window of kitty, pane of tmux or terminal of the system a process is.

Windows are tied to processes by who stands above whom. What the environment says of a window is inherited by whatever
is started from it, so it counts only while that kitty or tmux is really above. Without remote control it is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gitqueen.model.processes import Process
from gitqueen.model.sisters import Terminal
from gitqueen.senses import kitty, processes, tmux
from gitqueen.senses.kitty import Window
from gitqueen.senses.tmux import Pane, Server


@dataclass(frozen=True, slots=True)
class Seat:
    """A process, who is above it, and what its environment says of its window."""

    chain: tuple[Process, ...]
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a seat is; `address`: whom to ask to bring it to the front."""

    terminal: Terminal
    address: str | None = None
    at_prompt: bool | None = None
    busy: bool | None = None
    """Whether the process, which has a window of its own, lets another one have the foreground."""
    session: str | None = None
    """tmux's session."""


@dataclass(slots=True)
class Terminals:
    """What the terminals around some seats said at one moment."""

    windows: dict[int, tuple[str, Window]] = field(default_factory=dict)
    panes: dict[int, tuple[str, Pane]] = field(default_factory=dict)
    servers: list[Server] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Addresses of kittys that do not let themselves be asked, and what they say."""
    faults: list[str] = field(default_factory=list)

    def spot(self, seat: Seat) -> Spot | None:
        """Where `seat` is; the nearest counts: kitty in tmux in kitty."""
        server = tmux.server(seat.env)
        for process in seat.chain:
            if (shown := self.windows.get(process.pid)) is not None:
                address, window = shown
                terminal = Terminal("kitty", str(window.id), window.title, window.focused)
                own = window.pids[0] == seat.chain[0].pid
                return Spot(terminal, address, window.at_prompt, window.busy if own else None)
            if (held := self.panes.get(process.pid)) is not None:
                socket, pane = held
                return Spot(Terminal("tmux", pane.id, pane.title, pane.focused), socket, session=pane.session)
            if server is not None and process.pid == server[1] and _is_pane(seat.env.get("TMUX_PANE")):
                return Spot(Terminal("tmux", seat.env["TMUX_PANE"]), server[0])
            if _is_kitty(process, seat.env) and _is_number(number := seat.env.get("KITTY_WINDOW_ID", "")):
                return Spot(Terminal("kitty", number))
        name = processes.terminal(seat.chain[0])
        return None if name is None else Spot(Terminal("tty", name))


def look(seats: Iterable[Seat]) -> Terminals:
    """Ask every kitty and tmux that stands above one of `seats`, each once."""
    found = Terminals()
    kittys: dict[int, str | None] = {}
    homes: dict[int, str | None] = {}
    servers: dict[str, None] = {}
    for seat in seats:
        above = {process.pid for process in seat.chain}
        if (server := tmux.server(seat.env)) is not None and server[1] in above:
            servers[server[0]] = None
        for process in kitty.outermost(seat.chain):
            ours = seat.env.get("KITTY_PID") == str(process.pid)
            if not ours and homes.setdefault(process.pid, _home(process.pid)) != seat.env.get("HOME"):
                continue  # somebody else's, who started a session for another home in it (our own tests)
            kittys[process.pid] = kittys.get(process.pid) or (seat.env.get("KITTY_LISTEN_ON") if ours else None)
    addresses = {address for address in kittys.values() if address}
    if None in kittys.values():
        addresses |= kitty.addresses([pid for pid, address in kittys.items() if address is None]).keys()
    _hear(found, kitty.ask(sorted(addresses)), [tmux.ask(socket) for socket in servers])
    return found


def _home(pid: int) -> str | None:
    return processes.environment(pid, ("HOME",)).get("HOME")


def _hear(found: Terminals, answers: Iterable[kitty.Answer], servers: Iterable[Server]) -> None:
    for answer in answers:
        if answer.refused:
            found.refused[answer.address] = answer.fault or ""
        elif answer.fault is not None:
            found.faults.append(f"kitty at {answer.address}: {answer.fault}")
        for window in answer.windows:
            for pid in window.pids:
                found.windows.setdefault(pid, (answer.address, window))
    for server in servers:
        found.servers.append(server)
        if server.fault is not None:
            found.faults.append(f"tmux at {server.socket}: {server.fault}")
        found.panes.update((pane.pid, (server.socket, pane)) for pane in server.panes)


def _is_kitty(process: Process, env: Mapping[str, str]) -> bool:
    """Whether it is the kitty that the environment speaks of; older ones do not say their pid."""
    return process.comm in kitty.PROGRAMS and env.get("KITTY_PID", str(process.pid)) == str(process.pid)


def _is_pane(text: str | None) -> bool:
    return text is not None and text.startswith("%") and _is_number(text[1:])


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10
