"""Git hooks of one repository: what is armed and how, what else is there, and arming and disarming it.

Since git 2.54 hooks can stand in configuration: they run beside every hook file and whatever `core.hooksPath` says.
Older git has files alone: a block in the shell hook that is there, or a file of our own. Never both, no hook is ever
renamed, `core.hooksPath` is never set. The text is `hooktext`, its file `hookfiles`, the memory of it `manifest`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gitqueen import errors
from gitqueen.git import hookfiles, hooktext, manifest, process
from gitqueen.git.hooktext import BLOCK, OTHER, OURS, SHELL, Tool
from gitqueen.git.places import Place

EVENTS = ("pre-commit", "post-checkout", "post-commit", "post-merge", "post-rewrite")
CONFIG_HOOKS = (2, 54)
"""The first git that has hooks in configuration."""

LOCAL, GLOBAL = "--local", "--global"
LOCK_PATIENCE = 2.0
"""Seconds for which another writer may hold git's configuration; git itself gives up at once."""

CONFIGURED, CONFIGURED_GLOBALLY = "configuration", "global configuration"

ASIDE = (".legacy", ".old")
"""Where other managers put the hook that they found: pre-commit runs the one, lefthook keeps the other."""


@dataclass(frozen=True, slots=True)
class State:
    """One event in one worktree."""

    event: str
    path: str
    """The hook file in force, whether or not it exists."""
    kind: str
    """What that file is: see `hooktext`."""
    text: bytes | None
    how: str = ""
    """`configuration`, `global configuration`, `own file`, `block`; nothing where we are not."""
    fault: str = ""
    """Why it would not fire, in a sentence."""
    mend: str = ""
    beside: tuple[str, ...] = ()
    """What else fires at this event: the file of somebody else, other hooks in configuration."""
    stale: bool = False
    """What stands there of ours calls an installation that is gone, or has an older form."""
    fixed: str = ""
    """Why the file may not be written, in a sentence."""
    aside: tuple[tuple[str, bytes], ...] = ()
    """Copies of hooks with our block that other managers put aside: path and text."""
    guest: tuple[str, bytes | None] | None = None
    """Whose hook our file kept out, and its text; or whose our block kept from going, and None."""

    @property
    def armed(self) -> bool:
        return bool(self.how) and not self.fault

    @property
    def in_file(self) -> bool:
        return self.kind in (OURS, BLOCK)


@dataclass(frozen=True, slots=True)
class Arms:
    """The hooks of one worktree, as the git on PATH sees them."""

    place: Place
    git: str
    """Version of git, as it says it."""
    by_config: bool
    """Whether this git knows hooks in configuration."""
    folder: str
    """The hooks folder in force."""
    folder_from: str
    """`default`, or where `core.hooksPath` is set: local, worktree, global, system, command."""
    states: tuple[State, ...]
    configured: tuple[str, ...] = ()
    """Events of which anything of ours stands in the repository's own configuration, whole or torn."""

    @property
    def armed(self) -> bool:
        return all(state.armed for state in self.states)

    @property
    def left_over(self) -> tuple[str, ...]:
        """What stands in configuration though this git does not read hooks there."""
        return () if self.by_config else self.configured

    @property
    def usable_folder(self) -> bool:
        """Whether hook files can stand there; one that `core.hooksPath` names is made by whoever set it."""
        return os.path.isdir(self.folder) or (self.folder_from == "default" and not os.path.exists(self.folder))

    @property
    def own_folder(self) -> bool:
        """Whether the hooks folder belongs to this worktree or repository alone."""
        tops = (self.place.worktree, self.place.git_dir, self.place.common_dir)
        return any(_below(self.folder, top) for top in tops if top)

    @property
    def faults(self) -> dict[str, list[str]]:
        """What would not fire, as sentence -> events."""
        found: dict[str, list[str]] = {}
        for state in self.states:
            if not state.armed:
                found.setdefault(state.fault, []).append(state.event)
        return found


