"""Blobs: what objects hold, many at once and none that is too large."""

from __future__ import annotations

import os
from collections.abc import Iterable

TYPE_CHECKING = False  # importing typing costs a hook 4 ms
if TYPE_CHECKING:
    from gitqueen.git.bases import Git


def read(git: Git, names: Iterable[str], largest: int) -> dict[str, bytes]:
    """Name -> content of those of `names` (ids, `COMMIT:PATH`) that are blobs of at most `largest` bytes."""
    asked = [name for name in dict.fromkeys(names) if "\n" not in name]
    said = git("cat-file", "--batch-check=%(objecttype) %(objectsize)", stdin=_lines(asked)).out.split(b"\n")
    small = [
        name
        for name, facts in zip(asked, said, strict=False)
        if (words := facts.split())[:1] == [b"blob"] and int(words[1]) <= largest
    ]
    out = git("cat-file", "--batch=%(objectsize)", stdin=_lines(small)).out if small else b""
    found, at = dict[str, bytes](), 0
    for name in small:
        end = out.find(b"\n", at)
        size = int(out[at:end]) if end >= 0 else 0
        if end < 0 or len(out) < end + 1 + size:
            break  # git died of one that is damaged
        found[name] = out[end + 1 : end + 1 + size]
        at = end + size + 2
    return found


def _lines(names: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(name) + b"\n" for name in names)
