"""What a merge would give, predicted, against what `git merge` gives in the same worktree."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen.git import libgit, merging, places
from gitqueen.git.places import Place
from gitqueen.model import merges
from gitqueen.model.merges import APART, Clash, Lines, Merge
from tests.hive import Repo, Runner

TEXT = "".join(f"{number}\n" for number in range(1, 41))
FILES = {"a": TEXT, "b": TEXT.replace("\n", " b\n"), "d/c": TEXT.replace("\n", " c\n"), "d/e": "e\n" * 9}


def here(app: Repo) -> Place:
    place = places.find(str(app.path))
    assert place is not None
    return place


@pytest.fixture
def app(repo: Callable[..., Repo]) -> Repo:
    return repo("app", FILES)


def sides(app: Repo, ours: str, theirs: str) -> tuple[str, str]:
    """Two commits beside each other, each made by a line of shell."""
    start, tips = app.head, []
    for name, script in (("ours", ours), ("theirs", theirs)):
        app.git("checkout", "-q", "-B", name, start)
        Runner(app.path)("sh", "-ec", script, check=True)
        app.git("add", "-A")
        app.git("commit", "-qm", name)
        tips.append(app.head)
    app.git("checkout", "-q", "ours")
    return tips[0], tips[1]


def predict(app: Repo, ours: str, theirs: str) -> Merge:
    """The prediction; and git's own merge must leave just these files unmerged."""
    pair = sides(app, ours, theirs)
    said = merging.predict(here(app), [pair], worktrees={pair[0]: str(app.path)})[pair]
    done = Runner(app.path)("git", "merge", "-q", "--no-edit", pair[1])
    unmerged = {path.partition("~")[0] for path in app.git("diff", "--name-only", "--diff-filter=U", "-z").split("\0")}
    app.git("reset", "-q", "--hard")
    app.git("checkout", "-q", "-f", "main")
    app.git("clean", "-fdq")
    assert sorted(clash.path for clash in said.clashes) == sorted(unmerged - {""})
    assert (said.verdict == merges.CLEAN) is (done.returncode == 0)
    return said


def test_lines_in_conflict_are_those_of_either_sides_own_file(app: Repo) -> None:
    said = predict(
        app,
        "sed -i -e 's/^2$/two/' -e 's/^10$/ten/' -e 's/^30$/x/' -e 's/^36$/y/' a",
        "sed -i -e '1i zero' -e '4i more\\nand more' -e 's/^10$/TEN\\nand/' -e 's/^20$/xx/' -e '/^30$/d' a",
    )
    assert said.clashes == (Clash("a", merges.CONTENT, (Lines((10, 10), (13, 14)), Lines((30, 30), (34, 33)))),)


def test_a_clean_merge_names_what_both_sides_changed(app: Repo) -> None:
    said = predict(app, "sed -i s/^2$/two/ a; echo x >>b", "sed -i s/^30$/x/ a; sed -i '1i x' d/c")
    assert said == Merge(merges.CLEAN, merged=("a",))
    pair = sides(app, "echo x >>b", "echo y >>d/c")
    assert merging.predict(here(app), [pair])[pair] is APART


def test_every_kind_of_conflict_has_its_name(app: Repo) -> None:
    def kinds(ours: str, theirs: str) -> dict[str, str]:
        return {clash.path: clash.verdict for clash in predict(app, ours, theirs).clashes}

    assert kinds("echo x >>a", "git rm -q a") == {"a": "modify/delete"}
    assert kinds("git mv a x", "git mv a y") == {"a": "rename/rename", "x": "rename/rename", "y": "rename/rename"}
    assert kinds("git mv a x; git rm -q b", "git rm -q a") == {"x": "rename/delete"}
    assert kinds("echo mine >new", "echo hers >new") == {"new": "add/add"}
    assert kinds("printf 'x\\0y' >bin", "printf 'x\\0z' >bin") == {"bin": "binary"}
    (there,) = kinds("git mv d f", "echo x >d/new").items()
    assert there == ("f/new", "directory rename")
    assert "directory/file" in kinds("echo x >new", "mkdir new; echo x >new/y").values()
    assert kinds("ln -s a new", "echo x >new").popitem()[1] == "file type"


def test_a_conflict_in_a_renamed_file_is_found_by_either_name(app: Repo) -> None:
    said = predict(app, "git mv a z; sed -i s/^10$/ten/ z", "sed -i s/^10$/TEN/ a")
    assert said.clashes == (Clash("z", merges.CONTENT, (Lines((10, 10), (10, 10)),), ("a",)),)
    assert said.at("a") is said.at("z") is said.clashes[0]


