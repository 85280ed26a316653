"""Which commits were seen, and which sister made each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gitqueen.model import times
from gitqueen.store import rows
from gitqueen.store.database import Database


@dataclass(frozen=True, slots=True)
class Made:
    """One commit as it was seen. `heard`: when we heard of it, which may be a while after `at`; `picked`: by a rebase
    that was still going on, so nobody's until it ends."""

    common_dir: str
    oid: str
    sister: str | None
    task: str | None
    at: datetime
    heard: datetime
    picked: bool = False


@dataclass(frozen=True, slots=True)
class Touch:
    """A path that a sister's commit changed."""

    common_dir: str
    path: str
    oid: str
    sister: str
    at: datetime | None
    """When it was committed, as far as we saw."""
    task: str | None = None


NEW, NAMED, KNOWN = "new", "named", "known"


def save(db: Database, made: Made) -> str:
    """Remember a commit; NEW, or KNOWN, or NAMED when it was known and who made it was not: a scan may see a commit
    before its hook told of it."""
    values = {
        "common_dir": rows.path(made.common_dir),
        "oid": made.oid,
        "sister": rows.text(made.sister),
        "task": rows.text(made.task),
        "at": times.iso(made.at),
        "heard": made.heard.timestamp(),
        "picked": made.picked,
    }
    added = db.execute(
        """INSERT OR IGNORE INTO commits (common_dir, oid, sister, task, at, heard, picked)
           VALUES (:common_dir, :oid, :sister, :task, :at, :heard, :picked)""",
        values,
    )
    if added.rowcount:
        return NEW
    named = db.execute(
        """UPDATE commits SET sister = :sister, task = :task, heard = :heard
           WHERE common_dir = :common_dir AND oid = :oid AND sister IS NULL AND :sister IS NOT NULL""",
        values,
    )
    return NAMED if named.rowcount else KNOWN


def maker(db: Database, common_dir: str, oid: str) -> str | None:
    found = db.execute(
        "SELECT sister FROM commits WHERE common_dir = ? AND oid = ? AND NOT picked", (rows.path(common_dir), oid)
    ).fetchone()
    return rows.as_text(found[0]) if found else None


def known(db: Database, common_dir: str, oids: Iterable[str]) -> set[str]:
    """Which of `oids` were seen."""
    query = "SELECT 1 FROM commits WHERE common_dir = ? AND oid = ?"
    return {oid for oid in oids if db.execute(query, (rows.path(common_dir), oid)).fetchone()}


def rewritten(db: Database, common_dir: str, pairs: Iterable[tuple[str, str]], now: datetime) -> None:
    """A rebase ended: each new commit of the pairs (old, new) is whose the old one was."""
    where = rows.path(common_dir)
    for old, new in pairs:
        row = db.execute(
            "SELECT sister, task, at, heard FROM commits WHERE common_dir = ? AND oid = ?", (where, old)
        ).fetchone()
        sister, task, at, heard = row or (None, None, times.iso(now), now.timestamp())
        db.execute(
            """INSERT OR IGNORE INTO brought (common_dir, path, oid)
               SELECT common_dir, path, :new FROM brought WHERE common_dir = :where AND oid = :old""",
            {"where": where, "old": old, "new": new},
        )
        db.execute(
            """INSERT INTO commits (common_dir, oid, sister, task, at, heard, picked)
               VALUES (:where, :new, :sister, :task, :at, :heard, 0) ON CONFLICT (common_dir, oid)
               DO UPDATE SET sister = :sister, task = :task, at = :at, heard = :heard, picked = 0""",
            {"where": where, "new": new, "sister": sister, "task": task, "at": at, "heard": heard},
        )


def save_paths(db: Database, common_dir: str, oid: str, paths: Iterable[str]) -> None:
    """What a sister's commit changed."""
    where = rows.path(common_dir)
    db.executemany(
        "INSERT OR IGNORE INTO brought (common_dir, path, oid) VALUES (?, ?, ?)",
        [(where, rows.path(path), oid) for path in paths],
    )


def touching(db: Database, common_dirs: Iterable[str], paths: Sequence[str], but: str | None) -> list[Touch]:
    """The commits in these repositories that changed one of `paths` and were made by a sister other than `but`."""
    query = """SELECT b.path, b.oid, c.sister, c.at, c.task FROM brought b
               JOIN commits c ON c.common_dir = b.common_dir AND c.oid = b.oid
               WHERE b.common_dir = ? AND c.sister IS NOT NULL AND c.sister IS NOT ? AND NOT c.picked"""
    found = []
    for common_dir in common_dirs:
        where, who = rows.path(common_dir), rows.text(but)
        if db.execute("SELECT 1 FROM brought WHERE common_dir = ? LIMIT 1", (where,)).fetchone() is None:
            continue
        for path in paths:
            for row in db.execute(f"{query} AND b.path = ?", (where, who, rows.path(path))):
                found.append(_touch(common_dir, *row))
    return found


