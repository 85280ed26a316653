"""What a look around costs when nothing changed: 30 sisters in 4 real kittys, among 400 processes.

Processor seconds of the scan and of what it starts, so that a busy machine does not make it dearer.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measuring import Row
from benchmarks.stage import Stage
from gitqueen.senses import kitty, processes
from gitqueen.services import queen, scanning, sighting
from gitqueen.services.queen import Queen
from tests.kitty import kit

SISTERS, KITTYS, PROCESSES, ROUNDS = 30, 4, 400, 20
BUDGET = 0.150


def senses() -> Iterator[Row]:
    with Stage() as stage, _full_house(stage) as kittys:
        opened = queen.open(stage.env(), lambda: datetime.now(UTC), "/")
        seen = scanning.scan(opened)
        if seen.sisters != SISTERS or seen.faults:
            raise SystemExit(f"the stage is not set: {seen}")
        what = f"{SISTERS} sisters, {kittys} kittys, {PROCESSES} processes"
        yield _spent(f"scan, nothing changed: {what}", opened, lambda: scanning.scan(opened), BUDGET)
        yield _spent("... of which processes and windows", opened, lambda: sighting.sight(opened), None)
        opened.db.close()


@contextmanager
def _full_house(stage: Stage) -> Iterator[int]:
    """The sisters in their windows, and sleepers up to the number; how many kittys there are."""
    agent = os.path.join(stage.root, "claude")
    shutil.copy2(kit.SHELL, agent)
    places = [Path(stage.repository(f"repository-{number}")) for number in range(10)]
    with ExitStack() as ends:
        if screens := shutil.which("kitty") and shutil.which("Xvfb"):
            screen, display = kit.screen()
            ends.callback(screen.wait)
            ends.callback(screen.kill)
            for number in range(KITTYS):
                _kitty(stage, display, number, agent, places, ends)
        else:
            for number in range(SISTERS):
                _process(stage, [agent, "-c", "sleep 900; :"], places[number % len(places)], ends)
        for _ in range(PROCESSES - len(processes.everyone())):
            _process(stage, ["sleep", "900"], places[0], ends)
        kit.wait_for(lambda: len(_running(agent)) == SISTERS, "the sisters wake up")
        yield KITTYS if screens else 0


def _kitty(stage: Stage, display: str, number: int, agent: str, places: list[Path], ends: ExitStack) -> None:
    env = stage.env()
    one = kit.start(display, Path(stage.root, f"kitty-{number}"), agent, env=env)
    ends.callback(one.close)
    kit.wait_for(lambda: bool(kitty.ask([one.address or ""])), "kitty listens")
    for sister in range(number + KITTYS, SISTERS, KITTYS):
        one.open("/bin/sh", "-c", f"{agent}; :", how="tab", cwd=places[sister % len(places)])


def _process(stage: Stage, argv: list[str], cwd: Path, ends: ExitStack) -> None:
    one = subprocess.Popen(argv, env=stage.env(), cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    ends.callback(one.wait)
    ends.callback(one.kill)


def _running(agent: str) -> list[int]:
    return [pid for pid, one in processes.everyone().items() if not one.forked and processes.executable(pid) == agent]


def _spent(name: str, opened: Queen, work: Callable[[], object], budget: float | None) -> Row:
    seconds = []
    for _ in range(ROUNDS):
        opened.now = opened.clock()
        before = _processor()
        work()
        seconds.append(_processor() - before)
        time.sleep(0.01)
    median = statistics.median(seconds)
    return Row(
        name=name,
        floor="processor seconds",
        ours=tuple(seconds),
        floors=(),
        answer=f"{median * 1000:.0f} ms",
        pairwise="",
        budget="" if budget is None else f"{budget * 1000:.0f} ms",
        ok=budget is None or median <= budget,
    )


def _processor() -> float:
    """Seconds that this process and its ended children had the processor."""
    spent = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


BENCHMARKS: dict[str, Callable[[], Iterator[Row]]] = {"senses": senses}
