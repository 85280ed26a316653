"""Which repositories are clones of one project: by their first commit, or by where they come from."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

from gitqueen.git import places
from gitqueen.services import queen, relating
from gitqueen.store import database, repos
from tests.hive import Repo


def families(*folders: Repo) -> list[set[str]]:
    """For each folder the names of those that are related to it."""
    opened = queen.open(os.environ, lambda: datetime.now(UTC), "/")
    try:
        found = [place for folder in folders if (place := places.find(os.fspath(folder))) is not None]
        with database.transaction(opened.db):
            for place in found:
                repos.save(opened.db, place.common_dir, place.repo)
        relating.relate(opened, {place.common_dir: place.repo for place in found})
        kin = [relating.kin(opened, place.common_dir) for place in found]
        return [{os.path.basename(path) for path in one.values()} for one in kin]
    finally:
        opened.db.close()


def test_clones_are_known_by_their_first_commit_whatever_came_later(repo: Callable[..., Repo]) -> None:
    app, other = repo(), repo("other", {"else": "1\n"})
    clone = app.clone("clone")
    clone.git("remote", "remove", "origin")
    clone.commit("on")
    far = app.worktree("far")
    assert families(app, clone, other, far) == [{"app", "clone"}, {"app", "clone"}, {"other"}, {"app", "clone"}]


def test_a_shallow_clone_is_known_by_where_it_comes_from(repo: Callable[..., Repo]) -> None:
    app = repo()
    app.commit("on")
    url = f"file://{app.path}"
    for name, depth in (("whole", ()), ("shallow", ("--depth=1",))):
        app.git("clone", "--quiet", *depth, url, app.path.with_name(name))
    whole, shallow = (Repo(app.path.with_name(name)) for name in ("whole", "shallow"))
    assert families(app, whole, shallow) == [{"app", "whole"}, {"app", "whole", "shallow"}, {"whole", "shallow"}]


def test_it_does_not_matter_how_the_address_is_written(repo: Callable[..., Repo]) -> None:
    app = repo()
    app.commit("on")
    said = {"one": "git@Example.org:team/app.git", "two": "https://me@example.org/team/app", "three": "host:team/app"}
    for name, address in said.items():
        app.git("clone", "--quiet", "--depth=1", f"file://{app.path}", app.path.with_name(name))
        Repo(app.path.with_name(name)).git("remote", "set-url", "origin", address)
    one, two, three = (Repo(app.path.with_name(name)) for name in said)
    assert families(one, two, three) == [{"one", "two"}, {"one", "two"}, {"three"}]


def test_two_new_projects_are_not_related_and_one_without_a_commit_is_asked_again(repo: Callable[..., Repo]) -> None:
    app, empty = repo(), Repo(repo("parent").path / "empty")
    empty.path.mkdir()
    empty.git("init", "--quiet")
    assert families(app, empty) == [{"app"}, {"empty"}]
    empty.git("fetch", "--quiet", os.fspath(app), "main")
    empty.git("reset", "--quiet", "--hard", "FETCH_HEAD")
    assert families(app, empty) == [{"app", "empty"}, {"app", "empty"}]


def test_where_nobody_is_a_few_are_looked_at_each_time(repo: Callable[..., Repo]) -> None:
    opened = queen.open(os.environ, lambda: datetime.now(UTC), "/")
    with closing(opened.db):
        found = [place for name in "abcd" if (place := places.find(os.fspath(repo(name)))) is not None]
        with database.transaction(opened.db):
            for place in found:
                repos.save(opened.db, place.common_dir, place.repo)
        left = []
        for most, here in ((0, {}), (0, {found[2].common_dir: found[2].repo}), (2, {}), (2, {})):
            relating.relate(opened, here, most=most)
            left.append(len(repos.strangers(opened.db)))
        assert left == [4, 3, 1, 0]


def test_where_a_sister_is_a_repository_is_looked_at_before_a_scan_has_written_it_down(
    repo: Callable[..., Repo],
) -> None:
    opened = queen.open(os.environ, lambda: datetime.now(UTC), "/")
    with closing(opened.db):
        found = [place for name in "ab" if (place := places.find(os.fspath(repo(name)))) is not None]
        assert not relating.apart(opened, *[place.common_dir for place in found])
        relating.relate(opened, {place.common_dir: place.repo for place in found})
        assert relating.apart(opened, *[place.common_dir for place in found])
