"""The clock: a look around every interval, and what hooks left behind at once, each in a child that can be given up.

This process itself opens no database and no repository: it watches folders, forks, and waits. So nothing that hangs,
crashes or grows does it here, and a database that was replaced is simply the next child's.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from gitqueen import aside, settings
from gitqueen.aside import Aside, Send
from gitqueen.daemon.journal import Journal
from gitqueen.git.watches import Watches
from gitqueen.store import spool

GLANCE = 0.5
"""Seconds between two looks at the spool: a stat each."""
WHOLE = 600.0
"""Seconds after which everything is read again: the kernel does not tell of what is written by mmap."""
LIMITS = {"scan": 120.0, "drain": 30.0}
"""Seconds after which a part is given up."""


@dataclass(slots=True)
class Part:
    """Something at work in a child."""

    child: Aside
    since: float
    said: list[Any] = field(default_factory=list)


class Clock:
    """The parts that are at work, and when they are due. Times are seconds since boot, suspension included."""

    def __init__(self, env: Mapping[str, str], interval: float, journal: Journal) -> None:
        self.env, self.interval, self.journal = env, interval, journal
        self.home = settings.read(env).home
        self.watches = Watches()
        self.parts: dict[str, Part] = {}
        self.due = self.whole = 0.0
        self._spool: int | None = None
        self._config: list[object] = []
        self._faults: tuple[str, ...] = ()

    def tick(self, now: float) -> None:
        """Begin what is due, and take in what is done."""
        for name, part in list(self.parts.items()):
            self._tend(name, part, now)
        if self._spooled() and "drain" not in self.parts:
            self._begin("drain", _drain(self.env), now)
        if now >= self.due and "scan" not in self.parts:
            self.due = now + self.interval
            self._begin("scan", _scan(self.env, self._calm(now)), now)

    def wait(self, seconds: float) -> None:
        """Until a part says something, at most so long."""
        select.select([part.child for part in self.parts.values()], [], [], seconds)

    def close(self) -> None:
        """Give up what is at work: whatever it was doing, a kill leaves no half state."""
        for part in self.parts.values():
            part.child.give_up()
        self.parts.clear()

    def _begin(self, name: str, work: Callable[[Send], None], now: float) -> None:
        try:
            self.parts[name] = Part(aside.start(work), now)
        except OSError as fault:  # no process or descriptor left: the next tick tries again
            self.journal.write(f"{name} could not be started: {fault}")

    def _tend(self, name: str, part: Part, now: float) -> None:
        try:
            while True:
                part.said.append(part.child.receive(0.0))
        except TimeoutError:
            if now - part.since < LIMITS[name]:
                return
            self.journal.write(f"{name} took longer than {LIMITS[name]:g} s and was given up")
        except EOFError:
            if part.child.code:
                self.journal.write(f"{name} ended with {part.child.code}, see crash.log")
        part.child.give_up()
        del self.parts[name]
        for said in part.said:
            self._hear(name, said)

    def _hear(self, name: str, said: Any) -> None:
        match said:
            case ("fault", words):
                self.journal.write(f"{name}: {words}")
            case ("seen", wanted, looked, faults):
                self.watches.keep(wanted)
                for worktree, folders in looked.items():
                    self.watches.learn(worktree, folders)
                for words in faults:
                    if words not in self._faults:  # once, not every 30 s
                        self.journal.write(f"could not look: {words}")
                self._faults = faults

    def _spooled(self) -> bool:
        """Whether a hook left something behind since the last time. A drain changes the folder too."""
        try:
            changed = os.stat(os.path.join(self.home, "spool")).st_mtime_ns
        except OSError:
            return False
        if changed == self._spool or "drain" in self.parts:
            return False
        self._spool = changed
        return bool(spool.waiting(self.home))

    def _calm(self, now: float) -> frozenset[str]:
        self.watches.read()
        config = [_stamp(path) for path in _configuration(self.env)]
        if config != self._config or now >= self.whole:
            self._config, self.whole = config, now + WHOLE
            self.watches.calm.clear()
        return frozenset(self.watches.calm)


def _configuration(env: Mapping[str, str]) -> list[str]:
    """The files of the user's own that decide what git ignores and how it reads: no worktree's folder has them."""
    home = env.get("HOME", "")
    folder = os.path.join(env.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "git")
    named = env.get("GIT_CONFIG_GLOBAL") or os.path.join(home, ".gitconfig")
    return [named, os.path.join(folder, "config"), os.path.join(folder, "ignore"), os.path.join(folder, "attributes")]


def _stamp(path: str) -> object:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _now() -> datetime:
    return datetime.now(UTC)


def _scan(env: Mapping[str, str], calm: frozenset[str]) -> Callable[[Send], None]:
    def work(send: Send) -> None:
        from gitqueen.services import queen, scanning
        from gitqueen.services.surveying import Watch

        seen = scanning.locked(queen.open(env, _now, "/"), watch=Watch(calm))
        assert seen is not None
        send(("seen", seen.wanted, dict(seen.looked), seen.faults))

    return _guarded(env, work)


def _drain(env: Mapping[str, str]) -> Callable[[Send], None]:
    def work(send: Send) -> None:
        from gitqueen.services import draining, queen

        draining.drain(queen.open(env, _now, "/"), draining.PATIENCE)

    return _guarded(env, work)


def _guarded(env: Mapping[str, str], work: Callable[[Send], None]) -> Callable[[Send], None]:
    """What can go wrong is said in a sentence; what is our bug goes to the crash log."""

    def guarded(send: Send) -> None:
        from gitqueen import crashes, errors

        try:
            work(send)
        except errors.GitqueenError as fault:
            send(("fault", fault.message))
        except OSError as fault:
            send(("fault", str(fault)))
        except Exception as fault:
            crashes.log(env, fault)
            raise

    return guarded


def seconds() -> float:
    """Since boot, with the time that the machine slept: after it a look around is due."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def go(clock: Clock, stopping: Callable[[], bool], still_ours: Callable[[], bool]) -> str:
    """Tick until somebody ends us; why it ended."""
    try:
        while not stopping():
            if not still_ours():
                return "another daemon or nobody owns this home now"
            clock.tick(seconds())
            clock.wait(GLANCE)
        return "asked to"
    finally:
        clock.close()


def prepare() -> None:
    """Import here what every child needs, so that each need not; pygit2 alone costs 90 ms."""
    import gc
    from importlib import import_module

    for name in ("draining", "queen", "scanning"):
        import_module(f"gitqueen.services.{name}")
    gc.collect()
    gc.freeze()  # no collection of a child touches, and so copies, what it shares with us