def version() -> str:
    """What git calls itself: `2.39.5`."""
    words = process.run("--version").out.decode("utf-8", "replace").split()
    return words[2] if len(words) > 2 else "0"


def numbers(version: str) -> tuple[int, ...]:
    """Major and minor of a version; (0,) for what is none."""
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) or (0,)


def look(place: Place) -> Arms:
    """What is there. Raises `errors.GitFailed` where git refuses the repository (somebody else's, broken)."""
    folder = folder_of(place)
    config = _configured(place.folder)
    found = version()
    by_config = numbers(found) >= CONFIG_HOOKS
    states = tuple(_state(event, folder, config, by_config, place) for event in EVENTS)
    local = {entry.key for entry in config if entry.scope == "local"}
    configured = tuple(e for e in EVENTS if any(key.startswith(f"hook.{_name(e)}.") for key in local))
    return Arms(place, found, by_config, folder, _origin(config), states, configured)


def folder_of(place: Place) -> str:
    """The hooks folder in force, without symlinks: a link may lead into a worktree, where we change nothing."""
    where = place.folder
    said = process.run("rev-parse", "--path-format=absolute", "--git-path", "hooks", cwd=where, check=False)
    if said.code and "dubious ownership" in said.err:
        raise errors.GitFailed(
            "git refuses this repository, because it belongs to somebody else", said.err,
            hint=f"if you trust it: git config --global --add safe.directory {shlex.quote(where)}",
        )  # fmt: skip
    if said.code:
        raise errors.GitFailed(f"git refuses this repository: {said.err or 'it said nothing'}", said.err)
    return os.path.realpath(os.fsdecode(said.out.removesuffix(b"\n")))


def worktrees(place: Place) -> list[str]:
    """The tops of all worktrees of the repository of `place`, bare ones left out."""
    listed = process.run("worktree", "list", "--porcelain", "-z", cwd=place.folder, check=False)
    blocks = os.fsdecode(listed.out).split("\0\0")
    fields = [block.strip("\0").split("\0") for block in blocks]
    return [one[0].removeprefix("worktree ") for one in fields if one[0].startswith("worktree ") and "bare" not in one]


def fingerprint(place: Place, folder: str, env: Mapping[str, str]) -> str:
    """What the hooks of a worktree depend on, in one word: while it is the same, `look` says the same.

    Stats alone: the hook files in `folder`, git's configuration files, git itself, and our own installation.
    """
    of, home = hooktext.tool(), env.get("HOME", "")
    config = [os.path.join(place.common_dir, "config"), os.path.join(place.git_dir, "config.worktree")]
    config += [env.get("GIT_CONFIG_GLOBAL") or os.path.join(home, ".gitconfig")]
    config += [os.path.join(env.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "git", "config")]
    files = [os.path.join(folder, event) for event in EVENTS]
    programs = [shutil.which("git", path=env.get("PATH")) or "", of.folder, of.door]
    return " ".join(_stamp(path) for path in (*files, *config, *programs))


