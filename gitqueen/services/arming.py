"""Arming: git hooks put into repositories, taken out again, looked at, and mended when somebody disarmed them.

A plan of steps first, as plain data; performing it changes hook files or git's configuration, then the book of managed
repositories. What is there is `git/hooks`, what a hook file holds `git/hooktext`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gitqueen import errors
from gitqueen.git import hooks, hooktext, manifest, markers, places
from gitqueen.git.hooks import Arms, State
from gitqueen.git.manifest import Record
from gitqueen.git.places import Place
from gitqueen.model.events import Event
from gitqueen.services import tending
from gitqueen.services.queen import Queen
from gitqueen.store import armed as armed_table
from gitqueen.store import database, events, repos, spool
from gitqueen.store.armed import Armed

CONFIGURE, UNCONFIGURE, WRITE, DELETE = "configure", "unconfigure", "write", "delete"


@dataclass(frozen=True, slots=True)
class Step:
    """One change: a hook in git's configuration, or the whole text of a hook file."""

    do: str
    event: str
    words: str
    """What it does, for people."""
    path: str = ""
    text: bytes = b""
    was: bytes | None = None
    """The text of the file when the plan was made: when it is another one by then, the step is not done."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one repository."""

    path: str
    arms: Arms | None = None
    """How it stands now; None where git refuses to say."""
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    """What was left alone and why; whether uninstalling restored what was there before."""
    fault: str = ""
    hint: str = ""
    managed: bool = False


def find(queen: Queen, named: Sequence[str]) -> list[Place]:
    """The repositories `named`, or the one here; raises `errors.CannotWork` for a folder in none."""
    if not named:
        return [queen.here()]
    return [_place(queen, path) for path in named]


def _place(queen: Queen, path: str) -> Place:
    place = places.find(os.path.join(queen.cwd, os.path.expanduser(path)))
    if place is None:
        raise errors.CannotWork(f"{ascii(path)} is in no git repository", hint="name a folder inside one")
    return place


def plan(arms: Arms) -> tuple[Step, ...]:
    """The steps after which every event is armed in the way of this git, and only in that one."""
    if arms.by_config:
        configuring = [
            Step(CONFIGURE, state.event, f"{state.event}: into git's configuration")
            for state in arms.states
            if not state.armed or state.stale
        ]
        return (*configuring, *(step for state in arms.states for step in _cleaning(state, arms)))
    steps = [Step(UNCONFIGURE, event, f"{event}: out of git's configuration") for event in arms.left_over]
    for state in arms.states:
        if state.armed and not state.stale:
            steps += _cleaning_aside(state)
        elif not state.fixed and (os.path.isdir(arms.folder) or arms.folder_from == "default"):
            steps += [_writing(state), *_cleaning_aside(state)]
    return tuple(steps)


def _writing(state: State) -> Step:
    text = hooktext.added(state.text, hooktext.block(hooktext.tool(), state.event))
    what = "a file of our own" if state.kind in (hooktext.ABSENT, hooktext.OURS) else "a block"
    return Step(WRITE, state.event, f"{state.event}: {what} in {state.path}", state.path, text, state.text)


def _cleaning(state: State, arms: Arms) -> list[Step]:
    """Take us out of the hook file and of what others put aside."""
    mine = [(state.path, state.text)] if state.in_file and state.text is not None else []
    return [_without(state.event, path, text, arms) for path, text in mine] + _cleaning_aside(state)


def _cleaning_aside(state: State) -> list[Step]:
    return [_without(state.event, path, text, None) for path, text in state.aside]


def _without(event: str, path: str, text: bytes, arms: Arms | None) -> Step:
    rest = hooktext.removed(text)
    before = manifest.read(arms.place.common_dir).get(path) if arms else None
    if rest == hooktext.SHEBANG and (before is None or before.before is None):
        return Step(DELETE, event, f"{event}: {path} is removed, it was ours", path, was=text)
    return Step(WRITE, event, f"{event}: our block is out of {path}", path, rest, text)


def install(queen: Queen, place: Place, dry_run: bool = False, by: int = repos.BY_NAME) -> Report:
    """Arm one repository and manage it from now on; twice changes nothing."""
    try:
        arms = hooks.look(place)
        steps = plan(arms)
        if dry_run:
            return Report(place.repo, arms, steps, _left_alone(arms), managed=_managed(queen, place))
        if not markers.prepare(place.common_dir):
            raise errors.CannotWork(f"{place.common_dir} cannot be written", hint="look at its rights")
        spool.prepare(queen.settings.home)
        with database.transaction(queen.db):
            before = repos.managed_by(queen.db, place.common_dir)
            if before != repos.BY_NAME:
                repos.save(queen.db, place.common_dir, place.repo, managed=by)
            if before not in (repos.BY_NAME, repos.BY_GLOBAL):
                events.record(queen.db, queen.now, Event("armed", None, place.repo, {"git": arms.git}))
        # Managed first: whoever becomes a sister from now on is marked, so none is missed in between.
        done = perform(steps, arms)
        _mark_everybody(queen, place.common_dir)
        after = hooks.look(place) if steps else arms
        with database.transaction(queen.db):
            book(queen, after)
    except errors.GitqueenError as fault:
        return Report(place.repo, fault=fault.message, hint=fault.hint, managed=_managed(queen, place))
    return Report(place.repo, after, done, _left_alone(after), managed=True)


def _managed(queen: Queen, place: Place) -> bool:
    with database.faults(queen.settings.database):
        return repos.managed(queen.db, place.common_dir)


