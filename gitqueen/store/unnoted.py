"""What the notes of commits still have to be told: written with what it tells of, taken away when it stands in git."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gitqueen.store import rows
from gitqueen.store.database import Database

MOST = 20_000
"""Entries taken at once."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for one repository, in the order in which it came; `upto`: the last entries of both kinds."""

    common_dir: str
    lines: tuple[tuple[str, str], ...]
    """(commit, line)."""
    carried: tuple[tuple[str, str], ...]
    """(old commit, new commit)."""
    upto: tuple[int, int]
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


def waiting(db: Database, common_dir: str) -> Waiting:
    where = (rows.path(common_dir), MOST)
    lines = db.execute("SELECT id, oid, line FROM unnoted WHERE common_dir = ? ORDER BY id LIMIT ?", where).fetchall()
    # Nothing is carried on before all lines are told.
    most = 0 if len(lines) == MOST else MOST
    query = "SELECT id, old, new FROM carried WHERE common_dir = ? ORDER BY id LIMIT ?"
    pairs = db.execute(query, (where[0], most)).fetchall()
    return Waiting(
        common_dir=common_dir,
        lines=tuple((oid, line) for _, oid, line in lines),
        carried=tuple((old, new) for _, old, new in pairs),
        upto=(max((row[0] for row in lines), default=0), max((row[0] for row in pairs), default=0)),
        more=len(lines) == MOST or len(pairs) == MOST,
    )


def done(db: Database, told: Waiting) -> None:
    for table, upto in zip(("unnoted", "carried"), told.upto, strict=True):
        db.execute(f"DELETE FROM {table} WHERE common_dir = ? AND id <= ?", (rows.path(told.common_dir), upto))


def count(db: Database) -> dict[str, int]:
    """Common dir -> how many lines wait."""
    found = db.execute("SELECT common_dir, count(*) FROM unnoted GROUP BY common_dir")
    return {rows.as_path(common_dir) or "": number for common_dir, number in found}


def forget(db: Database, common_dir: str) -> None:
    """The repository is gone, or managed no more."""
    for table in ("unnoted", "carried"):
        db.execute(f"DELETE FROM {table} WHERE common_dir = ?", (rows.path(common_dir),))
