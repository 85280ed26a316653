"""agents install, uninstall, status, brief: as a person types them, asks and is asked."""

from __future__ import annotations

import json
import os
import shlex
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import hive
from tests.hive import Repo, Runner, Sister

OFFERS = """\
    --allow-commands: iam, inbox, tell and the like run without a prompt
    --allow-sandbox: its sandbox lets gitqueen write the queen's folder
    --statusline: name, task, mail and conflicts in its status line
"""


@pytest.fixture
def settings(sealed: Path) -> Path:
    path = sealed / ".claude" / "settings.json"
    path.parent.mkdir()
    path.write_text('{\n  "model": "opus"\n}\n')
    return path


def test_from_install_to_uninstall(run: Runner, settings: Path) -> None:
    before = settings.read_text()
    done = run("gitqueen", "agents", "status", "claude")
    assert (done.returncode, done.stdout) == (
        1,
        "✗ claude  not armed   ~/.claude/settings.json\n    → gitqueen agents install claude\n",
    )
    done = run("gitqueen", "agents", "install", "claude", "--dry-run")
    assert (done.returncode, done.stdout) == (0, "claude: would change\n    ~/.claude/settings.json: our hooks\n")
    assert settings.read_text() == before
    done = run("gitqueen", "agents", "install", "claude")
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"✓ claude is armed\n    ~/.claude/settings.json: our hooks\n{OFFERS}",
        "",
    )
    assert run("gitqueen", "agents", "install", "claude").stdout == f"✓ claude is armed already\n{OFFERS}"
    done = run("gitqueen", "agents", "status", "claude")
    assert (done.returncode, done.stdout) == (0, "✓ claude  armed   ~/.claude/settings.json\n")
    done = run("gitqueen", "agents", "uninstall")
    assert (done.returncode, done.stdout) == (
        0,
        (
            "✓ claude is disarmed\n    ~/.claude/settings.json: byte for byte what it was\n"
            "✓ codex was not armed\n✓ gemini was not armed\n"
        ),
    )
    assert settings.read_text() == before


def test_codex_says_that_it_must_be_trusted(run: Runner) -> None:
    done = run("gitqueen", "agents", "install", "codex")
    assert (done.returncode, done.stdout) == (
        0,
        (
            "✓ codex is armed\n"
            "    ~/.codex/hooks.json: our hooks\n"
            "  ⚠ codex runs no hook before you trust it: in codex, /hooks, trust gitqueen's\n"
            "    --allow-sandbox: its sandbox lets gitqueen write the queen's folder\n"
        ),
    )
    assert run("gitqueen", "agents", "status", "codex").returncode == 1


def test_the_shape(run: Runner, settings: Path) -> None:
    run("gitqueen", "agents", "install", "claude", "--statusline", check=True)
    said = json.loads(run("gitqueen", "agents", "status", "claude", "--json", check=True).stdout)
    assert said == {
        "schema": 1,
        "agents": [
            {
                "agent": "claude",
                "path": str(settings),
                "state": "armed",
                "works": True,
                "trusted": None,
                "switched_off": None,
                "extras": ["statusline"],
                "offers": ["commands", "sandbox"],
                "changes": [],
                "notes": [],
                "fault": None,
                "hint": None,
            }
        ],
        "dry_run": False,
    }


def test_what_cannot_be_read_exits_4_with_the_place(run: Runner, settings: Path) -> None:
    settings.write_text('{\n  // mine\n  "model": "opus"\n}\n')
    for command in ("install", "uninstall", "status"):
        done = run("gitqueen", "agents", command, "claude")
        assert (done.returncode, done.stdout) == (
            4,
            (
                f"✗ claude: {settings} is no JSON: line 2, column 3: comments are no JSON\n"
                "    → mend it there (comments must go), then run this again\n"
            ),
        )
    assert settings.read_text() == '{\n  // mine\n  "model": "opus"\n}\n'


@pytest.mark.needs_bwrap
def test_a_folder_that_cannot_be_written_exits_4_and_leaves_all(run: Runner, settings: Path, tmp_path: Path) -> None:
    before, queen = settings.read_bytes(), {"GITQUEEN_HOME": str(tmp_path / "queen")}
    box = f"bwrap --dev-bind / / --ro-bind {settings.parent} {settings.parent} {hive.gitqueen()} agents install claude"
    done = run(*box.split(), env=queen)
    assert done.returncode == 4
    assert "cannot be written: Read-only file system\n    → look at the rights of" in done.stdout
    assert settings.read_bytes() == before and os.listdir(settings.parent) == ["settings.json"]


def test_an_agent_that_we_do_not_know(run: Runner) -> None:
    done = run("gitqueen", "agents", "install", "aider")
    assert (done.returncode, done.stderr) == (
        2,
        (
            "gitqueen: 'aider' is no agent whose hooks we know\n"
            "  → one of claude, codex, gemini; for others: gitqueen agents brief, gitqueen mcp\n"
        ),
    )


