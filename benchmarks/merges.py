"""Merges: real two-parent merges of any repository, replayed as two sisters at work, and how right we foretold them.

Once with the parents as branches, once with what one of them did left uncommitted in a worktree. The truth is a real
`git merge` in a clone of our own, never `merge-tree`. Beside it what the names of changed files and libgit2 foretell.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pygit2

from benchmarks.stage import Stage
from gitqueen.model.merges import UNKNOWN
from gitqueen.services import predicting, queen

MERGES = 150
"""Of each repository, unless told otherwise."""
POOL = 20
"""Times as many are looked at for such as were hard."""
SURE, NEARLY = 1.0, 0.99
"""What recall and precision must reach on committed states, and with uncommitted work."""
_PEOPLE = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "bench"), ("EMAIL", "b@x"))
}
Names = tuple[str, ...]
_LABELS = re.compile(r"~(HEAD|[0-9a-f]{40,64})(_\d+)?(?=/|$)")
HEADS = (
    "repository", "merges", "in conflict", "files in conflict", "recall", "precision", "uncommitted: recall",
    "precision", "same file: recall", "precision", "libgit2: recall", "precision",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Merge:
    """A commit with two parents, as somebody once made it."""

    name: str
    ours: str
    theirs: str


@dataclass(slots=True)
class Tally:
    """How right one way of foretelling conflicts was, file by file."""

    found: int = 0
    """Files in conflict that were foretold."""
    right: int = 0
    """Files foretold that came to be in conflict: fewer, where one file has several names."""
    false: list[str] = field(default_factory=list)
    """`<merge> <path>` that was foretold and did not come."""
    missed: list[str] = field(default_factory=list)

    def add(self, merge: Merge, foretold: Iterable[Names], real: set[str]) -> None:
        """`foretold`: each file with all its names, since a conflict of renames is one file of three names."""
        known = set[str]()
        for names in sorted(foretold):
            known.update(names)
            if real.isdisjoint(names):
                self.false.append(f"{merge.name} {ascii(names[0])}")
            else:
                self.right += 1
        self.found += len(real & known)
        self.missed += [f"{merge.name} {ascii(path)}" for path in sorted(real - known)]

    @property
    def recall(self) -> float:
        return self.found / (self.found + len(self.missed)) if self.found or self.missed else 1.0

    @property
    def precision(self) -> float:
        return self.right / (self.right + len(self.false)) if self.right or self.false else 1.0


@dataclass(slots=True)
class Score:
    """What became of one repository's merges."""

    repository: str
    merges: int = 0
    conflicted: int = 0
    files: int = 0
    """Files that really conflicted."""
    committed: Tally = field(default_factory=Tally)
    uncommitted: Tally = field(default_factory=Tally)
    overlap: Tally = field(default_factory=Tally)
    libgit: Tally = field(default_factory=Tally)
    left_out: list[str] = field(default_factory=list)
    """Merges that cannot be replayed, each with why."""

    @property
    def ok(self) -> bool:
        sure = min(self.committed.recall, self.committed.precision) >= SURE
        return sure and min(self.uncommitted.recall, self.uncommitted.precision) >= NEARLY and self.merges > 0


class Unable(Exception):
    """This merge cannot be replayed: git says no."""


