"""Attending: what an agent's session is told at its start, its prompts, its edits and its commands; and its touches.

Everything imported from here is paid by every edit: no pygit2, click, psutil or filelock. Reports come out, the door
says them in the agent's own words. Nothing of a prompt or of a file's content is looked at or kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gitqueen import errors
from gitqueen.git import places, process
from gitqueen.git.places import Place
from gitqueen.model import conflicts
from gitqueen.model.conflicts import Collision
from gitqueen.model.dialects import Deed
from gitqueen.model.events import Event
from gitqueen.model.messages import Message
from gitqueen.model.sisters import Identity, Sister
from gitqueen.senses import agents
from gitqueen.services import attributing, identifying, tending
from gitqueen.services import queen as queens
from gitqueen.services.queen import Queen
from gitqueen.store import claims as claims_table
from gitqueen.store import database, events, touches
from gitqueen.store import messages as messages_table
from gitqueen.store import sisters as sisters_table
from gitqueen.store.touches import Touch

PATIENCE = 1.0
"""Seconds to wait for another writer."""
MOST = 100
"""Paths or letters that one event tells of."""
LETTERS, WHOLE = 8, 300
"""Letters that one prompt is told of, and characters of one that is told whole."""


@dataclass(frozen=True, slots=True)
class News:
    """What happened since her last prompt; `letters`: unread ones, of which `whole` will be told in full."""

    letters: tuple[Message, ...] = ()
    whole: frozenset[int] = frozenset()
    more: int = 0
    """Letters that are only counted."""
    latest: int = 0
    """The last of all these letters."""
    changed: tuple[Touch, ...] = ()
    committed: tuple[tuple[str, str, str], ...] = ()
    """(path, commit, sister)."""
    was: str | None = None
    branch: str | None = None
    """The branch that she was on, and that the worktree is on now; both None where it is the same."""

    @property
    def anything(self) -> bool:
        return bool(self.letters or self.changed or self.committed or self.was or self.branch)


@dataclass(frozen=True, slots=True)
class EditReport:
    """What an edit runs into. `refused`: policy says block, and she is known."""

    collisions: tuple[Collision, ...] = ()
    others: Mapping[str, Sister] | None = None
    apart: str = ""
    refused: bool = False


def opened(env: Mapping[str, str], clock: Callable[[], datetime], deed: Deed, agent: str) -> Queen:
    """The queen, where the agent's session stands; its session id as its own commands would have it."""
    env = process.without_local(env)
    if deed.session is not None and (key := agents.session_variable(agent)) is not None:
        env[key] = deed.session
    folder = deed.cwd if deed.cwd is not None and os.path.isdir(deed.cwd) else None
    return queens.open(env, clock, folder, PATIENCE)


def actor(queen: Queen, deed: Deed) -> Identity:
    """Whose session it is; a newcomer whom the queen cannot take in now is nobody, and told things all the same."""
    try:
        me = identifying.identify(queen)
    except (errors.Busy, errors.CannotWork):
        return Identity(None, queen.login)
    if me.sister is not None and deed.session is not None:
        me = replace(me, sister=replace(me.sister, session_id=deed.session))
    return me


def seen(queen: Queen, me: Identity, status: str) -> None:
    """She waits or idles here from now on."""
    if me.sister is None:
        return
    with database.transaction(queen.db, patience=PATIENCE):
        _settle(queen, me.sister)
        sisters_table.set_status(queen.db, me.sister.row, status)


def _settle(queen: Queen, sister: Sister) -> None:
    """She is here now. Where she is told nothing, the branch that she believes to be on stays: that it moved under
    her she learns at her next prompt."""
    place = queen.place
    if place is not None and sister.worktree == place.worktree:
        sisters_table.seen(queen.db, sister, queen.now)
        events.acts(queen.db, sister.name, sister.session_id)
    else:
        tending.settle(queen, sister)