def test_nobody_there(run: Runner) -> None:
    env = {"PATH": "/usr/bin:/bin"}
    for command in ("install", "status"):
        done = run(hive.gitqueen(), "agents", command, env=env)
        assert (done.returncode, done.stdout) == (
            0,
            "no agent that has hooks is on this machine   (name one: gitqueen agents install claude)\n",
        )


def test_on_a_terminal_each_offer_is_asked_once(settings: Path) -> None:
    install = ("gitqueen", "agents", "install", "claude")
    code, said = hive.on_a_terminal("y\nn\n", *install)
    assert code == 0
    assert said.count("Let claude run iam, inbox, tell and the like without a prompt? [y/N]") == 1
    assert said.count("Let gitqueen write the queen's folder inside claude's sandbox? [y/N]") == 1
    assert "Bash(gitqueen inbox:*)" in settings.read_text() and "allowWrite" not in settings.read_text()
    code, said = hive.on_a_terminal("", *install)
    assert code == 0 and "?" not in said, "who said no is not asked again"


def test_the_command_says_nothing_once_the_installation_is_gone(
    run: Runner, tmp_path: Path, sealed: Path, settings: Path
) -> None:
    run("gitqueen", "agents", "install", "claude", check=True)
    command = json.loads(settings.read_text())["hooks"]["Stop"][0]["hooks"][0]["command"]
    door = command.partition("test -r ")[2].partition(" ")[0]
    for gone in (command.replace(door, "/gone/hook.py"), command.replace(shlex.quote(sys.executable), "/gone/python")):
        for shell in ("sh", "bash"):
            done = run(shell, "-c", gone, input="{}")
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def writable(kind: str, home: Path) -> list[str]:
    """The folders that the agent's sandbox lets be written, as its own settings say."""
    if kind == "claude":
        folders = json.loads((home / ".claude/settings.json").read_text())["sandbox"]["filesystem"]["allowWrite"]
    elif kind == "codex":
        folders = tomllib.loads((home / ".codex/config.toml").read_text())["sandbox_workspace_write"]["writable_roots"]
    else:
        mounts = next(line for line in (home / ".gemini/.env").read_text().splitlines() if line[0] != "#")
        folders = [mounts.removeprefix("SANDBOX_MOUNTS=").split(":")[0]]
    return [str(folder) for folder in folders]


@pytest.mark.needs_bwrap
@pytest.mark.parametrize("kind", ["claude", "codex", "gemini"])
def test_what_the_settings_let_be_written_is_what_the_hive_needs(
    kind: str, run: Runner, sister: Callable[..., Sister], repo: Callable[..., Repo], sealed: Path, home: Path
) -> None:
    """A sandbox that writes nothing but what the settings say."""
    iza = sister("iza", repo())
    assert iza.sh("gitqueen whoami").rc == 0
    tight = "bwrap --ro-bind / / --dev /dev --proc /proc"
    refused = iza.sh(f"{tight} gitqueen iam 'a task'")
    assert refused.rc == 4 and "cannot be written" in refused.err
    run("gitqueen", "agents", "install", kind, "--allow-sandbox", check=True)
    said = writable(kind, sealed)
    binds = " ".join(f"--bind {path} {path}" for path in said)
    assert iza.sh(f"{tight} {binds} gitqueen iam 'a task'") == (0, "📌 iza: a task\n", "")


@pytest.mark.parametrize("text", [None, "", "# Mine\n", "# Mine", "# Mine\r\n\r\nwords\r\n", "é\n\n\n"])
def test_the_brief_comes_and_goes_without_a_trace(text: str | None, run: Runner, tmp_path: Path) -> None:
    file = tmp_path / "AGENTS.md"
    if text is not None:
        file.write_text(text, newline="")
    for words in ("has it now", "has it already"):
        done = run("gitqueen", "agents", "brief", "--write", "AGENTS.md")
        assert (done.returncode, done.stdout) == (0, f"✓ AGENTS.md {words}\n")
    said = file.read_bytes().decode()
    assert said.startswith(text or "") and said.count("<!-- gitqueen:begin -->") == 1
    brief = run("gitqueen", "agents", "brief").stdout
    assert brief in said.replace("\r\n", "\n") and 'iam "' in brief
    for words in ("is as it was", "does not have it"):
        done = run("gitqueen", "agents", "brief", "--write", "AGENTS.md", "--remove")
        assert (done.returncode, done.stdout) == (0, f"✓ AGENTS.md {words}\n")
    assert (file.read_bytes().decode() if file.exists() else None) == text


def test_the_brief_names_only_commands_that_there_are(run: Runner) -> None:
    from gitqueen.cli import main

    words = [
        part.split()[1] for part in run("gitqueen", "agents", "brief").stdout.split("`") if part[:9] == "gitqueen "
    ]
    assert words and set(words) <= set(main.COMMANDS)


def test_the_brief_is_taken_from_no_file(run: Runner) -> None:
    done = run("gitqueen", "agents", "brief", "--remove")
    assert (done.returncode, done.stderr) == (
        2,
        "gitqueen: --remove from which file?\n  → gitqueen agents brief --write AGENTS.md --remove\n",
    )
