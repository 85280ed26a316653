"""What each step does and costs, on stderr, when GITQUEEN_DEBUG=1.

At the bottom of the house so that every room may call it; it costs one look at the environment when switched off.
"""

from __future__ import annotations

import os
import sys
import time

ON = os.environ.get("GITQUEEN_DEBUG", "") not in ("", "0")


class step:
    """`with step("store", "opened queen.db"):` prints the room, the words and the milliseconds they took."""

    __slots__ = ("room", "started", "words")

    def __init__(self, room: str, words: str) -> None:
        self.room, self.words, self.started = room, words, 0.0

    def __enter__(self) -> None:
        if ON:
            self.started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        if ON:
            cost = (time.perf_counter() - self.started) * 1000
            # Words may hold paths and names: ascii() keeps every control character off the terminal.
            print(f"gitqueen: {cost:7.2f} ms  {self.room:<8} {ascii(self.words)[1:-1]}", file=sys.stderr)
