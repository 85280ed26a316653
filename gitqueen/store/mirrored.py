"""Which refs in a repository are this queen's: another queen on the same machine has some of her own there."""

from __future__ import annotations

from collections.abc import Iterable

from gitqueen.store import rows
from gitqueen.store.database import Database


def everything(db: Database, common_dir: str) -> dict[str, set[str]]:
    """Ref -> the objects that we ever let it point at and have not seen replaced."""
    found: dict[str, set[str]] = {}
    for ref, oid in db.execute("SELECT ref, oid FROM mirrored WHERE common_dir = ?", (rows.path(common_dir),)):
        found.setdefault(ref, set()).add(oid)
    return found


def intend(db: Database, common_dir: str, refs: Iterable[tuple[str, str]]) -> None:
    """We are about to write these (ref, object id): a kill in between must not make them a stranger's."""
    db.executemany(
        "INSERT OR IGNORE INTO mirrored (common_dir, ref, oid) VALUES (?, ?, ?)",
        [(rows.path(common_dir), ref, oid) for ref, oid in refs],
    )


def settle(db: Database, common_dir: str, there: Iterable[tuple[str, str]]) -> None:
    """These (ref, object id) are ours and stand there; of no other is anything known any more."""
    db.execute("DELETE FROM mirrored WHERE common_dir = ?", (rows.path(common_dir),))
    intend(db, common_dir, there)
