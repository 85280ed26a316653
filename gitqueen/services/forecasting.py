"""Forecasting: whose work will conflict with whose, all pairs of sisters here or of the branches that somebody names.

Each with all that stands uncommitted at this moment; what a pair comes to is `predicting`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from gitqueen import errors
from gitqueen.git import commits, libgit
from gitqueen.model import merges
from gitqueen.model.merges import Merge
from gitqueen.model.sisters import Identity, Sister
from gitqueen.services import glancing, predicting, relating, tending
from gitqueen.services.predicting import Side
from gitqueen.services.queen import Queen


@dataclass(frozen=True, slots=True)
class Party:
    """One who may merge, or be merged: a sister with all that she has, or a revision."""

    name: str
    sister: Sister | None = None
    side: Side | None = None
    why: str = ""
    """Why nothing is known of her work."""

    @property
    def worktree(self) -> str | None:
        return self.sister.worktree if self.sister is not None else None


@dataclass(frozen=True, slots=True)
class Prediction:
    """What becomes of it when `one` merges `other`."""

    one: str
    other: str
    merge: Merge
    left_out: tuple[str, ...] = ()
    """Files of either of which it is not known what stands there."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Each pair once; one that conflicts a second time, the other way round, because that may be another conflict."""

    parties: tuple[Party, ...]
    pairs: tuple[Prediction, ...]

    @property
    def conflicting(self) -> bool:
        return any(pair.merge.verdict == merges.CONFLICT for pair in self.pairs)


def forecast(queen: Queen, me: Identity, words: Sequence[str]) -> Forecast:
    """Merge every pair of the living sisters here, or of those that `words` name: sisters, else revisions; of a single
    one with who stands here. Raises `errors.Usage` for a word that is neither."""
    place = queen.here()
    glancing.ensure(queen)
    kin = relating.kin(queen, place.common_dir)
    near = [one for one in tending.living(queen) if one.common_dir in kin and one.worktree is not None]
    living = {sister.name: sister for sister in sorted(near, key=lambda one: one.name)}
    names = list(dict.fromkeys(words)) or list(living)
    parties = [_sister(queen, living[name]) if name in living else _revision(queen, name) for name in names]
    if len(words) == 1 and place.worktree is not None and me.address not in names:
        mine = living.get(me.address)
        parties.insert(0, _sister(queen, mine) if mine and mine.worktree == place.worktree else _here(queen))
    return Forecast(tuple(parties), tuple(_pairs(queen, parties)))


def _sister(queen: Queen, sister: Sister) -> Party:
    try:
        return Party(sister.name, sister, predicting.of_worktree(queen, sister.worktree or "", fresh=True))
    except errors.GitFailed as fault:
        return Party(sister.name, sister, why=fault.message)


def _here(queen: Queen) -> Party:
    """Who stands here and is no sister."""
    worktree = queen.here().worktree or ""
    return Party(queen.here().branch or "HEAD", None, predicting.of_worktree(queen, worktree, fresh=True))


def _revision(queen: Queen, word: str) -> Party:
    oid = commits.named(queen.here(), word)
    if oid is None:
        raise errors.Usage(
            f"{ascii(word)} is no sister in this repository, and no revision", hint="gitqueen status, git branch --all"
        )
    return Party(word, None, Side(queen.here(), oid, seated=False))


def _pairs(queen: Queen, parties: Sequence[Party]) -> list[Prediction]:
    # Who shares a worktree has the same work: there is nothing to merge.
    apart = [(a, b) for a, b in combinations(parties, 2) if a.worktree is None or a.worktree != b.worktree]
    found = _merged(queen, apart)
    crossed = [pair[::-1] for pair, one in zip(apart, found, strict=True) if one.merge.verdict == merges.CONFLICT]
    swapped = iter(_merged(queen, crossed))
    pairs = list[Prediction]()
    for one in found:
        pairs += [one, next(swapped)] if one.merge.verdict == merges.CONFLICT else [one]
    return pairs


def _merged(queen: Queen, pairs: Sequence[tuple[Party, Party]]) -> list[Prediction]:
    asked = [(a.side, b.side) for a, b in pairs if a.side is not None and b.side is not None]
    answers = iter(predicting.predict(queen, asked, hint=libgit.merge))
    found = list[Prediction]()
    for a, b in pairs:
        if a.side is None or b.side is None:
            found.append(Prediction(a.name, b.name, Merge(merges.UNKNOWN, why=a.why or b.why)))
        else:
            left_out = tuple(sorted({*a.side.left_out, *b.side.left_out}))
            found.append(Prediction(a.name, b.name, next(answers), left_out))
    return found
