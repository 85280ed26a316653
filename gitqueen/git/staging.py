"""What a commit is about to take, and which paths of a worktree carry uncommitted work.

By the git command: it knows the temporary index of `commit -a` and `commit FILE`, sparse checkouts and filters, where
libgit2 sees the wrong set.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from gitqueen.git import process
from gitqueen.git.places import Place


def staged(place: Place, env: Mapping[str, str]) -> list[str]:
    """Paths from the top that the commit being made changes, both sides of a rename; in a merge only those that
    differ from every parent: what a merge merely carries is nobody's doing (INCIDENTS 12)."""
    ours = _differing(place, env, "HEAD")
    merging = os.path.join(place.git_dir, "MERGE_HEAD")
    if ours and os.path.exists(merging):
        with open(merging, encoding="ascii", errors="replace") as file:
            for theirs in file.read().split():
                ours &= _differing(place, env, theirs)
    return sorted(ours)


def _differing(place: Place, env: Mapping[str, str], revision: str) -> set[str]:
    args = ("diff", "--cached", "--name-only", "--no-renames", "--no-ext-diff", "--ignore-submodules=none", "-z")
    asked = process.run(*args, revision, "--", cwd=place.worktree, env=env, check=False)
    if asked.code:  # an unborn branch has no HEAD: everything staged is new
        asked = process.run("ls-files", "-z", "--full-name", cwd=place.worktree, env=env)
    return set(paths(asked.out))


def uncommitted(worktree: str, among: Iterable[str]) -> set[str]:
    """Which of the paths `among` (from the top) are changed, staged or untracked in `worktree` right now."""
    wanted = [f":(top,literal){path}" for path in among]
    found: set[str] = set()
    # In pieces: status takes no list from stdin, and 5,000 paths are longer than an argument list may be.
    for chunk in _chunks(wanted):
        args = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *chunk)
        found |= {entry[3:] for entry in paths(process.run(*args, cwd=worktree).out)}
    return found


def _chunks(words: list[str], most: int = 500) -> Iterable[list[str]]:
    return (words[start : start + most] for start in range(0, len(words), most))


def paths(output: bytes) -> list[str]:
    """The NUL-separated paths that git printed."""
    return [os.fsdecode(path) for path in output.split(b"\0") if path]
