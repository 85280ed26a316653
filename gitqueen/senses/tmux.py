"""tmux: its panes, which processes are in them, and who looks at them; one of them brought to the front.

tmux is asked by its own program, one process a server (4 ms). A server that does not answer within the limit is named
and left.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

LIMIT = 1.0
"""Seconds that a server has."""

_PANE = "pane #{pane_id} #{pane_pid} #{pane_active}#{window_active} #{session_attached} #{session_id} #{pane_title}"
_CLIENT = "client #{client_pid} #{session_id}"


@dataclass(frozen=True, slots=True)
class Pane:
    id: str
    """As TMUX_PANE has it: `%3`."""
    pid: int
    title: str
    focused: bool
    """Whether it is in front in a session that somebody looks at."""
    session: str


@dataclass(frozen=True, slots=True)
class Server:
    """What one server said."""

    socket: str
    panes: tuple[Pane, ...] = ()
    clients: tuple[tuple[int, str], ...] = ()
    """The process of each terminal that shows a session, and which."""
    fault: str | None = None


def server(env: Mapping[str, str]) -> tuple[str, int] | None:
    """The socket and the process of the server that TMUX in `env` names."""
    path, _, rest = env.get("TMUX", "").partition(",")
    pid = rest.partition(",")[0]
    return (path, int(pid)) if path and pid.isascii() and pid.isdecimal() and len(pid) < 10 else None


def ask(socket: str, limit: float = LIMIT) -> Server:
    """All panes of the server at `socket`."""
    said = _run(socket, ("list-panes", "-a", "-F", _PANE, ";", "list-clients", "-F", _CLIENT), limit)
    if isinstance(said, Exception):
        return Server(socket, fault=_words(said, limit))
    panes, clients = [], []
    for line in said.splitlines():
        match line.split(" ", 6):
            case ["pane", pane, pid, active, attached, session, title] if pid.isdecimal():
                panes.append(Pane(pane, int(pid), title[:200], active == "11" and attached != "0", session))
            case ["client", pid, session] if pid.isdecimal():
                clients.append((int(pid), session))
            case _:
                pass
    return Server(socket, tuple(panes), tuple(clients))


def focus(socket: str, pane: str, limit: float = LIMIT) -> str | None:
    """Bring a pane to the front of its session; why not, or None."""
    said = _run(socket, ("select-window", "-t", pane, ";", "select-pane", "-t", pane), limit)
    return _words(said, limit) if isinstance(said, Exception) else None


def _run(socket: str, words: tuple[str, ...], limit: float) -> str | Exception:
    try:
        found = os.stat(socket)
        if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.getuid():
            return PermissionError(1, "it is no socket of this user")
        kept = {key: os.environ[key] for key in ("HOME", "PATH") if key in os.environ}
        done = subprocess.run(
            ["tmux", "-u", "-S", socket, *words],
            env={**kept, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit,
            check=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as fault:
        return fault
    return done.stdout.decode("utf-8", "backslashreplace")


def _words(fault: Exception, limit: float) -> str:
    match fault:
        case subprocess.TimeoutExpired():
            return f"it does not answer within {limit:g} s"
        case subprocess.CalledProcessError():
            lines = fault.stderr.decode("utf-8", "backslashreplace").strip().splitlines()
            return lines[0][:200] if lines else f"tmux exited with {fault.returncode}"
        case OSError():
            return fault.strerror or str(fault)
        case _:
            return str(fault)
