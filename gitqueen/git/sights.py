"""Sights: what is to be seen in a worktree, looked at in a child, so that no worktree keeps the others waiting.

One that is slow is left for later; one that hangs (a dead network mount) or crashes libgit2 costs its time limit and
is told as a fault. Each is tried by libgit2, then by git with its untracked cache and file system monitor.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from gitqueen import aside, errors
from gitqueen.aside import Aside
from gitqueen.git import libgit, places, probes
from gitqueen.git.libgit import Seen
from gitqueen.git.places import Place

SLOW = 0.25
"""Seconds of a look after which the next one is left for later from the start."""
LIMIT = 5.0
"""Seconds that libgit2, and after it git, may take."""
AT_ONCE = 4
"""Slow worktrees that are looked at at the same time."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A worktree, and where it belongs."""

    place: Place
    seen: Seen
    busy: str | None
    took: float
    folders: tuple[str, ...] | None = None
    """What to watch, where that was asked: `libgit.folders`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is nothing to be seen."""

    words: str
    took: float


def quick(
    worktrees: Iterable[str], folders: bool, progress: Callable[[str], None]
) -> Iterator[tuple[str, Sight | Fault | None]]:
    """Each of `worktrees`, None for one that takes longer than `probes.QUICK`: that is for `late`."""
    return probes.in_turn(list(worktrees), lambda worktree: see(worktree, libgit.look, folders), progress)


def see(worktree: str, look: Callable[[str], Seen], folders: bool) -> Sight | Fault:
    """One worktree, in this very process."""
    started = time.monotonic()
    try:
        place = places.find(worktree)
        if place is None or place.worktree != worktree:
            raise errors.CannotWork("no worktree is there any more")
        seen, busy = look(worktree), place.busy
        took = time.monotonic() - started
        return Sight(place, seen, busy, took, libgit.folders(place) if folders else None)
    except (errors.GitqueenError, OSError) as fault:
        return Fault(str(fault), time.monotonic() - started)


def late(worktrees: Iterable[str], folders: bool, patience: float) -> Iterator[tuple[str, Sight | Fault]]:
    """Slow ones, several at once, as they come; those that took longer than `patience` altogether do not come."""
    deadline = time.monotonic() + patience
    left, working = list(worktrees), list[_Try]()
    try:
        while left or working:
            while left and len(working) < AT_ONCE:
                working.append(_Try(left.pop(0), folders))
            now = time.monotonic()
            if now >= deadline:
                return
            until = min(deadline, *(one.until for one in working))
            select.select([one.child for one in working], [], [], max(0.0, until - now))
            for one in list(working):
                if (sight := one.look()) is not None:
                    working.remove(one)
                    yield one.worktree, sight
    finally:
        for one in working:
            one.child.give_up()


class _Try:
    """One slow worktree: first by libgit2, then by git."""

    def __init__(self, worktree: str, folders: bool) -> None:
        self.worktree, self.folders = worktree, folders
        self.started = time.monotonic()
        self.by_git = False
        self._begin(libgit.look)

    def _begin(self, look: Callable[[str], Seen]) -> None:
        self.until = time.monotonic() + LIMIT
        self.child: Aside = aside.start(lambda send: send(see(self.worktree, look, self.folders)))

    def look(self) -> Sight | Fault | None:
        try:
            sight = self.child.receive(0.0)
        except TimeoutError:
            if time.monotonic() < self.until:
                return None
            why = f"nothing was heard of it for {2 * LIMIT:g} s"
        except EOFError:
            why = f"looking at it ended in a crash ({self.child.code})"
        else:
            self.child.give_up()
            assert isinstance(sight, Sight | Fault)
            return sight
        self.child.give_up()
        if self.by_git:
            return Fault(why, time.monotonic() - self.started)
        self.by_git = True
        self._begin(lambda worktree: libgit.by_git(worktree, quickly=True, patience=LIMIT))
        return None
