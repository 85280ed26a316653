"""INCIDENTS 17: messages crossed, went to the wrong one, were lost, stayed unread. Each has an id and states."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.hive import Repo, Sister


def inbox(sister: Sister, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(sister.sh(" ".join(["gitqueen inbox --json", *options])).out)["messages"]
    return found


def tell(sister: Sister, *words: str) -> int:
    done = sister.sh(" ".join(["gitqueen tell --json", *words]))
    assert done.rc == 0, done
    number = json.loads(done.out)["id"]
    assert isinstance(number, int)
    return number


def test_letters_that_cross_find_their_readers_and_their_answers(
    sister: Callable[..., Sister], repo: Callable[..., Repo]
) -> None:
    app = repo()
    one, two, three = (sister(name, app.worktree(name)) for name in ("iza-1", "iza-2", "iza-3"))
    for each in (one, two, three):
        assert each.sh("gitqueen whoami").rc == 0
    asked = tell(one, "iza-2", "'may I rebase?'")
    other = tell(two, "iza-1", "'who broke main?'")
    answer = tell(two, "iza-1", "'go on'", f"--reply-to {asked}")
    back = tell(one, "iza-2", "'I did'", "--urgent", f"--reply-to {other}")
    assert len({asked, other, answer, back}) == 4
    assert [(m["id"], m["from"], m["body"], m["reply_to"]) for m in inbox(one, "--peek")] == [
        (other, "iza-2", "who broke main?", None),
        (answer, "iza-2", "go on", asked),
    ]
    assert [(m["id"], m["priority"], m["reply_to"]) for m in inbox(two, "--peek")] == [
        (asked, "normal", None),
        (back, "urgent", other),
    ]
    assert inbox(three, "--all") == []


def test_a_letter_is_unread_then_read_then_acknowledged_and_each_is_seen_by_all(
    sister: Callable[..., Sister], repo: Callable[..., Repo]
) -> None:
    app = repo()
    one, two = sister("iza-1", app), sister("iza-2", app.worktree("two"))
    assert two.sh("gitqueen whoami").rc == 0

    def pending() -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(one.sh("gitqueen status --json").out)["mail"]
        return found

    number = tell(one, "iza-2", "'stop, please'", "--urgent")
    assert pending() == [{"sister": "iza-2", "unread": 1, "urgent": 1}]
    assert two.sh(f"gitqueen inbox --peek; gitqueen ack {number + 1}").rc == 1
    assert pending() == [{"sister": "iza-2", "unread": 1, "urgent": 1}]
    (letter,) = inbox(two)
    assert letter["read_at"] is not None and letter["acked_at"] is None
    assert pending() == []
    assert two.sh(f"gitqueen ack {number}").rc == 0
    (letter,) = inbox(two, "--all")
    assert letter["acked_at"] is not None


def test_a_letter_waits_for_the_next_session_of_that_name(
    sister: Callable[..., Sister], repo: Callable[..., Repo]
) -> None:
    app = repo()
    one, two = sister("iza-1", app), sister("iza-2", app.worktree("two"))
    assert two.sh("gitqueen whoami").rc == 0
    two.kill()
    first = tell(one, "iza-2", "'before the scan'")
    assert one.sh("gitqueen scan").rc == 0
    second = tell(one, "iza-2", "'after it'")
    again = sister("iza-2", app)
    assert [letter["id"] for letter in inbox(again)] == [first, second]


def test_nothing_fails_silently(sister: Callable[..., Sister]) -> None:
    one = sister("iza-1")
    for wrong, code in {
        "nobody hi": 1,
        "@all hi": 1,
        "iza-1 ''": 2,
        "iza-1": 2,
        "iza-1 hi --reply-to 9": 1,
        "iza-1 - </dev/null": 2,
        "iza-1 - <&-": 2,
    }.items():
        done = one.sh(f"gitqueen tell {wrong}")
        assert (done.rc, done.out) == (code, ""), wrong
        assert done.err.startswith("gitqueen: ") and "\n  → " in done.err, wrong
    assert inbox(one, "--all") == []
