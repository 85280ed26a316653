"""Losing: whose uncommitted work disappeared from a worktree by somebody else's doing, found by comparing snapshots.

Only what is nowhere any more counts: not in the worktree, not in the index, not in a commit made since; or only in a
stash or on a branch where its sister did not put it. What she discarded herself is kept and raises no alarm.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gitqueen import errors
from gitqueen.git import places, rescue, seeking, turns, uncommitted
from gitqueen.git.places import Place
from gitqueen.model import conflicts, rescues
from gitqueen.model.conflicts import Conflict, Finding
from gitqueen.model.events import VENTURED, Event
from gitqueen.model.rescues import Kept, Rescue
from gitqueen.services import following, remembering, rescuing, tending
from gitqueen.services.queen import Queen
from gitqueen.store import commits as commits_table
from gitqueen.store import conflicts as conflicts_table
from gitqueen.store import database, events

MOST = 1000
"""Paths of one loss that are searched for, a process each; the others count as lost."""
REMOVED = "removed"
"""The mark of a worktree that is gone, and of which that was told."""
MOST_VENTURES, VENTURE_LASTS, COMMAND_LASTS = 20, 600.0, 30.0
"""How many ventures are looked at; for how many seconds what disappears first is taken to be of one, and what
disappears after that."""


PATIENCE = 30.0
"""Seconds to wait for somebody else who keeps work of the same worktree."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Paths of one sister that one snapshot still has; `stashed`: those that are in a stash, which she did not make;
    `sure`: whether all of them are surely hers; `taken`: commits of others on another branch, the only ones with it."""

    owner: str
    paths: tuple[str, ...]
    stashed: tuple[str, ...]
    sure: bool
    taken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Actor:
    """By whose command it was, and which one that was."""

    name: str
    command: str = ""


def look(
    queen: Queen,
    place: Place,
    reason: str,
    actor: Actor | None = None,
    patience: float = PATIENCE,
    ahead: float | None = None,
) -> str | None:
    """Take a snapshot, and tell what is lost since the one before it; the id of the new one, None without a change.

    `actor`: where that is known; `ahead`: when a command was told of that is only about to be run. What was compared is
    remembered last, so that a kill at any moment loses nothing.
    """
    with turns.alone(place, patience):
        before = rescue.remembered(place)
        if not before.id:
            before = replace(before, id=rescue.latest(place))
        taken = rescuing.take(queen, place, reason, before)
        if taken is None:
            return None
        if before.followed or isinstance(taken, rescuing.Taken):
            actor = actor or _venturer(queen, place, before.id, ahead)
        followed = _followed(queen, place, before.followed, taken, actor)
        if not isinstance(taken, rescuing.Taken):
            rescue.remember(place, replace(taken, followed=followed))
            return None
        vanished = not before.paths or not taken.dirty.issuperset(json.loads(before.paths))
        fresh = set(taken.memory.stashes.split()) - set(before.stashes.split())
        if (vanished or fresh) and (losses := _losses(queen, place, before.id, taken, actor, fresh)):
            _tell(queen, place, before.id, losses, actor)
        elif vanished:
            followed = following.begin(queen, place, followed, before.id)
        rescue.remember(place, replace(taken.memory, followed=followed))
        return taken.id


def _followed(
    queen: Queen, place: Place, known: str, taken: rescuing.Taken | rescue.Memory, actor: Actor | None
) -> str:
    """What is to be followed from now on; what went with a commit is told."""
    gone, lost = following.gone(queen, place, known), list[str]()
    if gone and not isinstance(taken, rescuing.Taken):
        dirty = frozenset(json.loads(taken.paths or "[]"))
        taken = rescuing.Taken(taken.id, tuple(rescue.contents(place, taken.id)), dirty, taken)
    for since in gone:
        if isinstance(taken, rescuing.Taken) and (losses := _losses(queen, place, since, taken, actor)):
            _tell(queen, place, since, losses, actor)
            lost.append(since)
    return following.go_on(queen, place, known, gone, lost) if known else ""


def scanned(queen: Queen, place: Place, head: str | None, changed: Sequence[str]) -> str | None:
    """`look` for a scan, which just saw HEAD and the changed paths; where nothing is kept it does nothing."""
    known = rescue.remembered(place)
    if (not known.id and not changed) or (known.mark and known.mark == uncommitted.mark(place, head, changed)):
        return None
    return look(queen, place, "scan") if rescuing.on(queen, place) else None


def removed(queen: Queen, place: Place) -> bool:
    """`look` for a worktree whose folder is gone: what was uncommitted in it is gone too. Whether that was news."""
    before = rescue.remembered(place)
    if not before.id or before.mark == REMOVED or not rescuing.on(queen, place):
        return False
    with turns.alone(place, PATIENCE):
        actor = _venturer(queen, place, before.id)
        taken = rescuing.Taken(before.id, (), frozenset(), replace(before, mark=REMOVED))
        if losses := _losses(queen, place, before.id, taken, actor):
            _tell(queen, place, before.id, losses, actor)
        rescue.remember(place, taken.memory)
    return True


def _venturer(queen: Queen, place: Place, since: str, ahead: float | None = None) -> Actor | None:
    """Who told an agent's door of one destroying command here after that snapshot; nobody where there were several."""
    with database.faults(queen.settings.database):
        told = events.of_kind(queen.db, VENTURED, place.repo, MOST_VENTURES)
    after = rescue.when(since)
    fresh = {
        one.sister: Actor(one.sister, str(one.detail.get("by", "")))
        for one in told
        if one.sister and one.detail.get("worktree") == place.worktree and _recent(queen, one, after)
        if one.detail.get("at") != ahead
    }
    return next(iter(fresh.values())) if len(fresh) == 1 else None


