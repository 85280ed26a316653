"""What the scan saw: worktrees, the changed paths in each, and those that could not be looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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
    git_dir: str = ""
    upstream: str | None = None
    """Short name of the branch that this one follows, as `origin/main`."""
    ahead: int | None = None
    behind: int | None = None
    busy: str | None = None
    """What git is in the middle of: rebase, merge..."""
    dirty: int = 0
    """How many paths are changed or untracked."""
    untracked: int = 0
    took: float = 0.0
    """Seconds that the look took."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a worktree could not be looked at, and how long it was tried."""

    fault: str
    took: float


_COLUMNS = "path, common_dir, branch, head, scanned_at, git_dir, upstream, ahead, behind, busy, dirty, untracked, took"


def worktrees(db: Database) -> dict[str, Tree]:
    trees = [_from_row(row) for row in db.execute(f"SELECT {_COLUMNS} FROM worktrees ORDER BY path")]
    return {tree.path: tree for tree in trees}


def _from_row(row: tuple[object, ...]) -> Tree:
    path, common_dir, branch, head, at, git_dir, upstream, ahead, behind, busy, dirty, untracked, took = row
    return Tree(
        path=rows.as_path(path) or "",
        common_dir=rows.as_path(common_dir) or "",
        branch=rows.as_branch(branch),
        head=rows.as_text(head),
        scanned_at=_number(at),
        git_dir=rows.as_path(git_dir) or "",
        upstream=rows.as_branch(upstream),
        ahead=ahead if isinstance(ahead, int) else None,
        behind=behind if isinstance(behind, int) else None,
        busy=rows.as_text(busy),
        dirty=int(_number(dirty)),
        untracked=int(_number(untracked)),
        took=_number(took),
    )


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else 0.0


def save_worktree(db: Database, tree: Tree, changed: Iterable[str]) -> None:
    """Write what was seen in a worktree, in place of what was seen before."""
    where = {"path": rows.path(tree.path)}
    db.execute(
        f"""INSERT OR REPLACE INTO worktrees ({_COLUMNS})
           VALUES (:path, :common_dir, :branch, :head, :at, :git_dir, :upstream, :ahead, :behind, :busy, :dirty,
                   :untracked, :took)""",
        {
            **where,
            "common_dir": rows.path(tree.common_dir),
            "branch": rows.text(tree.branch),
            "head": tree.head,
            "at": tree.scanned_at,
            "git_dir": rows.path(tree.git_dir),
            "upstream": rows.text(tree.upstream),
            "ahead": tree.ahead,
            "behind": tree.behind,
            "busy": tree.busy,
            "dirty": tree.dirty,
            "untracked": tree.untracked,
            "took": tree.took,
        },
    )
    db.execute("DELETE FROM changes WHERE worktree = :path", where)
    db.executemany(
        "INSERT OR IGNORE INTO changes (worktree, path) VALUES (:path, :changed)",
        [{**where, "changed": rows.path(path)} for path in changed],
    )
    db.execute("DELETE FROM unread WHERE worktree = :path", where)


def set_branch(db: Database, worktree: str, branch: str | None) -> None:
    """HEAD of `worktree` moved: the scan must not see it move again."""
    db.execute(
        "UPDATE worktrees SET branch = :branch WHERE path = :path",
        {"path": rows.path(worktree), "branch": rows.text(branch)},
    )


def keep_worktrees(db: Database, paths: Iterable[str]) -> None:
    """Forget all worktrees but these, and those that could not be looked at alike."""
    kept = {rows.path(path) for path in paths}
    _forget(db, [path for (path,) in db.execute("SELECT path FROM worktrees") if path not in kept])
    gone = [(path,) for (path,) in db.execute("SELECT worktree FROM unread") if path not in kept]
    db.executemany("DELETE FROM unread WHERE worktree = ?", gone)


def _forget(db: Database, keys: Iterable[object]) -> None:
    gone = [(key,) for key in keys]
    db.executemany("DELETE FROM worktrees WHERE path = ?", gone)
    db.executemany("DELETE FROM changes WHERE worktree = ?", gone)


def save_unread(db: Database, worktree: str, unread: Unread) -> None:
    """It could not be looked at: what was seen there once is no longer known."""
    key = rows.path(worktree)
    _forget(db, [key])
    db.execute(
        "INSERT OR REPLACE INTO unread (worktree, fault, took) VALUES (?, ?, ?)",
        (key, rows.text(unread.fault), unread.took),
    )


def unread(db: Database) -> Mapping[str, Unread]:
    """Worktree -> why it could not be looked at."""
    found = db.execute("SELECT worktree, fault, took FROM unread ORDER BY worktree")
    return {rows.as_path(path) or "": Unread(rows.as_text(fault) or "", _number(took)) for path, fault, took in found}


FEW = 100
"""Up to so many paths are asked for one by one: a worktree may have thousands of changed ones."""


def changed(db: Database, worktree: str, among: Collection[str] | None = None) -> set[str]:
    """The paths that are changed, of all or of those `among`."""
    where = rows.path(worktree)
    if among is not None and len(among) <= FEW:
        query = "SELECT 1 FROM changes WHERE worktree = ? AND path = ?"
        return {path for path in among if db.execute(query, (where, rows.path(path))).fetchone()}
    found = db.execute("SELECT path FROM changes WHERE worktree = ?", (where,))
    every = {rows.as_path(path) or "" for (path,) in found}
    return every if among is None else every.intersection(among)
