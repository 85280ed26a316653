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
from gitqueen.git import drafts, hookfiles, hooks, hooktext, manifest, markers, notes, places, rescue
from gitqueen.git.hooks import Arms, State
from gitqueen.git.manifest import Record
from gitqueen.git.places import Place
from gitqueen.model import sisters
from gitqueen.model.events import Event
from gitqueen.services import mirroring, tending
from gitqueen.services.queen import Queen
from gitqueen.store import armed as armed_table
from gitqueen.store import database, events, repos, roster, spool
from gitqueen.store.armed import Armed

CONFIGURE, UNCONFIGURE, WRITE, DELETE = "configure", "unconfigure", "write", "delete"

RESTORED = "byte for byte what it was"
CHANGED_SINCE = "changed by somebody since, only our block is removed"
REPLACED_SINCE = "replaced by somebody since, nothing of ours is in it"


@dataclass(frozen=True, slots=True)
class Step:
    """One change: a hook in git's configuration, or the whole text of a hook file."""

    do: str
    event: str
    words: str
    """What becomes of the event, for people."""
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
    elsewhere: tuple[Arms, ...] = ()
    """The same for other worktrees that have a hooks folder of their own (a relative `core.hooksPath`)."""

    @property
    def armed(self) -> bool:
        return self.arms is not None and all(arms.armed for arms in (self.arms, *self.elsewhere))

    @property
    def helpless(self) -> bool:
        """Nothing at all fires for us where this was asked."""
        return self.arms is not None and not any(state.armed for state in self.arms.states)


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
    records = manifest.read(arms.place.common_dir)
    if arms.by_config:
        configuring = [
            Step(CONFIGURE, state.event, "git's configuration")
            for state in arms.states
            # Who switched us off there, meant it.
            if (not state.armed or state.stale) and not state.fixed
        ]
        return (*configuring, *_cleaning(arms, records))
    steps = [
        Step(UNCONFIGURE, event, "out of git's configuration, which this git does not read") for event in arms.left_over
    ]
    for state in arms.states:
        settled = state.armed and not state.stale and state.guest is None
        if not settled and not state.fixed and arms.usable_folder:
            steps.append(_writing(state))
        steps += _cleaning_aside(state)
    return tuple(steps)


def _writing(state: State) -> Step:
    before, what = state.text, "a block in the hook that is there"
    if state.guest is not None and state.guest[1] is not None:
        before, what = state.guest[1], f"a block in the hook of {state.guest[0]}, which ours kept out"
    elif state.guest is not None:
        before, what = None, f"a file of our own, {state.guest[0]} is gone"
    elif state.kind in (hooktext.ABSENT, hooktext.OURS):
        what = "a file of our own"
    text = hooktext.added(before, hooktext.block(hooktext.tool(), state.event))
    return Step(WRITE, state.event, what, state.path, text, state.text)


def _cleaning(arms: Arms, records: Mapping[str, Record]) -> list[Step]:
    """Take us out of the hook files and of what others put aside."""
    steps = []
    for state in arms.states:
        # A link is somebody's arrangement: what it leads to is not in this folder.
        if state.in_file and state.text is not None and not os.path.islink(state.path):
            steps.append(_without(state.event, state.path, state.text, records.get(state.path)))
        steps += _cleaning_aside(state)
    return steps


def _cleaning_aside(state: State) -> list[Step]:
    return [_without(state.event, path, text, None) for path, text in state.aside if not os.path.islink(path)]


def _without(event: str, path: str, text: bytes, record: Record | None) -> Step:
    rest, name = hooktext.removed(text), os.path.basename(path)
    if rest == hooktext.SHEBANG and (record is None or record.before is None):
        what = "our own file is removed" if name == event else f"{name}, a copy of our own file, is removed"
        return Step(DELETE, event, what, path, was=text)
    what = "our block is out of the hook there" if name == event else f"our block is out of {name}"
    return Step(WRITE, event, what, path, rest, text)


def install(queen: Queen, place: Place, dry_run: bool = False, by: int = repos.BY_NAME) -> Report:
    """Arm one repository and manage it from now on; twice changes nothing."""
    try:
        arms = hooks.look(place)
        others = elsewhere(arms)
        # Configuration is the same for all worktrees, files are not.
        steps = (*plan(arms), *(step for one in others for step in plan(one) if step.path))
        if dry_run:
            left = _left_alone(arms, [step.event for step in steps])
            return Report(place.repo, arms, steps, left, managed=_managed(queen, place), elsewhere=others)
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
        follow(place)
        done = perform(steps, arms)
        _mark_everybody(queen, place.common_dir)
        roster.add(queen.settings.home, [place.repo])
        mirroring.changed(queen)
        if steps:
            after, others = hooks.look(place), tuple(hooks.look(one.place) for one in others)
        else:
            after = arms
        with database.transaction(queen.db):
            book(queen, after)
    except errors.GitqueenError as fault:
        return Report(place.repo, fault=fault.message, hint=fault.hint, managed=_managed(queen, place))
    return Report(place.repo, after, done, _left_alone(after), managed=True, elsewhere=others)


