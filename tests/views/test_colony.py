"""`status` as people see it: the screen of the original, whole, at any width."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitqueen.model.claims import Claim
from gitqueen.model.conflicts import Conflict
from gitqueen.model.sisters import Body, Sister
from gitqueen.services.reporting import Mail, Status
from gitqueen.views import colony, text
from gitqueen.views.text import Palette

NOW = datetime(2026, 4, 11, 5, 29, 2, tzinfo=UTC)
PLAIN = Palette(False)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/iza")


def sister(name: str, pid: int, **facts: Any) -> Sister:
    usual = {"worktree": "/home/iza/code/app", "repo": "/home/iza/code/app", "branch": "main", "last_seen": NOW}
    return Sister(row=pid, name=name, body=Body("here", pid, 1), **{**usual, **facts})


def hive(**parts: Any) -> Status:
    empty: dict[str, Any] = dict.fromkeys(("sisters", "claims", "conflicts", "mail", "repos"), ())
    return Status(at=NOW, machine="vm", **{**empty, **parts})


IZA_1 = sister("iza-1", 26747, status="idle", dirty=3)
IZA_2 = sister(
    "iza-2",
    26932,
    status="working",
    branch="izabael/phase10",
    dirty=0,
    task="Phase 10 shipped + building the relay strategy",
    task_source="declared",
)


def test_the_screen_of_the_original() -> None:
    report = hive(
        sisters=(IZA_1, IZA_2),
        claims=(Claim("deploy", "iza-2", claimed_at=NOW - timedelta(minutes=12)),),
        conflicts=(Conflict("x-1", "shared-branch", ("iza-1", "iza-2"), "both are on main", NOW, severity="warning"),),
        mail=(Mail("izabael", 2, 0),),
        cron_jobs=20,
    )
    assert colony.status(report, PLAIN) == (
        "🐝 gitqueen — colony status\n"
        "\n"
        "  iza-1    pid 26747  idle          [main*]            ~/code/app\n"
        "  iza-2    pid 26932  working  📌   [izabael/phase10]  ~/code/app\n"
        "           Phase 10 shipped + building the relay strategy\n"
        "\n"
        "  Claims: deploy (iza-2, 12 min)   Conflicts: 1   Cron jobs tracked: 20\n"
        "    shared-branch: both are on main\n"
        "  📬 Pending mail: izabael 2 unread"
    )


def test_an_empty_hive_says_how_to_enter() -> None:
    assert colony.status(hive(), PLAIN) == (
        "🐝 gitqueen — colony status\n"
        "\n"
        "  no sisters yet\n"
        '  Become one:  iam "what you are doing"\n'
        "\n"
        "  Claims: none   Conflicts: 0   Cron jobs tracked: 0"
    )


def test_what_is_unknown_stays_empty_and_columns_stay_aligned() -> None:
    report = hive(
        sisters=(
            sister("修正", 7, status="unknown", worktree=None, repo=None, branch=None),
            replace(IZA_1, branch=None, last_seen=NOW - timedelta(hours=3)),
            sister("a-very-long-name", 123456, branch="修正/ログイン", status="waiting"),
        )
    )
    assert colony.status(report, PLAIN).split("\n")[2:5] == [
        "  修正              pid 7       unknown",
        "  iza-1             pid 26747   idle          [(detached)*]    ~/code/app  3 h ago",
        "  a-very-long-name  pid 123456  waiting       [修正/ログイン]  ~/code/app",
    ]


def test_many_claims_conflicts_and_inboxes_are_counted() -> None:
    found = [
        Conflict(f"x-{n}", "lost-work", ("iza-1",), f"number {n}", NOW, severity="danger") for n in range(5)
    ]  # fmt: skip
    report = hive(
        claims=tuple(Claim(f"claim-{n}", "iza-1") for n in range(13)),
        conflicts=tuple(found),
        mail=tuple(Mail(f"iza-{n}", n, int(n == 1)) for n in range(1, 13)),
    )
    lines = colony.status(report, PLAIN).split("\n")[-5:]
    assert lines[0].startswith("  Claims: claim-0 (iza-1), ")
    assert lines[0].endswith("claim-9 (iza-1) and 3 more   Conflicts: 5   Cron jobs tracked: 0")
    assert lines[1:4] == [
        "    lost-work: number 0", "    lost-work: number 1", "    and 3 more: gitqueen conflicts"
    ]  # fmt: skip
    assert lines[4].startswith("  📬 Pending mail: iza-1 1 unread ⚡1, iza-2 2 unread, ")
    assert lines[4].endswith("iza-10 10 unread and 2 more")


WORDS = st.text(st.characters(), max_size=150)
SISTERS = st.builds(
    sister,
    st.sampled_from(["iza-1", "iza-22", "修正"]),
    st.integers(1, 4_000_000),
    branch=st.none() | WORDS,
    worktree=st.none() | WORDS.map("/home/iza/".__add__),
    task=st.none() | WORDS,
    dirty=st.none() | st.integers(0, 9),
    last_seen=st.sampled_from([NOW, NOW - timedelta(minutes=59), None]),
)


@given(st.lists(SISTERS, max_size=5), st.lists(WORDS, max_size=3), st.sampled_from([80, 100, 120]), st.booleans())
def test_no_line_is_wider_than_the_terminal(sisters: list[Sister], words: list[str], columns: int, paint: bool) -> None:
    report = hive(
        sisters=tuple(sisters),
        claims=tuple(Claim(word, word, claimed_at=NOW) for word in words),
        conflicts=tuple(Conflict(word, word, (word,), word, NOW) for word in words),
        mail=tuple(Mail(word, 1, 1) for word in words),
    )
    plain = colony.status(report, Palette(False, columns))
    assert [line for line in plain.split("\n") if text.width(line) > columns] == []
    assert [char for char in plain if ord(char) < 32 and char != "\n"] == []
    if paint:
        painted = colony.status(report, Palette(True, columns))
        for code in ("0", "1", "2", "32", "33", "36", "31;1"):
            painted = painted.replace(f"\x1b[{code}m", "")
        assert painted == plain