def news(queen: Queen, me: Identity) -> News:
    """What is new for her since her last prompt; nothing where she is not known, and so cannot be told once."""
    place, sister = queen.place, me.sister
    if sister is None:
        return News()
    with database.faults(queen.settings.database):
        at, letter = touches.attended(queen.db, me.address)
        unread = [one for one in messages_table.unread(queen.db, me.address) if one.id > letter]
        told = News()
        if place is not None and place.worktree is not None and at:
            told = News(
                changed=tuple(touches.changed_by_others(queen.db, place.worktree, sister.name, at)),
                committed=tuple(
                    touches.committed_by_others(queen.db, place.worktree, place.common_dir, sister.name, at)
                ),
            )
    shown = sorted(unread, key=lambda one: not one.urgent)[:LETTERS]
    told = replace(
        told,
        letters=tuple(shown),
        whole=frozenset(one.id for one in shown if len(one.body) <= WHOLE),
        more=len(unread) - len(shown),
        latest=max((one.id for one in unread), default=0),
    )
    if place is None or sister.worktree != place.worktree or sister.branch == place.branch:
        return told
    # Alone in her worktree she moved it herself.
    if not any(one.worktree == place.worktree for one in tending.others(queen, sister.name)):
        return told
    return replace(told, was=sister.branch or "a detached HEAD", branch=place.branch or "a detached HEAD")


def told(queen: Queen, me: Identity, said: News) -> None:
    """She was told: what was said whole is read, and nothing of it is said again."""
    if me.sister is None:
        return
    with database.transaction(queen.db, patience=PATIENCE):
        tending.settle(queen, me.sister)
        sisters_table.set_status(queen.db, me.sister.row, "working")
        messages_table.mark_read(queen.db, said.whole, queen.now)
        touches.attend(queen.db, me.sister.name, queen.now.timestamp(), said.latest)


def begun(queen: Queen, me: Identity) -> None:
    """Her session starts: what is new from here on is what her prompts are told of."""
    if me.sister is None:
        return
    with database.transaction(queen.db, patience=PATIENCE):
        tending.settle(queen, me.sister)
        if me.sister.status not in ("working", "waiting"):
            sisters_table.set_status(queen.db, me.sister.row, "idle")
        touches.attend(queen.db, me.sister.name, queen.now.timestamp(), 0)


def before_edit(queen: Queen, me: Identity, paths: Sequence[str]) -> EditReport:
    """What stands against writing these files: claims, and others' uncommitted work on them here and elsewhere."""
    others = tending.others(queen, me.address)
    if not others:
        return EditReport()
    from gitqueen.services import claiming, colliding, relating  # whoever is alone does not pay for them

    name = me.sister.name if me.sister else None
    found: list[Collision] = []
    refused, apart = False, ""
    for there, inside in placed(queen, paths):
        place = there.here()
        kin = relating.kin(queen, place.common_dir)
        near = [sister for sister in others if sister.common_dir in kin]
        if not near:
            continue
        lives = {sister.name for sister in others}
        standing = [one for one in claiming.held(there) if one.common_dir in kin and one.owner in lives]
        here = colliding.paths_colliding(there, name, inside, others, standing)
        here = _unsaid(there, name, inside, here) + attributing.swept(there, name, inside, others, asked=False)
        if not here or (policy := conflicts.policy(there.config, conflicts.FILE_COLLISION)) == conflicts.OFF:
            continue
        found += here
        stops = any(one.verdict in ("claimed", conflicts.SWEPT) for one in here)
        refused = refused or (policy == conflicts.BLOCK and me.sister is not None and stops)
        apart = apart or colliding.apart_command(place.repo, me.address, None)
    return EditReport(tuple(found), {one.name: one for one in others}, apart, refused)


