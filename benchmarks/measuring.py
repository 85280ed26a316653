"""Measuring: whole processes in pairs, and what is told about them.

Ours and the floor run in turn (A B A B ...), so that whatever else the machine does hits both; seconds are
never compared between runs, only within one. What is measured stands in `hive`.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A process to time. `argv` and `before` (not timed) get the number of the round, from 0 on."""

    argv: Callable[[int], Sequence[str]]
    env: Mapping[str, str]
    cwd: str
    before: Callable[[int], None] = lambda _: None
    code: int = 0


@dataclass(frozen=True, slots=True)
class Pairs:
    """Seconds: `ours[i]` was measured beside `floor[i]`."""

    ours: tuple[float, ...]
    floor: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Ratio of the medians."""
        return statistics.median(self.ours) / statistics.median(self.floor)

    @property
    def pairwise(self) -> float:
        """Median of the ratios of each pair."""
        return statistics.median(ours / floor for ours, floor in zip(self.ours, self.floor, strict=True))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: seconds, and what was promised."""

    name: str
    floor: str
    ours: tuple[float, ...]
    floors: tuple[float, ...]
    """Empty where something is counted and not compared."""
    answer: str
    """The ratio, or how many of how many."""
    pairwise: str
    budget: str
    ok: bool


def compared(name: str, floor: str, pairs: Pairs, budget: float | None) -> Row:
    """The row of a ratio that may be at most `budget`; None: it is there to compare with."""
    return Row(
        name=name,
        floor=floor,
        ours=pairs.ours,
        floors=pairs.floor,
        answer=f"{pairs.ratio:.2f}",
        pairwise=f"{pairs.pairwise:.2f}",
        budget="" if budget is None else f"{budget:g}",
        ok=budget is None or pairs.ratio <= budget,
    )


def counted(name: str, what: str, seconds: Sequence[float], found: int, wanted: int) -> Row:
    """The row of a number that must be exactly `wanted`; `seconds`: what each part took, if of interest."""
    return Row(name, what, tuple(seconds), (), f"{found:,}", "", f"exactly {wanted:,}", found == wanted)


def in_turn(ours: Command, floor: Command, rounds: int, warm_up: int = 3) -> Pairs:
    """Run both `warm_up` times unseen (bytecode, page cache), then `rounds` times each in turn."""
    times = [(timed(ours, number), timed(floor, number)) for number in range(warm_up + rounds)]
    return Pairs(*zip(*times[warm_up:], strict=True))


def timed(command: Command, number: int) -> float:
    """Seconds of one run as a whole process."""
    argv = list(command.argv(number))
    command.before(number)
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        # close_fds would cost the harness a fork: Python's own descriptors are not inheritable anyway.
        code = subprocess.Popen(
            argv, env=command.env, cwd=command.cwd, close_fds=False,
            stdin=subprocess.DEVNULL, stdout=said, stderr=said,
        ).wait()  # fmt: skip
        seconds = time.perf_counter() - started
        if code != command.code:
            said.seek(0)
            words = said.read().decode("utf-8", "replace")
            raise SystemExit(f"{os.path.basename(argv[0])} {' '.join(argv[1:])}: exit {code}\n{words}")
    return seconds


def high(seconds: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
