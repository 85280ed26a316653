"""Dialects: what an agent's hook says on stdin, as one of six neutral events. Data in, data out.

A new agent is one more `Dialect`. What is not understood is no event: agents change their payloads as they like, and
whatever a prompt or a file holds is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

START, PROMPT, BEFORE, AFTER, IDLE, END = "start", "prompt", "before", "after", "idle", "end"


class NotUnderstood(ValueError):
    """This is none of the agent's payloads. Says which event, never what stands in it."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One moment in an agent's life. `said`: the agent's own word for it, which the answer has to repeat."""

    kind: str
    said: str
    cwd: str | None = None
    session: str | None = None
    paths: tuple[str, ...] = ()
    """The files that a tool is about to write or has written, as the tool names them."""
    command: str | None = None
    """What is about to be run in a shell, in the folder `cwd`."""
    waiting: bool = False
    """IDLE, and for a person's answer."""
    over: bool = True
    """END, and of the process too: `/clear` ends a session and not the sister."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The words of one agent. `edits`: tool -> the argument with the path (empty: a patch); `shells`: tools that run
    a command."""

    events: Mapping[str, str]
    edits: Mapping[str, str]
    shells: tuple[str, ...]


_CLAUDE = Dialect(
    {
        "SessionStart": START,
        "UserPromptSubmit": PROMPT,
        "PreToolUse": BEFORE,
        "PostToolUse": AFTER,
        "Notification": IDLE,
        "Stop": IDLE,
        "SessionEnd": END,
    },
    {"Edit": "file_path", "Write": "file_path", "MultiEdit": "file_path", "NotebookEdit": "notebook_path"},
    ("Bash",),
)
_CODEX = Dialect(_CLAUDE.events, {"apply_patch": ""}, ("Bash", "shell", "exec_command", "local_shell"))
_GEMINI = Dialect(
    {
        "SessionStart": START,
        "BeforeAgent": PROMPT,
        "BeforeTool": BEFORE,
        "AfterTool": AFTER,
        "Notification": IDLE,
        "AfterAgent": IDLE,
        "SessionEnd": END,
    },
    {"write_file": "file_path", "replace": "file_path"},
    ("run_shell_command",),
)
DIALECTS = {"claude": _CLAUDE, "codex": _CODEX, "gemini": _GEMINI}

_PATCHED = ("*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: ")


def understood(agent: str, payload: object) -> Deed | None:
    """The deed that `payload` (parsed JSON) tells of, or None where it is nothing to us (another tool).

    Raises `NotUnderstood` for what is no agent, no payload or no event that we know.
    """
    dialect = DIALECTS.get(agent)
    if dialect is None:
        raise NotUnderstood(f"there is no agent {ascii(agent)[:40]}")
    if not isinstance(payload, dict):
        raise NotUnderstood("the payload is no object")
    said = _text(payload.get("hook_event_name"))
    kind = dialect.events.get(said or "")
    if kind is None or said is None:
        raise NotUnderstood(f"there is no event {ascii(said)[:40]}")
    deed = Deed(kind, said, _text(payload.get("cwd")), _text(payload.get("session_id")))
    if kind == IDLE and said == "Notification":
        waits = payload.get("notification_type") not in ("idle_prompt", "auth_success")
        return replace(deed, waiting=waits)
    if kind == END:
        return replace(deed, over=payload.get("reason") not in ("clear", "resume"))
    return _tool(dialect, deed, payload) if kind in (BEFORE, AFTER) else deed


def _tool(dialect: Dialect, deed: Deed, payload: Mapping[str, object]) -> Deed | None:
    name, given = payload.get("tool_name"), payload.get("tool_input")
    if not isinstance(name, str) or not isinstance(given, dict):
        return None
    if name in dialect.shells and deed.kind == BEFORE:
        command = _script(given.get("command", given.get("cmd")))
        folder = _text(given.get("workdir")) or _text(given.get("dir_path")) or _text(given.get("directory"))
        if command is None:
            return None
        return replace(deed, command=command, cwd=_joined(deed.cwd, folder), paths=patched(command))
    if name not in dialect.edits or (deed.kind == AFTER and _failed(payload.get("tool_response"))):
        return None
    argument = dialect.edits[name]
    if argument:
        path = _text(given.get(argument))
        return replace(deed, paths=(path,)) if path else None
    paths = patched(_script(given.get("command", given.get("input"))) or "")
    return replace(deed, paths=paths) if paths else None


def _joined(cwd: str | None, folder: str | None) -> str | None:
    if folder is None or folder.startswith("/") or cwd is None:
        return folder or cwd
    return f"{cwd}/{folder}"


def _failed(response: object) -> bool:
    return isinstance(response, dict) and bool(response.get("error"))


def _script(value: object) -> str | None:
    """A command line as text; some say it as a list of arguments."""
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        if len(value) == 3 and value[1] in ("-c", "-lc"):
            value = value[2]
        else:
            value = " ".join("'" + word.replace("'", "'\\''") + "'" for word in value)
    return value if isinstance(value, str) and value else None


def patched(patch: str) -> tuple[str, ...]:
    """The files that a patch in the form of `apply_patch` writes, moves or deletes."""
    if "*** Begin Patch" not in patch:
        return ()
    found = []
    for line in patch.split("\n"):
        for mark in _PATCHED:
            if line.startswith(mark) and (path := line[len(mark) :].strip()):
                found.append(path)
    return tuple(dict.fromkeys(found))


def _text(value: object) -> str | None:
    """A text that can be a path or an id: JSON may write characters that no file system and no database takes."""
    if not isinstance(value, str) or not value or "\0" in value:
        return None
    return None if any("\ud800" <= char <= "\udfff" for char in value) else value