def _recent(queen: Queen, one: Event, after: float) -> bool:
    at = one.detail.get("at")
    if not isinstance(at, float):
        return False
    # A command takes its time: somebody may have looked when it was half done. Not one that was over when it was told.
    lasts = VENTURE_LASTS if after <= at else 0.0 if one.detail.get("over") else COMMAND_LASTS
    return queen.now.timestamp() - at <= lasts


def _losses(
    queen: Queen,
    place: Place,
    since: str,
    taken: rescuing.Taken,
    actor: Actor | None,
    fresh: Collection[str] = (),
) -> list[Loss]:
    """`fresh`: the stashes that were made since."""
    if not since:
        return []
    try:
        held = latest(rescue.contents(place, since))
        gone = rescues.vanished(held, taken.kept, taken.dirty)
        # Who writes anew on what a stash left has not what the stash took.
        hidden = rescues.vanished(held, taken.kept, {one.path for one in held} - taken.dirty) if fresh else []
        before = rescue.one(place, since) if gone or hidden else None
    except errors.GitFailed:
        return []  # torn: nothing can be said of it
    if before is None:
        return []
    here = [sister.name for sister in tending.living(queen) if sister.worktree == place.worktree]
    concerned = _concerned(queen, place, before, [*gone, *hidden], here, actor)
    gone, hidden = ([kept for kept in some if concerned.get(kept.path)] for some in (gone, hidden))
    found: dict[str, dict[str, str]] = {}
    others: dict[str, set[str]] = {}
    for kept, state, commits in (*_states(place, before, gone), *_hidden(place, before, hidden, fresh)):
        for owner in concerned[kept.path] if state != seeking.KEPT else ():
            if state == seeking.TAKEN:
                if not _by_others(queen, place, commits, owners_of(before, kept.path)):
                    continue
                others.setdefault(owner, set()).update(commits)
            mine = found.setdefault(owner, {})
            mine[kept.path] = min(state, mine.get(kept.path, state))  # nowhere, before stashed, before taken
    return [_loss(before, owner, paths, others.get(owner, ())) for owner, paths in sorted(found.items())]


