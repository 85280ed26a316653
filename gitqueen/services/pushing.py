"""Pushing: several clones have commits on one branch that were not pushed: who is ahead, and who will be rejected.

What git must say of it is asked before the scan's transaction (`asking`); here it is put together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gitqueen.git import commits, pushes
from gitqueen.git.places import Place
from gitqueen.git.pushes import Push
from gitqueen.model import conflicts
from gitqueen.model.conflicts import Finding
from gitqueen.model.sisters import Sister
from gitqueen.services import colliding, relating
from gitqueen.services.queen import Queen


def groups(queen: Queen, living: Iterable[Sister]) -> list[list[Sister]]:
    """Sisters on one branch of one project in different clones of it."""
    found: dict[tuple[str, str], list[Sister]] = {}
    for sister in living:
        if sister.common_dir is not None and sister.branch is not None and sister.worktree is not None:
            family = min(relating.kin(queen, sister.common_dir))
            found.setdefault((family, sister.branch), []).append(sister)
    return [group for _, group in sorted(found.items()) if len({sister.common_dir for sister in group}) > 1]


def worktrees(queen: Queen, living: Iterable[Sister]) -> set[str]:
    """Those of sisters who are on one branch in different clones, or may be: while a rebase goes on, HEAD is lent."""
    families: dict[str, list[Sister]] = {}
    for sister in living:
        if sister.common_dir is not None and sister.worktree is not None:
            families.setdefault(min(relating.kin(queen, sister.common_dir)), []).append(sister)
    return {
        one.worktree
        for family in families.values()
        for one in family
        if one.worktree and any(_may_share(one, other) for other in family if other.common_dir != one.common_dir)
    }


def _may_share(one: Sister, other: Sister) -> bool:
    return one.branch == other.branch or None in (one.branch, other.branch)


def ask(queen: Queen, living: Sequence[Sister], there: Mapping[str, Place | None]) -> dict[str, Push]:
    """Worktree -> what a push of it would be, of those `worktrees` that answer."""
    found: dict[str, Push] = {}
    now = [replace(one, branch=place.branch) for one in living if (place := there.get(one.worktree or "")) is not None]
    for group in groups(queen, now):
        folders = sorted({sister.worktree for sister in group if sister.worktree})
        places = {folder: place for folder in folders if (place := there.get(folder)) is not None}
        looked = {folder: pushes.look(place) for folder, place in places.items()}
        for folder, push in looked.items():
            # What one clone pushed, its own remote branch says; the others may not have asked the remote since.
            tips = {other.tip for other in looked.values() if other.tip and other.target == push.target}
            late = bool(push.ahead) and any(not commits.reached(places[folder], tip) for tip in sorted(tips))
            found[folder] = replace(push, rejected=late)
    return found


def findings(queen: Queen, living: Iterable[Sister], asked: Mapping[str, Push]) -> list[Finding]:
    """One a branch on which several clones have commits that no remote has."""
    found = []
    for group in groups(queen, living):
        ahead = {one.name: (one, push) for one in group if (push := asked.get(one.worktree or "")) and push.ahead != 0}
        if len({one.common_dir for one, _ in ahead.values()}) < 2:
            continue
        first = next(iter(ahead.values()))[0]
        found.append(
            Finding(
                type=conflicts.SHARED_BRANCH,
                sisters=tuple(sorted(ahead)),
                severity=conflicts.INFO,
                detail=_detail({name: push for name, (_, push) in sorted(ahead.items())}, first.branch or ""),
                subject=f"{first.branch} in clones",
                repo=first.repo,
                common_dir=min(relating.kin(queen, first.common_dir or "")),
            )
        )
    return found


def _detail(ahead: Mapping[str, Push], branch: str) -> str:
    who = colliding.all_of([f"{name}{_count(push)}" for name, push in ahead.items()])
    said = f"{who} have unpushed commits on {branch} in clones of their own"
    late = [name for name, push in ahead.items() if push.rejected]
    targets = [push.target for push in ahead.values() if push.remote]
    if late:
        return f"{said}; {colliding.all_of(late)} will be rejected at push before a pull: others pushed already"
    if any(targets.count(target) > 1 for target in targets):
        return f"{said}; who pushes second will be rejected"
    return said


def _count(push: Push) -> str:
    return f" ({push.ahead})" if push.ahead is not None else " (no remote)"
