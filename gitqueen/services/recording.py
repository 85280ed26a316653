"""Recording: a commit that was made becomes history, once, and is looked at for what its pre-commit did not see.

Many ways to commit run no pre-commit: `--no-verify`, cherry-pick, revert, am, programs with a git library of their own.
"""

from __future__ import annotations

from gitqueen.git import commits
from gitqueen.git.places import Place
from gitqueen.model import conflicts, mirror
from gitqueen.model.events import Event
from gitqueen.model.sisters import Sister
from gitqueen.services import (
    attributing,
    claiming,
    colliding,
    noting,
    relating,
    remembering,
    tending,
    undoing,
    weighing,
)
from gitqueen.services.queen import Queen
from gitqueen.store import commits as commits_table
from gitqueen.store import database, events, unnoted
from gitqueen.store.commits import Made

MOST_PATHS = 10_000
"""Paths of one commit that are remembered as hers: more are a move or an import, and collide with everything."""
MOST_AT_STOPS = 100
"""Commits at the stops of one rebase that are looked at, a git process each."""


def commit(queen: Queen, place: Place, oid: str, maker: Sister | None, how: str) -> bool:
    """`maker` (None: nobody knows) made `oid` in `place`; `how` it was seen: hook or scan. False when it was known."""
    here = queen.at(place)
    changed = commits.changed(place, oid)[:MOST_PATHS] if maker is not None else []
    found = _collisions(here, oid, changed, maker) if maker is not None else []
    taken = _undone(here, oid, changed, maker) if maker is not None else []
    name, task = (maker.name, _task(queen, maker)) if maker else (None, None)
    with database.transaction(queen.db):
        seen = commits_table.save(queen.db, Made(place.common_dir, oid, name, task, queen.now, queen.clock()))
        if seen == commits_table.KNOWN:
            return False
        if seen == commits_table.NEW:
            detail = {"oid": oid, "branch": place.branch, **({} if how == "hook" else {"seen_by": how})}
            events.record(queen.db, queen.now, Event("committed", name, place.repo, detail))
        else:
            events.sign(queen.db, "committed", place.repo, f'"oid": "{oid}"', name or "")
        if maker is not None:
            commits_table.save_paths(queen.db, place.common_dir, oid, changed)
            # Whom the commit ran into without being told is told now, and so is she.
            remembering.remember(here, colliding.findings(here, maker.name, found))
            for finding, letters, warning in taken:
                remembering.remember(here, [finding], maker.name if warning else None, letters)
                if warning is not None:
                    remembering.close(here, warning)
            noting.note(queen, place.common_dir, oid, mirror.COMMIT, maker, task, queen.now)
    return True


def _collisions(here: Queen, oid: str, changed: list[str], maker: Sister) -> list[conflicts.Collision]:
    kin = relating.kin(here, here.here().common_dir)
    others = [other for other in tending.others(here, maker.name) if other.common_dir in kin]
    standing = [claim for claim in claiming.held(here) if claim.paths and claim.owner != maker.name]
    # Nobody to run into: git need not be asked for what policy says.
    if not others and not standing:
        return []
    found = attributing.swept(here, maker.name, changed, others, until=here.now.timestamp())
    if conflicts.policy(here.config, conflicts.FILE_COLLISION) == conflicts.OFF:
        return found
    found += colliding.paths_colliding(here, maker.name, changed, others, standing)
    return weighing.committed(here, oid, found, others)


def _undone(
    here: Queen, oid: str, changed: list[str], maker: Sister
) -> list[tuple[conflicts.Finding, dict[str, str], conflicts.Conflict | None]]:
    kin = relating.kin(here, here.here().common_dir)
    with database.faults(here.settings.database):
        touched = commits_table.touching(here.db, kin, changed, maker.name)
    if not touched or conflicts.policy(here.config, conflicts.STALE_INDEX) == conflicts.OFF:
        return []
    return undoing.findings(here, maker, oid, undoing.made(here, maker, oid, touched, kin))


def _task(queen: Queen, maker: Sister) -> str | None:
    """What she worked on when she made it: by the time a hook's record is read she may have finished it."""
    with database.faults(queen.settings.database):
        return events.task_at(queen.db, maker.name, queen.now) or maker.task


def picked(queen: Queen, place: Place, oid: str, by: Sister | None) -> None:
    """A rebase that goes on made `oid`: whose it is shows when the rebase ends."""
    name, task = (by.name, by.task) if by else (None, None)
    made = Made(place.common_dir, oid, name, task, queen.now, queen.clock(), picked=True)
    with database.transaction(queen.db):
        commits_table.save(queen.db, made)


def rewritten(queen: Queen, place: Place, pairs: list[tuple[str, str]], by: Sister | None, how: str, key: str) -> None:
    """`pairs` of (old, new) of a rebase or an amend that ended: a rebase makes nobody's commit the rebaser's.

    What else was committed while it went on is a commit like any other, once the branch has it. `key`: of the record.
    """
    own = _own(queen, place, {new for _, new in pairs}) if how == "rebase" else []
    with database.transaction(queen.db):
        if not commits_table.once(queen.db, key):
            return
        if how == "rebase":
            commits_table.rewritten(queen.db, place.common_dir, pairs, queen.now)
        for oid, name in own:
            commits_table.keep(queen.db, place.common_dir, oid, queen.clock())
            detail = {"oid": oid, "branch": place.branch}
            events.record(queen.db, queen.now, Event("committed", name, place.repo, detail))
        unnoted.carry(queen.db, place.common_dir, pairs)
        told = {"how": how, "commits": len(pairs)}
        events.record(queen.db, queen.now, Event("rewrote", by.name if by else None, place.repo, told))


def _own(queen: Queen, place: Place, carried: set[str]) -> list[tuple[str, str | None]]:
    """Commits made at the stops of a rebase that its pairs do not tell of; the oldest first."""
    with database.faults(queen.settings.database):
        made = [one for one in commits_table.picks(queen.db, place.common_dir) if one[0] not in carried]
    return [one for one in made[:MOST_AT_STOPS] if commits.reached(place, one[0])][::-1]
