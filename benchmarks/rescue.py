"""What keeping uncommitted work costs: a snapshot, a look in vain, a day of edits on disk, and bringing a file back.

Ours are calls of the services, as scans and hooks make them in a process that runs anyway; the floors are whole git
processes, because git has no other form. The command `rescue restore` pays Python's start on top: shown, no budget.
"""

from __future__ import annotations

import os
import random
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from benchmarks import measuring
from benchmarks.measuring import Command, Pairs, Row
from benchmarks.stage import GITQUEEN, Stage
from gitqueen.git import rescue, turns, uncommitted
from gitqueen.services import keeping, losing, queen, rescuing, restoring
from gitqueen.services.queen import Queen

FILES, CHANGED, ROUNDS = 4000, 10, 25
SCANS, EDITS, SIZE = 2880, 500, 10_000


class Desk(Stage):
    """A managed repository of `FILES` files, and the queen in it."""

    def __init__(self) -> None:
        super().__init__()
        self.path = os.path.join(self.root, "app")
        self.git("init", "-q", "-b", "main", self.path)
        for number in range(FILES):
            self.write(number, f"{number}\n" * 50)
        self.git("-C", self.path, "add", "-A")
        self.git("-C", self.path, "-c", "user.name=bench", "-c", "user.email=b@x", "commit", "-qm", "first")
        self.run("hooks", "install", cwd=self.path)
        self.sister("iza", self.path, "editing")

    def file(self, number: int) -> str:
        return os.path.join(f"d{number // 100}", f"f{number}")

    def write(self, number: int, text: str) -> None:
        path = os.path.join(self.path, self.file(number))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def open(self) -> Queen:
        os.environ.update(self.env())  # this process has nothing else to do
        return queen.open(dict(os.environ), lambda: datetime.now(UTC), self.path)

    def change(self, number: int) -> list[str]:
        for one in range(CHANGED):
            self.write(one * 37, f"change {number}\n" * 50)
        return sorted(self.file(one * 37) for one in range(CHANGED))

    def status(self) -> float:
        return measuring.timed(Command(lambda _: ("git", "status", "--porcelain"), self.env(), self.path), 0)


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def snapshot() -> Iterator[Row]:
    with Desk() as desk:
        opened = desk.open()
        place, ours, vain, floors = opened.here(), [], [], []
        head = uncommitted.look(place).head
        for number in range(ROUNDS + 3):
            changed = desk.change(number)
            opened.now = opened.clock()
            ours.append(_timed(lambda: losing.look(opened, place, "bench")))
            floors.append(desk.status())
            vain.append(_timed(lambda changed=changed: losing.scanned(opened, place, head, changed)))  # type: ignore[misc]
        what = f"a snapshot, {CHANGED} of {FILES:,} files changed"
        yield measuring.compared(what, "git status", Pairs(tuple(ours[3:]), tuple(floors[3:])), 2.5)
        what = "a look by the scan, nothing changed"
        yield measuring.compared(what, "git status", Pairs(tuple(vain[3:]), tuple(floors[3:])), 1.0)


def day() -> Iterator[Row]:
    """2,880 scans, 500 of which find a file of 10 KB edited: how much `.git` grows, by the compressed new content."""
    with Desk() as desk:
        opened = desk.open()
        place, content, words = opened.here(), 0, random.Random(1)
        turns.prepare(place)
        before = _size(desk.path)
        opened.now -= timedelta(days=1)
        for scan in range(SCANS):
            opened.now += timedelta(seconds=30)
            if scan * EDITS // SCANS == (scan + 1) * EDITS // SCANS:
                continue  # nothing changed: no more than the stats measured above
            text = "".join(words.choice("abcdefgh ijklmnop\n") for _ in range(SIZE))
            desk.write(scan % 7, text)
            content += len(zlib.compress(text.encode()))
            losing.look(opened, place, "bench")
        opened.now = opened.clock()
        rescuing.tend(opened, place, ())
        rescue.pack(place)
        ratio = (_size(desk.path) - before) / content
        what = f".git after {SCANS:,} scans, {EDITS} edits of {SIZE // 1000} KB"
        yield Row(what, "compressed new content", (), (), f"{ratio:.2f}", "", "1.5", ratio < 1.5)


def _size(path: str) -> int:
    tops = os.walk(os.path.join(path, ".git"))
    return sum(os.lstat(os.path.join(top, name)).st_size for top, _, names in tops for name in names)


def restore() -> Iterator[Row]:
    with Desk() as desk:
        opened = desk.open()
        place, ours, floors = opened.here(), [], []
        name = desk.file(0)
        desk.write(0, "kept\n")
        identity = losing.look(opened, place, "bench") or ""
        checkout = Command(lambda _: ("git", "checkout", "-q", "--", name), desk.env(), desk.path)

        def back() -> None:
            opened.now = opened.clock()
            found = rescuing.find(place, identity)
            restoring.restore(opened, place, found, restoring.chosen(place, found, (name,)))
            keeping.soon(opened, place)

        # Who keeps what was edited lives already, as in a session at work: he would disturb what is measured.
        with turns.keeper(place):
            for _ in range(ROUNDS + 3):
                floors.append(measuring.timed(checkout, 0))
                losing.look(opened, place, "bench")
                ours.append(_timed(back))
        pairs = Pairs(tuple(ours[3:]), tuple(floors[3:]))
        yield measuring.compared("rescue restore of one file, the service", "git checkout -- FILE", pairs, 3.0)
        short = identity.rpartition("/")[2]
        command = Command(
            lambda _: (GITQUEEN, "rescue", "restore", short, name),
            desk.env(),
            desk.path,
            lambda _: desk.git("-C", desk.path, "checkout", "-q", "--", name),
        )
        pairs = measuring.in_turn(command, checkout, rounds=7, warm_up=1)
        yield measuring.compared("rescue restore of one file, the command", "git checkout -- FILE", pairs, None)


BENCHMARKS: dict[str, Callable[[], Iterator[Row]]] = {"rescue": snapshot, "rescue-day": day, "rescue-restore": restore}
