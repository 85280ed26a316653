"""The real Codex and Gemini CLI hear the door: what a sister holds is said to the model, or at least refused."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agents import fakes
from tests.agents import kit as clients
from tests.doors.kit import Session
from tests.hive import Repo, Runner


@pytest.fixture
def app(repo: Callable[..., Repo], session: Callable[..., Session]) -> Repo:
    """Where Ada wrote a.py and did not commit it."""
    app = repo("app", {"a.py": "1\n"})
    ada = session(app, "ada")
    ada.start()
    ada.sister.sh("gitqueen iam 'rewriting a.py'")
    ada.edits("a.py", "hers\n")
    return app


@pytest.mark.needs_codex
def test_codex(app: Repo, run: Runner) -> None:
    run("gitqueen", "agents", "install", "codex", check=True)
    hooks = clients.codex_hooks(app)
    trust = "".join(
        f"[hooks.state.{json.dumps(key)}]\ntrusted_hash = {json.dumps(h)}\n" for key, (h, _) in hooks.items()
    )
    Path(os.environ["HOME"], ".codex", "config.toml").write_text(trust)
    steps: list[fakes.Step] = [
        ("exec_command", {"cmd": "git stash list; git reset --hard >/dev/null; echo done"}),
        ("apply_patch", "*** Begin Patch\n*** Update File: a.py\n@@\n-hers\n+his\n*** End Patch"),
    ]
    app.git("config", "gitqueen.lost-work.policy", "block")
    with fakes.model(steps) as model:
        clients.codex(app, model)
        assert model.saw("You share this worktree with ada"), "onboarded"
        assert model.saw("`git reset --hard` would destroy uncommitted work of other sisters"), "refused"
        assert model.saw("a.py: ada [main] wrote it in this very worktree"), "warned"
    assert (app.path / "a.py").read_text() == "his\n"
    said = json.loads(run("gitqueen", "history", "--json", cwd=app.path, check=True).stdout)["events"]
    assert [event["kind"] for event in said if event["kind"] == "left"] == ["left"]


@pytest.mark.needs_gemini
def test_gemini(app: Repo, run: Runner) -> None:
    own = {"security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}}}
    settings = Path(os.environ["HOME"], ".gemini", "settings.json")
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(json.dumps(own))
    run("gitqueen", "agents", "install", "gemini", check=True)
    app.git("config", "gitqueen.policy", "block")
    steps: list[fakes.Step] = [
        ("write_file", {"file_path": f"{app.path}/a.py", "content": "his\n"}),
        ("run_shell_command", {"command": "git checkout -- ."}),
    ]
    with fakes.model(steps) as model:
        clients.gemini(app, model)
        assert model.saw("You share this worktree with ada"), "onboarded"
        assert model.saw("this edit is refused, it collides with ada"), "refused"
        assert model.saw("would destroy uncommitted work of other sisters"), "refused"
    assert (app.path / "a.py").read_text() == "hers\n"
