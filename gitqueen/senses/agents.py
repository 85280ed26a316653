"""Agents: which process is an AI session, and what the agent itself says about it.

The rules are data: a new agent is one more `Rule`. The executable is believed, what a process calls itself only where
an interpreter runs a script. Claude's registry is undocumented: absent, half-written or changed, it tells nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gitqueen.model.processes import Process
from gitqueen.senses import processes


@dataclass(frozen=True, slots=True)
class Rule:
    """How one agent's processes look."""

    kind: str
    programs: tuple[str, ...]
    """Names of its executable, and of its script under an interpreter."""
    paths: tuple[str, ...] = ()
    """What the path of its executable or script holds, whatever the file is called."""
    tools: tuple[str, ...] = ()
    """What its executable is called by when it only lends itself as a tool."""
    servants: tuple[str, ...] = ()
    """The first word of its command line when it serves other sessions and is none."""
    working: str = ""
    """How the title of its window begins while it works: one of these characters."""
    session: str | None = None
    """The variable by which its children know their session."""
    pid: str | None = None
    """The variable by which its children know its process."""
    writable: str | None = None
    """Where, and by which line, its sandbox lets its children write to a folder."""


RULES = (
    Rule(
        "claude",
        ("claude", "claude.exe"),
        ("/claude/versions/", "/@anthropic-ai/claude-code/"),
        ("rg", "ugrep", "grep", "bfs", "find", "fd"),
        ("mcp", "daemon", "--bg-pty-host", "--bg-spare"),
        "◐◑◒◓⠂⠐",
        "CLAUDE_CODE_SESSION_ID",
        "CLAUDE_PID",
        'in ~/.claude/settings.json: {"sandbox": {"filesystem": {"allowWrite": ["FOLDER"]}}}',
    ),
    Rule(
        "codex",
        ("codex", "codex.js", "codex-exec", "codex-tui"),
        ("/@openai/codex/",),
        ("codex-linux-sandbox", "apply_patch", "applypatch", "rg"),
        ("mcp", "mcp-server"),
        "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏",
        "CODEX_THREAD_ID",
        writable='at the top of ~/.codex/config.toml: sandbox_workspace_write.writable_roots = ["FOLDER"]',
    ),
    Rule(
        "gemini",
        ("gemini", "gemini.js"),
        ("/@google/gemini-cli/",),
        ("rg",),
        writable="in ~/.gemini/.env: SANDBOX_MOUNTS=FOLDER:FOLDER:rw",
    ),
    Rule("opencode", ("opencode", ".opencode"), ("/opencode-ai/",), ("rg",)),
    Rule("aider", ("aider",), ("/aider/__main__.py",)),
)

KINDS = tuple(rule.kind for rule in RULES)
INTERPRETERS = ("node", "nodejs", "bun", "deno", "python", "pypy")
_CODE = ("-c", "-e", "--eval", "-p", "--print")
_WITH_VALUE = ("-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions", "-W", "-X")


def kind(process: Process) -> str | None:
    """Which agent `process` is, or None."""
    if process.forked:
        return None  # it looks exactly like the agent that made it
    path = processes.executable(process.pid)
    if path is None:
        return None
    if not path:
        # Hidden: codex lets nobody look into it. What the kernel noted when it started is the next best witness.
        return _kind(process.comm, None)
    name = os.path.basename(path)
    if _stem(name) in INTERPRETERS:
        return _scripted(processes.arguments(process.pid))
    argv = processes.arguments(process.pid)
    if (found := _kind(name, path)) is not None and (_is_tool(found, argv[0]) or _is_servant(found, argv[1:])):
        return None
    return found


def _kind(name: str, path: str | None) -> str | None:
    for rule in RULES:
        if name in rule.programs or (path is not None and any(part in path for part in rule.paths)):
            return rule.kind
    return None


def _is_tool(found: str, argv0: str) -> bool:
    return any(rule.kind == found and os.path.basename(argv0) in rule.tools for rule in RULES)


def _is_servant(found: str, words: list[str]) -> bool:
    return any(rule.kind == found and words[:1] == [word] for rule in RULES for word in rule.servants)


def _stem(name: str) -> str:
    """`python3.12` -> `python`."""
    return name.lower().rstrip("0123456789.")


def is_wrapper(process: Process) -> bool:
    """Whether an interpreter runs it: it may only have started the real thing below it."""
    return _stem(os.path.basename(processes.executable(process.pid) or "")) in INTERPRETERS


def _scripted(argv: list[str]) -> str | None:
    """The agent that an interpreter runs: by its script, or by the title that it gave itself."""
    script, *words = _script(argv) or [""]
    found = _kind(os.path.basename(script), script) if script else None
    if found is not None and _is_servant(found, words):
        return None
    return found or _kind(os.path.basename(argv[0]), None)


def _script(argv: list[str]) -> list[str]:
    """The script or module in the command line of an interpreter, and all that follows; nothing where there is none."""
    at = 1
    while at < len(argv):
        word = argv[at]
        if word in _CODE:
            return []
        if word == "-m":
            return argv[at + 1 :]
        if not word.startswith("-") and word != "run":
            return argv[at:]
        at += 2 if word in _WITH_VALUE else 1
    return []


def nearest(chain: Iterable[Process]) -> tuple[Process, str] | None:
    """The first process of `chain` that is an agent, and which."""
    for process in chain:
        if (found := kind(process)) is not None:
            return process, found
    return None


