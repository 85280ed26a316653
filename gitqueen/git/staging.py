"""What a commit is about to take, and which paths of a worktree carry uncommitted work.

By the git command: it knows the temporary index of `commit -a` and `commit FILE`, sparse checkouts and filters, where
libgit2 sees the wrong set.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from gitqueen.git import process
from gitqueen.git.places import Place

STATUS = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
# Measured among 5,000 changed files: 0.08 ms a named path, 33 ms for all of them.
_MOST_NAMED = 200
_MOST_BYTES = 64 * 1024


def staged(place: Place, env: Mapping[str, str]) -> list[str]:
    """Paths from the top that the commit being made changes, both sides of a rename; in a merge only those that
    differ from every parent: what a merge merely carries is nobody's doing (INCIDENTS 12)."""
    return list(changes(place, env))


def changes(place: Place, env: Mapping[str, str]) -> dict[str, str]:
    """Path -> A (added), D (deleted), M, T: what `staged` tells, and how it differs from HEAD."""
    ours = _differing(place, env)
    for theirs in merged(place) if ours else ():
        also = _differing(place, env, theirs)
        ours = {path: how for path, how in ours.items() if path in also}
    return dict(sorted(ours.items()))


def merged(place: Place) -> list[str]:
    """The other parents of the commit being made."""
    try:
        with open(os.path.join(place.git_dir, "MERGE_HEAD"), encoding="ascii", errors="replace") as file:
            said = file.read().split()
    except OSError:
        return []
    # Ids only: git would take a word that begins with a dash for an option.
    return [word for word in said if not set(word) - set("0123456789abcdef")]


def _differing(place: Place, env: Mapping[str, str], revision: str = "HEAD") -> dict[str, str]:
    args = ("--cached", "--name-status", "--no-renames", "--ignore-submodules=none", "--ita-invisible-in-index", "-z")
    env = place.environment(env)
    asked = process.run("diff-index", *args, revision, "--", cwd=place.worktree, env=env, check=False)
    if asked.code:  # an unborn branch has no HEAD: `diff` knows what stands for it, at the price of its settings
        asked = process.run("diff", *args, "--no-ext-diff", "--no-relative", "--", cwd=place.worktree, env=env)
    words = iter(paths(asked.out))
    return {path: how for how, path in zip(words, words, strict=False)}


def uncommitted(worktree: str, among: Iterable[str], inside: bool = True) -> set[str]:
    """Which of the paths `among` (from the top) are changed, staged or untracked in `worktree` right now; `inside`:
    a submodule is, too, when something is edited inside of it that is not committed there."""
    wanted = set(among)
    if not wanted:
        return set()
    few = len(wanted) <= _MOST_NAMED and sum(len(os.fsencode(path)) for path in wanted) <= _MOST_BYTES
    named = ("--", *wanted) if few else ()
    status = STATUS if inside else (*STATUS, "--ignore-submodules=dirty")
    return wanted & changed(process.run("--literal-pathspecs", *status, *named, cwd=worktree).out)


def beneath(worktree: str, folder: str) -> list[str]:
    """The files in `folder` (from the top; empty: all of them) that git knows, or would with the next `add`."""
    args = ("ls-files", "-z", "--full-name", "--cached", "--others", "--exclude-standard", "--deduplicate")
    return paths(process.run("--literal-pathspecs", *args, "--", folder or ".", cwd=worktree).out)


def changed(status: bytes) -> set[str]:
    """The paths that `git status` in the form of `STATUS` speaks of; a repository inside is named like a file."""
    return {entry[3:].rstrip("/") for entry in paths(status)}


def paths(output: bytes) -> list[str]:
    """The NUL-separated paths that git printed."""
    return [os.fsdecode(path) for path in output.split(b"\0") if path]
