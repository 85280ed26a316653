"""Seeking a content: is it still anywhere in the user's repository, or only in a stash.

Asked of git for the few paths whose uncommitted content is gone from a worktree; raw bytes go through the path's own
filters first, as `git add` would have taken them.
"""

from __future__ import annotations

from gitqueen.git import process
from gitqueen.git.places import Place

NOWHERE, STASHED, KEPT = "nowhere", "stashed", "kept"
PATIENCE = 20.0
"""Seconds that one search in history may take."""


def seek(place: Place, path: str, raw: bytes, since: str | None) -> str:
    """KEPT where the index, or a commit that came after the commit `since`, has the content of `path`; STASHED where
    only a stash has it; else NOWHERE."""
    where = place.worktree
    said = process.run("hash-object", f"--path={path}", "--stdin", cwd=where, stdin=raw, check=False)
    oid = said.out.decode("ascii", "replace").strip()
    if said.code or not oid:
        return NOWHERE
    index = process.run("--literal-pathspecs", "ls-files", "-s", "-z", "--", path, cwd=where, check=False)
    if oid.encode() in index.out.split():
        return KEPT
    found = _commits(place, oid, since)
    if not found:
        return NOWHERE
    return STASHED if found <= _stashes(place) else KEPT


def _commits(place: Place, oid: str, since: str | None) -> set[str]:
    """Commits of any ref or reflog, but for those that `since` had already, that brought or took this object."""
    args = ("log", "--all", "--reflog", "--diff-merges=1", f"--find-object={oid}", "--format=%H", "--max-count=50")
    asked = process.run(*args, *(("--not", since) if since else ()), cwd=place.worktree, check=False, timeout=PATIENCE)
    return set(asked.out.decode("ascii", "replace").split())


def _stashes(place: Place) -> set[str]:
    """Every commit that a stash is made of: the worktree, the index, and the untracked files."""
    listed = process.run("stash", "list", "--format=%H %P", cwd=place.worktree, check=False)
    found: set[str] = set()
    for line in listed.out.decode("ascii", "replace").splitlines():
        stash, _, *others = line.split()
        found |= {stash, *others}
    return found


def changed_since(place: Place, path: str, head: str | None) -> list[str]:
    """The commits after `head` on HEAD's history that changed `path`, the newest first."""
    args = ("--literal-pathspecs", "log", "--format=%H", "--max-count=50", f"{head}..HEAD" if head else "HEAD")
    asked = process.run(*args, "--", path, cwd=place.worktree, check=False, timeout=PATIENCE)
    return asked.out.decode("ascii", "replace").split()
