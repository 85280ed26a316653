"""Commits that are made already: what each of them changed, and which ones came to a branch.

By the git command, one process a question: only drains and scans ask, never a hook that somebody waits for.
"""

from __future__ import annotations

import os

from gitqueen.git import process, staging
from gitqueen.git.places import Place

MOST = 1000
"""New commits that one look lists; a fetch may bring more, and those are nobody's here."""


def head(place: Place) -> str | None:
    """The commit that HEAD of a worktree is; None on an unborn branch."""
    asked = process.run("rev-parse", "--verify", "-q", "HEAD^{commit}", cwd=_where(place), check=False)
    return asked.out.decode("ascii", "replace").strip() or None


def changed(place: Place, oid: str) -> list[str]:
    """Paths from the top that `oid` changed; of a merge only those that differ from every parent (INCIDENTS 12)."""
    args = ("diff-tree", "-r", "-c", "--root", "--no-commit-id", "--name-only", "--no-renames", "-z", oid, "--")
    asked = process.run(*args, cwd=_where(place), check=False)
    return sorted(set(staging.paths(asked.out))) if asked.code == 0 else []


def parents(place: Place, oid: str) -> int:
    asked = process.run("rev-list", "--no-walk", "--parents", oid, "--", cwd=_where(place), check=False)
    return max(0, len(asked.out.split()) - 1)


def reached(place: Place, oid: str) -> bool:
    """Whether HEAD of a worktree has `oid` in its history."""
    return process.run("merge-base", "--is-ancestor", oid, "HEAD", cwd=_where(place), check=False).code == 0


def new(place: Place, before: str, after: str) -> list[str]:
    """The commits that `after` has and neither `before` nor any remote branch had, the oldest first."""
    args = ("rev-list", "--reverse", f"--max-count={MOST}", after, "--not", before, "--remotes", "--")
    asked = process.run(*args, cwd=_where(place), check=False)
    return asked.out.decode("ascii", "replace").split() if asked.code == 0 else []


def _where(place: Place) -> str:
    return os.fspath(place.worktree or place.git_dir)
