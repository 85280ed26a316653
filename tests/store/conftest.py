"""Connections that are closed after the test, whatever became of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitqueen.store import database
from gitqueen.store.database import Database


@pytest.fixture
def queen_db(home: Path) -> Iterator[Callable[..., Database]]:
    """Our own connections to the queen's database of this test: `queen_db(patience=0.1)`."""
    made: list[Database] = []

    def make(folder: Path = home, patience: float | None = None) -> Database:
        made.append(database.open(str(folder), patience))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def plain_db(home: Path) -> Iterator[Callable[..., sqlite3.Connection]]:
    """Connections as any other program has them, each statement a transaction of its own; the folder is made."""
    made: list[sqlite3.Connection] = []

    def make(path: Path = home / "queen.db") -> sqlite3.Connection:
        path.parent.mkdir(parents=True, exist_ok=True)
        made.append(sqlite3.connect(path, isolation_level=None))
        return made[-1]

    yield make
    for one in made:
        one.close()
