"""Processes that write notes into one repository at once. A program, because the tests' own process must not fork.

`noters.py CROWD ROUNDS`: each tells of every commit in turn; a third of them are killed at any moment. What a process
was told is written goes into the file `log`, a line each, before it goes on.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

from gitqueen.git import notes, places


def tell(number: int, rounds: int, commits: list[str], log: int) -> None:
    place = places.find(os.getcwd())
    assert place is not None
    for turn in range(rounds):
        oid, line = random.choice(commits), f'{{"what": "commit", "sister": "w-{number}", "task": "{turn}"}}'
        notes.add(place, {oid: [line]}, patience=100)
        os.write(log, f"{oid} {line}\n".encode())


def main(crowd: int, rounds: int) -> int:
    listed = subprocess.run(["git", "rev-list", "HEAD"], capture_output=True, text=True, check=True).stdout.split()
    log = os.open("log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    children = []
    for number in range(crowd):
        if not (pid := os.fork()):
            code = 1
            try:
                tell(number, rounds, listed, log)
                code = 0
            finally:
                os._exit(code)
        children.append(pid)
    for child in random.sample(children, crowd // 3):
        time.sleep(random.random() / 4)
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            pass
    codes = {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children}
    return 0 if codes <= {0, -signal.SIGKILL} else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
