"""What stands against a change, asked of the disk and of git only as far as the last look around does not say it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.collisions import kit as play
from tests.collisions.kit import Stage, said
from tests.hive import Repo, Sister

FILES = dict.fromkeys("abcd", "1\n2\n3\n")
ROW = 'iza [feat] conflicts in a {} (hers 4), uncommitted, on "the manual"'


@pytest.fixture
def near(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> Stage:
    return play.stage(repo, sister, "worktree", FILES)


def looked(home: Path, seconds: int) -> None:
    """The last look around was so many seconds later."""
    with closing(sqlite3.connect(home / "queen.db", timeout=10)) as db, db:
        db.execute("UPDATE worktrees SET scanned_at = scanned_at + ?", (seconds,))


def asked(near: Stage) -> tuple[list[str], int]:
    """What is said of a commit to `a`, and how many worktrees git was asked about."""
    lines = play.ok(near.bea, "echo mine >>a; GITQUEEN_DEBUG=1 git commit -qam a")
    told = [line for line in lines if not line.startswith("gitqueen: ")]
    return told, sum("status --porcelain" in line for line in lines)


def test_git_is_asked_only_about_what_was_touched_since_the_last_look(near: Stage, home: Path) -> None:
    play.ok(near.iza, "echo hers >>a")
    near.scan()
    looked(home, 100)
    assert asked(near) == (said(ROW.format("line 4")), 0)
    # She may have gone on: written it, or put it into her index, or committed it.
    looked(home, -200)
    assert asked(near) == (said(ROW.format("lines 4-5")), 1)
    play.ok(near.iza, "git checkout -q a")
    assert asked(near) == ([], 1)
    near.scan()
    looked(home, 100)
    assert asked(near) == ([], 0)


def test_a_submodule_that_was_seen_edited_is_looked_at(near: Stage, repo: Callable[..., Repo], home: Path) -> None:
    allow = "git -c protocol.file.allow=always submodule --quiet"
    play.ok(near.bea, f"{allow} add {repo('part').path} part; git commit -qm part --no-verify")
    play.ok(near.iza, f"git merge -q main; {allow} update --init; echo dirty >>part/README")
    near.scan()
    looked(home, 100)
    bump = "git -C part commit -q --allow-empty -m more; git commit -qam bump"
    assert near.commit(near.bea, bump) == []


def test_without_a_look_around_everything_is_asked(near: Stage, home: Path) -> None:
    play.ok(near.iza, "echo hers >>a")
    with closing(sqlite3.connect(home / "queen.db", timeout=10)) as db, db:
        db.execute("DELETE FROM worktrees")
    assert asked(near) == (said(ROW.format("line 4")), 1)


def test_a_worktree_that_is_gone_stops_nobody(near: Stage) -> None:
    play.ok(near.iza, "echo hers >>a")
    near.scan()
    near.app.git("worktree", "remove", "--force", near.there.path)
    told, _ = asked(near)
    unknown = '  iza [feat] has a uncommitted, on "the manual"; whether it merges is unknown: '
    assert told == [] or told[1].startswith(unknown)
    near.scan()
    assert asked(near)[0] == []
