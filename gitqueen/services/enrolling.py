"""Enrolling: our door put into the settings of agents, taken out again, and looked at.

A plan of whole new file texts first, then their writing; a file that changed in between is left alone. What was there
before us is kept beside it and by checksum in `$GITQUEEN_HOME/agents.json`, so that uninstalling gives it back.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from shlex import quote

from gitqueen import errors, settings
from gitqueen.git import hooktext
from gitqueen.model import blocks, doors, jsontext
from gitqueen.senses import settingsfiles
from gitqueen.services import retaining

KINDS = tuple(doors.DIALECTS)
COMMANDS, SANDBOX, LINE = "commands", "sandbox", "statusline"
EXTRAS = {"claude": (COMMANDS, SANDBOX, LINE), "codex": (SANDBOX,), "gemini": (SANDBOX,)}
"""What is only ever done when asked for, and where that is possible."""

_SETTINGS = {"claude": "settings.json", "codex": "hooks.json", "gemini": "settings.json"}
_SANDBOX = {"claude": "settings.json", "codex": "config.toml", "gemini": ".env"}


@dataclass(frozen=True, slots=True)
class Change:
    """One file: its text when the plan was made, and its new one; None where there is none."""

    path: str
    was: bytes | None
    text: bytes | None
    words: str


@dataclass(frozen=True, slots=True)
class Report:
    """How one agent stands now, and what was done to get there."""

    agent: str
    path: str
    state: str = doors.MISSING
    """doors.ARMED, OUTDATED or MISSING."""
    switched_off: str = ""
    """The setting by which the agent runs no hooks."""
    trusted: bool | None = None
    """Whether the user has let the hooks run; None where the agent does not ask for that."""
    extras: tuple[str, ...] = ()
    """Of EXTRAS, what is there."""
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    fault: str = ""
    hint: str = ""
    exit_code: int = 0
    """Of the fault."""

    @property
    def works(self) -> bool:
        return self.state == doors.ARMED and not self.switched_off and self.trusted is not False and not self.fault

    @property
    def offers(self) -> tuple[str, ...]:
        return tuple(extra for extra in EXTRAS[self.agent] if extra not in self.extras)


def present(env: Mapping[str, str]) -> list[str]:
    """The agents that are on this machine."""
    ours = settings.read(env).home
    return [kind for kind in KINDS if settingsfiles.installed(kind, env, ours)]


def status(env: Mapping[str, str], kind: str) -> Report:
    """How the agent `kind` stands; nothing is changed."""
    report = Report(kind, _path(env, kind, _SETTINGS))
    try:
        said = _parsed(report.path, settingsfiles.read(report.path))
        config = _config(env) if kind == "codex" else None
        off = doors.switched_off(kind, config if kind == "codex" else said)
        state = doors.state(said, doors.DIALECTS[kind], _command(kind))
        trusted = None
        if kind == "codex" and state != doors.MISSING:
            trusted = doors.trusted(config, said, _names(report.path))
        extras = tuple(extra for extra in EXTRAS[kind] if _has(env, kind, extra, said))
        return replace(report, state=state, switched_off=off or "", trusted=trusted, extras=extras)
    except errors.GitqueenError as fault:
        return _failed(report, fault)


def install(env: Mapping[str, str], kind: str, extras: Collection[str] = (), dry_run: bool = False) -> Report:
    """Put our entries, and the `extras` asked for, into the settings of `kind`; twice changes nothing."""
    try:
        changes, notes = _plan(env, kind, extras)
        if changes and not dry_run:
            with retaining.alone(env):
                # Again, now that no other of ours writes: two at once arm each agent once.
                changes, notes = _plan(env, kind, extras)
                _perform(env, changes)
    except errors.GitqueenError as fault:
        return _failed(status(env, kind), fault)
    return replace(status(env, kind), changes=tuple(changes), notes=tuple(notes))


def uninstall(env: Mapping[str, str], kind: str, dry_run: bool = False) -> Report:
    """Take out what is ours: byte for byte where nobody changed the file since, else our entries alone."""
    try:
        changes = _leaving(env, kind)
        if not dry_run:
            if changes:
                with retaining.alone(env):
                    changes = _leaving(env, kind)
                    _perform(env, changes, leaving=True)
            retaining.forget(env, kind, {_path(env, kind, names) for names in (_SETTINGS, _SANDBOX)})
    except errors.GitqueenError as fault:
        return _failed(status(env, kind), fault)
    return replace(status(env, kind), changes=tuple(changes))


def _failed(report: Report, fault: errors.GitqueenError) -> Report:
    return replace(report, fault=fault.message, hint=fault.hint, exit_code=fault.exit_code)


def brief(path: str, words: str | None) -> bool:
    """Put `words` into a file for agents, in our block, or take that out; whether anything changed."""
    was = settingsfiles.read(path)
    text = None if was is None else _text(path, was)
    try:
        if words is not None:
            new: str | None = blocks.put(text, blocks.MARKDOWN, words)
        else:
            new = None if text is None else blocks.taken(text, blocks.MARKDOWN)
    except blocks.Broken as fault:
        raise errors.CannotWork(f"{path}: {fault}", hint="remove what is left of our block there") from None
    if new == text:
        return False
    if new is None:
        settingsfiles.remove(path)
    else:
        settingsfiles.write(path, new.encode())
    return True


def _path(env: Mapping[str, str], kind: str, names: Mapping[str, str]) -> str:
    return os.path.join(settingsfiles.folder(kind, env), names[kind])


def _names(path: str) -> tuple[str, ...]:
    """How Codex may call the file: as it is named, with its folder's links followed, with its own too."""
    folder, name = os.path.split(path)
    return path, os.path.join(os.path.realpath(folder), name), os.path.realpath(path)


