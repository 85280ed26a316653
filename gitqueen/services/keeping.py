"""Keeping: soon after an edit or a checkout a worktree is looked at by a process of its own, at most every few seconds.

So that whatever is destroyed next was kept before. `soon` is on the path of every edit that an agent's hook records: it
touches a file and perhaps starts a process, and imports next to nothing.
"""

from __future__ import annotations

import time

from gitqueen import crashes, errors
from gitqueen.git import turns
from gitqueen.git.places import Place
from gitqueen.model.events import VENTURED, Event
from gitqueen.services import watching
from gitqueen.services.queen import Queen
from gitqueen.store import database, events, repos

INTERVAL = 5.0
"""Seconds between two looks while edits come (`gitqueen.rescue.interval`)."""


MANY_LOOSE = 4000
"""Loose objects of one repository that are packed at once."""


def soon(queen: Queen, place: Place, until: float = 0.0) -> None:
    """Something was written here, or will be until then: have it kept by somebody whom nobody waits for."""
    with database.faults(queen.settings.database):
        managed = repos.managed(queen.db, place.common_dir)
    if managed and place.worktree is not None and turns.ask(place, until):
        watching.start_keeper(queen, place.worktree)


def pause(queen: Queen) -> float:
    """Seconds between two looks."""
    return max(0.1, queen.duration("gitqueen.rescue.interval", INTERVAL))


def moved(queen: Queen, name: str | None, command: str) -> None:
    """HEAD of this worktree was moved by a command of `name`, and files with it."""
    place = queen.here()
    if name is not None:
        detail = {"by": command, "worktree": place.worktree, "at": queen.now.timestamp(), "over": True}
        with database.transaction(queen.db):
            events.record(queen.db, queen.now, Event(VENTURED, name, place.repo, detail))
    soon(queen, place)


def pack_when_many(queen: Queen, place: Place) -> None:
    """Not only once a day where much is written."""
    from gitqueen.git import rescue

    if rescue.unpacked(place) > MANY_LOOSE:
        watching.start_packer(queen)


def pack(queen: Queen) -> None:
    """Drop what is kept no longer in every managed repository, and pack the rest; help git to find merge bases. Nobody
    waits for it."""
    from gitqueen.git import graphs
    from gitqueen.services import losing, rescuing

    with database.faults(queen.settings.database):
        managed = repos.all_managed(queen.db)
    needed = [losing.snapshot_of(conflict) for conflict in losing.open_ones(queen)]
    for common_dir, path in managed.items():
        place = Place(common_dir, common_dir, None, path, None)
        try:
            rescuing.tend(queen, place, needed)
            graphs.write(common_dir)
        except errors.GitqueenError as fault:
            crashes.log(queen.env, fault)  # damaged, or read-only: the others want to be packed all the same


def keep(queen: Queen) -> None:
    """Look at this worktree now, and again after each interval in which somebody asked for it."""
    from gitqueen.services import losing, rescuing

    place = queen.here()
    if not rescuing.on(queen, place):
        return
    interval = pause(queen)
    again = True
    while again:
        with turns.keeper(place, patience=0.2) as mine:
            if not mine:
                return  # who is at it sees that it was asked
            asked = True
            while asked:
                queen.now = queen.clock()
                losing.look(queen, place, "edit")
                pack_when_many(queen, place)
                time.sleep(interval)
                asked = turns.asked(place, queen.now.timestamp())
        # Who asked after that last look and saw us still at it started nobody.
        again = turns.asked(place, queen.now.timestamp())
