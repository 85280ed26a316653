"""Guarding: what git's own hooks ask at the moment it happens, a commit or a checkout.

Answers are plain reports; the lean door prints them and maps a refusal. Everything imported from here is paid by every
commit that somebody else may collide with: no pygit2, click, psutil or filelock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitqueen.git import staging
from gitqueen.model import conflicts
from gitqueen.model.conflicts import Collision, Finding
from gitqueen.model.sisters import Sister
from gitqueen.services import claiming, colliding, tending
from gitqueen.services.identifying import Identity
from gitqueen.services.queen import Queen
from gitqueen.store import database, trees
from gitqueen.store import sisters as sisters_table


@dataclass(frozen=True, slots=True)
class CommitReport:
    """What a commit runs into. `refused`: policy says block, and a sister is committing."""

    collisions: tuple[Collision, ...] = ()
    others: Mapping[str, Sister] | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class CheckoutReport:
    """What a checkout did to others: `moved` from under whom, `shared` with whom."""

    branch: str | None = None
    was: str | None = None
    moved: tuple[Sister, ...] = ()
    shared: tuple[Sister, ...] = ()
    mine: Sister | None = None
    busy: str | None = None


def before_commit(queen: Queen, me: Identity) -> CommitReport:
    """Look at what is staged. Nobody known to be committing is warned, never blocked, and leaves no trace."""
    place = queen.here()
    policy = conflicts.policy(queen.config, conflicts.FILE_COLLISION)
    others = [sister for sister in tending.living(queen) if sister.name != me.address]
    standing = claiming.held(queen)
    if policy == conflicts.OFF or place.worktree is None:
        return CommitReport()
    paths = staging.staged(place, queen.env)
    name = me.sister.name if me.sister else None
    found = colliding.paths_colliding(queen, name, paths, others, standing)
    if me.sister is not None:
        with database.transaction(queen.db):
            tending.settle(queen, me.sister)
            colliding.remember(queen, colliding.findings(queen, me.sister.name, found), aware=me.sister.name)
    refused = policy == conflicts.BLOCK and me.sister is not None and conflicts.alarming(c.severity for c in found)
    return CommitReport(tuple(found), {sister.name: sister for sister in others}, refused)


def after_checkout(queen: Queen, me: Identity, branch_flag: str) -> CheckoutReport:
    """HEAD may have moved: tell those under whom it did, and who else is on the new branch."""
    place = queen.here()
    if branch_flag != "1" or place.worktree is None:
        return CheckoutReport()
    mine = me.sister
    there = tending.living(queen)
    moved = [
        sister
        for sister in there
        if sister.name != me.address and sister.worktree == place.worktree and sister.branch != place.branch
    ]
    was = _before(queen, place.worktree, mine, moved)
    shared = [
        sister
        for sister in there
        if sister.name != me.address
        and sister.common_dir == place.common_dir
        and place.branch is not None
        and (sister.branch == place.branch or sister in moved)
    ]
    with database.transaction(queen.db):
        if mine is not None:
            mine = tending.settle(queen, mine)
        for victim in moved:
            finding, mail = colliding.switched(
                queen, victim, victim.branch, place.branch, mine.name if mine else None, place.busy
            )
            if conflicts.policy(queen.config, finding.type) != conflicts.OFF:
                colliding.remember(queen, [finding], letters=mail)
        _follow(queen, place.worktree, place.branch)
        now_there = tending.living(queen)
        groups = _groups_of(colliding.shared_branches(now_there), place.common_dir, place.branch)
        colliding.remember(queen, groups, aware=me.address)
    return CheckoutReport(place.branch, was, tuple(moved), tuple(shared), mine, place.busy)


def _before(queen: Queen, worktree: str, mine: Sister | None, moved: Sequence[Sister]) -> str | None:
    known = trees.worktrees(queen.db).get(worktree)
    if moved:
        return moved[0].branch
    return mine.branch if mine is not None and mine.worktree == worktree else known.branch if known else None


def _follow(queen: Queen, worktree: str, branch: str | None) -> None:
    """Everybody in the worktree is on the new branch now, willing or not: the scan must not see it move again."""
    trees.set_branch(queen.db, worktree, branch)
    for sister in tending.living(queen):
        if sister.worktree == worktree:
            sisters_table.set_branch(queen.db, sister.row, branch)


def _groups_of(found: Sequence[Finding], common_dir: str, branch: str | None) -> list[Finding]:
    return [one for one in found if one.common_dir == common_dir and one.subject == branch]
