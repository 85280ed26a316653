"""Which commits were seen, and which sister made each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gitqueen.model import times
from gitqueen.store import rows
from gitqueen.store.database import Database


@dataclass(frozen=True, slots=True)
class Made:
    """One commit as it was seen. `picked`: by a rebase that was still going on, so nobody's until it ends."""

    common_dir: str
    oid: str
    sister: str | None
    task: str | None
    at: datetime
    picked: bool = False


def save(db: Database, made: Made) -> bool:
    """Remember a commit; False when it was known. Who made it may become known later: a scan can be before its hook."""
    values = {
        "common_dir": rows.path(made.common_dir),
        "oid": made.oid,
        "sister": rows.text(made.sister),
        "task": rows.text(made.task),
        "at": times.iso(made.at),
        "picked": made.picked,
    }
    added = db.execute(
        """INSERT OR IGNORE INTO commits (common_dir, oid, sister, task, at, picked)
           VALUES (:common_dir, :oid, :sister, :task, :at, :picked)""",
        values,
    )
    if added.rowcount:
        return True
    db.execute(
        """UPDATE commits SET sister = :sister, task = :task
           WHERE common_dir = :common_dir AND oid = :oid AND sister IS NULL AND :sister IS NOT NULL""",
        values,
    )
    return False


def maker(db: Database, common_dir: str, oid: str) -> str | None:
    found = db.execute(
        "SELECT sister FROM commits WHERE common_dir = ? AND oid = ? AND NOT picked", (rows.path(common_dir), oid)
    ).fetchone()
    return rows.as_text(found[0]) if found else None


def known(db: Database, common_dir: str, oids: Iterable[str]) -> set[str]:
    """Which of `oids` were seen."""
    query = "SELECT 1 FROM commits WHERE common_dir = ? AND oid = ?"
    return {oid for oid in oids if db.execute(query, (rows.path(common_dir), oid)).fetchone()}


def rewritten(db: Database, common_dir: str, pairs: Iterable[tuple[str, str]]) -> None:
    """A rebase ended: each new commit (old, new) is whose the old one was, what else it made is whose it was seen."""
    where = rows.path(common_dir)
    for old, new in pairs:
        row = db.execute(
            "SELECT sister, task, at FROM commits WHERE common_dir = ? AND oid = ?", (where, old)
        ).fetchone()
        sister, task, at = row or (None, None, None)
        db.execute(
            """INSERT INTO commits (common_dir, oid, sister, task, at, picked)
               VALUES (:where, :new, :sister, :task, coalesce(:at, ''), 0)
               ON CONFLICT (common_dir, oid) DO UPDATE
               SET sister = :sister, task = :task, at = coalesce(:at, at), picked = 0""",
            {"where": where, "new": new, "sister": sister, "task": task, "at": at},
        )
    db.execute("UPDATE commits SET picked = 0 WHERE common_dir = ? AND picked", (where,))


def forget(db: Database, before: datetime) -> None:
    db.execute("DELETE FROM commits WHERE at < ?", (times.iso(before),))
