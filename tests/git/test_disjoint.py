"""The proof by which most pairs need no merge, held against git's own merge on histories full of renames."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitqueen.git import bases, disjoint, merging, places, process
from tests.hive import Repo

FOLDERS = ("", "d/", "d/x/", "e/")
NAMES = ("a", "b", "d", "e", "x")
PATHS = tuple(f"{folder}{name}" for folder in FOLDERS for name in NAMES)
SIDES = 6

Tree = Mapping[str, str]
BASE: Tree = {
    path: "".join(f"{path} {line}\n" for line in range(12))
    for path in ("a", "b", "d/a", "d/b", "d/e", "d/x/a", "d/x/b", "e/a", "e/b")
}


def edit(tree: dict[str, str], what: tuple[str, str, str]) -> None:
    """One thing that somebody does; nothing where it cannot be done."""
    verb, one, other = what
    text = tree.get(one)
    if verb == "add" and text is None:
        put(tree, one, "".join(f"new {one} {line}\n" for line in range(12)))
    elif verb == "change" and text is not None:
        tree[one] = text.replace(f" {len(other) % 5}\n", f" {other}\n")
    elif verb == "delete":
        tree.pop(one, None)
    elif verb == "move" and text is not None:
        del tree[one]
        put(tree, other, text)
    elif verb == "move folder":
        top, to = one.rpartition("/")[0], other.rpartition("/")[0]
        for path in [path for path in tree if top and path.startswith(f"{top}/")]:
            if path in tree:  # what was moved before it may have taken its place
                put(tree, f"{to}/{path[len(top) + 1 :]}".lstrip("/"), tree.pop(path))


def put(tree: dict[str, str], path: str, text: str) -> None:
    """A file in the way of a folder goes, and the other way round."""
    for old in [old for old in tree if old.startswith(f"{path}/") or path.startswith(f"{old}/")]:
        del tree[old]
    tree[path] = text


def stream(sides: list[Tree]) -> bytes:
    lines: list[bytes] = []
    for number, tree in enumerate([BASE, *sides]):
        branch = b"refs/heads/base" if number == 0 else b"refs/heads/side%d" % number
        lines += [b"reset %s" % branch, b"commit %s" % branch, b"mark :%d" % (number + 1)]
        lines += [b"committer a <a@example.org> %d +0000" % (1_700_000_000 + number), b"data 0"]
        lines += [b"from :1"] if number else []
        lines += [b"deleteall"]
        for path, text in sorted(tree.items()):
            lines += [b"M 644 inline %s" % path.encode(), b"data %d" % len(text), text.encode()]
    return b"\n".join([*lines, b"done\n"])


@pytest.fixture
def made(repo: Callable[..., Repo]) -> Repo:
    return repo("app")


edits = st.tuples(
    st.sampled_from(["add", "change", "delete", "move", "move folder"]), st.sampled_from(PATHS), st.sampled_from(PATHS)
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(edits, min_size=1, max_size=4), min_size=SIDES, max_size=SIDES))
def test_what_is_apart_merges_cleanly(made: Repo, done: list[list[tuple[str, str, str]]]) -> None:
    sides: list[Tree] = []
    for some in done:
        tree = dict(BASE)
        for what in some:
            edit(tree, what)
        sides.append(tree)
    subprocess.run(["git", "fast-import", "--quiet", "--force", "--done"], cwd=made, input=stream(sides), check=True)
    tips = made.git("rev-parse", *(f"side{number}" for number in range(1, SIDES + 1))).split()

    def git(*args: str, stdin: bytes | None = None, check: bool = True) -> process.Result:
        return process.run(*args, cwd=str(made.path), stdin=stdin, check=check)

    pairs = list(itertools.combinations(dict.fromkeys(tips), 2))
    trees = bases.find(git, pairs).trees
    base = made.git("rev-parse", "base^{tree}")
    changed = disjoint.changes(git, [(base, trees[tip]) for tip in tips])
    apart = {(a, b) for a, b in pairs if disjoint.apart(changed[base, trees[a]], changed[base, trees[b]])}
    codes = {pair: git("merge-tree", "--write-tree", "--no-messages", *pair, check=False).code for pair in pairs}
    clean = {pair for pair, code in codes.items() if code == 0}
    died = {pair for pair, code in codes.items() if code not in (0, 1)}  # an assertion of git's own
    assert apart <= clean
    here = places.find(str(made.path))
    assert here is not None
    predicted = merging.predict(here, pairs)
    assert {pair for pair, merge in predicted.items() if merge.verdict == "clean"} == clean
    assert {pair for pair, merge in predicted.items() if merge.verdict == "unknown"} == died


def test_most_ordinary_pairs_are_apart(tmp_path: Path) -> None:
    def side(paths: str, added: str = "", gone: str = "") -> disjoint.Changes:
        all_of, new, old = ({word.encode() for word in words.split()} for words in (paths, added, gone))
        return disjoint.Changes(all_of, new, old)

    mine = side("src/a src/new", added="src/new")
    assert disjoint.apart(mine, side("src/b docs/new", added="docs/new"))
    assert disjoint.apart(mine, side("src/b lib/x lib/y", added="lib/y", gone="lib/x"))
    assert disjoint.apart(side("src/a"), side("src/b src/c src/d", added="src/d", gone="src/c"))
    # What may be renamed under a new file is left to git, and so is whatever meets in a path.
    assert not disjoint.apart(mine, side("src/b lib/b", added="lib/b", gone="src/b"))
    assert not disjoint.apart(mine, side("src/a"))
    assert not disjoint.apart(mine, side("src", added="src"))
    assert not disjoint.apart(side("src", added="src"), mine)
