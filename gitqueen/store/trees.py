"""What the scan saw: worktrees, and the changed paths in each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gitqueen.store import rows
from gitqueen.store.database import Database


@dataclass(frozen=True, slots=True)
class Tree:
    """A worktree as the scan saw it `scanned_at` (Unix time)."""

    path: str
    common_dir: str
    branch: str | None
    head: str | None
    scanned_at: float


def worktrees(db: Database) -> dict[str, Tree]:
    found = db.execute("SELECT path, common_dir, branch, head, scanned_at FROM worktrees ORDER BY path")
    trees = [
        Tree(rows.as_path(p) or "", rows.as_path(c) or "", rows.as_branch(b), h, at or 0.0) for p, c, b, h, at in found
    ]
    return {tree.path: tree for tree in trees}


def save_worktree(db: Database, tree: Tree, changed: Iterable[str]) -> None:
    """Write what was seen in a worktree, in place of what was seen before."""
    where = {"path": rows.path(tree.path)}
    db.execute(
        """INSERT OR REPLACE INTO worktrees (path, common_dir, branch, head, scanned_at)
           VALUES (:path, :common_dir, :branch, :head, :at)""",
        {
            **where,
            "common_dir": rows.path(tree.common_dir),
            "branch": rows.text(tree.branch),
            "head": tree.head,
            "at": tree.scanned_at,
        },
    )
    db.execute("DELETE FROM changes WHERE worktree = :path", where)
    db.executemany(
        "INSERT OR IGNORE INTO changes (worktree, path) VALUES (:path, :changed)",
        [{**where, "changed": rows.path(path)} for path in changed],
    )


def set_branch(db: Database, worktree: str, branch: str | None) -> None:
    """HEAD of `worktree` moved: the scan must not see it move again."""
    db.execute(
        "UPDATE worktrees SET branch = :branch WHERE path = :path",
        {"path": rows.path(worktree), "branch": rows.text(branch)},
    )


def keep_worktrees(db: Database, paths: Iterable[str]) -> None:
    """Forget all worktrees but these."""
    kept = {rows.path(path) for path in paths}
    gone = [(path,) for (path,) in db.execute("SELECT path FROM worktrees") if path not in kept]
    db.executemany("DELETE FROM worktrees WHERE path = ?", gone)
    db.executemany("DELETE FROM changes WHERE worktree = ?", gone)


def changed(db: Database, worktree: str) -> set[str]:
    found = db.execute("SELECT path FROM changes WHERE worktree = ?", (rows.path(worktree),))
    return {rows.as_path(path) or "" for (path,) in found}