def _by_others(queen: Queen, place: Place, commits: Collection[str], owners: Collection[str]) -> bool:
    """Whether all of these commits were surely made by others than those whose work it may be."""
    from gitqueen.services import draining  # a commit that was just made may wait in the spool

    draining.settle(queen)
    with database.faults(queen.settings.database):
        makers = {commits_table.maker(queen.db, place.common_dir, oid) for oid in commits}
    return makers.isdisjoint({*owners, None})


def _loss(before: Rescue, owner: str, paths: Mapping[str, str], taken: Collection[str]) -> Loss:
    stashed = tuple(sorted(path for path, state in paths.items() if state == seeking.STASHED))
    sure = all(len(owners_of(before, path)) == 1 for path in paths)
    only = tuple(sorted(taken)) if set(paths.values()) == {seeking.TAKEN} else ()
    return Loss(owner, tuple(sorted(paths)), stashed, sure, only)


def _states(place: Place, before: Rescue, gone: Sequence[Kept]) -> Iterator[tuple[Kept, str, frozenset[str]]]:
    """Where each content is now; history is asked once for all of them, and only where one is not on the disk."""
    seen: seeking.Seen | None = None
    changed: Mapping[str, object] | None = None
    for number, (kept, raw) in enumerate(zip(gone, rescue.data(place, [one.oid for one in gone]), strict=True)):
        there = on_disk(place.worktree or "", kept.path)
        commits: frozenset[str] = frozenset()
        if raw is None or there == raw:
            yield kept, seeking.KEPT, commits
            continue
        try:
            seen = seen or seeking.survey(place, before.head, [one.path for one in gone])
            oid = _object_id(place, kept, raw) if number < MOST else None
            state = seeking.NOWHERE if oid is None else seeking.state(seen, oid)
            if state == seeking.KEPT and oid is not None and (commits := seeking.elsewhere(place, seen, oid)):
                state = seeking.TAKEN
            if state == seeking.NOWHERE and there is not None and rescues.grown(raw, there):
                # Somebody wrote on and committed: all of it is in that commit. A checkout would have made none.
                changed = seeking.changed_since(place, before.head) if changed is None else changed
                state = seeking.KEPT if kept.path in changed else state
        except errors.GitqueenError:
            state = seeking.NOWHERE  # better told in vain than silent
        yield kept, state, commits


def _hidden(
    place: Place, before: Rescue, changed: Sequence[Kept], fresh: Collection[str]
) -> Iterator[tuple[Kept, str, frozenset[str]]]:
    """Those that only a fresh stash has, while other work stands in their place. What was written on is there still."""
    seen: seeking.Seen | None = None
    for kept, raw in zip(changed[:MOST], rescue.data(place, [one.oid for one in changed[:MOST]]), strict=True):
        there = on_disk(place.worktree or "", kept.path)
        if raw is None or (there is not None and rescues.grown(raw, there)):
            continue
        try:
            seen = seen or seeking.survey(place, before.head, [one.path for one in changed])
            oid = _object_id(place, kept, raw)
        except errors.GitqueenError:
            return  # a path that carries work is no loss until a stash says so
        if oid is not None and seeking.put_away(seen, oid, fresh):
            yield kept, seeking.STASHED, frozenset()


def _object_id(place: Place, kept: Kept, raw: bytes) -> str | None:
    return seeking.object_id(place, kept.path, raw, kept.part == rescue.WORKTREE and kept.mode != "120000")


def on_disk(top: str, path: str) -> bytes | None:
    """The bytes, or the target of a link, at `path` below the folder `top`; None where nothing can be read."""
    whole = os.path.join(top, path)
    try:
        if os.path.islink(whole):
            return os.fsencode(os.readlink(whole))
        if not os.path.isfile(whole):  # opening a pipe would wait for whoever writes it
            return None
        with open(whole, "rb") as file:
            return file.read()
    except OSError:
        return None


