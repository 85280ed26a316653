"""Tasks: when do two of them look like the same work.

Judged by what people really repeat: an issue number, or most of the words that carry meaning.
"""

from __future__ import annotations

import re

from gitqueen import errors
from gitqueen.model import messages

LONGEST = 500
"""Characters of one task: it is a headline, not a plan."""

MAIN_BRANCHES = frozenset({"main", "master", "trunk", "develop", "dev", "HEAD"})

_ISSUE = re.compile(
    r"(?:#|\b(?:issue|bug|ticket|gh|pr)[ #/-]*)(\d{1,7})\b|\b([A-Z][A-Z0-9]{1,9}-\d{1,6})\b", re.IGNORECASE
)
_BRANCH_ISSUE = re.compile(r"(?:^|[/_-])(\d{2,7})(?=[/_-]|$)")
_EMPTY_WORDS = frozenset(
    "a an and are as at be by can do does for from get has have how i in into is it its make my new no not of on or "
    "our so some that the their them then there this to up use via we when where which with work working start "
    "starting please now task issue ticket pr".split()
)
_LIKE = 0.65
_FEWEST_COMMON = 2


def checked(text: str) -> str:
    """`text` as a task, on one line; raises `errors.Usage` when nothing of it can be seen, or it is too long."""
    clean = " ".join(messages.storable(text).split())
    if not any(char.isprintable() and char != " " for char in clean):
        raise errors.Usage("the task is empty", hint='iam "what you are doing"')
    if len(clean) > LONGEST:
        raise errors.Usage(
            f"the task has {len(clean)} characters, at most {LONGEST} are kept", hint="say it in one line"
        )
    return clean


def alike(task: str, other: str, branch: str | None = None, other_branch: str | None = None) -> str | None:
    """Why two declared tasks look the same (`both name #42`), or None."""
    if common := _issues(task, branch) & _issues(other, other_branch):
        return f"both name {min(common)}"
    if branch and branch == other_branch and branch not in MAIN_BRANCHES:
        return f"both on {branch}"
    mine, hers = _words(task), _words(other)
    shared = mine & hers
    if mine and mine == hers:
        return "they say the same"
    # Jaccard over meaning words: unlike an edit distance it does not mind their order.
    if len(shared) >= _FEWEST_COMMON and len(shared) / len(mine | hers) >= _LIKE:
        return "they say nearly the same"
    return None


def _issues(task: str, branch: str | None) -> set[str]:
    found = {f"#{number}" if number else key.upper() for number, key in _ISSUE.findall(task)}
    return found | {f"#{number}" for number in _BRANCH_ISSUE.findall(branch or "")}


def _words(task: str) -> frozenset[str]:
    words = re.findall(r"[^\W_]+(?:\.\d+)*", task.casefold())  # 1.4.2 is one word
    return frozenset(_stem(word) for word in words if word not in _EMPTY_WORDS)


def _stem(word: str) -> str:
    """What write, writes, writing and written off have in common, roughly; so have set up and setup."""
    for ending in ("ing", "ed", "es", "s", "up"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith(("ss", "eed")):
            word = word.removesuffix(ending)
            break
    return word.removesuffix("e")
