"""Words as a terminal may see them: escaped, coloured, cut, aligned; and moments as people say them.

Everything that peers, repositories or other programs wrote passes `clean` before it is shown.
"""

from __future__ import annotations

import os
from datetime import datetime

from gitqueen.model import times

_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
"""Controls, formats (bidi overrides, zero width), surrogates, private use, line separators."""
_JOINER = "\N{ZERO WIDTH JOINER}\N{VARIATION SELECTOR-16}"


def clean(text: object) -> str:
    """`text` on one line, with every character that a terminal would obey rather than show written as an escape."""
    line = str(text)
    if line.isascii() and line.isprintable():
        return line
    return "".join(_shown(char) for char in line)


def _shown(char: str) -> str:
    import unicodedata  # only where it is not ASCII

    if char in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[char]
    if char in _JOINER or unicodedata.category(char) not in _UNSEEN:
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def lines(text: str) -> list[str]:
    """A letter's body, line by line, each cleaned."""
    return [clean(line.replace("\t", "    ")) for line in text.replace("\r\n", "\n").split("\n")]


def cut(text: str, most: int) -> str:
    """`text` cleaned, in at most `most` columns."""
    head = text[: most + 1]
    shown = clean(head)
    if len(head) == len(text) and width(shown) <= most:
        return shown
    while width(shown) >= most:
        shown = shown[: min(len(shown), most) - 1]
    return shown + "…"


def cut_front(text: str, most: int) -> str:
    """Cleaned `text` in at most `most` columns; for paths, whose end says more."""
    if width(text) <= most:
        return text
    while width(text) >= most:
        text = text[1:]
    return "…" + text


def width(text: str) -> int:
    """Columns that `text` takes on a terminal."""
    if text.isascii():
        return len(text)
    try:
        import wcwidth  # only where it is not ASCII
    except ImportError:  # git's hooks run without site-packages
        from unicodedata import east_asian_width

        return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)
    return max(0, wcwidth.wcswidth(text))


def pad(text: str, columns: int) -> str:
    return text + " " * max(0, columns - width(text))


def folder(path: str | None) -> str:
    """A path as people write it: `~` for home."""
    if path is None:
        return ""
    home = os.environ.get("HOME", "").rstrip("/")
    short = "~" + path[len(home) :] if home and (path + "/").startswith(home + "/") else path
    return clean(short)


def homely(words: str) -> str:
    """`words` with `~` for home where a path begins: behind a quote no shell would read it as that."""
    home = os.environ.get("HOME", "").rstrip("/")
    return f" {words}".replace(f" {home}/", " ~/")[1:] if home else words


def held(moment: datetime | None, now: datetime) -> str:
    """How long something has been so: `for 12 min`, `just now`; empty when unknown."""
    since = ago(moment, now)
    return f"for {since}" if since not in ("", "now") else since and "just now"


def ago(moment: datetime | None, now: datetime) -> str:
    """`12 min`, `3 h`, `2 d`, `now`; empty when unknown."""
    seconds = times.since(moment, now)
    if seconds is None:
        return ""
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {word}"
    return "now"


class Palette:
    """Colours, or none. The field's own sixteen: they follow the user's theme. And how wide the terminal is."""

    __slots__ = ("columns", "on")

    def __init__(self, on: bool, columns: int | None = None) -> None:
        self.on, self.columns = on, columns

    def room(self, most: int, beside: int = 0) -> int:
        """Columns for a text that takes `most` at best and stands beside `beside` others."""
        return most if self.columns is None else max(8, min(most, self.columns - beside))

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.on and text else text

    def bold(self, text: str) -> str:
        return self._in("1", text)

    def dim(self, text: str) -> str:
        return self._in("2", text)

    def good(self, text: str) -> str:
        return self._in("32", text)

    def warning(self, text: str) -> str:
        return self._in("33", text)

    def danger(self, text: str) -> str:
        return self._in("31;1", text)

    def removed(self, text: str) -> str:
        return self._in("31", text)

    def name(self, text: str) -> str:
        return self._in("36", text)

    def purple(self, text: str) -> str:
        return self._in("35;1", text)

    def severity(self, severity: str | None, text: str) -> str:
        return {"danger": self.danger, "warning": self.warning}.get(severity or "", self.dim)(text)
