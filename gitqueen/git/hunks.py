"""Hunks: where in either side's own file the lines are that git put between conflict markers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gitqueen.model.merges import Lines

MOST = 20_000
"""Lines, of both files together, of which more are not compared: it would take seconds."""


@dataclass(slots=True)
class Marked:
    """The lines between the markers of one merged file, and what it is called on either side where that differs."""

    ours: list[bytes] = field(default_factory=list)
    """All lines, with every conflict decided for our side; `theirs` likewise."""
    theirs: list[bytes] = field(default_factory=list)
    chunks: list[tuple[int, int, int, int]] = field(default_factory=list)
    """First and end in `ours`, first and end in `theirs`, counted from 0."""
    names: tuple[str, ...] = ()


def regions(
    merged: bytes, ours: bytes, theirs: bytes, labels: tuple[str, str]
) -> tuple[tuple[Lines, ...], tuple[str, ...]]:
    """The lines in conflict, and other names of the file. `labels`: what stands behind the markers (commit ids)."""
    marked = _read(merged, _split(ours), _split(theirs), labels)
    at_ours, at_theirs = _follow(marked.ours, _split(ours)), _follow(marked.theirs, _split(theirs))
    if at_ours is None or at_theirs is None:
        return (), marked.names
    found = tuple(Lines(_range(at_ours, a, b), _range(at_theirs, c, d)) for a, b, c, d in marked.chunks)
    return found, marked.names


def _split(text: bytes) -> list[bytes]:
    return [line.rstrip(b"\r") for line in text.removesuffix(b"\n").split(b"\n")] if text else []


def _range(at: Callable[[int], int], first: int, end: int) -> tuple[int, int]:
    start = at(first)
    return (start + 1, at(end - 1) + 1) if end > first else (start + 1, start)


def _read(merged: bytes, ours: Sequence[bytes], theirs: Sequence[bytes], labels: tuple[str, str]) -> Marked:
    begin, end = (
        re.compile(rb"(%s{7,}) %s(?::(.*))?" % (sign, re.escape(label.encode())))
        for sign, label in zip((b"<", b">"), labels, strict=True)
    )
    marked, lines, place = Marked(), _split(merged), 0
    names = list[bytes]()
    while place < len(lines):
        head = begin.fullmatch(lines[place])
        stop = next((at for at in range(place + 1, len(lines)) if end.fullmatch(lines[at])), None) if head else None
        if head is None or stop is None:
            marked.ours.append(lines[place])
            marked.theirs.append(lines[place])
            place += 1
            continue
        tail = end.fullmatch(lines[stop])
        names += [name for match in (head, tail) if match and (name := match[2])]
        mine, hers = _halves(lines[place + 1 : stop], len(head[1]), ours, theirs)
        a, c = len(marked.ours), len(marked.theirs)
        marked.ours += mine
        marked.theirs += hers
        marked.chunks.append((a, len(marked.ours), c, len(marked.theirs)))
        place = stop + 1
    import os

    marked.names = tuple(dict.fromkeys(os.fsdecode(name) for name in names))
    return marked


def _halves(
    between: Sequence[bytes], size: int, ours: Sequence[bytes], theirs: Sequence[bytes]
) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """What stands on either side of the middle marker: a heading underlined with `=======` looks like one."""
    base = b"|" * size
    middles = [at for at, line in enumerate(between) if line == b"=" * size]
    for at in middles:
        mine, hers = between[:at], between[at + 1 :]
        cut = next(
            (place for place, line in enumerate(mine) if line[:size] == base and line[size : size + 1] in (b"", b" ")),
            None,
        )
        mine = mine[:cut] if cut is not None else mine
        if len(middles) == 1 or (_within(mine, ours) and _within(hers, theirs)):
            return mine, hers
    return between[: middles[0]] if middles else between, between[middles[0] + 1 :] if middles else ()


def _within(part: Sequence[bytes], whole: Sequence[bytes]) -> bool:
    return b"\n%s\n" % b"\n".join(part) in b"\n%s\n" % b"\n".join(whole) if part else True


def _follow(text: list[bytes], file: list[bytes]) -> Callable[[int], int] | None:
    """Where a line of `text` (merged, decided for one side) is in that side's `file`: the two differ only by what the
    other side changed elsewhere."""
    head = 0
    while head < min(len(text), len(file)) and text[head] == file[head]:
        head += 1
    tail = 0
    while tail < min(len(text), len(file)) - head and text[-1 - tail] == file[-1 - tail]:
        tail += 1
    middle_text, middle_file = text[head : len(text) - tail], file[head : len(file) - tail]
    if len(middle_text) + len(middle_file) > MOST:
        return None
    from difflib import SequenceMatcher  # only where something is in conflict

    blocks = SequenceMatcher(None, middle_text, middle_file, autojunk=False).get_opcodes() if middle_text else []

    def at(line: int) -> int:
        if line < head:
            return line
        if line >= len(text) - tail:
            return line - len(text) + len(file)
        for _, a, b, c, d in blocks:
            if a <= line - head < b:
                return head + min(c + line - head - a, max(c, d - 1))
        return head + len(middle_file)

    return at
