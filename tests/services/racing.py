"""Processes that race for one claim through the service. A program, because the tests' own process must not fork.

`racing.py rounds CROWD ROUNDS`: all at the same instant, again and again; prints the winners of each round.
`racing.py killed CROWD`: each takes it in turn; half of them die by `kill -9` with it in hand, some at any moment.
Prints how many held it, and how often two did at once.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from gitqueen.model.sisters import Identity
from gitqueen.services import claiming, identifying, queen
from gitqueen.services.queen import Queen

CLAIM = "deploy"


def enter(number: int) -> tuple[Queen, Identity]:
    """This process becomes the sister `w-NUMBER`."""
    env = {**os.environ, "GITQUEEN_NAME": f"w-{number}", "GITQUEEN_PID": str(os.getpid())}
    opened = queen.open(env, lambda: datetime.now(UTC))
    return opened, identifying.identify(opened, declare=True)


def take(opened: Queen, me: Identity, wait: float | None = None) -> bool:
    assert me.sister is not None
    opened.now = opened.clock()
    return not claiming.take(opened, me.sister, claiming.wanted(opened, me.sister, CLAIM, None, (), None), wait).refused


def fork(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def rounds(crowd: int, count: int) -> None:
    to, back = [os.pipe() for _ in range(crowd)], os.pipe()

    def racer(number: int) -> None:
        opened, me = enter(number)
        os.write(back[1], b"r")
        while os.read(to[number][0], 1) == b"g":
            won = take(opened, me)
            os.write(back[1], b"1" if won else b"0")
            os.read(to[number][0], 1)
            if won:
                opened.now = opened.clock()
                claiming.release(opened, me, CLAIM)
            os.write(back[1], b"r")

    children = [fork(lambda number=number: racer(number)) for number in range(crowd)]  # type: ignore[misc]
    gather(back[0], crowd)
    winners = []
    for _ in range(count):
        tell(to, b"g")
        winners.append(gather(back[0], crowd).count(b"1"))
        tell(to, b"n")
        gather(back[0], crowd)
    tell(to, b"q")
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    print(json.dumps({"winners": winners, "codes": sorted(set(codes))}))


def tell(pipes: list[tuple[int, int]], word: bytes) -> None:
    for _, end in pipes:
        os.write(end, word)


def gather(pipe: int, crowd: int) -> bytes:
    said = b""
    while len(said) < crowd:
        said += os.read(pipe, crowd - len(said))
    return said


def killed(crowd: int) -> None:
    log = os.open("log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    # A lock of the kernel goes with its process, at the moment it dies: whoever finds it taken saw two holders.
    witness = os.path.abspath("witness")

    def racer(number: int) -> None:
        dies = number % 2
        opened, me = enter(number)
        if not take(opened, me, 100):
            os.write(log, b"t")
            return
        lock = os.open(witness, os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(log, b"h")
        except BlockingIOError:
            os.write(log, b"!")
        time.sleep(random.random() / 100)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        fcntl.flock(lock, fcntl.LOCK_UN)
        opened.now = opened.clock()
        claiming.release(opened, me, CLAIM)

    children = [fork(lambda number=number: racer(number)) for number in range(crowd)]  # type: ignore[misc]
    doomed = random.sample(children, crowd // 8)
    for child in doomed:
        time.sleep(random.random() / 5)
        os.kill(child, signal.SIGKILL)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    with open("log", "rb") as file:
        said = file.read()
    print(
        json.dumps(
            {"held": said.count(b"h"), "twice": said.count(b"!"), "late": said.count(b"t"), "failed": codes.count(1)}
        )
    )


if __name__ == "__main__":
    if sys.argv[1] == "rounds":
        rounds(int(sys.argv[2]), int(sys.argv[3]))
    else:
        killed(int(sys.argv[2]))
