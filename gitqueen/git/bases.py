"""Merge bases of many pairs of commits at once: two git processes for all of them, where git needs one a pair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gitqueen import errors
from gitqueen.git.process import Result

TYPE_CHECKING = False  # importing typing costs a hook 4 ms
if TYPE_CHECKING:
    from typing import Protocol

    class Git(Protocol):
        """Runs git in the repository in question."""

        def __call__(self, *args: str, stdin: bytes | None = None, check: bool = True) -> Result: ...


MOST = 200_000
"""Commits that are not in all of the histories, beyond which git is asked pair by pair."""

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Bases:
    """What a number of pairs have in common."""

    of: Mapping[Pair, tuple[str, ...]]
    """Pair -> its merge bases: none for histories that have nothing in common, several for crossing merges."""
    trees: Mapping[str, str]
    """Commit -> tree, of both sides and of bases; one that is missing here is not known."""
    missing: frozenset[str] = frozenset()
    """Those of the commits asked about that are not to be had."""


def find(git: Git, pairs: Iterable[Pair]) -> Bases:
    """The merge bases of `pairs` of commit ids."""
    wanted = list(dict.fromkeys(pairs))
    missing = frozenset[str]()
    try:
        history = _history(git, sorted({oid for pair in wanted for oid in pair}))
    except errors.GitFailed:
        missing = _missing(git, {oid for pair in wanted for oid in pair})
        if not missing:
            raise
        wanted = [pair for pair in wanted if not missing.intersection(pair)]
        history = _history(git, sorted({oid for pair in wanted for oid in pair})) if wanted else _History()
    if history is None:
        return _one_by_one(git, wanted, missing)
    return Bases(history.bases(wanted), history.trees, missing)


def _missing(git: Git, oids: Iterable[str]) -> frozenset[str]:
    asked = git(
        "cat-file", "--batch-check=%(objecttype)", stdin="".join(f"{oid}^{{commit}}\n" for oid in sorted(oids)).encode()
    )
    answers = zip(sorted(oids), asked.out.decode("utf-8", "replace").splitlines(), strict=False)
    return frozenset(oid for oid, said in answers if said != "commit")


@dataclass(slots=True)
class _History:
    """The commits that some of the tips have and others have not, and where these meet what all of them have."""

    tips: Sequence[str] = ()
    parents: dict[str, list[str]] = field(default_factory=dict)
    """Commit -> parents, children before their parents."""
    shared: frozenset[str] = frozenset()
    """The latest commits that all of the tips have."""
    trees: dict[str, str] = field(default_factory=dict)

    def bases(self, pairs: Sequence[Pair]) -> dict[Pair, tuple[str, ...]]:
        """A commit is a merge base of two tips when both reach it and none of its children is reached by both."""
        number = {tip: place for place, tip in enumerate(self.tips)}
        reached = {tip: 1 << place for tip, place in number.items()}
        children: dict[str, list[int]] = {}
        found: dict[int, list[tuple[str, int]]] = {}  # tip -> (base, the tips with which it has that base)
        for commit, parents in self.parents.items():
            mask = reached.get(commit, 0)
            if commit not in self.shared:
                for parent in parents:
                    reached[parent] = reached.get(parent, 0) | mask
            _note(found, commit, mask, children.pop(commit, []))
            for parent in parents:
                children.setdefault(parent, []).append(mask)
        every = (1 << len(self.tips)) - 1
        for commit in self.shared:
            _note(found, commit, every, children.pop(commit, []))
        return {
            (one, other): tuple(sorted(base for base, mask in found.get(number[one], ()) if mask >> number[other] & 1))
            if one != other
            else (one,)
            for one, other in pairs
        }


def _note(found: dict[int, list[tuple[str, int]]], commit: str, mask: int, children: Sequence[int]) -> None:
    """For which pairs of the tips in `mask` this is a base, when each child is reached by the tips in its mask."""
    if mask & (mask - 1) == 0 or mask in children:
        return
    left = mask
    while left:
        one = left.bit_length() - 1
        left ^= 1 << one
        with_whom = mask
        for child in children:
            if child >> one & 1:
                with_whom &= ~child
        if with_whom := with_whom & ~(1 << one):
            found.setdefault(one, []).append((commit, with_whom))


def _history(git: Git, tips: Sequence[str]) -> _History | None:
    """None where it is too long to be read."""
    asked = git("merge-base", "--octopus", "--all", *tips, check=False) if len(tips) > 1 else None
    if asked is not None and asked.code > 1:
        raise errors.GitFailed(f"git merge-base failed: {asked.err}", stderr=asked.err)
    shared = asked.out.decode("ascii").split() if asked is not None else list(tips)
    args = ("--topo-order", "--boundary", "--format=%T %P", f"--max-count={MOST + 1}")
    said = git("rev-list", *args, *tips, "--not", *shared, "--").out.decode("ascii", "replace")
    history = _History(tips, shared=frozenset(shared))
    lines = iter(said.splitlines())
    for head, line in zip(lines, lines, strict=False):
        oid, words = head.removeprefix("commit "), line.split()
        if not words:
            continue
        history.trees[oid.lstrip("-")] = words[0]
        if not oid.startswith("-"):
            history.parents[oid] = words[1:]
    return history if len(history.parents) <= MOST else None


def _one_by_one(git: Git, pairs: Iterable[Pair], missing: frozenset[str]) -> Bases:
    found = {pair: tuple(git("merge-base", "--all", *pair, check=False).out.decode("ascii").split()) for pair in pairs}
    oids = {oid for pair, bases in found.items() for oid in (*pair, *bases)}
    said = git(
        "rev-list",
        "--no-walk=unsorted",
        "--format=%T",
        "--stdin",
        stdin="".join(f"{oid}\n" for oid in sorted(oids)).encode(),
    ).out
    lines = iter(said.decode("ascii").splitlines())
    return Bases(found, {head.removeprefix("commit "): tree for head, tree in zip(lines, lines, strict=False)}, missing)
