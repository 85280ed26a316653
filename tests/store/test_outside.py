"""What any other program may write by plain SQL shows in the commands, escaped, and never stops one."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitqueen.store import claims, conflicts, events, messages, schema, sisters
from gitqueen.store.database import Database
from gitqueen.views import structured
from gitqueen.views.text import clean, cut
from tests.hive import Repo, Sister

Opener = Callable[..., Database]

OTHER_PROGRAM = r"""
import sqlite3, sys

# What is TEXT and no UTF-8 cannot be bound in Python: marked here, it is made by SQL.
BAD = object()
ODD = ["", "plain", "it's", "\x1b[31mred\x1b[0m", "\x9b2J", "a\nb\rc\td", "nul\0nul", "\u202eltr", "\U0001f41d", 7, -1,
    3.5, 1e400, b"blob", b"\xff\xfe\x00", BAD, "x" * 100_000, "..", "-rf", "a/../b", "@all", "queen",
    "2026-04-11T05:29:02Z", "2026-04-11 05:29:02.123456", "2026-04-11T05:29:02+14:00", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00", "2026-04-11", "20260411T052902Z", "2026-W15-6", "1775885342", "yesterday", "24:00",
    "[]", "{}", "null", "[1, null, {}]", "[" * 50_000, '["iza-1", "' + "\\" + 'ud800"]', '["iza-1"', "NaN", "9" * 5000]
NOT_NULL = {"name", "to_sister", "body", "sent_at", "owner", "claimed_at", "type", "sisters", "detected_at"}
PLAIN = {
    "sisters": [None, "iza-9", "main", "a task", "declared", "working", "2999-01-01T00:00:00Z"],
    "messages": [None, "iza-9", "iza-1", "a body", "normal", "2026-04-11T05:29:02Z", None, None],
    "claims": [None, "iza-9", "why", "2026-04-11T05:29:02Z", None],
    "conflicts": [None, "file-collision", '["iza-1", "iza-9"]', "a detail", "2026-04-11T05:29:02Z", None],
}
COLUMNS = {"sisters": "pid name git_branch current_task task_source status last_seen",
    "messages": "id from_sister to_sister body priority sent_at read_at acked_at",
    "claims": "id owner description claimed_at released_at",
    "conflicts": "id type sisters detail detected_at resolved_at"}

db = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
key = 5_000_000  # above every pid there is
for table, plain in PLAIN.items():
    for at, column in enumerate(COLUMNS[table].split()):
        for odd in [None, *ODD]:
            if odd is None and column in NOT_NULL or at == 0 and table in ("sisters", "messages"):
                continue
            key += 1
            row = [{"sisters": key, "messages": None}.get(table, f"id-{key}"), *plain[1:]]
            row[at] = b"\xff\xfe" if odd is BAD else odd
            marks = ["CAST(? AS TEXT)" if odd is BAD and n == at else "?" for n in range(len(row))]
            if at == 0 and odd is BAD:
                row[at] = b"bad\xff"
            verb = "INSERT OR REPLACE" if key % 2 else "INSERT"
            db.execute(f"{verb} INTO {table} VALUES ({', '.join(marks)})", row)
    # Keys as an INTEGER PRIMARY KEY may be, and one that SQLite gives.
    if table in ("sisters", "messages"):
        for number in (None, 0, -1, -(2**63), 2**63 - 1 if table == "sisters" else 2**40):
            db.execute(f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(plain))})", [number, *plain[1:]])