def test_attributes_and_drivers_are_those_of_our_side(app: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    union = ("echo 'a merge=union' >.gitattributes; echo x >>a", "echo y >>a")
    assert predict(app, *union).verdict == merges.CLEAN
    app.git("config", "merge.mine.driver", "true")
    mine = ("echo 'a merge=mine' >.gitattributes; echo x >>a", "echo y >>a")
    assert predict(app, *mine).verdict == merges.CLEAN
    app.git("config", "--unset", "merge.mine.driver")
    # Without a worktree it is what the commit says, and no other.
    app.git("checkout", "-q", "-f", "main")
    pair = sides(app, *union)
    app.git("checkout", "-q", "--detach", "main")
    swapped = pair[::-1]
    said = merging.predict(here(app), [pair, swapped])
    assert (said[pair].verdict, said[swapped].verdict) == (merges.CLEAN, merges.CONFLICT)
    monkeypatch.chdir("/")
    assert merging.predict(here(app), [pair, swapped]) == said


def test_headings_that_look_like_markers(app: Repo) -> None:
    said = predict(
        app,
        "printf 'Mine\\n=======\\nx\\n' >new; sed -i '5s/.*/Title\\n=======/' a",
        "printf 'Hers\\n=======\\ny\\nz\\n' >new; sed -i '5s/.*/Heading\\n=======/' a",
    )
    lines = {clash.path: clash.lines for clash in said.clashes}
    assert lines["a"] == (Lines((5, 5), (5, 5)),)
    assert lines["new"][0].ours[0] == lines["new"][0].theirs[0] == 1


def test_what_cannot_be_told_is_unknown_and_does_not_spoil_the_rest(app: Repo) -> None:
    one, other = sides(app, "echo x >>a", "echo y >>a")
    app.git("checkout", "-q", "--orphan", "alone")
    app.git("commit", "-qm", "alone")
    alone, none = app.head, "1" * 40
    said = merging.predict(here(app), [(one, alone), (one, none), (one, other), (one, one)])
    assert said[one, alone] == Merge(merges.UNKNOWN, why="they have no commit in common")
    assert said[one, none] == Merge(merges.UNKNOWN, why="1111111111 is not to be had here")
    assert said[one, other].verdict == merges.CONFLICT
    assert said[one, one] is APART


def test_crossing_merges_are_merged(app: Repo) -> None:
    one, other = sides(app, "echo x >>b", "echo y >>d/c")
    app.git("checkout", "-q", "-b", "cross", one)
    app.git("merge", "-q", "--no-edit", other)
    first = app.git("commit-tree", "-p", one, "-p", other, "-m", "first", "HEAD^{tree}")
    second = app.git("commit-tree", "-p", other, "-p", one, "-m", "second", "HEAD^{tree}")
    app.git("checkout", "-q", first)
    ours, theirs = sides(app, "sed -i s/^2$/two/ a", "true; git checkout -q --detach " + second + "; echo z >>d/e")
    assert merging.predict(here(app), [(ours, theirs)])[ours, theirs].verdict == merges.CLEAN
    assert merging.predict(here(app), [(ours, theirs)])[ours, theirs] is not APART


def objects(app: Repo) -> list[str]:
    return sorted(os.path.join(top, one) for top, _, files in os.walk(app.path / ".git/objects") for one in files)


def test_nothing_is_written_where_the_user_keeps_objects(app: Repo) -> None:
    pair = sides(app, "echo x >>a", "echo y >>a")
    before = objects(app)
    assert merging.predict(here(app), [pair])[pair].verdict == merges.CONFLICT
    assert objects(app) == before


def test_clones_are_read_where_they_are(app: Repo) -> None:
    clone = app.clone("clone")
    clone.git("commit", "-qm", "hers", "--allow-empty")
    app.commit("mine", {"a": "mine\n"})
    hers = clone.commit("hers", {"a": "hers\n"})
    pair = (app.head, hers)
    assert merging.predict(here(app), [pair])[pair].verdict == merges.UNKNOWN
    beside = [here(clone).common_dir]
    assert merging.predict(here(app), [pair], beside=beside)[pair].clashes == (
        Clash("a", merges.CONTENT, (Lines((1, 1), (1, 1)),)),
    )
    assert Runner(app.path)("git", "cat-file", "-e", hers).returncode != 0


def test_below_git_2_39_libgit2_gives_a_hint(app: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = "echo x >>a; git rm -q b; echo x >new; sed -i '1i x' d/c"
    one, other = sides(app, mine, "echo y >>a; echo y >>b; echo y >new; echo y >>d/c")
    before = objects(app)
    real = shutil.which("git")
    old = tmp_path / "bin/git"
    old.parent.mkdir()
    # As git 2.38 ends that is asked for `--stdin`.
    old.write_text(f'#!/bin/sh\ncase "$*" in *merge-tree*) exit 129 ;; esac\nexec {real} "$@"\n')
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}{os.pathsep}{os.environ['PATH']}")
    assert merging.predict(here(app), [(one, other)])[one, other] == Merge(
        merges.UNKNOWN, why="git 2.39 or newer is needed to tell"
    )
    assert merging.predict(here(app), [(one, other)], hint=libgit.merge)[one, other] == Merge(
        merges.CONFLICT, (Clash("a", "conflict"), Clash("b", "modify/delete"), Clash("new", "add/add")), hint=True
    )
    assert objects(app) == before


@pytest.mark.needs_newer_git
def test_a_newer_git_says_the_same(app: Repo, newer_git: str) -> None:
    test_every_kind_of_conflict_has_its_name(app)
    said = predict(app, "git mv a z; sed -i s/^10$/ten/ z", "sed -i s/^10$/TEN/ a")
    assert said.clashes == (Clash("z", merges.CONTENT, (Lines((10, 10), (10, 10)),), ("a",)),)
