"""Times of any ISO form come in, one form goes out, and a clock that jumps breaks nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitqueen.model import times

NOON = datetime(2026, 4, 11, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-04-11T12:00:00Z",
        "2026-04-11T12:00:00+00:00",
        "2026-04-11T14:00:00+02:00",
        "2026-04-11T12:00:00",
        "2026-04-11 12:00:00",
        "2026-04-11T12:00:00.000000Z",
        "20260411T120000Z",
        "2026-04-11T12:00",
        " 2026-04-11T12:00:00Z\n",
    ],
)
def test_every_iso_form_is_read(text: str) -> None:
    assert times.parse(text) == NOON


@pytest.mark.parametrize("value", [None, 1712836800, b"2026-04-11T12:00:00Z", "", "noon", "2026-13-01", "9" * 5000])
def test_what_is_no_time_is_unknown(value: object) -> None:
    assert times.parse(value) is None


def test_a_zone_at_the_edge_of_time_is_no_crash() -> None:
    assert times.parse("0001-01-01T00:00:00+14:00") is None


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))])))
def test_what_is_written_is_read_again_to_the_second(moment: datetime) -> None:
    assert times.parse(times.iso(moment)) == moment.replace(microsecond=0).astimezone(UTC)


def test_a_clock_that_jumped_back_makes_things_new() -> None:
    assert times.since(NOON, NOON + timedelta(seconds=90)) == 90
    assert times.since(NOON + timedelta(hours=3), NOON) == 0
    assert times.since(None, NOON) is None
