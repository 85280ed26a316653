"""The real clients obey what we write into their settings, and the user's own hooks run as before."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import hive
from tests.agents import fakes, kit
from tests.hive import Repo, Runner, Sister

OWN = "cat >>'{book}'"


@pytest.fixture
def agents(run: Runner, tmp_path: Path) -> Callable[..., dict[str, object]]:
    """`gitqueen agents ...` of a copy whose door is a canary."""
    product = kit.with_canary(tmp_path / "product")

    def call(*words: str, rc: int = 0) -> dict[str, object]:
        env = {"PYTHONPATH": os.fspath(product)}
        done = run(sys.executable, "-m", "gitqueen", "agents", *words, "--json", env=env)
        assert done.returncode == rc, done
        [said] = json.loads(done.stdout)["agents"]
        assert isinstance(said, dict)
        return said

    return call


def settings(name: str, text: str) -> Path:
    path = Path(os.environ["HOME"], name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def own_hook(event: str, matcher: str, book: Path) -> str:
    """The user's own settings, written as people write them."""
    command = {"type": "command", "command": OWN.format(book=book)}
    return json.dumps({"hooks": {event: [{"matcher": matcher, "hooks": [command]}]}}, indent=4) + "\n"


@pytest.mark.needs_claude
def test_claude_code(agents: Callable[..., dict[str, object]], repo: Callable[..., Repo], tmp_path: Path) -> None:
    book, app = tmp_path / "book", repo()
    path = settings(".claude/settings.json", own_hook("PreToolUse", "Write", book))
    before = path.read_bytes()
    extras = ("--allow-commands", "--allow-sandbox", "--statusline")
    assert agents("install", "claude", *extras)["works"] is True
    armed = path.read_bytes()
    write = {"name": "Write", "input": {"file_path": f"{app.path}/a.txt", "content": "one\n"}}
    shell = {"name": "Bash", "input": {"command": "echo two >b.txt", "description": "b"}}
    with kit.messages(tmp_path) as api:
        kit.claude(app, api, [write, shell])
        assert api.saw("CANARY-SINGS"), "what the door says at the start is before the model"
    # The end of a session is the one event that the client does not always wait for.
    assert [event for event in kit.heard() if event != "SessionEnd"] == [
        "SessionStart",
        "UserPromptSubmit",
        "PreToolUse:Write",
        "PostToolUse:Write",
        "PreToolUse:Bash",
        "Stop",
    ]
    assert {tuple(argv) for argv, _ in kit.canary()} == {("agent", "claude")}
    assert json.loads(book.read_text())["tool_input"]["content"] == "one\n", "the user's own hook ran beside ours"
    assert (app.path / "a.txt").read_text() == "one\n"
    assert path.read_bytes() == armed
    agents("uninstall", "claude")
    assert path.read_bytes() == before


@pytest.mark.needs_claude
def test_claude_code_asks_nothing_before_our_own_commands(
    repo: Callable[..., Repo], run: Runner, tmp_path: Path
) -> None:
    app = repo()
    inbox = {"name": "Bash", "input": {"command": "gitqueen inbox", "description": "mail"}}
    settings(".claude/settings.json", "{}\n")
    with kit.messages(tmp_path) as api:
        kit.claude(app, api, [inbox])
        assert api.saw("This command requires approval") and not api.saw("no unread for")
        run("gitqueen", "agents", "install", "claude", "--allow-commands", check=True)
        kit.claude(app, api, [inbox])
        assert api.saw("no unread for")


@pytest.mark.needs_codex
def test_codex(agents: Callable[..., dict[str, object]], repo: Callable[..., Repo], tmp_path: Path) -> None:
    book, app = tmp_path / "book", repo()
    path = settings(".codex/hooks.json", own_hook("PreToolUse", "Bash", book))
    before = path.read_bytes()
    assert (agents("install", "codex")["state"], agents("status", "codex", rc=1)["trusted"]) == ("armed", False)
    steps: list[fakes.Step] = [
        ("exec_command", {"cmd": "echo one >a.txt"}),
        ("apply_patch", "*** Begin Patch\n*** Add File: b.txt\n+two\n*** End Patch"),
    ]
    with fakes.model(steps[:1]) as model:
        kit.codex(app, model)
    assert kit.heard() == [], "codex runs no hook that nobody let it run"

    hooks = kit.codex_hooks(app)
    trust = "".join(
        f"[hooks.state.{json.dumps(key)}]\ntrusted_hash = {json.dumps(h)}\n" for key, (h, _) in hooks.items()
    )
    settings(".codex/config.toml", trust)
    assert {trusted for _, trusted in kit.codex_hooks(app).values()} == {"trusted"}
    assert agents("status", "codex")["trusted"] is True
    with fakes.model(steps) as model:
        kit.codex(app, model)
        assert model.saw("CANARY-SINGS")
    assert kit.heard() == [
        "SessionStart",
        "UserPromptSubmit",
        "PreToolUse:Bash",
        "PreToolUse:apply_patch",
        "PostToolUse:apply_patch",
        "Stop",
        "SessionEnd",
    ]
    assert json.loads(book.read_text())["tool_name"] == "Bash"
    assert (app.path / "b.txt").read_text() == "two\n"
    assert agents("install", "codex")["changes"] == [], "what was trusted stays as it was"

    settings(".codex/config.toml", trust.replace("sha256:", "sha256:0"))
    assert agents("status", "codex", rc=1)["trusted"] is False
    agents("uninstall", "codex")
    assert path.read_bytes() == before


