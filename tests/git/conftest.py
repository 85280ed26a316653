"""Repositories of every kind that git knows, made when a test asks for one by its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.git import kinds


@pytest.fixture
def build(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], kinds.Kind]:
    """Make one: `build("bare")`; those that only a newer git can make are made by it."""

    def make(name: str) -> kinds.Kind:
        if name in kinds.NEWER:
            request.getfixturevalue("newer_git")
        return kinds.BUILDERS[name](tmp_path)

    return make
