"""Every hook manager, in every order of coming and going, with hooks in files and in git's configuration.

What must hold: the manager's and the user's hooks fire with their arguments, input and say; ours fire exactly once, or
`hooks status` says that they do not; and what we leave behind is what would be there without us.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.managers import kit
from tests.managers.kit import Manager, Yard

MakeYard = Callable[[Manager], Yard]

MANAGERS = [
    pytest.param(kit.Husky(), id="husky", marks=pytest.mark.needs_husky),
    pytest.param(kit.Lefthook(), id="lefthook", marks=pytest.mark.needs_lefthook),
    pytest.param(kit.PreCommit(), id="pre-commit", marks=pytest.mark.needs_pre_commit),
    pytest.param(kit.GitLfs(), id="git-lfs", marks=pytest.mark.needs_git_lfs),
    pytest.param(kit.GitAnnex(), id="git-annex", marks=pytest.mark.needs_git_annex),
]


def all_is_well(yard: Yard, manager: Manager) -> None:
    """Everybody's hooks fire, ours once at each event, and a refusal of the user's refuses."""
    round = yard.round()
    assert yard.fired() == round.ours
    assert yard.told() == manager.expected(round)
    if manager.guards:
        assert yard.refused()


def gone_again(make_yard: MakeYard, manager: Manager) -> dict[str, tuple[int, bytes]]:
    """What a manager leaves behind that came and went without ever meeting us."""
    yard = make_yard(manager)
    manager.install(yard)
    manager.uninstall(yard)
    return yard.hooks()


@pytest.mark.parametrize("manager", MANAGERS)
def test_they_come_first_and_come_again(make_yard: MakeYard, manager: Manager, by_config: bool) -> None:
    yard = make_yard(manager)
    manager.install(yard)
    before = yard.hooks()

    yard.arm()
    all_is_well(yard, manager)

    manager.install(yard)
    dropped = manager.rewrites and not by_config
    yard.gitqueen("hooks", "status", rc=1 if dropped else 0)
    yard.repo.commit("another")
    assert yard.fired() == ([] if dropped else ["pre-commit", "post-commit"])
    yard.gitqueen("hooks", "install")
    all_is_well(yard, manager)

    yard.gitqueen("hooks", "uninstall")
    assert yard.hooks() == before


@pytest.mark.parametrize("manager", MANAGERS)
def test_they_come_after_us_and_go_before_us(make_yard: MakeYard, manager: Manager, by_config: bool) -> None:
    """A scan heals what they drop and lets in whom our files kept out."""
    without_us = gone_again(make_yard, manager)
    yard = make_yard(manager)
    yard.arm()
    manager.install(yard)
    yard.gitqueen("scan")
    yard.gitqueen("hooks", "status")
    all_is_well(yard, manager)

    manager.uninstall(yard)
    yard.gitqueen("scan")
    yard.gitqueen("hooks", "status")
    round = yard.round()
    assert yard.fired() == round.ours

    yard.gitqueen("hooks", "uninstall")
    manager.uninstall(yard) if isinstance(manager, kit.GitLfs) else None
    assert yard.hooks() == without_us


@pytest.mark.parametrize("manager", MANAGERS)
def test_we_go_before_them(make_yard: MakeYard, manager: Manager, by_config: bool) -> None:
    without_us = gone_again(make_yard, manager)
    yard = make_yard(manager)
    yard.arm()
    manager.install(yard)

    yard.gitqueen("hooks", "uninstall")
    assert yard.traces() == []
    manager.install(yard)  # git-lfs and git-annex, whom our files kept out
    round = yard.round()
    assert yard.fired() == []
    assert yard.told() == manager.expected(round)

    manager.uninstall(yard)
    assert yard.hooks() == without_us


MOVERS = [pytest.param(kit.Lefthook(), ".old", id="lefthook", marks=pytest.mark.needs_lefthook)]
MOVERS += [pytest.param(kit.PreCommit(), ".legacy", id="pre-commit", marks=pytest.mark.needs_pre_commit)]


@pytest.mark.parametrize(("manager", "suffix"), MOVERS)
def test_the_users_own_hook_comes_through_their_moving_it(make_yard: MakeYard, manager: Manager, suffix: str) -> None:
    """A hook with our block in it is moved aside by one who comes later: it stays the user's, and we fire once."""
    yard = make_yard(manager)
    mine = b'#!/bin/sh -e\necho "mine ${0##*/} $# $(cat)" >>"$BOOK"\n[ "${REFUSE-}" != mine ]'
    hook = yard.repo.path / ".git/hooks/pre-commit"
    hook.write_bytes(mine)
    hook.chmod(0o755)
    before = yard.hooks()
    yard.arm()

    manager.install(yard)
    yard.repo.commit("while ours lies aside", {"work": "1"})
    run_aside = suffix == ".legacy"  # pre-commit runs it, lefthook keeps it
    assert yard.told() == ["mine pre-commit.legacy 0 "] * run_aside + ["pre-commit||", "post-commit||"]
    assert yard.fired() == ["pre-commit", "post-commit"] * run_aside
    assert "ours aside, as pre-commit" + suffix in yard.gitqueen("hooks", "status", rc=1)

    yard.gitqueen("hooks", "install")
    assert hook.with_name("pre-commit" + suffix).read_bytes() == mine
    yard.repo.commit("healed", {"work": "2"})
    assert yard.told() == ["mine pre-commit.legacy 0 "] * run_aside + ["pre-commit||", "post-commit||"]
    assert yard.fired() == ["pre-commit", "post-commit"]

    manager.uninstall(yard)
    assert hook.read_bytes() == mine
    yard.gitqueen("hooks", "install")
    yard.repo.commit("and back", {"work": "3"})
    assert (yard.told(), yard.fired()) == (["mine pre-commit 0 "], ["pre-commit", "post-commit"])
    yard.gitqueen("hooks", "uninstall")
    assert yard.hooks() == before
