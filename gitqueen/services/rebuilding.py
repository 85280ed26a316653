"""Rebuilding: a database that was lost comes back from what the repositories themselves tell.

Declared tasks and held claims from the refs of this queen, living sisters from the markers of the hooks. What stands in
git is data from outside: parsed, checked, and only taken where the database says nothing newer. Twice changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gitqueen import errors
from gitqueen.git import hooks, markers, places, refs
from gitqueen.git.places import Place
from gitqueen.model import mirror, sisters
from gitqueen.model.claims import Claim
from gitqueen.model.events import Event
from gitqueen.model.mirror import Task, Voice
from gitqueen.model.sisters import Sister
from gitqueen.senses import processes
from gitqueen.services import mirroring, tending
from gitqueen.services.queen import Queen
from gitqueen.store import claims as claims_table
from gitqueen.store import database, events, repos, roster
from gitqueen.store import sisters as sisters_table

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came back, or would."""

    repositories: tuple[str, ...]
    """All that were looked at."""
    managed: tuple[str, ...]
    """Those that the database did not know as managed."""
    sisters: tuple[Sister, ...]
    """With their task, where they had declared one."""
    claims: tuple[Claim, ...]
    faults: tuple[str, ...]
    """A sentence for each repository that could not be read, and for each ref that makes no sense."""

    @property
    def empty(self) -> bool:
        return not (self.managed or self.sisters or self.claims)


@dataclass(frozen=True, slots=True)
class _Told:
    """What one repository tells."""

    place: Place
    armed: bool
    tasks: tuple[Task, ...] = ()
    claims: tuple[Claim, ...] = ()
    bodies: tuple[Sister, ...] = ()
    """As the markers have them, dead or alive."""
    queens: frozenset[str] = frozenset()
    """Homes on this machine that are gone, whose refs were taken for ours."""
    faults: tuple[str, ...] = ()


def rebuild(
    queen: Queen, named: Sequence[str] = (), dry_run: bool = False, progress: Callable[[str], None] = lambda _: None
) -> Rebuilt:
    """Bring back what the known repositories, the one here and those `named` tell; raises `errors.CannotWork` for a
    named folder in none."""
    told, faults = [], []
    for place in _places(queen, named):
        progress(place.repo)
        try:
            told.append(_listen(queen, place))
        except (errors.GitqueenError, OSError) as fault:
            faults.append(f"{place.repo}: {fault}")
    faults += [fault for one in told for fault in one.faults]
    made = _plan(queen, told)
    report = replace(made, faults=tuple(faults), repositories=tuple(one.place.repo for one in told))
    if not dry_run:
        _perform(queen, told, report)
    return report


def _places(queen: Queen, named: Sequence[str]) -> list[Place]:
    found = {}
    with database.faults(queen.settings.database):
        known = [*repos.known(queen.db).values(), *roster.read(queen.settings.home)]
    for path in named:
        place = places.find(os.path.join(queen.cwd, os.path.expanduser(path)))
        if place is None:
            raise errors.CannotWork(f"{ascii(path)} is in no git repository", hint="name a folder inside one")
        found[place.common_dir] = place
    if queen.place is not None:
        found.setdefault(queen.place.common_dir, queen.place)
    for path in known:
        if (place := places.find(path)) is not None:
            found.setdefault(place.common_dir, place)
    return list(found.values())


def _listen(queen: Queen, place: Place) -> _Told:
    speaks = mirroring.voice(queen)
    there = refs.listed(place)
    contents = refs.objects(place, list(there.values()))
    tasks, holds, queens, faults = [], [], set(), []
    for ref, oid in there.items():
        one = contents.get(oid)
        text = one.content if one is not None and one.kind == "blob" else b""
        said = mirror.read_task(ref, text) or mirror.read_claim(ref, text)
        if said is None:
            faults.append(f"{place.repo}: {ref} is none of ours, or makes no sense: left alone")
        elif _ours(said.queen, said.machine, speaks):
            queens.add(said.queen or "")
            if isinstance(said, Task):
                tasks.append(said)
            else:
                holds.append(replace(said.claim, repo=place.repo, common_dir=place.common_dir))
    badges = (sisters.read_badge(pid, markers.read(place.common_dir, pid)) for pid in markers.listed(place.common_dir))
    return _Told(
        place=place,
        armed=_armed(place),
        tasks=tuple(tasks),
        claims=tuple(holds),
        bodies=tuple(one for one in badges if one is not None),
        queens=frozenset(queens),
        faults=tuple(faults),
    )


def _ours(theirs: str | None, machine: str | None, speaks: Voice) -> bool:
    """Whether it was written by this queen: or by one of this machine whose home is no more."""
    if theirs is None:
        return machine == speaks.machine
    where, _, home = theirs.partition(":")
    if theirs == speaks.queen:
        return True
    gone = os.path.isabs(home) and "\0" not in home and not os.path.exists(os.path.join(home, "queen.db"))
    return gone and where == speaks.queen.partition(":")[0]


def _armed(place: Place) -> bool:
    """Whether hooks of ours were put there: the folder alone may have come with an archive."""
    folder = os.path.join(place.common_dir, markers.FOLDER)
    return os.path.isdir(folder) and any(state.armed for state in hooks.look(place).states)


