"""The public table of sisters, and `sessions`: what we know of a row beyond its seven public columns.

A side row counts only while it carries the name of the public row: another program may replace a public row at any
time, and is then the one to believe.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from gitqueen.model import times
from gitqueen.model.sisters import Body, Sister, Terminal
from gitqueen.store import rows
from gitqueen.store.database import Database

_SELECT = """SELECT p.pid, p.name, p.git_branch, p.current_task, p.task_source, p.status, p.last_seen,
                    s.wanted, s.origin, s.pid, s.ticks, s.agent, s.started_at, s.repo, s.worktree, s.common_dir,
                    s.head, s.dirty, s.session_id, s.terminal, s.window, s.title, s.focused, s.waiting_for,
                    s.seen_status
             FROM sisters p LEFT JOIN sessions s ON s.row = p.pid AND s.name = p.name"""


def everyone(db: Database) -> list[Sister]:
    """All rows, by name."""
    return [_from_row(row) for row in db.execute(f"{_SELECT} ORDER BY p.name, p.pid")]


def by_bodies(db: Database, origin: str, bodies: Iterable[tuple[int, int]]) -> list[Sister]:
    """The sisters of the processes (pid, ticks) of this origin, in the order of `bodies`, last seen first among
    several of one process."""
    found: list[Sister] = []
    for pid, ticks in bodies:
        query = f"{_SELECT} WHERE s.origin = ? AND s.pid = ? AND s.ticks = ? ORDER BY p.last_seen DESC, s.rowid DESC"
        found += [_from_row(row) for row in db.execute(query, (origin, pid, ticks))]
    return found


def named(db: Database, name: str) -> list[Sister]:
    return [_from_row(row) for row in db.execute(f"{_SELECT} WHERE p.name = ? ORDER BY p.pid", (name,))]


def by_session(db: Database, session_id: str) -> list[Sister]:
    """The sisters of an agent's session id, last seen first: it finds a process, it is never the key."""
    query = f"{_SELECT} WHERE s.session_id = ? ORDER BY p.last_seen DESC, s.rowid DESC"
    return [_from_row(row) for row in db.execute(query, (rows.text(session_id),))]


def _from_row(row: tuple[object, ...]) -> Sister:
    (key, name, branch, task, source, status, seen, wanted, origin, pid, ticks, agent, started, *place) = row
    repo, worktree, common_dir, head, dirty, session_id, *sight = place
    terminal, window, title, focused, waiting_for, seen_status = map(rows.as_text, sight)
    assert isinstance(key, int)
    body = None
    if isinstance(origin, str) and isinstance(pid, int) and isinstance(ticks, int):
        body = Body(origin, pid, ticks)
    return Sister(
        row=key,
        name=rows.as_text(name) or "",
        task=rows.as_text(task) or None,
        task_source=rows.as_text(source) or "auto",
        status=rows.as_text(status) or "unknown",
        branch=rows.as_branch(branch) or None,
        last_seen=times.parse(seen),
        body=body,
        wanted=rows.as_text(wanted),
        agent=rows.as_text(agent) or "unknown",
        started_at=times.parse(started),
        repo=rows.as_path(repo),
        worktree=rows.as_path(worktree),
        common_dir=rows.as_path(common_dir),
        head=rows.as_text(head),
        dirty=dirty if isinstance(dirty, int) else None,
        session_id=rows.as_text(session_id),
        terminal=Terminal(terminal, window, title, None if focused is None else focused == "1")
        if terminal and window
        else None,
        waiting_for=waiting_for,
        seen_status=seen_status,
    )


def free_row(db: Database, pid: int) -> int:
    """The key for a new sister's public row: her pid, or the highest free negative number where it is taken."""
    taken = {row for (row,) in db.execute("SELECT pid FROM sisters WHERE pid <= 0 OR pid = ?", (pid,))}
    if pid not in taken:
        return pid
    stand_in = -1
    while stand_in in taken:
        stand_in -= 1
    return stand_in


def save(db: Database, sister: Sister) -> None:
    """Write both rows of `sister`, who has a body; what they said before goes."""
    assert sister.body is not None
    values = {
        "row": sister.row,
        "name": sister.name,
        "branch": rows.text(sister.branch),
        "task": rows.text(sister.task),
        "source": sister.task_source,
        "status": sister.status,
        "seen": rows.moment(sister.last_seen),
        "wanted": rows.text(sister.wanted),
        "origin": sister.body.origin,
        "pid": sister.body.pid,
        "ticks": sister.body.ticks,
        "agent": sister.agent,
        "started": rows.moment(sister.started_at),
        "session": rows.text(sister.session_id),
        "repo": rows.path(sister.repo),
        "worktree": rows.path(sister.worktree),
        "common_dir": rows.path(sister.common_dir),
        "head": sister.head,
        "dirty": sister.dirty,
    }
    db.execute(
        """INSERT INTO sisters (pid, name, git_branch, current_task, task_source, status, last_seen)
           VALUES (:row, :name, :branch, :task, :source, :status, :seen)
           ON CONFLICT (pid) DO UPDATE SET name = :name, git_branch = :branch, current_task = :task,
               task_source = :source, status = :status, last_seen = :seen""",
        values,
    )
    db.execute(
        """INSERT INTO sessions (row, name, wanted, origin, pid, ticks, agent, started_at, session_id, repo, worktree,
               common_dir, head, dirty)
           VALUES (:row, :name, :wanted, :origin, :pid, :ticks, :agent, :started, :session, :repo, :worktree,
               :common_dir, :head, :dirty)
           ON CONFLICT (row) DO UPDATE SET name = :name, wanted = :wanted, origin = :origin, pid = :pid,
               ticks = :ticks, agent = :agent, started_at = :started, session_id = :session,
               repo = :repo, worktree = :worktree, common_dir = :common_dir, head = :head, dirty = :dirty""",
        values,
    )


