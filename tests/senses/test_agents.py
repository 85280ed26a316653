"""Agents are recognised by what they run, not by what they say; a new one is one more rule."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from gitqueen.senses import agents, processes
from gitqueen.senses.agents import Registration

Start = Callable[..., int]
"""Start a shell copied to `path` with the command line `argv`; its pid."""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    begun: list[subprocess.Popen[bytes]] = []

    def begin(path: str, *argv: str) -> int:
        program = tmp_path / path.lstrip("/")
        program.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(os.path.realpath(shutil.which("sh") or "/bin/sh"), program)
        for word in argv[1:]:
            if word.startswith(os.fspath(tmp_path)):
                Path(word).parent.mkdir(parents=True, exist_ok=True)
                Path(word).write_text("read x\n")
        child = subprocess.Popen(argv or (path,), executable=program, stdin=subprocess.PIPE, cwd=tmp_path)
        begun.append(child)
        # A moment after it began to run the program, its command line is still empty.
        while child.poll() is None and processes.arguments(child.pid) == [""]:
            time.sleep(0.001)
        return child.pid

    yield begin
    for one in begun:
        one.kill()
        one.communicate()


def kind(pid: int) -> str | None:
    seen = processes.look(pid)
    assert seen is not None
    return agents.kind(seen)


@pytest.mark.parametrize(
    ("path", "argv0", "expected"),
    [
        ("bin/claude", "claude", "claude"),
        ("bin/claude.exe", "claude", "claude"),
        (".local/share/claude/versions/2.1.330", "claude", "claude"),
        (".local/share/claude/versions/2.1.330", "2.1.330", "claude"),
        ("lib/node_modules/@anthropic-ai/claude-code/bin/x", "x", "claude"),
        ("bin/claude", "something else", "claude"),
        ("bin/claude", "rg", None),
        ("bin/claude", "/usr/bin/rg", None),
        (".local/share/claude/versions/2.1.330", "ugrep", None),
        ("bin/codex", "codex", "codex"),
        ("bin/codex", "codex-linux-sandbox", None),
        ("bin/codex", "apply_patch", None),
        ("bin/gemini", "gemini", "gemini"),
        ("bin/opencode", "opencode", "opencode"),
        ("bin/aider", "aider", "aider"),
        ("bin/sh", "claude", None),
        ("bin/bash", "codex", None),
        ("bin/claude-helper", "claude-helper", None),
        ("versions/2.1.330", "2.1.330", None),
        ("claude/notes/editor", "editor", None),
    ],
)
def test_the_executable_is_believed_and_its_borrowed_tools_are_not_agents(
    path: str, argv0: str, expected: str | None, start: Start
) -> None:
    assert kind(start(path, argv0)) == expected


@pytest.mark.parametrize(
    ("interpreter", "argv", "expected"),
    [
        ("node", "node {}/bin/gemini", "gemini"),
        ("node", "node --no-warnings {}/bin/gemini -p x", "gemini"),
        ("node22", "node {}/lib/node_modules/@google/gemini-cli/dist/index.js", "gemini"),
        ("node", "node {}/lib/node_modules/@google/gemini-cli-core/dist/index.js", None),
        ("node", "node {}/lib/node_modules/@openai/codex/bin/codex.js", "codex"),
        ("node", "node {}/lib/node_modules/@anthropic-ai/claude-code/cli.js --resume", "claude"),
        ("node", "claude", "claude"),
        ("bun", "bun run {}/bin/opencode", "opencode"),
        ("python3.12", "python {}/bin/aider --yes", "aider"),
        ("python3.12", "python {}/site-packages/aider/__main__.py", "aider"),
        ("node", "node {}/server.js claude", None),
        ("node", "node {}/server.js {}/bin/claude", None),
        ("node", "node -e {}/bin/claude", None),
        ("python3", "python3 -c claude", None),
        ("node", "node", None),
        ("bash", "bash {}/bin/claude", None),
        ("bash", "bash -c claude;read", None),
    ],
)
def test_an_interpreter_is_what_its_script_is_and_a_shell_is_never_an_agent(
    interpreter: str, argv: str, expected: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    # The command line of a real process, but a shell's own would not survive node's options.
    pid = start(f"bin/{interpreter}", argv.split()[0])
    words = argv.format(tmp_path, tmp_path).split() if "{}" in argv else argv.split()
    monkeypatch.setattr(processes, "arguments", lambda seen: words if seen == pid else [])
    assert kind(pid) == expected


def test_python_running_aider_is_aider_by_its_real_command_line(tmp_path: Path) -> None:
    script = tmp_path / "aider"
    script.write_text("print('there'); input()")
    argv = [sys.executable, "-u", "-I", os.fspath(script)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline() == b"there\n"
        assert kind(child.pid) == "aider"
        child.kill()


def test_an_agent_that_replaced_its_own_file_is_still_one(tmp_path: Path, start: Start) -> None:
    pid = start("bin/claude", "claude")
    (tmp_path / "bin/claude").unlink()
    assert kind(pid) == "claude"


def test_an_agent_that_lets_nobody_look_into_it_is_known_by_the_name_it_was_started_by() -> None:
    hide = "import ctypes; libc = ctypes.CDLL(None); libc.prctl(15, b'codex', 0, 0, 0); libc.prctl(4, 0, 0, 0, 0);"
    hide += "print(flush=True); input()"
    if not hasattr(ctypes.CDLL(None), "prctl"):
        pytest.fail("no prctl: which system is this?")
    with subprocess.Popen([sys.executable, "-c", hide], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as hidden:
        assert hidden.stdout is not None
        hidden.stdout.readline()
        assert _as_nobody(lambda: (processes.executable(hidden.pid), kind(hidden.pid)) == ("", "codex"))
        hidden.kill()


def _as_nobody(holds: Callable[[], bool]) -> bool:
    """Whether `holds` says yes to somebody who may not look into every process: root may."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fork beside the threads of pytest-xdist
        child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os._exit(0 if holds() else 1)
        finally:
            os._exit(2)
    return os.waitpid(child, 0)[1] == 0


