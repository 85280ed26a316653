"""What is over is forgotten after a while; what is unread, open or held never is."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen.store.database import Database
from tests.hive import Runner, Sister

# Of each kind: long over, over lately, not over. The times in whatever form other programs write.
ROWS = """
INSERT INTO messages VALUES (1, 'a', 'iza-1', 'old, read', 'normal', '2020-01-01 05:29:02.5', '2020-01-02', NULL);
INSERT INTO messages VALUES (2, 'a', 'iza-1', 'old, unread', 'normal', '2020-01-01T05:29:02Z', NULL, NULL);
INSERT INTO messages VALUES (3, 'a', 'iza-1', 'new, read', 'normal', '2999-01-01T00:00:00+02:00', '2999-01-01', NULL);
INSERT INTO messages VALUES (4, 'a', 'iza-1', 'when?, read', 'normal', 'yesterday', 'today', NULL);
INSERT INTO replies VALUES (1, 9), (3, 9);
INSERT INTO claims VALUES ('old-free', 'a', NULL, '2019-01-01T00:00:00Z', '2020-01-01T00:00:00');
INSERT INTO claims VALUES ('old-held', 'a', NULL, '2019-01-01T00:00:00Z', NULL);
INSERT INTO claims VALUES ('new-free', 'a', NULL, '2019-01-01T00:00:00Z', '2999-01-01T00:00:00Z');
INSERT INTO holds (id, owner, claimed_at, paths, nonce) VALUES
    ('old-free', 'a', '2019-01-01T00:00:00Z', '[]', 'n'), ('old-held', 'a', '2019-01-01T00:00:00Z', '[]', 'n');
INSERT INTO conflicts VALUES ('old-over', 'stale-index', '[]', NULL, '2019-01-01T00:00:00Z', '2020-01-01T00:00:00Z');
INSERT INTO conflicts VALUES ('old-open', 'stale-index', '[]', NULL, '2019-01-01T00:00:00Z', NULL);
INSERT INTO conflicts VALUES ('new-over', 'stale-index', '[]', NULL, '2019-01-01T00:00:00Z', '2999-01-01T00:00:00Z');
INSERT INTO conflicts VALUES (NULL, 'stale-index', '[]', NULL, '2019-01-01T00:00:00Z', NULL);
INSERT INTO findings (id, severity, subject, facts, muted) VALUES
    ('old-over', 'info', '""', '[]', 0), ('new-over', 'info', '""', '[]', 0);
INSERT INTO events (at, kind, detail) VALUES
    ('2020-01-01T00:00:00Z', 'old', '{}'), ('2999-01-01T00:00:00Z', 'new', '{}');
"""


def keys(db: sqlite3.Connection) -> dict[str, list[object]]:
    tables = {
        "messages": "id",
        "replies": "message",
        "claims": "id",
        "holds": "id",
        "conflicts": "id",
        "findings": "id",
    }
    found = {
        table: [row[0] for row in db.execute(f"SELECT {key} FROM {table} ORDER BY rowid")]
        for table, key in tables.items()
    }
    found["events"] = [row[0] for row in db.execute("SELECT kind FROM events WHERE kind IN ('old', 'new')")]
    return found


def test_what_is_over_for_90_days_goes(run: Runner, queen_db: Callable[..., Database]) -> None:
    db = queen_db()
    db.executescript(ROWS)
    run("gitqueen", "scan", check=True)
    assert keys(db) == {
        "messages": [2, 3, 4],
        "replies": [3],
        "claims": ["old-held", "new-free"],
        "holds": ["old-held"],
        "conflicts": ["old-open", "new-over", None],
        "findings": ["new-over"],
        "events": ["new"],
    }


@pytest.mark.parametrize(("kept", "left"), [("3650d", True), ("1w", False), ("nonsense", False)])
def test_for_how_long_is_a_setting(kept: str, left: bool, run: Runner, queen_db: Callable[..., Database]) -> None:
    run("git", "config", "--global", "gitqueen.retention", kept, check=True)
    db = queen_db()
    db.executescript(ROWS)
    run("gitqueen", "scan", check=True)
    assert (1 in keys(db)["messages"]) is left


def test_a_conflict_muted_by_hand_is_not_forgotten(
    sister: Callable[..., Sister], home: Path, queen_db: Callable[..., Database]
) -> None:
    """It would open again: nobody's task has changed."""
    iza, other = sister("iza-1"), sister("iza-2")
    assert iza.sh("iam 'fix the login form'").rc == 0
    assert other.sh("iam 'fix the login form'").rc == 0
    (conflict,) = json.loads(iza.sh("gitqueen conflicts --json").out)["conflicts"]
    assert iza.sh(f"gitqueen resolve {conflict['id']}").rc == 0
    db = queen_db()
    db.execute("UPDATE conflicts SET resolved_at = '2020-01-01T00:00:00Z'")
    assert iza.sh("gitqueen scan").rc == 0
    assert json.loads(iza.sh("gitqueen conflicts --json").out)["conflicts"] == []
    assert [row[0] for row in db.execute("SELECT id FROM conflicts")] == [conflict["id"]]


def test_it_looks_for_the_old_once_a_day(run: Runner, queen_db: Callable[..., Database]) -> None:
    run("gitqueen", "scan", check=True)
    db = queen_db()
    db.executescript(ROWS)
    run("gitqueen", "scan", check=True)
    assert 1 in keys(db)["messages"]
    db.execute("UPDATE meta SET value = value - 86401 WHERE key = 'last_prune'")
    run("gitqueen", "scan", check=True)
    assert 1 not in keys(db)["messages"]
