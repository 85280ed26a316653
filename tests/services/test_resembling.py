"""How well two tasks are known for the same work: counted over pairs of titles as people type them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gitqueen.services import resembling
from tests.model import task_pairs


def test_most_of_the_same_work_is_found_with_few_false_alarms() -> None:
    found = [pair for pair in task_pairs.SAME if resembling.alike(*pair)]
    alarms = [pair for pair in task_pairs.DIFFERENT if resembling.alike(*pair)]
    assert len(task_pairs.SAME) >= 100 and len(task_pairs.DIFFERENT) >= 100
    assert len(found) >= 0.9 * len(task_pairs.SAME)
    assert len(alarms) <= 0.02 * len(task_pairs.DIFFERENT), alarms


def test_it_holds_for_pairs_that_nobody_looked_at() -> None:
    """Less is found where no word was chosen for it, and no more false alarms are raised."""
    same, different = task_pairs.held_out(task_pairs.SAME), task_pairs.held_out(task_pairs.DIFFERENT)
    assert sum(bool(resembling.alike(*pair)) for pair in same) >= 0.8 * len(same)
    assert sum(bool(resembling.alike(*pair)) for pair in different) <= 0.02 * len(different)


@pytest.mark.parametrize("pairs", [task_pairs.SAME, task_pairs.DIFFERENT])
def test_it_does_not_matter_who_says_which(pairs: list[tuple[str, str]]) -> None:
    assert [bool(resembling.alike(*pair)) for pair in pairs] == [bool(resembling.alike(b, a)) for a, b in pairs]


@pytest.mark.parametrize(
    ("task", "other", "same"),
    [
        ("fix login", "document login", False),
        ("fix login", "fix the login page", False),
        ("fix login", "fixing the login", True),
        ("add login tests", "remove login tests", False),
        ("recieve webhooks from github", "receive GitHub webhooks", True),
        ("rename config file name", "rename the config filename", True),
        ("serialization of orders", "serialize orders", True),
        ("fix", "add", False),
        ("", "", False),
    ],
)
def test_words_that_decide(task: str, other: str, same: bool) -> None:
    assert bool(resembling.alike(task, other)) is same


def test_the_library_is_only_asked_where_words_begin_alike() -> None:
    look = (
        "import sys; from gitqueen.services import resembling as r; r.alike({}, {}); print('rapidfuzz' in sys.modules)"
    )
    for task, other, asked in (
        ("write the manual", "speed up parser", False),
        ("fix the parser", "fix the parser", False),
        ("paginate the users endpoint", "pagination for users endpoint", True),
    ):
        code = look.format(repr(task), repr(other))
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == f"{asked}\n", (task, other)
