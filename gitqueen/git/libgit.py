"""pygit2, and nothing of it anywhere else: reading repositories in processes that live long enough to import it.

What libgit2 cannot open (reftable, SHA-256, sparse and split indexes) or may be wrong about (what is left out of a
sparse tree looks deleted, filtered files look changed) is read by the git command.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import pygit2
from pygit2.enums import FileStatus

from gitqueen.git import process, staging
from gitqueen.tracing import step

_CALM = (FileStatus.CURRENT, FileStatus.IGNORED)
_UNKNOWN = ("filter", "working-tree-encoding")
"""Attributes by which git makes other content, and libgit2 does not."""
_MOST_ASKED = 50
"""Attributes cost 0.06 ms a path: beyond this, git's own status (3 ms) is the shorter way."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A worktree at one moment."""

    head: str | None
    """Commit id; None on an unborn branch."""
    changed: tuple[str, ...]
    """Paths from the top that are changed, staged or untracked (not ignored)."""


def look(worktree: str) -> Seen:
    """HEAD and changed paths of `worktree`; raises `errors.GitFailed` where neither pygit2 nor git can tell."""
    with step("git", f"status of {worktree}"):
        try:
            seen = by_libgit(worktree)
        except (pygit2.GitError, KeyError, ValueError):
            seen = None  # unknown extension, broken index, foreign owner: git itself says what it is
        return seen or by_git(worktree)


def by_libgit(worktree: str) -> Seen | None:
    """What libgit2 sees; None where that may be wrong."""
    repository = pygit2.Repository(worktree)
    if _other_settings(repository):
        return None
    flags = repository.status(untracked_files="all", ignored=False)
    if _doubtful(repository, flags):
        return None
    head = None if repository.head_is_unborn else str(repository.head.target)
    return Seen(head, tuple(sorted(path.rstrip("/") for path, flag in flags.items() if flag not in _CALM)))


def by_git(worktree: str) -> Seen:
    """What git sees, at the price of two processes."""
    asked = process.run("rev-parse", "--verify", "--quiet", "HEAD", cwd=worktree, check=False)
    status = process.run(*staging.STATUS, cwd=worktree)
    return Seen(asked.out.decode("ascii").strip() or None, tuple(sorted(staging.changed(status.out))))


def _other_settings(repository: pygit2.Repository) -> bool:
    """Whether git's configuration says more than libgit2 reads of it."""
    own = os.environ.get("GIT_CONFIG_GLOBAL")
    if own is not None and own != os.path.expanduser("~/.gitconfig"):
        return True
    return any(entry.name.startswith("includeif.hasconfig:") for entry in repository.config)


def _doubtful(repository: pygit2.Repository, flags: Mapping[str, int]) -> bool:
    # Deleted, or left out of a sparse tree: libgit2 does not tell. What it calls clean is clean.
    if any(flag & FileStatus.WT_DELETED for flag in flags.values()):
        return True
    modified = [path for path, flag in flags.items() if flag & FileStatus.WT_MODIFIED]
    if len(modified) > _MOST_ASKED:
        return True
    return any(repository.get_attr(path, name) for path in modified for name in _UNKNOWN)
