"""Seeking contents: are they still anywhere in the user's repository, or only in a stash.

Asked of git for the few paths whose uncommitted content is gone from a worktree; raw bytes of a file go through the
path's own filters first, as `git add` would have taken them.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitqueen.git import process
from gitqueen.git.places import LENT, Place

NOWHERE, STASHED, KEPT, TAKEN = "nowhere", "stashed", "kept", "taken"
"""TAKEN: only in somebody's commit that HEAD does not have. What is worst comes first: nowhere, stashed, taken."""
PATIENCE = 20.0
"""Seconds that a search in history may take."""
MOST_NAMED, MOST_COMMITS = 500, 200
"""Paths that are named in one search, and commits of older history that are looked into."""
_RAW = (
    "--raw", "-z", "--no-abbrev", "--no-renames", "--diff-merges=1", "--root", "--no-show-signature", "-O/dev/null",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """Where contents are: objects in the index, and object -> the commits that brought it."""

    index: Collection[str]
    commits: Mapping[str, Collection[str]]
    stashes: Mapping[str, Collection[str]]
    """Stash -> the commits that it is made of: the worktree, the index, and the untracked files."""


def _where(place: Place) -> str:
    """Where git is asked: a worktree that was removed still has a repository."""
    there = place.worktree is not None and os.path.isdir(place.worktree)
    return place.worktree if there and place.worktree else place.common_dir


def survey(place: Place, since: str | None, paths: Sequence[str]) -> Seen:
    """All contents of the index, of stashes, of the commits of any ref or reflog that `since` did not have, and of
    `paths` in the history of `since` (of the last commits that changed one of them)."""
    where = _where(place)
    index = process.run("ls-files", "-s", "-z", cwd=where, check=False).out
    objects = {entry.split(b" ", 2)[1].decode("ascii") for entry in index.split(b"\0") if entry}
    stashes = _stashes(place)
    # What is stashed is no longer in any reflog but that of the stash, which `--reflog` reads too.
    tips = ("--all", "--reflog", *sorted({part for parts in stashes.values() for part in parts}))
    asked = ("log", *_RAW, "--format=%x01%H", *tips, *(("--not", since) if since else ()))
    said = process.run(*asked, cwd=where, check=False, timeout=PATIENCE).out
    commits: dict[str, set[str]] = {}
    for commit, oid, _ in _brought(said):
        commits.setdefault(oid, set()).add(commit)
    if since and len(paths) <= MOST_NAMED:
        asked = ("--literal-pathspecs", "log", *_RAW, "--format=%x01%H", f"--max-count={MOST_COMMITS}", since, "--")
        said = process.run(*asked, *paths, cwd=where, check=False, timeout=PATIENCE).out
        for commit, oid, _ in _brought(said):
            commits.setdefault(oid, set()).add(commit)
    return Seen(objects, commits, stashes)


def _brought(output: bytes) -> Iterator[tuple[str, str, str]]:
    """(commit, object, path) of each change that `git log` tells of."""
    commit, words = "", iter(output.split(b"\0"))
    for word in words:
        word = word.lstrip(b"\n")
        if word.startswith(b"\x01"):
            commit = word[1:].decode("ascii", "replace")
        elif word.startswith(b":"):
            yield commit, word.split()[3].decode("ascii"), os.fsdecode(next(words, b""))


def object_id(place: Place, path: str, raw: bytes, filtered: bool) -> str | None:
    """The object that the user's repository would make of it; None where git cannot say.

    `filtered`: whether git would take it through the path's filters (files, but no links and nothing of an index).
    """
    how = (f"--path={path}",) if filtered else ("--no-filters",)
    said = process.run("hash-object", *how, "--stdin", cwd=_where(place), stdin=raw, check=False)
    return said.out.decode("ascii", "replace").strip() or None if not said.code else None


def state(seen: Seen, oid: str) -> str:
    """KEPT where the index or a commit has this object; STASHED where only a stash has it; else NOWHERE."""
    if oid in seen.index:
        return KEPT
    found = set(seen.commits.get(oid, ()))
    if not found:
        return NOWHERE
    return STASHED if found <= {part for parts in seen.stashes.values() for part in parts} else KEPT


def elsewhere(place: Place, seen: Seen, oid: str) -> frozenset[str]:
    """The commits that have this object, where HEAD has none of them; none while HEAD is only lent."""
    parts = {part for parts in seen.stashes.values() for part in parts}
    found = frozenset(seen.commits.get(oid, ())) - parts
    if oid in seen.index or not found or place.busy in LENT or len(found) > MOST_NAMED:
        return frozenset()
    asked = ("rev-list", "--no-walk=unsorted", *sorted(found), "--not", "HEAD", "--")
    ahead = process.run(*asked, cwd=_where(place), check=False).out.decode("ascii", "replace").split()
    return found if found <= set(ahead) else frozenset()


def put_away(seen: Seen, oid: str, stashes: Collection[str]) -> bool:
    """Whether it is only in a stash, and in one of these."""
    parts = {part for stash in stashes for part in seen.stashes.get(stash, ())}
    return state(seen, oid) == STASHED and not parts.isdisjoint(seen.commits[oid])


def _stashes(place: Place) -> dict[str, set[str]]:
    listed = process.run("stash", "list", "--format=%H %P", cwd=_where(place), check=False)
    found: dict[str, set[str]] = {}
    for line in listed.out.decode("ascii", "replace").splitlines():
        stash, _, *others = line.split()
        found[stash] = {stash, *others}
    return found


def changed_since(place: Place, head: str | None) -> dict[str, list[str]]:
    """Path -> the commits after `head` on HEAD's history that changed it, the newest first."""
    asked = ("log", *_RAW, "--format=%x01%H", "--max-count=1000", f"{head}..HEAD" if head else "HEAD", "--")
    said = process.run(*asked, cwd=_where(place), check=False, timeout=PATIENCE).out
    found: dict[str, list[str]] = {}
    for commit, _, path in _brought(said):
        found.setdefault(path, []).append(commit)
    return found
