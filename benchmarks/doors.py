"""What the agents' doors may cost: a call of each kind, in a crowd and alone.

Each function of `BENCHMARKS` is one benchmark and gives its rows. The payloads are Claude's; the sister whose hooks
they are is this very process.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from benchmarks import measuring
from benchmarks.measuring import Pairs, Row
from benchmarks.stage import GITQUEEN, Stage
from gitqueen.git import hooktext

FLOOR = "python -I -S -c pass"
ME = "me"
ROUNDS = 60


def crowd() -> Iterator[Row]:
    """8 live sisters, 200 touches, 50 claims on paths."""
    with Stage() as stage:
        place = _crowd(stage)
        for name, payload in _calls(place, os.path.join(place, "hers-1.py")).items():
            yield from _row(stage, place, f"{name}, 8 sisters, 200 touches, 50 claims", payload, 6, high=10)


def quiet() -> Iterator[Row]:
    """Nobody else in the hive."""
    with Stage() as stage:
        place = stage.repository("app")
        _me(stage, place)
        calls = _calls(place, os.path.join(place, "app.py"))
        for name in ("prompt", "before an edit", "before `git stash`", "after an edit"):
            yield from _row(stage, place, f"{name}, nobody else", calls[name], 4)


def at_once() -> Iterator[Row]:
    """8 sessions that write 7 files each at the same time: every touch is in the book, no call gave up."""
    with Stage() as stage:
        place = stage.repository("app")
        names = [f"ada-{number}" for number in range(8)]
        for name in names:
            stage.sister(name, place, f"the part of {name}")
        stage.freshen()
        started = time.perf_counter()
        sessions = [_writing(stage, place, name) for name in names]
        codes = [session.wait() for session in sessions]
        seconds = (time.perf_counter() - started) / 7
        log = os.path.join(stage.home, "crash.log")
        gave_up = 0
        if os.path.exists(log):
            with open(log) as file:
                gave_up = file.read().count("TooSlow")
        yield measuring.counted("8 sessions at once, 7 edits each", "touches", [seconds], stage.count("touches"), 56)
        yield measuring.counted("... calls over their own limit", "2 s", (), gave_up + sum(map(bool, codes)), 0)


def _writing(stage: Stage, place: str, name: str) -> subprocess.Popen[bytes]:
    """A shell that calls the door after each of 7 edits."""
    for number in range(7):
        path = os.path.join(place, f"{name}-{number}.py")
        with open(path, "w") as written, open(os.path.join(stage.root, f"{name}-{number}.json"), "w") as payload:
            written.write("x\n")
            json.dump(_calls(place, path)["after an edit"], payload)
    door = f"{sys.executable} -I -S {hooktext.tool().door} agent claude"
    line = f"for n in 0 1 2 3 4 5 6; do {door} <{stage.root}/{name}-$n.json; done"
    return subprocess.Popen(["sh", "-ec", line], env=stage.env(name), cwd=place)


def _crowd(stage: Stage) -> str:
    place = stage.repository("app")
    stage.run("hooks", "install", place)
    for number in range(8):
        where = place
        if number % 2:
            where = os.path.join(stage.root, f"worktree-{number}")
            stage.git("-C", place, "worktree", "add", "-q", "-b", f"topic-{number}", where)
        stage.sister(f"ada-{number}", where, f"{number} parts of the manual")
    for number in range(50):
        area = f"area-{number}"
        stage.run("claim", area, "--path", f"{area}/**", cwd=place, name=f"ada-{number % 8}")
    _me(stage, place)
    touched = []
    for number in range(200):
        path = os.path.join(place, f"hers-{number}.py")
        with open(path, "w") as file:
            file.write("hers\n")
        found = os.lstat(path)
        stamp = f"{found.st_mtime_ns}:{found.st_size}"
        touched.append((place.encode(), f"hers-{number}.py".encode(), f"ada-{number % 4 * 2}", time.time(), stamp))
    stage.sql("INSERT INTO touches (worktree, path, sister, at, stamp) VALUES (?, ?, ?, ?, ?)", rows=touched)
    stage.run("scan")
    return place


def _me(stage: Stage, place: str) -> None:
    """This process lives in `place` as the sister whose hooks are called."""
    subprocess.run(
        [GITQUEEN, "iam", "measuring"], cwd=place, env=stage.env(ME, os.getpid()), check=True, stdout=subprocess.DEVNULL
    )


def _calls(place: str, path: str) -> dict[str, dict[str, object]]:
    common = {"session_id": "bench", "cwd": place}
    edit = {"tool_name": "Edit", "tool_input": {"file_path": path, "old_string": "a", "new_string": "b"}}
    bash = {"tool_name": "Bash", "tool_input": {"command": "cd . && git stash"}}
    make = {"tool_name": "Bash", "tool_input": {"command": "make test 2>&1 | tail -n 20"}}
    return {
        "start": {**common, "hook_event_name": "SessionStart", "source": "startup"},
        "prompt": {**common, "hook_event_name": "UserPromptSubmit", "prompt": "go on"},
        "before an edit": {**common, "hook_event_name": "PreToolUse", **edit},
        "before `git stash`": {**common, "hook_event_name": "PreToolUse", **bash},
        "before `make`": {**common, "hook_event_name": "PreToolUse", **make},
        "after an edit": {**common, "hook_event_name": "PostToolUse", **edit},
        "idle": {**common, "hook_event_name": "Stop"},
        "end": {**common, "hook_event_name": "SessionEnd", "reason": "other"},
    }


def _row(
    stage: Stage, place: str, name: str, payload: dict[str, object], budget: float, high: float | None = None
) -> Iterator[Row]:
    file = os.path.join(stage.root, "payload.json")
    with open(file, "w") as out:
        json.dump(payload, out)
    env = stage.env(ME, os.getpid())
    call = [sys.executable, "-I", "-S", hooktext.tool().door, "agent", "claude"]
    ours, floors = [], []
    for number in range(ROUNDS + 3):
        stage.freshen()
        pair = _timed(call, env, place, file), _timed([sys.executable, "-I", "-S", "-c", "pass"], env, place, file)
        if number >= 3:  # bytecode and page cache are warm
            ours.append(pair[0])
            floors.append(pair[1])
    pairs = Pairs(tuple(ours), tuple(floors))
    row = measuring.compared(name, FLOOR, pairs, budget)
    yield row
    if high is not None:
        found = measuring.high(pairs.ours) / statistics.median(pairs.floor)
        yield Row("... its 95th percentile", FLOOR, (), (), f"{found:.2f}", "", f"{high:g}", found <= high)


def _timed(argv: Sequence[str], env: dict[str, str], cwd: str, file: str) -> float:
    with open(file, "rb") as payload:
        started = time.perf_counter()
        code = subprocess.Popen(
            argv, env=env, cwd=cwd, close_fds=False, stdin=payload, stdout=subprocess.DEVNULL
        ).wait()
        seconds = time.perf_counter() - started
    if code:
        raise SystemExit(f"{argv[3]}: exit {code}")
    return seconds


BENCHMARKS: dict[str, Callable[[], Iterator[Row]]] = {"doors": crowd, "doors-quiet": quiet, "doors-at-once": at_once}
