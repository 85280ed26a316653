"""All pairs: what it costs to foretell every merge of many branches, and to be told of a conflict before a commit.

In a clone of any repository, with tips of its real history. The floor is git's own `merge-tree`, one process a pair.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from benchmarks import measuring
from benchmarks.measuring import Command, Pairs, Row
from benchmarks.merges import named
from benchmarks.stage import GITQUEEN, Stage
from gitqueen.git import graphs, places
from gitqueen.services import predicting, queen
from gitqueen.services.predicting import Side

BRANCHES, SAMPLE, SISTERS, ROUNDS = 50, 120, 8, 20
FIRST, AGAIN = 0.2, 0.02
WEIGHT = 1.5
"""How many merges of git's one look before a commit may cost, beside the start of a lean Python."""
PEOPLE = ("-c", "user.name=bench", "-c", "user.email=b@x", "-c", "commit.gpgSign=false")


def rows(paths: Sequence[str], branches: int | None = None) -> Iterator[Row]:
    for path in paths:
        with Stage() as stage:
            yield from _all_pairs(stage, path, branches or BRANCHES)
        with Stage() as stage:
            yield from _before_a_commit(stage, path)


def tips(path: str, count: int) -> list[str]:
    """What was merged by the last merges of a repository, the newest first: branches as people had them."""
    said = _git(path, "rev-list", "--min-parents=2", "--max-parents=2", "--parents", f"--max-count={count * 4}", "HEAD")
    return list(dict.fromkeys(line.split()[2] for line in said.splitlines()))[:count]


