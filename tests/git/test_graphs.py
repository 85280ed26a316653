"""A commit-graph of our own: asked for once, made beside the drafts, and true though history went on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen.git import drafts, graphs, merging, places
from gitqueen.git.places import Place
from gitqueen.model import merges
from gitqueen.model.merges import Merge
from tests.hive import Repo


@pytest.fixture
def app(repo: Callable[..., Repo]) -> Repo:
    """A managed repository with packed history."""
    made = repo("app", {"README": "hive\n"})
    made.git("repack", "-q", "-a", "-d")
    (made.path / ".git/gitqueen").mkdir()
    return made


def here(app: Repo) -> Place:
    place = places.find(os.fspath(app))
    assert place is not None
    return place


def test_it_is_asked_for_once_where_history_is_long_and_has_none(app: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    common = here(app).common_dir
    drafts.make(common)
    assert not graphs.ask(common)  # a short history needs none
    monkeypatch.setattr(graphs, "LONG", 1)
    assert [graphs.ask(common), graphs.ask(common)] == [True, False]

    drafts.drop(common)
    assert not graphs.ask(common)  # nobody looks ahead
    drafts.make(common)
    app.git("commit-graph", "write", "--reachable")
    assert not graphs.ask(common)  # the user has one


def test_a_clone_that_borrows_its_history_has_a_long_one(
    app: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.git("clone", "-q", "--shared", app.path, tmp_path / "clone")
    (tmp_path / "clone/.git/gitqueen").mkdir()
    common = here(Repo(tmp_path / "clone")).common_dir
    drafts.make(common)
    monkeypatch.setattr(graphs, "LONG", 1)

    assert graphs.ask(common)


def test_merges_are_the_same_with_it_and_history_may_go_on_and_away(app: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "LONG", 1)
    place = here(app)
    app.git("checkout", "-q", "-b", "topic")
    hers = app.commit("hers", {"README": "hers\n"})
    app.git("checkout", "-q", "-b", "brief")
    brief = app.commit("brief", {"README": "brief\n"})
    app.git("checkout", "-q", "main")
    mine = app.commit("mine", {"README": "mine\n"})
    before = merging.predict(place, [(mine, hers), (mine, brief)])
    assert before[mine, hers].verdict == merges.CONFLICT
    objects = {path: path.read_bytes() for path in (app.path / ".git/objects").rglob("*") if path.is_file()}

    assert graphs.ask(place.common_dir)
    graphs.write(place.common_dir)

    assert os.path.getsize(graphs.path(place.common_dir)) > 0
    assert {path: path.read_bytes() for path in (app.path / ".git/objects").rglob("*") if path.is_file()} == objects
    assert merging.predict(place, [(mine, hers), (mine, brief)]) == before
    later = app.commit("later", {"later": "later\n"})
    assert merging.predict(place, [(later, hers)])[later, hers].clashes == before[mine, hers].clashes
    app.git("branch", "-q", "-D", "brief")
    app.git("reflog", "expire", "--expire=now", "--all")
    app.git("prune", "--expire=now")
    gone = Merge(merges.UNKNOWN, why=f"{brief[:10]} is not to be had here")
    for worktrees in ({}, {later: os.fspath(app)}):
        assert merging.predict(place, [(later, brief)], worktrees=worktrees) == {(later, brief): gone}
