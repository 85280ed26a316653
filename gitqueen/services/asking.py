"""Asking: what git must say of the conflicts in the book before a scan decides which of them still hold.

Before the scan's transaction, because git is slow and others wait for the database; and never in a worktree that has
not just answered, because whoever touches one on a dead mount hangs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from gitqueen.git import probes
from gitqueen.git.places import Place
from gitqueen.model.conflicts import STALE_INDEX, Conflict
from gitqueen.model.sisters import Sister
from gitqueen.services import colliding, predicting, pushing, undoing, weighing
from gitqueen.services.queen import Queen
from gitqueen.services.remembering import Asked
from gitqueen.store import conflicts, database, repos, trees


def ask(
    queen: Queen, living: Sequence[Sister], seen: Mapping[str, Place], changed: Mapping[str, Sequence[str]]
) -> Asked:
    """What `remembering.reconcile` must know of repositories. `seen`: worktrees that answered a moment ago; `changed`:
    the paths that were seen to be changed in those that were read now."""
    _take_states(queen, living, seen, changed)
    with database.faults(queen.settings.database):
        every = conflicts.open_ones(queen.db)
    book = [one for one in every if one.subject == colliding.COMMITTED]
    taken = [one for one in every if one.type == STALE_INDEX and one.subject.startswith(f"{undoing.TOOK}\0")]
    cloned = pushing.worktrees(queen, living)
    weighed = weighing.again(queen, every, living, seen, changed)
    if not book and not cloned and not taken:
        return Asked(weighed=weighed)
    wanted = cloned.union(one.worktree for one in living if book and one.worktree)
    there = {**seen, **probes.find(wanted.union(one.worktree for one in taken if one.worktree) - seen.keys())}
    answering = [sister for sister in living if sister.worktree in there]
    unpushed = pushing.ask(queen, living, there) if cloned else {}
    undone = {
        one.id: undoing.still(queen.at(place), one)
        for one in taken
        if (place := there.get(one.worktree or "")) is not None
    }
    return Asked(unpushed, dict(_unmerged(queen, book, answering, there)), undone, weighed)


def _take_states(
    queen: Queen, living: Sequence[Sister], seen: Mapping[str, Place], changed: Mapping[str, Sequence[str]]
) -> None:
    """So that a commit need not wait for it: what stands in the worktrees of sisters who may collide."""
    families: dict[str, set[str]] = {}
    with database.faults(queen.settings.database):
        managed = repos.all_managed(queen.db)
        for sister in living:
            if sister.worktree is not None and sister.worktree in seen and sister.common_dir in managed:
                families.setdefault(min(repos.kin(queen.db, sister.common_dir)), set()).add(sister.worktree)
    wanted = [seen[worktree] for several in families.values() if len(several) > 1 for worktree in sorted(several)]
    if wanted:
        predicting.refresh(queen, wanted, changed)


def _unmerged(
    queen: Queen, book: Iterable[Conflict], living: Sequence[Sister], there: Mapping[str, Place | None]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    sisters = {sister.name: sister for sister in living}
    for conflict in book:
        both = [sisters[name] for name in conflict.sisters if name in sisters]
        # Where one's worktree did not answer, nothing is known, and the conflict stays as it is.
        if len(both) == len(conflict.sisters) and all(one.worktree in there for one in both if one.worktree):
            one, other = both
            pairs = ((one, other), (other, one))
            to_one, to_other = (_brought(queen, there, *pair, conflict, living) for pair in pairs)
            # Each must have something that is new to the other; what is not committed yet is, too.
            still = (to_one | to_other) & (to_other | _dirty(queen, one)) & (to_one | _dirty(queen, other))
            yield conflict.id, tuple(path for path in conflict.facts if path in still)


def _brought(
    queen: Queen,
    there: Mapping[str, Place | None],
    one: Sister,
    other: Sister,
    conflict: Conflict,
    living: Sequence[Sister],
) -> set[str]:
    place = there.get(one.worktree or "")
    if place is None:
        return set()
    return colliding.brought(queen.at(place), one.name, conflict.facts, living, other.name)


def _dirty(queen: Queen, sister: Sister) -> set[str]:
    with database.faults(queen.settings.database):
        return trees.changed(queen.db, sister.worktree or "")