def follow(place: Place) -> None:
    """Notes on commits go along when git rewrites these: said in the repository's configuration."""
    with manifest.locked(place.common_dir):
        records, config = manifest.read(place.common_dir), hooks.config_of(place)
        before = manifest.checksum(hookfiles.read(config))
        if notes.follow(place) and config not in records:
            manifest.write(place.common_dir, {**records, config: Record(before, "")})


def elsewhere(arms: Arms) -> tuple[Arms, ...]:
    """The other worktrees of the repository that have hooks folders of their own."""
    if arms.folder_from == "default":
        return ()
    found = [places.find(top) for top in hooks.worktrees(arms.place)]
    others = [place for place in found if place is not None and place.worktree != arms.place.worktree]
    return tuple(hooks.look(place) for place in others if hooks.folder_of(place) != arms.folder)


def _managed(queen: Queen, place: Place) -> bool:
    with database.faults(queen.settings.database):
        return repos.managed(queen.db, place.common_dir)


def _left_alone(arms: Arms, mended: Sequence[str] = ()) -> tuple[str, ...]:
    left = {why: [event for event in affected if event not in mended] for why, affected in arms.faults.items()}
    return tuple(f"{', '.join(affected)}: {why}" for why, affected in left.items() if affected)


def book(queen: Queen, arms: Arms, since: datetime | None = None) -> None:
    """Remember how a worktree is armed, so that a scan sees a change by a few stats. Call it inside a transaction."""
    place = arms.place
    fingerprint = hooks.fingerprint(place, arms.folder, queen.env)
    where = place.folder
    armed_table.save(queen.db, Armed(where, arms.folder, fingerprint, sentence(arms.faults), since or queen.now))


def sentence(faults: Mapping[str, Sequence[str]]) -> str:
    """What would not fire, in one line; empty where everything does."""
    return "; ".join(f"{', '.join(affected)}: {why}" for why, affected in faults.items())


def _mark_everybody(queen: Queen, common_dir: str) -> None:
    for sister in tending.living(queen):
        if sister.common_dir == common_dir and sister.body is not None:
            markers.write(common_dir, sister.body.pid, sisters.badge(sister))


def uninstall(queen: Queen, place: Place, dry_run: bool = False, purge: bool = False) -> Report:
    """Take our hooks out of one repository, byte for byte as it was, and manage it no more. The notes on its commits
    go with `purge`, else they stay: they are its history."""
    try:
        arms = hooks.look(place)
        everywhere = (arms, *elsewhere(arms))
        records = manifest.read(place.common_dir)
        steps = _leaving(queen, everywhere, records)
        if dry_run:
            return Report(place.repo, arms, steps, managed=_managed(queen, place))
        told = _restored(steps, everywhere, records)
        if _shared(queen, arms):
            told = (*told, f"the hooks in {arms.folder} stay: other repositories have theirs there too")
        done = perform(steps, arms)
        with database.transaction(queen.db):
            if repos.managed(queen.db, place.common_dir):
                # Under --global it would come back with the next scan.
                repos.save(queen.db, place.common_dir, place.repo, managed=repos.DECLINED)
                events.record(queen.db, queen.now, Event("disarmed", None, place.repo, {"by": "uninstall"}))
        notes.unfollow(place)
        if (config := records.get(hooks.config_of(place))) is not None:
            hooks.end_as_before(place, config.before)
        manifest.write(place.common_dir, {})
        drafts.drop(place.common_dir)
        markers.clear(place.common_dir)
        mirroring.withdraw(queen, place)
        return Report(place.repo, hooks.look(place), done, (*told, *written_history(place, purge)))
    except errors.GitqueenError as fault:
        return Report(place.repo, fault=fault.message, hint=fault.hint, managed=_managed(queen, place))


def written_history(place: Place, purge: bool) -> tuple[str, ...]:
    """Take the notes on commits and the snapshots away with `purge`; what is to be said of it."""
    if purge:
        gone = (f"{notes.REF} is gone",) if notes.remove(place) else ()
        return (*gone, "the snapshots of uncommitted work are gone") if rescue.purge(place) else gone
    stay = f"{notes.REF} stays, it says who made what; gitqueen hooks uninstall --purge takes it out"
    return (stay,) if notes.there(place) else ()


def _leaving(queen: Queen, everywhere: Sequence[Arms], records: Mapping[str, Record]) -> tuple[Step, ...]:
    steps = [Step(UNCONFIGURE, event, "out of git's configuration") for event in everywhere[0].configured]
    for arms in everywhere:
        if not _shared(queen, arms):
            steps += _cleaning(arms, records)
    return (*steps, *_strays(everywhere, records))