"""

COMMANDS = ("status --all", "claims --all", "conflicts --all", "inbox --all --peek", "history", "onboard")


def test_whatever_another_program_writes_is_shown_while_gitqueen_writes(
    home: Path, sister: Callable[..., Sister], tmp_path: Path, queen_db: Opener
) -> None:
    iza = sister("iza-1")
    assert iza.sh("iam 'looking at oddities'").rc == 0
    (tmp_path / "other.py").write_text(OTHER_PROGRAM)
    other = subprocess.Popen([sys.executable, tmp_path / "other.py", home / "queen.db"], stderr=subprocess.PIPE)
    sent = 0
    while other.poll() is None:
        assert iza.sh(f"queen tell iza-1 'letter {sent}'").rc == 0
        sent += 1
    assert other.communicate()[1] == b""
    for command in (*COMMANDS, "scan", "status"):
        plain, shaped = iza.sh(f"gitqueen {command}"), iza.sh(f"gitqueen {command} --json")
        for done in (plain, shaped):
            assert (done.rc, done.err) == (0, ""), f"{command}: {done.err}"
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", done.out), command
        report = json.loads(shaped.out)
        assert report["schema"] == 1
    assert not (home / "crash.log").exists()
    db = queen_db()
    shown = json.loads(iza.sh("gitqueen status --json").out)
    (held,) = db.execute("SELECT count(*) FROM claims WHERE released_at IS NULL").fetchone()
    (still_open,) = db.execute("SELECT count(*) FROM conflicts WHERE resolved_at IS NULL").fetchone()
    assert (len(shown["claims"]), len(shown["conflicts"])) == (held, still_open)
    assert min(held, still_open) > 100
    letters = json.loads(iza.sh("gitqueen inbox --all --json").out)["messages"]
    assert len(letters) == db.execute("SELECT count(*) FROM messages WHERE to_sister = 'iza-1'").fetchone()[0]
    assert [letter["body"] for letter in letters if letter["from"] == "iza-1"] == [f"letter {n}" for n in range(sent)]


def test_odd_ids_can_be_given_back_and_resolved(
    sister: Callable[..., Sister], queen_db: Opener, plain_db: Callable[..., sqlite3.Connection]
) -> None:
    iza, outside = sister("iza-1"), plain_db
    queen_db()
    db = outside()
    at = "2026-04-11T05:29:02Z"
    for number in ("CAST(x'ff61' AS TEXT)", "x'ff62'", "'$x'"):
        db.execute(f"INSERT INTO claims VALUES ({number}, 'iza-1', NULL, ?, NULL)", (at,))
        db.execute(f"INSERT INTO conflicts VALUES ({number}, 'stale-index', '[\"iza-1\"]', NULL, ?, NULL)", (at,))
    for name in ("\udcffa", "\udcffb", "$x"):
        assert iza.sh(f"gitqueen release '{name}' --force").rc == 0, ascii(name)
        assert iza.sh(f"gitqueen resolve '{name}'").rc == 0, ascii(name)
    assert db.execute("SELECT count(*) FROM claims WHERE released_at IS NULL").fetchone() == (0,)
    assert db.execute("SELECT count(*) FROM conflicts WHERE resolved_at IS NULL").fetchone() == (0,)
    assert iza.sh("gitqueen release '\udcffz'").rc == 2
    for words in (
        "resolve '\udcffz'",
        "ack 99999999999",
        "tell iza-1 x --reply-to 9999999",
    ):
        assert iza.sh(f"gitqueen {words}").rc == 1, ascii(words)
    assert iza.sh("gitqueen history --sister '\udcff'").rc == 0


def test_a_claim_of_mine_that_another_program_wrote_can_be_renewed(
    sister: Callable[..., Sister], queen_db: Opener, plain_db: Callable[..., sqlite3.Connection]
) -> None:
    iza = sister("iza-1")
    queen_db()
    plain_db().execute("INSERT INTO claims VALUES ('deploy', 'iza-1', 'by hand', 'not a time', NULL)")
    assert iza.sh("gitqueen claim deploy --ttl 1h").out.startswith("✓ deploy is still yours until ")
    assert iza.sh("gitqueen release deploy").rc == 0


def test_an_outside_row_in_place_of_ours_is_the_one_to_believe(
    sister: Callable[..., Sister], plain_db: Callable[..., sqlite3.Connection], repo: Callable[..., Repo]
) -> None:
    iza, other = sister("iza-1"), sister("iza-2", repo())
    assert other.sh("iam 'mine'").rc == 0
    row = [other.pid, "somebody", "main", "hers", "declared", "idle", "2999-01-01T00:00:00"]
    plain_db().execute("INSERT OR REPLACE INTO sisters VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    (said,) = json.loads(iza.sh("gitqueen status --json").out)["sisters"][-1:]
    assert (said["name"], said["pid"], said["status"], said["branch"]) == ("somebody", other.pid, "idle", "main")
    assert (said["task"], said["task_source"], said["repo"], said["agent"]) == ("hers", "declared", None, "unknown")


@pytest.fixture(scope="module")
def scratch() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None, factory=Database)
    for migration in schema.MIGRATIONS:
        db.executescript(migration)
    db.text_factory = lambda raw: raw.decode("utf-8", "backslashreplace")
    return db


VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(),
    st.datetimes().map(str),
)


@given(data=st.data(), as_text=st.booleans())
def test_any_value_in_any_column_is_read_and_shown(scratch: Database, data: st.DataObject, as_text: bool) -> None:
    mark = "CAST(? AS TEXT)" if as_text else "?"
    for table, columns in schema.PUBLIC.items():
        scratch.execute(f"DELETE FROM {table}")
        row = [data.draw(VALUES, label=f"{table}.{column}") for column in columns]
        if table in ("sisters", "messages"):
            row[0] = data.draw(st.one_of(st.none(), st.integers(-(2**63), 2**62)))
        marks = ", ".join(["?", *[mark] * (len(columns) - 1)])
        # What the contract forbids (NOT NULL) SQLite refuses; all else must be shown.
        scratch.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)
    events.every_name(scratch)
    shapes: list[dict[str, object]] = [
        *map(structured.sister, sisters.everyone(scratch)),
        *map(structured.claim, [*claims.held(scratch), *claims.everything(scratch)]),
        *map(structured.conflict, [*conflicts.open_ones(scratch), *conflicts.everything(scratch)]),
        *map(structured.message, messages.everything(scratch, "iza-1")),
        {"pending": messages.pending(scratch)},
    ]
    for shown in shapes:
        text = structured.dump(shown)
        assert json.loads(text)["schema"] == 1
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202e\ud800-\udfff]", text)
        for value in shown.values():
            assert not re.search("[\x00-\x1f\x7f-\x9f\u202e\ud800-\udfff]", clean(value) + cut(str(value), 20))


def test_writers_of_both_kinds_lose_nothing(home: Path, queen_db: Opener) -> None:
    queen_db()
    plain = (
        "import sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)\n"
        "for n in range(100):\n"
        "    row = (None, 'other', 'iza-1', n, None, '2026-01-01', None, None)\n"
        "    db.execute('INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)', row)\n"
    )
    ours = (
        "import sys\n"
        "from datetime import UTC, datetime\n"
        "from gitqueen.store import database, messages\n"
        "db = database.open(sys.argv[1], patience=60)\n"
        "for n in range(100):\n"
        "    with database.transaction(db, durable=n % 2 == 0):\n"
        "        messages.add(db, 'ours', 'iza-1', str(n), 'normal', datetime.now(UTC), None)\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", script, os.fspath(target)], stderr=subprocess.PIPE)
        for script, target in ((plain, home / "queen.db"), (ours, home)) * 4
    ]
    assert [(one.communicate(timeout=90)[1], one.returncode) for one in writers] == [(b"", 0)] * 8
    counts = queen_db().execute("SELECT from_sister, body, count(*) FROM messages GROUP BY 1, 2 ORDER BY 1, 2")
    assert counts.fetchall() == [(who, str(n), 4) for who in ("other", "ours") for n in sorted(range(100), key=str)]
