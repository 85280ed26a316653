"""Refs to blobs: all or none, by compare-and-swap, and whatever strangers put beside them is data."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen import errors
from gitqueen.git import refs
from gitqueen.git.refs import Change
from tests.git import kinds
from tests.git.contract import here
from tests.hive import Repo

TASK, CLAIM = "refs/gitqueen/tasks/iza-1", "refs/gitqueen/claims/deploy"
KINDS = "plain linked bare sha256 reftable reftable_linked partial shallow submodule odd_folder".split()


@pytest.mark.parametrize(
    "kind", [pytest.param(one, marks=pytest.mark.needs_newer_git) if "reftable" in one else one for one in KINDS]
)
def test_refs_come_change_and_go_in_every_kind_of_repository(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if "reftable" in kind:
        request.getfixturevalue("newer_git")
    repo = Repo(kinds.BUILDERS[kind](tmp_path).top)
    place, log = here(repo.path), repo.git("log", "--all", "--format=%s")
    assert refs.listed(place) == {}
    assert refs.apply(place, [Change(TASK, None, b"one"), Change(CLAIM, None, b"two")]) is None
    there = refs.listed(place)
    assert there == {ref: refs.object_id("blob", text, repo.head) for ref, text in ((TASK, b"one"), (CLAIM, b"two"))}
    assert refs.objects(place, list(there)) == {
        TASK: refs.Object(there[TASK], "blob", b"one"),
        CLAIM: refs.Object(there[CLAIM], "blob", b"two"),
    }
    assert refs.apply(place, [Change(TASK, there[TASK], b"other"), Change(CLAIM, there[CLAIM], None)]) is None
    assert refs.listed(place) == {TASK: refs.object_id("blob", b"other", repo.head)}
    # No log and no graph shows them, and no reflog keeps them.
    assert repo.git("log", "--all", "--format=%s") == log
    repo.git("fsck", "--strict")


@pytest.mark.parametrize(
    "change",
    [Change(TASK, None, b"new"), Change(TASK, "1" * 40, b"new"), Change(TASK, "1" * 40, None)],
    ids=["is there", "is another", "is another than is to go"],
)
def test_one_that_is_not_as_it_should_be_stops_all(change: Change, repo: Callable[..., Repo]) -> None:
    place = here(repo().path)
    refs.apply(place, [Change(TASK, None, b"old")])
    before = refs.listed(place)
    assert TASK in (refs.apply(place, [Change(CLAIM, None, b"two"), change]) or "")
    assert refs.listed(place) == before


def test_a_lock_is_told_from_a_lost_race(repo: Callable[..., Repo]) -> None:
    app = repo()
    place = here(app.path)
    refs.apply(place, [Change(TASK, None, b"old")])
    lost = refs.apply(place, [Change(TASK, None, b"new")]) or ""
    app.write(f".git/{TASK}.lock", "")
    locked = refs.apply(place, [Change(TASK, refs.listed(place)[TASK], b"new")]) or ""
    (app.path / f".git/{TASK}.lock").unlink()
    app.write(".git/packed-refs.lock", "")
    packed = refs.apply(place, [Change(TASK, refs.listed(place)[TASK], None)]) or ""
    assert [refs.is_lock(words) for words in (lost, locked, packed)] == [False, True, True]


def test_a_symbolic_ref_is_replaced_and_not_followed(repo: Callable[..., Repo]) -> None:
    app = repo()
    app.git("tag", "v1")
    app.git("symbolic-ref", TASK, "refs/tags/v1")
    place = here(app.path)
    assert refs.apply(place, [Change(TASK, app.head, b"new")]) is None
    assert app.git("rev-parse", "v1") == app.head
    assert app.git("cat-file", "blob", TASK) == "new"
    app.git("symbolic-ref", CLAIM, "refs/tags/v1")
    assert refs.apply(place, [Change(CLAIM, None, None)]) is None
    assert app.git("tag") == "v1"


def test_objects_of_every_sort_and_size_are_read_or_named(repo: Callable[..., Repo]) -> None:
    app = repo(files={"small": "s\n", "large": "x" * (refs.LARGEST + 1), "empty": "", "edge": "x" * refs.LARGEST})
    app.git("tag", "-am", "tagged", "v1")
    names = [
        "HEAD:large",
        "v1",
        "HEAD",
        "nothing",
        "HEAD:small",
        "HEAD:large",
        "HEAD^{tree}",
        "HEAD:empty",
        "HEAD:edge",
    ]
    found = refs.objects(here(app.path), names)
    assert {name: (one.kind, one.whole, len(one.content)) for name, one in found.items() if "{" not in name} == {
        "HEAD:large": ("blob", False, 0),
        "v1": ("tag", True, len(app.git("cat-file", "-p", "v1")) + 1),
        "HEAD": ("commit", True, len(app.git("cat-file", "-p", "HEAD")) + 1),
        "HEAD:small": ("blob", True, 2),
        "HEAD:empty": ("blob", True, 0),
        "HEAD:edge": ("blob", True, refs.LARGEST),
    }
    assert found["HEAD:small"].content == b"s\n"
    assert "nothing" not in found


def test_names_of_any_bytes_are_listed(repo: Callable[..., Repo]) -> None:
    app = repo()
    blob = app.git("rev-parse", "HEAD:README")
    names = {f"refs/gitqueen/claims/{name}" for name in ("x/y/z", "u\u2028v", os.fsdecode(b"\xff"))} | {"refs/gitqueen"}
    for name in sorted(names - {"refs/gitqueen"}):
        app.git("update-ref", name, blob)
    assert refs.listed(here(app.path)) == dict.fromkeys(names - {"refs/gitqueen"}, blob)
    for name in sorted(names - {"refs/gitqueen"}):
        app.git("update-ref", "-d", name)
    app.git("update-ref", "refs/gitqueen", blob)
    assert refs.listed(here(app.path)) == {"refs/gitqueen": blob}


def test_what_cannot_be_written_is_said(repo: Callable[..., Repo]) -> None:
    app = repo()
    place = here(app.path)
    (app.path / ".git/objects").rename(app.path / ".git/away")
    with pytest.raises(errors.GitFailed):
        refs.apply(place, [Change(TASK, None, b"one")])


def test_the_stamp_changes_with_the_refs_and_with_nothing_else(repo: Callable[..., Repo]) -> None:
    app = repo()
    place, later = here(app.path), time.time() + 60
    seen = [refs.stamp(place.common_dir, later)]

    def step(what: Callable[[], object], changes: bool) -> None:
        time.sleep(0.02)  # a file system counts time in steps
        what()
        seen.append(refs.stamp(place.common_dir, later))
        assert (seen[-1] != seen[-2]) is changes

    step(lambda: app.commit("elsewhere"), False)
    step(lambda: refs.apply(place, [Change(TASK, None, b"one")]), True)
    step(lambda: app.git("tag", "v1"), False)
    step(lambda: refs.apply(place, [Change(CLAIM, None, b"one")]), True)
    step(lambda: refs.apply(place, [Change(CLAIM, refs.listed(place)[CLAIM], b"two")]), True)
    step(lambda: app.git("update-ref", f"{CLAIM}-2/below", app.head), True)
    step(lambda: app.git("pack-refs", "--all", "--prune"), True)
    step(lambda: app.git("update-ref", "-d", TASK), True)
    assert None not in seen
    app.git("update-ref", TASK, app.head)
    assert refs.stamp(place.common_dir, time.time()) is None  # another change may still hide in the same moment


@pytest.mark.needs_newer_git
def test_the_stamp_of_refs_that_are_no_files(tmp_path: Path, newer_git: str) -> None:
    app = Repo(kinds.reftable(tmp_path).top)
    place, later = here(app.path), time.time() + 60
    before = refs.stamp(place.common_dir, later)
    time.sleep(0.02)
    refs.apply(place, [Change(TASK, None, b"one")])
    assert before != refs.stamp(place.common_dir, later)


def test_head_is_read_from_its_file_or_asked_of_git(repo: Callable[..., Repo], tmp_path: Path) -> None:
    app = repo()
    assert refs.head(here(app.path)) == app.head
    app.git("pack-refs", "--all")
    assert refs.head(here(app.path)) == app.head
    app.git("checkout", "--quiet", "--detach")
    assert refs.head(here(app.path)) == app.head
    linked = app.worktree("topic")
    linked.commit("on it")
    assert refs.head(here(linked.path)) == linked.head != app.head
    (tmp_path / "box").mkdir()
    assert refs.head(here(kinds.unborn(tmp_path / "box").top)) is None


def test_several_blobs_are_written_by_one_process(repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch) -> None:
    app = repo()
    trace = app.path / "trace"
    changes = [Change(f"{CLAIM}-{number}", None, f"{number}\n".encode()) for number in range(20)]
    monkeypatch.setenv("GIT_TRACE", os.fspath(trace))
    assert refs.apply(here(app.path), changes) is None
    monkeypatch.delenv("GIT_TRACE")
    assert trace.read_text().count("built-in: git") == 2
    assert app.git("cat-file", "blob", f"{CLAIM}-7") == "7"
