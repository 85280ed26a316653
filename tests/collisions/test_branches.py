"""shared-branch, one conflict a group; branch-switched in every kind of worktree, and when HEAD is detached or lent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.collisions import kit as play
from tests.hive import Repo, Sister
from tests.hooks import kit


def shared(app: Repo) -> list[tuple[str, list[str], str]]:
    found = [one for one in kit.open_conflicts(app) if one["type"] == "shared-branch"]
    return [(one["severity"], one["sisters"], one["detail"]) for one in found]


def told(sister: Sister) -> int:
    return sum(letter.startswith("shared-branch: ") for letter in play.letters(sister))


def scan(sister: Sister) -> None:
    play.ok(sister, "gitqueen scan")
    kit.no_scan_due()


def test_a_group_is_one_conflict_that_follows_who_comes_and_goes(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = kit.install(repo())
    bea, iza = sister("bea", app), sister("iza", app)
    play.ok(bea, "iam 'the parser'")
    play.ok(iza, "iam 'the manual'")
    scan(bea)
    assert shared(app) == [("warning", ["bea", "iza"], "bea and iza are on main in one worktree")]
    assert (told(bea), told(iza)) == (1, 1)
    # A third one, in a worktree of her own: the same group, a warning for those who share a folder.
    cat = sister("cat", app.worktree("feat"))
    play.ok(cat, "iam 'the logo'; git switch -q --ignore-other-worktrees main")
    scan(bea)
    assert shared(app) == [("warning", ["bea", "cat", "iza"], "bea, cat and iza are on main in one worktree")]
    mail = told(bea), told(iza)
    # She goes: those who stay know already that they share it.
    play.ok(cat, "git switch -q feat")
    assert shared(app) == [("warning", ["bea", "iza"], "bea and iza are on main in one worktree")]
    scan(bea)
    assert (told(bea), told(iza)) == mail
    # One of them dies, and it is over.
    iza.kill()
    scan(bea)
    assert shared(app) == []


def test_in_worktrees_of_their_own_it_is_an_info(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    app = kit.install(repo())
    bea, iza = sister("bea", app), sister("iza", app.worktree("feat"))
    play.ok(bea, "iam 'the parser'")
    said = play.ok(iza, "iam 'the manual'; git switch -q --ignore-other-worktrees main")
    assert said == ["🐝 gitqueen: you share main with", f'  bea works on "the parser", in {app.path}']
    scan(bea)
    assert shared(app) == [("info", ["bea", "iza"], "bea and iza are on main in worktrees of their own")]
    assert (told(bea), told(iza)) == (0, 0)


def test_in_clones_only_when_both_have_what_was_not_pushed(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = repo("seed")
    app.git("clone", "--quiet", "--bare", app.path, app.path.with_name("origin"))
    one, other = (kit.install(Repo(app.path.with_name("origin")).clone(name)) for name in ("one", "other"))
    bea, iza = sister("bea", one), sister("iza", other)
    play.ok(bea, "iam 'the parser'; echo 1 >a; git add a; git commit -qm a")
    play.ok(iza, "iam 'the manual'")
    scan(bea)
    assert shared(one) == []
    play.ok(iza, "echo 1 >b; git add b; git commit -qm b")
    scan(bea)
    said = "bea ({}) and iza ({}) have unpushed commits on main in clones of their own"
    second = "; who pushes second will be rejected"
    assert shared(one) == [("info", ["bea", "iza"], said.format(1, 1) + second)]
    play.ok(iza, "git commit -qm more --allow-empty")
    scan(bea)
    assert shared(one) == [("info", ["bea", "iza"], said.format(1, 2) + second)]
    play.ok(bea, "git push -q")
    scan(bea)
    assert shared(one) == []
    # She goes on from what she pushed; the other one never heard of it, and git would tell her at her push.
    play.ok(bea, "git commit -qm on --allow-empty; git commit -qm 'and on' --allow-empty")
    scan(bea)
    late = "; iza will be rejected at push before a pull: others pushed already"
    assert shared(one) == [("info", ["bea", "iza"], said.format(2, 2) + late)]
    assert iza.sh("git push -q").rc == 1
    scan(bea)
    assert shared(one) == [("info", ["bea", "iza"], said.format(2, 2) + late)]
    play.ok(iza, "git pull -q --rebase")
    scan(bea)
    assert shared(one) == [("info", ["bea", "iza"], said.format(2, 2) + second)]
    play.ok(iza, "git push -q")
    scan(bea)
    assert shared(one) == []
    assert (told(bea), told(iza)) == (0, 0)


def test_clones_that_push_elsewhere_or_nowhere_reject_nobody(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = kit.install(repo())
    clone, fork = kit.install(app.clone("clone")), kit.install(app.clone("fork"))
    fork.git("config", "remote.origin.pushurl", "https://example.org/fork")
    bea, iza, ann = sister("bea", app), sister("iza", clone), sister("ann", fork)
    for one in (bea, iza, ann):
        play.ok(one, "iam 'her own part'; git commit -qm own --allow-empty")
    scan(bea)
    assert ("info", ["ann", "bea", "iza"]) in [one[:2] for one in shared(app)]
    said = "ann (1), bea (no remote) and iza (1) have unpushed commits on main in clones of their own"
    assert said in [one[2] for one in shared(app)]


@pytest.mark.parametrize("where", ["linked", "clone"])
def test_a_switch_under_somebody_in_every_kind_of_worktree(
    where: str, repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = kit.install(repo())
    there = app.worktree("feat") if where == "linked" else kit.install(app.clone("clone"))
    was = "feat" if where == "linked" else "main"
    bea, iza = sister("bea", there), sister("iza", there)
    play.ok(bea, "iam 'the parser'")
    play.ok(iza, "iam 'the manual'")
    scan(bea)
    below = '  bea works on "the parser", was on '
    said = ["🐝 ⚠ gitqueen: you switched the branch under bea", below + was]
    said += [f"  Back: git switch {was}   She was told by mail."]
    # From another folder it is the same; and a detached HEAD is no branch either.
    assert play.ok(iza, f"cd /; git -C {there.path} switch -q --detach") == said
    assert play.ok(iza, f"git -C {there.path} switch -qc other") == said
    assert play.ok(iza, f"git -C {there.path} switch -q {was}") == ["🐝 gitqueen: bea is back on " + was]
    switched = [one["detail"] for one in kit.events(app, "conflict-seen") if "switched" in one["detail"]["type"]]
    assert [(one["severity"], one["sisters"]) for one in switched] == [("warning", ["bea", "iza"])]
    # A rebase and a bisect lend HEAD: an info, which is over with them, and no mail.
    mail = len(play.letters(bea))
    play.ok(iza, f"cd {there.path}; git commit -q --allow-empty -m one; git commit -q --allow-empty -m two")
    assert play.ok(iza, "git bisect start HEAD HEAD~2 2>&1 >/dev/null | grep gitqueen; true") == []
    scan(bea)
    assert [one["severity"] for one in kit.open_conflicts(app) if one["type"] == "branch-switched"] in ([], ["info"])
    play.ok(iza, "git bisect reset >/dev/null 2>&1; git rebase -q --force-rebase HEAD~1")
    scan(bea)
    assert [one for one in kit.open_conflicts(app) if one["type"] == "branch-switched"] == []
    assert len(play.letters(bea)) == mail
