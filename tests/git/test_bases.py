"""Merge bases of many pairs at once, held against git's own answer for each, in histories that cross and fall apart."""

from __future__ import annotations

import itertools
import random
import subprocess
from collections.abc import Callable

import pytest

from gitqueen.git import bases, process
from tests.hive import Repo


def history(repo: Repo, seed: int, roots: int) -> list[str]:
    """Forty commits on random parents, the first `roots` without any; returns their ids, the oldest first."""
    dice, lines = random.Random(seed), list[str]()
    for number in range(1, 41):
        branch = f"refs/heads/root-{seed}-{number}" if number <= roots else f"refs/heads/all-{seed}"
        when = dice.randrange(10**9)  # clocks are wrong in any way
        lines += [f"commit {branch}", f"mark :{number}", f"committer a <a@x> {when} +0000", "data 0"]
        if number > roots:
            parents = dice.sample(range(max(1, number - 14), number), min(dice.choice((1, 1, 2, 2, 3)), number - 1))
            lines += [f"{'merge' if place else 'from'} :{parent}" for place, parent in enumerate(parents)]
        lines += [f"M 644 inline f{number}", "data 1", "x", ""]
    marks = repo.path / "marks"
    subprocess.run(
        ["git", "fast-import", "--quiet", "--force", f"--export-marks={marks}"],
        cwd=repo,
        input="\n".join(lines).encode(),
        check=True,
    )
    found = dict(line.split() for line in marks.read_text().splitlines())
    return [found[f":{number}"] for number in range(1, 41)]


@pytest.fixture
def repo_and_git(repo: Callable[..., Repo]) -> tuple[Repo, bases.Git]:
    app = repo("app")

    def git(*args: str, stdin: bytes | None = None, check: bool = True) -> process.Result:
        return process.run(*args, cwd=str(app.path), stdin=stdin, check=check)

    return app, git


def asked(git: bases.Git, pair: bases.Pair) -> tuple[str, ...]:
    return tuple(sorted(git("merge-base", "--all", *pair, check=False).out.decode().split()))


@pytest.mark.parametrize("roots", [1, 3])
@pytest.mark.parametrize("most", [bases.MOST, 3])
def test_they_are_what_git_says(
    repo_and_git: tuple[Repo, bases.Git], monkeypatch: pytest.MonkeyPatch, roots: int, most: int
) -> None:
    app, git = repo_and_git
    monkeypatch.setattr(bases, "MOST", most)
    several = 0
    for seed in range(3):
        commits = history(app, seed, roots)
        tips = random.Random(seed).sample(commits[30:], 6)
        pairs = [*itertools.combinations(tips, 2), (tips[0], tips[0])]
        found = bases.find(git, pairs)
        said = {pair: asked(git, pair) for pair in pairs}
        assert {pair: tuple(sorted(of)) for pair, of in found.of.items()} == said
        several += sum(len(of) > 1 for of in said.values())
        needed = sorted({oid for pair, of in said.items() if of and pair[0] != pair[1] for oid in (*pair, *of)})
        trees = app.git("rev-parse", *(f"{oid}^{{tree}}" for oid in needed)).split()
        assert [found.trees[oid] for oid in needed] == trees
    assert several > 3, "histories that cross are among them"


def test_what_is_missing_is_named_and_the_rest_is_told(repo_and_git: tuple[Repo, bases.Git]) -> None:
    app, git = repo_and_git
    first = app.head
    one, other = app.commit("one"), app.git("commit-tree", "-p", first, "-m", "other", "HEAD^{tree}")
    none = "1" * 40
    found = bases.find(git, [(one, other), (one, none), (none, none)])
    assert (found.missing, found.of) == (frozenset({none}), {(one, other): (first,)})
    assert bases.find(git, [(none, none)]).of == {}
