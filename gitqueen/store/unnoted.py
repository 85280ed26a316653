"""What the notes of commits still have to be told: written with what it tells of, taken away when it stands in git."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from gitqueen.store import rows
from gitqueen.store.database import Database

MOST = 20_000
"""Entries taken at once."""
SETTLED = 0.3
"""Seconds after which git has written what it read before we wrote: then our lines are there still, or are lost."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`first` is a commit; `second` the line to be told of it, or the commit that it became."""

    id: int
    first: str
    second: str
    told: float | None
    """Unix time at which it was written into the notes; None: not yet."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for one repository, in the order in which it came."""

    lines: tuple[Entry, ...]
    carried: tuple[Entry, ...]
    more: bool
    """Whether more may wait than was taken."""


def add(db: Database, common_dir: str, oid: str, line: str) -> None:
    db.execute("INSERT INTO unnoted (common_dir, oid, line) VALUES (?, ?, ?)", (rows.path(common_dir), oid, line))


def carry(db: Database, common_dir: str, pairs: Iterable[tuple[str, str]]) -> None:
    """What the first of each pair is told of goes for the second one too."""
    db.executemany(
        "INSERT INTO carried (common_dir, old, new) VALUES (?, ?, ?)",
        [(rows.path(common_dir), old, new) for old, new in pairs],
    )


def repositories(db: Database) -> list[str]:
    found = db.execute("SELECT common_dir FROM unnoted UNION SELECT common_dir FROM carried")
    return [rows.as_path(common_dir) or "" for (common_dir,) in found]


def waiting(db: Database, common_dir: str, at: float) -> Waiting:
    """What is to be written at `at` (Unix time), or to be looked at once more."""
    where = {"common_dir": rows.path(common_dir), "at": at, "most": MOST}
    lines = _entries(db, "unnoted", "oid, line", where)
    # Nothing is carried on before all lines are told.
    pairs = _entries(db, "carried", "old, new", where) if len(lines) < MOST else ()
    return Waiting(lines, pairs, more=MOST in (len(lines), len(pairs)))


def _entries(db: Database, table: str, columns: str, where: Mapping[str, object]) -> tuple[Entry, ...]:
    query = f"""SELECT id, {columns}, told FROM {table}
                WHERE common_dir = :common_dir AND (told IS NULL OR abs(:at - told) >= {SETTLED})
                ORDER BY id LIMIT :most"""
    return tuple(Entry(*row) for row in db.execute(query, where))


def told(db: Database, waiting: Waiting, written: Container[str], at: float) -> None:
    """All of it stands in the notes. What did so a moment ago already may go; what was written now, to the commits
    `written`, is looked at once more."""
    for table, entries in (("unnoted", waiting.lines), ("carried", waiting.carried)):
        for entry in entries:
            commit = entry.first if table == "unnoted" else entry.second
            if entry.told is not None and commit not in written:
                db.execute(f"DELETE FROM {table} WHERE id = ?", (entry.id,))
            else:
                db.execute(f"UPDATE {table} SET told = ? WHERE id = ?", (at, entry.id))


def count(db: Database) -> dict[str, int]:
    """Common dir -> how many lines wait."""
    found = db.execute("SELECT common_dir, count(*) FROM unnoted WHERE told IS NULL GROUP BY common_dir")
    return {rows.as_path(common_dir) or "": number for common_dir, number in found}


def forget(db: Database, common_dir: str) -> None:
    """The repository is gone, or managed no more."""
    for table in ("unnoted", "carried"):
        db.execute(f"DELETE FROM {table} WHERE common_dir = ?", (rows.path(common_dir),))
