"""The daemon's clock with its hands turned from outside: `python -m benchmarks.ticking`, a command a line on stdin.

`tick` makes one whole look around, `simulate N` N ticks whose looks are made up (all else is real: forks, pipes,
watches, files that change). Each answers with one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from gitqueen import settings
from gitqueen.aside import Send
from gitqueen.daemon import clock
from gitqueen.daemon.clock import Clock
from gitqueen.daemon.journal import Journal

INTERVAL = 30.0


class Watched(Clock):
    """A clock that tells how many worktrees the last look read."""

    read = 0

    def _hear(self, name: str, said: Any) -> None:
        if said[0] == "seen":
            self.read = len(said[2])
        super()._hear(name, said)

    def turn(self, now: float) -> float:
        """One tick and all that it starts; seconds."""
        started = time.perf_counter()
        self.tick(now)
        while self.parts:
            self.wait(0.5)
            self.tick(now)
        return time.perf_counter() - started


def main() -> None:
    clock.prepare()
    hands = Watched(os.environ, INTERVAL, Journal(settings.read(os.environ).home, lambda: datetime.now(UTC)))
    now = 1000.0
    for line in sys.stdin:
        what, _, count = line.strip().partition(" ")
        if what == "simulate":
            answer = _simulate(hands, int(count), now)
            now += INTERVAL * int(count)
        else:
            now += INTERVAL
            answer = {"seconds": hands.turn(now), "read": hands.read}
        print(json.dumps({**answer, "rss": _rss()}), flush=True)


def _simulate(hands: Watched, count: int, now: float) -> Mapping[str, object]:
    folder = os.getcwd()
    looked = {folder: (folder,)}

    def made_up(env: Mapping[str, str], calm: frozenset[str]) -> Callable[[Send], None]:
        return lambda send: send(("seen", {folder}, {} if folder in calm else looked, ()))

    clock._scan, kept = made_up, clock._scan
    try:
        for tick in range(count):
            if tick % 3 == 0:
                with open("changing", "w") as file:
                    file.write(str(tick))
            hands.turn(now + INTERVAL * (tick + 1))
    finally:
        clock._scan = kept
    return {"ticks": count}


def _rss() -> int:
    """Bytes of this process in memory."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
