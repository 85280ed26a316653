"""History as git tells it: commits, the lines of a file, and logs of any form."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen import errors
from gitqueen.git import history
from gitqueen.git.history import Entry, Line
from tests.git import kinds
from tests.git.contract import here
from tests.hive import Repo

WHEN = 1767323045
"""Unix time of every commit of the tests."""


def test_a_commit_by_any_name(repo: Callable[..., Repo]) -> None:
    app = repo()
    app.git("-c", "user.name=Ünal \x1b[31m", "commit", "--quiet", "--allow-empty", "-m", "a\tsubject\n\nbody")
    app.git("tag", "-am", "x", "v1")
    place = here(app.path)
    wanted = history.Commit(app.head, "a\tsubject", "Ünal \x1b[31m")
    for name in ("HEAD", "v1", "main", app.head[:8], "@{0}"):
        assert history.commit(place, name) == wanted
    for name in ("nothing", "HEAD:README", "--all", "-1", "main..", "", "a\nb", "HEAD^{tree}"):
        assert history.commit(place, name) is None, name


def test_lines_with_the_commit_that_each_came_with(repo: Callable[..., Repo]) -> None:
    app = repo(files={"a": "one\n"})
    first = app.head
    app.commit("second", {"a": "one\n\ttwo\nauthor not at all\n"})
    app.write("a", "one\n\ttwo\nauthor not at all\n0 1 2\r\n")
    found = history.blame(here(app.path), os.fspath(app.path / "a"), None)
    nobody = found[-1]
    assert found[:-1] == [
        Line(first, 1, "Keeper", WHEN, "one"),
        Line(app.head, 2, "Keeper", WHEN, "\ttwo"),
        Line(app.head, 3, "Keeper", WHEN, "author not at all"),
    ]
    assert (nobody.oid, nobody.number, nobody.text) == ("0" * 40, 4, "0 1 2\r")
    assert history.blame(here(app.path), os.fspath(app.path / "a"), first) == found[:1]


@pytest.mark.parametrize("kind", ["linked", "sha256", "bare", "odd_folder"])
def test_every_kind_of_repository_is_blamed(kind: str, tmp_path: Path) -> None:
    made = kinds.BUILDERS[kind](tmp_path)
    path = "README" if made.bare else os.fspath(made.top / "README")
    assert [line.text for line in history.blame(here(made.top), path, "HEAD")] == ["hive"]


def test_what_cannot_be_blamed_is_said(repo: Callable[..., Repo]) -> None:
    app = repo()
    app.write("new", "x\n")
    for path, revision in (("new", None), ("gone", None), ("README", "nothing")):
        with pytest.raises(errors.Refused, match="git cannot blame it"):
            history.blame(here(app.path), os.fspath(app.path / path), revision)


def test_a_log_of_any_form_is_a_list_of_commits(repo: Callable[..., Repo]) -> None:
    app = repo()
    app.commit("second | \x1b[31m", {"a": "1\n"})
    wanted = [Entry(app.head, "Keeper", WHEN, "second | \x1b[31m")]
    for args in (["-1"], ["-1", "--oneline", "--graph"], ["-p", "--stat", "-1"], ["--format=%B", "--", "a"]):
        assert list(history.entries(here(app.path), args)) == wanted
    assert len(list(history.entries(here(app.path), []))) == 2
    with pytest.raises(errors.GitFailed, match="nonsense"):
        list(history.entries(here(app.path), ["--nonsense"]))


def test_a_log_that_nobody_reads_to_its_end_ends(repo: Callable[..., Repo], tmp_path: Path) -> None:
    top = kinds.many_commits(tmp_path).top
    lines = history.log(here(top), ["--format=%s"], False)
    assert next(lines) == "c"
    lines.close()  # type: ignore[attr-defined]


def test_a_log_is_gits_own(repo: Callable[..., Repo]) -> None:
    app = repo()
    app.git("notes", "--ref=gitqueen", "add", "-m", "told")
    assert list(history.log(here(app.path), [], False)) == app.git("log", "--notes=gitqueen").split("\n")
    assert "\x1b[33m" in next(history.log(here(app.path), [], True))
    with pytest.raises(errors.GitFailed, match="nonsense"):
        list(history.log(here(app.path), ["--nonsense"], False))
