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

MOST = 1000
"""Changed paths of hers of which more are not looked at one by one."""


def near(queen: Queen, me: str | None, others: Sequence[Sister], changes: Mapping[str, str]) -> list[str]:
    """Worktrees whose changes meet these without sharing a path. `changes`: path -> A, D, M, of the commit that `me` is
    making."""
    here, found = queen.here(), list[str]()
    beside = [one for one in others if one.worktree not in (None, here.worktree)]
    kin = relating.kin(queen, here.common_dir) if beside and changes else {}
    mine = _Mine(
        [path for path, how in changes.items() if how == "A"], [path for path, how in changes.items() if how == "D"]
    )
    for sister in beside:
        if sister.worktree in found or sister.common_dir not in kin:
            continue
        hers = _Hers(queen, sister.common_dir, sister.name, sister.worktree or "", here.worktree or "")
        if (mine.added and hers.meets(mine)) or hers.changed_what_is_gone(kin, me):
            found.append(hers.worktree)
    return found


class _Mine:
    """What a commit adds and takes out, and the folders above."""

    def __init__(self, added: Sequence[str], gone: Sequence[str]) -> None:
        self.added, self.gone = set(added), set(gone)
        self.over_added = {folder for path in added for folder in _above(path)}
        self.over_gone = {folder for path in gone for folder in _above(path)}


class _Hers:
    """What another sister changed, in the files that stand in her worktree and here."""

    def __init__(self, queen: Queen, common_dir: str, name: str, worktree: str, here: str) -> None:
        self.queen, self.common_dir, self.name, self.worktree, self.here = queen, common_dir, name, worktree, here
        with database.faults(queen.settings.database):
            self.uncommitted = trees.changed(queen.db, worktree)

    def meets(self, mine: _Mine) -> bool:
        """Whether something was moved on one side to where, or from where, the other one adds; or a file is in the way
        of a folder."""
        folders = {*mine.over_added, *mine.over_gone}
        with database.faults(self.queen.settings.database):
            by_commits = commits_table.beneath(self.queen.db, self.common_dir, self.name, {*folders, *mine.added})
        near = [
            path
            for path in self.uncommitted | by_commits
            if path in folders or not _above(path).isdisjoint(folders | mine.added)
        ]
        if any(path in mine.over_added or not _above(path).isdisjoint(mine.added) for path in near):
            return True
        if any(self._only_there(path) and not _above(path).isdisjoint(mine.over_gone) for path in near):
            return True
        gone = [path for path in near if self._only_here(path) and not _above(path).isdisjoint(mine.over_added)]
        return bool(gone) and self._added_something(gone)

    def _added_something(self, gone: Sequence[str]) -> bool:
        """Whether she has anything that these paths may have become."""
        with database.faults(self.queen.settings.database):
            along = commits_table.along(self.queen.db, self.common_dir, self.name, gone)
        return any(self._only_there(path) for path in [*self.uncommitted, *along][:MOST])

    def changed_what_is_gone(self, kin: Collection[str], me: str | None) -> bool:
        """Whether she is at work on something that my commits moved or took out."""
        absent = [path for path in list(self.uncommitted)[:MOST] if self._only_there(path)]
        if not absent or me is None:
            return False
        with database.faults(self.queen.settings.database):
            return commits_table.changed(self.queen.db, kin, me, absent)

    def _only_there(self, path: str) -> bool:
        return _is(self.worktree, path) and not _is(self.here, path)

    def _only_here(self, path: str) -> bool:
        return _is(self.here, path) and not _is(self.worktree, path)


def _is(top: str, path: str) -> bool:
    return os.path.lexists(os.path.join(top, path))


def _above(path: str) -> set[str]:
    found = set[str]()
    while path := path.rpartition("/")[0]:
        found.add(path)
    return found
