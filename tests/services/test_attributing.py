"""Whose is what stands uncommitted in a shared worktree."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gitqueen.model.attribution import owner
from tests.doors.conftest import session
from tests.doors.kit import Session, later, sisters, warning
from tests.hive import Repo, Runner

__all__ = ["session"]


@pytest.mark.parametrize(
    ("touches", "as_left", "there", "claimant", "names"),
    [
        # The last touch, as long as the file stands as it left it; also of one who went away.
        (["ada", "bob"], True, ["ada", "bob"], None, ("bob",)),
        (["bob"], True, ["ada", "cyd"], "cyd", ("bob",)),
        # Else the only one there; else the claimant.
        (["ada"], False, ["bob"], "ada", ("bob",)),
        ([], False, ["bob"], None, ("bob",)),
        ([], False, ["ada", "bob"], "ada", ("ada",)),
        ([], False, [], "ada", ("ada",)),
        # Else one of them, whoever had her hands on it first; nobody is made up.
        ([], False, ["bob", "ada"], None, ("ada", "bob")),
        (["cyd", "bob"], False, ["ada", "bob"], None, ("bob", "ada")),
        ([], False, [], None, ()),
        (["ada"], False, [], None, ()),
    ],
)
def test_the_rule(
    touches: list[str], as_left: bool, there: list[str], claimant: str | None, names: tuple[str, ...]
) -> None:
    found = owner(touches, as_left, there, claimant)
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


def test_what_a_formatter_made_of_it_right_away_is_hers_still(
    repo: Callable[..., Repo], session: Callable[..., Session]
) -> None:
    app = repo("app", {"a.py": "1\n"})
    ada, bob = session(app, "ada"), session(app, "bob")
    ada.start()
    bob.start()
    ada.edits("a.py", "hers\n")
    app.write("a.py", "hers, formatted\n")
    assert "a.py: ada" in warning(bob.before("a.py"))
    later(app.write("a.py", "whose?\n"))
    assert bob.before("a.py") == {}
    app.path.joinpath("a.py").unlink()
    assert bob.before("a.py") == {}  # whoever deleted it