def _concerned(
    queen: Queen, place: Place, before: Rescue, gone: Sequence[Kept], here: Sequence[str], actor: Actor | None
) -> dict[str, list[str]]:
    """Path -> whose it was, of those to be told: not she who did it, and nobody who is alone with her own work."""
    makers: dict[str, set[str | None]] | None = None
    found: dict[str, list[str]] = {}
    for path in dict.fromkeys(kept.path for kept in gone):
        owners = owners_of(before, path)
        by = actor.name if actor is not None else None
        owners = [owner for owner in owners if (owner != by if by else set(here) - {owner})]
        if owners and makers is None:
            makers = _makers(queen, place, before)
        # Who went on with it and committed what it became has lost nothing; whose commit is not in the book yet may be
        # hers.
        found[path] = [] if makers is not None and makers.get(path, set()) & {*owners, None} else owners
    return found


def owners_of(before: Rescue, path: str) -> list[str]:
    """Whose uncommitted work it was then: one, or all who may be."""
    return list(before.owners.get(path, before.sisters))


def _makers(queen: Queen, place: Place, before: Rescue) -> dict[str, set[str | None]]:
    """Path -> who committed a change of it since, None for somebody who is not known (yet)."""
    changed = seeking.changed_since(place, before.head)
    with database.faults(queen.settings.database):
        return {
            path: {commits_table.maker(queen.db, place.common_dir, oid) for oid in oids}
            for path, oids in changed.items()
        }


def _tell(queen: Queen, place: Place, since: str, losses: Sequence[Loss], actor: Actor | None) -> None:
    with database.transaction(queen.db):
        for loss in losses:
            finding, letter = _told(place, since, loss, actor)
            remembering.remember(queen, [finding], letters={loss.owner: letter})


def _told(place: Place, since: str, loss: Loss, actor: Actor | None) -> tuple[Finding, str]:
    who = "somebody unknown" if actor is None else actor.name
    how = f", who ran `{actor.command}`" if actor is not None and actor.command else ""
    names = ", ".join(loss.paths[:5]) + (f" and {len(loss.paths) - 5} more" if len(loss.paths) > 5 else "")
    only_stashed = loss.stashed == loss.paths
    where = "is only in a stash that is not hers" if only_stashed else "is nowhere in git any more"
    if loss.taken:
        shown = ", ".join(oid[:10] for oid in loss.taken[:3])
        where = f"is only in a commit that is not hers, and not of this branch ({shown})"
    perhaps = "" if loss.sure else "perhaps "
    finding = Finding(
        type=conflicts.LOST_WORK,
        sisters=tuple(dict.fromkeys((loss.owner, *([actor.name] if actor else [])))),
        severity=conflicts.DANGER,
        detail=f"uncommitted work {perhaps}of {loss.owner} in {names} {where} (by {who}{how})",
        subject=f"{loss.owner} {since}",
        repo=place.repo,
        common_dir=place.common_dir,
        worktree=place.worktree,
        facts=loss.paths,
    )
    short = shlex.quote(since.rpartition("/")[2])
    whose = "Your uncommitted work" if loss.sure else "Uncommitted work that may be yours"
    stash = "A stash has it, too: git stash list\n" if only_stashed else "Some of it is in a stash: git stash list\n"
    commit = f"A commit that is not yours has it: git show {loss.taken[0][:10]}\n" if loss.taken else ""
    letter = (
        f"{whose} in {names} disappeared from {place.worktree} (by {who}{how}).\n{stash if loss.stashed else commit}"
        f"Look:  gitqueen rescue diff {short}\n"
        f"Back:  gitqueen rescue restore {short}"
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
        wanted = latest(one for one in rescue.contents(place, found.id) if one.path in conflict.facts)
        data = rescue.data(place, [one.oid for one in wanted])
    except errors.GitqueenError:
        return False
    there = [on_disk(place.worktree or "", one.path) == raw for one, raw in zip(wanted, data, strict=True)]
    return bool(there) and all(there)


def latest(kept: Iterable[Kept]) -> list[Kept]:
    """One content a path: the worktree's, else the index's."""
    chosen: dict[str, Kept] = {}
    for one in sorted(kept, key=lambda kept: kept.part):  # index, worktree
        chosen[one.path] = one
    return list(chosen.values())
