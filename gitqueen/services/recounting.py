"""Recounting: the hive's history from its events."""

from __future__ import annotations

import os

from gitqueen import errors
from gitqueen.git import places
from gitqueen.model.events import Event
from gitqueen.services.queen import Queen
from gitqueen.store import database, events


def recount(queen: Queen, most: int, sister: str | None = None, repo: str | None = None) -> list[Event]:
    """The latest `most` events, the oldest of them first; raises `errors.CannotWork` when `repo` is none."""
    path = None
    if repo is not None:
        place = places.find(os.path.join(queen.cwd, os.path.expanduser(repo)))
        if place is None:
            raise errors.CannotWork(f"{ascii(repo)} is in no git repository", hint="name a folder inside one")
        path = place.repo
    with database.faults(queen.settings.database):
        return events.latest(queen.db, most, sister, path)[::-1]