def sample(path: str, count: int) -> list[Merge]:
    """`count` merges of the repository, always the same: half at random, half such as were hard (somebody wrote lines
    in the merge that no parent has), since most merges do not conflict; newest first."""
    argv = ("git", "-C", path, "rev-list", "--all", "--min-parents=2", "--max-parents=2", "--parents")
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    merges = [Merge(*line.split()) for line in said.splitlines()]
    place = {merge.name: number for number, merge in enumerate(merges)}
    mixed = sorted(merges, key=lambda merge: hashlib.sha256(merge.name.encode()).digest())
    pool = mixed[: max(count * POOL, 2000)]
    hard = _hard(path, pool)
    first = [merge for merge in pool if merge.name in hard][: count // 2]
    rest = [merge for merge in mixed if merge not in first][: count - len(first)]
    # By age: two merges of one year have most files in common, which makes a checkout from one to the other cheap.
    return sorted(first + rest, key=lambda merge: place[merge.name])


def _hard(path: str, merges: Sequence[Merge]) -> set[str]:
    """Those merges whose result has lines that neither parent has."""
    feed = "".join(f"{merge.name}\n" for merge in merges).encode()
    found, names = set[str](), {merge.name for merge in merges}
    current = ""
    with subprocess.Popen(
        ["git", "-C", path, "diff-tree", "--stdin", "--cc", "-r"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:  # fmt: skip
        out, _ = child.communicate(feed)  # objects may be missing in a partial copy: then it ends before all is read
    for line in out.decode("utf-8", "replace").splitlines():
        if line in names:
            current = line
        else:
            found.add(current)
    return found


class Scene:
    """A clone of `path` where two sisters work, one in `here`, the other in `there`; both go from merge to merge."""

    def __init__(self, stage: Stage, path: str) -> None:
        self.env = {**stage.env(), **_PEOPLE}
        os.environ.update(self.env)  # this process has nothing else to do
        self.here, self.there = os.path.join(stage.root, "clone"), os.path.join(stage.root, "there")
        stage.git("clone", "--quiet", "--shared", "--no-checkout", path, self.here)
        stage.git("-C", self.here, "config", "advice.detachedHead", "false")
        stage.git("-C", self.here, "worktree", "add", "--quiet", "--no-checkout", "--detach", self.there)
        self.queen = queen.open(dict(os.environ), lambda: datetime.now(UTC), self.here)

    def stand(self, worktree: str, commit: str) -> None:
        """Have `worktree` hold `commit` and nothing else."""
        self.git(worktree, "reset", "--quiet", "--hard", commit)
        self.git(worktree, "clean", "--quiet", "-ffdx")

    def leave(self, base: str) -> None:
        """Have `there` stand at `base` with all that it holds beyond it uncommitted, new files untracked."""
        self.git(self.there, "reset", "--quiet", "--mixed", base)

    def bases(self, ours: str, theirs: str) -> list[str]:
        return self.git(self.here, "merge-base", "--all", ours, theirs, codes=(0, 1)).decode().split()

    def truth(self, theirs: str) -> set[str]:
        """The paths that conflict when `theirs` is really merged in `here`, which is clean again afterwards."""
        self.git(self.here, "merge", "--quiet", "--no-commit", "--no-ff", theirs, codes=(0, 1))
        # Each line is: mode, object, stage, TAB, path.
        lines = self.git(self.here, "ls-files", "--unmerged", "-z").split(b"\0")[:-1]
        self.git(self.here, "reset", "--quiet", "--hard")
        return {plain(os.fsdecode(line.partition(b"\t")[2])) for line in lines}

    def as_commit(self, base: str, change: str) -> str:
        """What a commit of all that `leave` left would be."""
        return self.git(self.here, "commit-tree", "-p", base, "-m", "all of it", f"{change}^{{tree}}").decode().strip()

    def foretold(self) -> set[Names]:
        """What we say of merging into `here` what stands in `there`: the files in conflict, each with all its names."""
        mine, hers = (predicting.of_worktree(self.queen, folder, fresh=True) for folder in (self.here, self.there))
        (said,) = predicting.predict(self.queen, [(mine, hers)])
        if said.verdict == UNKNOWN:
            print(f"unknown: {said.why}", flush=True)
        return {tuple(plain(name) for name in clash.names) for clash in said.clashes}

    def overlap(self, base: str, ours: str, theirs: str) -> set[Names]:
        """The paths that both sides changed."""
        one, two = (
            set(self.git(self.here, "diff-tree", "-r", "-z", "--name-only", "--no-renames", base, side).split(b"\0"))
            for side in (ours, theirs)
        )
        return {(os.fsdecode(path),) for path in one & two if path}

    def git(self, worktree: str, *args: str, codes: Sequence[int] = (0,)) -> bytes:
        done = subprocess.run(
            ["git", *args], cwd=worktree, env=self.env, capture_output=True, stdin=subprocess.DEVNULL, check=False
        )
        if done.returncode not in codes:
            raise Unable(f"git {args[0]}: {done.stderr.decode('utf-8', 'replace').strip() or done.returncode}")
        return done.stdout


def plain(path: str) -> str:
    """The path as people know it: git sets a file aside that stands where a folder must, `file~HEAD`."""
    return _LABELS.sub("", path)


def libgit(repository: pygit2.Repository, ours: str, theirs: str) -> set[Names]:
    """The files that conflict as libgit2 merges."""
    found = repository.merge_commits(pygit2.Oid(hex=ours), pygit2.Oid(hex=theirs)).conflicts or ()
    return {tuple(dict.fromkeys(entry.path for entry in entries if entry is not None)) for entries in found}


def scores(paths: Sequence[str], count: int | None = None) -> Iterator[Score]:
    """Replay `count` merges of each repository, or `MERGES`; goes on beside, on stderr."""
    for path in paths:
        yield replayed(path, count or MERGES)


def cells(score: Score) -> tuple[str, ...]:
    """The texts of one row, in the order of `HEADS`."""
    ways = (score.committed, score.uncommitted, score.overlap, score.libgit)
    shares = (f"{share:.3f}" for way in ways for share in (way.recall, way.precision))
    return (score.repository, f"{score.merges:,}", f"{score.conflicted:,}", f"{score.files:,}", *shares)


def wrong(score: Score) -> Iterator[str]:
    """Each file that was foretold and did not come, or came and was not foretold; each merge that was left out."""
    for state, way in (("committed", score.committed), ("uncommitted", score.uncommitted)):
        for kind, names in (("false", way.false), ("missed", way.missed)):
            yield from (f"{score.repository}: {kind}, {state}: {name}" for name in names)
    yield from (f"{score.repository}: left out: {name}" for name in score.left_out)


def replayed(path: str, count: int) -> Score:
    """Replay `count` merges of the repository at `path`."""
    score = Score(named(path))
    with Stage() as stage:
        scene = Scene(stage, path)
        repository = pygit2.Repository(scene.here)
        merges = sample(path, count)
        for number, merge in enumerate(merges):
            try:
                _replay(scene, repository, merge, score)
            except Unable as fault:
                score.left_out.append(f"{merge.name} {fault}")
            print(f"{score.repository}: {number + 1} of {len(merges)} merges", file=sys.stderr, end="\r", flush=True)
    print(file=sys.stderr)
    return score


def _replay(scene: Scene, repository: pygit2.Repository, merge: Merge, score: Score) -> None:
    bases = scene.bases(merge.ours, merge.theirs)
    if not bases:
        raise Unable("git refuses to merge what has no commit in common")
    scene.stand(scene.here, merge.ours)
    scene.stand(scene.there, merge.theirs)
    foretold = scene.foretold()
    real = scene.truth(merge.theirs)
    scene.leave(bases[0])
    foretold_uncommitted = scene.foretold()
    really_uncommitted = scene.truth(scene.as_commit(bases[0], merge.theirs))
    score.merges += 1
    score.conflicted += bool(real)
    score.files += len(real)
    score.committed.add(merge, foretold, real)
    score.uncommitted.add(merge, foretold_uncommitted, really_uncommitted)
    score.overlap.add(merge, scene.overlap(bases[0], merge.ours, merge.theirs), real)
    score.libgit.add(merge, libgit(repository, merge.ours, merge.theirs), real)


def named(path: str) -> str:
    return os.path.basename(os.path.abspath(path)).removesuffix(".git")