def _stamp(path: str) -> str:
    try:
        stat = os.lstat(path)
    except OSError:
        return "-"
    return f"{stat.st_ino:x}.{stat.st_mtime_ns:x}.{stat.st_size:x}.{stat.st_mode:o}"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of configuration that is about hooks."""

    scope: str
    key: str
    value: str


def _configured(where: str) -> list[_Entry]:
    pattern = r"^(hook\.|core\.hookspath$|annex\.uuid$)"
    asked = process.run("config", "-z", "--show-scope", "--get-regexp", pattern, cwd=where, check=False)
    fields = os.fsdecode(asked.out).split("\0")
    entries = []
    for scope, line in zip(fields[::2], fields[1::2], strict=False):
        key, equals, value = line.partition("\n")
        entries.append(_Entry(scope, key, value if equals else "true"))
    return entries


def _origin(config: Sequence[_Entry]) -> str:
    scopes = [entry.scope for entry in config if entry.key == "core.hookspath"]
    return scopes[-1] if scopes else "default"


def _name(event: str) -> str:
    return f"gitqueen-{event}"


def _state(event: str, folder: str, config: Sequence[_Entry], by_config: bool, place: Place) -> State:
    path, of = os.path.join(folder, event), hooktext.tool()
    text = hookfiles.read(path)
    kind = hooktext.kind(text)
    runs = text is not None and os.access(path, os.X_OK)
    state = State(event, path, kind, text, fixed=_fixed(path, kind, runs, place), aside=_aside(path))
    beside = [path] if runs and kind in (BLOCK, SHELL, OTHER) else []
    if by_config:
        commands = [entry for entry in config if entry.key == f"hook.{_name(event)}.command"]
        wrong, switched_off = _wrong_config(event, config)
        unset = f"git config --unset hook.{_name(event)}.enabled"
        return replace(
            state,
            how="" if not commands else CONFIGURED if commands[-1].scope == "local" else CONFIGURED_GLOBALLY,
            fault=wrong,
            fixed=wrong if switched_off else "",
            mend=unset if switched_off else "gitqueen hooks install" if wrong else "",
            beside=(*_others_in_config(event, config), *beside),
            stale=bool(commands) and _stale(commands[-1].value, hooktext.command(of, event)),
        )
    wrong, mend = _wrong_file(state, runs, folder, _origin(config))
    wanted = os.fsdecode(hooktext.block(of, event))
    return replace(
        state,
        how={OURS: "own file", BLOCK: "block"}.get(kind, ""),
        fault=wrong,
        mend=mend,
        beside=tuple(beside),
        stale=state.in_file and _stale(os.fsdecode(hooktext.ours(text or b"")), wanted),
        guest=_guest(state, folder, config) if state.in_file else None,
    )


def _guest(state: State, folder: str, config: Sequence[_Entry]) -> tuple[str, bytes | None] | None:
    annexed = any(entry.key == "annex.uuid" and entry.value for entry in config)
    pre_push = hookfiles.read(os.path.join(folder, "pre-push"))
    return hooktext.guest(state.event, state.text or b"", pre_push, annexed)


def _aside(path: str) -> tuple[tuple[str, bytes], ...]:
    texts = [(f"{path}{suffix}", hookfiles.read(f"{path}{suffix}")) for suffix in ASIDE]
    return tuple((name, text) for name, text in texts if text and hooktext.kind(text) in (OURS, BLOCK))


def _fixed(path: str, kind: str, runs: bool, place: Place) -> str:
    """Why `path` may not be written, or nothing."""
    if os.path.islink(path):
        return "the hook there is a symlink: left alone"
    if kind == OTHER:
        return "the hook there is no plain shell script: left alone"
    if kind in (SHELL, BLOCK) and not runs:
        return "the hook there is not executable, so git ignores it: left alone"
    if not _unseen(path, place):
        return "the hooks folder is in the worktree and not ignored: left alone"
    return ""


def _unseen(path: str, place: Place) -> bool:
    """Whether a file may be changed at `path` without showing up as work: outside the worktree, or ignored there."""
    if place.worktree is None or not _below(path, place.worktree):
        return True
    if _below(path, place.git_dir) or _below(path, place.common_dir):
        return True
    return process.run("check-ignore", "-q", "--", path, cwd=place.worktree, check=False).code == 0


def _below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")


def _wrong_file(state: State, runs: bool, folder: str, origin: str) -> tuple[str, str]:
    """Why the hook file would not fire for us, and the mend; both empty when it will."""
    if state.in_file and runs:
        return "", ""
    if os.path.exists(folder) and not os.path.isdir(folder):
        unset = f"git config --{origin} --unset core.hooksPath" if origin in ("local", "worktree", "global") else ""
        return f"{folder} is no folder: no hook runs here", unset
    if origin != "default" and not os.path.isdir(folder):
        # Not ours to make: with our files alone in it, the other manager's would still be missing.
        mend = "set it up as elsewhere (husky: npx husky), then: gitqueen hooks install"
        return "the hooks folder is missing: no hook runs here", mend
    if state.kind == BLOCK or (state.kind == SHELL and not runs):
        return state.fixed, f"chmod +x {shlex.quote(state.path)}"
    if state.fixed:
        return state.fixed, "git 2.54 or newer runs us beside it"
    if state.kind == OURS:
        return "our hook is not executable, so git ignores it", "gitqueen hooks install"
    if state.aside:
        moved = os.path.basename(state.aside[0][0])
        return f"another manager put its hook there and ours aside, as {moved}", "gitqueen hooks install"
    return "it is not installed", "gitqueen hooks install"


def _wrong_config(event: str, config: Sequence[_Entry]) -> tuple[str, bool]:
    """Why git's configuration would not fire us, and whether that is because somebody switched us off there."""
    prefix = f"hook.{_name(event)}."
    ours = {entry.key.removeprefix(prefix): entry.value for entry in config if entry.key.startswith(prefix)}
    if not ours:
        return "it is not in git's configuration", False
    if "command" not in ours:
        return f"{prefix}command is missing: git refuses whatever would fire it", False
    if ours.get("event") != event:
        return f"{prefix}event is missing", False
    if ours.get("enabled", "true").lower() in ("false", "no", "off", "0"):
        return f"{prefix}enabled is false", True
    return "", False


