"""Following: commits that took in work which several sisters may own, watched for as long as HEAD keeps them.

A commit that swept up her work may go, and her work with it, long after her files were clean; `losing` says what that
means. It is remembered as `SNAPSHOT:COMMIT`: what that snapshot has stands in that commit.
"""

from __future__ import annotations

from collections.abc import Iterable

from gitqueen.git import commits, rescue
from gitqueen.git.places import LENT, Place
from gitqueen.services import tending
from gitqueen.services.queen import Queen
from gitqueen.settings import DAY

MOST = 8
"""Commits of one worktree that are watched."""


def begin(queen: Queen, place: Place, known: str, before: str) -> str:
    """`known`, and HEAD if it is new: then what the snapshot `before` has may stand in it, whoever made it."""
    if not before or sum(sister.worktree == place.worktree for sister in tending.living(queen)) < 2:
        return known
    was, head = rescue.one(place, before), commits.head(place)
    if was is None or head is None or head == was.head:
        return known
    return " ".join([*known.split(), f"{before}:{head}"][-MOST:])


def gone(queen: Queen, place: Place, known: str) -> list[str]:
    """The snapshots whose commits HEAD has no more. While it is only lent nothing is asked."""
    pairs = _recent(queen, known)
    if not pairs or place.busy in LENT:
        return []
    lost = commits.beyond(place, [oid for _, oid in pairs])
    return [since for since, oid in pairs if oid in lost]


def go_on(queen: Queen, place: Place, known: str, moved: Iterable[str], lost: Iterable[str]) -> str:
    """`known` without what is `lost`, or too long ago. What was `moved` stands in another commit now (an amend)."""
    moved, lost = set(moved), set(lost)
    head = commits.head(place) if moved else None
    pairs = [(since, head or oid if since in moved else oid) for since, oid in _recent(queen, known)]
    return " ".join(f"{since}:{oid}" for since, oid in pairs if since not in lost)


def _recent(queen: Queen, known: str) -> list[tuple[str, str]]:
    pairs = [(since, oid) for since, _, oid in (pair.rpartition(":") for pair in known.split())]
    return [(since, oid) for since, oid in pairs if queen.now.timestamp() - rescue.when(since) < DAY]
