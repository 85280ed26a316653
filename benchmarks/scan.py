"""Looking at 200 repositories of 300 files: the first time, when nothing and when one changed; at some beside one of
70,000 files; and the daemon at rest.

The floor is `git status` in each of them, one after another; `gita ll` and `vcs status` stand beside, where they are
installed.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from benchmarks import measuring
from benchmarks.measuring import Command, Pairs, Row
from benchmarks.stage import GITQUEEN, Stage

REPOS, FILES, ROUNDS = 200, 300, 7
STATUS = "git status in each"
EACH = 'for repo in repo-*; do git -C "$repo" status --porcelain || exit 1; done'
SETTLED, REST = 35.0, 60.0
"""Seconds after which a daemon has looked twice and watches all; and over which it is measured then."""
TICKS = 10_000
SMALL, LARGE, LATER, BOUND = 20, 70_000, 0.3, 12.0
"""Repositories beside a large one, its files, the seconds that they wait for it, and those when it is given up."""


class Own(Stage):
    """A stage on which libgit2 reads the same configuration as git."""

    def env(self, name: str | None = None, pid: int | None = None) -> dict[str, str]:
        # The configuration of the stage's own home: libgit2 does not know where this variable leads.
        return {key: value for key, value in super().env(name, pid).items() if key != "GIT_CONFIG_GLOBAL"}


class Field(Own):
    """A stage with the repositories in it, known to gitqueen."""

    def __init__(self) -> None:
        super().__init__()
        self.paths = [os.path.join(self.root, f"repo-{number:03}") for number in range(REPOS)]
        seed = os.path.join(self.root, "seed")
        for number in range(FILES):
            folder = os.path.join(seed, f"folder-{number // 10}")
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, f"file-{number}"), "w") as file:
                file.write(f"{number}\n" * 20)
        self.git("init", "-q", "-b", "main", seed)
        self.git("-C", seed, "add", "-A")
        self.git("-C", seed, "-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "-qm", "first")
        for path in self.paths:
            self.git("clone", "-q", seed, path)
            self.git(
                "-C", path, "update-index", "-q", "--refresh"
            )  # a clone's index is younger than its files: git looks into each once
        self.run("repos", "add", *self.paths)

    def floor(self) -> Command:
        return Command(lambda _: ("sh", "-c", EACH), self.env(), self.root)

    def forget(self, _: int = 0) -> None:
        self.sql("DELETE FROM changes", "DELETE FROM worktrees")


class Hands:
    """The daemon's clock in a process of its own (`ticking`)."""

    def __init__(self, stage: Stage, cwd: str) -> None:
        top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.ticking"], env={**stage.env(), "PYTHONPATH": top}, cwd=cwd,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __call__(self, command: str) -> dict[str, float]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        answer: dict[str, float] = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def first() -> Iterator[Row]:
    with Field() as field:
        ours = Command(lambda _: (GITQUEEN, "scan"), field.env(), field.root, before=field.forget)
        pairs = measuring.in_turn(ours, field.floor(), ROUNDS, warm_up=1)
        yield measuring.compared(f"first scan of {REPOS} repositories", STATUS, pairs, 1.0)
        for name, argv in _others(field):
            beside = Command(lambda _, argv=argv: argv, field.env(), field.root)  # type: ignore[misc]
            yield measuring.compared(f"the same beside {name}", name, measuring.in_turn(ours, beside, 3, 1), None)


def _others(field: Field) -> Iterator[tuple[str, list[str]]]:
    if (gita := shutil.which("gita")) is not None:
        subprocess.run([gita, "add", *field.paths], env=field.env(), check=True, capture_output=True)
        yield "gita ll", [gita, "ll"]
    if (vcs := shutil.which("vcs")) is not None:
        yield "vcs status", [vcs, "status", field.root]


def calm() -> Iterator[Row]:
    with Field() as field:
        hands = Hands(field, field.root)
        try:
            hands("tick"), hands("tick")
            # Five at a time are asked for their first commit, once in their lives.
            while field.count("repos WHERE root IS NULL"):
                hands("tick")
            floor, pairs = field.floor(), []
            for number in range(ROUNDS):
                pairs.append((hands("tick")["seconds"], measuring.timed(floor, number)))
            read = [hands("tick")["read"]]
            yield measuring.compared(
                "scan by the daemon, nothing changed", STATUS, Pairs(*zip(*pairs, strict=True)), 0.1
            )
            with open(os.path.join(field.paths[7], "folder-3", "file-33"), "a") as file:
                file.write("changed in place\n")
            one = hands("tick")
            yield measuring.counted(
                "one of them changed: read again", "worktrees", (one["seconds"],), int(one["read"]), 1
            )
            yield measuring.counted("nothing changed: read again", "worktrees", (), int(read[0]), 0)
        finally:
            hands.close()


