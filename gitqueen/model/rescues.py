"""Rescues: snapshots of uncommitted work; what one holds, how long it is kept, and when work counts as lost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

MIB = 1024 * 1024
LARGEST_FILE, LARGEST_ALL = 10 * MIB, 200 * MIB
"""Bytes of one file and of one snapshot (`gitqueen.rescue.maxFileSize`, `gitqueen.rescue.maxTotalSize`)."""

ALL_FOR, HOURLY_FOR, DAILY_FOR = timedelta(days=1), timedelta(days=7), timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Rescue:
    """One snapshot of one worktree."""

    id: str
    """`<worktree>/<time>`: the ref below refs/rescue/."""
    commit: str
    worktree: str
    at: datetime
    reason: str
    sisters: tuple[str, ...] = ()
    branch: str | None = None
    head: str | None = None
    deleted: tuple[str, ...] = ()
    """Paths that HEAD or the index has and the worktree had not."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Path -> why its content is not in the snapshot."""
    modules: Mapping[str, str] = field(default_factory=dict)
    """Submodule -> the commit that it stood at."""
    modes: Mapping[str, int] = field(default_factory=dict)
    """Permission bits of files that have others than 0644 or 0755."""
    owners: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Path -> whose it was then: one name, or all who may be."""
    lines: int = 0
    """In all the files together."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One content in a snapshot."""

    path: str
    part: str
    """worktree or index."""
    oid: str
    """Object in the rescue repository: the hash of the raw bytes."""
    mode: str
    """As git writes it: 100644, 100755, 120000."""


def keeping(rescues: Iterable[Rescue], now: datetime, needed: Collection[str]) -> set[str]:
    """The ids to keep: all of the last day, one an hour for a week, one a day for a month, what is `needed`, and the
    latest of each worktree."""
    kept: set[str] = set()
    slots: set[tuple[str, str]] = set()
    latest: set[str] = set()
    for one in sorted(rescues, key=lambda rescue: rescue.at, reverse=True):
        age = now - one.at
        slot = None
        if HOURLY_FOR >= age > ALL_FOR:
            slot = (one.worktree, f"{one.at:%Y%m%d%H}")
        elif DAILY_FOR >= age > HOURLY_FOR:
            slot = (one.worktree, f"{one.at:%Y%m%d}")
        if one.id in needed or age <= ALL_FOR or one.worktree not in latest or (slot and slot not in slots):
            kept.add(one.id)
        if slot:
            slots.add(slot)
        latest.add(one.worktree)
    return kept


def vanished(before: Iterable[Kept], now: Iterable[Kept], still: Collection[str]) -> list[Kept]:
    """What the snapshot `before` has of paths that carry no uncommitted work any more and whose content the snapshot
    `now` has nowhere; `still`: the paths that do carry some, because an edit makes another content and loses none."""
    there = {one.oid for one in now}
    gone = [one for one in before if one.path not in still and one.oid not in there]
    return sorted({(one.path, one.oid): one for one in gone}.values(), key=lambda one: (one.path, one.part))


def grown(content: bytes, into: bytes) -> bool:
    """Whether `into` is `content` with more in it: every line stands there, as often and in the same order."""
    if b"\0" in content or b"\0" in into:
        return False
    rest = iter(into.splitlines())
    return all(any(line == other for other in rest) for line in content.splitlines())
