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
from gitqueen.store import database, events, mirrors, repos
from gitqueen.store.mirrors import Mirror

TRIES = 3
"""Times that a lost race is run again before it is left to the next scan."""

Texts = dict[str, bytes]
"""Ref -> what it should say."""


def voice(queen: Queen) -> Voice:
    """How this queen signs: several homes may be on one machine, and one path to a home on several machines."""
    machine = queen.origin.partition(":")[0]
    short = zlib.crc32(machine.encode("utf-8", "surrogateescape"))
    return Voice(processes.machine(), f"{short:08x}:{os.path.realpath(queen.settings.home)}")


def changed(queen: Queen) -> None:
    """Tasks or claims may have changed: call it after the transaction. Never fails; a few queries when none did."""
    try:
        _update(queen, lambda known, wanted, _: known.wanted == wanted if known else not wanted)
    except (errors.GitqueenError, OSError):
        pass  # the next scan


def mend(queen: Queen) -> list[str]:
    """Look at every managed repository, by stats alone where nothing changed; a sentence for each that disagrees."""

    def settled(known: Mirror | None, wanted: str, common_dir: str) -> bool:
        if known is None or known.fault or known.stamp is None or known.wanted != wanted:
            return False
        return known.stamp == refs.stamp(common_dir, queen.clock().timestamp())

    return _update(queen, settled, look_again=True)


def _update(queen: Queen, settled: Callable[[Mirror | None, str, str], bool], look_again: bool = False) -> list[str]:
    with database.faults(queen.settings.database):
        managed, book = repos.all_managed(queen.db), mirrors.everything(queen.db)
    if not managed:
        return []
    everything, faults = _wanted(queen, managed), []
    for common_dir, path in managed.items():
        wanted = everything.get(common_dir, {})
        summary = _summary(wanted)
        known = book.get(common_dir)
        if settled(known, summary, common_dir):
            continue
        place = _place(path, common_dir)
        if place is None:
            continue  # gone: the doctor says so
        now = queen.clock().timestamp()
        before = refs.stamp(common_dir, now) if look_again else None
        fault = reflect(place, wanted, voice(queen).queen)
        if fault:
            faults.append(fault)
        # What was there before we looked is what agrees: a change of ours is looked at again by the next scan.
        after = Mirror(summary, before, fault)
        if after != known:
            with database.transaction(queen.db):
                mirrors.save(queen.db, common_dir, after)
    return faults


def _place(path: str, common_dir: str) -> Place | None:
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


def reflect(place: Place, wanted: Texts, *ours: str) -> str:
    """Make the refs of the queens `ours` in one repository say `wanted`; why that cannot be, else nothing."""
    try:
        return _reflected(place, wanted, ours)
    except (errors.GitqueenError, OSError) as fault:
        return f"{place.repo}: {fault}"


def _reflected(place: Place, wanted: Texts, ours: Collection[str]) -> str:
    before, why = None, ""
    for _ in range(TRIES):
        made = _planned(place, wanted, ours)
        if not made.changes:
            return _left(place, made)
        if made.changes == before:
            break  # nobody else changes anything: it is git that refuses
        if (why := refs.apply(place, made.changes) or "") == "":
            return _left(place, made)
        if refs.is_lock(why):
            return f"{place.repo}: {why}"
        before = made.changes
    # One that cannot be must not keep the others from being: a folder in its place, a broken file.
    refused = [change.ref for change in made.changes if refs.apply(place, [change]) is not None]
    if not refused:
        return _left(place, made)
    return "; ".join(word for word in (f"{place.repo}: {', '.join(refused)}: {why}", _left(place, made)) if word)


@dataclass(frozen=True, slots=True)
class Plan:
    """`changes` make of what is there what is wanted. `left`: wanted refs that others have written already."""

    changes: tuple[Change, ...]
    left: tuple[str, ...] = ()


def _left(place: Place, made: Plan) -> str:
    return f"{place.repo}: {', '.join(made.left)}: somebody else wrote that, left alone" if made.left else ""


def _planned(place: Place, wanted: Texts, ours: Collection[str]) -> Plan:
    there = refs.listed(place)
    doubtful = [ref for ref, oid in there.items() if not _says(oid, wanted.get(ref))]
    known = refs.objects(place, [there[ref] for ref in doubtful]) if doubtful else {}
    contents = {ref: known[there[ref]] for ref in doubtful if there[ref] in known}
    mine = {ref for ref, one in contents.items() if one.kind == "blob" and mirror.queen_of(one.content) in ours}
    made = plan(wanted, there, mine)
    if (twins := _twins(made, there)) and refs.ignores_case(place):
        return Plan(tuple(c for c in made.changes if c.ref not in twins), (*made.left, *sorted(twins)))
    return made


def _says(oid: str, text: bytes | None) -> bool:
    return text is not None and refs.object_id("blob", text, oid) == oid


def plan(wanted: Texts, there: Mapping[str, str], mine: Collection[str]) -> Plan:
    """Decide: `wanted` ref -> content, `there` ref -> object id, `mine`: those refs there that say something else,
    and are this queen's."""
    gone = [Change(ref, there[ref], None) for ref in sorted(mine) if ref not in wanted]
    new = [Change(ref, None, text) for ref, text in wanted.items() if ref not in there]
    other = {ref: text for ref, text in wanted.items() if ref in there and not _says(there[ref], text)}
    replaced = [Change(ref, there[ref], text) for ref, text in other.items() if ref in mine]
    return Plan((*gone, *replaced, *new), tuple(sorted(ref for ref in other if ref not in mine)))


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
    if why := reflect(place, {}, voice(queen).queen):
        raise errors.Busy(f"the refs of gitqueen stay for now: {why}", hint="gitqueen hooks uninstall, again")
    with database.transaction(queen.db):
        mirrors.forget(queen.db, place.common_dir)


@dataclass(frozen=True, slots=True)
class Stranger:
    """A ref below ours that this queen did not write. `sense`: it is in form, so another queen's."""

    ref: str
    kind: str
    sense: bool


def strangers(queen: Queen, place: Place) -> list[Stranger]:
    """What others put beside our refs."""
    there = refs.listed(place)
    known = refs.objects(place, list(there.values()))
    mine, found = voice(queen).queen, []
    for ref, oid in there.items():
        one = known.get(oid)
        if one is None:
            found.append(Stranger(ref, "missing object", False))
        elif one.kind != "blob" or mirror.queen_of(one.content) != mine:
            sense = mirror.read_task(ref, one.content) or mirror.read_claim(ref, one.content)
            found.append(Stranger(ref, one.kind, one.kind == "blob" and sense is not None))
    return found
