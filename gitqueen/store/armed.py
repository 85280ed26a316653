"""How the hooks of each worktree were found last: so that a scan looks again only where something changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gitqueen.model import times
from gitqueen.store import rows
from gitqueen.store.database import Database


@dataclass(frozen=True, slots=True)
class Armed:
    """`fault`: what would not fire, in sentences, empty where all does; `since` when it is so."""

    worktree: str
    folder: str
    """The hooks folder in force."""
    fingerprint: str
    fault: str
    since: datetime | None


def everything(db: Database) -> dict[str, Armed]:
    """Worktree (or bare repository) -> how it was found."""
    found = db.execute("SELECT worktree, folder, fingerprint, fault, since FROM armed")
    armed = [
        Armed(rows.as_path(path) or "", rows.as_path(folder) or "", mark, fault, times.parse(since))
        for path, folder, mark, fault, since in found
    ]
    return {one.worktree: one for one in armed}


def save(db: Database, one: Armed) -> None:
    db.execute(
        """INSERT OR REPLACE INTO armed (worktree, folder, fingerprint, fault, since)
           VALUES (:worktree, :folder, :fingerprint, :fault, :since)""",
        {
            "worktree": rows.path(one.worktree),
            "folder": rows.path(one.folder),
            "fingerprint": one.fingerprint,
            "fault": rows.text(one.fault),
            "since": rows.moment(one.since),
        },
    )


def forget(db: Database, worktrees: Iterable[str]) -> None:
    db.executemany("DELETE FROM armed WHERE worktree = ?", [(rows.path(path),) for path in worktrees])
