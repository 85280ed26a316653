"""Entering: a process becomes a sister and gets a name; and a sister takes another one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from gitqueen import errors
from gitqueen.model import messages, names, sisters
from gitqueen.model.events import Event
from gitqueen.model.names import SisterName
from gitqueen.model.processes import Process
from gitqueen.model.sisters import Body, Identity, Sister
from gitqueen.senses import agents, processes
from gitqueen.services import tending
from gitqueen.services.queen import Queen
from gitqueen.store import claims as claims_table
from gitqueen.store import database, events, touches
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
    # The parent of an orphan is init, or whoever else picks orphans up: nobody's shell, and of another session.
    return chain[1] if len(chain) > 1 and chain[1].session == chain[0].session else chain[0]


def enter(queen: Queen, body: Body, agent: str, wanted: str | None) -> Identity:
    """Bring the process `body` into the hive, under the lock: two first commands of one agent make one sister."""
    registration = agents.registered(body.pid, body.ticks, queen.env)
    session = (registration and registration.session_id) or agents.session_id(queen.env, agent)
    prefix = queen.config.get("gitqueen.nameprefix") if wanted is None else None
    with database.transaction(queen.db):
        again = _again(queen, body, session)
        same = [one for one in again if wanted in (None, one.name, one.wanted)]
        if same:
            she = same[0] if same[0].body == body else _move(queen, same[0], body, agent)
            if session is not None and she.session_id is None and she.wanted is None:
                # A scan saw the process a moment ago, and could only number her.
                she = _take_up(queen, replace(she, session_id=session), session)
            return Identity(she, she.name)
        living = _living(queen)
        if wanted is not None and (holder := living.get(wanted)) is not None and _is_below(holder, body):
            return Identity(_move(queen, holder, body, holder.agent), holder.name)
        given = registration.name if registration else None
        name, notice = _name(queen, wanted, given, prefix, living, session)
        if wanted is not None and (numbered := next((one for one in again if one.wanted is None), None)) is not None:
            # She was numbered until now, and says her name: the same sister.
            return Identity(_rename(queen, numbered, name, wanted), name, notice)
        sister = _newborn(queen, body, agent, wanted, name, session)
        _replace_silent(queen, name)
        sisters_table.save(queen.db, sister)
        events.remember_name(queen.db, name, queen.now, session)
        events.record(
            queen.db, queen.now, Event("arrived", name, sister.repo, {"agent": sister.agent, "pid": body.pid})
        )
        # Before the commit that makes her live: a hook in between must rather see one marker too many.
        tending.mark(queen, sister)
        tending.outdate(queen)
    return Identity(sister, name, notice)


def _again(queen: Queen, body: Body, session: str | None) -> list[Sister]:
    """The rows that are of `body` already: its own; one made in a sandbox that could not see it; another program's."""
    found = sisters_table.by_bodies(queen.db, body.origin, [(body.pid, body.ticks)]) if body.ticks else []
    for other in sisters_table.by_session(queen.db, session) if session else ():
        unseen = other.body is not None and not other.body.ticks and sisters.next_door(other.body.origin, queen.origin)
        if unseen or (not body.ticks and tending.life(queen, other) != sisters.DEAD):
            found.append(other)
    return found + [other for other in sisters_table.everyone(queen.db) if _is_outside_row_of(queen, other, body)]


def _is_outside_row_of(queen: Queen, other: Sister, body: Body) -> bool:
    """Whether another program wrote `other` about this very process, under a name that can be borne."""
    mine = other.body is None and other.row == body.pid and body.origin == queen.origin
    return mine and SisterName.fault(other.name) is None and tending.life(queen, other) == sisters.ALIVE


def _newborn(queen: Queen, body: Body, agent: str, wanted: str | None, name: str, session: str | None) -> Sister:
    place = queen.place
    return Sister(
        row=sisters_table.free_row(queen.db, body.pid),
        name=name,
        branch=place.branch if place else None,
        last_seen=queen.now,
        body=body,
        wanted=wanted,
        agent=agent,
        started_at=_started(queen, body),
        repo=place.repo if place else None,
        worktree=place.worktree if place else None,
        common_dir=place.common_dir if place else None,
        session_id=session,
    )


def _started(queen: Queen, body: Body) -> datetime | None:
    process = processes.look(body.pid) if body.origin == queen.origin else None
    return processes.started_at(process) if process else None


def _replace_silent(queen: Queen, name: str) -> None:
    """A row of that name whose process cannot be judged from here, silent for long: the name is another's now."""
    silent = [
        one.row
        for one in sisters_table.named(queen.db, name)
        if one.body is not None and one.body.origin != queen.origin
    ]
    sisters_table.forget(queen.db, silent)


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


def _move(queen: Queen, sister: Sister, body: Body, agent: str) -> Sister:
    """She is the process `body` from now on."""
    sisters_table.forget(queen.db, [sister.row])
    moved = replace(
        sister,
        row=sisters_table.free_row(queen.db, body.pid),
        body=body,
        agent=agent,
        last_seen=queen.now,
        started_at=_started(queen, body),
    )
    sisters_table.save(queen.db, moved)
    events.remember_name(queen.db, moved.name, queen.now, moved.session_id)
    tending.mark(queen, moved)
    return moved


