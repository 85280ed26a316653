"""Declaring: what a sister works on, so that the others know; and a word when two of them do the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitqueen.model import mirror, tasks
from gitqueen.model.events import Event
from gitqueen.model.sisters import Identity, Sister
from gitqueen.services import mirroring, noting, resembling, tending, watching
from gitqueen.services.queen import Queen
from gitqueen.store import database, events
from gitqueen.store import sisters as sisters_table

if TYPE_CHECKING:
    from gitqueen.model.conflicts import Finding


@dataclass(frozen=True, slots=True)
class Declared:
    """Her task as it stands now; `twins`: live sisters whose task looks the same, each with the reason."""

    sister: Sister | None
    """None for a person at an undeclared shell."""
    done: str | None = None
    """The task that was just finished."""
    twins: tuple[Finding, ...] = ()


def show(queen: Queen, me: Identity) -> Declared:
    """Her task, unchanged."""
    return Declared(me.sister if me.sister is None else tending.notice(queen, me.sister))


def declare(queen: Queen, me: Sister, task: str) -> Declared:
    """She works on `task` from now on."""
    text = tasks.checked(task)
    oid = noting.head(queen)
    again = me.declared and me.task == text
    with database.transaction(queen.db, durable=True):
        sister = replace(tending.settle(queen, me), task=text, task_source="declared", status="working")
        sisters_table.set_task(queen.db, sister.row, text, "declared", "working")
        events.record(queen.db, queen.now, Event("declared", sister.name, sister.repo, {"task": text}))
        if oid is not None and not again:
            noting.note(queen, sister.common_dir or "", oid, mirror.STARTED, sister, text, queen.now)
        twins = _twins(queen, sister)
    _repeat(queen, oid is not None and not again)
    return Declared(sister, twins=twins)


def _twins(queen: Queen, sister: Sister) -> tuple[Finding, ...]:
    """Live sisters who seem to do the same: kept, and told to them; she herself reads it now."""
    living = [other for other in tending.living(queen) if other.declared]
    if not any(resembling.twins(queen, sister, other) for other in living if other.row != sister.row):
        return ()
    from gitqueen.model import conflicts
    from gitqueen.services import colliding, remembering  # 5 ms for something that seldom happens

    if conflicts.policy(queen.config, conflicts.DUPLICATE_TASK) == conflicts.OFF:
        return ()
    found = colliding.duplicate_tasks(queen, living, only=sister.name)
    remembering.remember(queen, found, aware=sister.name)
    return tuple(found)


def finish(queen: Queen, me: Sister) -> Declared:
    """She is done with what she declared."""
    oid = noting.head(queen) if me.declared else None
    with database.transaction(queen.db, durable=True):
        sister = replace(tending.settle(queen, me), task=None, task_source="auto", status="idle")
        sisters_table.set_task(queen.db, sister.row, None, "auto", "idle")
        if me.declared:
            events.record(queen.db, queen.now, Event("done", sister.name, sister.repo, {"task": me.task}))
        if oid is not None:
            noting.note(queen, sister.common_dir or "", oid, mirror.DONE, sister, me.task, queen.now)
    _repeat(queen, oid is not None)
    return Declared(sister, done=me.task if me.declared else None)


def _repeat(queen: Queen, noted: bool) -> None:
    """Into the repository too: the refs now, the notes by somebody for whom nobody waits."""
    mirroring.changed(queen)
    if noted:
        watching.start_drain(queen)
