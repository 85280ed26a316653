"""INCIDENTS 12: a guard cried wolf on merge commits, over files that the merge merely carried."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.hive import Repo, Sister
from tests.hooks import kit


@pytest.fixture
def stage(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> tuple[Repo, Sister, Sister]:
    """anna has `theirs` open in her worktree and claims `claimed`; main has commits of both that ben wants to take."""
    app = kit.install(repo(files={"theirs": "1\n", "claimed": "1\n", "mine": "1\n"}))
    app.git("switch", "-qc", "ben")
    app.commit("ben's own", {"mine": "2\n"})
    app.git("switch", "-q", "main")
    for number in (2, 3):
        app.commit(f"theirs {number}", {"theirs": f"{number}\n", "claimed": f"{number}\n"})
    anna = sister("anna", app.worktree("anna", "main"))
    anna.sh("iam 'her part'; gitqueen claim claimed --path claimed; echo open >>theirs")
    app.git("-c", "core.hooksPath=/dev/null", "switch", "-q", "ben")
    ben = sister("ben", app)
    ben.sh("iam 'his part'; gitqueen scan")
    kit.no_scan_due()
    return app, anna, ben


@pytest.mark.parametrize(
    "command",
    [
        "git merge -q --no-edit main",
        "git merge -q --no-commit main >/dev/null 2>&1; git commit -qm 'merged by hand'",
        "git rebase -q main",
        "git rebase -q --apply main",
        "git pull -q --no-rebase --no-edit . main",
        "git merge -q --no-edit main && git reset -q --hard HEAD~1 && git merge -q --no-ff --no-edit main",
        "git switch -q main && git merge -q --ff-only anna && git switch -q ben",
        "echo 4 >mine; git stash -q; git merge -q --no-edit main; git stash pop -q; git commit -qam 'his own'",
    ],
)
def test_what_others_made_and_git_merely_carries_is_no_alarm(command: str, stage: tuple[Repo, Sister, Sister]) -> None:
    app, anna, ben = stage
    done = ben.sh(command)
    assert (done.rc, done.err) == (0, "")
    kit.drained()
    ben.sh("gitqueen scan")
    assert [one for one in kit.open_conflicts(app) if one["type"] == "file-collision"] == []
    assert [one["body"] for one in kit.mail(anna) if "file-collision" in one["body"]] == []


def test_what_he_resolves_in_a_merge_is_his_doing(stage: tuple[Repo, Sister, Sister]) -> None:
    _, _, ben = stage
    ben.sh("echo his >theirs; git commit -q --no-verify -m 'his word on theirs' theirs")
    kit.drained()
    assert ben.sh("git merge -q main").rc == 1
    done = ben.sh("echo both >theirs; git add theirs; git commit -qm 'merged by hand'")
    assert done.rc == 0
    assert done.err.splitlines()[:2] == [
        "🐝 ⚠ gitqueen: this commit collides with anna",
        '  anna [anna] conflicts in theirs line 1 (hers 1-2), uncommitted, on "her part"',
    ]
