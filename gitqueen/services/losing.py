"""Losing: whose uncommitted work disappeared from a worktree by somebody else's doing, found by comparing snapshots.

Only what is nowhere any more counts: not in the worktree, not in the index, not in a commit made since; or only in a
stash that its sister did not make. What she discarded herself is kept and raises no alarm.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gitqueen import errors
from gitqueen.git import places, rescue, seeking
from gitqueen.git.places import Place
from gitqueen.model import conflicts, rescues
from gitqueen.model.conflicts import Conflict, Finding
from gitqueen.model.rescues import Kept, Rescue
from gitqueen.services import remembering, rescuing, tending
from gitqueen.services.queen import Queen
from gitqueen.store import commits as commits_table
from gitqueen.store import conflicts as conflicts_table
from gitqueen.store import database

MOST = 200
"""Paths of one loss that are searched for in history; the others count as lost."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Paths of one sister that one snapshot still has. `stashed`: they are in a stash, which she did not make."""

    owner: str
    paths: tuple[str, ...]
    stashed: bool


def look(queen: Queen, place: Place, reason: str, actor: str | None = None) -> str | None:
    """Take a snapshot, and tell what is lost since the one before it; the id of the new one, None without a change.

    `actor`: the sister by whose command it was, where that is known.
    """
    before = next((one for one in rescue.listed(place) if one.worktree == place.worktree), None)
    made = rescuing.snapshot(queen, place, reason)
    if made is None or before is None:
        return made
    after = rescuing.find(place, made)
    losses = _losses(queen, place, before, after, actor)
    if losses:
        with database.transaction(queen.db):
            for loss in losses:
                finding, letter = _told(place, before, loss, actor)
                remembering.remember(queen, [finding], letters={loss.owner: letter})
    return made


def _losses(queen: Queen, place: Place, before: Rescue, after: Rescue, actor: str | None) -> list[Loss]:
    here = [sister.name for sister in tending.living(queen) if sister.worktree == place.worktree]
    there = rescue.contents(place, after)
    still = {one.path for one in there if one.part == rescue.WORKTREE} | set(after.left_out)
    gone = rescues.vanished(rescue.contents(place, before), there, still)
    found: dict[tuple[str, bool], list[str]] = {}
    for kept, raw in zip(gone, rescue.data(place, [one.oid for one in gone]), strict=True):
        for owner in _concerned(queen, place, before, kept, here, actor):
            state = _state(place, before, kept, raw, len(found))
            if state != seeking.KEPT:
                found.setdefault((owner, state == seeking.STASHED), []).append(kept.path)
    return [Loss(owner, tuple(dict.fromkeys(paths)), stashed) for (owner, stashed), paths in sorted(found.items())]


def _state(place: Place, before: Rescue, kept: Kept, raw: bytes | None, searched: int) -> str:
    if raw is None or on_disk(place.worktree or "", kept.path) == raw:
        return seeking.KEPT
    if kept.mode == "120000" or searched > MOST:
        return seeking.NOWHERE
    try:
        return seeking.seek(place, kept.path, raw, before.head)
    except errors.GitqueenError:
        return seeking.NOWHERE  # better told in vain than silent


def on_disk(top: str, path: str) -> bytes | None:
    """The bytes, or the target of a link, at `path` below the folder `top`; None where nothing can be read."""
    whole = os.path.join(top, path)
    try:
        if os.path.islink(whole):
            return os.fsencode(os.readlink(whole))
        with open(whole, "rb") as file:
            return file.read()
    except OSError:
        return None


def _concerned(
    queen: Queen, place: Place, before: Rescue, kept: Kept, here: Sequence[str], actor: str | None
) -> list[str]:
    """Whose it was, of those who must be told: not she who did it, and nobody who is alone with her own work."""
    owners = owners_of(queen, place, before, kept.path)
    if actor is not None:
        return [owner for owner in owners if owner != actor]
    if not set(here) - set(owners) and len(here) < 2:
        return []
    if set(_makers(queen, place, before, kept.path)) & set(owners):
        return []  # she went on with it and committed what it became
    return owners


def owners_of(queen: Queen, place: Place, before: Rescue, path: str) -> list[str]:
    """Whose uncommitted work it was: of several who lived there each may have been."""
    return list(before.sisters)


def _makers(queen: Queen, place: Place, before: Rescue, path: str) -> list[str]:
    """Who committed a change of this path since."""
    oids = seeking.changed_since(place, path, before.head)
    with database.faults(queen.settings.database):
        return [name for oid in oids if (name := commits_table.maker(queen.db, place.common_dir, oid))]


def _told(place: Place, before: Rescue, loss: Loss, actor: str | None) -> tuple[Finding, str]:
    who = actor or "somebody unknown"
    names = ", ".join(loss.paths[:5]) + (f" and {len(loss.paths) - 5} more" if len(loss.paths) > 5 else "")
    where = "is only in a stash that is not hers" if loss.stashed else "is nowhere in git any more"
    finding = Finding(
        type=conflicts.LOST_WORK,
        sisters=tuple(dict.fromkeys((loss.owner, *([actor] if actor else [])))),
        severity=conflicts.DANGER,
        detail=f"uncommitted work of {loss.owner} in {names} {where} (by {who})",
        subject=f"{loss.owner} {before.id}",
        repo=place.repo,
        common_dir=place.common_dir,
        worktree=place.worktree,
        facts=tuple(sorted(loss.paths)),
    )
    stash = "It is in a stash, too: git stash list\n" if loss.stashed else ""
    letter = (
        f"Your uncommitted work in {names} disappeared from {place.worktree} (by {who}).\n{stash}"
        f"Look:  gitqueen rescue diff {shlex.quote(before.id)}\n"
        f"Back:  gitqueen rescue restore {shlex.quote(before.id)}"
    )
    return finding, letter


def open_ones(queen: Queen) -> list[Conflict]:
    """Lost work that was neither brought back nor given up."""
    with database.faults(queen.settings.database):
        return [one for one in conflicts_table.open_ones(queen.db) if one.type == conflicts.LOST_WORK]


def snapshot_of(conflict: Conflict) -> str:
    """The id of the snapshot that still has it."""
    return conflict.subject.partition(" ")[2]


def settle(queen: Queen) -> list[Conflict]:
    """Close what is there again, byte for byte; returns what was closed."""
    over = [conflict for conflict in open_ones(queen) if _is_back(conflict)]
    if over:
        with database.transaction(queen.db):
            for conflict in over:
                remembering.close(queen, conflict)
    return over


def _is_back(conflict: Conflict) -> bool:
    place = places.find(conflict.worktree or "")
    if place is None:
        return False
    try:
        found = rescuing.find(place, snapshot_of(conflict))
        wanted = latest(one for one in rescue.contents(place, found) if one.path in conflict.facts)
        data = rescue.data(place, [one.oid for one in wanted])
    except errors.GitqueenError:
        return False
    return all(on_disk(place.worktree or "", one.path) == raw for one, raw in zip(wanted, data, strict=True))


def latest(kept: Iterable[Kept]) -> list[Kept]:
    """One content a path: the worktree's, else the index's."""
    chosen: dict[str, Kept] = {}
    for one in sorted(kept, key=lambda kept: kept.part):  # index, worktree
        chosen[one.path] = one
    return list(chosen.values())
