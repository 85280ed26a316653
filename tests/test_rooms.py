"""Every module has a card and fits on its shelf, the map is what the cards say, and the import contracts catch."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import rooms
from tests.hive import BIN
from tests.rooms import Module

CARD, SHELF = 8, 400
MODULES = list(rooms.modules())


@pytest.mark.parametrize("module", MODULES, ids=[module.path for module in MODULES])
def test_a_module_has_a_card_and_is_small(module: Module) -> None:
    assert module.card, "no docstring: what lives here, why it must exist, what may not live here"
    assert module.card.count("\n") < CARD, f"a card has at most {CARD} lines"
    assert module.lines < SHELF, f"a module has less than {SHELF} lines: what here is another thought?"


def test_the_map_is_current() -> None:
    text = rooms.CONTRIBUTING.read_text("utf-8")
    assert rooms.with_map(text) == text, "python tests/rooms.py --write"


def test_the_map_goes_down_the_layers() -> None:
    drawn = [line.split("`")[1].rstrip("/") for line in rooms.drawn().splitlines() if line.startswith("- ")]
    ranks = [rooms.layers().index(room.removesuffix(".py")) for room in drawn]
    assert ranks == sorted(ranks)
    assert len(ranks) > 8


TRESPASSES = {
    "Imports go down only, and every module has a room": (
        ("gitqueen.store.claims", "gitqueen.git.places"),
        ("gitqueen.store.events", "gitqueen.senses.processes"),
        ("gitqueen.git.config", "gitqueen.senses.agents"),
        ("gitqueen.git.staging", "gitqueen.store.rows"),
        ("gitqueen.senses.agents", "gitqueen.store.sisters"),
        ("gitqueen.senses.processes", "gitqueen.git.process"),
        ("gitqueen.model.names", "gitqueen.store.rows"),
        ("gitqueen.store.repos", "gitqueen.services.queen"),
        ("gitqueen.services.mailing", "gitqueen.views.text"),
        ("gitqueen.views.colony", "gitqueen.cli.doing"),
        ("gitqueen.settings", "gitqueen.model.times"),
    ),
    "The model is facts and rules: standard library only, no I/O, no clock": (
        ("gitqueen.model.times", "time"),
        ("gitqueen.model.globs", "os"),
        ("gitqueen.model.tasks", "gitqueen.settings"),
    ),
    "Doors and faces ask the services, never memory, repository or eyes": (
        ("gitqueen.cli.look", "gitqueen.store.sisters"),
        ("gitqueen.cli.demo", "gitqueen.senses.processes"),
        ("gitqueen.views.mail", "gitqueen.git.places"),
    ),
    "pygit2 is imported by git/libgit alone": (
        ("gitqueen.git.places", "pygit2"),
        ("gitqueen.services.scanning", "pygit2"),
    ),
    "psutil is imported by the senses alone": (("gitqueen.services.tending", "psutil"),),
    "click is imported by the doors alone": (("gitqueen.views.text", "click"),),
    "What draws on a terminal is imported by the faces alone": (
        ("gitqueen.cli.look", "rich"),
        ("gitqueen.services.onboarding", "pyfiglet"),
        ("gitqueen.services.reporting", "wcwidth"),
    ),
    "filelock is imported by the one doing that must be alone": (("gitqueen.services.claiming", "filelock"),),
    "sqlite3 is imported by the store alone": (("gitqueen.services.recounting", "sqlite3"),),
    "subprocess is imported by few": (
        ("gitqueen.git.places", "subprocess"),
        ("gitqueen.services.guarding", "subprocess"),
    ),
}
"""For each contract, imports that it must not let pass: (who, what)."""


def test_each_contract_catches_who_breaks_it(tmp_path: Path) -> None:
    shutil.copytree(rooms.PACKAGE, tmp_path / "gitqueen", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(rooms.CHECKOUT / ".importlinter", tmp_path)
    for who, what in (pair for pairs in TRESPASSES.values() for pair in pairs):
        with open(tmp_path / f"{who.replace('.', '/')}.py", "a", encoding="utf-8") as file:
            file.write(f"\nimport {what}\n")
    text = _lint(tmp_path)
    for contract, pairs in TRESPASSES.items():
        _, _, details = text.partition(f"\n{contract}\n---")
        details = details.partition("\n\n\n\n")[0]
        caught = {(who, what) for who, what in pairs if f" {who} -> {what} " in details}
        assert caught == set(pairs), f"{contract}: let somebody pass\n{text}"


def test_a_module_without_a_room_breaks_the_contracts(tmp_path: Path) -> None:
    shutil.copytree(rooms.PACKAGE, tmp_path / "gitqueen", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(rooms.CHECKOUT / ".importlinter", tmp_path)
    (tmp_path / "gitqueen" / "utils.py").write_text('"""Odds and ends."""\n')
    assert "gitqueen.utils" in _lint(tmp_path)


def _lint(folder: Path) -> str:
    """What `lint-imports` says of the package in `folder`; it must not be satisfied."""
    env = {**os.environ, "PYTHONPATH": os.fspath(folder), "COLUMNS": "200"}
    done = subprocess.run(
        [os.path.join(BIN, "lint-imports"), "--no-logo", "--no-cache"],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


STDLIB_WITHOUT_IO = {
    "__future__", "collections", "contextlib", "dataclasses", "datetime", "difflib", "enum", "fnmatch", "functools",
    "hashlib", "itertools", "json", "math", "operator", "re", "string", "types", "typing", "unicodedata",
}  # fmt: skip


def test_the_model_imports_nothing_but_itself_and_a_pure_part_of_the_standard_library() -> None:
    for path in sorted((rooms.PACKAGE / "model").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                ours = name == "gitqueen.errors" or name.startswith(("gitqueen.model.", "gitqueen.errors."))
                assert ours or name.partition(".")[0] in STDLIB_WITHOUT_IO, f"{path.name} imports {name}"
