"""Which repositories gitqueen knows, and in which of them its hooks are; and when the hive was last looked at.

Apart from `trees`, because every command asks this and only a scan asks the rest.
"""

from __future__ import annotations

from gitqueen.store import rows
from gitqueen.store.database import Database


def known(db: Database) -> dict[str, str]:
    """Common dir -> path (main worktree or bare repository) of every repository ever seen."""
    found = db.execute("SELECT common_dir, path FROM repos ORDER BY path")
    return {rows.as_path(common_dir) or "": rows.as_path(path) or "" for common_dir, path in found}


def all_managed(db: Database) -> dict[str, str]:
    """Like `known`, of those that our hooks are in."""
    found = db.execute("SELECT common_dir, path FROM repos WHERE managed ORDER BY path")
    return {rows.as_path(common_dir) or "": rows.as_path(path) or "" for common_dir, path in found}


def managed(db: Database, common_dir: str) -> bool:
    found = db.execute("SELECT managed FROM repos WHERE common_dir = ?", (rows.path(common_dir),)).fetchone()
    return bool(found and found[0])


def save(db: Database, common_dir: str, path: str, managed: bool | None = None) -> None:
    """Know of a repository; `managed` None leaves that as it is."""
    db.execute(
        """INSERT INTO repos (common_dir, path, managed) VALUES (:common_dir, :path, coalesce(:managed, 0))
           ON CONFLICT (common_dir) DO UPDATE SET path = :path, managed = coalesce(:managed, managed)""",
        {"common_dir": rows.path(common_dir), "path": rows.path(path), "managed": managed},
    )


def forget(db: Database, common_dir: str) -> None:
    db.execute("DELETE FROM repos WHERE common_dir = ?", (rows.path(common_dir),))


def last(db: Database, what: str) -> float:
    """Unix time of the last whole `what` (scan, prune); 0.0 when there was none."""
    found = db.execute("SELECT value FROM meta WHERE key = ?", (f"last_{what}",)).fetchone()
    return float(found[0]) if found else 0.0


def set_last(db: Database, what: str, at: float) -> None:
    db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (f"last_{what}", str(at)))
