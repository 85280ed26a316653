"""INCIDENTS 8: two sessions were given the same worktree, and neither knew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.hive import Repo, Sister
from tests.hooks import kit


def test_each_is_told_with_whom_she_shares_and_how_to_part(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = kit.install(repo())
    anna, ben = sister("anna", app), sister("ben", app)
    anna.sh("iam 'mending the login'")
    ben.sh("iam 'writing the guide'; gitqueen scan")
    for me, other in ((anna, "ben"), (ben, "anna")):
        told = me.sh("gitqueen onboard").out
        assert other in told
        assert f"git worktree add -b {me.name} {app.path}-{me.name}" in told
    [conflict] = [one for one in kit.open_conflicts(app) if one["type"] == "shared-branch"]
    assert (conflict["sisters"], conflict["severity"]) == (["anna", "ben"], "warning")
    assert conflict["detail"] == "anna and ben are on main in one worktree"
    # What she is told to type parts them, runs the hooks, and ends the conflict.
    assert anna.sh(f"git worktree add -q -b anna {app.path}-anna && cd {app.path}-anna && iam").rc == 0
    anna.sh("gitqueen scan")
    assert kit.open_conflicts(app) == []
    assert Path(f"{app.path}-anna/README").exists()


def test_who_checks_out_a_branch_where_others_are_is_told_who(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = kit.install(repo())
    feat = app.worktree("feat")
    anna, ben = sister("anna", app), sister("ben", feat)
    anna.sh("iam 'mending the login'")
    ben.sh("iam 'writing the guide'")
    kit.no_scan_due()
    said = ben.sh("git checkout -q --ignore-other-worktrees main")
    assert said.err == (f'🐝 gitqueen: you share main with\n  anna works on "mending the login", in {app.path}\n')
