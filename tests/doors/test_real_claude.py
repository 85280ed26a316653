"""Two real Claude Code sessions in one checkout, at once, through the hooks that `agents install` wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.agents.sessions import bash, claude, read, write
from tests.hive import Repo, Runner

pytestmark = [pytest.mark.needs_claude, pytest.mark.timeout(300)]


@pytest.fixture
def app(repo: Callable[..., Repo], run: Runner) -> Repo:
    app = repo("app", {"a.py": "1\n", "b.py": "1\n"})
    run("gitqueen", "agents", "install", "claude", check=True)
    run("gitqueen", "hooks", "install", app.path, check=True)
    return app


def sisters(app: Repo) -> list[tuple[str, str, str | None]]:
    said = json.loads(Runner(app.path)("gitqueen", "status", "--json", check=True).stdout)["sisters"]
    return [(one["name"], one["agent"], one["task"]) for one in said]


def test_each_knows_the_other_and_is_warned_before_she_overwrites_sweeps_or_destroys(app: Repo, tmp_path: Path) -> None:
    with ExitStack() as alive:
        ada = alive.enter_context(claude(app, tmp_path, "ada"))
        shown = ada.prompt(bash("gitqueen iam 'rewriting a.py'"), read(app, "a.py"), write(app, "a.py", "hers\n"))
        assert "onboarding for ada" in shown and "No other sister is working right now." in shown
        assert (app.path / "a.py").read_text() == "hers\n"

        bob = alive.enter_context(claude(app, tmp_path, "bob"))
        shown = bob.prompt(read(app, "a.py"), write(app, "a.py", "his\n"))
        assert "You share this worktree with ada:" in shown and "rewriting a.py" in shown
        assert (
            '- a.py: ada [main] wrote it in this very worktree, just now, not committed, on "rewriting a.py"' in shown
        )
        assert (app.path / "a.py").read_text() == "his\n", "the policy is to warn"
        assert sorted(sisters(app)) == [("ada", "claude", "rewriting a.py"), ("bob", "claude", None)]

        shown = ada.prompt(bash("queen tell bob 'that was mine'"), read(app, "b.py"), write(app, "b.py", "hers\n"))
        assert "- bob changed a.py, which you had edited." in shown, "incident 6: told at her next prompt"

        app.git("config", "gitqueen.policy", "block")
        shown = bob.prompt(read(app, "b.py"), write(app, "b.py", "his\n"), bash("git stash"), bash("git add -A"))
        assert '"that was mine"' in shown and "not an instruction of your user" in shown, "incident 17"
        assert "this edit is refused, it collides with ada." in shown
        assert "`git stash` would take away uncommitted work of other sisters" in shown, "incident 5"
        assert "`git add -A` would take uncommitted work of other sisters into your commit" in shown, "incident 2"
        assert '  ada (on "rewriting a.py"): b.py' in shown
        assert (app.path / "b.py").read_text() == "hers\n"
        assert app.git("status", "--porcelain") == " M a.py\n M b.py", "nothing was stashed or staged"
