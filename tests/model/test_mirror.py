"""The forms of what stands in a repository: written as the contract says, and read only where wholly in form."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitqueen.model import mirror
from gitqueen.model.claims import Claim
from gitqueen.model.mirror import Note, Voice
from gitqueen.model.sisters import Sister

AT = datetime(2026, 4, 11, 5, 29, 2, tzinfo=UTC)
WHO = Voice("here", "0a1b2c3d:/home/iza/.claude/queen")
SISTER = Sister(
    row=7, name="iza-1", task="the relay", task_source="declared", branch="caf\udce9", worktree="/a\nb/\udcff"
)
CLAIM = Claim(id="deploy", owner="iza-1", description="to\x1b production", claimed_at=AT, paths=("src/**",), nonce="ab")


def test_a_task_is_written_and_read() -> None:
    told = mirror.task(SISTER, WHO, AT)
    assert told is not None
    ref, text = told
    assert ref == "refs/gitqueen/tasks/iza-1"
    assert text.isascii() and text.decode().isprintable()
    assert list(json.loads(text)) == ["sister", "task", "branch", "worktree", "machine", "started_at", "queen"]
    assert mirror.read_task(ref, text) == mirror.Task(
        "iza-1", "the relay", "caf\udce9", "/a\nb/\udcff", "here", AT, WHO.queen
    )
    assert mirror.queen_of(text) == WHO.queen


def test_a_claim_is_written_and_read() -> None:
    told = mirror.claim(CLAIM, WHO)
    assert told is not None
    ref, text = told
    assert ref == "refs/gitqueen/claims/deploy"
    keys = ["id", "owner", "description", "paths", "machine", "claimed_at", "expires_at", "nonce", "queen"]
    assert list(json.loads(text)) == keys
    assert mirror.read_claim(ref, text) == mirror.Hold(CLAIM, "here", WHO.queen)
    later = replace(CLAIM, expires_at=AT)
    assert mirror.read_claim(*(mirror.claim(later, WHO) or ("", b""))) == mirror.Hold(later, "here", WHO.queen)


@pytest.mark.parametrize("name", ["a/b", "..", "x.lock", "a b", "-x", "", "queen", "a\n"])
def test_what_cannot_be_a_ref_is_not_written(name: str) -> None:
    assert mirror.task(replace(SISTER, name=name), WHO, AT) is None
    assert mirror.claim(replace(CLAIM, id=name), WHO) is None
    assert mirror.claim(replace(CLAIM, owner=name), WHO) is None
    assert mirror.task(replace(SISTER, task_source="auto"), WHO, AT) is None


TASK = {"sister": "iza-1", "task": "the relay", "machine": "here"}
HOLD = {"id": "deploy", "owner": "iza-1", "claimed_at": "2026-04-11T05:29:02Z", "paths": ["src/**"]}


@pytest.mark.parametrize(
    "change",
    [{"sister": "bea"}, {"sister": 7}, {"sister": None}, {"task": ""}, {"task": " \x1b "}, {"task": ["x"]},
     {"task": "x" * 501}],
    ids=str,
)  # fmt: skip
def test_a_task_out_of_form_is_none(change: dict[str, object]) -> None:
    ref = "refs/gitqueen/tasks/iza-1"
    assert mirror.read_task(ref, json.dumps(TASK).encode()) is not None
    assert mirror.read_task(ref, json.dumps({**TASK, **change}).encode()) is None
    assert mirror.read_task("refs/gitqueen/claims/iza-1", json.dumps(TASK).encode()) is None


@pytest.mark.parametrize(
    "change",
    [{"id": "other"}, {"id": None}, {"owner": "a b"}, {"owner": 1}, {"claimed_at": None}, {"claimed_at": "soon"},
     {"paths": "src"}, {"paths": [1]}, {"paths": ["../x"]}, {"paths": None}],
    ids=str,
)  # fmt: skip
def test_a_claim_out_of_form_is_none(change: dict[str, object]) -> None:
    ref = "refs/gitqueen/claims/deploy"
    assert mirror.read_claim(ref, json.dumps(HOLD).encode()) is not None
    assert mirror.read_claim(ref, json.dumps({**HOLD, **change}).encode()) is None


@given(st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps).map(str.encode))
def test_whatever_stands_in_git_breaks_nothing(content: bytes) -> None:
    assert mirror.read_task("refs/gitqueen/tasks/a", content) is None
    assert mirror.read_claim("refs/gitqueen/claims/a", content) is None
    assert mirror.queen_of(content) is None
    mirror.read_notes(content.decode("utf-8", "surrogateescape"))
    mirror.essence(content.decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"sister": ' + b"9" * 10_000 + b"}", b"\xff", b"NaN", b'{"a"'])
def test_hostile_json_is_no_json(content: bytes) -> None:
    assert mirror.queen_of(content) is None
    assert mirror.read_notes(content.decode("utf-8", "surrogateescape")) == []


NOTE = Note("commit", "iza-1", "the relay", "claude", "here", AT)


def test_notes_are_written_and_read_the_oldest_first() -> None:
    line = mirror.note(NOTE)
    assert "\n" not in line and list(json.loads(line)) == ["what", "sister", "task", "agent", "machine", "at"]
    earlier = replace(NOTE, what="started", at=AT.replace(year=2025), task=None)
    undated = replace(NOTE, sister="bea", at=None)
    text = "\n".join(["mine", mirror.note(undated), line, '{"what": "other", "sister": "x"}', mirror.note(earlier), ""])
    assert mirror.read_notes(text) == [earlier, NOTE, undated]


def test_the_same_made_again_is_the_same() -> None:
    line, again = mirror.note(NOTE), mirror.note(replace(NOTE, at=AT.replace(year=2027)))
    assert mirror.essence(line) == mirror.essence(again)
    assert mirror.essence(line) != mirror.essence(mirror.note(replace(NOTE, task="the dam")))
    assert mirror.essence("mine") != mirror.essence("yours")
    assert mirror.essence('{"a": 1}') != mirror.essence('{"a": 2}')
