"""Which sister wrote which path of a worktree last, and how the file stood then; and what each agent was told last.

The fact that attribution stands on. By name, not by process: what she wrote is hers when she comes back, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gitqueen.model import times
from gitqueen.store import rows
from gitqueen.store.database import Database


@dataclass(frozen=True, slots=True)
class Touch:
    """`at`: Unix time; `stamp`: what the file looked like afterwards, empty where there was none."""

    path: str
    sister: str
    at: float
    stamp: str


def save(db: Database, worktree: str, touches: Iterable[Touch]) -> None:
    db.executemany(
        """INSERT INTO touches (worktree, path, sister, at, stamp) VALUES (:worktree, :path, :sister, :at, :stamp)
           ON CONFLICT (worktree, path, sister) DO UPDATE SET at = :at, stamp = :stamp""",
        [
            {
                "worktree": rows.path(worktree),
                "path": rows.path(touch.path),
                "sister": rows.text(touch.sister),
                "at": touch.at,
                "stamp": touch.stamp,
            }
            for touch in touches
        ],
    )


def of_worktree(db: Database, worktree: str) -> list[Touch]:
    """All touches of a worktree, the latest last."""
    query = "SELECT path, sister, at, stamp FROM touches WHERE worktree = ? ORDER BY at"
    return [_from_row(row) for row in db.execute(query, (rows.path(worktree),))]


def of_path(db: Database, worktree: str, path: str) -> list[Touch]:
    """The touches of one path, the latest last."""
    query = "SELECT path, sister, at, stamp FROM touches WHERE worktree = ? AND path = ? ORDER BY at"
    return [_from_row(row) for row in db.execute(query, (rows.path(worktree), rows.path(path)))]


def _from_row(row: tuple[object, object, float, str]) -> Touch:
    path, sister, at, stamp = row
    return Touch(rows.as_path(path) or "", rows.as_text(sister) or "", at, stamp)


def changed_by_others(db: Database, worktree: str, sister: str, since: float) -> list[Touch]:
    """What others touched after `since` and after `sister` herself had."""
    found = db.execute(
        """SELECT other.path, other.sister, other.at, other.stamp FROM touches mine
           JOIN touches other ON other.worktree = mine.worktree AND other.path = mine.path
           WHERE mine.worktree = :worktree AND mine.sister = :sister AND other.sister <> :sister
             AND other.at > mine.at AND other.at > :since ORDER BY other.path, other.at""",
        {"worktree": rows.path(worktree), "sister": rows.text(sister), "since": since},
    )
    return [_from_row(row) for row in found]


def committed_by_others(
    db: Database, worktree: str, common_dir: str, sister: str, since: float
) -> list[tuple[str, str, str]]:
    """(path, commit, sister) of what we heard since then that another committed, of the paths that `sister` touched
    before."""
    found = db.execute(
        """SELECT b.path, b.oid, c.sister, t.at, c.at FROM touches t
           JOIN brought b ON b.common_dir = :common_dir AND b.path = t.path
           JOIN commits c ON c.common_dir = b.common_dir AND c.oid = b.oid
           WHERE t.worktree = :worktree AND t.sister = :sister AND c.sister IS NOT NULL AND c.sister <> :sister
             AND NOT c.picked AND c.heard > :since ORDER BY b.path, c.at""",
        {
            "worktree": rows.path(worktree),
            "common_dir": rows.path(common_dir),
            "sister": rows.text(sister),
            "since": since,
        },
    )
    return [
        (rows.as_path(path) or "", oid, rows.as_text(by) or "")
        for path, oid, by, touched, at in found
        if (made := times.parse(at)) is not None and made.timestamp() + 1 >= touched
    ]


def rename(db: Database, old: str, new: str) -> None:
    db.execute("UPDATE OR REPLACE touches SET sister = ? WHERE sister = ?", (new, old))
    db.execute("UPDATE OR REPLACE attended SET sister = ? WHERE sister = ?", (new, old))


def attended(db: Database, sister: str) -> tuple[float, int]:
    """When she was last told what is new (0.0: never), and the last letter that she was told of."""
    found = db.execute("SELECT at, letter FROM attended WHERE sister = ?", (rows.text(sister),)).fetchone()
    return (found[0], found[1]) if found else (0.0, 0)


def attend(db: Database, sister: str, at: float, letter: int) -> None:
    db.execute(
        """INSERT INTO attended (sister, at, letter) VALUES (:sister, :at, :letter)
           ON CONFLICT (sister) DO UPDATE SET at = :at, letter = max(letter, :letter)""",
        {"sister": rows.text(sister), "at": at, "letter": letter},
    )


def forget(db: Database, before: datetime) -> None:
    db.execute("DELETE FROM touches WHERE at < ?", (before.timestamp(),))
    db.execute("DELETE FROM attended WHERE at < ?", (before.timestamp(),))