def _command(kind: str) -> str:
    tool = hooktext.tool()
    return doors.command(kind, quote(tool.python), quote(tool.door))


def _line_command() -> str:
    tool = hooktext.tool()
    return doors.line_command(quote(tool.python), quote(os.path.join(os.path.dirname(tool.door), "statusline.py")))


def _parsed(path: str, raw: bytes | None) -> object:
    try:
        return jsontext.load(_text(path, raw))
    except jsontext.NoJson as fault:
        raise errors.CannotWork(
            f"{path} is no JSON: {fault}", hint="mend it there (comments must go), then run this again"
        ) from None


def _text(path: str, raw: bytes | None) -> str:
    try:
        return (raw or b"").decode()
    except UnicodeDecodeError as fault:
        raise errors.CannotWork(f"{path} is no UTF-8: byte {fault.start + 1}", hint="save it as UTF-8") from None


def _config(env: Mapping[str, str]) -> object:
    """Codex's config.toml; empty where there is none or it makes no sense: Codex itself says so."""
    path = os.path.join(settingsfiles.folder("codex", env), "config.toml")
    try:
        return tomllib.loads(_text(path, settingsfiles.read(path)))
    except tomllib.TOMLDecodeError:
        return {}


def _plan(env: Mapping[str, str], kind: str, extras: Collection[str]) -> tuple[list[Change], list[str]]:
    """The files as they are to be, and what could not be done about `extras`."""
    path, notes, done = _path(env, kind, _SETTINGS), [], []
    was = settingsfiles.read(path)
    said = _parsed(path, was)
    text = _text(path, was)
    try:
        if doors.state(said, doors.DIALECTS[kind], _command(kind)) != doors.ARMED:
            text = doors.armed(text, doors.DIALECTS[kind], _command(kind))
            done.append("our hooks")
        for extra in (extra for extra in EXTRAS[kind] if extra in extras and not _has(env, kind, extra, said)):
            if extra == COMMANDS:
                text = doors.with_words(text, doors.ALLOW, doors.RULES)
                done.append("the permission for our own commands")
            elif extra == LINE and isinstance(said, dict) and said.get("statusLine") is not None:
                if not doors.is_our_line(said["statusLine"]):
                    notes.append("there is a status line already: it stays   (gitqueen statusline prints ours)")
                    continue
                text = jsontext.put(text, ("statusLine", "command"), _line_command())
                done.append("our status line")
            elif extra == LINE:
                text = jsontext.put(text, ("statusLine",), {"type": "command", "command": _line_command()})
                done.append("our status line")
            elif kind == "claude":
                text = doors.with_words(text, doors.WRITABLE, (_home(env),))
                done.append("the sandbox's leave to write the queen's folder")
    except jsontext.Unfit as fault:
        raise errors.CannotWork(f"{path}: {fault}", hint="mend it there, then run this again") from None
    changes = [Change(path, was, text.encode(), ", ".join(done))] if done else []
    if kind == "codex" and doors.has_own_hooks(_config(env)):
        notes.append("there are hooks in config.toml too: codex runs both, and says so whenever it starts")
    if SANDBOX in extras and kind != "claude" and not _has(env, kind, SANDBOX, said):
        beside = _plan_sandbox(env, kind)
        changes += [beside] if isinstance(beside, Change) else []
        notes += [beside] if isinstance(beside, str) else []
    return changes, notes


