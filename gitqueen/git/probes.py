"""Probes: folders are looked at in children, so that one that hangs (a dead network mount) costs its own time alone.

Whoever looks there himself is blocked by the kernel, where no time limit reaches. Without pygit2: what a hook started
asks this too.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from gitqueen import aside
from gitqueen.aside import Aside, Send
from gitqueen.git import places
from gitqueen.git.places import Place

QUICK = 1.0
"""Seconds after which the others no longer wait for a folder."""
WORKERS, MANY = max(2, min(4, os.cpu_count() or 1)), 25
"""Children that look at quick ones, and folders that are enough for one of them: it costs 3 ms to have one."""

Wanted = TypeVar("Wanted")
Answer = TypeVar("Answer")


def find(folders: Iterable[str]) -> dict[str, Place | None]:
    """The place of each folder; those that do not answer within `QUICK` are left out."""
    return dict(_found((folder, {}) for folder in sorted(set(folders))))


def find_one(folder: str, env: Mapping[str, str]) -> Place | None:
    """`places.find` with a time limit; raises `TimeoutError`."""
    for _, place in _found([(folder, env)]):
        return place
    raise TimeoutError(silence(folder))


def silence(folder: str) -> str:
    """What is said of a folder that does not answer."""
    return f"{folder}: nothing was heard of it for {QUICK:g} s"


def _found(wanted: Iterable[tuple[str, Mapping[str, str]]]) -> Iterator[tuple[str, Place | None]]:
    # In a tuple: None says that there was no answer.
    for (folder, _), answer in in_turn(list(wanted), lambda one: (places.find(*one),), lambda _: None):
        if answer is not None:
            yield folder, answer[0]


def in_turn(
    wanted: Sequence[Wanted], look: Callable[[Wanted], Answer], progress: Callable[[Wanted], None]
) -> Iterator[tuple[Wanted, Answer | None]]:
    """Each of `wanted` with what `look` answers in a child; None where it crashes or takes longer than `QUICK`."""
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


class _Worker(Generic[Wanted, Answer]):
    """A child that looks at several folders in turn, and another one for the rest where one takes too long."""

    def __init__(self, wanted: Sequence[Wanted], look: Callable[[Wanted], Answer]) -> None:
        self.left, self.look = list(wanted), look
        self._begin()

    def _begin(self) -> None:
        left, look = list(self.left), self.look

        def work(send: Send) -> None:
            for one in left:
                send(look(one))

        self.until = time.monotonic() + QUICK
        self.child: Aside = aside.start(work)

    def take(self) -> Iterator[tuple[Wanted, Answer | None]]:
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
