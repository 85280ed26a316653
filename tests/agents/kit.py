"""Real agents, run once each, offline: Claude Code, Codex and Gemini CLI as tests/run installs them.

Each in the test's own home, with a fake model that says what the test wants called. Claude and its fake come from the
tools beside the checkout, where they are.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import gitqueen
from tests import conftest
from tests.agents.fakes import Model

CHECKOUT = Path(gitqueen.__file__).parents[1]
TOOLS = CHECKOUT.parent / "shared" / "tools"
PATIENCE = 100.0

CANARY = '''\
"""Stands in for the door: tells what it was called with, and says a word at the start of a session."""
import json, os, sys
said = sys.stdin.read()
line = json.dumps({"argv": sys.argv[1:], "said": json.loads(said)}) + "\\n"
with open(os.path.join(os.environ["GITQUEEN_HOME"], "canary"), "a") as file:
    file.write(line)
event = json.loads(said)["hook_event_name"]
if event == "SessionStart":
    print(json.dumps({"hookSpecificOutput": {"hookEventName": event, "additionalContext": "CANARY-SINGS"}}))
'''


def program(kind: str) -> str:
    return os.path.join(conftest.CACHE, "agents", kind, "node_modules", ".bin", kind)


def with_canary(folder: Path) -> Path:
    """A copy of gitqueen whose door is a canary; run it with PYTHONPATH."""
    shutil.copytree(CHECKOUT / "gitqueen", folder / "gitqueen", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "gitqueen" / "cli" / "hook.py").write_text(CANARY)
    return folder


def canary() -> list[tuple[list[str], dict[str, Any]]]:
    """(arguments, JSON) of each call of the canary so far."""
    path = Path(os.environ["GITQUEEN_HOME"], "canary")
    lines = path.read_text().splitlines() if path.exists() else []
    return [(said["argv"], said["said"]) for said in map(json.loads, lines)]


def heard() -> list[str]:
    """`PreToolUse:Write`, `Stop`...: what the canary was called for."""
    return [f"{said['hook_event_name']}:{said.get('tool_name', '')}".rstrip(":") for _, said in canary()]


class Messages:
    """The fake Messages API for Claude Code; its log holds what the model was shown."""

    def __init__(self, url: str, log: Path) -> None:
        self.url, self.log = url, log

    def saw(self, text: str) -> bool:
        return json.dumps(text)[1:-1] in self.log.read_text("utf-8")


@contextmanager
def messages(box: Path) -> Iterator[Messages]:
    if not TOOLS.is_dir():
        pytest.skip(f"{TOOLS} is not here: it starts the real Claude Code")
    log = box / "api.jsonl"
    log.touch()
    api = [sys.executable, os.fspath(TOOLS / "fake_messages_api.py"), "0", os.fspath(log)]
    with subprocess.Popen(api, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            assert select.select([process.stdout], [], [], PATIENCE)[0], "the fake API does not start"
            port = process.stdout.readline().split()[1].decode()
            yield Messages(f"http://127.0.0.1:{port}", log)
        finally:
            process.kill()


def claude(
    folder: os.PathLike[str], api: Messages, steps: Sequence[dict[str, Any]], *options: str, name: str | None = None
) -> subprocess.CompletedProcess[str]:
    """One prompt, in which the model calls `steps` ({"name": "Write", "input": {...}}) in turn."""
    env = {**os.environ, "CLAUDE": program("claude"), "API": api.url, "HOME_DIR": os.environ["HOME"]}
    env |= {"GITQUEEN_NAME": name} if name else {}
    script = [os.fspath(TOOLS / "run_claude_offline.sh"), os.fspath(folder), f"go @@{json.dumps(list(steps))}@@"]
    return _ran(["bash", *script, *options], folder, env)


def codex(folder: os.PathLike[str], model: Model, *options: str) -> subprocess.CompletedProcess[str]:
    fake = f'model_providers.fake={{name="fake",base_url="{model.url}/v1",wire_api="responses",env_key="FAKE_KEY"}}'
    loose = () if "--sandbox" in options else ("--dangerously-bypass-approvals-and-sandbox",)
    words = ["exec", *loose, *options, "-c", 'model_provider="fake"', "-c", fake]
    env = {**os.environ, "FAKE_KEY": "x", "PATH": os.pathsep.join((_codex_sandbox(), os.environ["PATH"]))}
    return _ran([program("codex"), *words, "go"], folder, env)


def _codex_sandbox() -> str:
    """A folder with Codex's sandbox helper, which is Codex by that name: it makes none in a home below /tmp."""
    folder = os.path.join(os.environ["HOME"], ".codex-helper")
    helper = os.path.join(folder, "codex-linux-sandbox")
    if not os.path.lexists(helper):
        os.makedirs(folder, exist_ok=True)
        [codex] = Path(program("codex")).parents[1].glob("@openai/codex-*/vendor/*/bin/codex")
        os.symlink(codex, helper)
    return folder


def codex_hooks(folder: os.PathLike[str]) -> dict[str, tuple[str, str]]:
    """What Codex itself says of its hooks: key -> hash, whether it trusts it."""
    calls: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": {"clientInfo": {"name": "t", "title": "t", "version": "1"}}},
        {"method": "initialized"},
        {"id": 2, "method": "hooks/list", "params": {"cwds": [os.fspath(folder)]}},
    ]
    calls[0]["params"]["capabilities"] = {"experimentalApi": True}
    server = [program("codex"), "app-server"]
    deadline = time.monotonic() + PATIENCE
    with subprocess.Popen(
        server, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write("".join(json.dumps(call) + "\n" for call in calls))
            process.stdin.flush()
            while time.monotonic() < deadline:
                said = json.loads(process.stdout.readline())
                if said.get("id") == 2:
                    hooks = said["result"]["data"][0]["hooks"]
                    return {hook["key"]: (hook["currentHash"], hook["trustStatus"]) for hook in hooks}
        finally:
            process.kill()
    raise AssertionError("codex does not answer")


def gemini(folder: os.PathLike[str], model: Model, *options: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "GEMINI_API_KEY": "x", "GOOGLE_GEMINI_BASE_URL": model.url, "GEMINI_CLI_NO_RELAUNCH": "true"}
    words = ["-p", "go", "--approval-mode", "yolo", "-m", "gemini-2.5-flash", *options]
    return _ran([program("gemini"), *words], folder, env)


def _ran(words: Sequence[str], folder: os.PathLike[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        words, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done
