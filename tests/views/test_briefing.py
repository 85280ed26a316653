"""The briefing: as the original's sessions wake up, and never more than 2,000 characters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitqueen.model.claims import Claim
from gitqueen.model.conflicts import Conflict
from gitqueen.model.messages import Message
from gitqueen.model.sisters import Sister
from gitqueen.services.onboarding import LONGEST, Briefing
from gitqueen.views import briefing, letters, text
from gitqueen.views.text import Palette

NOW = datetime(2026, 4, 11, 5, 29, 2, tzinfo=UTC)
PLAIN = Palette(False)
COMMANDS = (
    '  Send mail to a sister:    queen tell <name> "<msg>"\n'
    "  Before editing a file:    queen check <path>\n"
    '  Hold it for yourself:     queen claim <id> --path <glob> -m "<why>"'
)
DECLARE = '  Declare your task with:   iam "<what you\'re doing>"\n'


def report(**parts: Any) -> Briefing:
    empty: dict[str, Any] = {"sister": None, "apart": None, "managed": True, "repo": "/r"}
    lists = dict.fromkeys(("sisters", "roommates", "claims", "conflicts", "mail"), ())
    return Briefing(**{"address": "iza-2", **empty, **lists, **parts})


def sister(name: str, **facts: Any) -> Sister:
    return Sister(row=1, name=name, **{"status": "idle", **facts})


def letter(number: int, body: str, priority: str = "normal") -> Message:
    return Message(number, "izabael", "iza-2", body, priority, NOW, None, None, None)


def test_the_screen_of_the_original() -> None:
    others = (
        sister("iza-1", branch="main"),
        sister("iza-3", task="Hunting the Falken mp3 trigger", branch="izabael/guide-md"),
    )
    assert briefing.brief(report(sisters=others), NOW, PLAIN) == (
        "🐝 gitqueen onboarding for iza-2\n"
        "\n"
        "  Other sisters working right now:\n"
        "    iza-1    idle   [main]\n"
        "    iza-3    idle   Hunting the Falken mp3 trigger  [izabael/guide-md]\n"
        "\n" + DECLARE + COMMANDS
    )


def test_all_that_concerns_her_is_in_it() -> None:
    full = report(
        sister=sister("iza-2", task="the relay", task_source="declared"),
        sisters=(sister("iza-1", status="working", branch="main"),),
        roommates=("iza-1",),
        apart="git worktree add -b iza-2 /r-iza-2",
        claims=(Claim("deploy", "iza-1", "rolling out"), Claim("api", "iza-3", paths=("src/**", "*.sql"))),
        conflicts=(
            Conflict("b-1", "branch-switched", ("iza-2",), "iza-1 moved /r from a to b", NOW, severity="warning"),
            Conflict("c-1", "custom", ("iza-2", "iza-1"), None, NOW),
        ),
        mail=(letter(159, "QUEEN DISPATCH\nall hands", "urgent"), letter(160, "hello")),
        managed=False,
    )
    assert briefing.brief(full, NOW, PLAIN) == (
        "🐝 gitqueen onboarding for iza-2\n"
        "  Your task: the relay\n"
        "  ⚠ You share this worktree with iza-1:\n"
        "    a branch switch, stash or reset hits them too.\n"
        "    Apart: git worktree add -b iza-2 /r-iza-2\n"
        "\n"
        "  Other sisters working right now:\n"
        "    iza-1    working   [main]\n"
        "\n"
        "  Claims held:\n"
        "    deploy by iza-1: rolling out\n"
        "    api by iza-3 [src/**, *.sql]\n"
        "\n"
        "  Open conflicts:\n"
        "    branch-switched: iza-1 moved /r from a to b\n"
        "    custom: iza-2, iza-1\n"
        "\n"
        "  📬 2 unread (read it: gitqueen inbox):\n"
        "    #159 from izabael ⚡URGENT: QUEEN DISPATCH …"
        "\n"
        "    #160 from izabael: hello\n"
        "\n" + COMMANDS + "\n"
        "  Warn at collisions here:  queen hooks install ."
    )


def test_alone_in_the_hive() -> None:
    assert briefing.brief(report(), NOW, PLAIN) == (
        "🐝 gitqueen onboarding for iza-2\n\n  No other sister is working right now.\n\n" + DECLARE + COMMANDS
    )


WORDS = st.text(st.characters(), max_size=60) | st.sampled_from(["task ", "\U0010ffff", "\x1b", "e\u0301", "修"])
NAMES = st.text(st.characters(), min_size=1, max_size=70) | st.sampled_from(["iza-1", "修正"])


@given(
    name=NAMES,
    words=WORDS,
    times=st.sampled_from([0, 1, 50, 2000]),
    sisters=st.sampled_from([0, 1, 7, 30]),
    claims=st.sampled_from([0, 1, 50]),
    conflicts=st.sampled_from([0, 3, 100]),
    letters=st.sampled_from([0, 2, 1000]),
    roommates=st.integers(0, 9),
    declared=st.booleans(),
    columns=st.sampled_from([None, 40, 80, 120]),
    paint=st.booleans(),
)
def test_it_is_never_longer_than_2000_characters_and_always_says_what_to_type(
    name: str,
    words: str,
    times: int,
    sisters: int,
    claims: int,
    conflicts: int,
    letters: int,
    roommates: int,
    declared: bool,
    columns: int | None,
    paint: bool,
) -> None:
    long = words * times
    me = sister(name, task=long, task_source="declared" if declared else "auto")
    crowd = report(
        address=name,
        sister=me,
        sisters=(sister(name, task=long, branch=long, status=name),) * sisters,
        roommates=(name,) * roommates,
        apart=long,
        claims=(Claim(name, name, long, paths=(long, long)),) * claims,
        conflicts=(Conflict(name, name, (name,), long, NOW, severity="danger"),) * conflicts,
        mail=(letter(2**62, long, "urgent"),) * letters,
        managed=False,
    )
    said = briefing.brief(crowd, NOW, Palette(paint, columns))
    assert LONGEST == 2000 and len(said) <= 2000
    assert COMMANDS in said
    assert [char for char in said if ord(char) < 32 and char not in ("\n", "\x1b" if paint else "\n")] == []


def test_a_crowd_is_named_as_far_as_there_is_room_and_counted() -> None:
    crowd = report(
        sisters=tuple(sister(f"iza-{n}", task="a task of many words " * 20, branch="feature/x") for n in range(3, 33)),
        claims=tuple(Claim(f"claim-{n}", "iza-3", "why " * 50) for n in range(50)),
        conflicts=tuple(Conflict(f"c-{n}", "shared-branch", ("iza-3",), "what " * 90, NOW) for n in range(100)),
        mail=tuple(letter(n, "words " * 900, "urgent" if n == 1 else "normal") for n in range(1, 41)),
    )
    said = briefing.brief(crowd, NOW, PLAIN)
    assert 1500 < len(said) <= 2000
    for line in ("    and 27 more: gitqueen status\n", "    and 47 more\n", "    and 97 more\n", "    and 37 more\n"):
        assert line in said
    assert "    #1 from izabael ⚡URGENT: words words" in said


def test_a_way_out_that_is_too_long_is_not_cut_in_the_middle_of_a_path() -> None:
    said = briefing.brief(report(roommates=("iza-1",), apart="git worktree add /" + "x" * 300), NOW, PLAIN)
    assert "    Apart: git worktree add <folder>\n" in said


def test_the_name_in_purple_block_letters() -> None:
    drawn = letters.block("iza", Palette(False, 80)).split("\n")
    assert [line.rstrip() for line in drawn] == [
        "██╗███████╗ █████╗",
        "██║╚══███╔╝██╔══██╗",
        "██║  ███╔╝ ███████║",
        "██║ ███╔╝  ██╔══██║",
        "██║███████╗██║  ██║",
        "╚═╝╚══════╝╚═╝  ╚═╝",
    ]
    painted = letters.block("iza", Palette(True, 80)).split("\n")
    assert all(line.startswith("\x1b[35;1m") and line.endswith("\x1b[0m") for line in painted)


@pytest.mark.parametrize("name", ["修正", "\x1b[31m", "a" * 64, "iza-with-a-very-long-name"])
@pytest.mark.parametrize("columns", [10, 40, 80])
def test_letters_never_break_the_terminal(name: str, columns: int) -> None:
    drawn = letters.block(name, Palette(False, columns))
    assert [line for line in drawn.split("\n") if text.width(line) > max(columns, 8)] == []
    assert "\x1b" not in drawn and drawn.strip()
