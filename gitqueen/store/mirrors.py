"""How each repository's mirror was left: what it should say, how its refs looked then, and why it does not, if so."""

from __future__ import annotations

from dataclasses import dataclass

from gitqueen.store import rows
from gitqueen.store.database import Database


@dataclass(frozen=True, slots=True)
class Mirror:
    wanted: str
    """All that should stand there, a line a ref."""
    stamp: str | None
    """Its refs by a few stats, when they were seen to agree; None: not looked at since they were written."""
    fault: str
    """Why it does not agree, in a sentence; empty where it does."""


def everything(db: Database) -> dict[str, Mirror]:
    """Common dir -> mirror."""
    found = db.execute("SELECT common_dir, wanted, stamp, fault FROM mirrors")
    return {rows.as_path(common_dir) or "": Mirror(*rest) for common_dir, *rest in found}


def save(db: Database, common_dir: str, mirror: Mirror) -> None:
    db.execute(
        "INSERT OR REPLACE INTO mirrors (common_dir, wanted, stamp, fault) VALUES (?, ?, ?, ?)",
        (rows.path(common_dir), mirror.wanted, mirror.stamp, rows.text(mirror.fault)),
    )


def forget(db: Database, common_dir: str) -> None:
    db.execute("DELETE FROM mirrors WHERE common_dir = ?", (rows.path(common_dir),))
