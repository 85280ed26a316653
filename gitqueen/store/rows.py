"""What every table shares: how texts, paths and times go into a column and come out again."""

from __future__ import annotations

import os
from datetime import datetime

from gitqueen.model import times


def text(value: str | None) -> str | None:
    """`value` as other programs can read it: a byte that is no UTF-8 becomes an escape such as `\\udcff`."""
    if value is None or value.isascii():
        return value
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def as_branch(value: object) -> str | None:
    """A branch that `text` wrote, as git knows it: no branch has a backslash of its own."""
    branch = as_text(value)
    if branch is None or "\\udc" not in branch:
        return branch
    import re  # only where a branch is no UTF-8

    return re.sub(r"\\udc([89a-f][0-9a-f])", lambda found: chr(0xDC00 + int(found[1], 16)), branch)


def key(value: str) -> bytes:
    """An id as somebody typed it: `id IN (CAST(? AS TEXT), ?)` finds those that are no UTF-8, and blobs, too."""
    return value.encode("utf-8", "surrogateescape")


def as_key(value: object) -> str:
    """An id, selected AS BLOB, as somebody may type it."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else ""


def path(value: str | None) -> bytes | None:
    """A path as the bytes the file system knows."""
    return None if value is None else os.fsencode(value)


def as_path(value: object) -> str | None:
    if isinstance(value, bytes):
        return os.fsdecode(value)
    return value if isinstance(value, str) else None


def moment(value: datetime | None) -> str | None:
    return None if value is None else times.iso(value)


def day(value: datetime) -> str:
    """`2026-04-11`: times of other programs come in any ISO form, and the date alone compares in all of them."""
    return value.date().isoformat()


def as_text(value: object) -> str | None:
    """Any program may have put a number or a blob where a text belongs."""
    if value is None or isinstance(value, str):
        return value
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
