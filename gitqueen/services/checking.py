"""Checking: would editing or committing these paths collide now."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from gitqueen import errors
from gitqueen.git import staging
from gitqueen.git.places import Place
from gitqueen.model import conflicts
from gitqueen.model.conflicts import Collision
from gitqueen.services import claiming, colliding, scanning, tending
from gitqueen.services.identifying import Identity
from gitqueen.services.queen import Queen


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
    scanning.ensure(queen)
    if me.sister is not None:
        tending.notice(queen, me.sister)
    paths = [_from_top(queen, place, path) for path in named] if named else staging.staged(place, queen.env)
    others = tending.others(queen, me.address)
    name = me.sister.name if me.sister else None
    found = colliding.paths_colliding(queen, name, paths, others, claiming.held(queen))
    return Check(tuple(paths), tuple(found))


def _from_top(queen: Queen, place: Place, path: str) -> str:
    top = place.worktree or ""
    # The folder is resolved, the last part is not: a link in the repository is checked as the link it is.
    whole = os.path.normpath(os.path.join(queen.cwd, path))
    whole = os.path.join(os.path.realpath(os.path.dirname(whole)), os.path.basename(whole))
    if not (whole + "/").startswith(top.rstrip("/") + "/"):
        raise errors.Usage(f"{ascii(path)} lies outside {top}", hint="name paths of this worktree")
    return os.path.relpath(whole, top)