def _name(
    queen: Queen,
    wanted: str | None,
    given: str | None,
    prefix: str | None,
    living: dict[str, Sister],
    session: str | None,
) -> tuple[SisterName, str | None]:
    """Her name, and the notice when it is not the one she asked for."""
    if wanted is not None and (twin := names.twin(wanted, living)) is not None:
        raise _case_twin(wanted, twin)
    resumed = events.name_of_session(queen.db, session) if session and wanted is None else None
    if resumed is not None and SisterName.fault(resumed) is None and not names.is_taken(resumed, living):
        return SisterName(resumed), None
    asked = SisterName(wanted) if wanted is not None else names.slug(given) if given else None
    if asked is None:
        return _numbered(queen, names.slug(prefix or "") or queen.login, living), None
    if not names.is_taken(asked, living):
        return asked, None
    other = names.numbered(asked, living, first=2)
    return other, f"the name {asked} belongs to another living sister: you are {other}"


def resume(queen: Queen, sister: Sister, session: str) -> Sister:
    """`sister`, numbered until her first command told that she is the session `session`, under the name it had."""
    with database.transaction(queen.db):
        return _take_up(queen, sister, session)


def _take_up(queen: Queen, sister: Sister, session: str) -> Sister:
    resumed = events.name_of_session(queen.db, session)
    if resumed is None or SisterName.fault(resumed) is not None or names.is_taken(resumed, _living(queen)):
        return sister
    return _rename(queen, sister, SisterName(resumed), resumed)


def _numbered(queen: Queen, stem: str, living: Iterable[str]) -> SisterName:
    """The lowest free number. Not free is what somebody who just died holds: a stranger must not come into it."""
    holders = {claim.owner for claim in claims_table.held(queen.db)}
    return names.numbered(stem, {*living, *holders})


def rename(queen: Queen, sister: Sister, name: str) -> Sister:
    """`whoami --name`: her claims and unread mail come along, her history stays with the old name.

    Raises `errors.Refused` when a living sister has the name, also in another case.
    """
    wanted = SisterName(name)
    if wanted == sister.name == sister.wanted:
        return sister
    with database.transaction(queen.db, durable=True):
        others = {other for other, row in _living(queen).items() if row.row != sister.row}
        if (twin := names.twin(wanted, others)) is not None:
            raise _case_twin(wanted, twin)
        if wanted in others:
            raise errors.Refused(f"a living sister is called {wanted} already", hint="gitqueen status shows the names")
        # Her environment still says the old name: she is found by it, and called by the new one.
        renamed = _rename(queen, sister, wanted, sister.wanted or wanted)
        tending.mark(queen, renamed)
    from gitqueen.services import mirroring  # who only comes in does not pay for it

    mirroring.changed(queen)
    return renamed


def follow(queen: Queen, sister: Sister, given: str) -> None:
    """A person calls her session `given`, perhaps since a moment ago (`/rename`): so she is called, unless somebody
    named her here or in her environment, or another living sister has that name."""
    asked = names.slug(given)
    if asked is None or _goes_by(sister, asked):
        return
    with database.transaction(queen.db, durable=True):
        now = next((one for one in sisters_table.named(queen.db, sister.name) if one.body == sister.body), None)
        holders = {claim.owner for claim in claims_table.held(queen.db)} - {sister.name}
        if now is None or _goes_by(now, asked) or names.is_taken(asked, {*_living(queen), *holders}):
            return
        tending.mark(queen, _rename(queen, now, asked, None))
        text = f"Your session was renamed: here you are {asked} now, and no longer {now.name}. All that was yours is."
        messages_table.add(queen.db, names.QUEEN, asked, text, messages.NORMAL, queen.now, None)
    from gitqueen.services import mirroring

    mirroring.changed(queen)


def _goes_by(sister: Sister, asked: str) -> bool:
    """Whether there is nothing to rename: she has it, with a number where it was taken, or a name of her own choice."""
    numbered = re.fullmatch(r"(.*)-[0-9]+", sister.name)
    return sister.wanted is not None or asked == sister.name or (numbered is not None and numbered[1] == asked[:56])


def _case_twin(wanted: str, twin: str) -> errors.Usage:
    return errors.Usage(f"{wanted} differs only in case from the living sister {twin}", hint="take another name")


def _rename(queen: Queen, sister: Sister, name: SisterName, wanted: str | None) -> Sister:
    sisters_table.rename(queen.db, sister.row, name, wanted)
    claims_table.rename_owner(queen.db, sister.name, name)
    messages_table.readdress(queen.db, sister.name, name)
    touches.rename(queen.db, sister.name, name)
    events.remember_name(queen.db, name, queen.now, sister.session_id)
    events.record(queen.db, queen.now, Event("renamed", name, sister.repo, {"was": sister.name}))
    return replace(sister, name=name, wanted=wanted)
