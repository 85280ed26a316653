"""Tasks: when do two of them look like the same work.

Judged by what people really repeat: an issue number, or most of the words that carry meaning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise

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
    "a an and are as at at be by can do does everywhere for from get gets has have how i in into is it its keep make "
    "my new no not of off on only onto or our own should so some that the their them then there this to up use using "
    "via we when where which why with without work working works start starting please now task issue ticket pr "
    "across all certain each every its more again too".split()
)


def _stem(word: str) -> str:
    """What write, writes, writing and written off have in common, roughly; so have set up and setup."""
    for ending in ("ing", "ed", "es", "s", "up"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith(("ss", "eed")):
            word = word.removesuffix(ending)
            break
    return word.removesuffix("e")


_DOINGS: dict[str, str] = {
    _stem(word): doing
    for doing, words in {
        "build": "add allow build create define enable expose implement implementation integrate integration introduce "
        "let make missing offer provide set setup support write",
        "change": "bring bump change convert conversion extract migrate migration modernize move port redo refactor "
        "rename replace replacement restructure rework rewrite split swap switch transition turn update upgrade",
        "docs": "describe doc docs document documentation documenting explain guide readme",
        "fix": "avoid broken bug correct debug error fail failing failure fails fix handle handling hunt investigate "
        "prevent problem repair reproduce resolve solve stop stuck wrong",
        "improve": "better enhance improve improvement polish",
        "measure": "benchmark compare measure profile",
        "remove": "clean cleanup dead delete deletion drop eliminate prune purge remove removal strip unused",
        "review": "audit review",
        "speed": "accelerate fast faster optimise optimization optimize performance quicker reduce shrink slow slowly "
        "smaller speed",
        "test": "cover coverage spec test",
    }.items()
    for word in words.split()
}
"""What is done, apart from what it is done to: `fix login` and `document login` are not the same work."""
_STRICT = frozenset(("docs", "measure", "remove", "review", "test"))
_OTHER_WORDS = {
    "2fa": "two-factor", "a11y": "accessibility", "authentication": "auth", "config": "configuration",
    "db": "database", "deps": "dependencies", "dev": "develop", "e2e": "end-to-end", "env": "environment",
    "i18n": "translation", "img": "image", "js": "javascript", "k8s": "kubernetes", "msg": "message",
    "npe": "null-pointer", "perf": "performance", "pg": "postgres", "postgresql": "postgres", "repo": "repository",
    "ts": "typescript",
}  # fmt: skip
_LIKE = 0.65
_FEWEST_COMMON = 2
_FEWEST_WHOLE, _MOST_MORE = 2, 2


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


def alike(
    task: str,
    other: str,
    branch: str | None = None,
    other_branch: str | None = None,
    close: Callable[[str, str], bool] = str.__eq__,
) -> str | None:
    """Why two declared tasks look the same (`both name #42`), or None; `close` says whether two words are one,
    inflected or mistyped."""
    if named := _issues(task, branch) & _issues(other, other_branch):
        return f"both name {min(named)}"
    if branch and branch == other_branch and branch not in MAIN_BRANCHES:
        return f"both on {branch}"
    mine, hers = _words(task), _words(other)
    if mine and {_stem(word) for word in mine} == {_stem(word) for word in hers}:
        return "they say the same"
    if not _same_doing(mine, hers) or not _same_numbers(mine, hers):
        return None
    mine, hers = _joined(mine, hers), _joined(hers, mine)
    both = _doings(mine) & _doings(hers)
    common, shorter, every = _counted(_things(mine), _things(hers), close)
    if common == every and common:
        # Where both say what they do, one thing is enough to know the work by.
        same = common >= _FEWEST_COMMON or bool(both)
    elif both or not _doings(mine) or not _doings(hers):
        whole = common == shorter >= _FEWEST_WHOLE and every - common <= _MOST_MORE
        same = whole or (common >= _FEWEST_COMMON and common / every >= _LIKE)
    else:
        same = False
    return "they say nearly the same" if same else None


def beside_numbers(task: str) -> str:
    """What `task` says beside the numbers of issues; empty where that names no thing."""
    rest = _ISSUE.sub(" ", task)
    return rest if _things(_words(rest)) else ""


def _joined(words: list[str], others: list[str]) -> list[str]:
    """`words` with `file name` as `filename` where the others say so."""
    known = {_stem(word) for word in others}
    pairs = {(one, other): one + other for one, other in pairwise(words) if _stem(one + other) in known}
    apart = {word for pair in pairs for word in pair}
    return [word for word in words if word not in apart] + list(pairs.values())


def _doings(words: Iterable[str]) -> set[str]:
    return {_DOINGS[stem] for word in words if (stem := _stem(word)) in _DOINGS}


def _same_doing(mine: Iterable[str], hers: Iterable[str]) -> bool:
    """Tests of a thing, words about it and its removal are other work than the thing itself."""
    return _doings(mine) & _STRICT == _doings(hers) & _STRICT


def _same_numbers(mine: Iterable[str], hers: Iterable[str]) -> bool:
    """Module 3 is not module 4; but who names no number may mean either."""
    one, other = ({word for word in words if word[0].isdecimal()} for words in (mine, hers))
    return bool(not one or not other or one & other)


def _things(words: Iterable[str]) -> list[str]:
    return [stem for stem in dict.fromkeys(map(_stem, words)) if stem not in _DOINGS]


def _counted(mine: list[str], hers: list[str], close: Callable[[str, str], bool]) -> tuple[int, int, int]:
    """How many of the words are in both, whatever their order; in the shorter one; and in either."""
    left = list(hers)
    for word in mine:
        near = (one for one in left if one[:2] == word[:2] and close(one, word))
        found = word if word in left else next(near, None)
        if found is not None:
            left.remove(found)
    return len(hers) - len(left), min(len(mine), len(hers)), len(mine) + len(left)


def _issues(task: str, branch: str | None) -> set[str]:
    found = {f"#{number}" if number else key.upper() for number, key in _ISSUE.findall(task)}
    return found | {f"#{number}" for number in _BRANCH_ISSUE.findall(branch or "")}


def _words(task: str) -> list[str]:
    words = re.findall(r"[^\W_]+(?:\.\d+)*", task.casefold())  # 1.4.2 is one word
    meant = (_OTHER_WORDS.get(word, word) for word in words if word not in _EMPTY_WORDS)
    return list(dict.fromkeys(part for word in meant for part in word.split("-")))
