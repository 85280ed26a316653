"""What every table shares: how texts, paths and times go into a column and come out again."""

from __future__ import annotations

import os
from datetime import datetime

from gitqueen.model import times


def text(value: str | None) -> str | None:
    """`value` as SQLite stores it: what is no UTF-8 becomes `\\udcff`-like escapes, NUL goes."""
    if value is None or value.isascii():
        return value
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def path(value: str | None) -> bytes | None:
    """A path as the bytes the file system knows."""
    return None if value is None else os.fsencode(value)


def as_path(value: object) -> str | None:
    if isinstance(value, bytes):
        return os.fsdecode(value)
    return value if isinstance(value, str) else None


def moment(value: datetime | None) -> str | None:
    return None if value is None else times.iso(value)


def as_text(value: object) -> str | None:
    """Any program may have put a number or a blob where a text belongs."""
    if value is None or isinstance(value, str):
        return value
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