def _all_pairs(stage: Stage, path: str, count: int) -> Iterator[Row]:
    work = os.path.join(stage.root, named(path))
    stage.git("clone", "--quiet", "--shared", path, work)
    stage.run("hooks", "install", work)
    os.environ.update(stage.env())  # this process has nothing else to do
    opened = queen.open(dict(os.environ), lambda: datetime.now(UTC), work)
    place = places.find(work)
    assert place is not None
    commits = tips(work, count)
    pairs = list(itertools.combinations(commits, 2))
    # Any pair may be a dear one: each is as likely as the next to be measured, half of them before and half after.
    some = pairs[:: max(1, len(pairs) // SAMPLE)]

    def foretell() -> float:
        sides = {commit: Side(place, commit, seated=False) for commit in commits}
        started = time.perf_counter()
        predicting.predict(opened, [(sides[one], sides[other]) for one, other in itertools.combinations(commits, 2)])
        return time.perf_counter() - started

    floors = [_merged(stage, work, pair) for pair in some[::2]]
    first = foretell()
    floors += [_merged(stage, work, pair) for pair in some[1::2]]
    floor = sum(floors) / len(floors) * len(pairs)
    files = len(_git(work, "ls-files").splitlines())
    what = f"{len(pairs):,} pairs of {len(commits)} branches, {files:,} files"
    yield _row(what, f"merge-tree, by {len(floors)} of them", first, floor, FIRST)
    commits[0] = _changed(work, commits[0])
    again = foretell()
    yield _row("... again, one branch changed", f"merge-tree, by {len(floors)} of them", again, floor, AGAIN)


def _row(what: str, floor: str, ours: float, theirs: float, budget: float) -> Row:
    return measuring.compared(what, floor, Pairs((ours,), (theirs,)), budget)


def _merged(stage: Stage, work: str, pair: tuple[str, str]) -> float:
    """Seconds of one process of git that merges a pair; whether it conflicts is all the same here."""
    started = time.perf_counter()
    code = subprocess.run(
        ["git", "merge-tree", "--write-tree", *pair], cwd=work, env=stage.env(), capture_output=True, check=False
    ).returncode
    seconds = time.perf_counter() - started
    if code > 1:
        raise SystemExit(f"git merge-tree {' '.join(pair)}: exit {code}")
    return seconds


def _changed(work: str, commit: str) -> str:
    """A commit on top of `commit` with one line more in one of its files."""
    index = {"GIT_INDEX_FILE": os.path.join(work, ".git", "bench-index")}
    _git(work, "read-tree", commit, env=index)
    mode, oid, _, path = _git(work, "ls-files", "--stage", env=index).splitlines()[0].split(maxsplit=3)
    blob = _git(
        work, "hash-object", "-w", "--stdin", stdin=_git(work, "cat-file", "blob", oid) + "a line more\n"
    ).strip()
    _git(work, "update-index", "--cacheinfo", f"{mode},{blob},{path}", env=index)
    tree = _git(work, "write-tree", env=index).strip()
    return _git(work, *PEOPLE, "commit-tree", "-p", commit, "-m", "a line more", tree).strip()


def _before_a_commit(stage: Stage, path: str) -> Iterator[Row]:
    plain, armed = os.path.join(stage.root, "plain"), os.path.join(stage.root, "armed")
    for work in (plain, armed):
        stage.git("clone", "--quiet", "--shared", "--no-checkout", path, work)
        for key, value in (("user.name", "bench"), ("user.email", "b@x"), ("commit.gpgSign", "false")):
            stage.git("-C", work, "config", key, value)
    mine, *theirs = tips(armed, SISTERS + 1)
    for work in (plain, armed):
        stage.git("-C", work, "checkout", "--quiet", "-B", "mine", mine)
    file = _longest(armed)
    stage.run("hooks", "install", armed)
    for number, tip in enumerate(theirs):
        tree = os.path.join(stage.root, f"worktree-{number}")
        stage.git("-C", armed, "worktree", "add", "--quiet", "-b", f"topic-{number}", tree, tip)
        stage.sister(f"ada-{number}", tree, f"part {number} of the manual")
        _first_line(tree, file if number == 0 else f"new-{number}", f"ada-{number}")
    other = _git(os.path.join(stage.root, "worktree-0"), *PEOPLE, "stash", "create").strip()
    me = stage.env("me", os.getpid())
    subprocess.run([GITQUEEN, "iam", "committing"], cwd=armed, env=me, check=True, capture_output=True)
    stage.run("scan")
    stage.freshen()
    _wait_for_graph(armed)
    added, floors = [], []
    for number in range(ROUNDS + 3):
        with_hooks, said = _committed(armed, me, file, number)
        without, _ = _committed(plain, me, file, number)
        if "ada-0 [topic-0] conflicts in" not in said or any(f"ada-{quiet}" in said for quiet in range(1, SISTERS)):
            raise SystemExit(f"the hook must speak of ada-0's first line and of nobody else, and it says:\n{said}")
        start = measuring.timed(Command(lambda _: [sys.executable, "-I", "-S", "-c", "pass"], me, armed), 0)
        merge = _merged(stage, armed, ("HEAD", other))
        if number >= 3:
            added.append(with_hooks - without)
            floors.append(WEIGHT * merge + start)
    what = f"added to a commit by {SISTERS} sisters, one conflicting"
    yield measuring.compared(what, f"{WEIGHT:g} merge-tree + python -I -S", Pairs(tuple(added), tuple(floors)), 1.0)


def _wait_for_graph(work: str) -> None:
    """The first look around has a graph made of a long history; whoever works there for minutes has it."""
    place = places.find(work)
    assert place is not None
    deadline = time.monotonic() + 120
    while os.path.exists(graphs.asked(place.common_dir)) and not os.path.exists(graphs.path(place.common_dir)):
        if time.monotonic() > deadline:
            raise SystemExit("nobody made a graph of this history")
        time.sleep(0.1)


def _longest(work: str) -> str:
    """A text in the top folder, as long as any."""
    names = [name for name in _git(work, "ls-files").splitlines() if "/" not in name and name.isascii()]
    return max(names, key=lambda name: os.stat(os.path.join(work, name)).st_size)


def _first_line(tree: str, file: str, line: str) -> None:
    path = os.path.join(tree, file)
    lines = []
    if os.path.exists(path):
        with open(path, "rb") as old:
            lines = old.readlines()
    with open(path, "wb") as new:
        new.writelines([line.encode() + b"\n", *lines[1:]])


def _committed(work: str, env: dict[str, str], file: str, number: int) -> tuple[float, str]:
    """Seconds of a commit that changes the file's first line, and what was said."""
    _first_line(work, file, f"mine {number}")
    subprocess.run(["git", "add", file], cwd=work, env=env, check=True)
    started = time.perf_counter()
    done = subprocess.run(
        ["git", "commit", "--quiet", "--message", "work"], cwd=work, env=env, capture_output=True, check=False
    )
    seconds, said = time.perf_counter() - started, (done.stdout + done.stderr).decode("utf-8", "replace")
    if done.returncode:
        raise SystemExit(f"git commit: exit {done.returncode}\n{said}")
    return seconds, said


def _git(work: str, *args: str, env: dict[str, str] | None = None, stdin: str | None = None) -> str:
    return subprocess.run(
        ["git", *args], cwd=work, env={**os.environ, **(env or {})}, input=stdin, capture_output=True, check=True,
        encoding="utf-8", errors="surrogateescape",
    ).stdout  # fmt: skip
