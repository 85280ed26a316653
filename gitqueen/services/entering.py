"""Entering: a process becomes a sister and gets a name; and a sister takes another one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gitqueen import errors
from gitqueen.model import names, sisters
from gitqueen.model.events import Event
from gitqueen.model.names import SisterName
from gitqueen.model.sisters import Body, Sister
from gitqueen.senses import agents, processes
from gitqueen.senses.processes import Process
from gitqueen.services import tending
from gitqueen.services.identifying import Identity, login
from gitqueen.services.queen import Queen
from gitqueen.store import claims as claims_table
from gitqueen.store import database, events
from gitqueen.store import messages as messages_table
from gitqueen.store import sisters as sisters_table


def cradle(chain: tuple[Process, ...], wanted: str | None) -> Process:
    """A person's process: the outermost that runs under GITQUEEN_NAME; the shell, when at most this command does."""
    found = None
    for process in chain[1:] if wanted else ():
        if processes.environment(process.pid, ("GITQUEEN_NAME",)).get("GITQUEEN_NAME") != wanted:
            break
        found = process
    return found or _shell(chain)


def _shell(chain: tuple[Process, ...]) -> Process:
    """The person's shell above this command: the one that leads the terminal's session, else the parent."""
    for process in chain[1:]:
        if process.tty and process.pid == process.session:
            return process
    # An orphan's parent is init: nobody's shell.
    return chain[1] if len(chain) > 1 and chain[1].pid != 1 else chain[0]


def enter(queen: Queen, process: Process, agent: str, wanted: str | None) -> Identity:
    """Bring `process` into the hive, under the lock: two first commands of one agent must not make two sisters."""
    registration = agents.registered(process.pid, process.ticks, queen.env)
    body = Body(queen.origin, process.pid, process.ticks)
    prefix = queen.config.get("gitqueen.nameprefix") if wanted is None else None
    with database.transaction(queen.db):
        again = sisters_table.by_bodies(queen.db, queen.origin, [(body.pid, body.ticks)])
        same = [one for one in again if wanted in (None, one.name, one.wanted)]
        if same:
            return Identity(same[0], same[0].name)
        auto = [one for one in again if one.wanted is None]
        living = _living(queen)
        if wanted is not None and (holder := living.get(wanted)) is not None:
            if _is_below(holder, body):
                return _move_up(queen, holder, body)
        given = registration.name if registration else None
        name, notice = _name(queen, wanted, given, prefix, living)
        if auto and wanted is not None:
            # She was numbered until now, and says her name: the same sister.
            return Identity(_rename(queen, auto[0], name), name, notice)
        sister = _newborn(queen, process, agent, wanted, name)
        sisters_table.save(queen.db, sister, registration.session_id if registration else agents.session_id(queen.env))
        events.remember_name(queen.db, name, queen.now)
        events.record(
            queen.db, queen.now, Event("arrived", name, sister.repo, {"agent": sister.agent, "pid": body.pid})
        )
        # Before the commit that makes her live: a hook in between must rather see one marker too many.
        tending.mark(queen, sister)
        tending.outdate(queen)
    return Identity(sister, name, notice)


def _newborn(queen: Queen, process: Process, agent: str, wanted: str | None, name: str) -> Sister:
    place = queen.place
    body = Body(queen.origin, process.pid, process.ticks)
    return Sister(
        row=sisters_table.free_row(queen.db, body.pid),
        name=name,
        branch=place.branch if place else None,
        last_seen=queen.now,
        body=body,
        wanted=wanted,
        agent=agent,
        started_at=_started(process),
        repo=place.repo if place else None,
        worktree=place.worktree if place else None,
        common_dir=place.common_dir if place else None,
    )


def _started(process: Process) -> datetime | None:
    try:
        return processes.started_at(process)
    except OSError:
        return None


def _living(queen: Queen) -> dict[str, Sister]:
    """Name -> row, of everybody who is not known to be dead."""
    return {
        sister.name: sister
        for sister in sisters_table.everyone(queen.db)
        if tending.life(queen, sister) != sisters.DEAD
    }


def _is_below(holder: Sister, body: Body) -> bool:
    """Whether the holder's process descends from `body`: a script that ran before its shell was seen."""
    if holder.body is None or holder.body.origin != body.origin:
        return False
    return any(process.pid == body.pid for process in processes.ancestors(holder.body.pid))


def _move_up(queen: Queen, holder: Sister, body: Body) -> Identity:
    sisters_table.forget(queen.db, [holder.row])
    moved = replace(holder, row=sisters_table.free_row(queen.db, body.pid), body=body, last_seen=queen.now)
    sisters_table.save(queen.db, moved)
    return Identity(moved, moved.name)


def _name(
    queen: Queen, wanted: str | None, given: str | None, prefix: str | None, living: dict[str, Sister]
) -> tuple[SisterName, str | None]:
    """Her name, and the notice when it is not the one she asked for."""
    asked = SisterName(wanted) if wanted is not None else names.slug(given) if given else None
    if wanted is not None and (twin := names.twin(wanted, living)) is not None:
        raise _case_twin(wanted, twin)
    if asked is None:
        return names.numbered(names.slug(prefix or "") or login(queen), living), None
    if not names.is_taken(asked, living):
        return asked, None
    other = names.numbered(asked, living, first=2)
    return other, f"the name {asked} belongs to another living sister: you are {other}"


def rename(queen: Queen, sister: Sister, name: str) -> Sister:
    """`whoami --name`: her claims and unread mail come along, her history stays with the old name.

    Raises `errors.Refused` when a living sister has the name, also in another case.
    """
    wanted = SisterName(name)
    with database.transaction(queen.db, durable=True):
        others = {other for other, row in _living(queen).items() if row.row != sister.row}
        if (twin := names.twin(wanted, others)) is not None:
            raise _case_twin(wanted, twin)
        if wanted in others:
            raise errors.Refused(f"a living sister is called {wanted} already", hint="gitqueen status shows the names")
        return _rename(queen, sister, wanted)


def _case_twin(wanted: str, twin: str) -> errors.Usage:
    return errors.Usage(f"{wanted} differs only in case from the living sister {twin}", hint="take another name")


def _rename(queen: Queen, sister: Sister, name: SisterName) -> Sister:
    sisters_table.rename(queen.db, sister.row, name)
    claims_table.rename_owner(queen.db, sister.name, name)
    messages_table.readdress(queen.db, sister.name, name)
    events.remember_name(queen.db, name, queen.now)
    events.record(queen.db, queen.now, Event("renamed", name, sister.repo, {"was": sister.name}))
    return replace(sister, name=name, wanted=name)
