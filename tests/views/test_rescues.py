"""The list of snapshots: whole lines where a program reads them, and never wider than the terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gitqueen.model.rescues import Rescue
from gitqueen.services.salvaging import Found
from gitqueen.views import rescues
from gitqueen.views.text import Palette, width

NOW = datetime(2026, 4, 11, 5, 29, tzinfo=UTC)
ONE = Found(
    Rescue(
        id="app-0123abcd/20260411T051700.123456Z",
        commit="",
        worktree="/home/iza/app",
        at=NOW - timedelta(minutes=12),
        reason="before git checkout FILES",
        branch="feature/parser",
        owners={f"src/a{n}.py": ("iza", "ada") for n in range(6)},
        lines=1200,
    ),
    ("src/a0.py",),
)


def test_a_program_gets_a_snapshot_in_a_line() -> None:
    assert rescues.listed([ONE], NOW, Palette(False)) == (
        "  app-0123abcd/20260411T051700.123456Z  12 min ago  iza, ada  [feature/parser]  6 files, 1,200 lines  "
        "before git checkout FILES\n"
        "      src/a0.py, src/a1.py, src/a2.py, src/a3.py and 2 more\n"
        "      lost: src/a0.py   gitqueen rescue restore app-0123abcd/20260411T051700.123456Z"
    )


def test_a_terminal_of_eighty_columns_gets_what_fits() -> None:
    assert rescues.listed([ONE], NOW, Palette(False, 80)) == (
        "  20260411T051700.123456Z  12 min ago  iza, ada  [feature/parser]\n"
        "      6 files, 1,200 lines  before git checkout FILES\n"
        "      src/a0.py, src/a1.py, src/a2.py, src/a3.py and 2 more\n"
        "      lost: src/a0.py   gitqueen rescue restore 20260411T051700.123456Z"
    )


def test_no_terminal_is_too_narrow() -> None:
    for columns in (60, 80, 100, 120):
        for line in rescues.listed([ONE], NOW, Palette(False, columns)).split("\n"):
            assert width(line) <= columns
