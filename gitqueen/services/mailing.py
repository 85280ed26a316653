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
from gitqueen.services import tending
from gitqueen.services.identifying import Identity
from gitqueen.services.queen import Queen
from gitqueen.store import database, events
from gitqueen.store import messages as messages_table

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
    present: set[str] | None = None
    if to in (messages.EVERYBODY, messages.NEIGHBOURS):
        addressees = _group(queen, me, to)
    else:
        addressees = [SisterName(to)]
        present = {sister.name for sister in tending.living(queen)}
    with database.transaction(queen.db, durable=True):
        _check(queen, me, addressees, present, reply_to)
        ids = [
            messages_table.add(queen.db, me.address, name, body, priority, queen.now, reply_to) for name in addressees
        ]
        # The letter itself stands in `messages`: history tells that it was sent, not what it said.
        detail = {"to": to, "ids": ids, "priority": priority}
        events.record(queen.db, queen.now, Event("sent", me.address, _repo(queen), detail))
        if me.sister is not None:
            tending.settle(queen, me.sister)
    absent = () if present is None else tuple(name for name in addressees if name not in present)
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


def _check(queen: Queen, me: Identity, to: Sequence[str], present: set[str] | None, reply_to: int | None) -> None:
    for name in to:
        if present is None or name in present or name == me.address or name == names.slug(queen.settings.login):
            continue
        if not events.known_name(queen.db, name):
            near = names.nearest(name, events.every_name(queen.db))
            hint = f"did you mean {' or '.join(near)}?" if near else "gitqueen status shows the names"
            raise errors.Refused(f"nobody was ever called {name}", hint=hint)
    if reply_to is not None and messages_table.get(queen.db, reply_to) is None:
        raise errors.Refused(f"there is no message #{reply_to} to reply to", hint="gitqueen inbox --all")


def inbox(queen: Queen, me: Identity, *, every: bool = False, peek: bool = False, wait: float | None = None) -> Inbox:
    """Her unread mail (`every`: all of it), marked read unless `peek`; `wait`: up to so many seconds until some comes."""
    deadline = None if wait is None else time.monotonic() + wait
    seen_version = -1
    while True:
        version = _data_version(queen)
        if version != seen_version:
            found = _read(queen, me, every=every, peek=peek)
            if found.new or deadline is None:
                return found
            seen_version = version
        if deadline is not None and time.monotonic() >= deadline:
            return Inbox(me.address, (), timed_out=True)
        time.sleep(GLANCE)
        queen.now = queen.clock()


def _data_version(queen: Queen) -> int:
    """Changes when another connection committed: cheaper than asking for the mail."""
    with database.faults(queen.settings.database):
        version: int = queen.db.execute("PRAGMA data_version").fetchone()[0]
    return version


def _read(queen: Queen, me: Identity, *, every: bool, peek: bool) -> Inbox:
    with database.faults(queen.settings.database):
        waiting = messages_table.unread(queen.db, me.address)
    if waiting and not peek:
        with database.transaction(queen.db, durable=True):
            # Again under the lock: of two readers at once exactly one is shown a letter as new.
            waiting = messages_table.unread(queen.db, me.address)
            messages_table.mark_read(queen.db, [message.id for message in waiting], queen.now)
            if me.sister is not None:
                tending.settle(queen, me.sister)
        waiting = [replace(message, read_at=queen.now) for message in waiting]
    shown = waiting
    if every:
        with database.faults(queen.settings.database):
            shown = messages_table.everything(queen.db, me.address)
    return Inbox(me.address, tuple(shown), frozenset(message.id for message in waiting))


def acknowledge(queen: Queen, me: Identity, ids: Sequence[int]) -> tuple[int, ...]:
    """Acknowledge all of `ids` or, if one of them is not mail to me, none: then raises `errors.Refused`."""
    with database.transaction(queen.db, durable=True):
        for number in ids:
            message = messages_table.get(queen.db, number)
            if message is None or message.to != me.address:
                whose = "there is none" if message is None else "it is addressed to somebody else"
                raise errors.Refused(
                    f"#{number} is no mail of {me.address}: {whose}; nothing was acknowledged",
                    hint="gitqueen inbox --all shows your mail",
                )
        messages_table.mark_acked(queen.db, ids, queen.now)
        events.record(queen.db, queen.now, Event("acked", me.address, _repo(queen), {"ids": list(ids)}))
    return tuple(ids)
