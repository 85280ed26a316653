"""Incident 4: one index for all: a commit carries files that another session had staged."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.doors.kit import Session, later
from tests.hive import Repo, Runner


@pytest.fixture
def both(repo: Callable[..., Repo], session: Callable[..., Session]) -> tuple[Repo, Session, Session]:
    app = repo("app", {"app.py": "1\n", "bob.py": "1\n"})
    Runner(app.path)("gitqueen", "hooks", "install", check=True)
    ada, bob = session(app, "ada"), session(app, "bob")
    ada.start()
    bob.start()
    ada.edits("app.py", "hers\n")
    ada.sister.sh("git add app.py")
    bob.edits("bob.py", "his\n")
    return app, ada, bob


def test_what_she_staged_is_named_as_hers(both: tuple[Repo, Session, Session]) -> None:
    app, _, bob = both
    done = bob.sister.sh("git add bob.py && git commit -qm his")
    assert done.rc == 0 and "  ada [main] wrote app.py in this worktree just now, uncommitted\n" in done.err
    assert app.git("show", "--name-only", "--format=") == "app.py\nbob.py"


def test_a_commit_of_named_files_leaves_her_index_alone(both: tuple[Repo, Session, Session]) -> None:
    app, _, bob = both
    assert bob.sister.sh("git commit -qm his bob.py") == (0, "", "")
    assert app.git("status", "--porcelain") == "M  app.py"


def test_her_own_commit_of_it_warns_nobody(both: tuple[Repo, Session, Session]) -> None:
    _, ada, _ = both
    assert ada.sister.sh("git commit -qm hers") == (0, "", "")


def test_whoever_wrote_it_last_has_it(both: tuple[Repo, Session, Session]) -> None:
    _, ada, bob = both
    assert "wrote it in this very worktree" in str(bob.edits("app.py", "his too\n"))
    assert bob.sister.sh("git commit -qam his") == (0, "", "")
    assert "- bob changed app.py, which you had edited." in ada.prompt()


def test_what_nobody_saw_being_written_is_nobodys_for_certain(both: tuple[Repo, Session, Session]) -> None:
    app, _, bob = both
    # By a shell command of hers, an editor, a formatter: it may be hers and it may be his.
    later(app.write("app.py", "whose?\n"))
    assert bob.sister.sh("git commit -qam x") == (0, "", "")


def test_policy_off_says_nothing(both: tuple[Repo, Session, Session]) -> None:
    app, _, bob = both
    app.git("config", "gitqueen.swept-work.policy", "off")
    assert bob.sister.sh("git commit -qam x") == (0, "", "")


def test_it_is_over_when_it_is_committed_and_she_knows(both: tuple[Repo, Session, Session]) -> None:
    _, ada, bob = both

    def over() -> list[bool]:
        bob.sister.sh("gitqueen scan")
        every = json.loads(bob.sister.sh("gitqueen conflicts --all --json").out)["conflicts"]
        return [one["resolved_at"] is not None for one in every if one["type"] == "swept-work"]

    bob.sister.sh("git commit -qam all")
    assert over() == [False]
    assert "swept-work: bob commits app.py" in ada.sister.sh("gitqueen inbox").out
    assert over() == [True]
