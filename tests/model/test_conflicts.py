"""A conflict has one id for the same facts, and policy is read as people write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from gitqueen.model import conflicts
from gitqueen.model.conflicts import Collision, Finding

SEEN = Finding(
    type=conflicts.FILE_COLLISION,
    sisters=("bea", "iza"),
    severity=conflicts.WARNING,
    detail="bea has a, uncommitted at iza",
    subject="uncommitted iza",
    repo="/src/app",
    common_dir="/src/app/.git",
    worktree="/src/app",
    facts=("a",),
)


def test_the_same_facts_have_the_same_id_on_every_machine() -> None:
    assert SEEN.id == "file-collision-c7c1f202fc"
    again = replace(
        SEEN, sisters=("iza", "bea"), severity=conflicts.DANGER, detail="said otherwise", worktree="/else", facts=("b",)
    )
    assert again.id == SEEN.id


@pytest.mark.parametrize(
    "other",
    [
        replace(SEEN, type=conflicts.SHARED_BRANCH),
        replace(SEEN, sisters=("bea", "cat")),
        replace(SEEN, sisters=("bea",)),
        replace(SEEN, subject="claimed iza"),
        replace(SEEN, common_dir="/src/other/.git"),
        replace(SEEN, common_dir=None),
        replace(SEEN, subject="caf\udce9"),
    ],
)
def test_other_facts_have_another(other: Finding) -> None:
    assert other.id.partition(other.type)[1] and other.id != SEEN.id


@pytest.mark.parametrize(
    ("config", "policy"),
    [
        ({}, "warn"),
        ({"gitqueen.policy": "block"}, "block"),
        ({"gitqueen.policy": " OFF "}, "off"),
        ({"gitqueen.policy": "block", "gitqueen.file-collision.policy": "warn"}, "warn"),
        ({"gitqueen.policy": "block", "gitqueen.shared-branch.policy": "off"}, "block"),
        ({"gitqueen.policy": "on fire"}, "warn"),
        ({"gitqueen.policy": "off", "gitqueen.file-collision.policy": "?"}, "warn"),
    ],
)
def test_policy(config: Mapping[str, str], policy: str) -> None:
    assert conflicts.policy(config, conflicts.FILE_COLLISION) == policy


def test_what_presses_most_stands_first() -> None:
    said = [None, "info", "danger", "of another program", "warning"]
    assert sorted(said, key=conflicts.weight) == ["danger", "warning", None, "info", "of another program"]
    assert conflicts.alarming(said) and not conflicts.alarming([None, "info", "of another program"])


@pytest.mark.parametrize("verdict", ["claimed", "uncommitted", "committed"])
def test_what_kind_of_conflict_a_collision_is(verdict: str) -> None:
    collision = Collision("a", "iza", verdict, conflicts.WARNING, "")
    assert conflicts.kind(collision) == conflicts.FILE_COLLISION
    assert conflicts.kind(replace(collision, verdict=conflicts.SWEPT)) == conflicts.SWEPT_WORK