def _plan_sandbox(env: Mapping[str, str], kind: str) -> Change | str:
    """Our block in a file that is no JSON; or, where the same setting is there already, what to add to it."""
    path = _path(env, kind, _SANDBOX)
    was = settingsfiles.read(path)
    text = None if was is None else _text(path, was)
    line = _sandbox_line(env, kind)
    name = "sandbox_workspace_write" if kind == "codex" else "SANDBOX_MOUNTS"
    try:
        rest = blocks.taken(text or "", blocks.HASH) or ""
        if name in rest:
            return f"{path} says something about {name} already: put {_home(env)} into it yourself"
        new = blocks.put(text, blocks.HASH, line, top=kind == "codex")
        if kind == "codex":
            tomllib.loads(new)
    except tomllib.TOMLDecodeError as fault:
        raise errors.CannotWork(f"{path} is no TOML: {fault}", hint="mend it there, then run this again") from None
    except blocks.Broken as fault:
        raise errors.CannotWork(f"{path}: {fault}", hint="remove what is left of our block there") from None
    return Change(path, was, new.encode(), "the sandbox's leave to write the queen's folder")


def _sandbox_line(env: Mapping[str, str], kind: str) -> str:
    home = _home(env)
    if kind == "gemini":
        return f"SANDBOX_MOUNTS={home}:{home}:rw"
    return f"sandbox_workspace_write.writable_roots = [{json.dumps(home, ensure_ascii=False)}]"


def _home(env: Mapping[str, str]) -> str:
    return settings.read(env).home


def _has(env: Mapping[str, str], kind: str, extra: str, said: object) -> bool:
    """Whether the agent has the `extra` of ours."""
    if extra == COMMANDS:
        return doors.has_words(said, doors.ALLOW, doors.RULES)
    if extra == LINE:
        line = said.get("statusLine") if isinstance(said, dict) else None
        return isinstance(line, dict) and line.get("command") == _line_command()
    if kind == "claude":
        return doors.has_words(said, doors.WRITABLE, (_home(env),))
    path = _path(env, kind, _SANDBOX)
    return _sandbox_line(env, kind) in _text(path, settingsfiles.read(path)).splitlines()


def _leaving(env: Mapping[str, str], kind: str) -> list[Change]:
    changes = []
    for path in dict.fromkeys((_path(env, kind, _SETTINGS), _path(env, kind, _SANDBOX))):
        was = settingsfiles.read(path)
        if was is None:
            continue
        kept = retaining.kept(path)
        if retaining.untouched(env, path, was) and retaining.whole(env, path):
            changes.append(Change(path, was, kept, "byte for byte what it was"))
        elif (text := _without_us(env, path, was, kept)) != was:
            changes.append(Change(path, was, text, "our entries are out, the rest is as it was"))
    return changes


def _without_us(env: Mapping[str, str], path: str, raw: bytes, kept: bytes | None) -> bytes | None:
    """The file without anything of ours; `kept`: as it was before us, so that what was the user's own stays."""
    text = _text(path, raw)
    if not path.endswith(".json"):
        try:
            rest = blocks.taken(text, blocks.HASH)
        except blocks.Broken as fault:
            raise errors.CannotWork(f"{path}: {fault}", hint="remove what is left of our block there") from None
        return None if rest is None else rest.encode()
    said = _parsed(path, raw)
    try:
        before = jsontext.load((kept or b"").decode())
    except (jsontext.NoJson, UnicodeDecodeError):
        before = None
    text = doors.disarmed(text, before)
    text = doors.without_words(text, doors.ALLOW, doors.RULES, before)
    text = doors.without_words(text, doors.WRITABLE, (_home(env),), before)
    if isinstance(said, dict) and doors.is_our_line(said.get("statusLine")):
        text = jsontext.removed(text, ("statusLine",))
    return text.encode()


def _perform(env: Mapping[str, str], changes: Collection[Change], leaving: bool = False) -> None:
    """Write the changed files; all of them with a backup and a record, unless we leave."""
    for change in changes:
        if settingsfiles.read(change.path) != change.was:
            raise errors.Busy(f"{change.path} was changed by somebody meanwhile", hint="run it again")
        if leaving or change.text is None:
            _write(change)
        elif retaining.untouched(env, change.path, change.was):
            _write(change)  # nobody but us has written it since: what was before us is known
            retaining.renew(env, change.path, change.text)
        else:
            before = _before_us(env, change.path, change.was)
            with retaining.aside(env, change.path, before, change.text):
                _write(change)


def _before_us(env: Mapping[str, str], path: str, was: bytes | None) -> bytes | None:
    """What the file would be without us: where we never were, that is what it is, whatever looks like ours in it."""
    if was is None or not (retaining.known(env, path) or _mentions_us(path, was)):
        return was
    return _without_us(env, path, was, retaining.kept(path))


def _mentions_us(path: str, raw: bytes) -> bool:
    text = _text(path, raw)
    return blocks.found(text, blocks.HASH) is not None if not path.endswith(".json") else doors.disarmed(text) != text


def _write(change: Change) -> None:
    if change.text is None:
        settingsfiles.remove(change.path)
    else:
        settingsfiles.write(change.path, change.text)
