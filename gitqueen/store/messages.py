"""The table of messages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from gitqueen.model import times
from gitqueen.model.messages import Message
from gitqueen.store import rows
from gitqueen.store.database import Database

_SELECT = """SELECT m.id, m.from_sister, m.to_sister, m.body, m.priority, m.sent_at, m.read_at, m.acked_at, r.reply_to
             FROM messages m LEFT JOIN replies r ON r.message = m.id"""
# Without statistics SQLite may take the index of all her mail: years of it, for what came today.
_UNREAD = _SELECT.replace("FROM messages m", "FROM messages m INDEXED BY messages_unread")


def add(db: Database, sender: str, to: str, body: str, priority: str, now: datetime, reply_to: int | None) -> int:
    """Write one letter; its id."""
    number = db.execute(
        """INSERT INTO messages (from_sister, to_sister, body, priority, sent_at)
           VALUES (:sender, :to, :body, :priority, :at)""",
        {"sender": sender, "to": to, "body": rows.text(body), "priority": priority, "at": times.iso(now)},
    ).lastrowid
    assert number is not None
    if reply_to is not None:
        db.execute("INSERT OR REPLACE INTO replies (message, reply_to) VALUES (?, ?)", (number, reply_to))
    return number


def unread(db: Database, to: str) -> list[Message]:
    """What `to` has not read, the oldest first."""
    found = db.execute(f"{_UNREAD} WHERE m.to_sister = ? AND m.read_at IS NULL ORDER BY m.id", (to,))
    return [_from_row(row) for row in found]


def unacknowledged(db: Database, to: str, most: int) -> list[int]:
    """The latest letters to `to` that wait for her: unread ones, and urgent ones that she did not acknowledge."""
    found = db.execute(
        """SELECT id FROM messages WHERE to_sister = ? AND acked_at IS NULL AND (read_at IS NULL OR priority = 'urgent')
           ORDER BY id DESC LIMIT ?""",
        (to, most),
    )
    return sorted(number for (number,) in found)


def everything(db: Database, to: str) -> list[Message]:
    return [_from_row(row) for row in db.execute(f"{_SELECT} WHERE m.to_sister = ? ORDER BY m.id", (to,))]


def get(db: Database, number: int) -> Message | None:
    if not -(2**63) <= number < 2**63:
        return None  # no id of SQLite's
    row = db.execute(f"{_SELECT} WHERE m.id = ?", (number,)).fetchone()
    return None if row is None else _from_row(row)


def _from_row(row: tuple[int, object, object, object, object, object, object, object, int | None]) -> Message:
    number, sender, to, body, priority, sent, read, acked, reply_to = row
    return Message(
        id=number,
        sender=rows.as_text(sender),
        to=rows.as_text(to) or "",
        body=rows.as_text(body) or "",
        priority=rows.as_text(priority) or "normal",
        sent_at=times.parse(sent),
        read_at=times.parse(read),
        acked_at=times.parse(acked),
        reply_to=reply_to,
    )


def mark_read(db: Database, numbers: Iterable[int], now: datetime) -> None:
    db.executemany(
        "UPDATE messages SET read_at = :at WHERE id = :id AND read_at IS NULL",
        [{"at": times.iso(now), "id": number} for number in numbers],
    )


def mark_acked(db: Database, numbers: Iterable[int], now: datetime) -> None:
    """Acknowledge, which implies read; what was acknowledged before keeps its time."""
    db.executemany(
        """UPDATE messages SET acked_at = coalesce(acked_at, :at), read_at = coalesce(read_at, :at) WHERE id = :id""",
        [{"at": times.iso(now), "id": number} for number in numbers],
    )


def readdress(db: Database, old: str, new: str) -> None:
    """What `old` has not read is for `new` now."""
    db.execute("UPDATE messages SET to_sister = ? WHERE to_sister = ? AND read_at IS NULL", (new, old))


def pending(db: Database) -> list[tuple[str, int, int]]:
    """(addressee, unread, of these urgent) for everybody with unread mail."""
    found = db.execute(
        """SELECT to_sister, count(*), coalesce(sum(priority = 'urgent'), 0) FROM messages
           WHERE read_at IS NULL GROUP BY to_sister ORDER BY to_sister"""
    )
    return [(rows.as_text(name) or "", number, urgent) for name, number, urgent in found]


def forget(db: Database, before: datetime) -> int:
    """Drop read mail from before `before`; unread mail is never dropped."""
    gone = db.execute(
        "DELETE FROM messages WHERE read_at IS NOT NULL AND substr(sent_at, 1, 10) < ?", (rows.day(before),)
    ).rowcount
    db.execute("DELETE FROM replies WHERE message NOT IN (SELECT id FROM messages)")
    return gone
