"""Sessions: the agents that run on this machine for this user, found by looking, though nobody declared anything.

One session is one process: not its wrapper, not what it lends itself for, not what it forks. Of environments only the
keys that say whose it is and where its window is; the rest holds secrets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gitqueen.model.processes import Process
from gitqueen.senses import agents, processes

KEYS = (
    "GITQUEEN_HOME",
    "GITQUEEN_NAME",
    "GITQUEEN_PID",
    "HOME",
    "LOGNAME",
    "USER",
    "CLAUDE_CONFIG_DIR",
)
"""What a process's environment says of whose it is and how it is called."""
WINDOW = ("HOME", "KITTY_LISTEN_ON", "KITTY_PID", "KITTY_WINDOW_ID", "TMUX", "TMUX_PANE")
"""What it says of its window; inherited, and so to be believed only with a look at who is above."""


@dataclass(frozen=True, slots=True)
class Session:
    """One agent at work."""

    process: Process
    agent: str
    chain: tuple[Process, ...]
    """It and everybody above it."""
    env: Mapping[str, str]
    """`KEYS` and `WINDOW`, as the process was started with."""
    folder: str | None


def find(table: dict[int, Process]) -> list[Session]:
    """All sessions of this user in this pid namespace, by pid."""
    kinds = {pid: kind for pid, one in table.items() if (kind := agents.kind(one)) is not None}
    wrappers = {table[pid].ppid for pid, kind in kinds.items() if _is_wrapped(table[pid], kind, table, kinds)}
    return [
        _session(table, table[pid], kind)
        for pid, kind in sorted(kinds.items())
        if pid not in wrappers and processes.ours(pid)
    ]


def _is_wrapped(process: Process, kind: str, table: dict[int, Process], kinds: Mapping[int, str]) -> bool:
    """Whether a script above it started it as its other half (codex, gemini): in the same session, unlike a command
    that an agent runs."""
    above = table.get(process.ppid)
    return (
        above is not None
        and kinds.get(above.pid) == kind
        and above.session == process.session
        and agents.is_wrapper(above)
    )


def _session(table: dict[int, Process], process: Process, kind: str) -> Session:
    chain = processes.chain(table, process)
    told = _open_to_us(chain)
    return Session(process, kind, chain, processes.environment(told.pid, KEYS + WINDOW), processes.folder(told.pid))


def environment(chain: tuple[Process, ...]) -> dict[str, str]:
    """What the environment of the first process of `chain` says of its window."""
    return processes.environment(_open_to_us(chain).pid, WINDOW)


def _open_to_us(chain: tuple[Process, ...]) -> Process:
    """The first of `chain`; whoever started it, from the same place, where it lets nobody look into it (codex)."""
    return next((one for one in chain if processes.executable(one.pid) != ""), chain[0])
