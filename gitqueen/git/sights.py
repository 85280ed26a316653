"""Sights: what is to be seen in a worktree, looked at in a child, so that no worktree keeps the others waiting.

One that is slow is left for later; one that hangs (a dead network mount) or crashes libgit2 costs its time limit and
is told as a fault. Each is tried by libgit2, then by git with its untracked cache and file system monitor.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from gitqueen import aside, errors
from gitqueen.aside import Aside, Send
from gitqueen.git import libgit, places
from gitqueen.git.libgit import Seen
from gitqueen.git.places import Place

QUICK = 1.0
"""Seconds after which the others no longer wait for a worktree."""
SLOW = 0.25
"""Seconds of a look after which the next one is left for later from the start."""
LIMIT = 5.0
"""Seconds that libgit2, and after it git, may take."""
WORKERS, MANY = 2, 25
"""Children that look at quick ones, and worktrees that are enough for one of them: it costs 3 ms to have one."""
AT_ONCE = 4
"""Slow worktrees that are looked at at the same time."""


Answer = TypeVar("Answer")


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
    """Each of `worktrees`, None for one that takes longer than `QUICK`: that is for `late`."""
    return _in_turn(list(worktrees), lambda worktree: see(worktree, libgit.look, folders), progress)


def find(folders: Iterable[str]) -> dict[str, Place | None]:
    """The place of each folder, asked in a child; those that take longer than `QUICK`, and may hang, are left out."""
    # In a tuple: None says that there was no answer.
    answers = _in_turn(sorted(set(folders)), lambda folder: (places.find(folder),), lambda _: None)
    return {folder: answer[0] for folder, answer in answers if answer is not None}


def _in_turn(
    wanted: Sequence[str], look: Callable[[str], Answer], progress: Callable[[str], None]
) -> Iterator[tuple[str, Answer | None]]:
    count = max(1, min(WORKERS, len(wanted) // MANY))
    workers = [_Worker(wanted[start::count], look) for start in range(count) if wanted[start::count]]
    try:
        while workers:
            progress(workers[0].left[0])
            until = min(worker.until for worker in workers)
            select.select([one.child for one in workers], [], [], max(0.0, until - time.monotonic()))
            for worker in list(workers):
                yield from worker.take()
                if not worker.left:
                    worker.child.give_up()
                    workers.remove(worker)
    finally:
        for worker in workers:
            worker.child.give_up()


class _Worker(Generic[Answer]):
    """A child that looks at several folders in turn, and another one for the rest where one takes too long."""

    def __init__(self, folders: Sequence[str], look: Callable[[str], Answer]) -> None:
        self.left, self.look = list(folders), look
        self._begin()

    def _begin(self) -> None:
        left, look = list(self.left), self.look

        def work(send: Send) -> None:
            for folder in left:
                send(look(folder))

        self.until = time.monotonic() + QUICK
        self.child: Aside = aside.start(work)

    def take(self) -> Iterator[tuple[str, Answer | None]]:
        """What it has seen since the last time."""
        while self.left:
            try:
                answer: Answer | None = self.child.receive(0.0)
            except TimeoutError:
                if time.monotonic() < self.until:
                    return
                answer = None
            except EOFError:
                answer = None
            self.until = time.monotonic() + QUICK
            yield self.left.pop(0), answer
            if answer is None and self.left:
                self.child.give_up()
                self._begin()


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
