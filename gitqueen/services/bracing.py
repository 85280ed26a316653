"""Bracing: just before a command that an agent's door knows to destroy, what is uncommitted is kept, and who is about
to run it is written down. On the path of agents' hooks: no pygit2, click, psutil or filelock.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from gitqueen import errors
from gitqueen.git import places
from gitqueen.git.places import Place
from gitqueen.model import commands
from gitqueen.model.commands import Threat
from gitqueen.model.events import VENTURED, Event
from gitqueen.model.sisters import Identity
from gitqueen.services import keeping, losing, rescuing, tending
from gitqueen.services.queen import Queen
from gitqueen.store import database, events

KINDS = (commands.DISCARDS, commands.STASHES, commands.SWITCHES)
PATIENCE = 0.5
"""Seconds that a door waits for somebody who keeps the same work at this moment."""


def before(queen: Queen, me: Identity, threats: Sequence[Threat]) -> None:
    """A command is about to be run: keep what it may destroy, and write down who runs it."""
    ventures: dict[str, tuple[Place, Threat]] = {}
    for threat in threats:
        folder = os.path.join(queen.cwd, *threat.folders)
        place = places.find(folder, {}) if threat.kind in KINDS and os.path.isdir(folder) else None
        if place is not None and place.worktree is not None:
            ventures.setdefault(place.worktree, (place, threat))
    for place, threat in ventures.values():
        there = queen.at(place)
        if not rescuing.on(there, place):
            continue
        # First who: an answer that has to be given before all is kept must not make that unknown.
        if me.sister is not None:
            _write_down(queen, place, threat, me.sister.name)
        try:
            losing.look(there, place, f"before {threat.what}", patience=PATIENCE, ahead=queen.now.timestamp())
        except errors.Busy:
            pass  # it is being kept by the one who is at it
        if sum(sister.worktree == place.worktree for sister in tending.living(queen)) > 1:
            # What it took of others is seen before anybody writes on, and not at the next scan alone.
            keeping.soon(there, place, queen.now.timestamp() + 2 * keeping.pause(there))


def _write_down(queen: Queen, place: Place, threat: Threat, name: str) -> None:
    detail = {"by": threat.what, "worktree": place.worktree, "at": queen.now.timestamp()}
    try:
        with database.transaction(queen.db, patience=PATIENCE):
            events.record(queen.db, queen.now, Event(VENTURED, name, place.repo, detail))
    except errors.Busy:
        pass  # what is lost is then told without saying by whom