def seen(db: Database, sister: Sister, now: datetime) -> None:
    """Write only where, when and as what `sister` was seen: place, branch and `now`, agent and session."""
    values = {
        "row": sister.row,
        "branch": rows.text(sister.branch),
        "seen": times.iso(now),
        "agent": sister.agent,
        "session": rows.text(sister.session_id),
        "repo": rows.path(sister.repo),
        "worktree": rows.path(sister.worktree),
        "common_dir": rows.path(sister.common_dir),
    }
    db.execute("UPDATE sisters SET git_branch = :branch, last_seen = :seen WHERE pid = :row", values)
    db.execute(
        """UPDATE sessions SET repo = :repo, worktree = :worktree, common_dir = :common_dir,
               agent = :agent, session_id = :session,
               head = CASE WHEN worktree IS :worktree THEN head END,
               dirty = CASE WHEN worktree IS :worktree THEN dirty END
           WHERE row = :row""",
        values,
    )


def set_sight(db: Database, sister: Sister) -> None:
    """Write what a scan saw of her: agent, status, window, place, and when she was last at work."""
    window = sister.terminal
    values = {
        "row": sister.row,
        "status": sister.status,
        "branch": rows.text(sister.branch),
        "seen": rows.moment(sister.last_seen),
        "agent": sister.agent,
        "repo": rows.path(sister.repo),
        "worktree": rows.path(sister.worktree),
        "common_dir": rows.path(sister.common_dir),
        "terminal": window.kind if window else None,
        "window": window.window if window else None,
        "title": rows.text(window.title) if window else None,
        "focused": window.focused if window else None,
        "waiting_for": rows.text(sister.waiting_for),
        "seen_status": sister.seen_status,
    }
    db.execute("UPDATE sisters SET git_branch = :branch, last_seen = :seen, status = :status WHERE pid = :row", values)
    db.execute(
        """UPDATE sessions SET agent = :agent, repo = :repo, worktree = :worktree, common_dir = :common_dir,
               terminal = :terminal, window = :window, title = :title, focused = :focused,
               waiting_for = :waiting_for, seen_status = :seen_status
           WHERE row = :row""",
        values,
    )


def set_task(db: Database, row: int, task: str | None, source: str, status: str) -> None:
    db.execute(
        "UPDATE sisters SET current_task = :task, task_source = :source, status = :status WHERE pid = :row",
        {"row": row, "task": rows.text(task), "source": source, "status": status},
    )
    _is_said(db, row)


def set_status(db: Database, row: int, status: str) -> None:
    db.execute("UPDATE sisters SET status = ? WHERE pid = ?", (status, row))
    _is_said(db, row)


def _is_said(db: Database, row: int) -> None:
    """Her status is her own word or her hooks' now, no longer what a scan made of it."""
    db.execute(
        "UPDATE sessions SET seen_status = NULL, waiting_for = NULL WHERE row = ? AND seen_status IS NOT NULL", (row,)
    )


def set_branch(db: Database, row: int, branch: str | None) -> None:
    db.execute("UPDATE sisters SET git_branch = ? WHERE pid = ?", (rows.text(branch), row))


def rename(db: Database, row: int, name: str, wanted: str | None) -> None:
    values = {"row": row, "name": name, "wanted": wanted}
    db.execute("UPDATE sisters SET name = :name WHERE pid = :row", values)
    db.execute("UPDATE sessions SET name = :name, wanted = :wanted WHERE row = :row", values)


def set_tree(db: Database, worktree: str, branch: str | None, head: str | None, dirty: int | None) -> None:
    """What the scan saw in `worktree`, for every sister in it."""
    values = {"worktree": rows.path(worktree), "branch": rows.text(branch), "head": head, "dirty": dirty}
    db.execute(
        """UPDATE sisters SET git_branch = :branch
           WHERE EXISTS (SELECT 1 FROM sessions s
                         WHERE s.row = sisters.pid AND s.name = sisters.name AND s.worktree = :worktree)""",
        values,
    )
    db.execute("UPDATE sessions SET head = :head, dirty = :dirty WHERE worktree = :worktree", values)


def forget(db: Database, gone: Iterable[int]) -> None:
    """Take rows out of the hive; their mail, claims and history stay with the name."""
    keys = [(row,) for row in gone]
    db.executemany("DELETE FROM sisters WHERE pid = ?", keys)
    db.executemany("DELETE FROM sessions WHERE row = ?", keys)
    db.execute("DELETE FROM sessions WHERE row NOT IN (SELECT pid FROM sisters)")
