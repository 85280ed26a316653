"""Salvaging: what can be brought back, seen from outside: the list, one snapshot, and how it differs from now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gitqueen import errors
from gitqueen.git import config, patching, rescue
from gitqueen.git.patching import Side
from gitqueen.model.rescues import Kept, Rescue
from gitqueen.services import losing, rescuing, restoring
from gitqueen.services.queen import Queen


@dataclass(frozen=True, slots=True)
class Found:
    """A snapshot, and which of it is open lost work. `kept`: what it holds, where that was asked."""

    rescue: Rescue
    lost: tuple[str, ...]
    kept: tuple[Kept, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        gone = self.rescue.deleted
        held = {one.path for one in self.kept} | set(self.rescue.owners) | set(self.rescue.modules)
        return tuple(sorted(held - set(gone) | {one.path for one in self.kept}))


def listed(queen: Queen, every: bool = False) -> list[Found]:
    """The snapshots of this worktree (`every`: of all worktrees of this repository), the newest first."""
    place = queen.here()
    lost = _lost(queen)
    found = [one for one in rescue.listed(place) if every or one.worktree == place.worktree]
    return [Found(one, lost.get(one.id, ())) for one in found]


def _lost(queen: Queen) -> dict[str, tuple[str, ...]]:
    """Snapshot -> the paths of open lost work that it has."""
    found: dict[str, set[str]] = {}
    for conflict in losing.open_ones(queen):
        found.setdefault(losing.snapshot_of(conflict), set()).update(conflict.facts)
    return {identity: tuple(sorted(paths)) for identity, paths in found.items()}


def shown(queen: Queen, identity: str) -> Found:
    """One snapshot; raises `errors.Refused` for none of that id."""
    place = queen.here()
    one = rescuing.find(place, identity)
    return Found(one, _lost(queen).get(one.id, ()), tuple(rescue.contents(place, one.id)))


def mine(queen: Queen, address: str) -> list[tuple[Rescue, tuple[str, ...]]]:
    """The snapshots that have open lost work of `address` in this worktree, each with the paths."""
    place = queen.here()
    found = []
    for conflict in losing.open_ones(queen):
        if conflict.worktree == place.worktree and conflict.subject.partition(" ")[0] == address:
            found.append((rescuing.find(place, losing.snapshot_of(conflict)), conflict.facts))
    if not found:
        raise errors.Refused(f"{address} has no open lost work in this worktree", hint="gitqueen rescue list")
    return found


def taste(queen: Queen) -> config.Taste:
    """How the user likes to read a difference."""
    return config.taste(queen.env)


def difference(queen: Queen, wanted: Iterable[tuple[str, Sequence[str]]], as_data: bool) -> bytes:
    """What bringing back the paths of each snapshot (none: all) would change, as git writes it."""
    place = queen.here()
    now, then = dict[str, Side](), dict[str, Side]()
    for identity, named in wanted:
        kept = restoring.chosen(place, rescuing.find(place, identity), named)
        for one, raw in zip(kept, rescue.data(place, [one.oid for one in kept]), strict=True):
            if raw is None:
                raise errors.Refused(
                    f"{ascii(one.path)}: its object is damaged", hint=f"gitqueen rescue show {identity}"
                )
            then[one.path] = Side(int(one.mode, 8), raw)
            if (side := patching.stands(place.worktree or "", one.path)) is not None:
                now[one.path] = side
    return patching.patch(now, then, None if as_data else place)
