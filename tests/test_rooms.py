"""Every module has a card and fits on its shelf, and the map for newcomers is what the cards say."""

from __future__ import annotations

import pytest

from tests import rooms
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
