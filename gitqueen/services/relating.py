"""Relating: which repositories here are clones of one project, so that who works in one concerns the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gitqueen import errors
from gitqueen.git import commits, places
from gitqueen.services.queen import Queen
from gitqueen.store import database, repos


def kin(queen: Queen, common_dir: str) -> dict[str, str]:
    """Common dir -> path of this repository and its clones."""
    with database.faults(queen.settings.database):
        return repos.kin(queen.db, common_dir)


def apart(queen: Queen, common_dir: str, other: str) -> bool:
    """Whether these are repositories of two projects; False as long as one of them was never looked at."""
    if common_dir == other:
        return False
    with database.faults(queen.settings.database):
        known = repos.strangers(queen.db).keys().isdisjoint((common_dir, other))
        both = {common_dir, other} <= repos.known(queen.db).keys()
        return known and both and other not in repos.kin(queen.db, common_dir)


AT_ONCE = 5
"""Repositories without a sister that one scan looks at: 200 new ones cost two git processes each."""


def relate(queen: Queen, here: Mapping[str, str], apart: Collection[str] = (), most: int = AT_ONCE) -> None:
    """Look at each repository that was never looked at: its first commit is asked of git once in its life.

    Those `here` (common dir -> path, where sisters are) at once, also before a scan has written them down, `most` of
    the others each time, and none that is `apart`.
    """
    with database.faults(queen.settings.database):
        known = repos.known(queen.db)
        new = {key: path for key, path in here.items() if key not in known}
        strangers = {key: path for key, path in {**repos.strangers(queen.db), **new}.items() if key not in apart}
    others = [common_dir for common_dir in strangers if common_dir not in here]
    for common_dir, path in strangers.items():
        if common_dir in others[most:]:
            continue
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
            if common_dir in new:
                repos.save(queen.db, common_dir, path)
            repos.set_origin(queen.db, common_dir, root, remote)
