"""Mirroring: tasks and claims repeated as refs in each managed repository.

The database is the truth; a mirror is made to agree with it whenever something changed and by every scan. A repository
that cannot be written now never stops a command: the next scan tries again, and the doctor says so. A ref tells whose
it is: what another queen or a stranger wrote is left alone.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from gitqueen import errors
from gitqueen.git import places, refs
from gitqueen.git.places import Place
from gitqueen.git.refs import Change
from gitqueen.model import mirror
from gitqueen.model.mirror import Voice
from gitqueen.senses import processes
from gitqueen.services import claiming, tending
from gitqueen.services.queen import Queen
from gitqueen.store import database, events, mirrors, repos, roster
from gitqueen.store.mirrors import Mirror

TRIES = 3
"""Times that a lost race is run again before it is left to the next scan."""

Texts = dict[str, bytes]
"""Ref -> what it should say."""


def voice(queen: Queen) -> Voice:
    """How this queen signs."""
    return sign(queen.settings.home, queen.origin)


def sign(home: str, origin: str) -> Voice:
    """How the queen of `home` signs: several may be on one machine, and one path to a home on several machines."""
    machine = origin.partition(":")[0].encode("utf-8", "surrogateescape")
    return Voice(processes.machine(), f"{zlib.crc32(machine):08x}:{os.path.realpath(home)}")


def changed(queen: Queen) -> None:
    """Tasks or claims may have changed: call it after the transaction. Never fails; a few queries when none did."""
    try:
        _update(queen, lambda known, wanted, _: known.wanted == wanted if known else not wanted)
    except (errors.GitqueenError, OSError):
        pass  # the next scan


def mend(queen: Queen, apart: Collection[str] = ()) -> list[str]:
    """Look at every managed repository but those `apart`, by stats alone where nothing changed; a sentence for each
    that disagrees."""

    def settled(known: Mirror | None, wanted: str, common_dir: str) -> bool:
        if common_dir in apart:
            return True  # whoever touches it may hang
        if known is None or known.fault or known.stamp is None or known.wanted != wanted:
            return False
        return known.stamp == refs.stamp(common_dir, queen.clock().timestamp())

    with database.faults(queen.settings.database):
        roster.add(queen.settings.home, repos.all_managed(queen.db).values())
    return _update(queen, settled, look_again=True)


def _update(queen: Queen, settled: Callable[[Mirror | None, str, str], bool], look_again: bool = False) -> list[str]:
    with database.faults(queen.settings.database):
        managed, book = repos.all_managed(queen.db), mirrors.everything(queen.db)
    if not managed:
        return []
    everything, mine, faults = _wanted(queen, managed), voice(queen).queen, []
    for common_dir, path in managed.items():
        wanted = everything.get(common_dir, {})
        summary, known = _summary(wanted), book.get(common_dir)
        # Gone: the doctor says so.
        if settled(known, summary, common_dir) or (place := find(path, common_dir)) is None:
            continue
        # What was there before we looked is what agrees: a change of ours is looked at again by the next scan.
        before = refs.stamp(common_dir, queen.clock().timestamp()) if look_again else None
        fault, kept = reflect(place, wanted, [mine], keep=known is None)
        if fault:
            faults.append(fault)
        after = Mirror(summary, before, fault)
        if after != known and not kept:
            with database.transaction(queen.db):
                mirrors.save(queen.db, common_dir, after)
    return faults


def find(path: str, common_dir: str) -> Place | None:
    """The repository, where it is still that one: another may have been made at its path."""
    for folder in (path, common_dir):
        place = places.find(folder)
        if place is not None and place.common_dir == common_dir:
            return place
    return None


def _summary(wanted: Texts) -> str:
    return "\n".join(f"{ref} {text.decode('ascii')}" for ref, text in sorted(wanted.items()))


def _wanted(queen: Queen, managed: Collection[str]) -> dict[str, Texts]:
    """Common dir -> all that concerns it."""
    speaks = voice(queen)
    found: dict[str, Texts] = {}
    for sister in tending.living(queen):
        if sister.declared and sister.common_dir in managed:
            with database.faults(queen.settings.database):
                since = events.last(queen.db, "declared", sister.name) or events.last(queen.db, "renamed", sister.name)
            if (told := mirror.task(sister, speaks, since)) is not None:
                found.setdefault(sister.common_dir or "", {}).update([told])
    for claim in claiming.held(queen):
        if claim.common_dir in managed and (told := mirror.claim(claim, speaks)) is not None:
            found.setdefault(claim.common_dir or "", {}).update([told])
    return found


def reflect(place: Place, wanted: Texts, ours: Collection[str], keep: bool = False) -> tuple[str, bool]:
    """Make the refs of the queens `ours` in one repository say `wanted`; why that cannot be, else nothing.

    `keep`: take none away, because a database that never wrote there may be a new one in the place of one that was
    lost; the second answer is whether there were any.
    """
    try:
        return _reflected(place, wanted, ours, keep)
    except (errors.GitqueenError, OSError) as fault:
        return f"{place.repo}: {fault}", False


def _reflected(place: Place, wanted: Texts, ours: Collection[str], keep: bool) -> tuple[str, bool]:
    before, why = None, ""
    for _ in range(TRIES):
        made = _planned(place, wanted, ours, keep)
        if not made.changes:
            return _left(place, made), bool(made.kept)
        if made.changes == before:
            break  # nobody else changes anything: it is git that refuses
        if (why := refs.apply(place, made.changes) or "") == "":
            return _left(place, made), bool(made.kept)
        if refs.is_lock(why):
            return f"{place.repo}: {why}", bool(made.kept)
        before = made.changes
    # One that cannot be must not keep the others from being: a folder in its place, a broken file.
    refused = [change.ref for change in made.changes if refs.apply(place, [change]) is not None]
    said = [f"{place.repo}: {', '.join(refused)}: {why}"] if refused else []
    return "; ".join([*said, *filter(None, [_left(place, made)])]), bool(made.kept)


@dataclass(frozen=True, slots=True)
class Plan:
    """`changes` make of what is there what is wanted."""

    changes: tuple[Change, ...]
    left: tuple[str, ...] = ()
    """Wanted refs that others have written already."""
    kept: tuple[str, ...] = ()
    """Refs of this queen's that nobody wants any more, and that stay all the same."""


