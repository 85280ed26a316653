"""Whose is what stands uncommitted in a shared worktree."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gitqueen.model.attribution import owner
from tests.doors.conftest import session
from tests.doors.kit import Session, sisters
from tests.hive import Repo, Runner

__all__ = ["session"]


@pytest.mark.parametrize(
    ("touches", "there", "claimant", "names"),
    [
        # The last touch, as long as the file stands as it left it; also of one who went away.
        ([("ada", "1"), ("bob", "2")], ["ada", "bob"], None, ("bob",)),
        ([("bob", "2")], ["ada", "cyd"], "cyd", ("bob",)),
        # Else the only one there; else the claimant.
        ([("ada", "1")], ["bob"], "ada", ("bob",)),
        ([], ["bob"], None, ("bob",)),
        ([], ["ada", "bob"], "ada", ("ada",)),
        ([], [], "ada", ("ada",)),
        # Else one of them, whoever had her hands on it first; nobody is made up.
        ([], ["bob", "ada"], None, ("ada", "bob")),
        ([("cyd", "0"), ("bob", "1")], ["ada", "bob"], None, ("bob", "ada")),
        ([], [], None, ()),
        ([("ada", "1")], [], None, ()),
    ],
)
def test_the_rule(
    touches: list[tuple[str, str]], there: list[str], claimant: str | None, names: tuple[str, ...]
) -> None:
    found = owner("2", touches, there, claimant)
    assert found.names == names
    assert found.sure == (names[0] if len(names) == 1 else None)


def test_status_counts_what_is_hers_or_may_be(repo: Callable[..., Repo], session: Callable[..., Session]) -> None:
    app = repo("app", {"a.py": "1\n", "b.py": "1\n", "c.py": "1\n"})
    ada, bob = session(app, "ada"), session(app, "bob")
    ada.start()
    bob.start()
    ada.edits("a.py", "hers\n")
    ada.edits("b.py", "hers\n")
    app.write("c.py", "whose?\n")
    Runner(app.path)("gitqueen", "scan", check=True)
    assert {one["name"]: one["dirty"] for one in sisters(app)} == {"ada": 3, "bob": 1}
    app.worktree("feat")
    ada.sister.sh("cd ../app-feat && iam")  # alone, each has all that is in her worktree
    Runner(app.path)("gitqueen", "scan", check=True)
    assert {one["name"]: one["dirty"] for one in sisters(app)} == {"ada": 0, "bob": 3}


def test_a_claim_says_whose_it_is_where_nobody_touched(
    repo: Callable[..., Repo], session: Callable[..., Session]
) -> None:
    app = repo("app", {"a.py": "1\n"})
    ada, bob = session(app, "ada"), session(app, "bob")
    ada.start()
    bob.start()
    ada.sister.sh("gitqueen claim a --path a.py")
    app.write("a.py", "by a command\n")
    said = bob.command("git stash")["hookSpecificOutput"]["additionalContext"].split("\n")
    assert said[2] == "  ada: a.py"
    assert json.dumps(ada.command("git stash")) == "{}"
