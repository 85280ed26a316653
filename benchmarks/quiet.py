"""Quiet: a person's ordinary commits, replayed by a live sister while another one is idle, must not raise one alarm.

The commits are the first-parent history of any repository, made again by real `git commit` with our hooks armed.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from benchmarks import measuring, merges
from benchmarks.measuring import Row
from benchmarks.stage import GITQUEEN, Stage

COMMITS = 1000
LOOKS = 50
"""A look around after so many commits, as the daemon's clock makes it."""
LOUD = ("warning", "danger")
LATE = "gitqueen: no answer within 2 s; git goes on without us\n"
"""What the hook says on a machine too busy for it: no alarm."""


def rows(paths: Sequence[str], commits: int | None = None) -> Iterator[Row]:
    for path in paths:
        with Stage() as stage:
            yield from _replayed(stage, path, commits or COMMITS)


def _replayed(stage: Stage, path: str, count: int) -> Iterator[Row]:
    names = _git(stage, path, "rev-list", "--first-parent", f"--max-count={count + 1}", "HEAD").split()[::-1]
    work, idle = os.path.join(stage.root, "work"), os.path.join(stage.root, "idle")
    stage.git("clone", "--quiet", "--shared", "--no-checkout", path, work)
    for key, value in (("user.name", "bench"), ("user.email", "b@x"), ("commit.gpgSign", "false")):
        stage.git("-C", work, "config", key, value)
    stage.git("-C", work, "checkout", "--quiet", "-B", "topic", names[0])
    # She has something of her own, so that there is something to merge at each commit.
    stage.git("-C", work, "worktree", "add", "--quiet", "-b", "idle", idle, names[0])
    with open(os.path.join(idle, "notes-of-ada"), "w", encoding="utf-8") as file:
        file.write("an idea\n")
    stage.git("-C", idle, "add", "notes-of-ada")
    stage.git("-C", idle, "commit", "--quiet", "--message", "an idea")
    stage.run("hooks", "install", work)
    # Longer than a sister of the stage: she must be there at the last commit, too.
    stage.bodies["ada"] = subprocess.Popen(["sleep", "7200"], env=stage.env(), stdin=subprocess.DEVNULL)
    stage.run("iam", "thinking about the manual", cwd=idle, name="ada")
    me = stage.env("me", os.getpid())
    _said(stage, work, me, GITQUEEN, "iam", "rewriting it all, commit by commit")
    stage.run("scan")
    spoken, late, seconds, shown = 0, 0, [], time.monotonic()
    for number, (old, new) in enumerate(itertools.pairwise(names)):
        stage.git("-C", work, "read-tree", "-m", "-u", old, new)
        started = time.perf_counter()
        said = _said(stage, work, me, "git", "commit", "--quiet", "--allow-empty", "--message", f"as {new}")
        seconds.append(time.perf_counter() - started)
        if said == LATE:
            late += 1
        elif said:
            spoken += 1
            print(f"at {new}: {ascii(said)}", flush=True)
        if number % LOOKS == LOOKS - 1:
            stage.run("scan")
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(f"{number + 1} of {len(names) - 1} commits", file=sys.stderr)
    stage.run("scan")
    # Only commits that went through our hooks, with her known, are recorded as hers.
    made = stage.count("commits WHERE sister = 'me'") if stage.bodies["ada"].poll() is None else 0
    found = json.loads(_said(stage, work, me, GITQUEEN, "conflicts", "--all", "--json", codes=(0, 1)))["conflicts"]
    loud = [one for one in found if one["severity"] in LOUD]
    for one in loud:
        print(f"{one['severity']}: {one['type']}: {ascii(one['detail'])}", flush=True)
    repository = merges.named(path)
    yield measuring.counted(f"commits of {repository} replayed, a sister idle", "", seconds, made, len(names) - 1)
    yield measuring.counted("... of which the hook said a word", "", (), spoken, 0)
    yield Row("... of which it had no time for", "", (), (), f"{late:,}", "", "", True)
    yield measuring.counted("... warnings and dangers seen", "", (), len(loud), 0)


def _git(stage: Stage, place: str, *args: str) -> str:
    return _said(stage, place, stage.env(), "git", *args)


def _said(stage: Stage, place: str, env: dict[str, str], *argv: str, codes: Sequence[int] = (0,)) -> str:
    """What a command that must succeed says, on both streams."""
    done = subprocess.run(
        argv,
        cwd=place,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = done.stdout.decode("utf-8", "replace")
    if done.returncode not in codes:
        raise SystemExit(f"{' '.join(argv)}: exit {done.returncode}\n{said}")
    return said
