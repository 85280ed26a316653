"""Crowds: many processes that do the same thing at the same instant.

They wait for one moment of the clock, not for each other's wake-up: a barrier lets the first of 64 go
milliseconds before the last, and a race that nobody runs at once proves nothing.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkContext
from typing import Any

FUSE = 0.05
"""Seconds from the last one being ready to the start: enough for 64 to be asleep until then."""

TOO_LONG = 180.0
"""Seconds after which a crowd is stuck."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one process of a crowd does: `act` is timed; `after` gets its answer once all have acted."""

    act: Callable[[int], int]
    after: Callable[[int], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Round:
    """`seconds` from the common start until the last was done, and what each answered."""

    seconds: float
    answers: tuple[int, ...]


def together(count: int, rounds: int, enter: Callable[[int], Part]) -> list[Round]:
    """Fork `count` processes, let each `enter` with its index, then act in `rounds`, all at once in each.

    The caller holds no database open: SQLite's connections do not survive a fork.
    """
    context = multiprocessing.get_context("fork")
    start = context.Value("d", 0.0, lock=False)
    ends = context.Array("d", count, lock=False)
    answers = context.Array("i", count, lock=False)

    def light() -> None:
        start.value = time.perf_counter() + FUSE

    gate = context.Barrier(count + 1, light, TOO_LONG)
    done = context.Barrier(count + 1, None, TOO_LONG)

    def live(index: int) -> None:
        try:
            part = enter(index)
            for number in range(rounds):
                gate.wait()
                time.sleep(max(0.0, start.value - time.perf_counter()))
                answers[index] = part.act(number)
                ends[index] = time.perf_counter()
                done.wait()
                part.after(answers[index])
        except threading.BrokenBarrierError:
            pass  # another one failed and has said why
        except BaseException:
            gate.abort()
            done.abort()
            raise

    members = _started(context, count, live)
    seen = []
    try:
        for _ in range(rounds):
            gate.wait()
            done.wait()
            seen.append(Round(max(ends) - start.value, tuple(answers)))
        for member in members:
            member.join(TOO_LONG)
    except threading.BrokenBarrierError:
        raise SystemExit("a process of the crowd failed or got stuck") from None
    finally:
        for member in members:
            member.kill()
    return seen


def _started(context: ForkContext, count: int, live: Callable[[int], None]) -> list[Any]:
    members = [context.Process(target=live, args=(index,), daemon=True) for index in range(count)]
    for member in members:
        member.start()
    return members
