"""Relating: which repositories here are clones of one project, so that who works in one concerns the others."""

from __future__ import annotations

from gitqueen import errors
from gitqueen.git import commits, places
from gitqueen.services.queen import Queen
from gitqueen.store import database, repos


def kin(queen: Queen, common_dir: str) -> dict[str, str]:
    """Common dir -> path of this repository and its clones."""
    with database.faults(queen.settings.database):
        return repos.kin(queen.db, common_dir)


def relate(queen: Queen) -> None:
    """Look at each repository that was never looked at: its first commit is asked of git once in its life."""
    with database.faults(queen.settings.database):
        strangers = repos.strangers(queen.db)
    for common_dir, path in strangers.items():
        place = places.find(path)
        if place is None or place.common_dir != common_dir:
            continue
        try:
            root, remote = commits.origin(place)
        except errors.GitqueenError:
            root, remote = "", ""
        if not root and not remote and commits.head(place) is None:
            continue  # nothing is committed yet: it has no history to be known by
        with database.transaction(queen.db):
            repos.set_origin(queen.db, common_dir, root, remote)
