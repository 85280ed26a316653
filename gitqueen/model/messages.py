"""Mail between sisters: what a message is, and what may be sent to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gitqueen import errors

LONGEST = 64 * 1024
"""Bytes of UTF-8 that one message may have."""

EVERYBODY, NEIGHBOURS = "@all", "@repo"
NORMAL, URGENT = "normal", "urgent"


@dataclass(frozen=True, slots=True)
class Message:
    """One letter. `sender` None: another program wrote none."""

    id: int
    sender: str | None
    to: str
    body: str
    priority: str
    sent_at: datetime | None
    read_at: datetime | None
    acked_at: datetime | None
    reply_to: int | None

    @property
    def urgent(self) -> bool:
        return self.priority == URGENT


def storable(text: str) -> str:
    """`text` with U+FFFD for what SQLite's text cannot hold: NUL, and bytes of argv that are no UTF-8 (surrogates)."""
    if text.isascii() and "\0" not in text:
        return text
    # No regular expression: compiling it costs more than the letter.
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in text
    )


def body(text: str) -> str:
    """`text` as it may be sent; raises `errors.Usage` when it is empty or too long."""
    clean = storable(text)
    if not any(char.isprintable() and char != " " for char in clean):
        raise errors.Usage("the message is empty", hint='queen tell NAME "MESSAGE", or - to read it from stdin')
    if (size := len(clean.encode())) > LONGEST:
        raise errors.Usage(
            f"the message has {size} bytes, at most {LONGEST} are sent", hint="write a file and send its path"
        )
    return clean
