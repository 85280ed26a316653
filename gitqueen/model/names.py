"""Names of sisters and ids of claims: words that are safe in a git ref, a terminal and a file name.

A `SisterName` or `ClaimId` cannot hold a wrong value. What other programs wrote into the tables is plain `str` and
stays so: it is shown escaped and never becomes one of these.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from gitqueen import errors

TYPE_CHECKING = False  # importing typing costs a hook 4 ms
if TYPE_CHECKING:
    from typing import Self

RESERVED = frozenset({"queen", "gitqueen", "all", "repo"})
QUEEN = "queen"
"""Who signs the queen's own mail."""

# Not by regular expressions: every hook knows names, and would pay for importing `re`.
_WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_INNER = _WORD | set("._-")
_ALLOWED = "letters, digits, '.', '_' and '-', starting with a letter or digit, without '..' or a final '.' or '.lock'"


class _RefWord(str):
    """A `str` that git accepts as one part of a ref name."""

    __slots__ = ()
    _what = "name"
    _longest = 64

    def __new__(cls, text: str) -> Self:
        if fault := cls.fault(text):
            raise errors.Usage(fault)
        return super().__new__(cls, text)

    @classmethod
    def fault(cls, text: str) -> str | None:
        """The sentence that says why `text` is none of these, or None."""
        if text[:1] not in _WORD or not _INNER.issuperset(text) or ".." in text or text.endswith((".", ".lock")):
            return f"{ascii(text)} is no {cls._what}: allowed are {_ALLOWED}"
        if len(text) > cls._longest:
            return f"a {cls._what} has at most {cls._longest} characters, this one {len(text)}"
        if text in RESERVED:
            return f"the {cls._what} {ascii(text)} is reserved ({', '.join(sorted(RESERVED))} are)"
        return None


class SisterName(_RefWord):
    """What a sister is called: at most 64 characters."""

    __slots__ = ()
    _what = "sister's name"
    _longest = 64


class ClaimId(_RefWord):
    """What a claim is called: at most 100 characters."""

    __slots__ = ()
    _what = "claim id"
    _longest = 100


def slug(text: str) -> SisterName | None:
    """`text` made a valid name (`my app (2)` -> `my-app-2`), or None when nothing of it is left."""
    word = dashed(text, "._-")
    while ".." in word:
        word = word.replace("..", ".")
    word = word[:60].removesuffix(".lock").strip("-._")
    return SisterName(word) if word and SisterName.fault(word) is None else None


def dashed(text: str, kept: str) -> str:
    """`text` with one dash for each run of characters that are neither letters and digits of ASCII nor `kept`, and none
    for those at its ends."""
    words = "".join(char if char in _WORD or char in kept else " " for char in text)
    return "-".join(part for part in words.split(" ") if part)


def natural(name: str) -> list[tuple[int, str]]:
    """What to sort names by: iza-2 before iza-10."""
    parts, digits = [""], False
    for char in name:
        # At most nine of them are one number: what somebody wrote may be digits without end.
        if ("0" <= char <= "9") != digits or (digits and len(parts[-1]) == 9):
            digits = "0" <= char <= "9"
            parts.append("")
        parts[-1] += char
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def numbered(stem: str, taken: Collection[str], first: int = 1) -> SisterName:
    """The lowest free `<stem>-<n>`, n from `first`; names differing only in case count as taken."""
    folded = {name.casefold() for name in taken}
    number = first
    while f"{stem[:56]}-{number}".casefold() in folded:
        number += 1
    return SisterName(f"{stem[:56]}-{number}")


def is_taken(name: str, living: Iterable[str]) -> bool:
    """Whether a living name is `name`, or differs from it only in case."""
    return name.casefold() in {other.casefold() for other in living}


def twin(name: str, living: Iterable[str]) -> str | None:
    """The living name that differs from `name` only in case."""
    return next((other for other in living if other != name and other.casefold() == name.casefold()), None)


def nearest(wrong: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Up to `most` of the `known` names that `wrong` may have meant, the likest first, and none far less like."""
    import difflib  # only when a name was wrong

    by_fold = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(wrong.casefold(), by_fold, most, 0.5)
    likeness = {fold: difflib.SequenceMatcher(None, fold, wrong.casefold()).ratio() for fold in near}
    return [by_fold[fold] for fold in near if likeness[fold] >= 0.75 * likeness[near[0]]]
