"""What commands are played with: the hive's database as another program sees it, and outputs without their moments."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.hive import Done

AT = "2026-04-11T05:29:02Z"
"""What stands for each moment in an output that went through `timeless`."""


def sql(home: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    """As another program would."""
    with closing(sqlite3.connect(home / "queen.db", timeout=10)) as db, db:
        return db.execute(statement, values).fetchall()


def timeless(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", AT, text)


def told(done: Done) -> Done:
    return Done(done.rc, timeless(done.out), timeless(done.err))
