"""A name is safe in a git ref, a terminal and a file name, or it is none."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitqueen import errors
from gitqueen.model import names
from gitqueen.model.names import ClaimId, SisterName

WORDS = st.text(st.sampled_from("abZ09._-/ @~^:?*[\\\x00\x1bé"), max_size=70)


@pytest.mark.parametrize("good", ["a", "7", "iza-1", "A.b_c-d", "x" * 64, "lock", "a.locks", "Queen", "a-", "a_"])
def test_what_is_a_name(good: str) -> None:
    assert SisterName.fault(good) is None
    assert SisterName(good) == good


@pytest.mark.parametrize(
    "bad",
    ["", "-a", ".a", "_a", "a..b", "a.", "a.lock", "a b", "a/b", "a\n", "é", "a\x1b[31m", "x" * 65, "queen", "all"],
)
def test_what_is_no_name(bad: str) -> None:
    assert SisterName.fault(bad) is not None
    with pytest.raises(errors.Usage):
        SisterName(bad)


def test_a_claim_s_id_may_be_longer() -> None:
    assert ClaimId.fault("x" * 100) is None
    assert ClaimId.fault("x" * 101) == "a claim id has at most 100 characters, this one 101"


@pytest.mark.parametrize("name", ["a", "A.b_c-d", "a-", "0", "x.y.z", "a.locks"])
def test_git_takes_every_name_as_part_of_a_ref(name: str) -> None:
    assert SisterName.fault(name) is None
    assert subprocess.run(["git", "check-ref-format", f"refs/gitqueen/tasks/{name}"], check=False).returncode == 0


@given(WORDS)
def test_a_name_never_holds_what_git_or_a_terminal_would_choke_on(text: str) -> None:
    if SisterName.fault(text) is None:
        assert text.isascii() and text.isprintable() and "/" not in text and ".." not in text
        assert not text.endswith((".", ".lock")) and not text.startswith((".", "-"))


@given(st.one_of(WORDS, st.text(max_size=100)))
def test_a_slug_is_a_name_or_nothing_and_stays_what_it_is(text: str) -> None:
    made = names.slug(text)
    if made is not None:
        assert SisterName.fault(made) is None
        assert names.slug(made) == made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my app (2)", "my-app-2"),
        ("iza-1", "iza-1"),
        ("..a..b..", "a.b"),
        ("a.lock", "a"),
        ("  ", None),
        ("queen", None),
        ("Größe", "Gr-e"),
        ("feature/x", "feature-x"),
    ],
)
def test_a_slug_keeps_what_it_can(text: str, expected: str | None) -> None:
    assert names.slug(text) == expected


@given(st.sets(st.integers(1, 12)))
def test_the_lowest_free_number_is_taken(used: set[int]) -> None:
    number = int(names.numbered("iza", [f"IZA-{one}" for one in used]).removeprefix("iza-"))
    assert number not in used and all(one in used for one in range(1, number))


def test_a_numbered_name_is_never_too_long() -> None:
    stem = "x" * 64
    taken = [f"{'x' * 56}-{number}" for number in range(1, 120)]
    assert names.numbered(stem, taken, first=2) == f"{'x' * 56}-120"


def test_twins_differ_only_in_case() -> None:
    assert names.twin("Iza", ["zoe", "iza"]) == "iza"
    assert names.twin("iza", ["iza"]) is None
    assert names.is_taken("IZA", ["iza"]) and not names.is_taken("iza-1", ["iza"])


def test_the_nearest_names_are_the_likest_first() -> None:
    assert names.nearest("izab", ["zoe", "iza", "izabel", "isa"]) == ["iza", "izabel"]
    assert names.nearest("IZA", ["iza"]) == ["iza"]
    assert names.nearest("xyz", ["iza"]) == []
