"""Markers: written, listed, taken away; and nothing that a prepared `.git` folder puts in their place is followed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen.git import manifest, markers
from gitqueen.git.manifest import Record


def tree(folder: Path) -> list[str]:
    return sorted(os.fspath(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_marker_is_a_file_named_by_the_process(tmp_path: Path) -> None:
    assert markers.prepare(os.fspath(tmp_path))
    assert tree(tmp_path) == ["gitqueen"]
    assert markers.write(os.fspath(tmp_path), 4711, "machine.boot.namespace")
    assert markers.write(os.fspath(tmp_path), 12, "machine.boot.namespace")
    assert markers.set_claims(os.fspath(tmp_path), True)
    assert tree(tmp_path) == ["gitqueen", "gitqueen/claims", "gitqueen/live", "gitqueen/live/12", "gitqueen/live/4711"]
    assert (tmp_path / "gitqueen/live/4711").read_text() == "machine.boot.namespace\n"
    assert markers.listed(os.fspath(tmp_path)) == [12, 4711]
    assert markers.drop(os.fspath(tmp_path), 12)
    assert not markers.drop(os.fspath(tmp_path), 12)
    markers.clear(os.fspath(tmp_path))
    assert tree(tmp_path) == []


def test_clear_leaves_what_is_not_ours(tmp_path: Path) -> None:
    markers.write(os.fspath(tmp_path), 1, "x")
    (tmp_path / "gitqueen/rescue.git").mkdir()
    markers.clear(os.fspath(tmp_path))
    assert tree(tmp_path) == ["gitqueen", "gitqueen/rescue.git"]


def test_without_a_folder_nothing_is_listed_and_nothing_made(tmp_path: Path) -> None:
    assert markers.listed(os.fspath(tmp_path)) == []
    assert markers.set_claims(os.fspath(tmp_path), False)
    markers.clear(os.fspath(tmp_path))
    assert tree(tmp_path) == []
    assert not markers.write(os.fspath(tmp_path / "gone"), 1, "x")


def test_names_that_are_no_process_are_not_listed(tmp_path: Path) -> None:
    markers.write(os.fspath(tmp_path), 7, "x")
    for name in ("seven", "7x", "-7", "٧", ""):
        (tmp_path / "gitqueen/live" / name).mkdir(exist_ok=True)
    assert markers.listed(os.fspath(tmp_path)) == [7]


LINKS: list[Callable[[Path, Path], None]] = []


def _prepared(build: Callable[[Path, Path], None]) -> Callable[[Path, Path], None]:
    LINKS.append(build)
    return build


@_prepared
def folder_is_link(common: Path, prey: Path) -> None:
    (common / "gitqueen").symlink_to(prey)


@_prepared
def live_is_link(common: Path, prey: Path) -> None:
    (common / "gitqueen").mkdir()
    (common / "gitqueen/live").symlink_to(prey)


@_prepared
def files_are_links(common: Path, prey: Path) -> None:
    (common / "gitqueen/live").mkdir(parents=True)
    (common / "gitqueen/live/7").symlink_to(prey / "7")
    (common / "gitqueen/claims").symlink_to(prey / "claims")
    (common / "gitqueen/hooks.json").symlink_to(prey / "hooks.json")


@_prepared
def files_are_links_to_nowhere(common: Path, prey: Path) -> None:
    (common / "gitqueen/live").mkdir(parents=True)
    (common / "gitqueen/live/7").symlink_to(prey / "new")
    (common / "gitqueen/claims").symlink_to(prey / "new")
    for name in ("hooks.json", f"hooks.json.{os.getpid()}"):
        (common / "gitqueen" / name).symlink_to(prey / "new")


@_prepared
def files_are_pipes(common: Path, prey: Path) -> None:
    (common / "gitqueen/live").mkdir(parents=True)
    for name in ("live/7", "claims", "hooks.json"):
        os.mkfifo(common / "gitqueen" / name)


@_prepared
def folder_is_file(common: Path, prey: Path) -> None:
    (common / "gitqueen").write_text("a file\n")


@pytest.mark.parametrize("build", LINKS, ids=lambda build: build.__name__)
def test_a_prepared_folder_leads_nowhere(tmp_path: Path, build: Callable[[Path, Path], None]) -> None:
    """A repository that arrives as an archive: nothing outside of it is written, removed, read or waited for."""
    common, prey = tmp_path / "repo.git", tmp_path / "prey"
    common.mkdir()
    (prey / "live").mkdir(parents=True)
    told = '{"files": {"/a": {"before": null, "after": "stolen"}}}'
    for name in ("7", "claims", "hooks.json", "live/7"):
        (prey / name).write_text(told)
    build(common, prey)
    before = {name: (prey / name).read_text() for name in tree(prey) if (prey / name).is_file()}

    where = os.fspath(common)
    markers.prepare(where)
    markers.write(where, 7, "x")
    markers.set_claims(where, True)
    markers.listed(where)
    assert markers.read(where, 7) != told
    with manifest.locked(where):
        assert manifest.read(where) == {}
        manifest.write(where, {"/b": Record(None, "mine")})
    manifest.write(where, {})
    markers.drop(where, 7)
    markers.clear(where)

    assert {name: (prey / name).read_text() for name in tree(prey) if (prey / name).is_file()} == before
    assert tree(prey) == ["7", "claims", "hooks.json", "live", "live/7"]


def test_what_cannot_be_written_is_told_and_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "gitqueen").write_text("in the way")
    assert not markers.prepare(os.fspath(tmp_path))
    assert not markers.write(os.fspath(tmp_path), 7, "x")
    assert not markers.set_claims(os.fspath(tmp_path), True)
