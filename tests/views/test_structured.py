"""JSON that a terminal may see and a program gets back as it was."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from gitqueen import errors
from gitqueen.views import faults, structured

OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@given(st.text(st.characters()))
def test_what_goes_in_comes_out_and_nothing_raw_on_the_way(words: str) -> None:
    said = structured.dump({"words": words, words: [words]})
    assert OBEYED.search(said) is None
    expected = {"schema": 1, "words": words} | {words: [words]}
    assert json.loads(said) == json.loads(json.dumps(expected))


def test_people_s_letters_stay_readable() -> None:
    assert structured.dump({"task": "修正 → 🐝"}) == '{"schema": 1, "task": "修正 → 🐝"}'


def test_a_fault_in_words_and_as_json() -> None:
    fault = errors.Refused("held by \x1b[31miza-2", hint="queen tell iza-2 '...'")
    assert faults.as_text(fault, False) == "gitqueen: held by \\x1b[31miza-2\n  → queen tell iza-2 '...'"
    assert faults.as_text(fault, True).startswith("\x1b[31;1mgitqueen:\x1b[0m held by \\x1b[31m")
    assert faults.as_text(errors.Busy("locked"), False) == "gitqueen: locked"
    error = {"code": "no", "message": "held by \x1b[31miza-2", "hint": "queen tell iza-2 '...'"}
    assert json.loads(faults.as_json(fault)) == {"schema": 1, "error": error}
