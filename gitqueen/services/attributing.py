"""Attributing: whose is what stands uncommitted in a worktree that sisters share, by what they touched and claimed.

The rule is `model/attribution`; here are the facts it is asked about. On the path of commits and of agents' hooks.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gitqueen.model import attribution, conflicts
from gitqueen.model.attribution import Owner
from gitqueen.model.claims import Claim
from gitqueen.model.conflicts import Collision
from gitqueen.model.sisters import Sister
from gitqueen.services.queen import Queen
from gitqueen.store import database, touches, trees
from gitqueen.store.touches import Touch

FORMATTED = 5.0
"""Seconds after an edit within which the hooks of the same agent may have formatted the file."""
_FEW = 20
"""Paths that are asked for one by one."""


def stamp(worktree: str, path: str) -> str:
    """How a file stands, when it was written (ns) and its size: changed by every writing, and by nothing else. Empty
    where there is none."""
    try:
        found = os.lstat(os.path.join(worktree, path))
    except (OSError, ValueError):
        return ""
    return f"{found.st_mtime_ns}:{found.st_size}"


def as_left(worktree: str, touch: Touch) -> bool:
    """Whether a file stands as this touch left it, or as a formatter did that ran right behind it."""
    found = stamp(worktree, touch.path)
    if found == touch.stamp or not found or not touch.stamp:
        return found == touch.stamp
    behind = int(found.partition(":")[0]) - int(touch.stamp.partition(":")[0])
    return 0 <= behind <= FORMATTED * 1e9


def owners(
    queen: Queen, worktree: str, paths: Sequence[str], living: Iterable[Sister], standing: Iterable[Claim]
) -> dict[str, Owner]:
    """Path (from the top of `worktree`) -> whose its uncommitted change is. `living`: everybody, me too."""
    there = [sister.name for sister in living if sister.worktree == worktree]
    claims = [claim for claim in standing if claim.paths]
    hands = hands_on(queen, worktree, paths)
    return {
        path: attribution.owner(
            [touch.sister for touch in hands[path]] if path in hands else [],
            path in hands and bool(hands[path]) and as_left(worktree, hands[path][-1]),
            there,
            next((claim.owner for claim in claims if claim.covers(path)), None),
        )
        for path in paths
    }


def hands_on(queen: Queen, worktree: str, paths: Sequence[str]) -> dict[str, list[Touch]]:
    """Path -> who touched it, the latest last."""
    with database.faults(queen.settings.database):
        if len(paths) <= _FEW:
            return {path: touches.of_path(queen.db, worktree, path) for path in paths}
        found: dict[str, list[Touch]] = {}
        for touch in touches.of_worktree(queen.db, worktree):
            found.setdefault(touch.path, []).append(touch)
    return found


def swept(
    queen: Queen,
    me: str | None,
    paths: Sequence[str],
    others: Sequence[Sister],
    asked: bool = True,
    until: float | None = None,
) -> list[Collision]:
    """Which of `paths` another living sister wrote last, in this worktree, and has not committed: surely hers only.

    `asked`: whether they are known to be uncommitted; if not, git is asked about those that would count. `until`: when
    they were committed (Unix time), where that is done.
    """
    worktree = queen.here().worktree
    there = {sister.name: sister for sister in others if sister.worktree == worktree and sister.name != me}
    if worktree is None or not there:
        return []
    hers: dict[str, Touch] = {}
    for path, hands in hands_on(queen, worktree, paths).items():
        # What she wrote after the commit is in none.
        last = hands[-1] if hands and (until is None or hands[-1].at <= until) else None
        if last is not None and last.sister in there and path in paths and as_left(worktree, last):
            hers[path] = last
    if hers and not asked:
        from gitqueen.git import staging  # most edits run into nobody

        still = staging.uncommitted(worktree, hers)
        hers = {path: touch for path, touch in hers.items() if path in still}
    return [_swept(path, there[touch.sister], touch) for path, touch in sorted(hers.items())]


def _swept(path: str, sister: Sister, touch: Touch) -> Collision:
    from datetime import UTC, datetime

    at = datetime.fromtimestamp(touch.at, UTC)
    where = f"on {sister.branch}" if sister.branch else "on a detached HEAD"
    task = f', "{sister.task}"' if sister.task else ""
    detail = f"written by {sister.name} in this worktree and not committed ({where}{task})"
    return Collision(path, sister.name, conflicts.SWEPT, conflicts.WARNING, detail, at)


def shares(queen: Queen, living: Sequence[Sister], standing: Sequence[Claim]) -> list[Sister]:
    """The sisters, each in a worktree of several `dirty` by what is hers, or may be, of its changes."""
    where = [sister.worktree for sister in living]
    counts: dict[str, dict[str, int]] = {}
    for worktree in {folder for folder in where if folder is not None and where.count(folder) > 1}:
        with database.faults(queen.settings.database):
            changed = sorted(trees.changed(queen.db, worktree))
        owned = owners(queen, worktree, changed, living, standing).values()
        counts[worktree] = {one.name: sum(owner.may_be(one.name) for owner in owned) for one in living}
    return [
        replace(one, dirty=counts[one.worktree][one.name])
        if one.worktree is not None and one.worktree in counts and one.dirty is not None
        else one
        for one in living
    ]


def mine(owned: Mapping[str, Owner], me: str | None) -> list[str]:
    """The paths that are surely mine."""
    return sorted(path for path, owner in owned.items() if me is not None and owner.sure == me)
