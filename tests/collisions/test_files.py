"""file-collision with real git, hooks and sisters: every form of a commit against every way to stand in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.collisions import kit as play
from tests.collisions.kit import Stage, said
from tests.hive import Repo, Sister
from tests.hooks import kit

FILES = {name: f"1\n2\n3\n4\n5\n6\n7\n8\n{name}\n" for name in "abcd"}
TASK = ', on "the manual"'


@pytest.fixture(params=play.WHERE)
def hive(request: pytest.FixtureRequest, repo: Callable[..., Repo], sister: Callable[..., Sister]) -> Stage:
    return play.stage(repo, sister, request.param, FILES)


@pytest.fixture
def near(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> Stage:
    return play.stage(repo, sister, "worktree", FILES)


def test_what_stands_in_the_way_of_a_commit(hive: Stage) -> None:
    play.ok(hive.iza, "gitqueen claim docs -m 'all of them' --path 'a*'; echo 9 >>b")
    assert hive.commit(hive.iza, "echo 9 >>c; git commit -qm c c") == []
    claimed = f"iza [feat] claimed a just now (docs: all of them){TASK}"
    dirty = f"iza [feat] conflicts in b line 10 (hers 10), uncommitted{TASK}"
    committed = f"iza [feat] conflicts in c line 10 (hers 10), changed just now{TASK}"
    for path, row in {"a": claimed, "b": dirty, "c": committed}.items():
        assert hive.commit(hive.bea, f"echo mine >>{path}; git commit -qm {path} {path}") == said(row)
    assert hive.commit(hive.bea, "echo mine >>d; git commit -qam d") == []
    # What is only in the working tree is no matter; what is staged is.
    assert hive.commit(hive.bea, "echo more >>a; echo more >>b; echo more >>c; echo more >>d; git commit -qm d d") == []
    rows = [row.replace("line 10", "lines 10-11") for row in (claimed, dirty, committed)]
    assert hive.commit(hive.bea, "git commit -qam all") == said(*rows)
    assert hive.commit(hive.bea, "git commit -q --amend -m nothing-new") == []
    assert sorted(one["severity"] for one in kit.open_conflicts(hive.app)) == ["danger", "danger", "danger"]


def test_a_commit_of_parts_of_a_file(near: Stage) -> None:
    play.ok(near.iza, "sed -i s/8/eight/ a")
    play.ok(near.bea, "sed -i s/1/one/ b; printf 'y\\n' | git add -p b >/dev/null; sed -i s/1/one/ a")
    assert near.commit(near.bea, "git commit -qm b") == []
    play.ok(near.bea, "sed -i s/8/ocho/ a; printf 's\\ny\\nn\\n' | git add -p a >/dev/null")
    assert near.commit(near.bea, "git commit -qm half") == []
    row = f"iza [feat] conflicts in a line 8 (hers 8), uncommitted{TASK}"
    assert near.commit(near.bea, "git commit -qam 'the other half'") == said(row)


def test_renames_and_deletes_count_on_both_sides(hive: Stage) -> None:
    play.ok(hive.iza, "git mv a z; git rm -q b; rm c; mkdir sub; git mv d sub/d")
    deleted = "(modify/delete)"
    for path, how in {"a": "", "b": deleted, "c": deleted, "d": "", "z": "line 1 (hers 1-9)"}.items():
        rows = [f"iza [feat] conflicts in {path} {how}, uncommitted{TASK}"] if how else []
        told = hive.commit(hive.bea, f"echo mine >>{path}; git add {path}; git commit -qm {path} {path}")
        assert told == (said(*rows) if rows else [])
    assert hive.commit(hive.iza, "git add -A; git commit -qm moved 2>/dev/null") == []
    row = f"iza [feat] conflicts in a (rename/rename), changed just now{TASK}"
    assert hive.commit(hive.bea, "git mv a y; git rm -q b; git commit -qm moved") == said(row)
    assert hive.commit(hive.bea, "mkdir sub; git mv d sub/d; git commit -qm 'the same move'") == []


def test_a_merge_counts_only_what_is_resolved_in_it(hive: Stage) -> None:
    fetch, theirs = f"git fetch -q {hive.there.path} feat", "FETCH_HEAD"
    assert hive.commit(hive.iza, "echo hers >a; echo hers >b; git commit -qam hers") == []
    # A merge that goes by itself brings her work and nothing else.
    assert hive.commit(hive.bea, f"echo mine >d; git commit -qam d; {fetch}; git merge -q --no-edit {theirs}") == []
    assert kit.open_conflicts(hive.app) == []
    # What collided is over as soon as it is merged by hand; she goes on with b.
    assert hive.commit(hive.iza, "echo hers, too >a; git commit -qam again; echo dirty >b") == []
    row = f"iza [feat] conflicts in a line 1 (hers 1), changed just now{TASK}"
    assert hive.commit(hive.bea, "echo mine >a; git commit -qam a") == said(row)
    assert hive.bea.sh(f"{fetch}; git merge -q {theirs}").rc == 1
    assert hive.commit(hive.bea, "echo both >a; git commit -qam merged") == []
    # The merge did not touch b, but another commit does.
    hive.scan()
    assert hive.open() == []
    row = f"iza [feat] conflicts in b line 1 (hers 1), uncommitted{TASK}"
    assert hive.commit(hive.bea, "echo mine >b; git commit -qam b") == said(row)


@pytest.mark.parametrize("how", ["cherry-pick", "squash", "picked among other changes", "rebase", "copied"])
def test_what_was_taken_over_from_her_is_no_collision(near: Stage, how: str) -> None:
    assert near.commit(near.iza, "sed -i s/8/eight/ a; git commit -qam one") == []
    if how != "cherry-pick":
        assert near.commit(near.iza, "sed -i s/7/seven/ a; git commit -qam two") == []
    take = {
        "cherry-pick": "git cherry-pick feat",
        "squash": "git merge -q --squash feat 2>&1; git commit -qm squashed",
        "picked among other changes": "git cherry-pick feat~1 feat",
        "rebase": "git switch -qc topic feat; echo x >d; git commit -qam d; git rebase -q --onto main~0 feat~2 topic",
        "copied": "git checkout -q feat -- a; git commit -qm copied",
    }[how]
    near.commit(near.bea, "echo moved >b; git commit -qam base")
    if how.startswith("picked"):
        near.commit(near.bea, "sed -i s/1/one/ a; git commit -qam mine --no-verify")
    before = len(kit.events(near.app, "conflict-seen"))
    assert near.commit(near.bea, f"{take} >/dev/null") == []
    # And what is built on it later is none either.
    assert near.commit(near.bea, "sed -i s/4/four/ a; git commit -qam later") == []
    assert kit.events(near.app, "conflict-seen")[before:] == []
    near.scan()
    assert near.open() == []


def test_a_pick_that_stops_is_hers_and_a_revert_is_mine(near: Stage) -> None:
    assert near.commit(near.iza, "echo hers >a; git commit -qam hers") == []
    assert near.commit(near.bea, "echo mine >a; git commit -qam mine --no-verify") == []
    assert near.bea.sh("git cherry-pick feat").rc == 1
    assert near.commit(near.bea, "echo both >a; git commit -qam picked") == []
    # Her second change is in the way of whoever takes the first one back.
    assert near.commit(near.iza, "echo more >>b; git commit -qam b") == []
    assert near.commit(near.bea, "sed -i s/1/one/ b; git commit -qam b --no-verify; git revert --no-edit HEAD") == []
    assert [(detail[:20], sisters) for detail, sisters in near.open()] == [("bea has a, conflicts", ["bea", "iza"])]


def test_what_she_took_back_herself_is_no_collision(hive: Stage) -> None:
    assert hive.commit(hive.iza, "echo hers >a; git commit -qam hers; git revert --no-edit HEAD >/dev/null") == []
    assert hive.commit(hive.bea, "echo mine >a; git commit -qam mine") == []
    assert hive.commit(hive.iza, "echo hers >b; git commit -qam hers; git reset -q --hard HEAD~1") == []
    assert hive.commit(hive.bea, "echo mine >b; git commit -qam mine") == []
    assert kit.open_conflicts(hive.app) == []


def test_a_rebase_carries_her_commits_and_mine_without_a_word(near: Stage) -> None:
    assert near.commit(near.iza, "echo hers >a; git commit -qam hers") == []
    play.ok(near.bea, "git switch -qc topic")
    row = f"iza [feat] conflicts in a line 1 (hers 1), changed just now{TASK}"
    assert near.commit(near.bea, "echo mine >a; git commit -qam mine") == said(row)
    told = len(play.letters(near.iza)), len(play.letters(near.bea))
    play.ok(near.bea, "git switch -q main; echo base >c; git commit -qam base")
    kit.drained()
    assert near.commit(near.bea, "git rebase -q main topic") == []
    assert near.commit(near.iza, "git rebase -q main") == []
    near.scan()
    assert [one for one, _ in near.open()] != []
    assert (len(play.letters(near.iza)), len(play.letters(near.bea))) == told


def test_submodules_collide_by_what_they_are_bumped_to(
    repo: Callable[..., Repo], sister: Callable[..., Sister], near: Stage
) -> None:
    part = repo("part")
    near.app.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", part.path, "part")
    near.app.git("commit", "-qm", "part", "--no-verify")
    play.ok(near.iza, "git merge -q main; git -c protocol.file.allow=always submodule --quiet update --init")
    bump = "git -C part commit -q --allow-empty -m more"
    # Work inside of it is no change of the submodule here.
    play.ok(near.iza, "echo dirty >>part/README; echo new >part/new")
    near.scan()
    assert near.commit(near.bea, f"{bump}; git commit -qam bump") == []
    play.ok(near.iza, f"{bump} --no-verify")
    # Both to the same is none, both to what the other does not have is one.
    assert near.commit(near.bea, f"{bump}; git commit -qam bump") == []
    row = f"iza [feat] conflicts in part (submodule), uncommitted{TASK}"
    other = "git -C part reset -q --hard HEAD~2; git -C part commit -q --allow-empty -m other"
    assert near.commit(near.bea, f"{other}; git commit -qam other") == said(row)