def _others_in_config(event: str, config: Sequence[_Entry]) -> list[str]:
    keys = [entry.key for entry in config if entry.key.endswith(".event") and entry.value == event]
    names = dict.fromkeys(key.removeprefix("hook.").removesuffix(".event") for key in keys)
    return [f"hook.{name}" for name in names if name != _name(event)]


def _stale(theirs: str, wanted: str) -> bool:
    """Whether what stands there calls nothing that exists, or is this very installation in an older form."""
    called, mine = hooktext.calls(theirs), hooktext.calls(wanted)
    return theirs != wanted and (called is None or called == mine or not os.path.exists(called))


def configure(event: str, scope: str, where: str, of: Tool) -> None:
    """Put our hook for `event` into git's configuration of `scope`, LOCAL or GLOBAL.

    The command first: an event without a command makes every commit die.
    """
    for key, value in (("command", hooktext.command(of, event)), ("event", event)):
        _set(scope, "--replace-all", f"hook.{_name(event)}.{key}", value, where=where)


def unconfigure(event: str, scope: str, where: str) -> None:
    """Take the whole section out again, if there is one."""
    try:
        _set(scope, "--remove-section", f"hook.{_name(event)}", where=where)
    except errors.GitFailed as fault:
        if "no such section" not in fault.stderr.lower():
            raise


def config_of(place: Place) -> str:
    """The file of LOCAL configuration."""
    return os.path.join(place.common_dir, "config")


def end_as_before(place: Place, before: str | None) -> None:
    """git ends a file that it writes with a newline: take that away where there was none. `before`: a checksum."""
    config = config_of(place)
    try:
        os.close(os.open(f"{config}.lock", os.O_CREAT | os.O_EXCL | os.O_CLOEXEC))  # as git itself keeps others out
    except OSError:
        return
    try:
        text = hookfiles.read(config)
        if text and text.endswith(b"\n") and manifest.checksum(text[:-1]) == before:
            hookfiles.write(config, text[:-1], runs=False)
    finally:
        os.unlink(f"{config}.lock")


def _set(*args: str, where: str) -> None:
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            process.run("config", *args, cwd=where)
            return
        except errors.GitFailed as fault:
            if "could not lock config file" not in fault.stderr or "File exists" not in fault.stderr:
                raise
            if time.monotonic() > deadline:
                raise errors.Busy(
                    f"git's configuration is locked: {fault.stderr}", hint="does another git run? else remove that lock"
                ) from None
        time.sleep(0.02)