def test_the_nearest_agent_of_a_chain_is_meant(start: Start) -> None:
    outer, shell, inner = (processes.look(start(f"bin/{name}", name)) for name in ("codex", "sh", "claude"))
    assert outer and shell and inner
    assert agents.nearest([shell, outer]) == (outer, "codex")
    assert agents.nearest([inner, shell, outer]) == (inner, "claude")
    assert agents.nearest([shell]) is None
    assert agents.nearest([]) is None


def test_the_environment_tells_sessions_and_pids_and_nothing_else() -> None:
    env = {"CLAUDE_CODE_SESSION_ID": "c-1", "CODEX_THREAD_ID": "x-1", "CLAUDE_PID": "77"}
    assert agents.session_id(env, "claude") == "c-1"
    assert agents.session_id(env, "codex") == "x-1"
    assert agents.session_id(env, "human") is None
    assert agents.session_id({}, "claude") is None
    assert agents.session_ids(env) == ["c-1", "x-1"]
    assert agents.hinted_pid(env) == 77


@pytest.mark.parametrize("said", ["", "0", "-1", "1.5", " 7", "x", "²", "9" * 5000, "99999999999"])
def test_what_is_no_pid_points_at_nobody(said: str) -> None:
    assert agents.hinted_pid({"CLAUDE_PID": said}) is None


def registry(env: Mapping[str, str], pid: int, text: str | bytes) -> None:
    folder = Path(env["CLAUDE_CONFIG_DIR"], "sessions")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{pid}.json").write_bytes(text if isinstance(text, bytes) else text.encode())


ENTRY = {"pid": 7, "sessionId": "s-1", "procStart": "100", "name": "p1-cc", "nameSource": "derived", "status": "busy"}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, Registration(None, "s-1", "working")),
        ({"name": "my app", "nameSource": "user"}, Registration("my app", "s-1", "working")),
        ({"name": "my app", "nameSource": "peer"}, Registration("my app", "s-1", "working")),
        ({"name": "my app", "nameSource": None}, Registration(None, "s-1", "working")),
        ({"name": "my app", "nameSource": ["user"]}, Registration(None, "s-1", "working")),
        ({"name": 5, "nameSource": "user", "sessionId": 6, "status": {}}, Registration(None, None, None)),
        ({"procStart": 100}, Registration(None, "s-1", "working")),
        ({"procStart": "101"}, None),
        ({"procStart": None}, None),
    ],
)
def test_the_registry_is_believed_for_the_process_it_is_of(
    changed: dict[str, object], expected: Registration | None
) -> None:
    registry(os.environ, 7, json.dumps({**ENTRY, **changed}))
    assert agents.registered(7, 100, os.environ) == expected


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"7", b"[" * 60000, json.dumps(ENTRY).encode()[:-9], b" " * 70000],
    ids=range(9),
)
def test_a_registry_that_says_no_such_thing_says_nothing(text: bytes) -> None:
    registry(os.environ, 7, text)
    assert agents.registered(7, 100, os.environ) is None


def test_a_registry_that_is_no_file_says_nothing() -> None:
    assert agents.registered(7, 100, os.environ) is None
    registry(os.environ, 8, "{}")
    folder = Path(os.environ["CLAUDE_CONFIG_DIR"], "sessions")
    os.mkfifo(folder / "7.json")
    (folder / "9.json").mkdir()
    assert agents.registered(7, 100, os.environ) is None
    assert agents.registered(9, 100, os.environ) is None


def test_the_registry_stands_in_the_home_unless_claude_was_told_otherwise() -> None:
    registry(os.environ, 7, json.dumps(ENTRY))
    assert agents.registered(7, 100, {"HOME": os.environ["HOME"]}) is not None
    assert agents.registered(7, 100, {"HOME": os.environ["HOME"], "CLAUDE_CONFIG_DIR": "/nowhere"}) is None


def test_each_sandbox_has_the_line_that_lets_it_write() -> None:
    assert agents.RULES[0].writable is not None and agents.RULES[1].writable is not None
    claude = agents.RULES[0].writable.partition(": ")[2].replace("FOLDER", "/q")
    assert json.loads(claude) == {"sandbox": {"filesystem": {"allowWrite": ["/q"]}}}
    import tomllib

    codex = agents.RULES[1].writable.partition(": ")[2].replace("FOLDER", "/q")
    assert tomllib.loads(codex) == {"sandbox_workspace_write": {"writable_roots": ["/q"]}}
