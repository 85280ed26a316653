"""Weighing: does a collision of paths hurt? What git would make of both changes says it: danger, or an info.

In the path of commits that meet somebody, and of nobody else's. Merging is `predicting`.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gitqueen import errors
from gitqueen.git import staging, states
from gitqueen.model import conflicts, merges
from gitqueen.model.conflicts import Collision, Conflict, Finding
from gitqueen.model.merges import Clash, Merge
from gitqueen.model.sisters import Sister
from gitqueen.services import colliding, predicting
from gitqueen.services.colliding import COMMITTED, UNCOMMITTED
from gitqueen.services.predicting import Side
from gitqueen.services.queen import Queen

PATIENCE = 60.0
"""Seconds that git may take where nobody waits, or somebody asked for it."""
_LEFT_OUT = "what stands there was not looked at: it is large, unreadable or not merged yet"


def staged(
    queen: Queen,
    found: Sequence[Collision],
    others: Sequence[Sister],
    paths: Collection[str],
    near: Collection[str],
) -> list[Collision]:
    """What was found against the commit that is being made, weighed; and what only a merge finds: files that were
    moved, and folders in the way. `paths`: what it changes; `near`: worktrees to be merged for that (`meeting`)."""
    place = queen.here()

    def mine() -> Side:
        state = states.staged(place, queen.env)
        return Side(place, state.commit, state.head, state.left_out)

    left, _ = signal.getitimer(signal.ITIMER_REAL)
    # A hook has an alarm, after which it says nothing at all: what is not known well before is unknown.
    return _weigh(queen, mine, found, others, near, paths, left * 0.7 or PATIENCE, keep=not left)


def committed(queen: Queen, oid: str, found: Sequence[Collision], others: Sequence[Sister]) -> list[Collision]:
    """What was found against the commit `oid` that was made here, weighed."""
    return _weigh(queen, lambda: Side(queen.here(), oid), found, others)


def standing(queen: Queen, found: Sequence[Collision], others: Sequence[Sister]) -> list[Collision]:
    """What was found against paths of this worktree, weighed where something of its own stands there; with the rest
    there is nothing to merge yet."""
    worktree = queen.here().worktree or ""
    asked = {one.path for one in found if _weighable(one)}
    changed = staging.uncommitted(worktree, asked)
    return _weigh(queen, lambda: predicting.of_worktree(queen, worktree, fresh=True), found, others, changed=changed)


def again(
    queen: Queen,
    book: Iterable[Conflict],
    living: Sequence[Sister],
    answering: Collection[str],
    seen: Mapping[str, Collection[str]],
) -> dict[str, Finding]:
    """Conflict -> what it comes to now, of those about files that git may merge; where something has changed since.
    `answering`: worktrees that can be looked into without hanging; `seen`: what a scan has just seen changed there."""
    there = {sister.name: sister for sister in living}
    asked: dict[str, tuple[Conflict, Sister, Sister]] = {}
    for conflict in book:
        verdict, _, named = conflict.subject.partition(" ")
        if (
            conflict.type != conflicts.FILE_COLLISION
            or verdict not in colliding.WEIGHABLE
            or len(conflict.sisters) != 2
            or not conflict.facts
        ):
            continue
        last = named or conflict.sisters[1]
        both = [there[name] for name in conflict.sisters if name in there]
        both.sort(key=lambda sister: sister.name == last)
        worktrees = {one.worktree for one in both}
        if len(both) == 2 and len(worktrees) == 2 and worktrees <= set(answering):
            asked[conflict.id] = (conflict, both[0], both[1])
    wanted = dict.fromkeys(one.worktree or "" for _, *both in asked.values() for one in both)
    sides = _sides(queen, dict.fromkeys(wanted, ()), time.monotonic() + predicting.SHORT, seen)
    pairs = {
        key: (mine, theirs)
        for key, (_, one, her) in asked.items()
        if isinstance(mine := sides[one.worktree or ""], Side) and isinstance(theirs := sides[her.worktree or ""], Side)
    }
    merged = dict(zip(pairs, predicting.predict(queen, list(pairs.values()), predicting.SHORT), strict=True))
    found = dict[str, Finding]()
    for key, merge in merged.items():
        conflict, me, other = asked[key]
        alike = [_collision(path, other, conflict.subject.partition(" ")[0]) for path in conflict.facts]
        weighed = [_seen(one, *pairs[key], merge, None) for one in alike]
        (finding,) = colliding.findings(queen.at(pairs[key][0].place), me.name, weighed)
        told = all(one.words in (conflict.detail or "") for one in weighed)
        if merge.verdict != merges.UNKNOWN and (finding.severity != conflict.severity or not told):
            found[key] = replace(finding, facts=conflict.facts)
    return found


def _collision(path: str, sister: Sister, verdict: str) -> Collision:
    """As it is found without knowing in which commit."""
    hers = f"{sister.name}'s uncommitted work" if verdict == UNCOMMITTED else f"what {sister.name} has committed"
    return Collision(path, sister.name, verdict, conflicts.WARNING, hers, hers=hers, where=colliding.at(sister))


def _weighable(one: Collision) -> bool:
    return one.verdict in colliding.WEIGHABLE


def _weigh(
    queen: Queen,
    mine: Callable[[], Side],
    found: Sequence[Collision],
    others: Sequence[Sister],
    near: Collection[str] = (),
    paths: Collection[str] = (),
    patience: float = PATIENCE,
    keep: bool = True,
    changed: Collection[str] | None = None,
) -> list[Collision]:
    """`near`: worktrees with which a merge is to be tried though no path is changed on both sides; of what it finds,
    what concerns `paths`. `changed`: the paths that have something of ours, where not all of them have."""
    where = {sister.name: sister.worktree or "" for sister in others}
    suspects: dict[str, set[str]] = {worktree: set() for worktree in near}
    for one in found:
        if _weighable(one) and where.get(one.sister):
            there = suspects.setdefault(where[one.sister], set())
            there |= {one.path} if one.verdict == UNCOMMITTED else set()
    if not suspects:
        return list(found)
    until = time.monotonic() + patience
    sides = _sides(queen, suspects, until)
    try:
        ours = mine()
    except errors.GitFailed as fault:
        return [_unknown(one, fault.message) if _weighable(one) else one for one in found]
    known = {worktree: side for worktree, side in sides.items() if isinstance(side, Side)}
    said = predicting.predict(queen, [(ours, side) for side in known.values()], _left(until), keep)
    merged = dict(zip(known, said, strict=True))
    weighed = list[Collision]()
    for one in found:
        side = sides.get(where.get(one.sister, ""))
        if not _weighable(one) or side is None:
            weighed.append(one)
        elif isinstance(side, str):
            weighed.append(_unknown(one, side))
        else:
            weighed.append(_seen(one, ours, side, merged[where[one.sister]], changed))
    merger = _Merger(queen, ours, known, until, keep)
    return weighed + _only_merged(merger, others, merged, weighed, paths)


def _sides(
    queen: Queen,
    worktrees: Mapping[str, Collection[str]],
    until: float,
    seen: Mapping[str, Collection[str]] | None = None,
) -> dict[str, Side | str]:
    """Worktree -> what stands in it, or why that cannot be told."""
    found: dict[str, Side | str] = {}
    for worktree, suspects in worktrees.items():
        try:
            of = (seen or {}).get(worktree)
            found[worktree] = predicting.of_worktree(queen, worktree, suspects, _left(until), seen=of)
        except errors.GitFailed as fault:
            found[worktree] = fault.message
    return found


def _left(until: float) -> float:
    return max(0.05, until - time.monotonic())


def _seen(one: Collision, ours: Side, theirs: Side, merge: Merge, changed: Collection[str] | None) -> Collision:
    if one.path in ours.left_out or one.path in theirs.left_out:
        return _unknown(one, _LEFT_OUT)
    return _weighed(one, merge, changed)


def _unknown(one: Collision, why: str) -> Collision:
    return replace(one, merge=merges.UNKNOWN, words=why, detail=f"{one.detail}; whether it merges is unknown: {why}")


def _weighed(one: Collision, merge: Merge, changed: Collection[str] | None) -> Collision:
    at = f", {one.where}" if one.where else ""
    if merge.verdict == merges.UNKNOWN:
        return _unknown(one, merge.why)
    if (clash := merge.at(one.path)) is not None:
        detail = f"conflicts with {one.hers} {_how(clash)}{at}"
        return replace(one, severity=conflicts.DANGER, merge=clash.verdict, words=clash.words, detail=detail)
    if changed is not None and one.path not in changed and one.path not in merge.merged:
        return one  # nothing of ours is in it yet: whoever begins now should know
    return replace(one, severity=conflicts.INFO, merge=merges.CLEAN, detail=f"merges cleanly with {one.hers}{at}")


def _how(clash: Clash) -> str:
    return f"in {clash.words}" if clash.lines else f"({clash.words})"


@dataclass(slots=True)
class _Merger:
    """What to ask once more with, where a merge found what paths do not tell."""

    queen: Queen
    ours: Side
    sides: Mapping[str, Side]
    until: float
    keep: bool

    def committed(self, worktree: str) -> Merge:
        """What becomes of merging only what is committed there."""
        side = self.sides[worktree]
        head = replace(side, commit=side.head or side.commit, seated=False)
        return predicting.predict(self.queen, [(self.ours, head)], _left(self.until), self.keep)[0]


def _only_merged(
    merger: _Merger,
    others: Sequence[Sister],
    merged: Mapping[str, Merge],
    found: Iterable[Collision],
    paths: Collection[str],
) -> list[Collision]:
    """Conflicts that concern `paths` and were not found by them: a folder or file that somebody moved."""
    known = {(one.sister, one.path) for one in found if _weighable(one)}
    more = list[Collision]()
    for sister in others:
        worktree = sister.worktree or ""
        clashes = merged[worktree].clashes if worktree in merged else ()
        new = [clash for clash in clashes if not any((sister.name, name) in known for name in clash.names)]
        concerned = [(name, clash) for clash in new for name in clash.names if name in paths]
        if not concerned:
            continue
        committed = merger.committed(worktree)
        for name, clash in concerned:
            verdict = COMMITTED if committed.at(clash.path) is not None else UNCOMMITTED
            more.append(_weighed(_collision(name, sister, verdict), merged[worktree], None))
    return more
