"""What was seen to collide is kept once, told once, closed when it is over, and silent when somebody said so."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitqueen.git import places
from gitqueen.git.places import Place
from gitqueen.services import asking, queen, remembering, tending
from tests.collisions import kit as play
from tests.collisions.kit import Stage, said
from tests.hive import Repo, Sister
from tests.hooks import kit

FILES = dict.fromkeys("abcd", "1\n2\n3\n")
TASK = ', on "the manual"'


@pytest.fixture
def near(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> Stage:
    return play.stage(repo, sister, "worktree", FILES)


@pytest.fixture(params=play.WHERE)
def hive(request: pytest.FixtureRequest, repo: Callable[..., Repo], sister: Callable[..., Sister]) -> Stage:
    return play.stage(repo, sister, request.param, FILES)


def test_it_is_kept_once_and_mailed_once(near: Stage) -> None:
    play.ok(near.iza, "echo hers >>a; echo hers >>b")
    where = f'conflicts with iza\'s uncommitted work in line 4 (hers 4), on feat in {near.there.path}, "the manual"'
    row = "iza [feat] conflicts in"
    assert near.commit(near.bea, "echo mine >>a; git commit -qam one") == said(
        f"{row} a line 4 (hers 4), uncommitted{TASK}"
    )
    again = said(f"{row} a lines 4-5 (hers 4), uncommitted{TASK}")
    assert near.commit(near.bea, "echo more >>a; git commit -qam two") == again
    # Another path of the same two is the same conflict: shown to her who commits, and mailed no more.
    assert near.commit(near.bea, "echo mine >>b; git commit -qam three") == said(
        f"{row} b line 4 (hers 4), uncommitted{TASK}"
    )
    assert near.open() == [(f"bea has b, {where}", ["bea", "iza"])]
    assert play.letters(near.iza) == [f"file-collision: bea has a, {where}"]
    assert play.letters(near.bea) == []
    assert len(kit.events(near.app, "conflict-seen")) == 1


def test_what_both_committed_is_one_conflict_whoever_sees_it(hive: Stage) -> None:
    assert hive.commit(hive.iza, "echo hers >a; git commit -qam hers") == []
    row = f"iza [feat] conflicts in a line 1 (hers 1), changed just now{TASK}"
    assert hive.commit(hive.bea, "echo mine >a; git commit -qam mine") == said(row)
    row = 'bea [main] conflicts in a line 1 (hers 1), changed just now, on "the parser"'
    assert hive.commit(hive.iza, "echo again >a; git commit -qam again") == said(row, asked="bea")
    hive.scan()
    assert [sisters for _, sisters in hive.open()] == [["bea", "iza"]]
    assert (len(play.letters(hive.iza)), len(play.letters(hive.bea))) == (1, 0)


def test_it_is_over_when_it_no_longer_holds(hive: Stage) -> None:
    play.ok(hive.iza, "gitqueen claim docs --path a; echo hers >>b; echo hers >>c")
    assert hive.commit(hive.iza, "git commit -qm c c") == []
    assert len(hive.commit(hive.bea, "echo mine >a; echo mine >b; echo mine >c; git commit -qam all")) == 5
    hive.scan()
    assert sorted(detail.split(",")[0] for detail, _ in hive.open()) == ["bea has a", "bea has b", "bea has c"]
    play.ok(hive.iza, "gitqueen release docs; git checkout -q b")
    hive.scan()
    assert sorted(detail.split(",")[0] for detail, _ in hive.open()) == ["bea has c"]
    # She takes what was committed here; from then on nothing is left to collide with, on either side.
    play.ok(hive.iza, f"git fetch -q {hive.app.path} main; git merge -q -s ours --no-edit FETCH_HEAD")
    hive.scan()
    assert hive.open() == []
    assert len(hive.commit(hive.bea, "echo more >c; git commit -qam more")) == 3
    hive.scan()
    assert len(hive.open()) == 1
    hive.iza.kill()
    hive.scan()
    assert hive.open() == []


def test_who_says_that_it_is_no_matter_is_told_no_more_until_the_facts_change(near: Stage) -> None:
    row = f"iza [feat] conflicts in a line 4 (hers 4), uncommitted{TASK}"
    play.ok(near.iza, "echo hers >>a; echo hers >>b")
    near.scan()
    near.app.git("config", "gitqueen.policy", "block")
    refused = near.bea.sh("echo mine >>a; git commit -qam one")
    assert (refused.rc, refused.err.splitlines()) == (
        1,
        [
            "🐝 ✗ gitqueen: commit refused, it collides with iza",
            f"  {row}",
            '  Ask: gitqueen tell iza "..."   In spite of it: GITQUEEN_SKIP=1 git commit ...',
        ],
    )
    [conflict] = [one["id"] for one in kit.open_conflicts(near.app)]
    play.ok(near.bea, f"gitqueen resolve {conflict}")
    assert near.commit(near.bea, "git commit -qam one") == []
    near.scan()
    assert (near.open(), len(play.letters(near.iza))) == ([], 1)
    # With another path it is another matter.
    play.ok(near.bea, "git config gitqueen.policy warn; echo mine >>b; echo more >>a; git add a b")
    both = f"iza [feat] conflicts in a lines 4-5 (hers 4) and b line 4 (hers 4), uncommitted{TASK}"
    assert near.commit(near.bea, "git commit -qm two") == said(both)
    assert len(near.open()) == 1


def test_what_was_no_matter_is_one_again_when_it_ended_and_came_back(near: Stage) -> None:
    row = f"iza [feat] conflicts in a line 4 (hers 4), uncommitted{TASK}"
    play.ok(near.iza, "echo hers >>a")
    assert near.commit(near.bea, "echo mine >>a; git commit -qam one") == said(row)
    play.ok(near.bea, f"gitqueen resolve {kit.open_conflicts(near.app)[0]['id']}")
    play.ok(near.iza, "git checkout -q a")
    near.scan()
    play.ok(near.iza, "echo hers >>a")
    assert near.commit(near.bea, "echo more >>a; git commit -qam two") == said(row.replace("line 4", "lines 4-5"))


def test_where_nobody_can_look_nothing_is_over_and_nothing_is_news(hive: Stage, sister: Callable[..., Sister]) -> None:
    """Unknown is not resolved: neither what is uncommitted there, nor what was committed, nor that it is shared."""
    assert hive.commit(hive.iza, "echo hers >>a; echo hers >b; git commit -qm b b") == []
    assert len(hive.commit(hive.bea, "echo mine >a; echo mine >b; git commit -qam all")) == 4
    play.ok(sister("cid", hive.there), "gitqueen claim deploy")
    hive.scan()
    before = kit.open_conflicts(hive.app)
    kinds = [("file-collision", ["bea", "iza"]), ("file-collision", ["bea", "iza"]), ("shared-branch", ["cid", "iza"])]
    assert sorted((one["type"], one["sisters"]) for one in before) == kinds
    index = Path(hive.there.git("rev-parse", "--path-format=absolute", "--git-path", "index"))
    kept = index.read_bytes()
    index.write_bytes(b"DIRC nonsense")
    hive.scan()
    seen = {one["name"]: one for one in kit.sisters(hive.app)}
    assert [(seen[name]["branch"], seen[name]["dirty"]) for name in ("iza", "cid")] == [(None, None)] * 2
    assert kit.open_conflicts(hive.app) == before
    index.write_bytes(kept)
    hive.scan()
    assert kit.open_conflicts(hive.app) == before
    assert (len(kit.events(hive.app, "conflict-seen")), kit.events(hive.app, "conflict-over")) == (3, [])
    index.write_bytes(b"DIRC nonsense")
    hive.iza.kill()
    hive.scan()
    assert kit.open_conflicts(hive.app) == [], "who is dead collides with nobody"


def test_a_worktree_that_does_not_answer_is_not_asked(hive: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a dead network mount: what was seen to collide there stands until it answers."""
    assert hive.commit(hive.iza, "echo hers >a; git commit -qam hers") == []
    assert len(hive.commit(hive.bea, "echo mine >a; git commit -qam mine")) > 0
    find = places.find

    def hang(folder: str, env: Mapping[str, str] | None = None) -> Place | None:
        if folder == str(hive.there.path):
            signal.pause()
        return find(folder, env)

    opened = queen.open(os.environ, lambda: datetime.now(UTC), "/")
    with closing(opened.db):
        living = tending.living(opened)
        [conflict] = remembering.book(opened)
        assert dict(asking.ask(opened, living, {}, {}).unmerged) == {conflict.id: ("a",)}
        monkeypatch.setattr(places, "find", hang)
        assert dict(asking.ask(opened, living, {}, {}).unmerged) == {}
