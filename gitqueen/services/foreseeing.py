"""Foreseeing: whose uncommitted work a shell command would destroy, hide, sweep up or leave unguarded.

Which commands those are is `model/commands`. git is asked what is uncommitted; nothing of the command is run.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gitqueen import errors
from gitqueen.git import places, process, staging
from gitqueen.git.places import Place
from gitqueen.model import commands, conflicts
from gitqueen.model.attribution import Owner
from gitqueen.model.commands import Threat
from gitqueen.model.events import Event
from gitqueen.model.sisters import Identity, Sister
from gitqueen.services import attributing, tending
from gitqueen.services.queen import Queen
from gitqueen.store import database, events

POLICIES = {
    commands.DISCARDS: conflicts.LOST_WORK,
    commands.STASHES: conflicts.LOST_WORK,
    commands.SWEEPS: conflicts.SWEPT_WORK,
    commands.SWITCHES: conflicts.BRANCH_SWITCHED,
    commands.PUSHES: conflicts.SHARED_BRANCH,
}
"""By the policy of which conflict a command may be refused. Who disarms is told, and it is kept; never refused."""


@dataclass(frozen=True, slots=True)
class Peril:
    """What one command would do. `hers`: sister -> paths that are surely hers; `perhaps`: paths that may be hers, as
    nobody knows who wrote them; `here`: who else works there."""

    threat: Threat
    worktree: str
    here: tuple[Sister, ...]
    hers: Mapping[str, tuple[str, ...]]
    perhaps: tuple[str, ...] = ()
    mine: tuple[str, ...] = ()
    """Of the paths that it reaches, those that are surely of the one who runs it: what it may safely be said for."""
    apart: str = ""


@dataclass(frozen=True, slots=True)
class CommandReport:
    """`refused`: policy says block, and she is known."""

    perils: tuple[Peril, ...] = ()
    refused: bool = False


def before_command(queen: Queen, me: Identity, threats: Sequence[Threat]) -> CommandReport:
    """Which of `threats` would reach what is another living sister's."""
    others = tending.others(queen, me.address)
    if not others:
        return CommandReport()
    perils, refused = [], False
    for threat in threats:
        folder = os.path.join(queen.cwd, *threat.folders)
        place = places.find(folder, {}) if os.path.isdir(folder) else None
        if place is None or place.worktree is None:
            continue
        peril = _peril(queen, me, threat, place, os.path.realpath(folder), others)
        if peril is None:
            continue
        policy = _policy(queen.at(place), threat)
        if policy == conflicts.OFF:
            continue
        perils.append(peril)
        sure = bool(peril.hers) or threat.kind == commands.SWITCHES
        refused = refused or (policy == conflicts.BLOCK and sure and me.sister is not None)
        if threat.kind == commands.DISARMS:
            _keep(queen, me, place, threat)
    return CommandReport(tuple(perils), refused)


def _policy(there: Queen, threat: Threat) -> str:
    kind = POLICIES.get(threat.kind)
    return conflicts.WARN if kind is None else conflicts.policy(there.config, kind)


def _keep(queen: Queen, me: Identity, place: Place, threat: Threat) -> None:
    if me.sister is None:
        return
    with database.transaction(queen.db, patience=0.2):
        events.record(queen.db, queen.now, Event("disarming", me.sister.name, place.repo, {"by": threat.what}))


def _peril(
    queen: Queen, me: Identity, threat: Threat, place: Place, folder: str, others: Sequence[Sister]
) -> Peril | None:
    here = tuple(one for one in others if one.worktree == place.worktree)
    beside = tuple(one for one in others if one.common_dir == place.common_dir)
    worktree = place.worktree or ""
    if threat.kind == commands.DISARMS:
        return Peril(threat, worktree, beside, {}) if beside else None
    if threat.kind == commands.PUSHES:
        same = tuple(one for one in beside if place.branch is not None and one.branch == place.branch)
        return Peril(threat, worktree, same, {}) if same else None
    if not here:
        return None
    from gitqueen.services import colliding  # whoever is alone does not pay for it

    apart = colliding.apart_command(place.repo, me.address, None)
    switches = threat.kind == commands.SWITCHES
    reached = [] if switches and threat.paths is None else _reached(threat, worktree, folder)
    if switches and not reached:  # it is a branch
        return Peril(threat, worktree, here, {}, apart=apart) if threat.paths != (place.branch,) else None
    if switches:  # it is a file
        threat = replace(threat, kind=commands.DISCARDS, what="git checkout FILES")
    owned = _owners(queen, me, place, reached, others)
    names = {one.name for one in others}
    hers: dict[str, list[str]] = {}
    for path, owner in sorted(owned.items()):
        if owner.sure in names:
            hers.setdefault(owner.sure or "", []).append(path)
    # Of an `add` too many nothing is lost: there only what is surely hers is said.
    unsure = threat.kind != commands.SWEEPS
    perhaps = [path for path, owner in sorted(owned.items()) if owner.sure is None and names & set(owner.names)]
    removes = threat.paths is None and threat.untracked and threat.kind == commands.DISCARDS  # the worktree itself
    if not hers and not (perhaps and unsure) and not removes:
        return None
    return Peril(
        threat,
        worktree,
        here,
        {name: tuple(paths) for name, paths in hers.items()},
        tuple(perhaps) if unsure else (),
        tuple(attributing.mine(owned, me.sister.name if me.sister else None)),
        apart,
    )


def _owners(
    queen: Queen, me: Identity, place: Place, paths: Sequence[str], others: Sequence[Sister]
) -> dict[str, Owner]:
    from gitqueen.services import claiming

    living = [*others, *([me.sister] if me.sister else [])]
    claims = [one for one in claiming.held(queen) if one.common_dir == place.common_dir]
    return attributing.owners(queen, place.worktree or "", paths, living, claims)


def _reached(threat: Threat, worktree: str, folder: str) -> list[str]:
    """The uncommitted paths (from the top) that the command would reach."""
    try:
        status = process.run(*staging.STATUS, cwd=worktree).out
    except errors.GitFailed:
        return []
    found = []
    for entry in staging.paths(status):
        unknown = entry.startswith("??")
        if threat.untracked if unknown else threat.tracked:
            found.append(entry[3:].rstrip("/"))
    return [path for path in found if threat.paths is None or _covered(path, threat.paths, worktree, folder)]


def _covered(path: str, named: Iterable[str], worktree: str, folder: str) -> bool:
    top = worktree.rstrip("/") + "/"
    for name in named:
        whole = os.path.normpath(os.path.join(folder, name))
        if whole == top.rstrip("/") or f"{top}{path}" == whole or f"{top}{path}".startswith(whole.rstrip("/") + "/"):
            return True
    return False
