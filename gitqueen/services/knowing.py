"""Knowing repositories: which ones are looked at without a sister in them, and how each stands."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from gitqueen import errors
from gitqueen.git import places
from gitqueen.git.places import Place
from gitqueen.services import glancing, reporting, tending
from gitqueen.services.queen import Queen
from gitqueen.services.reporting import Work
from gitqueen.store import database, repos, trees


@dataclass(frozen=True, slots=True)
class Known:
    """A repository that gitqueen looks at, and why."""

    path: str
    common_dir: str
    added: bool = False
    """By `repos add`."""
    managed: bool = False
    """Our hooks are in it."""
    sisters: tuple[str, ...] = ()
    worktrees: tuple[str, ...] = ()
    work: Work | None = None
    """How its main worktree stands; None where that was not seen."""
    fault: str = ""
    """Why it could not be looked at."""


def add(queen: Queen, paths: Sequence[str]) -> list[str]:
    """Look at these repositories from now on (none named: the one here); their paths."""
    found = [queen.here()] if not paths else [_place(queen, path) for path in paths]
    with database.transaction(queen.db, durable=True):
        for place in found:
            repos.save(queen.db, place.common_dir, place.repo)
            repos.set_watched(queen.db, place.common_dir, True)
        tending.outdate(queen)
    return [place.repo for place in found]


def _place(queen: Queen, path: str) -> Place:
    place = places.find(os.path.join(queen.cwd, os.path.expanduser(path)))
    if place is None:
        raise errors.CannotWork(f"{ascii(path)} is in no git repository", hint="name a folder inside one")
    return place


def remove(queen: Queen, paths: Sequence[str]) -> list[str]:
    """Look at these no longer unless a sister or our hooks are there; their paths. One that is gone is known by its
    path. Raises `errors.Refused` for one that was never added."""
    with database.faults(queen.settings.database):
        known, watched = repos.known(queen.db), repos.watched(queen.db)
    removed = {}
    for path in paths or [queen.here().repo]:
        full = os.path.realpath(os.path.join(queen.cwd, os.path.expanduser(path)))
        place = places.find(full)
        common_dir = place.common_dir if place else next((key for key, repo in known.items() if repo == full), None)
        if common_dir not in watched or common_dir is None:
            raise errors.Refused(f"{ascii(path)} was not added", hint="gitqueen repos list")
        removed[common_dir] = known[common_dir]
    with database.transaction(queen.db, durable=True):
        for common_dir in removed:
            repos.set_watched(queen.db, common_dir, False)
    return list(removed.values())


def listed(queen: Queen) -> list[Known]:
    """All that are looked at, after a look around if the last one is stale."""
    glancing.ensure(queen)
    living = tending.living(queen)
    with database.faults(queen.settings.database):
        names, after, watched = repos.known(queen.db), repos.looked_after(queen.db), repos.watched(queen.db)
        managed, seen, unread = repos.all_managed(queen.db), trees.worktrees(queen.db), trees.unread(queen.db)
    wanted = {**after, **{s.common_dir: names.get(s.common_dir, s.repo or "") for s in living if s.common_dir}}
    found = []
    for common_dir, path in wanted.items():
        here = {tree.path for tree in seen.values() if tree.common_dir == common_dir}
        here |= {s.worktree for s in living if s.common_dir == common_dir and s.worktree}
        fault = unread[path].fault if path in unread else ""
        found.append(
            Known(
                path=path,
                common_dir=common_dir,
                added=common_dir in watched,
                managed=common_dir in managed,
                sisters=tuple(sorted(s.name for s in living if s.common_dir == common_dir)),
                worktrees=tuple(sorted(here)),
                work=reporting.work(seen[path]) if path in seen else None,
                fault=fault,
            )
        )
    return sorted(found, key=lambda one: one.path)
