"""Fixtures of the matrix: one copy of the product for all, a yard for each test, and which git it is in."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import conftest
from tests.hive import Repo, Runner
from tests.managers import kit
from tests.managers.kit import Manager, Yard


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kit.copy_of_gitqueen(tmp_path_factory.mktemp("product"))


@pytest.fixture
def make_yard(
    product: Path, tmp_path: Path, repo: Callable[..., Repo], run: Runner, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Manager], Yard]:
    path = [os.fspath(tmp_path / "bin"), kit.lefthook(), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(part for part in path if part))
    monkeypatch.setenv("BOOK", os.fspath(tmp_path / "book"))
    monkeypatch.setenv("CANARY", os.fspath(tmp_path / "canary"))
    made = itertools.count()

    def make(manager: Manager) -> Yard:
        if manager.program:
            kit.telling(manager.program, tmp_path / "bin")
        yard = Yard(repo(f"app{next(made)}"), run, product, tmp_path / "book", tmp_path / "canary")
        manager.prepare(yard)
        yard.repo.git("add", "--all")
        yard.repo.commit("the user's own hooks")
        return yard

    return make


@pytest.fixture(params=["file", pytest.param("config", marks=pytest.mark.needs_newer_git)])
def by_config(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether git knows hooks in configuration; with the git that does first on PATH."""
    if request.param == "config":
        monkeypatch.setenv("PATH", os.path.dirname(conftest.NEWER_GIT) + os.pathsep + os.environ["PATH"])
    return bool(request.param == "config")
