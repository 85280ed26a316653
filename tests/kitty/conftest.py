"""A screen that nobody sees, for all tests of this folder; kittys of each test's own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kitty import kit
from tests.kitty.kit import Kitty


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    server, name = kit.screen()
    yield name
    server.kill()
    server.wait()


@pytest.fixture
def stand_in(tmp_path: Path) -> Callable[..., str]:
    """A program that is taken for an agent, tells in the file of its pid that it runs, and waits."""

    def make(name: str = "claude", folder: str = "bin") -> str:
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        shutil.copy2(kit.SHELL, path)
        return os.fspath(path)

    return make


@pytest.fixture
def kitty(display: str, tmp_path: Path) -> Iterator[Callable[..., Kitty]]:
    """Start instances: `kitty("/bin/sh")`; see `kit.start`."""
    born: list[Kitty] = []

    def begin(*argv: str, **more: object) -> Kitty:
        born.append(kit.start(display, tmp_path / f"kitty-{len(born)}", *argv, **more))  # type: ignore[arg-type]
        return born[-1]

    yield begin
    for one in born:
        one.close()
