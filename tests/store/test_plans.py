"""No common command reads through all the mail, history, claims or conflicts there ever were: SQLite says how."""

from __future__ import annotations

import ast
import json
import re
import shlex
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

from tests.hive import Repo, Sister

TRACED = """
import shlex, sys
from gitqueen.store import database
plain = database.open
def traced(*args, **options):
    db = plain(*args, **options)
    log = open("trace", "a")
    db.set_trace_callback(lambda sql: print(ascii(sql), file=log, flush=True))
    return db
database.open = traced
from gitqueen.cli.main import run
sys.exit(next((line for line in sys.argv[1:] if run(shlex.split(line)) != 0), None))
"""
"""gitqueen, several commands of it, which writes down every statement it gives to SQLite."""

COMMANDS = """
tell iza-2 hello
tell iza-2 again --urgent --reply-to ID
inbox --peek
inbox
inbox --all
ack ID
iam tracing
iam
iam --done
whoami
claim deploy -m why
claim src --path src/
claims
release deploy
status
status --repo .
onboard
conflicts
history
history --sister iza-1
history --repo .
history --sister iza-1 --repo .
check README
""".strip().splitlines()

MANY = {"messages", "m", "replies", "r", "events", "claims", "holds", "conflicts", "c", "changes"}
"""Tables that grow with all that ever happened, and what queries call them for short. Others have a row for each
sister, name, repository or worktree, and to read them all is what is asked for."""
LISTS = {"messages_unread", "claims_held", "conflicts_open"}
"""Indexes of just those that are asked for."""


def test_every_query_of_a_common_command_uses_an_index(
    sister: Callable[..., Sister], repo: Callable[..., Repo], home: Path
) -> None:
    app = repo()
    iza = sister("iza-1", app, env={"PYTHON": sys.executable, "TRACED": TRACED})
    sister("iza-2", app).sh("iam 'reading along'; queen tell iza-1 one; queen tell iza-1 two; queen tell iza-1 three")
    assert iza.sh("iam 'tracing'; gitqueen scan").rc == 0
    letter = json.loads(iza.sh("gitqueen inbox --peek --json").out)["messages"][0]["id"]
    lines = shlex.join(line.replace("ID", str(letter)) for line in COMMANDS)
    done = iza.sh(f'"$PYTHON" -c "$TRACED" {lines}')
    assert (done.rc, done.err) == (0, "")
    statements = [ast.literal_eval(line) for line in (app.path / "trace").read_text().splitlines()]
    queries = sorted({sql for sql in statements if re.match("SELECT|INSERT|UPDATE|DELETE", sql)})
    assert len(queries) > 40
    db = sqlite3.connect(home / "queen.db")
    read_through = []
    latest = re.compile(r"FROM events\s+ORDER BY id DESC LIMIT \d+\Z")  # from the end, and no further than that
    for sql in (sql for sql in queries if not latest.search(sql)):
        for *_, step in db.execute(f"EXPLAIN QUERY PLAN {sql}"):
            table, _, how = step.removeprefix("SCAN ").partition(" ")
            if step.startswith("SCAN ") and table in MANY and not set(how.split()) & LISTS:
                read_through.append((step, sql))
    db.close()
    assert read_through == []


def test_a_doing_costs_few_statements(sister: Callable[..., Sister], repo: Callable[..., Repo]) -> None:
    app = repo()
    iza = sister("iza-1", app, env={"PYTHON": sys.executable, "TRACED": TRACED})
    assert iza.sh("iam 'tracing'; gitqueen scan").rc == 0
    assert iza.sh('"$PYTHON" -c "$TRACED" "tell iza-1 hello"').rc == 0
    statements = [ast.literal_eval(line) for line in (app.path / "trace").read_text().splitlines()]
    assert sum(sql.startswith("BEGIN") for sql in statements) == 1, "one transaction, one wait for the disk"
    assert [sql for sql in statements if sql.startswith("PRAGMA")] == [
        "PRAGMA synchronous = FULL",
        "PRAGMA busy_timeout = 0",
        "PRAGMA busy_timeout = 10000",
    ]
    assert len(statements) < 40, statements
