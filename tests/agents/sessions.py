"""Real Claude Code sessions that are held open, so that two can be in one checkout at once and take prompts in turn.

What the model was shown is read from the log of the API that only this session talks to.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.agents import kit
from tests.hive import Repo


class Claude:
    """A session that takes one prompt after the other, and the API that only it talks to."""

    def __init__(self, process: subprocess.Popen[bytes], api: kit.Messages) -> None:
        self.process, self.api = process, api

    def prompt(self, *steps: dict[str, Any], words: str = "go") -> str:
        """Have the model call `steps` in turn; what it was shown meanwhile, each thing once."""
        before = self.api.log.stat().st_size
        said = f"{words} @@{json.dumps(list(steps))}@@" if steps else words
        line = json.dumps({"type": "user", "message": {"role": "user", "content": said}})
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        self._answered()
        return self._shown(before)

    def _answered(self) -> None:
        assert self.process.stdout is not None
        deadline, raw = time.monotonic() + kit.PATIENCE, b""
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self.process.stdout], [], [], 1)
            more = os.read(self.process.stdout.fileno(), 1 << 16) if ready else None
            assert more != b"", "claude is gone"
            raw += more or b""
            if any(json.loads(line).get("type") == "result" for line in raw.split(b"\n")[:-1]):
                return
        pytest.fail("claude does not answer")

    def _shown(self, since: int) -> str:
        """All texts sent to the model since then, without what it was sent before and sees again in each request."""
        with open(self.api.log, "rb") as log:
            log.seek(since)
            requests = [said for said in map(json.loads, log) if said.get("tools")]
        return "\n".join(text for said in requests for message in _new(said["messages"]) for text in _texts(message))


def _new(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that came after the model's last word."""
    own = [at for at, message in enumerate(messages) if message["role"] == "assistant"]
    return messages[own[-1] + 1 :] if own else messages


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


@contextmanager
def claude(folder: Repo, box: Path, name: str) -> Iterator[Claude]:
    """The session `name` in `folder`, until the end of the block."""
    (box / name).mkdir()
    words = ["-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"]
    with kit.messages(box / name) as api:
        env = {key: os.environ[key] for key in ("PATH", "HOME", "GITQUEEN_HOME") if key in os.environ}
        env |= {key: value for key, value in os.environ.items() if key.startswith("GIT_")}
        env |= {"GITQUEEN_NAME": name, "ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "dummy", "IS_SANDBOX": "1"}
        env |= dict.fromkeys(("DISABLE_AUTOUPDATER", "DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING"), "1")
        env |= {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "SHELL": "/bin/bash", "LANG": "C.UTF-8"}
        with subprocess.Popen(
            [kit.program("claude"), *words, "--permission-mode", "bypassPermissions"],
            cwd=folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                yield Claude(process, api)
            finally:
                process.kill()


def write(repo: Repo, path: str, text: str) -> dict[str, Any]:
    return {"name": "Write", "input": {"file_path": f"{repo.path}/{path}", "content": text}}


def read(repo: Repo, path: str) -> dict[str, Any]:
    return {"name": "Read", "input": {"file_path": f"{repo.path}/{path}"}}


def bash(line: str) -> dict[str, Any]:
    return {"name": "Bash", "input": {"command": line, "description": "x"}}
