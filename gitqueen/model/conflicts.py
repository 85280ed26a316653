"""Conflicts: a collision that somebody saw, its stable id, its weight, and what policy says about it.

What is seen is a `Finding`: plain facts. The same facts give the same id, so that seeing them again updates one row
and never doubles it. How collisions are looked for is `services/colliding`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

SHARED_BRANCH = "shared-branch"
FILE_COLLISION = "file-collision"
BRANCH_SWITCHED = "branch-switched"
DUPLICATE_TASK = "duplicate-task"
LOST_WORK = "lost-work"
SWEPT_WORK = "swept-work"
STALE_INDEX = "stale-index"

SWEPT = "swept"
"""The verdict on a path that another sister wrote in this very worktree."""
UNDONE = "undone"
"""The verdict on a path whose change by another sister's commit would be taken back."""

INFO, WARNING, DANGER = "info", "warning", "danger"
SEVERITIES = (INFO, WARNING, DANGER)

WARN, BLOCK, OFF = "warn", "block", "off"


@dataclass(frozen=True, slots=True)
class Finding:
    """A collision as it was just seen."""

    type: str
    sisters: tuple[str, ...]
    severity: str
    detail: str
    """One sentence for people: who, where, what."""
    subject: str
    """What it is about, beside the sisters and the repository: a branch, a claim, two worktrees."""
    repo: str | None = None
    common_dir: str | None = None
    worktree: str | None = None
    facts: tuple[str, ...] = ()
    """What may grow or shrink while it stays the same conflict: paths, the branch moved to. A muted conflict opens
    again when they change."""

    @property
    def id(self) -> str:
        """`<type>-<ten hex digits>`, the same for the same facts on every machine."""
        import hashlib  # 1.5 ms that most commands need not pay

        words = "\0".join((self.type, self.common_dir or "", self.subject, *sorted(self.sisters)))
        return f"{self.type}-{hashlib.sha256(words.encode('utf-8', 'surrogateescape')).hexdigest()[:10]}"


@dataclass(frozen=True, slots=True)
class Conflict:
    """One row of the book of conflicts; `severity` and `repo` are None in rows that other programs wrote."""

    id: str
    type: str
    sisters: tuple[str, ...]
    detail: str | None
    detected_at: datetime | None
    resolved_at: datetime | None = None
    severity: str | None = None
    repo: str | None = None
    common_dir: str | None = None
    worktree: str | None = None
    subject: str = ""
    facts: tuple[str, ...] = ()
    muted: bool = False
    """Resolved by hand: stays so until the facts change."""


@dataclass(frozen=True, slots=True)
class Collision:
    """What would collide if this path were edited or committed now: the answer of `check`."""

    path: str
    sister: str
    verdict: str
    """claimed | uncommitted | committed | swept: written by another in this very worktree | undone: what another
    committed would be taken back."""
    severity: str
    detail: str
    since: datetime | None = None
    """When it began, where that is known."""
    hers: str = ""
    """What of hers it is: her uncommitted work, or what she changed in which commit."""
    where: str = ""
    """Where she has it: her branch, worktree and task, in words."""
    merge: str = ""
    """What git makes of both changes: clean, unknown, or the kind of conflict (`model/merges`); empty where there is
    nothing to merge, or nobody asked."""
    words: str = ""
    """The lines in conflict, or what else it is; why it is unknown."""


def kind(collision: Collision) -> str:
    """The type of conflict that a collision is."""
    return {SWEPT: SWEPT_WORK, UNDONE: STALE_INDEX}.get(collision.verdict, FILE_COLLISION)


def alarming(severities: Iterable[str | None]) -> bool:
    """Whether a warning or a danger is among them."""
    return any(severity in (WARNING, DANGER) for severity in severities)


def weight(severity: str | None) -> int:
    """What to sort by so that the most pressing stands first."""
    return -SEVERITIES.index(severity) if severity in SEVERITIES else 0


def policy(config: Mapping[str, str], kind: str) -> str:
    """warn, block or off for conflicts of type `kind`, of git's configuration; anything unheard of is warn."""
    said = config.get(f"gitqueen.{kind}.policy", config.get("gitqueen.policy", WARN)).strip().lower()
    return said if said in (WARN, BLOCK, OFF) else WARN
