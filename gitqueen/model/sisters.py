"""A sister: one working session, bound to a process; and the rule that says whether she lives.

What is known of her place and task, as plain facts. How a process is looked at is `senses/`, how rows are kept is
`store/`; this module only judges what they saw.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gitqueen.model import times
from gitqueen.model.names import SisterName

AGENTS = ("claude", "codex", "gemini", "opencode", "aider", "human", "unknown")
STATUSES = ("working", "idle", "waiting", "unknown")

FORGET_AFTER = 600.0
"""Seconds after its last_seen that a row whose process cannot be judged, or is dead, stays as `unknown`."""


SILENCE = 86400.0
"""Seconds of silence after which a row of gitqueen's own, whose process cannot be judged from here, is given up."""


@dataclass(frozen=True, slots=True)
class Body:
    """The process whose life is a sister's life: never a session id, never a wall-clock time."""

    origin: str
    """machine, boot and pid namespace in one word: only a process of this very place may be judged by its pid."""
    pid: int
    ticks: int
    """Start of the process in clock ticks since boot: what makes a reused pid somebody else."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a person finds her."""

    kind: str
    """kitty, tmux, or tty where only the system knows."""
    window: str
    """kitty's window, tmux's pane, the terminal's name."""
    title: str | None = None
    focused: bool | None = None
    """Whether the keyboard goes there."""


@dataclass(frozen=True, slots=True)
class Sister:
    """One row of the hive. None is unknown, never invented."""

    row: int
    """Primary key of her public row: her pid, or a negative stand-in where that pid is taken."""
    name: str
    task: str | None = None
    task_source: str = "auto"
    status: str = "unknown"
    branch: str | None = None
    last_seen: datetime | None = None
    body: Body | None = None
    """None for a row that another program wrote."""
    wanted: str | None = None
    agent: str = "unknown"
    started_at: datetime | None = None
    repo: str | None = None
    worktree: str | None = None
    common_dir: str | None = None
    head: str | None = None
    dirty: int | None = None
    session_id: str | None = None
    """The agent's own id of the session: `/clear` changes it, `--resume` takes it to another process."""
    terminal: Terminal | None = None
    waiting_for: str | None = None
    """What she waits for, in the agent's words."""
    seen_status: str | None = None
    """What the last scan made of her status: another one now was said by somebody who knows."""

    @property
    def pid(self) -> int:
        return self.row if self.body is None else self.body.pid

    @property
    def declared(self) -> bool:
        return self.task_source == "declared" and bool(self.task)


def badge(sister: Sister) -> str:
    """What a marker says of a living sister, a line each: enough for her row, should the database be lost.

    No JSON, which would cost a hook 9 ms.
    """
    assert sister.body is not None
    body = sister.body
    return "\n".join(
        (body.origin, str(body.ticks), sister.name, sister.wanted or "", sister.agent, sister.worktree or "")
    )


def read_badge(pid: int, text: str) -> Sister | None:
    """The sister that a marker tells of, or None for anything that is not in form. Unchecked: whether she lives."""
    fields = text.removesuffix("\n").split("\n", 5)
    if len(fields) < 6 or not fields[1].isdecimal() or SisterName.fault(fields[2]) is not None:
        return None
    origin, ticks, name, wanted, agent, worktree = fields
    return Sister(
        row=pid,
        name=name,
        body=Body(origin, pid, int(ticks[:20])),
        wanted=wanted or None,
        agent=agent if agent in AGENTS else "unknown",
        worktree=worktree or None,
    )


def next_door(origin: str, here: str) -> bool:
    """Whether `origin` is another pid namespace of this very boot: its processes live here, out of our sight.

    A container or sandbox may have a machine id of its own; the boot's id is the kernel's.
    """
    there, ours = origin.split(":"), here.split(":")
    return origin != here and there[1:2] == ours[1:2] and (bool(ours[1]) or there[0] == ours[0])


def somewhere(here: str) -> str:
    """The origin of a process of this boot in a namespace that we cannot name."""
    return here.rpartition(":")[0] + ":?"


@dataclass(frozen=True, slots=True)
class Identity:
    """The one who acts: `sister`, or a person at an undeclared shell."""

    sister: Sister | None
    address: str
    """Whose inbox is read and who signs: the sister's name, else the login."""
    notice: str | None = None
    """What she must be told about her name, once."""


ALIVE, DEAD, UNKNOWN = "alive", "dead", "unknown"


def life(sister: Sister, here: str, ticks: int | None, now: datetime) -> str:
    """ALIVE, DEAD or UNKNOWN, given the start ticks of whatever runs under her pid now (None: nothing does).

    `here` is the origin of the one who asks. A foreign row, or an outside row whose process is gone, is UNKNOWN for
    `FORGET_AFTER` seconds after it was last seen and DEAD from then on.
    """
    if sister.body is not None and sister.body.origin == here:
        return ALIVE if ticks == sister.body.ticks else DEAD
    if sister.body is None and ticks is not None:
        return ALIVE
    quiet = times.since(sister.last_seen, now)
    return UNKNOWN if quiet is not None and quiet < FORGET_AFTER else DEAD


def gone_for_good(sister: Sister, here: str, now: datetime) -> bool:
    """Whether a DEAD row may be taken out of the hive, and her claims after the grace.

    One whose process we cannot look at (another machine, a sandbox's or container's namespace) only fell silent: an
    agent that waits for its person over lunch must not lose what it holds because somebody in a sandbox looked around.
    """
    body = sister.body
    if body is None or body.origin == here or _earlier_boot(body.origin, here):
        return True
    quiet = times.since(sister.last_seen, now)
    return quiet is None or quiet >= SILENCE


def _earlier_boot(origin: str, here: str) -> bool:
    return origin.split(":")[0] == here.split(":")[0] and not next_door(origin, here)


def status(sister: Sister, alive: str) -> str:
    """What to show of her: only a living row may say that it works."""
    return sister.status if alive == ALIVE and sister.status in STATUSES else "unknown"