def session_id(env: Mapping[str, str], kind: str) -> str | None:
    """The id of the session of the agent `kind`, as its children have it. It finds a process; it is never the key."""
    return next(
        (env[rule.session] for rule in RULES if rule.kind == kind and rule.session and env.get(rule.session)), None
    )


def session_variable(kind: str) -> str | None:
    """The variable by which the children of the agent `kind` know their session."""
    return next((rule.session for rule in RULES if rule.kind == kind), None)


def session_ids(env: Mapping[str, str]) -> list[str]:
    """The ids of all sessions that this environment comes from: one agent may run another."""
    return [env[rule.session] for rule in RULES if rule.session and env.get(rule.session)]


def hinted_pid(env: Mapping[str, str]) -> int | None:
    """The agent's process, as its children know it."""
    return next((pid for rule in RULES if rule.pid and (pid := pid_of(env.get(rule.pid)))), None)


def without_sessions(env: Mapping[str, str]) -> dict[str, str]:
    """`env` without what it says of the agent around it."""
    said = {key for rule in RULES for key in (rule.session, rule.pid)}
    return {key: value for key, value in env.items() if key not in said}


def works_by_title(kind: str, title: str) -> bool:
    """Whether the title of her window says that she is working."""
    return any(rule.kind == kind and title.startswith(tuple(rule.working)) for rule in RULES)


def pid_of(said: str | None) -> int | None:
    """The pid that `said` writes, or None."""
    # Not longer than a pid: Python refuses to read endless numbers.
    return int(said) if said and said.isascii() and said.isdecimal() and len(said) < 10 and int(said) else None


def kind_around(env: Mapping[str, str], chain: Sequence[Process]) -> str | None:
    """The agent in whose sandbox we are: all of this pid namespace, from its first process on, is in its session."""
    if not chain or chain[-1].pid != 1:
        return None
    for rule in RULES:
        keys = tuple(key for key in (rule.session, rule.pid) if key and env.get(key))
        if keys and processes.environment(1, keys) == {key: env[key] for key in keys}:
            return rule.kind
    return None


def writable_line(env: Mapping[str, str], folder: str) -> str | None:
    """What makes `folder` writable for the commands of the agent that runs this one; None outside any agent."""
    found = nearest(processes.ancestors())
    for rule in RULES:
        here = found[1] == rule.kind if found else env.get(rule.session or "") or env.get(rule.pid or "")
        if here and rule.writable:
            return f"let the sandbox of {rule.kind} write there, {rule.writable.replace('FOLDER', folder)}"
    return None


@dataclass(frozen=True, slots=True)
class Registration:
    """What Claude's registry says of one of its processes."""

    name: str | None
    """What a person called the session; None when the agent made the name up."""
    session_id: str | None
    status: str | None
    """working, idle or waiting; None when it says something else."""
    waiting_for: str | None = None
    since: float | None = None
    """Since when (Unix time) the status is what it is."""
    serves: bool = False
    """Whether the process waits for or looks after sessions, and is none."""


_STATUSES = {"busy": "working", "idle": "idle", "waiting": "waiting"}
LARGEST = 65536
"""Bytes of a registry file; a larger one is no registry file."""
GIVEN = ("user", "peer")
"""What `nameSource` says when a person gave the name, here or through another of her sessions (Claude Code 2.1.330;
its own words for the others: derived, auto, collision, hook)."""


def registered(pid: int, ticks: int, env: Mapping[str, str]) -> Registration | None:
    """The registration of the process that was `pid` when it started at `ticks`. Never raises."""
    said = _entry(_entry_path(pid, env))
    if said is None or str(said.get("procStart")) != str(ticks):
        return None  # of an earlier process of this pid
    source, kind = said.get("nameSource"), _text(said.get("kind")) or ""
    return Registration(
        name=_text(said.get("name")) if source in GIVEN else None,
        session_id=_text(said.get("sessionId")),
        status=_STATUSES.get(_text(said.get("status")) or ""),
        waiting_for=_text(said.get("waitingFor")),
        since=_seconds(said.get("statusUpdatedAt")),
        serves=kind.startswith("daemon") or said.get("spare") is True,
    )


def unreadable(pid: int, ticks: int, env: Mapping[str, str]) -> str | None:
    """Why nothing is known from the registry of a living process, though it has an entry there; else None."""
    path = _entry_path(pid, env)
    said = _entry(path)
    if said is None:
        return f"{path} is not understood" if os.path.lexists(path) else None
    if "procStart" not in said:
        return f"{path} does not say of which process it is"
    stale = str(said["procStart"]) != str(ticks)
    return None if stale or said.get("status") in _STATUSES else f"{path} tells no status that we know"


def _entry_path(pid: int, env: Mapping[str, str]) -> str:
    folder = env.get("CLAUDE_CONFIG_DIR") or os.path.join(env.get("HOME", "/nonexistent"), ".claude")
    return os.path.join(folder, "sessions", f"{pid}.json")


def _entry(path: str) -> dict[str, object] | None:
    raw = _small_file(path)
    if not raw:
        return None
    import json  # seldom there is anything to read

    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _small_file(path: str) -> bytes:
    try:
        # Non-blocking: a pipe of that name must not hold us up.
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            raw = os.read(file, LARGEST + 1)
        finally:
            os.close(file)
    except OSError:
        return b""
    return raw if len(raw) <= LARGEST else b""


def _seconds(value: object) -> float | None:
    """Milliseconds as JavaScript counts them, as seconds; None for what is no time of this century."""
    return value / 1000 if isinstance(value, int | float) and 0 < value < 4e12 else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
