"""Conflicts as lists: where, how long, and as short as people write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gitqueen.model.conflicts import Conflict
from gitqueen.views import holdings
from gitqueen.views.text import Palette

NOW = datetime(2026, 4, 11, 5, 29, tzinfo=UTC)
PLAIN = Palette(False)


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/iza")


def seen(kind: str, detail: str, minutes: int, repo: str | None) -> Conflict:
    return Conflict(f"{kind}-1", kind, ("iza", "ada"), detail, NOW - timedelta(minutes=minutes), repo=repo)


def test_a_conflict_says_where_once_there_is_more_than_one_place() -> None:
    moved = seen("branch-switched", "iza moved /home/iza/app from main to x under ada", 12, "/home/iza/app")
    shared = seen("shared-branch", "iza and ada are on main in one worktree", 0, "/home/iza/web")
    assert holdings.conflicts([moved], NOW, PLAIN) == (
        "  branch-switched  iza, ada  for 12 min\n"
        "      iza moved ~/app from main to x under ada\n"
        "      branch-switched-1"
    )
    assert holdings.conflicts([moved, shared], NOW, PLAIN) == (
        "  branch-switched  iza, ada  for 12 min\n"
        "      iza moved ~/app from main to x under ada\n"
        "      branch-switched-1   in ~/app\n"
        "  shared-branch  iza, ada  just now\n"
        "      iza and ada are on main in one worktree\n"
        "      shared-branch-1   in ~/web"
    )