def _strays(everywhere: Sequence[Arms], records: Mapping[str, Record]) -> list[Step]:
    """Take us out of hooks folders that were in force once: somebody set or unset `core.hooksPath` since."""
    place = everywhere[0].place
    tops = [place.common_dir, *(arms.place.worktree for arms in everywhere if arms.place.worktree)]
    # The manifest may have come with the repository: only what lies in it counts.
    known = [path for path in records if os.path.realpath(path) == path]
    folders = {os.path.dirname(path) for path in known if any(path.startswith(f"{top}/") for top in tops)}
    folders |= {os.path.join(place.common_dir, "hooks")}
    steps = []
    for folder in sorted(folders - {arms.folder for arms in everywhere}):
        for event in hooks.EVENTS:
            path = os.path.join(folder, event)
            text = None if os.path.islink(path) else hookfiles.read(path)
            if text and hooktext.ours(text):
                steps.append(_without(event, path, text, records.get(path)))
    return steps


def _shared(queen: Queen, arms: Arms) -> bool:
    """Whether other managed repositories have their hooks in the same folder."""
    if arms.own_folder or arms.by_config:
        return False
    return any(
        place.common_dir != arms.place.common_dir and hooks.folder_of(place) == arms.folder for place in known(queen)
    )


def _restored(steps: Sequence[Step], everywhere: Sequence[Arms], records: Mapping[str, Record]) -> tuple[str, ...]:
    """Which files will be what they were before us, and which somebody else changed meanwhile."""
    notes: dict[str, list[str]] = {}
    changing = {step.path: step for step in steps if step.do in (WRITE, DELETE)}
    for path, step in changing.items():
        if (record := records.get(path)) is not None:
            after = manifest.checksum(step.text) if step.do == WRITE else None
            if after != record.before:
                notes.setdefault(CHANGED_SINCE, []).append(step.event)
            elif after:
                notes.setdefault(RESTORED, []).append(step.event)
    for state in (state for arms in everywhere for state in arms.states if state.path not in changing):
        record = records.get(state.path)
        if record is not None and manifest.checksum(state.text) not in (record.before, record.after):
            notes.setdefault(REPLACED_SINCE, []).append(state.event)
    return tuple(f"{', '.join(dict.fromkeys(affected))}: {words}" for words, affected in notes.items())


def perform(steps: Sequence[Step], arms: Arms) -> tuple[Step, ...]:
    """Do `steps`; returns those done. A file that changed since it was looked at is left for the next look."""
    if not steps:
        return ()
    common_dir, done = arms.place.common_dir, []
    with manifest.locked(common_dir):
        records = manifest.read(common_dir)
        try:
            for step in steps:
                if _do(step, arms, records):
                    done.append(step)
        finally:
            manifest.write(common_dir, records)
    return tuple(done)


def _do(step: Step, arms: Arms, records: dict[str, Record]) -> bool:
    """One step, and what is remembered of it; False when it was not done."""
    where = arms.place.folder
    match step.do:
        case "configure":
            config = hooks.config_of(arms.place)
            if not arms.configured and config not in records:
                records[config] = Record(manifest.checksum(hookfiles.read(config)), "")
            hooks.configure(step.event, hooks.LOCAL, where, hooktext.tool())
        case "unconfigure":
            hooks.unconfigure(step.event, hooks.LOCAL, where)
        case _ if hookfiles.read(step.path) != step.was:
            return False
        case "write":
            hookfiles.write(step.path, step.text, runs=hooktext.kind(step.text) == hooktext.OURS)
            _note(records, step)
        case _:
            hookfiles.remove(step.path)
            records.pop(step.path, None)
    return True


def _note(records: dict[str, Record], step: Step) -> None:
    """Remember what the file was before us, through all our own rewritings of it."""
    if not hooktext.ours(step.text):
        records.pop(step.path, None)
        return
    known, rest = records.get(step.path), hooktext.removed(step.text)
    if rest != hooktext.SHEBANG:
        before = manifest.checksum(rest)
    elif known is not None and step.was is not None and hooktext.kind(step.was) == hooktext.OURS:
        before = known.before
    else:  # the user's own hook may be a shebang and no more
        before = manifest.checksum(rest) if step.was == rest else None
    records[step.path] = Record(before, manifest.checksum(step.text) or "")


def status(queen: Queen, place: Place) -> Report:
    """How one repository stands; nothing is changed."""
    try:
        arms = hooks.look(place)
        return Report(place.repo, arms, managed=_managed(queen, place), elsewhere=elsewhere(arms))
    except errors.GitqueenError as fault:
        return Report(place.repo, fault=fault.message, hint=fault.hint, managed=_managed(queen, place))


def known(queen: Queen) -> list[Place]:
    """Every managed repository that is still there."""
    with database.faults(queen.settings.database):
        paths = repos.all_managed(queen.db).values()
    found = [places.find(path) for path in paths]
    return [place for place in found if place is not None]
