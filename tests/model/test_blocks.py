"""A marked block in somebody's text: once, renewed in its place, and gone without a trace."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gitqueen.model import blocks
from gitqueen.model.blocks import HASH, MARKDOWN


def test_it_is_a_paragraph_of_its_own_at_the_end() -> None:
    assert blocks.put("# Mine\n", MARKDOWN, "one\ntwo\n") == (
        "# Mine\n\n<!-- gitqueen:begin -->\none\ntwo\n<!-- gitqueen:end -->\n"
    )


def test_at_the_top_it_stands_before_every_table() -> None:
    said = blocks.put('model = "x"\n\n[features]\n', HASH, "a = 1", top=True)
    assert said == '# >>> gitqueen >>>\na = 1\n# <<< gitqueen <<<\n\nmodel = "x"\n\n[features]\n'


@given(st.none() | st.text(alphabet="a\n "), st.booleans())
@example("a\r\nb", False)
@example("", False)
@example("\n", False)
@example("a", True)
def test_taken_out_it_leaves_no_trace(text: str | None, top: bool) -> None:
    said = blocks.put(text, HASH, "words", top=top)
    assert blocks.put(said, HASH, "words", top=top) == said
    assert blocks.put(said, HASH, "other words") == said.replace("words", "other words")
    assert blocks.taken(said, HASH) == text


def test_what_people_wrote_around_it_stays() -> None:
    said = blocks.put("one\n", HASH, "words") + "two\n"
    assert blocks.taken(said, HASH) == "one\ntwo\n"
    assert blocks.taken("zero\n" + blocks.put(None, HASH, "words"), HASH) == "zero\n"
    assert blocks.taken("nothing of ours\n", HASH) == "nothing of ours\n"


def test_half_a_block_is_not_guessed_at() -> None:
    with pytest.raises(blocks.Broken, match="has no # <<< gitqueen <<< behind it"):
        blocks.put("# >>> gitqueen >>>\na = 1\n", HASH, "b = 2")
