"""The cast of most commands: two sisters in one repository, each in a worktree of her own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.hive import Repo, Sister


@pytest.fixture
def app(repo: Callable[..., Repo]) -> Repo:
    return repo("app", {"src/a.py": "1\n", "docs/x.md": "2\n"})


@pytest.fixture
def two(sister: Callable[..., Sister], app: Repo) -> tuple[Sister, Sister]:
    """iza-1 and iza-2, of whom the hive has not heard yet."""
    return sister("iza-1", app), sister("iza-2", app.worktree("two"))
