"""What the hooks may cost: commits and rebases with and without them, in turn, beside other hook managers.

Each function of `BENCHMARKS` is one benchmark and gives its rows. Commits are empty: the smallest thing that git does
with hooks, so the hooks weigh most.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from benchmarks import measuring
from benchmarks.measuring import Command, Pairs, Row
from benchmarks.stage import GITQUEEN, Stage

PLAIN = "the same without hooks"
COMMIT = ("git", "-c", "user.name=bench", "-c", "user.email=b@x", "commit", "-q", "--allow-empty", "-m", "work")
ROUNDS, REBASES, PICKS = 80, 12, 100


def nobody() -> Iterator[Row]:
    with Stage() as stage:
        plain, armed = _two(stage)
        yield measuring.compared("commit, no live sister", PLAIN, _commits(stage, plain, armed, stage.env()), 1.5)
        idle = _idle(stage, "pre-commit", "post-commit")
        pairs = _commits(stage, plain, idle, stage.env())
        yield measuring.compared("commit with two hooks that do nothing", PLAIN, pairs, None)


def alone() -> Iterator[Row]:
    with Stage() as stage:
        plain, armed = _two(stage)
        me = _me(stage, armed)
        yield measuring.compared("commit of the one live sister", PLAIN, _commits(stage, plain, armed, me), 1.6)


def rebase() -> Iterator[Row]:
    with Stage() as stage:
        plain, armed = _two(stage)
        me = _me(stage, armed)
        idle = _idle(stage, "post-commit")
        for place in (plain, armed, idle):
            _branch(stage, place)

        def run(place: str) -> Command:
            def reset(_: int) -> None:
                # Each round rebases the same commits from one base to the other: there and back.
                stage.git("-C", place, "checkout", "-q", "-B", "topic", "start")
                stage.rest()

            return Command(lambda _: ["git", "rebase", "-q", "main", "topic"], me, place, reset)

        pairs = measuring.in_turn(run(armed), run(plain), rounds=REBASES, warm_up=1)
        yield measuring.compared(f"rebase of {PICKS} commits, one live sister", PLAIN, pairs, 1.5)
        pairs = measuring.in_turn(run(idle), run(plain), rounds=REBASES, warm_up=1)
        yield measuring.compared(f"rebase of {PICKS} commits with a hook that does nothing", PLAIN, pairs, None)


def crowded() -> Iterator[Row]:
    """8 sisters in worktrees of their own, 50 claims on paths: what the answer adds to a commit."""
    yield from _crowded("added to a commit by 8 live sisters, 50 claims", 0)


def dirty() -> Iterator[Row]:
    """The same, with 5,000 uncommitted files in their worktrees."""
    yield from _crowded("... with 5,000 uncommitted files among them", 5000 // 8)


def _crowded(what: str, files: int) -> Iterator[Row]:
    with Stage() as stage:
        plain, armed = _two(stage)
        me = _me(stage, armed)
        for number in range(8):
            worktree = os.path.join(stage.root, f"worktree-{number}")
            stage.git("-C", armed, "worktree", "add", "-q", "-b", f"topic-{number}", worktree)
            stage.sister(f"ada-{number}", worktree, f"{number} parts of the manual")
            for file in range(files):
                _write(worktree, f"new-{file % 20}/made-{file}.py", "line\n")
        for number in range(50):
            paths = f"area-{number}/**"
            stage.run("claim", f"area-{number}", "--path", paths, cwd=armed, name=f"ada-{number % 8}")
        stage.run("scan")
        stage.freshen()
        added, floors = [], []
        for number in range(ROUNDS + 3):
            with_hooks = _edit_and_commit(armed, me, number)
            without = _edit_and_commit(plain, me, number)
            floor = _timed([sys.executable, "-I", "-S", "-c", "pass"], me, plain)
            if number >= 3:
                added.append(with_hooks - without)
                floors.append(floor)
        pairs = Pairs(tuple(added), tuple(floors))
        row = measuring.compared(what, "python -I -S -c pass", pairs, 6)
        high = measuring.high(added) / statistics.median(floors)
        yield row
        yield Row("... its 95th percentile", row.floor, (), (), f"{high:.2f}", "", "10", high <= 10)


def others() -> Iterator[Row]:
    """Other hook managers with one trivial hook, where they are installed: no budget, only to compare."""
    for name, prepare in MANAGERS.items():
        if shutil.which(name) is None:
            continue
        with Stage() as stage:
            plain, theirs = stage.repository("plain"), stage.repository("theirs")
            prepare(stage, theirs)
            pairs = _commits(stage, plain, theirs, {**stage.env(), "PATH": os.environ["PATH"]}, rounds=15)
            yield measuring.compared(f"commit with {name} and one trivial hook", PLAIN, pairs, None)


def _husky(stage: Stage, place: str) -> None:
    subprocess.run(["husky"], cwd=place, env=stage.env(), check=True, stdout=subprocess.DEVNULL)
    _write(place, ".husky/pre-commit", "exit 0\n")


def _lefthook(stage: Stage, place: str) -> None:
    _write(place, "lefthook.yml", 'pre-commit:\n  jobs:\n    - run: "true"\n')
    subprocess.run(["lefthook", "install"], cwd=place, env=stage.env(), check=True, capture_output=True)


def _pre_commit(stage: Stage, place: str) -> None:
    hook = "{id: nothing, name: nothing, language: system, entry: 'true', always_run: true, pass_filenames: false}"
    _write(place, ".pre-commit-config.yaml", f"repos: [{{repo: local, hooks: [{hook}]}}]\n")
    stage.git("-C", place, "add", ".pre-commit-config.yaml")
    subprocess.run(["pre-commit", "install"], cwd=place, env=stage.env(), check=True, capture_output=True)


MANAGERS: dict[str, Callable[[Stage, str], None]] = {
    "husky": _husky,
    "lefthook": _lefthook,
    "pre-commit": _pre_commit,
}


def _idle(stage: Stage, *events: str) -> str:
    """A repository whose hooks for `events` do nothing: what git takes to start any."""
    idle = stage.repository("idle")
    for event in events:
        _write(idle, f".git/hooks/{event}", "#!/bin/sh\n")
        os.chmod(os.path.join(idle, ".git", "hooks", event), 0o755)
    return idle


def _write(place: str, path: str, text: str) -> None:
    file = os.path.join(place, path)
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, "w", encoding="utf-8") as out:
        out.write(text)


def _two(stage: Stage) -> tuple[str, str]:
    """A repository without hooks, and one that gitqueen manages."""
    plain, armed = stage.repository("plain"), stage.repository("armed")
    stage.run("hooks", "install", armed)
    stage.run("scan")
    # As with a daemon: no commit starts a look around.
    due = time.time() + 3600
    os.utime(os.path.join(stage.home, "next-scan"), (due, due))
    return plain, armed


def _me(stage: Stage, place: str) -> dict[str, str]:
    """The environment of a sister that lives in `place` and whose process this one is."""
    env = stage.env("me", os.getpid())
    done = subprocess.run([GITQUEEN, "iam", "committing"], cwd=place, env=env, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.decode("utf-8", "replace"))
    return env


def _commits(stage: Stage, plain: str, armed: str, env: dict[str, str], rounds: int = ROUNDS) -> Pairs:
    def commit(place: str) -> Command:
        return Command(lambda _: COMMIT, env, place, lambda _: stage.rest())

    return measuring.in_turn(commit(armed), commit(plain), rounds=rounds)


def _branch(stage: Stage, place: str) -> None:
    """Branch `topic` (also called `start`) with commits that main has not, and one on main that it has not."""
    stage.git("-C", place, "checkout", "-q", "-b", "topic")
    text = "".join(
        f"commit refs/heads/topic\ncommitter bench <b@x> {1700000000 + number} +0000\ndata 4\nwork\n"
        + ("from refs/heads/main^0\n" if number == 0 else "")
        + f"M 100644 inline file-{number}\ndata 2\nx\n\n"
        for number in range(PICKS)
    )
    subprocess.run(
        ["git", "-C", place, "fast-import", "--quiet", "--force"], input=text.encode(), env=stage.env(), check=True
    )
    stage.git("-C", place, "reset", "-q", "--hard")
    stage.git("-C", place, "branch", "start")
    stage.git("-C", place, "checkout", "-q", "main")
    stage.git("-C", place, *COMMIT[1:])
    for key, value in (("user.name", "bench"), ("user.email", "b@x")):
        stage.git("-C", place, "config", key, value)


def _edit_and_commit(place: str, env: dict[str, str], number: int) -> float:
    _write(place, "app.py", f"line {number}\n")
    subprocess.run(["git", "add", "app.py"], cwd=place, env=env, check=True)
    return _timed([word for word in COMMIT if word != "--allow-empty"], env, place)


def _timed(argv: Sequence[str], env: dict[str, str], place: str) -> float:
    return measuring.timed(Command(lambda _: argv, env, place), 0)


BENCHMARKS: dict[str, Callable[[], Iterator[Row]]] = {
    "commit-nobody": nobody,
    "commit-alone": alone,
    "rebase": rebase,
    "commit-crowded": crowded,
    "commit-dirty": dirty,
    "commit-others": others,
}
