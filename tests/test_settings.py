"""What the environment says, and durations as people write them."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitqueen import errors, settings


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        ("90s", 90),
        ("1.5m", 90),
        ("10m", 600),
        ("2h", 7200),
        ("1d", 86400),
        ("1w", 604800),
        ("1h30m", 5400),
        ("1h30", 3630),
        (" 2h\n", 7200),
        ("3650d", 3650 * 86400),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert settings.duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "h", "2 h", "-1", "-2h", "1e3", "1.2.3s", ".", "2x", "2H", "inf", "nan", "3651d", "9" * 400, "٣", "1m\0"],
)
def test_what_is_no_duration_is_said(text: str) -> None:
    with pytest.raises(errors.Usage) as raised:
        settings.duration(text)
    assert raised.value.message == f"{ascii(text)} is no duration"
    assert raised.value.hint == "write it like 90s, 10m, 2h, 1d or 1h30m"


@given(st.text(alphabet="0123456789.smhdw -e") | st.text())
def test_any_text_is_a_duration_within_ten_years_or_refused(text: str) -> None:
    try:
        seconds = settings.duration(text)
    except errors.Usage:
        return
    assert 0 <= seconds <= 3650 * 86400


@given(st.integers(0, 9), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_parts_add_up(days: int, hours: int, minutes: int, seconds: int) -> None:
    assert settings.duration(f"{days}d{hours}h{minutes}m{seconds}s") == (
        days * 86400 + hours * 3600 + minutes * 60 + seconds
    )


def test_the_environment() -> None:
    env = {"HOME": "/home/iza", "LOGNAME": "iza"}
    assert settings.read(env) == settings.Settings("/home/iza/.claude/queen", None, None, "iza")
    assert settings.read(env).database == "/home/iza/.claude/queen/queen.db"
    told = {**env, "GITQUEEN_HOME": "/q/../r/", "GITQUEEN_NAME": "iza-1", "GITQUEEN_PID": "12", "LOGNAME": ""}
    assert settings.read({**told, "USER": "bo"}) == settings.Settings("/r", "iza-1", "12", "bo")
    # Set to nothing is not set.
    assert settings.read({**env, "GITQUEEN_HOME": "", "GITQUEEN_NAME": "", "GITQUEEN_PID": ""}) == settings.read(env)
    assert settings.read({**env, "GITQUEEN_HOME": "here"}).home == os.path.join(os.getcwd(), "here")


def test_without_home_the_user_database_knows() -> None:
    import pwd

    user = pwd.getpwuid(os.getuid())
    read = settings.read({})
    assert (read.home, read.login) == (os.path.join(user.pw_dir, ".claude", "queen"), user.pw_name)
