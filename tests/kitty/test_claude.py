"""The real Claude Code in a window of the real kitty: found though nobody declared it, and what it does as it says."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gitqueen.senses import kitty as eyes
from tests.agents import kit as clients
from tests.agents.kit import Messages
from tests.hive import Repo, Runner
from tests.kitty import kit
from tests.kitty.kit import Kitty

pytestmark = [pytest.mark.needs_kitty, pytest.mark.needs_claude, pytest.mark.needs_proc]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Messages]:
    with clients.messages(tmp_path) as found:
        yield found


def script(folder: Path, api: Messages) -> list[str]:
    """The command line of an interactive session, with nothing of our environment but where things are."""
    home = Path(os.environ["HOME"])
    trusted = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
    known = {"approved": ["dummy"], "rejected": []}
    settings = {"hasCompletedOnboarding": True, "theme": "dark", "customApiKeyResponses": known}
    text = json.dumps({**settings, "projects": {os.fspath(folder): trusted}})
    for place in (home / ".claude.json", Path(os.environ["CLAUDE_CONFIG_DIR"], ".claude.json")):
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
    kept = "HOME PATH LANG LOGNAME CLAUDE_CONFIG_DIR GITQUEEN_HOME KITTY_PID KITTY_WINDOW_ID KITTY_LISTEN_ON".split()
    env = [f'{key}="${key}"' for key in kept]
    env += ["SHELL=/bin/bash", "TERM=xterm-256color", "IS_SANDBOX=1", "ANTHROPIC_API_KEY=dummy"]
    env += [f"ANTHROPIC_BASE_URL={api.url}", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1", "DISABLE_AUTOUPDATER=1"]
    options = "--permission-mode default"
    return ["/bin/sh", "-c", f"cd '{folder}'; env -i {' '.join(env)} {clients.program('claude')} {options}; :"]


@pytest.fixture
def daemon(run: Runner) -> Iterator[None]:
    """One that looks every second."""
    run("gitqueen", "daemon", "start", "--interval", "1", check=True)
    yield
    run("gitqueen", "daemon", "stop", check=True)


@pytest.mark.usefixtures("daemon")
def test_with_the_daemon_on_it_is_in_status_by_itself_and_a_kill_ends_it_and_its_claims(
    kitty: Callable[..., Kitty], api: Messages, repo: Callable[..., Repo], run: Runner, home: Path
) -> None:
    app = repo()
    kitty("/bin/sh")
    window = kitty("/bin/sh")
    kit.wait_for(lambda: bool(eyes.ask([window.address or ""])), "kitty listens")
    number = window.open(*script(app.path, api), how="tab", title="hers")

    def seen(what: str, *columns: str) -> list[tuple[Any, ...]]:
        # What the daemon wrote, and no command that might look itself.
        with closing(sqlite3.connect(f"file:{home}/queen.db?mode=ro", uri=True, timeout=30)) as db:
            return db.execute(f"SELECT {', '.join(columns)} FROM {what}").fetchall()

    kit.wait_for(lambda: [status for (status,) in seen("sisters", "status")] == ["idle"], "the daemon sees her")
    [iza] = json.loads(run("gitqueen", "status", "--json", check=True).stdout)["sisters"]
    title, _ = iza["terminal"].pop("title"), iza["terminal"].pop("focused")
    assert {key: iza[key] for key in ("name", "agent", "status", "repo", "branch", "task", "terminal")} == {
        "name": "keeper-1",
        "agent": "claude",
        "status": "idle",
        "repo": str(app.path),
        "branch": "main",
        "task": None,
        "terminal": {"kind": "kitty", "window": number},
    }
    assert title
    assert os.path.basename(os.readlink(f"/proc/{iza['pid']}/cwd")) == "app"
    line = next(line for line in run("gitqueen", "status", check=True).stdout.splitlines() if "keeper-1" in line)
    assert all(word in line for word in (str(iza["pid"]), "idle", "[main]", f"kitty:{number}")), line

    run("git", "config", "--global", "gitqueen.grace", "1h", check=True)
    run("gitqueen", "claim", "deploy", env={"GITQUEEN_PID": str(iza["pid"])}, check=True)
    os.kill(iza["pid"], signal.SIGKILL)
    kit.wait_for(lambda: seen("sisters", "name") == [], "the daemon sees that she is gone")
    assert json.loads(run("gitqueen", "status", "--json", check=True).stdout)["sisters"] == []
    assert seen("claims WHERE released_at IS NULL", "id", "owner") == [("deploy", "keeper-1")]
    run("git", "config", "--global", "gitqueen.grace", "1s", check=True)
    kit.wait_for(lambda: seen("claims WHERE released_at IS NULL", "id") == [], "her claim is given back")
    told = json.loads(run("gitqueen", "history", "--json", check=True).stdout)["events"]
    assert [one["kind"] for one in told if one["sister"] == "keeper-1"] == ["arrived", "claimed", "died", "given-back"]


def test_a_session_is_seen_working_waiting_idle_and_gone(
    kitty: Callable[..., Kitty], api: Messages, repo: Callable[..., Repo], run: Runner
) -> None:
    app = repo()
    window = kitty(*script(app.path, api))

    def sisters() -> list[dict[str, Any]]:
        assert json.loads(run("gitqueen", "scan", "--json", check=True).stdout)["faults"] == []
        found: list[dict[str, Any]] = json.loads(run("gitqueen", "status", "--json", check=True).stdout)["sisters"]
        return found

    def comes_to_be(status: str) -> dict[str, Any]:
        kit.wait_for(lambda: [one["status"] for one in sisters()] == [status], status)
        [one] = sisters()
        return one

    iza = comes_to_be("idle")
    assert (iza["name"], iza["agent"], iza["worktree"], iza["branch"]) == ("keeper-1", "claude", str(app.path), "main")
    assert (iza["terminal"]["kind"], iza["terminal"]["window"], iza.get("waiting_for")) == ("kitty", "1", None)
    assert "Claude" in iza["terminal"]["title"]
    steps = [{"sleep": 8}, {"name": "Bash", "input": {"command": "touch made", "description": "make"}}]
    window.command("send-text", match="id:1", data=f"text:go @@{json.dumps(steps)}@@")
    kit.wait_for(lambda: "@@" in window.command("get-text", match="id:1", extent="screen"), "what was typed is there")
    window.command("send-text", match="id:1", data="text:\r")
    assert comes_to_be("working")["pid"] == iza["pid"]
    waiting = comes_to_be("waiting")
    assert waiting["pid"] == iza["pid"] and waiting["waiting_for"]
    window.command("send-text", match="id:1", data="text:\x1b")
    assert "waiting_for" not in comes_to_be("idle")
    registry = Path(os.environ["CLAUDE_CONFIG_DIR"], "sessions", f"{iza['pid']}.json")
    os.kill(iza["pid"], signal.SIGKILL)
    kit.wait_for(lambda: not Path(f"/proc/{iza['pid']}").exists(), "she is gone")
    assert sisters() == []
    assert registry.exists(), "she had no time to take it away: it says nothing of whoever gets her pid"