@pytest.mark.needs_gemini
def test_gemini_cli(agents: Callable[..., dict[str, object]], repo: Callable[..., Repo], tmp_path: Path) -> None:
    book, app = tmp_path / "book", repo()
    own = json.loads(own_hook("BeforeTool", "write_file", book))
    own["security"] = {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}}
    path = settings(".gemini/settings.json", json.dumps(own, indent=2))
    before = path.read_bytes()
    assert agents("install", "gemini")["works"] is True
    steps: list[fakes.Step] = [
        ("write_file", {"file_path": f"{app.path}/a.txt", "content": "one\n"}),
        ("run_shell_command", {"command": "echo two >b.txt"}),
    ]
    with fakes.model(steps) as model:
        kit.gemini(app, model)
        assert model.saw("CANARY-SINGS")
    assert kit.heard() == [
        "SessionStart",
        "BeforeAgent",
        "BeforeTool:write_file",
        "AfterTool:write_file",
        "BeforeTool:run_shell_command",
        "AfterAgent",
        "SessionEnd",
    ]
    assert json.loads(book.read_text())["tool_name"] == "write_file"
    agents("uninstall", "gemini")
    assert path.read_bytes() == before


@pytest.mark.needs_claude
def test_claude_code_speaks_mcp(repo: Callable[..., Repo], tmp_path: Path) -> None:
    """The sister is the agent that started the server."""
    app, config = repo(), tmp_path / "mcp.json"
    config.write_text(json.dumps({"mcpServers": {"gitqueen": {"command": "gitqueen", "args": ["mcp"]}}}))
    call = {"name": "mcp__gitqueen__iam", "input": {"task": "fixing #42"}}
    with kit.messages(tmp_path) as api:
        kit.claude(app, api, [call], "--mcp-config", str(config), "--allowedTools", "mcp__gitqueen__iam")
        assert api.saw('"agent": "claude", "status": "working", "task": "fixing #42"')


@pytest.mark.needs_claude
@pytest.mark.needs_bwrap
@pytest.mark.needs_socat
def test_claude_codes_own_sandbox(repo: Callable[..., Repo], run: Runner, home: Path, tmp_path: Path) -> None:
    app = repo()
    path = settings(".claude/settings.json", '{"sandbox": {"enabled": true, "allowUnsandboxedCommands": false}}\n')
    run("gitqueen", "agents", "install", "claude", "--allow-commands", check=True)
    run("gitqueen", "whoami", check=True)
    iam = {"name": "Bash", "input": {"command": "gitqueen iam 'fixing #42'", "description": "task"}}
    with kit.messages(tmp_path) as api:
        kit.claude(app, api, [iam], name="iza")
        assert api.saw("cannot be written") and api.saw(json.dumps({"allowWrite": [str(home)]})[1:-1])
        run("gitqueen", "agents", "install", "claude", "--allow-sandbox", check=True)
        assert json.loads(path.read_text())["sandbox"]["enabled"] is True
        kit.claude(app, api, [iam], name="iza")
        assert api.saw("iza: fixing #42")


@pytest.mark.needs_codex
@pytest.mark.needs_bwrap
def test_codexs_own_sandbox(repo: Callable[..., Repo], run: Runner, tmp_path: Path) -> None:
    app = repo()
    run("gitqueen", "whoami", check=True)
    # By its path: Codex runs a login shell, whose PATH is the system's.
    iam: list[fakes.Step] = [("exec_command", {"cmd": f"{shlex.quote(hive.gitqueen())} iam 'fixing #42'"})]
    # The test's home is below /tmp, which Codex lets be written.
    no_tmp = [f"sandbox_workspace_write.exclude_{which}=true" for which in ("slash_tmp", "tmpdir_env_var")]
    tight = ["--sandbox", "workspace-write", *(word for setting in no_tmp for word in ("-c", setting))]
    with fakes.model(iam) as model:
        kit.codex(app, model, *tight)
        assert model.saw("cannot be written") and model.saw("sandbox_workspace_write.writable_roots = ")
    run("gitqueen", "agents", "install", "codex", "--allow-sandbox", check=True)
    with fakes.model(iam) as model:
        kit.codex(app, model, *tight)
        assert model.saw(": fixing #42")


@pytest.mark.needs_claude
def test_claude_code_meets_a_sister_by_the_real_door(
    repo: Callable[..., Repo], run: Runner, sister: Callable[..., Sister], tmp_path: Path
) -> None:
    """Installed as by a user: she knows the other from her first turn, gets her mail, may not touch her claim."""
    app = repo("app", {"a.py": "1\n", "b.py": "1\n"})
    app.git("config", "gitqueen.policy", "block")
    run("gitqueen", "agents", "install", "claude", check=True)
    iza = sister("iza", app)
    assert iza.sh("iam 'rewriting a.py' && gitqueen claim a --path a.py -m 'mine'").rc == 0
    edit = {"name": "Write", "input": {"file_path": f"{app.path}/a.py", "content": "2\n"}}
    other = {"name": "Write", "input": {"file_path": f"{app.path}/c.py", "content": "2\n"}}
    with kit.messages(tmp_path) as api:
        kit.claude(app, api, [edit, other], name="una")
        assert api.saw("rewriting a.py"), "onboarded at the start"
    assert (app.path / "a.py").read_text() == "1\n", "what another claimed is not overwritten"
    assert (app.path / "c.py").read_text() == "2\n", "all else is"
    assert iza.sh("gitqueen tell una 'done with a.py'").rc == 0
    with kit.messages(tmp_path) as api:
        kit.claude(app, api, [], name="una")
        assert api.saw("done with a.py"), "her mail is before her at her next prompt"