def beneath(db: Database, common_dir: str, sister: str, folders: Iterable[str]) -> set[str]:
    """The paths in these folders, and the folders themselves where they are files, that a sister's commits changed."""
    query = """SELECT DISTINCT b.path FROM brought b JOIN commits c ON c.common_dir = b.common_dir AND c.oid = b.oid
               WHERE b.common_dir = ? AND c.sister = ? AND NOT c.picked AND (b.path = ? OR b.path > ? AND b.path < ?)"""
    spans = [[rows.path(folder + end) for end in ("", "/", "0")] for folder in folders]
    found = [db.execute(query, (rows.path(common_dir), rows.text(sister), *span)) for span in spans]
    return {rows.as_path(path) or "" for some in found for (path,) in some}


def along(db: Database, common_dir: str, sister: str, paths: Iterable[str]) -> set[str]:
    """All paths of those commits of a sister that changed one of `paths`."""
    query = """SELECT DISTINCT also.path FROM brought b
               JOIN commits c ON c.common_dir = b.common_dir AND c.oid = b.oid
               JOIN brought also ON also.common_dir = b.common_dir AND also.oid = b.oid
               WHERE b.common_dir = ? AND b.path = ? AND c.sister = ? AND NOT c.picked"""
    found = [db.execute(query, (rows.path(common_dir), rows.path(path), rows.text(sister))) for path in paths]
    return {rows.as_path(path) or "" for some in found for (path,) in some}


def changed(db: Database, common_dirs: Iterable[str], sister: str, paths: Iterable[str]) -> bool:
    """Whether commits of a sister in these repositories changed one of `paths`."""
    query = """SELECT 1 FROM brought b JOIN commits c ON c.common_dir = b.common_dir AND c.oid = b.oid
               WHERE b.common_dir = ? AND b.path = ? AND c.sister = ? AND NOT c.picked LIMIT 1"""
    wheres = [rows.path(common_dir) for common_dir in common_dirs]
    asked = ((where, rows.path(path), rows.text(sister)) for path in paths for where in wheres)
    return any(db.execute(query, one).fetchone() for one in asked)


def _touch(common_dir: str, path: object, oid: str, sister: object, at: object, task: object) -> Touch:
    return Touch(
        common_dir, rows.as_path(path) or "", oid, rows.as_text(sister) or "", times.parse(at), rows.as_text(task)
    )


def when(db: Database, common_dirs: Iterable[str], oids: Iterable[str]) -> dict[str, datetime]:
    """Commit -> when it was made, as far as we saw, of those `oids` that were seen in one of these repositories."""
    found, query = {}, "SELECT at FROM commits WHERE common_dir = ? AND oid = ?"
    wheres = [rows.path(common_dir) for common_dir in common_dirs]
    for oid in oids:
        for where in wheres:
            row = db.execute(query, (where, oid)).fetchone()
            if row is not None and (at := times.parse(row[0])) is not None:
                found[oid] = at
    return found


def picks(db: Database, common_dir: str) -> list[tuple[str, str | None]]:
    """(commit, who made it) of what was made during rebases that have not ended, the latest first."""
    found = db.execute(
        "SELECT oid, sister FROM commits WHERE common_dir = ? AND picked ORDER BY at DESC", (rows.path(common_dir),)
    )
    return [(oid, rows.as_text(sister)) for oid, sister in found]


def keep(db: Database, common_dir: str, oid: str, heard: datetime) -> None:
    """It was no pick, but a commit like any other."""
    values = (heard.timestamp(), rows.path(common_dir), oid)
    db.execute("UPDATE commits SET picked = 0, heard = ? WHERE common_dir = ? AND oid = ?", values)


def once(db: Database, key: str) -> bool:
    """Whether the record `key` is a new one: asked in the transaction that writes what it tells. One key is enough,
    since one process drains at a time, and only its latest record can be in the book and in the spool at once."""
    found = db.execute("SELECT value FROM meta WHERE key = 'drained'").fetchone()
    if found is not None and found[0] == key:
        return False
    db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('drained', ?)", (key,))
    return True


def forget(db: Database, before: datetime) -> None:
    db.execute("DELETE FROM commits WHERE at < ?", (times.iso(before),))
    db.execute(
        """DELETE FROM brought WHERE NOT EXISTS
               (SELECT 1 FROM commits c WHERE c.common_dir = brought.common_dir AND c.oid = brought.oid)"""
    )
