"""Crediting: whose a commit or a line is, when several had a hand in it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from gitqueen import errors
from gitqueen.git import notes
from gitqueen.services import crediting, queen
from gitqueen.services.queen import Queen
from tests.git.contract import here
from tests.hive import Repo


def tell(app: Repo, oid: str, *lines: tuple[str, str, str | None]) -> None:
    texts = [json.dumps({"what": what, "sister": sister, "task": "t", "at": at}) for what, sister, at in lines]
    notes.add(here(app.path), {oid: texts})


@pytest.fixture
def app(repo: Callable[..., Repo]) -> Repo:
    return repo(files={"a": "one\n"})


def at(app: Repo, folder: str = "") -> Queen:
    return queen.open(os.environ, lambda: datetime(2026, 1, 2, tzinfo=UTC), os.fspath(app.path / folder))


def makers(app: Repo) -> list[str | None]:
    return [one.note.sister if one.note else None for one in crediting.blame(at(app), "a")]


def test_a_line_is_hers_who_made_the_commit_last(app: Repo) -> None:
    tell(app, app.head, ("started", "eve", "2026-01-05T00:00:00Z"))
    assert makers(app) == [None]
    tell(app, app.head, ("commit", "bea", "2026-01-04T00:00:00Z"), ("commit", "iza-1", "2026-01-03T00:00:00Z"))
    tell(app, app.head, ("done", "eve", "2026-01-06T00:00:00Z"))
    assert makers(app) == ["bea"]
    assert [one.sister for one in crediting.provenance(at(app), "HEAD").notes] == ["iza-1", "bea", "eve", "eve"]


def test_what_is_not_committed_is_nobodys(app: Repo) -> None:
    app.write("a", "two\n")
    assert makers(app) == [None]


def test_notes_that_are_none_credit_nobody(app: Repo) -> None:
    app.git("update-ref", "refs/notes/gitqueen", app.git("rev-parse", "HEAD:a"))
    assert makers(app) == [None]
    assert crediting.provenance(at(app), "HEAD").notes == ()


def test_paths_are_seen_from_where_one_stands(app: Repo) -> None:
    app.commit("below", {"sub/b": "x\n"})
    assert [one.line.text for one in crediting.blame(at(app, "sub"), "b")] == ["x"]
    assert [one.line.text for one in crediting.blame(at(app, "sub"), "../a")] == ["one"]
    with pytest.raises(errors.Refused, match="git cannot blame it"):
        crediting.blame(at(app), "b")


def test_outside_of_any_repository_it_cannot_work(app: Repo) -> None:
    outside = queen.open(os.environ, lambda: datetime.now(UTC), os.fspath(app.path.parent))
    with pytest.raises(errors.CannotWork):
        crediting.blame(outside, "a")