def _left(place: Place, made: Plan) -> str:
    words = []
    if made.left:
        words.append(f"{place.repo}: {', '.join(made.left)}: somebody else wrote that, left alone")
    if made.kept:
        words.append(f"{place.repo} tells of tasks or claims that the database lost (gitqueen doctor --rebuild)")
    return "; ".join(words)


def _planned(place: Place, wanted: Texts, ours: Collection[str], keep: bool) -> Plan:
    there = refs.listed(place)
    doubtful = [ref for ref, oid in there.items() if not _says(oid, wanted.get(ref))]
    known = refs.objects(place, [there[ref] for ref in doubtful]) if doubtful else {}
    contents = {ref: known[there[ref]] for ref in doubtful if there[ref] in known}
    mine = {ref for ref, one in contents.items() if one.kind == "blob" and mirror.queen_of(one.content) in ours}
    made = plan(wanted, there, mine, keep)
    if (twins := _twins(made, there)) and refs.ignores_case(place):
        changes = tuple(change for change in made.changes if change.ref not in twins)
        return Plan(changes, (*made.left, *sorted(twins)), made.kept)
    return made


def _says(oid: str, text: bytes | None) -> bool:
    return text is not None and refs.object_id("blob", text, oid) == oid


def plan(wanted: Texts, there: Mapping[str, str], mine: Collection[str], keep: bool = False) -> Plan:
    """Decide: `wanted` ref -> content, `there` ref -> object id, `mine`: those refs there that say something else,
    and are this queen's; `keep`: none of them is taken away."""
    over = sorted(ref for ref in mine if ref not in wanted)
    gone = [] if keep else [Change(ref, there[ref], None) for ref in over]
    new = [Change(ref, None, text) for ref, text in wanted.items() if ref not in there]
    other = {ref: text for ref, text in wanted.items() if ref in there and not _says(there[ref], text)}
    replaced = [Change(ref, there[ref], text) for ref, text in other.items() if ref in mine]
    left = tuple(sorted(ref for ref in other if ref not in mine))
    return Plan((*gone, *replaced, *new), left, tuple(over) if keep else ())


def _twins(made: Plan, there: Mapping[str, str]) -> set[str]:
    """New refs that differ only in case from one that is there, or from an earlier new one."""
    gone = {change.ref for change in made.changes if change.text is None}
    seen, found = {ref.lower() for ref in there if ref not in gone}, set()
    for change in made.changes:
        if change.text is not None and change.old is None:
            if change.ref.lower() in seen:
                found.add(change.ref)
            seen.add(change.ref.lower())
    return found


def withdraw(queen: Queen, place: Place) -> None:
    """The repository is managed no more: nothing of this queen's stays in its refs. Raises `errors.Busy` if it must."""
    why, _ = reflect(place, {}, [voice(queen).queen])
    if why:
        raise errors.Busy(f"the refs of gitqueen stay for now: {why}", hint="gitqueen hooks uninstall, again")
    with database.transaction(queen.db):
        mirrors.forget(queen.db, place.common_dir)


def adopt(queen: Queen, homes: Mapping[str, Collection[str]]) -> None:
    """The database was rebuilt from these repositories (common dir -> queens whose refs were taken for ours): from now
    on they repeat it again."""
    with database.faults(queen.settings.database):
        managed = repos.all_managed(queen.db)
    everything, mine = _wanted(queen, managed), voice(queen).queen
    for common_dir, theirs in homes.items():
        place = find(managed.get(common_dir, common_dir), common_dir)
        if common_dir not in managed or place is None:
            continue
        wanted = everything.get(common_dir, {})
        fault, _ = reflect(place, wanted, [mine, *(one for one in theirs if one)])
        with database.transaction(queen.db):
            mirrors.save(queen.db, common_dir, Mirror(_summary(wanted), None, fault))
