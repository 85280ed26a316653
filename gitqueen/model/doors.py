"""Doors: which events of an agent we hear, how that stands in its settings, and what there is ours.

Settings come in as text and go out as text: our entries are added at the end and replaced in place, because Codex
trusts everybody's hooks by their position. Which files those are, and what was in them before us, is not known here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitqueen.model import jsontext

ARMED, OUTDATED, MISSING = "armed", "outdated", "missing"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event that we hear; `matcher`: for which tools; `timeout`: in the agent's own unit."""

    event: str
    timeout: int
    matcher: str | None = None


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one agent is told of hooks."""

    kind: str
    entries: tuple[Entry, ...]
    named: bool = False
    """Whether its hooks carry a name, by which they can be switched off one by one."""


# The door itself gives up after 2 s (seconds in Claude and Codex, milliseconds in Gemini): what is more is for a busy
# machine, on which the agent must not take a late answer for none. Codex gives SessionEnd 3 s at most.
_CLAUDE = Dialect(
    "claude",
    (
        Entry("SessionStart", 10),
        Entry("UserPromptSubmit", 10),
        Entry("PreToolUse", 10, "Edit|Write|NotebookEdit|MultiEdit|Bash"),
        Entry("PostToolUse", 10, "Edit|Write|NotebookEdit|MultiEdit"),
        Entry("Notification", 10),
        Entry("Stop", 10),
        Entry("SessionEnd", 10),
    ),
)
_CODEX = Dialect(
    "codex",
    (
        Entry("SessionStart", 10),
        Entry("UserPromptSubmit", 10),
        Entry("PreToolUse", 10, "Bash|apply_patch"),
        Entry("PostToolUse", 10, "apply_patch"),
        Entry("Stop", 10),
        Entry("SessionEnd", 3),
    ),
)
_GEMINI = Dialect(
    "gemini",
    (
        Entry("SessionStart", 10_000),
        Entry("BeforeAgent", 10_000),
        Entry("BeforeTool", 10_000, "write_file|replace|run_shell_command"),
        Entry("AfterTool", 10_000, "write_file|replace"),
        Entry("AfterAgent", 10_000),
        Entry("SessionEnd", 10_000),
    ),
    named=True,
)
DIALECTS = {dialect.kind: dialect for dialect in (_CLAUDE, _CODEX, _GEMINI)}

_OURS = re.compile(r"/gitqueen/cli/hook\.py'? agent [a-z]+\b")
_OUR_LINE = re.compile(r"/gitqueen/cli/statusline\.py\b")

_LOOKING = "status onboard whoami iam tell inbox ack claims check conflicts history".split()
# Not claim (`claim ID -- COMMAND` runs what stands behind), not release (--force), nothing that reaches git's settings.
RULES = tuple(
    f"Bash({words})"
    for words in (
        "iam",
        "iam:*",
        *(f"{program}{rest}" for program in ("gitqueen", "queen") for rest in ("", *(f" {c}:*" for c in _LOOKING))),
    )
)
"""What Claude may run without asking: our reading, mailing and declaring."""

ALLOW = ("permissions", "allow")
WRITABLE = ("sandbox", "filesystem", "allowWrite")


def command(kind: str, python: str, door: str) -> str:
    """What the agent runs, by whatever shell: constant, and nothing at all once this installation is gone.

    `python` and `door`: paths, quoted.
    """
    return _guarded(python, door, f" agent {kind}")


def line_command(python: str, door: str) -> str:
    """The same for a status line."""
    return _guarded(python, door, "")


def _guarded(python: str, door: str, arguments: str) -> str:
    return f"test -x {python} && test -r {door} && exec {python} -I -S {door}{arguments} || true"


def group(dialect: Dialect, entry: Entry, command: str) -> dict[str, object]:
    """Our entry for one event, as the agent reads it."""
    handler: dict[str, object] = {"type": "command", "command": command, "timeout": entry.timeout}
    if dialect.named:
        handler = {"name": "gitqueen", **handler}
    return {**({"matcher": entry.matcher} if entry.matcher else {}), "hooks": [handler]}


def state(settings: object, dialect: Dialect, command: str) -> str:
    """ARMED: each event exactly as we want it; OUTDATED: ours in another form, or not all; MISSING."""
    found = list(_ours(settings))
    if not found:
        return MISSING
    wanted = {entry.event: group(dialect, entry, command) for entry in dialect.entries}
    exact = [event for event, at, _ in found if _value(settings, ("hooks", event, at)) == wanted.get(event)]
    return ARMED if sorted(exact) == sorted(wanted) and len(found) == len(exact) else OUTDATED


def _ours(settings: object) -> Iterator[tuple[str, int, list[int]]]:
    """(event, position of the group, positions of our handlers in it), wherever one of them is ours."""
    hooks = _value(settings, ("hooks",))
    for event, groups in hooks.items() if isinstance(hooks, dict) else ():
        for at, one in enumerate(groups) if isinstance(groups, list) else ():
            handlers = one.get("hooks") if isinstance(one, dict) else None
            mine = [i for i, handler in enumerate(handlers) if _is_ours(handler)] if isinstance(handlers, list) else []
            if mine:
                yield event, at, mine


def _is_ours(handler: object) -> bool:
    said = handler.get("command") if isinstance(handler, dict) else None
    return isinstance(said, str) and _OURS.search(said) is not None


def is_our_line(line: object) -> bool:
    """Whether a status line is ours."""
    said = line.get("command") if isinstance(line, dict) else None
    return isinstance(said, str) and _OUR_LINE.search(said) is not None


def armed(text: str, dialect: Dialect, command: str) -> str:
    """Settings with all our entries, each once. Raises `jsontext.Unfit` where something else stands in the way."""
    wanted = {entry.event: group(dialect, entry, command) for entry in dialect.entries}
    placed: set[str] = set()
    settings = jsontext.load(text)
    # From the end: what is taken out moves what stands behind it.
    for event, at, mine in sorted(_ours(settings), reverse=True):
        path = ("hooks", event, at)
        same = _value(settings, path) == wanted.get(event)
        alone = len(mine) == len(_handlers(settings, path))
        if alone and event in wanted and event not in placed:
            placed.add(event)
            if not same:
                text = jsontext.put(text, path, wanted[event])
        else:
            text = _without(text, path, mine, alone)
    for event, one in wanted.items():
        if event not in placed:
            text = jsontext.appended(text, ("hooks", event), one)
    return text


def disarmed(text: str, before: object = None) -> str:
    """Settings without any entry of ours; what is empty then goes too, unless it was in `before`."""
    settings = jsontext.load(text)
    events = []
    for event, at, mine in sorted(_ours(settings), reverse=True):
        path = ("hooks", event, at)
        text = _without(text, path, mine, len(mine) == len(_handlers(settings, path)))
        events.append(event)
    for event in dict.fromkeys(events):
        text = _pruned(text, ("hooks", event), before)
    return text


def _handlers(settings: object, path: Sequence[str | int]) -> list[object]:
    handlers = _value(settings, (*path, "hooks"))
    return handlers if isinstance(handlers, list) else []


def _without(text: str, path: Sequence[str | int], mine: Sequence[int], alone: bool) -> str:
    if alone:
        return jsontext.removed(text, path)
    for at in sorted(mine, reverse=True):
        text = jsontext.removed(text, (*path, "hooks", at))
    return text


def with_words(text: str, path: Sequence[str], words: Sequence[str]) -> str:
    """Settings whose list at `path` holds each of `words`."""
    there = _value(jsontext.load(text), path)
    for word in words:
        if not isinstance(there, list) or word not in there:
            text = jsontext.appended(text, path, word)
    return text


def without_words(text: str, path: Sequence[str], words: Sequence[str], before: object = None) -> str:
    """Settings whose list at `path` holds none of `words` but those that it held `before`."""
    there, kept = _value(jsontext.load(text), path), _value(before, path)
    if not isinstance(there, list):
        return text
    mine = [at for at, word in enumerate(there) if word in words and not (isinstance(kept, list) and word in kept)]
    for at in reversed(mine):
        text = jsontext.removed(text, (*path, at))
    return _pruned(text, path, before) if mine else text


def has_words(settings: object, path: Sequence[str], words: Sequence[str]) -> bool:
    there = _value(settings, path)
    return isinstance(there, list) and all(word in there for word in words)


def _pruned(text: str, path: Sequence[str], before: object) -> str:
    """Without the empty lists and objects at `path` and above it, but those that were there `before`."""
    settings = jsontext.load(text)
    for length in range(len(path), 0, -1):
        if _value(settings, path[:length]) not in ([], {}) or _value(before, path[:length]) is not None:
            break
        text = jsontext.removed(text, path[:length])
        settings = jsontext.load(text)
    return text


def _value(settings: object, path: Sequence[str | int]) -> object:
    """What stands at `path`; None where nothing does."""
    for key in path:
        there = key in settings if isinstance(settings, dict) else False
        if isinstance(settings, list):
            there = isinstance(key, int) and key < len(settings)
        if not there:
            return None
        settings = settings[key]  # type: ignore[index]
    return settings


def switched_off(kind: str, settings: object) -> str | None:
    """The setting of the user's by which no hook, or not ours, is run."""
    if kind == "claude" and _value(settings, ("disableAllHooks",)) is True:
        return "disableAllHooks"
    if kind == "codex" and False in (_value(settings, ("features", key)) for key in ("hooks", "codex_hooks")):
        return "[features] hooks = false"
    if kind == "gemini" and _value(settings, ("hooksConfig", "enabled")) is False:
        return "hooksConfig.enabled"
    if kind == "gemini" and has_words(settings, ("hooksConfig", "disabled"), ("gitqueen",)):
        return "hooksConfig.disabled"
    return None


