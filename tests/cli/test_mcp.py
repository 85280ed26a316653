"""The MCP server: two agents without hooks work with each other through the SDK's own client."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client.session import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests import hive
from tests.hive import Repo, Runner

TOOLS = "status onboard iam tell inbox ack claim release check conflicts".split()


class Client:
    """An agent's side of the server."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session

    async def __call__(self, tool: str, **arguments: object) -> dict[str, Any]:
        """What the tool said; of a fault the error."""
        done = await self.session.call_tool(tool, arguments)
        [content] = done.content
        said = json.loads(content.text)  # type: ignore[union-attr]
        assert done.is_error == ("error" in said)
        assert isinstance(said, dict)
        return said


@asynccontextmanager
async def client(repo: Repo, name: str | None = None) -> AsyncIterator[Client]:
    """A server under a shell of its own, as an agent starts it."""
    env = {**os.environ, **({"GITQUEEN_NAME": name} if name else {})}
    # The shell lives on as the agent does; its server is a child.
    script = f"export GITQUEEN_PID=$$; {shlex.quote(hive.gitqueen())} mcp; true"
    server = StdioServerParameters(command="sh", args=["-c", script], env=env, cwd=repo.path)
    async with stdio_client(server) as (reading, writing), ClientSession(reading, writing) as session:
        await session.initialize()
        yield Client(session)


def test_two_agents_meet(repo: Callable[..., Repo]) -> None:
    app = repo("app", {"a.py": "1\n"})
    tree = app.worktree("side")

    async def play() -> None:
        async with AsyncExitStack() as stack:
            iza = await stack.enter_async_context(client(app, "iza"))
            una = await stack.enter_async_context(client(tree, "una"))
            assert sorted(tool.name for tool in (await iza.session.list_tools()).tools) == sorted(TOOLS)

            assert (await iza("iam", task="fixing the login, #42"))["sister"]["task"] == "fixing the login, #42"
            twin = (await una("iam", task="the login of #42"))["duplicates"]
            assert [one["sisters"] for one in twin] == [["iza", "una"]]

            known = await una("onboard")
            assert (known["schema"], known["name"]) == (1, "una")
            assert [(one["name"], one["task"]) for one in known["sisters"]] == [("iza", "fixing the login, #42")]

            sent = await una("tell", name="iza", message="yours or mine? \u202e", urgent=True)
            assert sent["to"] == ["iza"]
            [letter] = [one for one in (await iza("inbox"))["messages"] if one["from"] != "queen"]
            assert (letter["from"], letter["body"], letter["priority"]) == ("una", "yours or mine? \u202e", "urgent")
            assert (await iza("inbox"))["messages"] == []
            assert (await iza("ack", ids=[sent["id"]])) == {"schema": 1, "acknowledged": [sent["id"]]}
            assert (await una("ack", ids=[sent["id"]]))["error"]["code"] == "no"

            taken = await iza("claim", id="login", paths=["*.py"], description="mine", ttl="1h")
            assert (taken["claim"]["owner"], taken["held_by"]) == ("iza", None)
            assert (await una("claim", id="login"))["held_by"]["owner"] == "iza"
            [collision] = (await una("check", paths=["a.py"]))["collisions"]
            assert (collision["path"], collision["sister"]) == ("a.py", "iza")
            assert (await una("release", id="login"))["error"]["code"] == "no"
            assert (await iza("release", id="login"))["claim"]["id"] == "login"

            assert {one["name"] for one in (await iza("status"))["sisters"]} == {"iza", "una"}
            assert [one["type"] for one in (await iza("conflicts"))["conflicts"]] == ["duplicate-task"]

    anyio.run(play)


def test_each_call_may_say_where_it_is_about(repo: Callable[..., Repo]) -> None:
    app, other = repo("app"), repo("other")

    async def play() -> None:
        async with client(app, "iza") as iza:
            assert (await iza("iam", task="a", cwd=str(other.path)))["sister"]["repo"] == str(other.path)
            assert (await iza("iam", task="a"))["sister"]["repo"] == str(app.path)
            fault = (await iza("check", cwd="/nowhere/at all"))["error"]
            assert fault["message"] == "'/nowhere/at all' is no folder"

    anyio.run(play)


def test_faults_are_answers_and_the_server_lives_on(repo: Callable[..., Repo], home: Path) -> None:
    async def play() -> None:
        async with client(repo(), "iza") as iza:
            assert (await iza("tell", name="nobody", message="x"))["error"]["code"] == "no"
            assert (await iza("claim", id="a b"))["error"]["code"] == "usage"
            assert (await iza("claim", id="a", ttl="soon"))["error"]["code"] == "usage"
            assert (await iza("iam", task="x", done=True))["error"]["code"] == "usage"
            assert (await iza("iam"))["sister"]["name"] == "iza"

    anyio.run(play)
    assert not (home / "crash.log").exists()


def test_an_answer_holds_nothing_raw(repo: Callable[..., Repo]) -> None:
    async def play() -> None:
        async with client(repo(), "iza") as iza:
            await iza("tell", name="iza", message="\x1b[31m \u202e \x9b")
            done = await iza.session.call_tool("inbox", {})
            text = done.content[0].text  # type: ignore[union-attr]
            assert done.structured_content is None
            assert '"\\u001b[31m \\u202e \\u009b"' in text

    anyio.run(play)


def test_without_the_sdk_it_says_what_to_install(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "mcp").mkdir()
    (tmp_path / "mcp" / "__init__.py").write_text("raise ImportError('not here')\n")
    done = run(sys.executable, "-m", "gitqueen", "mcp", env={"PYTHONPATH": os.fspath(tmp_path)})
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == (
        "gitqueen: the MCP SDK is not installed beside gitqueen\n"
        "  → pipx install 'gitqueen[mcp]'   (or: pip install 'gitqueen[mcp]', into the same environment)\n"
    )


@pytest.mark.parametrize("said", ["", "no json\n", '{"jsonrpc": "2.0"}\n'])
def test_nonsense_on_stdin_is_no_crash(said: str, run: Runner, home: Path) -> None:
    assert run("gitqueen", "mcp", input=said).returncode == 0
    assert not (home / "crash.log").exists()
