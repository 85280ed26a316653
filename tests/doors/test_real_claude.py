"""Two real Claude Code sessions in one checkout, at once, through the hooks that `agents install` wrote.

What the model was shown is read from the log of the API that it talked to.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.agents import kit as clients
from tests.hive import Repo, Runner

pytestmark = [pytest.mark.needs_claude, pytest.mark.timeout(300)]


class Claude:
    """A session that takes one prompt after the other, and the API that only it talks to."""

    def __init__(self, process: subprocess.Popen[bytes], api: clients.Messages) -> None:
        self.process, self.api, self.read = process, api, 0

    def prompt(self, *steps: dict[str, Any], words: str = "go") -> str:
        """Have the model call `steps` in turn; what it was shown meanwhile."""
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
        deadline, raw = time.monotonic() + clients.PATIENCE, b""
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self.process.stdout], [], [], 1)
            more = os.read(self.process.stdout.fileno(), 1 << 16) if ready else None
            assert more != b"", "claude is gone"
            raw += more or b""
            if any(json.loads(line).get("type") == "result" for line in raw.split(b"\n")[:-1]):
                return
        pytest.fail("claude does not answer")

    def _shown(self, since: int) -> str:
        """All texts of the messages that were sent to the model since then."""
        with open(self.api.log, "rb") as log:
            log.seek(since)
            lines = [json.loads(line) for line in log]
        return "\n".join(text for line in lines for message in line.get("messages", []) for text in _texts(message))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


@contextmanager
def claude(folder: Repo, box: Path, name: str) -> Iterator[Claude]:
    (box / name).mkdir()
    words = ["-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"]
    with clients.messages(box / name) as api:
        env = {key: os.environ[key] for key in ("PATH", "HOME", "GITQUEEN_HOME") if key in os.environ}
        env |= {key: value for key, value in os.environ.items() if key.startswith("GIT_")}
        env |= {"GITQUEEN_NAME": name, "ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "dummy", "IS_SANDBOX": "1"}
        env |= dict.fromkeys(("DISABLE_AUTOUPDATER", "DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING"), "1")
        env |= {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "SHELL": "/bin/bash", "LANG": "C.UTF-8"}
        with subprocess.Popen(
            [clients.program("claude"), *words, "--permission-mode", "bypassPermissions"],
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


def test_the_index_of_two_is_committed_by_neither_for_the_other(app: Repo, tmp_path: Path) -> None:
    with claude(app, tmp_path, "ada") as ada, claude(app, tmp_path, "bob") as bob:
        ada.prompt(read(app, "a.py"), write(app, "a.py", "hers\n"), bash("git add a.py"))
        shown = bob.prompt(
            read(app, "b.py"), write(app, "b.py", "his\n"), bash("git add b.py; git commit -qm his 2>&1")
        )
        assert "ada [main] wrote a.py in this worktree" in shown, "incident 4"
        assert "git commit --only -- b.py" in shown
        assert "- bob committed a.py, which you had edited" in ada.prompt()


def test_the_branch_is_not_switched_in_silence(app: Repo, tmp_path: Path) -> None:
    with claude(app, tmp_path, "ada") as ada, claude(app, tmp_path, "bob") as bob:
        ada.prompt(bash("gitqueen iam 'rewriting a.py'"))
        shown = bob.prompt(bash("git switch -c feat 2>&1"))
        assert 'would switch the branch under ada, in the same worktree (on "rewriting a.py")' in shown, (
            "incidents 1, 8"
        )
        assert "you switched the branch under ada" in shown, "git's own hook says it too"
        assert "bob switched the branch under you" in ada.prompt()
