"""Resembling: whether two tasks look like the same work, also where a word is inflected or mistyped.

Apart from `model/tasks`, which has the rules and only the standard library, because near-same words want a library.
"""

from __future__ import annotations

from gitqueen.model import tasks

TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    from gitqueen.model.sisters import Sister
    from gitqueen.services.queen import Queen

_CLOSE = 0.9


def twins(queen: Queen, one: Sister, other: Sister) -> str | None:
    """Why two sisters seem to do the same, or None. The number of an issue and the name of a branch mean something
    only within a project: in another one only the words count."""
    mine, hers = one.task or "", other.task or ""
    why = alike(mine, hers, one.branch, other.branch)
    if why is None or one.common_dir is None or other.common_dir is None:
        return why
    from gitqueen.services import relating  # seldom needed

    if not relating.apart(queen, one.common_dir, other.common_dir):
        return why
    return alike(tasks.beside_numbers(mine), tasks.beside_numbers(hers))


def alike(task: str, other: str, branch: str | None = None, other_branch: str | None = None) -> str | None:
    """Why two declared tasks look the same, or None."""
    return tasks.alike(task, other, branch, other_branch, _close)


def _close(word: str, other: str) -> bool:
    from rapidfuzz.distance import JaroWinkler  # 20 ms, only where words begin alike and are not the same

    return JaroWinkler.similarity(word, other) >= _CLOSE