def _left_alone(arms: Arms) -> tuple[str, ...]:
    return tuple(f"{state.event}: {state.fault}" for state in arms.states if not state.armed)


def book(queen: Queen, arms: Arms, since: datetime | None = None) -> None:
    """Remember how a worktree is armed, so that a scan sees a change by a few stats. Call it inside a transaction."""
    place = arms.place
    fingerprint = hooks.fingerprint(place, arms.folder, queen.env)
    where = place.worktree or place.git_dir
    armed_table.save(queen.db, Armed(where, arms.folder, fingerprint, sentence(arms.faults), since or queen.now))


def sentence(faults: Mapping[str, Sequence[str]]) -> str:
    """What would not fire, in one line; empty where everything does."""
    return "; ".join(f"{', '.join(affected)}: {why}" for why, affected in faults.items())


def _mark_everybody(queen: Queen, common_dir: str) -> None:
    for sister in tending.living(queen):
        if sister.common_dir == common_dir and sister.body is not None:
            markers.write(common_dir, sister.body.pid, sister.body.origin)


def uninstall(queen: Queen, place: Place, dry_run: bool = False) -> Report:
    """Take our hooks out of one repository, byte for byte as it was, and manage it no more."""
    try:
        arms = hooks.look(place)
        steps = _leaving(queen, arms)
        if dry_run:
            return Report(place.repo, arms, steps, managed=_managed(queen, place))
        notes = _restored(steps, manifest.read(place.common_dir))
        done = perform(steps, arms)
        with database.transaction(queen.db):
            if repos.managed(queen.db, place.common_dir):
                # Under --global it would come back with the next scan.
                repos.save(queen.db, place.common_dir, place.repo, managed=repos.DECLINED)
                events.record(queen.db, queen.now, Event("disarmed", None, place.repo, {"by": "uninstall"}))
        manifest.write(place.common_dir, {})
        markers.clear(place.common_dir)
        return Report(place.repo, hooks.look(place), done, notes)
    except errors.GitqueenError as fault:
        return Report(place.repo, fault=fault.message, hint=fault.hint, managed=_managed(queen, place))


def _leaving(queen: Queen, arms: Arms) -> tuple[Step, ...]:
    local = [state.event for state in arms.states if state.how == hooks.CONFIGURED] or arms.left_over
    steps = [Step(UNCONFIGURE, event, f"{event}: out of git's configuration") for event in local]
    if not _shared(queen, arms):
        steps += [step for state in arms.states for step in _cleaning(state, arms)]
    return tuple(steps)


def _shared(queen: Queen, arms: Arms) -> bool:
    """Whether other managed repositories have their hooks in the same folder (a global `core.hooksPath`)."""
    if arms.folder_from not in ("global", "system"):
        return False
    with database.faults(queen.settings.database):
        return any(common_dir != arms.place.common_dir for common_dir in repos.all_managed(queen.db))


def _restored(steps: Sequence[Step], records: dict[str, Record]) -> tuple[str, ...]:
    """Which files will be what they were before us, and which somebody else changed meanwhile."""
    notes = []
    for step in steps:
        if step.do in (WRITE, DELETE) and (record := records.get(step.path)) is not None:
            after = manifest.checksum(step.text) if step.do == WRITE else None
            if after == record.before:
                notes += [f"{step.path} is byte for byte what it was"] if after else []
            else:
                notes.append(f"{step.path} was changed by somebody since: only our block was removed")
    return tuple(notes)


def perform(steps: Sequence[Step], arms: Arms) -> tuple[Step, ...]:
    """Do `steps`; returns those done. A file that changed since it was looked at is left for the next look."""
    where = arms.place.worktree or arms.place.git_dir
    records = manifest.read(arms.place.common_dir)
    done = []
    for step in steps:
        match step.do:
            case "configure":
                hooks.configure(step.event, hooks.LOCAL, where, hooktext.tool())
            case "unconfigure":
                hooks.unconfigure(step.event, hooks.LOCAL, where)
            case "write":
                if hooks.read(step.path) != step.was:
                    continue
                hooks.write(step.path, step.text)
                _note(records, step)
            case _:
                if hooks.read(step.path) != step.was:
                    continue
                hooks.remove(step.path)
                records.pop(step.path, None)
        done.append(step)
    manifest.write(arms.place.common_dir, records)
    return tuple(done)


def _note(records: dict[str, Record], step: Step) -> None:
    """Remember what the file was before us, through all our own rewritings of it."""
    if hooktext.ours(step.text):
        was = hooktext.removed(step.was) if step.was else step.was
        ours_alone = step.was is not None and hooktext.kind(step.was) == hooktext.OURS
        before = records[step.path].before if step.path in records and ours_alone else manifest.checksum(was)
        records[step.path] = Record(before, manifest.checksum(step.text) or "")
    else:
        records.pop(step.path, None)


def status(queen: Queen, place: Place) -> Report:
    """How one repository stands; nothing is changed."""
    try:
        return Report(place.repo, hooks.look(place), managed=_managed(queen, place))
    except errors.GitqueenError as fault:
        return Report(place.repo, fault=fault.message, hint=fault.hint, managed=_managed(queen, place))


def known(queen: Queen) -> list[Place]:
    """Every managed repository that is still there."""
    with database.faults(queen.settings.database):
        paths = repos.all_managed(queen.db).values()
    found = [places.find(path) for path in paths]
    return [place for place in found if place is not None]
