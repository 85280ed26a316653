"""Pushes: where a branch would be pushed to, what of it is there already, and whether that would be refused.

By what this repository knows of its remotes: none of them is asked.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from gitqueen.git import commits, process
from gitqueen.git.places import Place


@dataclass(frozen=True, slots=True)
class Push:
    """`ahead`: commits of HEAD that no branch of any remote has; None where there is no remote. `remote`: where it
    goes, in one form; `branch` and `tip`: which branch there, and at which commit that was last seen; empty when
    unknown. `rejected`: somebody pushed there what HEAD does not have."""

    ahead: int | None
    remote: str = ""
    branch: str = ""
    tip: str = ""
    rejected: bool = False

    @property
    def target(self) -> tuple[str, str]:
        return self.remote, self.branch


def look(place: Place) -> Push:
    """What a push of the branch of a worktree would be; `ahead` is 0 where nothing of it is to be pushed."""
    count = _number(place, "rev-list", "--count", "HEAD", "--not", "--remotes", "--")
    form = "%(push:remotename)%00%(push:remoteref)%00%(upstream:remotename)%00%(upstream:remoteref)"
    asked = _ask(place, "for-each-ref", f"--format={form}", f"refs/heads/{place.branch or ''}")
    push, there, upstream, ref = (*asked.split("\0"), "", "", "", "")[:4]
    name = push or upstream or "origin"
    url = _ask(place, "remote", "get-url", "--push", name)
    if not url:
        return Push(None if count else 0)
    branch = (there or (ref if name == upstream else "") or place.branch or "").removeprefix("refs/heads/")
    tip = _ask(place, "rev-parse", "--verify", "--quiet", f"refs/remotes/{name}/{branch}")
    return Push(count, commits.plain(os.path.realpath(url) if os.path.isabs(url) else url), branch, tip)


def _number(place: Place, *args: str) -> int:
    said = _ask(place, *args)
    return int(said) if said.isdecimal() else 0


def _ask(place: Place, *args: str) -> str:
    asked = process.run(*args, cwd=place.folder, check=False)
    return os.fsdecode(asked.out).rstrip("\n") if asked.code == 0 else ""
