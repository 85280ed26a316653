"""The table of events, and the book of every name that ever was."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from gitqueen.model import times
from gitqueen.model.events import Event
from gitqueen.store import rows
from gitqueen.store.database import Database


def record(db: Database, now: datetime, *events: Event) -> None:
    """Write `events` as having happened at `now`; call it inside the transaction that did what they tell."""
    db.executemany(
        "INSERT INTO events (at, kind, sister, repo, detail) VALUES (:at, :kind, :sister, :repo, :detail)",
        [
            {
                "at": times.iso(now),
                "kind": event.kind,
                "sister": rows.text(event.sister),
                "repo": rows.path(event.repo),
                # ASCII: a path that is no UTF-8 goes in as an escape and comes out as it was.
                "detail": json.dumps(event.detail),
            }
            for event in events
        ],
    )


def sign(db: Database, kind: str, repo: str, holding: str, sister: str) -> None:
    """Who did it became known after it was told: the latest event of `kind` without a name whose detail holds this."""
    db.execute(
        """UPDATE events SET sister = :sister WHERE id = (
               SELECT id FROM events
               WHERE repo = :repo AND kind = :kind AND sister IS NULL AND instr(detail, :holding)
               ORDER BY id DESC LIMIT 1)""",
        {"kind": kind, "repo": rows.path(repo), "holding": holding, "sister": rows.text(sister)},
    )


def latest(db: Database, most: int, sister: str | None = None, repo: str | None = None) -> list[Event]:
    """Up to `most` events, the newest first."""
    # Only what was asked stands in the query: `:sister IS NULL OR ...` would hide the index from SQLite.
    wanted = [f"{column} = :{column}" for column, value in (("sister", sister), ("repo", repo)) if value is not None]
    found = db.execute(
        f"""SELECT id, at, kind, sister, repo, detail FROM events
            {"WHERE " + " AND ".join(wanted) if wanted else ""} ORDER BY id DESC LIMIT :most""",
        {"sister": rows.text(sister), "repo": rows.path(repo), "most": most},
    )
    return [_from_row(row) for row in found]


def of_kind(db: Database, kind: str, repo: str, most: int) -> list[Event]:
    """Up to `most` events of one kind in a repository, the newest first."""
    found = db.execute(
        """SELECT id, at, kind, sister, repo, detail FROM events WHERE repo = :repo AND kind = :kind
           ORDER BY id DESC LIMIT :most""",
        {"repo": rows.path(repo), "kind": kind, "most": most},
    )
    return [_from_row(row) for row in found]


def _from_row(row: tuple[int, str, str, str | None, bytes | None, str]) -> Event:
    number, at, kind, sister, repo, detail = row
    return Event(kind, sister, rows.as_path(repo), json.loads(detail), times.parse(at), number)


def last(db: Database, kind: str, sister: str) -> datetime | None:
    """When `sister` did `kind` last."""
    found = db.execute(
        "SELECT at FROM events WHERE sister = ? AND kind = ? ORDER BY id DESC LIMIT 1", (rows.text(sister), kind)
    ).fetchone()
    return times.parse(found[0]) if found else None


def task_at(db: Database, sister: str, at: datetime) -> str | None:
    """What `sister` worked on at that second: declared then or before, and not finished in an earlier one."""
    moment = times.iso(at)
    found = db.execute(
        """SELECT kind, detail, at FROM events
           WHERE sister = :sister AND kind IN ('declared', 'done') AND at <= :at ORDER BY id DESC LIMIT 1""",
        {"sister": rows.text(sister), "at": moment},
    ).fetchone()
    if found is None or (found[0] == "done" and found[2] < moment):
        return None
    task = json.loads(found[1]).get("task")
    return task if isinstance(task, str) else None


def forget(db: Database, before: datetime) -> int:
    """Drop events from before `before`; how many went."""
    return db.execute("DELETE FROM events WHERE at < ?", (times.iso(before),)).rowcount


def remember_name(db: Database, name: str, alive_at: datetime, session_id: str | None = None) -> None:
    """`name` lives at `alive_at`, as the agent's session `session_id`."""
    db.execute(
        """INSERT INTO names (name, alive_at, session_id) VALUES (:name, :at, :session)
           ON CONFLICT (name) DO UPDATE SET alive_at = excluded.alive_at, died_at = NULL,
               session_id = excluded.session_id""",
        {"name": name, "at": times.iso(alive_at), "session": rows.text(session_id)},
    )


def acts(db: Database, name: str, session_id: str | None) -> None:
    """`name` is at work: not dead, whatever somebody thought who could not see her process."""
    db.execute(
        """UPDATE names SET died_at = NULL, session_id = coalesce(:session, session_id)
           WHERE name = :name AND (died_at IS NOT NULL OR session_id IS NOT :session)""",
        {"name": name, "session": rows.text(session_id)},
    )


def name_of_session(db: Database, session_id: str) -> str | None:
    """What the sister of this session was called last."""
    found = db.execute("SELECT name FROM names WHERE session_id = ? ORDER BY alive_at DESC LIMIT 1", (session_id,))
    row = found.fetchone()
    return None if row is None else rows.as_text(row[0])


def mark_dead(db: Database, names: Iterable[str], now: datetime) -> None:
    db.executemany(
        "UPDATE names SET died_at = coalesce(died_at, :at) WHERE name = :name",
        [{"name": name, "at": times.iso(now)} for name in names],
    )


def died(db: Database) -> dict[str, datetime]:
    """The names that lived once and have no process now, and since when."""
    found = db.execute("SELECT name, died_at FROM names WHERE died_at IS NOT NULL")
    return {name: at for name, text in found if (at := times.parse(text)) is not None}


def every_name(db: Database) -> set[str]:
    """All names anybody ever had, wrote from or claimed with."""
    found = db.execute(
        """SELECT name FROM names UNION SELECT name FROM sisters UNION SELECT owner FROM claims
           UNION SELECT from_sister FROM messages WHERE from_sister IS NOT NULL"""
    )
    return {name for (name,) in found if isinstance(name, str)}


def known_name(db: Database, name: str) -> bool:
    """Whether anybody was ever called so, without reading the whole mail."""
    found = db.execute(
        """SELECT EXISTS (SELECT 1 FROM names WHERE name = :name) OR EXISTS (SELECT 1 FROM sisters WHERE name = :name)
               OR EXISTS (SELECT 1 FROM messages WHERE to_sister = :name)
               OR EXISTS (SELECT 1 FROM claims WHERE owner = :name)
               OR EXISTS (SELECT 1 FROM messages WHERE from_sister = :name)""",
        {"name": name},
    )
    return bool(found.fetchone()[0])
