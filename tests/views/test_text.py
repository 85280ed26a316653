"""What a terminal may see: nothing that it would obey, nothing longer than it is wide."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitqueen.views import text
from gitqueen.views.text import Palette

ANYTHING = st.text(st.characters(), max_size=60)
"""Every code point, lone surrogates too: such are bytes of a file name that is no UTF-8."""


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines\tand\r", r"two\nlines\tand\r"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x00\x07\x7f\x9b", r"\x00\x07\x7f\x9b"),
        ("abc\u202edcb\u2069", r"abc\u202edcb\u2069"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("\udcff.txt", r"\xff.txt"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("修正 → 👩\u200d💻 ❤\ufe0f é", "修正 → 👩\u200d💻 ❤\ufe0f é"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_as_an_escape(raw: str, shown: str) -> None:
    assert text.clean(raw) == shown


@given(ANYTHING)
def test_clean_text_is_one_line_of_characters_that_are_seen(raw: str) -> None:
    shown = text.clean(raw)
    assert {unicodedata.category(char) for char in shown} & {"Cc", "Cs", "Co", "Zl", "Zp"} == set()
    assert [char for char in shown if unicodedata.category(char) == "Cf" and char != "\u200d"] == []
    assert text.clean(shown) == shown
    shown.encode()  # it can be written


@given(ANYTHING, st.integers(2, 30))
def test_cut_text_fits(raw: str, most: int) -> None:
    shown = text.cut(raw, most)
    assert text.width(shown) <= most
    assert shown == text.clean(raw) or shown.endswith("…")
    assert text.width(text.cut_front(text.clean(raw), most)) <= most


def test_cut_says_where_something_is_missing() -> None:
    assert [text.cut("abcdef", most) for most in (3, 5, 6, 7)] == ["ab…", "abcd…", "abcdef", "abcdef"]
    assert [text.cut("修正する", most) for most in (4, 5, 8)] == ["修…", "修正…", "修正する"]
    assert [text.cut_front("~/code/app", most) for most in (5, 10)] == ["…/app", "~/code/app"]


def test_wide_characters_take_two_columns() -> None:
    assert [text.width(word) for word in ("abc", "修正", "📌", "é", "")] == [3, 4, 2, 1, 0]
    assert text.pad("修正", 6) + "|" == "修正  |"


def test_home_is_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/iza")
    paths = ["/home/iza/code", "/home/iza", "/home/izabael/x", "/srv/a\x1bb", None]
    assert [text.folder(path) for path in paths] == ["~/code", "~", "/home/izabael/x", r"/srv/a\x1bb", ""]


@pytest.mark.parametrize(
    ("seconds", "said"), [(-5, "now"), (0, "now"), (59, "now"), (60, "1 min"), (7199, "1 h"), (86400, "1 d")]
)
def test_moments_as_people_say_them(seconds: int, said: str) -> None:
    now = datetime(2026, 4, 11, 5, 29, tzinfo=UTC)
    assert text.ago(now - timedelta(seconds=seconds), now) == said
    assert text.ago(None, now) == ""


def test_without_colours_nothing_is_painted() -> None:
    assert Palette(False).danger("no") == "no"
    assert Palette(True).danger("no") == "\x1b[31;1mno\x1b[0m"
    assert Palette(True).danger("") == ""


def test_room_is_what_the_terminal_leaves() -> None:
    assert Palette(False).room(100, 10) == 100
    assert [Palette(False, columns).room(100, 10) for columns in (200, 80, 5)] == [100, 70, 8]
