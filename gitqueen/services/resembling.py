"""Resembling: whether two tasks look like the same work, also where a word is inflected or mistyped.

Apart from `model/tasks`, which has the rules and only the standard library, because near-same words want a library.
"""

from __future__ import annotations

from gitqueen.model import tasks

_CLOSE = 0.9


def alike(task: str, other: str, branch: str | None = None, other_branch: str | None = None) -> str | None:
    """Why two declared tasks look the same, or None."""
    return tasks.alike(task, other, branch, other_branch, _close)


def _close(word: str, other: str) -> bool:
    from rapidfuzz.distance import JaroWinkler  # 20 ms, only where words begin alike and are not the same

    return JaroWinkler.similarity(word, other) >= _CLOSE
