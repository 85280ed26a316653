"""Meeting: whose changes may meet those of a commit though no path is in both: something was moved, or is in the way.

Asked at every commit that adds a file beside others, from what is known without git; what really comes of it is
`weighing`. When changes can meet at all is proven in `git/disjoint`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence

from gitqueen.model.sisters import Sister
from gitqueen.services import relating
from gitqueen.services.queen import Queen
from gitqueen.store import commits as commits_table
from gitqueen.store import database, trees


def near(queen: Queen, others: Sequence[Sister], changes: Mapping[str, str]) -> list[str]:
    """Worktrees whose changes meet these without sharing a path: `git/disjoint` says when that may be. From what is
    known without asking git."""
    added = [path for path, how in changes.items() if how == "A"]
    gone = [path for path, how in changes.items() if how == "D"]
    here, found = queen.here(), list[str]()
    kin = relating.kin(queen, here.common_dir) if added else {}
    over_added = {folder for path in added for folder in _above(path)}
    over_gone = {folder for path in gone for folder in _above(path)}
    for sister in others:
        worktree = sister.worktree
        if worktree is None or worktree in (here.worktree, *found) or sister.common_dir not in kin:
            continue
        with database.faults(queen.settings.database):
            hers = trees.changed(queen.db, worktree)
            hers |= commits_table.beneath(queen.db, sister.common_dir, sister.name, {*over_added, *over_gone, *added})
        if _meet(hers, set(added), over_added, over_gone, worktree, here.worktree or ""):
            found.append(worktree)
    return found


def _meet(
    hers: Collection[str],
    added: Collection[str],
    over_added: Collection[str],
    over_gone: Collection[str],
    there: str,
    here: str,
) -> bool:
    suspects = list[str]()
    for path in hers:
        above = _above(path)
        if path in over_added or not above.isdisjoint(added):
            return True  # a file where the other has a folder
        if not above.isdisjoint(over_added) or not above.isdisjoint(over_gone):
            suspects.append(path)
    has = {path: (_is(there, path), _is(here, path)) for path in suspects}
    # She took something out of a folder to which a file is added here, perhaps to another name for all of it.
    moved = any(has[path] == (False, True) and not _above(path).isdisjoint(over_added) for path in suspects)
    if moved and any(_is(there, path) and not _is(here, path) for path in hers):
        return True
    return any(has[path] == (True, False) and not _above(path).isdisjoint(over_gone) for path in suspects)


def _is(top: str, path: str) -> bool:
    return os.path.lexists(os.path.join(top, path))


def _above(path: str) -> set[str]:
    found = set[str]()
    while path := path.rpartition("/")[0]:
        found.add(path)
    return found
