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
    found = db.execute("SELECT common_dir, path FROM repos WHERE managed > 0 ORDER BY path")
    return {rows.as_path(common_dir) or "": rows.as_path(path) or "" for common_dir, path in found}


def looked_after(db: Database) -> dict[str, str]:
    """Like `known`, of those that a scan looks at though no sister is there: with our hooks in, or asked for."""
    found = db.execute("SELECT common_dir, path FROM repos WHERE managed > 0 OR watched > 0 ORDER BY path")
    return {rows.as_path(common_dir) or "": rows.as_path(path) or "" for common_dir, path in found}


def watched(db: Database) -> set[str]:
    """Common dirs of the repositories that somebody asked to look at."""
    return {rows.as_path(place) or "" for (place,) in db.execute("SELECT common_dir FROM repos WHERE watched > 0")}


def set_watched(db: Database, common_dir: str, wanted: bool) -> None:
    db.execute("UPDATE repos SET watched = ? WHERE common_dir = ?", (int(wanted), rows.path(common_dir)))


def managed(db: Database, common_dir: str) -> bool:
    found = db.execute("SELECT managed FROM repos WHERE common_dir = ?", (rows.path(common_dir),)).fetchone()
    return bool(found and found[0] > 0)


DECLINED, BY_NAME, BY_GLOBAL = -1, 1, 2
"""The user took the hooks out; or named the repository to put them in; or accepted `--global`."""


def managed_by(db: Database, common_dir: str) -> int | None:
    """BY_NAME or BY_GLOBAL; DECLINED or 0 where it is not managed; None where it was never seen."""
    found = db.execute("SELECT managed FROM repos WHERE common_dir = ?", (rows.path(common_dir),)).fetchone()
    return int(found[0]) if found else None


def everywhere(db: Database) -> bool:
    """Whether the user accepted `--global`: every repository that is seen is managed."""
    return db.execute("SELECT 1 FROM meta WHERE key = 'everywhere'").fetchone() is not None


def set_everywhere(db: Database, accepted: bool) -> None:
    if accepted:
        db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('everywhere', '1')")
    else:
        db.execute("DELETE FROM meta WHERE key = 'everywhere'")


def save(db: Database, common_dir: str, path: str, managed: int | None = None) -> None:
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


def kin(db: Database, common_dir: str) -> dict[str, str]:
    """Like `known`, of this repository and the clones of the same project: one first commit, or one origin where
    nobody knows the first commit (shallow clones)."""
    found = db.execute(
        """SELECT other.common_dir, other.path FROM repos mine JOIN repos other
           ON other.common_dir = mine.common_dir OR (other.root = mine.root AND mine.root <> '')
              OR (other.remote = mine.remote AND mine.remote <> '' AND '' IN (mine.root, other.root))
           WHERE mine.common_dir = ? ORDER BY other.path""",
        (rows.path(common_dir),),
    )
    return {rows.as_path(place) or "": rows.as_path(path) or "" for place, path in found} or {common_dir: ""}


def strangers(db: Database) -> dict[str, str]:
    """Like `known`, of those nobody has looked at for their first commit."""
    found = db.execute("SELECT common_dir, path FROM repos WHERE root IS NULL ORDER BY path")
    return {rows.as_path(common_dir) or "": rows.as_path(path) or "" for common_dir, path in found}


def set_origin(db: Database, common_dir: str, root: str, remote: str) -> None:
    """Its first commit and where it was cloned from, each empty where there is none."""
    db.execute(
        "UPDATE repos SET root = ?, remote = ? WHERE common_dir = ?", (root, rows.text(remote), rows.path(common_dir))
    )