def large() -> Iterator[Row]:
    with Own() as beside, Own() as without:
        for stage in (beside, without):
            stage.run("repos", "add", *(stage.repository(f"app-{number}") for number in range(SMALL)))
        big = _large(beside)
        beside.run("repos", "add", big)
        # The first time it is not known to be slow, and they wait for it for a second.
        found = [(_until_seen(beside), _until_seen(without)) for _ in range(ROUNDS + 1)][1:]
        later = statistics.median(one for one, _ in found) - statistics.median(one for _, one in found)
        yield _at_most(f"{SMALL} repositories beside one of {LARGE:,} files", "later than without", later, LATER, " s")
        [(took,)] = beside.sql(f"SELECT took FROM worktrees WHERE path = CAST('{big}' AS BLOB)")
        assert isinstance(took, float)
        yield _at_most(f"look at {LARGE:,} files", "given up then", took, BOUND, " s")


def _large(stage: Stage) -> str:
    path = os.path.join(stage.root, "large")
    stage.git("init", "-q", "-b", "main", path)
    for number in range(LARGE // 100):
        folder = os.path.join(path, f"folder-{number}")
        os.mkdir(folder)
        for name in range(100):
            os.close(os.open(os.path.join(folder, f"file-{name}"), os.O_CREAT | os.O_WRONLY))
    stage.git("-C", path, "add", "-A")
    stage.git("-C", path, "-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "-qm", "first")
    return path


def _until_seen(stage: Stage) -> float:
    """Seconds of a scan until the last of the small repositories is in the database."""
    began, started, seconds = time.time(), time.monotonic(), 0.0
    scan = subprocess.Popen([GITQUEEN, "scan"], env=stage.env(), cwd=stage.root, stdout=subprocess.DEVNULL)
    seen = f"worktrees WHERE CAST(path AS TEXT) LIKE '%/app-%' AND scanned_at >= {began}"
    while not seconds:
        ended = scan.poll() is not None
        if stage.count(seen) == SMALL:
            seconds = time.monotonic() - started
        elif ended:
            raise SystemExit("gitqueen scan did not look at all of them")
        time.sleep(0.002)
    scan.wait()
    return seconds


def rest() -> Iterator[Row]:
    with Field() as field:
        field.run("daemon", "start")
        try:
            with open(os.path.join(field.home, "daemon.pid"), encoding="ascii") as file:
                pid = int(file.read())
            time.sleep(SETTLED)
            before, started = _cpu(pid), time.monotonic()
            time.sleep(REST)
            share = (_cpu(pid) - before) / (time.monotonic() - started) * 100
            yield _at_most("daemon at rest: one core", f"{REPOS} repositories", share, 0.5, "%")
            yield _at_most("daemon at rest: memory", f"{REPOS} repositories", _rss(pid) / 1e6, 60, "MB")
        finally:
            field.run("daemon", "stop")


def flat() -> Iterator[Row]:
    with Stage() as stage:
        hands = Hands(stage, stage.repository("app"))
        try:
            early, late = hands("simulate 200")["rss"], hands(f"simulate {TICKS}")["rss"]
        finally:
            hands.close()
        yield _at_most(f"memory after {TICKS:,} ticks", "memory after 200", late / early, 1.05, "")


def _at_most(name: str, what: str, found: float, budget: float, unit: str) -> Row:
    return Row(name, what, (), (), f"{found:.2f}{unit}", "", f"{budget:g}{unit}", found <= budget)


def _cpu(pid: int) -> float:
    """Seconds of CPU of a process and of its children that have ended."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _rss(pid: int) -> int:
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


BENCHMARKS: dict[str, Callable[[], Iterator[Row]]] = {
    "scan-first": first, "scan-calm": calm, "scan-large": large, "daemon-rest": rest, "daemon-flat": flat
}  # fmt: skip
