"""pygit2, and nothing of it anywhere else: reading repositories in processes that live long enough to import it.

What libgit2 cannot open or sees wrongly (reftable, SHA-256, sparse, split index, filters) is read by the git command.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import pygit2
from pygit2.enums import FileStatus

from gitqueen.git import process, staging
from gitqueen.tracing import step

# Where libgit2 refuses, or says something else than git: sparse trees look deleted, filtered files look changed.
_CLI_ONLY = (
    "core.sparsecheckout",
    "index.sparse",
    "core.splitindex",
    "extensions.refstorage",
    "extensions.partialclone",
)


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
            repository = pygit2.Repository(worktree)
            if not _cli_only(repository):
                return _by_libgit(repository)
        except (pygit2.GitError, KeyError, ValueError, UnicodeDecodeError):
            pass  # unknown extension, broken index, foreign owner: git itself says what it is
        return _by_cli(worktree)


def _by_libgit(repository: pygit2.Repository) -> Seen:
    flags = repository.status(untracked_files="all", ignored=False)
    head = None if repository.head_is_unborn else str(repository.head.target)
    calm = (FileStatus.CURRENT, FileStatus.IGNORED)
    return Seen(head, tuple(sorted(path for path, flag in flags.items() if flag not in calm)))


def _cli_only(repository: pygit2.Repository) -> bool:
    config = repository.config
    if any(key in config and (config[key] or "").lower() not in ("false", "0", "no", "off") for key in _CLI_ONLY):
        return True
    return any(entry.name.startswith("filter.") for entry in config) and _has_attributes(repository)


def _has_attributes(repository: pygit2.Repository) -> bool:
    """Whether a filter may be in use: attributes somewhere git looks for them."""
    common = os.path.join(repository.path, "..", "..")  # of a linked worktree
    places = [os.path.join(folder, "info", "attributes") for folder in (repository.path, common)]
    if any(map(os.path.exists, places)) or "core.attributesfile" in repository.config:
        return True
    return any(entry.path.rsplit("/", 1)[-1] == ".gitattributes" for entry in repository.index)


def _by_cli(worktree: str) -> Seen:
    asked = process.run("rev-parse", "--verify", "-q", "HEAD", cwd=worktree, check=False)
    status = process.run("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", cwd=worktree)
    changed = {entry[3:] for entry in staging.paths(status.out)}
    return Seen(asked.out.decode("ascii").strip() or None, tuple(sorted(changed)))