def _unsaid(queen: Queen, me: str | None, paths: Sequence[str], found: Sequence[Collision]) -> list[Collision]:
    """Without what only wants to be known once: others' work elsewhere on a file that she is at already."""
    hands = attributing.hands_on(queen, queen.here().worktree or "", paths) if found else {}
    mine = {path for path, touched in hands.items() if any(touch.sister == me for touch in touched)}
    return [one for one in found if one.verdict == "claimed" or one.path not in mine]


def after_edit(queen: Queen, me: Identity, paths: Sequence[str]) -> None:
    """She wrote these files: what everything else about them builds on."""
    sister = me.sister
    if sister is None:
        return
    moments = [
        (there, [Touch(path, sister.name, queen.now.timestamp(), _stamp(there, path)) for path in inside])
        for there, inside in placed(queen, paths)
    ]
    with database.transaction(queen.db, patience=PATIENCE):
        for there, touched in moments:
            touches.save(queen.db, there.here().worktree or "", touched)
        _settle(moments[-1][0] if moments else queen, sister)
    from gitqueen.services import keeping

    for there, _ in moments:
        keeping.soon(there, there.here())


def _stamp(there: Queen, path: str) -> str:
    return attributing.stamp(there.here().worktree or "", path)


def placed(queen: Queen, paths: Sequence[str]) -> Iterator[tuple[Queen, list[str]]]:
    """The queen in each worktree that `paths` lie in, and those paths from its top; what lies in none is left out.
    A link counts as the link that git knows, and as the file that is written through it."""
    found: dict[str, tuple[Place, list[str]]] = {}
    for path in paths:
        folder, name = os.path.split(os.path.join(queen.cwd, path))
        if name in ("", ".", ".."):
            continue
        whole = os.path.join(os.path.realpath(folder), name)
        for file in dict.fromkeys((whole, os.path.realpath(whole))):
            if (place := _place(queen, file)) is not None and place.worktree is not None:
                inside = file[len(place.worktree.rstrip("/")) + 1 :]
                found.setdefault(place.worktree, (place, []))[1].append(inside)
    for place, inside_paths in found.values():
        yield (queen if queen.place == place else queen.at(place)), list(dict.fromkeys(inside_paths))


def _place(queen: Queen, file: str) -> Place | None:
    """Where a file is, or will be; None outside any worktree, and inside git's own folder."""
    folder = os.path.dirname(file)
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    found = places.find(folder, {})
    if found is None or found.worktree is None or file.startswith(f"{found.common_dir}/"):
        return None
    if not file.startswith(f"{found.worktree.rstrip('/')}/"):
        return None
    # The same worktree from another folder in it is the same place to us.
    return queen.place if queen.place is not None and queen.place.worktree == found.worktree else found


def ended(queen: Queen, me: Identity) -> None:
    """Her session is over, her process not yet: what she leaves goes into history. She dies with her process."""
    sister = me.sister
    if sister is None:
        return
    left = _left(queen, sister)
    with database.faults(queen.settings.database):
        unacked = messages_table.unacknowledged(queen.db, sister.name, MOST)
        held = [one.id for one in claims_table.held(queen.db) if one.owner == sister.name]
    with database.transaction(queen.db, patience=PATIENCE):
        _settle(queen, sister)
        sisters_table.set_status(queen.db, sister.row, "idle")
        detail = {"uncommitted": left[:MOST], "unacknowledged": unacked, "claims": held}
        events.record(queen.db, queen.now, Event("left", sister.name, sister.repo, detail))


def _left(queen: Queen, sister: Sister) -> list[str]:
    """What she wrote here last and did not commit."""
    place = queen.place
    if place is None or place.worktree is None:
        return []
    with database.faults(queen.settings.database):
        touched = touches.of_worktree(queen.db, place.worktree)
    last = {touch.path: touch.sister for touch in touched}
    hers = [path for path, name in last.items() if name == sister.name]
    if not hers:
        return []
    from gitqueen.git import staging

    try:
        return sorted(staging.uncommitted(place.worktree, hers))
    except errors.GitFailed:
        return []
