"""Mirroring: tasks and claims repeated as refs in each managed repository, and brought back from there.

The database is the truth; a mirror is made to agree with it whenever something changed and by every scan. A repository
that cannot be written now never stops a command: the next scan tries again.
"""

from __future__ import annotations

from dataclasses import dataclass

from gitqueen import errors
from gitqueen.git import refs
from gitqueen.git.places import Place
from gitqueen.git.refs import Change
from gitqueen.model import mirror
from gitqueen.senses import processes
from gitqueen.services import claiming, tending
from gitqueen.services.queen import Queen
from gitqueen.store import database, events, mirrored, repos

TRIES = 3
"""Times that a lost race is run again before it is left to the next scan."""


def here(queen: Queen) -> None:
    """Something of the repository here changed: call it after the transaction that changed it. Never fails."""
    place = queen.place
    if place is not None and _managed(queen, place):
        reflect(queen, place)


def _managed(queen: Queen, place: Place) -> bool:
    with database.faults(queen.settings.database):
        return repos.managed(queen.db, place.common_dir)


def reflect(queen: Queen, place: Place) -> str | None:
    """Make the refs of one repository agree with the database; the sentence that says why not, if not."""
    try:
        for _ in range(TRIES):
            plan = _planned(queen, place)
            if not plan.changes or _made(queen, place, plan):
                return plan.strangers
        return f"{place.repo}: its refs are being changed by others"
    except errors.GitqueenError as fault:
        return f"{place.repo}: {fault.message}"


@dataclass(frozen=True, slots=True)
class Plan:
    """`changes` make what is there what is wanted; `ours` (ref -> object id) is what will be ours then."""

    changes: tuple[Change, ...]
    ours: dict[str, str]
    strangers: str | None = None
    """What is not changed, because this queen did not write it."""


def _planned(queen: Queen, place: Place) -> Plan:
    there = refs.listed(place, mirror.PREFIX)
    wanted = _wanted(queen, place)
    with database.faults(queen.settings.database):
        known = mirrored.everything(queen.db, place.common_dir)
    form = next(iter(there.values()), None) or refs.empty_id(place)
    return plan(wanted, there, known, form)


def plan(wanted: dict[str, bytes], there: dict[str, str], known: dict[str, set[str]], form: str) -> Plan:
    """Decide: `wanted` ref -> content, `there` ref -> object id, `known` ref -> ids that are ours; `form`: an id of
    the repository's hash."""
    ids = {ref: refs.blob_id(text, form) for ref, text in wanted.items()}
    # What says exactly what we would say is ours, whoever wrote it: the database may have been restored.
    mine = {ref for ref, oid in there.items() if oid in known.get(ref, ()) or oid == ids.get(ref)}
    gone = [Change(ref, there[ref], None) for ref in mine if ref not in wanted]
    written = [
        Change(ref, there.get(ref), text)
        for ref, text in wanted.items()
        if there.get(ref) != ids[ref] and (ref not in there or ref in mine)
    ]
    foreign = sorted(ref for ref in wanted if ref in there and ref not in mine)
    ours = {ref: oid for ref, oid in ids.items() if ref not in foreign}
    words = f"{', '.join(foreign)}: somebody else wrote that, left alone" if foreign else None
    return Plan((*gone, *written), ours, words)


def _made(queen: Queen, place: Place, made: Plan) -> bool:
    with database.transaction(queen.db):
        mirrored.intend(queen.db, place.common_dir, made.ours.items())
    if not refs.apply(place, made.changes):
        return False
    with database.transaction(queen.db):
        mirrored.settle(queen.db, place.common_dir, made.ours.items())
    return True


def _wanted(queen: Queen, place: Place) -> dict[str, bytes]:
    """Ref -> content of all that concerns this repository."""
    machine = processes.machine()
    living = [sister for sister in tending.living(queen) if sister.common_dir == place.common_dir and sister.declared]
    held = [claim for claim in claiming.held(queen) if claim.common_dir == place.common_dir]
    with database.faults(queen.settings.database):
        since = {sister.name: events.last(queen.db, "declared", sister.name) for sister in living}
    tasks = (mirror.task(sister, machine, since[sister.name]) for sister in living)
    claims = (mirror.claim(claim, machine) for claim in held)
    return dict(entry for entry in (*tasks, *claims) if entry is not None)
