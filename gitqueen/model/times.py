"""Moments as every program writes them: ISO 8601 in, UTC out.

Other programs write times of any ISO form into the queen's tables, so reading is tolerant and writing is not.
"""

from __future__ import annotations

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """`2026-04-11T05:29:02Z`: UTC, to the second, the form the original queen wrote."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(text: object) -> datetime | None:
    """An aware UTC moment of any ISO 8601 text (no zone means UTC), or None for what is no time."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def since(moment: datetime | None, now: datetime) -> float | None:
    """Seconds from `moment` to `now`, never negative: a clock that jumped back makes things new, not impossible."""
    return None if moment is None else max(0.0, (now - moment).total_seconds())
