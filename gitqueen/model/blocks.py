"""A marked block of ours in somebody else's text file: put in, renewed, and taken out byte for byte.

For files that are no JSON: AGENTS.md, config.toml, .env. How the text ends is remembered in how our block ends, so that
nothing else has to be: a text whose last line is open gets an open block, an empty text too.
"""

from __future__ import annotations

from dataclasses import dataclass


class Broken(ValueError):
    """A block of ours that begins and does not end."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The lines around a block, in the comments of that file."""

    begin: str
    end: str


MARKDOWN = Marks("<!-- gitqueen:begin -->", "<!-- gitqueen:end -->")
HASH = Marks("# >>> gitqueen >>>", "# <<< gitqueen <<<")


def found(text: str, marks: Marks) -> tuple[int, int] | None:
    """Where our block begins and ends in `text`. Raises `Broken`."""
    start = text.find(marks.begin)
    if start < 0:
        return None
    stop = text.find(marks.end, start)
    if stop < 0:
        raise Broken(f"{marks.begin} has no {marks.end} behind it")
    return start, stop + len(marks.end)


def put(text: str | None, marks: Marks, body: str, top: bool = False) -> str:
    """`text` (None: no file) with `body` in our block: where it is, else at the end, or at the `top`."""
    newline = "\r\n" if text and "\r\n" in text else "\n"
    block = newline.join([marks.begin, *body.splitlines(), marks.end])
    if text is None:
        return block + newline
    if (place := found(text, marks)) is not None:
        return text[: place[0]] + block + text[place[1] :]
    if not text:
        return block
    if top:
        return f"{block}{newline}{newline}{text}"
    return f"{text}{newline}{block}{newline}" if text.endswith("\n") else f"{text}{newline}{newline}{block}"


def taken(text: str, marks: Marks) -> str | None:
    """`text` as it was before `put`; None: there was no file."""
    place = found(text, marks)
    if place is None:
        return text
    head, tail = text[: place[0]], text[place[1] :]
    if not head and tail in ("\n", "\r\n"):
        return None
    if not head:  # at the top
        return _less(_less(tail))
    blank = head.endswith(("\n\n", "\n\r\n"))  # the line that we put between
    if not tail:  # the last line was open
        return _shorter(_shorter(head)) if blank else head
    return (_shorter(head) if blank else head) + _less(tail)


def _less(text: str) -> str:
    return text.removeprefix("\r\n") if text.startswith("\r\n") else text.removeprefix("\n")


def _shorter(text: str) -> str:
    return text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")
