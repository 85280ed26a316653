"""Who has others look around: one of many commands at once, and again when that came to nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitqueen import children
from gitqueen.services import queen, watching
from gitqueen.services.queen import Queen
from gitqueen.store import database, repos


@pytest.fixture
def opened(home: Path) -> Queen:
    home.mkdir(parents=True, exist_ok=True)
    return queen.open(dict(os.environ), lambda: datetime.now(UTC), "/")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    found: list[list[str]] = []
    monkeypatch.setattr(children, "leave", lambda argv, env: found.append(list(argv)[-2:]))
    yield found
    assert [argv for argv in found if argv != ["scan", "--stale"]] == []


def _due(opened: Queen, seconds: float) -> None:
    path, due = os.path.join(opened.settings.home, "next-scan"), opened.now.timestamp() + seconds
    with open(path, "ab"):
        os.utime(path, (due, due))


def test_of_many_commands_at_once_one_starts_it(opened: Queen, started: list[list[str]]) -> None:
    for _ in range(64):
        watching.start_detached(opened)
    assert len(started) == 1
    # The hooks know it by the same file: none of them starts one either.
    assert os.stat(os.path.join(opened.settings.home, "next-scan")).st_mtime > opened.now.timestamp()


def test_one_that_came_to_nothing_is_started_again(opened: Queen, started: list[list[str]]) -> None:
    watching.start_detached(opened)
    opened.now += timedelta(seconds=watching.BEGINNING)
    watching.start_detached(opened)
    assert len(started) == 2


@pytest.mark.parametrize("seconds", [3600.0, 30.0, 0.0, -1.0])
def test_only_a_moment_is_waited_for(opened: Queen, started: list[list[str]], seconds: float) -> None:
    """A clock that was set back must not stop the looking around for as long."""
    _due(opened, seconds)
    watching.start_detached(opened)
    assert len(started) == 1


def test_nobody_starts_one_after_a_fresh_one(opened: Queen, started: list[list[str]]) -> None:
    with database.transaction(opened.db):
        repos.set_last(opened.db, "scan", opened.now.timestamp() - 29)
    watching.start_detached(opened)
    assert started == []
