"""Mail between sisters: send, read, acknowledge. What a sister was told she has; nothing fails silently."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gitqueen import errors
from gitqueen.model import messages, names
from gitqueen.model.events import Event
from gitqueen.model.messages import Message
from gitqueen.model.names import SisterName
from gitqueen.model.sisters import DEAD, Identity
from gitqueen.services import tending
from gitqueen.services.queen import Queen
from gitqueen.store import database, events
from gitqueen.store import messages as messages_table
from gitqueen.store import sisters as sisters_table

GLANCE = 0.1
"""Seconds between two looks of `inbox --wait`."""


@dataclass(frozen=True, slots=True)
class Sent:
    """`ids[i]` went to `to[i]`; `absent`: those of them who have no living session now and will read it later."""

    ids: tuple[int, ...]
    to: tuple[str, ...]
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inbox:
    """The letters of one address."""

    address: str
    messages: tuple[Message, ...]
    new: frozenset[int] = frozenset()
    """Which of them she had not read before."""
    timed_out: bool = False


def send(queen: Queen, me: Identity, to: str, text: str, *, urgent: bool = False, reply_to: int | None = None) -> Sent:
    """One letter to `to`, or to each of `@all` or `@repo`, in one durable transaction.

    Raises `errors.Usage` for a bad name or body and `errors.Refused` when nobody was ever called so.
    """
    body = messages.body(text)
    priority = messages.URGENT if urgent else messages.NORMAL
    absent: tuple[str, ...] = ()
    if to in (messages.EVERYBODY, messages.NEIGHBOURS):
        addressees = _group(queen, me, to)
    else:
        addressees = [SisterName(to)]
        if not _reachable(queen, me, to):
            absent = (to,)
    with database.transaction(queen.db, durable=True):
        _check(queen, absent, reply_to)
        ids = [
            messages_table.add(queen.db, me.address, name, body, priority, queen.now, reply_to) for name in addressees
        ]
        # The letter itself stands in `messages`: history tells that it was sent, not what it said.
        detail = {"to": to, "ids": ids, "priority": priority}
        events.record(queen.db, queen.now, Event("sent", me.address, _repo(queen), detail))
        if me.sister is not None:
            tending.settle(queen, me.sister)
    return Sent(tuple(ids), tuple(addressees), absent)


def _repo(queen: Queen) -> str | None:
    return queen.place.repo if queen.place else None


def _group(queen: Queen, me: Identity, to: str) -> list[str]:
    others = tending.others(queen, me.address)
    if to == messages.NEIGHBOURS:
        here = queen.here().common_dir
        others = [sister for sister in others if sister.common_dir == here]
    valid = list(dict.fromkeys(sister.name for sister in others))
    if not valid:
        where = "in this repository" if to == messages.NEIGHBOURS else "in the hive"
        raise errors.Refused(f"no other living sister is {where}", hint="gitqueen status shows who is there")
    return valid


def _reachable(queen: Queen, me: Identity, name: str) -> bool:
    """Whether somebody of that name can read it now: oneself, the person at this login, or a sister with a session."""
    if name in (me.address, queen.login):
        return True
    with database.faults(queen.settings.database):
        rows = sisters_table.named(queen.db, name)
    return any(tending.life(queen, row) != DEAD for row in rows)


def _check(queen: Queen, absent: Sequence[str], reply_to: int | None) -> None:
    for name in absent:
        if not events.known_name(queen.db, name):
            near = names.nearest(name, events.every_name(queen.db))
            hint = f"did you mean {' or '.join(near)}?" if near else "gitqueen status shows the names"
            raise errors.Refused(f"nobody was ever called {name}", hint=hint)
    if reply_to is not None and messages_table.get(queen.db, reply_to) is None:
        raise errors.Refused(f"there is no message #{reply_to} to reply to", hint="gitqueen inbox --all")


def inbox(queen: Queen, me: Identity, *, every: bool = False, peek: bool = False, wait: float | None = None) -> Inbox:
    """Her unread mail (`every`: all of it), marked read unless `peek`.

    `wait`: so many seconds until some comes; then it is `timed_out`.
    """
    if me.sister is not None:
        tending.notice(queen, me.sister)
    deadline = time.monotonic() + (wait or 0)
    version, found = -1, Inbox(me.address, ())
    while True:
        # Asked before the mail is read: what arrives in between makes it another one.
        before, version = version, _data_version(queen)
        if version != before:
            found = _read(queen, me.address, every=every, peek=peek)
        if found.new or wait is None:
            return found
        if time.monotonic() >= deadline:
            return replace(found, timed_out=True)
        time.sleep(GLANCE)
        queen.now = queen.clock()


def _data_version(queen: Queen) -> int:
    """Changes when another connection committed: cheaper than asking for the mail."""
    with database.faults(queen.settings.database):
        version: int = queen.db.execute("PRAGMA data_version").fetchone()[0]
    return version


def _read(queen: Queen, address: str, *, every: bool, peek: bool) -> Inbox:
    with database.faults(queen.settings.database):
        waiting = messages_table.unread(queen.db, address)
    if waiting and not peek:
        with database.transaction(queen.db, durable=True):
            # Again under the lock: of two readers at once exactly one is shown a letter as new.
            waiting = messages_table.unread(queen.db, address)
            messages_table.mark_read(queen.db, [message.id for message in waiting], queen.now)
        waiting = [replace(message, read_at=queen.now) for message in waiting]
    shown = waiting
    if every:
        with database.faults(queen.settings.database):
            shown = messages_table.everything(queen.db, address)
    return Inbox(address, tuple(shown), frozenset(message.id for message in waiting))


def acknowledge(queen: Queen, me: Identity, ids: Sequence[int]) -> tuple[int, ...]:
    """Acknowledge all of `ids` or, if one of them is not mail to me, none: then raises `errors.Refused`."""
    fresh: list[int] = []
    with database.transaction(queen.db, durable=True):
        for number in ids:
            message = messages_table.get(queen.db, number)
            if message is None or message.to != me.address:
                whose = "there is none" if message is None else "it is addressed to somebody else"
                raise errors.Refused(
                    f"#{number} is no mail of {me.address}: {whose}; nothing was acknowledged",
                    hint="gitqueen inbox --all shows your mail",
                )
            if message.acked_at is None and number not in fresh:
                fresh.append(number)
        if fresh:
            messages_table.mark_acked(queen.db, fresh, queen.now)
            events.record(queen.db, queen.now, Event("acked", me.address, _repo(queen), {"ids": fresh}))
        if me.sister is not None:
            tending.settle(queen, me.sister)
    return tuple(dict.fromkeys(ids))
