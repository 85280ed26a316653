"""Salvaging: what can be brought back, seen from outside: the list, one snapshot, and how it differs from now."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitqueen import errors
from gitqueen.git import rescue
from gitqueen.git.places import Place
from gitqueen.model.rescues import Kept, Rescue
from gitqueen.services import losing, rescuing, restoring
from gitqueen.services.queen import Queen


@dataclass(frozen=True, slots=True)
class Found:
    """A snapshot, what it holds, and which of that is lost work of whom."""

    rescue: Rescue
    kept: tuple[Kept, ...]
    lost: tuple[str, ...]
    size: int | None = None

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(sorted({one.path for one in self.kept} | set(self.rescue.modules)))


def listed(queen: Queen, every: bool = False) -> list[Found]:
    """The snapshots of this worktree (`every`: of all worktrees of this repository), the newest first."""
    place = queen.here()
    found = [one for one in rescue.listed(place) if every or one.worktree == place.worktree]
    return [_found(queen, place, one) for one in found]


def _found(queen: Queen, place: Place, one: Rescue) -> Found:
    lost = {
        path
        for conflict in losing.open_ones(queen)
        if losing.snapshot_of(conflict) == one.id
        for path in conflict.facts
    }
    return Found(one, tuple(rescue.contents(place, one)), tuple(sorted(lost)))


def shown(queen: Queen, identity: str) -> Found:
    """One snapshot; raises `errors.Refused` for none of that id."""
    place = queen.here()
    return _found(queen, place, rescuing.find(place, identity))


def mine(queen: Queen, address: str) -> list[tuple[Rescue, tuple[str, ...]]]:
    """The snapshots that have open lost work of `address` in this repository, each with the paths."""
    place = queen.here()
    found = []
    for conflict in losing.open_ones(queen):
        if conflict.common_dir == place.common_dir and conflict.subject.partition(" ")[0] == address:
            found.append((rescuing.find(place, losing.snapshot_of(conflict)), conflict.facts))
    if not found:
        raise errors.Refused(f"{address} has no open lost work here", hint="gitqueen rescue list")
    return found


def difference(queen: Queen, identity: str, named: Sequence[str]) -> Iterator[str]:
    """A unified diff a path, from what stands now to what the snapshot has: applied, it brings it back."""
    place = queen.here()
    found = rescuing.find(place, identity)
    kept = restoring.chosen(place, found, named)
    for one, raw in zip(kept, rescue.data(place, [one.oid for one in kept]), strict=True):
        now = losing.on_disk(place.worktree or "", one.path)
        if raw is not None and raw != now:
            yield from _unified(one.path, now, raw)


def _unified(path: str, now: bytes | None, then: bytes) -> Iterator[str]:
    before = "/dev/null" if now is None else f"a/{path}"
    yield f"diff --git a/{path} b/{path}"
    if b"\0" in then[:8000] or b"\0" in (now or b"")[:8000]:
        yield f"Binary files {before} and b/{path} differ"
        return
    old = (now or b"").decode("utf-8", "surrogateescape").splitlines()
    new = then.decode("utf-8", "surrogateescape").splitlines()
    yield from difflib.unified_diff(old, new, before, f"b/{path}", lineterm="")
