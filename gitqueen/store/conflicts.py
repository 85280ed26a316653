"""The public table of conflicts, and `findings`: severity, place and facts of those that gitqueen saw."""

from __future__ import annotations

import json
from datetime import datetime

from gitqueen.model import times
from gitqueen.model.conflicts import Conflict, Finding
from gitqueen.store import rows
from gitqueen.store.database import Database

_SELECT = """SELECT CAST(c.id AS BLOB), c.type, c.sisters, c.detail, c.detected_at, c.resolved_at,
                    f.severity, f.repo, f.common_dir, f.worktree, f.subject, f.facts, f.muted
             FROM conflicts c LEFT JOIN findings f ON f.id = c.id"""


def open_ones(db: Database) -> list[Conflict]:
    """Those nobody resolved, the oldest first."""
    found = db.execute(f"{_SELECT} WHERE c.resolved_at IS NULL ORDER BY c.detected_at, c.id")
    return [_from_row(row) for row in found]


def everything(db: Database) -> list[Conflict]:
    return [_from_row(row) for row in db.execute(f"{_SELECT} ORDER BY c.detected_at, c.id")]


def get(db: Database, conflict_id: str) -> Conflict | None:
    row = db.execute(f"{_SELECT} WHERE c.id IN (CAST(:id AS TEXT), :id)", {"id": rows.key(conflict_id)}).fetchone()
    return None if row is None else _from_row(row)


def _from_row(row: tuple[object, ...]) -> Conflict:
    (number, kind, sisters, detail, detected, resolved, severity, repo, common_dir, worktree, subject, facts, muted) = (
        row
    )
    return Conflict(
        id=rows.as_key(number),
        type=rows.as_text(kind) or "",
        sisters=_names(sisters),
        detail=rows.as_text(detail),
        detected_at=times.parse(detected),
        resolved_at=times.parse(resolved),
        severity=rows.as_text(severity),
        repo=rows.as_path(repo),
        common_dir=rows.as_path(common_dir),
        worktree=rows.as_path(worktree),
        subject=json.loads(subject) if isinstance(subject, str) else "",
        facts=tuple(json.loads(facts)) if isinstance(facts, str) else (),
        muted=bool(muted),
    )


def _names(value: object) -> tuple[str, ...]:
    """A JSON array of names; whatever else another program wrote is shown as the one name it is."""
    text = rows.as_text(value) or ""
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        return (text,)
    return tuple(str(name) for name in names) if isinstance(names, list) else (text,)


def save(db: Database, finding: Finding, detected_at: datetime) -> None:
    """Write `finding` as open since `detected_at`."""
    values = {
        "id": finding.id,
        "type": finding.type,
        "sisters": json.dumps(list(finding.sisters)),
        "detail": rows.text(finding.detail),
        "at": times.iso(detected_at),
        "severity": finding.severity,
        "repo": rows.path(finding.repo),
        "common_dir": rows.path(finding.common_dir),
        "worktree": rows.path(finding.worktree),
        # ASCII: a branch or path that is no UTF-8 goes in as an escape and comes out as it was.
        "subject": json.dumps(finding.subject),
        "facts": json.dumps(finding.facts),
    }
    db.execute(
        """INSERT OR REPLACE INTO conflicts (id, type, sisters, detail, detected_at, resolved_at)
           VALUES (:id, :type, :sisters, :detail, :at, NULL)""",
        values,
    )
    db.execute(
        """INSERT OR REPLACE INTO findings (id, severity, repo, common_dir, worktree, subject, facts, muted)
           VALUES (:id, :severity, :repo, :common_dir, :worktree, :subject, :facts, 0)""",
        values,
    )


def set_facts(db: Database, conflict_id: str, facts: tuple[str, ...]) -> None:
    db.execute("UPDATE findings SET facts = ? WHERE id = ?", (json.dumps(facts), conflict_id))


def weigh(db: Database, conflict_id: str, severity: str, detail: str) -> None:
    """It has become more or less severe, or otherwise so."""
    db.execute("UPDATE conflicts SET detail = ? WHERE id = ?", (rows.text(detail), conflict_id))
    db.execute("UPDATE findings SET severity = ? WHERE id = ?", (severity, conflict_id))


def resolve(db: Database, conflict_id: str, now: datetime, muted: bool) -> None:
    """Close it; `muted` by hand: it stays closed until the facts change."""
    values = {"id": rows.key(conflict_id), "at": times.iso(now), "muted": muted}
    db.execute(
        """UPDATE conflicts SET resolved_at = coalesce(resolved_at, :at)
           WHERE id IN (CAST(:id AS TEXT), :id)""",
        values,
    )
    db.execute("UPDATE findings SET muted = :muted WHERE id = CAST(:id AS TEXT)", values)


def muted(db: Database) -> list[Conflict]:
    """Those resolved by hand whose facts may still hold."""
    return [_from_row(row) for row in db.execute(f"{_SELECT} WHERE f.muted AND c.resolved_at IS NOT NULL")]


def forget(db: Database, before: datetime) -> int:
    """Drop conflicts resolved before `before`, but those muted by hand, which would open again; how many went."""
    gone = db.execute(
        """DELETE FROM conflicts WHERE resolved_at IS NOT NULL AND substr(resolved_at, 1, 10) < ?
               AND NOT EXISTS (SELECT 1 FROM findings f WHERE f.id = conflicts.id AND f.muted)""",
        (rows.day(before),),
    ).rowcount
    db.execute("DELETE FROM findings WHERE NOT EXISTS (SELECT 1 FROM conflicts c WHERE c.id = findings.id)")
    return gone