def _plan(queen: Queen, told: Sequence[_Told]) -> Rebuilt:
    with database.faults(queen.settings.database):
        managed = repos.all_managed(queen.db)
        here = [one.place.common_dir for one in told]
        declined = {where for where in here if repos.managed_by(queen.db, where) == repos.DECLINED}
        rows = {sister.name: sister for sister in sisters_table.everyone(queen.db)}
        known = {claim.id: claim for claim in claims_table.everything(queen.db)}
        spoke = {name for name in _names(told) if events.last(queen.db, "declared", name)}
    tasks = _newest_tasks(told)
    alive = {body.body: body for one in told for body in one.bodies if _lives(queen, body)}
    # A marker that could not be rewritten may have an older name of hers: the one with a task goes last, and stays.
    alive |= {body.body: body for one in told for body in one.bodies if body.body in alive and body.name in tasks}
    back = []
    for body in sorted(alive.values(), key=lambda body: body.name):
        name = body.name
        task = tasks.get(name) if name not in spoke else None
        if name in rows and (rows[name].declared or task is None):
            continue
        sister = rows.get(name) or _placed(body)
        if task is not None:
            sister = replace(sister, task=task.task, task_source="declared", status="working")
        back.append(sister)
    claims = [
        claim
        for claim in _newest_claims(told)
        if not claim.expired(queen.now) and not _known_better(known.get(claim.id), claim)
    ]
    armed = (one.place for one in told if one.armed)
    unknown = [place.repo for place in armed if place.common_dir not in managed and place.common_dir not in declined]
    return Rebuilt((), tuple(unknown), tuple(back), tuple(claims), ())


def _names(told: Iterable[_Told]) -> set[str]:
    return {task.sister for one in told for task in one.tasks}


def _newest_tasks(told: Sequence[_Told]) -> dict[str, Task]:
    """Sister -> what she declared last, whichever repository tells it."""
    found: dict[str, Task] = {}
    for task in sorted((task for one in told for task in one.tasks), key=lambda task: task.started_at or _LONG_AGO):
        found[task.sister] = task
    return found


def _newest_claims(told: Sequence[_Told]) -> list[Claim]:
    found: dict[str, Claim] = {}
    for claim in sorted((hold for one in told for hold in one.claims), key=lambda one: one.claimed_at or _LONG_AGO):
        found[claim.id] = claim
    return [found[name] for name in sorted(found)]


def _known_better(known: Claim | None, claim: Claim) -> bool:
    """Whether the database knows this claim, or what became of it later."""
    if known is None:
        return False
    if known.released_at is None:
        return True
    return claim.claimed_at is None or known.released_at >= claim.claimed_at


def _lives(queen: Queen, body: Sister) -> bool:
    there = body.body
    return there is not None and there.origin == queen.origin and processes.alive(there.pid, there.ticks)


def _placed(body: Sister) -> Sister:
    place = places.find(body.worktree) if body.worktree else None
    process = processes.look(body.pid)
    return replace(
        body,
        branch=place.branch if place else None,
        repo=place.repo if place else None,
        worktree=place.worktree if place else None,
        common_dir=place.common_dir if place else None,
        started_at=processes.started_at(process) if process else None,
    )


def _perform(queen: Queen, told: Sequence[_Told], report: Rebuilt) -> None:
    with database.transaction(queen.db, durable=True):
        for one in told:
            found = repos.BY_NAME if one.place.repo in report.managed else None
            repos.save(queen.db, one.place.common_dir, one.place.repo, managed=found)
        for sister in report.sisters:
            _bring_back(queen, sister, _newest_tasks(told).get(sister.name))
        for claim in report.claims:
            claims_table.save(queen.db, claim)
        _bury(queen, told)
        if not report.empty:
            detail = {"sisters": len(report.sisters), "claims": len(report.claims)}
            events.record(queen.db, queen.now, Event("rebuilt", None, None, detail))
        tending.outdate(queen)
    roster.add(queen.settings.home, report.managed)
    mirroring.adopt(queen, {one.place.common_dir: one.queens for one in told if one.queens})


def _bring_back(queen: Queen, sister: Sister, task: Task | None) -> None:
    there = sisters_table.named(queen.db, sister.name)
    if not there:
        sister = replace(sister, row=sisters_table.free_row(queen.db, sister.pid), last_seen=queen.now)
        sisters_table.save(queen.db, sister)
        events.remember_name(queen.db, sister.name, queen.now)
    elif sister.declared:
        sisters_table.set_task(queen.db, sister.row, sister.task, sister.task_source, sister.status)
    if sister.declared and task is not None:
        at = task.started_at or queen.now
        events.record(queen.db, at, Event("declared", sister.name, sister.repo, {"task": sister.task}))


def _bury(queen: Queen, told: Sequence[_Told]) -> None:
    """Of whom a marker says that she is dead: her claims are given back after the grace, from now on. Whom nothing
    tells of cannot be judged, and holds what she holds."""
    seen = [body for one in told for body in one.bodies]
    living = {sister.name for sister in tending.living(queen)}
    for name in sorted({body.name for body in seen if _dead(queen, body)} - living):
        if not events.known_name(queen.db, name) or name not in events.died(queen.db):
            events.remember_name(queen.db, name, queen.now)
            events.mark_dead(queen.db, [name], queen.now)


def _dead(queen: Queen, body: Sister) -> bool:
    # Seen just now, as far as anybody knows: one in a namespace that we cannot look into is not dead for that.
    silent = replace(body, last_seen=queen.now)
    return body.body is not None and not _lives(queen, body) and sisters.gone_for_good(silent, queen.origin, queen.now)
