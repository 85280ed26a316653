"""Checking: would editing or committing these paths collide now."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from gitqueen import errors
from gitqueen.git import staging
from gitqueen.model import conflicts
from gitqueen.model.conflicts import Collision
from gitqueen.model.sisters import Identity, Sister
from gitqueen.services import (
    attributing,
    claiming,
    colliding,
    glancing,
    guarding,
    meeting,
    relating,
    tending,
    undoing,
    weighing,
)
from gitqueen.services.queen import Queen
from gitqueen.store import database, trees


@dataclass(frozen=True, slots=True)
class Check:
    """`paths`: what was asked, from the top of the repository."""

    paths: tuple[str, ...]
    collisions: tuple[Collision, ...]

    @property
    def alarming(self) -> bool:
        return conflicts.alarming(collision.severity for collision in self.collisions)


def check(queen: Queen, me: Identity, named: Sequence[str]) -> Check:
    """Look at `named` paths (relative to the working folder), or without any at what is staged.

    Raises `errors.CannotWork` outside a worktree and `errors.Usage` for paths outside it.
    """
    place = queen.here()
    if place.worktree is None:
        raise errors.CannotWork("a bare repository has no files to check", hint="go into one of its worktrees")
    glancing.ensure(queen)
    if me.sister is not None:
        tending.notice(queen, me.sister)
    others = tending.others(queen, me.address)
    changes = {} if named else staging.changes(place, queen.env)
    paths = _asked(queen, place.worktree, named, others) if named else list(changes)
    name = me.sister.name if me.sister else None
    found = colliding.paths_colliding(queen, name, paths, others, claiming.held(queen))
    if named:
        found = weighing.standing(queen, found, others)
    else:
        near = meeting.near(queen, name, others, changes)
        found = weighing.staged(queen, found, others, changes, near)
        kin = relating.kin(queen, place.common_dir)
        found = undoing.collisions(guarding.undone(queen, me.sister, paths, kin)) + found
    found += attributing.swept(queen, name, paths, others, asked=not named)
    return Check(tuple(paths), tuple(found))


def _asked(queen: Queen, top: str, named: Sequence[str], others: Sequence[Sister]) -> list[str]:
    """The files that `named` stands for, each once: of a folder all in it, here or uncommitted at another sister's."""
    found: list[str] = []
    for path in (queen.from_top(top, path) for path in named):
        whole = os.path.join(top, path)
        if os.path.isdir(whole) and not os.path.islink(whole):
            found += staging.beneath(top, path) + _elsewhere(queen, path, others) or [path or "."]
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def _elsewhere(queen: Queen, folder: str, others: Sequence[Sister]) -> list[str]:
    inside = f"{folder}/" if folder else ""
    with database.faults(queen.settings.database):
        seen = [trees.changed(queen.db, worktree) for worktree in {one.worktree for one in others} if worktree]
    return sorted(path for changed in seen for path in changed if path.startswith(inside))