def has_own_hooks(config: object) -> bool:
    """Whether Codex's config.toml has hooks beside what it remembers of them."""
    hooks = _value(config, ("hooks",))
    return isinstance(hooks, dict) and bool(hooks.keys() - {"state"})


def trusted(config: object, settings: object, files: Sequence[str]) -> bool:
    """Whether Codex runs all our hooks: the user let it, by the hash of each. `files`: the paths of hooks.json."""
    known = _value(config, ("hooks", "state"))
    for event, at, mine in _ours(settings):
        one = _value(settings, ("hooks", event, at))
        for handler in mine:
            keys = [f"{path}:{_snake(event)}:{at}:{handler}" for path in files]
            said = [_value(known, (key,)) for key in keys]
            if not any(_trusts(state, _fingerprint(event, one, handler)) for state in said):
                return False
    return True


def _trusts(state: object, fingerprint: str) -> bool:
    return isinstance(state, dict) and state.get("trusted_hash") == fingerprint and state.get("enabled") is not False


def _fingerprint(event: str, group: object, at: int) -> str:
    """By what Codex knows a hook: seen with 0.169, whose `hooks/list` tells it."""
    handler = _value(group, ("hooks", at))
    assert isinstance(group, dict) and isinstance(handler, dict)
    known = {"type": "command", "command": handler["command"], "timeout": handler.get("timeout"), "async": False}
    identity: dict[str, object] = {"event_name": _snake(event), "hooks": [known]}
    if group.get("matcher"):
        identity["matcher"] = group["matcher"]
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _snake(event: str) -> str:
    """`PreToolUse` -> `pre_tool_use`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", event).lower()
