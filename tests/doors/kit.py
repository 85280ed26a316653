"""What tests of the agents' doors are played with: real payloads of agents, and sessions that send them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gitqueen.git import hooktext
from tests.hive import Repo, Runner, Sister

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
DOOR = hooktext.tool().door


def claude(event: str) -> dict[str, Any]:
    """A real payload of Claude Code: `claude("PreToolUse:Edit")`."""
    found = json.loads((SAMPLES / "claude-hooks.json").read_text())["samples"][event]
    assert isinstance(found, dict)
    return found


def recorded(agent: str) -> list[dict[str, Any]]:
    """The real payloads of one session of Codex or Gemini, in their order."""
    return [one["stdin"] for one in json.loads((SAMPLES / f"{agent}-hooks.json").read_text())]


class Session:
    """An agent's session: a process that is recognised as that agent, and whose hooks are its children."""

    def __init__(self, sister: Sister, folder: str | os.PathLike[str], agent: str = "claude", id: str = "s-1") -> None:
        self.sister, self.folder, self.agent, self.id, self.count = sister, os.fspath(folder), agent, id, 0

    def send(self, payload: Mapping[str, object] | bytes) -> dict[str, Any]:
        """What the door says to a payload, parsed; {} for silence. It always exits 0 and says nothing on stderr."""
        self.count += 1
        file = Path(self.sister.box, f"payload-{self.count}")
        file.write_bytes(payload if isinstance(payload, bytes) else json.dumps(payload).encode())
        done = self.sister.sh(f"{sys.executable} -I -S {DOOR} agent {self.agent} <{file}")
        assert (done.rc, done.err) == (0, "")
        return dict(json.loads(done.out)) if done.out else {}

    def event(self, sample: str, **changed: object) -> dict[str, Any]:
        """Send one of Claude's samples as of this session, with `changed` fields."""
        return self.send({**claude(sample), "cwd": self.folder, "session_id": self.id, **changed})

    def start(self, source: str = "startup") -> str:
        return context(self.event(f"SessionStart:{source}"), "SessionStart")

    def prompt(self) -> str:
        """What she is told at a prompt of hers, empty for nothing."""
        return context(self.event("UserPromptSubmit"), "UserPromptSubmit")

    def before(self, path: str | os.PathLike[str]) -> dict[str, Any]:
        return self.event("PreToolUse:Edit", tool_input={"file_path": self._path(path), "old_string": "a"})

    def edits(self, path: str, text: str) -> dict[str, Any]:
        """Write a file as the agent's tool does: asked before, told after; what was said before."""
        said = self.before(path)
        file = Path(self.folder, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        assert self.event("PostToolUse:Write", tool_input={"file_path": self._path(path), "content": text}) == {}
        return said

    def command(self, line: str) -> dict[str, Any]:
        return self.event("PreToolUse:Bash", tool_input={"command": line, "description": "x"})

    def _path(self, path: str | os.PathLike[str]) -> str:
        return os.path.join(self.folder, path)


def context(answer: Mapping[str, Any], event: str) -> str:
    """The words that the model is given, and nothing else: never a permission."""
    if not answer:
        return ""
    assert list(answer) == ["hookSpecificOutput"]
    said = answer["hookSpecificOutput"]
    assert said.keys() == {"hookEventName", "additionalContext"} and said["hookEventName"] == event
    return str(said["additionalContext"])


def warning(answer: Mapping[str, Any]) -> str:
    return context(answer, "PreToolUse")


def refusal(answer: Mapping[str, Any]) -> str:
    """The reason of a "no"."""
    said = answer["hookSpecificOutput"]
    assert said.keys() == {"hookEventName", "permissionDecision", "permissionDecisionReason"}
    assert (said["hookEventName"], said["permissionDecision"]) == ("PreToolUse", "deny")
    return str(said["permissionDecisionReason"])


def crashes() -> str:
    log = Path(os.environ["GITQUEEN_HOME"], "crash.log")
    return log.read_text("utf-8", "replace") if log.exists() else ""


def sisters(repo: Repo) -> list[dict[str, Any]]:
    return list(json.loads(Runner(repo.path)("gitqueen", "status", "--json", check=True).stdout)["sisters"])


def raw(payload: bytes, agent: str = "claude") -> subprocess.CompletedProcess[bytes]:
    """The door run by nobody in particular."""
    return subprocess.run(
        [sys.executable, "-I", "-S", DOOR, "agent", agent], input=payload, capture_output=True, timeout=60, check=False
    )


def later(file: Path) -> None:
    """Have it been written a while from now, when nobody's formatter is at work any more."""
    os.utime(file, (time.time() + 60,) * 2)
