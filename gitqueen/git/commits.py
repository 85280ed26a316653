"""Commits that are made already: what each of them changed, and which ones came to a branch.

By the git command, one process a question: only drains and scans ask, never a hook that somebody waits for.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from gitqueen.git import process, staging
from gitqueen.git.places import Place

MOST = 1000
"""New commits that one look lists; a fetch may bring more, and those are nobody's here."""

MOST_AHEAD = 5000
"""Commits ahead of ours in which others' are looked for."""


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


def rebasing(place: Place) -> bool:
    """Whether what moved HEAD last was a rebase that begins: at its checkout only the reflog knows of it."""
    try:
        with open(os.path.join(place.git_dir, "logs", "HEAD"), "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            words = file.read().rstrip(b"\n").rpartition(b"\n")[2].partition(b"\t")[2]
    except OSError:
        return False
    return words.startswith(b"rebase") or b" (start): checkout " in words


def reached(place: Place, oid: str) -> bool:
    """Whether HEAD of a worktree has `oid` in its history."""
    return process.run("merge-base", "--is-ancestor", oid, "HEAD", cwd=_where(place), check=False).code == 0


def new(place: Place, before: str, after: str) -> list[str]:
    """The commits that `after` has and neither `before` nor any remote branch had, the oldest first."""
    args = ("rev-list", "--reverse", f"--max-count={MOST}", after, "--not", before, "--remotes", "--")
    asked = process.run(*args, cwd=_where(place), check=False)
    return asked.out.decode("ascii", "replace").split() if asked.code == 0 else []


def unmerged(place: Place, tips: Sequence[str], within: Sequence[str]) -> set[str]:
    """Those of the commits `within` that one of `tips` has and HEAD of this worktree has not; in one process."""
    asked = ("rev-list", "--ignore-missing", f"--max-count={MOST_AHEAD}", *tips, "--not", "HEAD", "--")
    ahead = process.run(*asked, cwd=_where(place), check=False)
    return set(ahead.out.decode("ascii", "replace").split()) & set(within) if ahead.code == 0 else set()


def unpushed(place: Place) -> bool:
    """Whether HEAD has a commit that no branch of any remote has, as far as this repository knows."""
    args = ("rev-list", "--max-count=1", "HEAD", "--not", "--remotes", "--")
    asked = process.run(*args, cwd=_where(place), check=False)
    return asked.code == 0 and bool(asked.out.strip())


def origin(place: Place) -> tuple[str, str]:
    """The first commit of the history here and where it was cloned from, in one form; each empty where there is none.

    The first commit alone tells clones of one project; a shallow clone does not have it.
    """
    where = _where(place)
    remote = process.run("config", "--get", "remote.origin.url", cwd=where, check=False)
    if os.path.exists(os.path.join(place.common_dir, "shallow")):
        return "", _plain(os.fsdecode(remote.out).strip())
    first = process.run("rev-list", "--max-parents=0", "HEAD", "--", cwd=where, check=False, timeout=60.0)
    roots = sorted(first.out.decode("ascii", "replace").split()) if first.code == 0 else []
    return (roots[0] if roots else ""), _plain(os.fsdecode(remote.out).strip())


def _plain(url: str) -> str:
    """`git@host:team/app.git` and `https://user@host/team/app` alike as `host/team/app`."""
    rest = url.partition("://")[2] or url.replace(":", "/", 1)
    host, slash, path = rest.partition("/")
    return f"{host.rpartition('@')[2].lower()}{slash}{path}".rstrip("/").removesuffix(".git")


def _where(place: Place) -> str:
    return os.fspath(place.worktree or place.git_dir)
