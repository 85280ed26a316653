"""What it costs that tasks, claims and who made what stand in the repositories themselves.

Each function of `BENCHMARKS` is one benchmark and gives its rows. Notes are written in a process of its own, as the
drain writes them: that it starts Python is no part of what is measured.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator

from benchmarks import measuring
from benchmarks.measuring import Command, Pairs, Row
from benchmarks.stage import GITQUEEN, Stage
from gitqueen.git import notes, places

MANY, CROWD, ROUNDS, COMMITS, LINES = 10_000, 100_000, 30, 800, 4_000


def _oid(number: int) -> str:
    return hashlib.sha1(str(number).encode()).hexdigest()


def _line(number: int) -> str:
    fields = {"what": "commit", "sister": f"ada-{number % 30}", "task": f"part {number % 97} of the manual, #{number}"}
    at = f"2026-01-02T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z"
    return json.dumps({**fields, "agent": "claude", "machine": "bench", "at": at})


def _import(place: str, count: int, env: dict[str, str]) -> float:
    """One fast-import of as many notes into an empty ref; seconds."""
    texts = ((_oid(number), f"{_line(number)}\n".encode()) for number in range(count))
    body = b"".join(b"M 100644 inline %s/%s\ndata %d\n%s\n" % (oid[:2].encode(), oid[2:].encode(), len(text), text)
                    for oid, text in texts)  # fmt: skip
    head = b"commit refs/notes/gitqueen\ncommitter bench <b@x> 0 +0000\ndata 6\nnotes\n\n"
    began = time.perf_counter()
    subprocess.run(["git", "-C", place, "fast-import", "--quiet", "--force"], input=head + body, env=env, check=True)
    return time.perf_counter() - began


def many() -> Iterator[Row]:
    """A whole drain: the lines of many commits into notes, as rows of the database, by the service."""
    with Stage() as stage:
        env = stage.env()
        ours, floors, sizes = [], [], []
        for number in range(5):
            floor = stage.repository(f"floor-{number}")
            floors.append(_import(floor, MANY, env))
            mine = stage.repository(f"mine-{number}")
            stage.run("hooks", "install", mine)
            common_dir = os.path.join(mine, ".git")
            before = _size(mine)
            rows = [(os.fsencode(common_dir), _oid(one), _line(one)) for one in range(MANY)]
            stage.sql("INSERT INTO unnoted (common_dir, oid, line) VALUES (?, ?, ?)", rows=rows)
            ours.append(_flush(env))
            sizes.append(_size(mine) - before)
            listed = ["git", "-C", mine, "notes", "--ref=gitqueen", "list"]
            found = subprocess.run(listed, env=env, capture_output=True, check=True).stdout.count(b"\n")
            if found != MANY:
                raise SystemExit(f"{found} notes, not {MANY}")
        pairs = Pairs(tuple(ours), tuple(floors))
        yield measuring.compared(f"{MANY:,} notes in one drain", "the same by git fast-import", pairs, None)
        median = statistics.median(ours)
        yield Row("... in seconds", "", (), (), f"{median:.2f}", "", "3", median <= 3)
        packed = sum(len(zlib.compress(f"{_line(one)}\n".encode())) for one in range(MANY))
        ratio = max(sizes) / packed
        floor_of = "their text, each compressed"
        yield Row("... bytes on disk", floor_of, (), (), f"{ratio:.2f}", "", "2", ratio <= 2)


_FLUSH = """
import os, sys, time
from datetime import UTC, datetime
from gitqueen.services import noting, queen
opened = queen.open(os.environ, lambda: datetime.now(UTC), "/")
began = time.perf_counter()
faults = noting.flush(opened)
print(time.perf_counter() - began)
sys.exit("; ".join(faults) or 0)
"""


def _flush(env: dict[str, str]) -> float:
    done = subprocess.run([sys.executable, "-c", _FLUSH], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(done.stdout)


def _size(place: str) -> int:
    """Bytes of the objects of a repository."""
    walked = os.walk(os.path.join(place, ".git", "objects"))
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in walked for name in names)


def one() -> Iterator[Row]:
    """One note where there are very many already, beside the git process that adds one."""
    with Stage() as stage:
        path, env = stage.repository("crowded"), stage.env()
        _import(path, CROWD, env)
        env |= {f"GIT_{who}_{what}": "bench" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        place = places.find(path)
        assert place is not None
        ours, floors = [], []
        for number in range(ROUNDS + 3):
            began = time.perf_counter()
            notes.add(place, {_oid(number): [f"{_line(number)} again"]})
            middle = time.perf_counter()
            args = ["git", "-C", path, "notes", "--ref=gitqueen", "append", "-m", _line(number), "HEAD"]
            subprocess.run(args, env=env, check=True, stdin=subprocess.DEVNULL)
            ours.append(middle - began)
            floors.append(time.perf_counter() - middle)
        pairs = Pairs(tuple(ours[3:]), tuple(floors[3:]))
        yield measuring.compared(f"one note beside {CROWD:,}", "git notes append", pairs, 3)


def declaring() -> Iterator[Row]:
    """`iam` in a managed repository, beside `iam` in one that is not: no mirror, no note."""
    with Stage() as stage:
        plain, armed = stage.repository("plain"), stage.repository("armed")
        stage.run("hooks", "install", armed)
        stage.sister("in-plain", plain, "the manual")
        stage.sister("in-armed", armed, "the manual")
        stage.run("scan")

        def iam(name: str, where: str) -> Command:
            # Another task each time: a mirror that says so already costs nothing.
            argv = lambda number: [GITQUEEN, "iam", f"chapter {number} {name}"]  # noqa: E731
            return Command(argv, stage.env(name), where, lambda _: stage.freshen())

        pairs = measuring.in_turn(iam("in-armed", armed), iam("in-plain", plain), rounds=60)
        yield measuring.compared("iam with its mirror and note", "iam without", pairs, 1.3)


def blaming() -> Iterator[Row]:
    """A file of some thousand lines by some hundred commits, each with its note."""
    with Stage() as stage:
        path, env = stage.repository("blamed"), stage.env()
        place = places.find(path)
        assert place is not None
        _rewrite(path, env)
        listed = subprocess.run(["git", "-C", path, "rev-list", "HEAD"], env=env, capture_output=True, check=True)
        notes.add(place, {oid: [_line(at)] for at, oid in enumerate(listed.stdout.decode().split())})

        def run(*argv: str) -> Command:
            return Command(lambda _: argv, env, path)

        pairs = measuring.in_turn(run(GITQUEEN, "blame", "book"), run("git", "blame", "book"), rounds=15)
        yield measuring.compared(f"blame of {LINES:,} lines by {COMMITS} commits", "git blame", pairs, 1.5)


def _rewrite(path: str, env: dict[str, str]) -> None:
    """Commits that each change some lines of `book`."""
    lines = [f"line {number} as it was written first\n" for number in range(LINES)]
    stream = []
    for number in range(COMMITS):
        for at in range(number, LINES, COMMITS):
            lines[at] = f"line {at} as commit {number} has it\n"
        text = "".join(lines).encode()
        head = f"commit refs/heads/main\ncommitter bench <b@x> {1700000000 + number} +0000\ndata 2\nx\n\n"
        start = "from refs/heads/main^0\n" if number == 0 else ""
        stream.append(f"{head.rstrip()}\n{start}M 100644 inline book\ndata {len(text)}\n".encode() + text + b"\n")
    subprocess.run(
        ["git", "-C", path, "fast-import", "--quiet", "--force"], input=b"".join(stream), env=env, check=True
    )
    subprocess.run(["git", "-C", path, "reset", "-q", "--hard"], env=env, check=True)


BENCHMARKS: dict[str, Callable[[], Iterator[Row]]] = {
    "notes-many": many,
    "notes-one": one,
    "iam-mirrored": declaring,
    "blame": blaming,
}
