"""Draining: what hooks spooled becomes history, each record once.

By a detached process that the hook started, by any scan, by the daemon: whoever comes first. A record leaves the spool
when it is in the book; what cannot be understood leaves it too, and is told in the log.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from gitqueen import crashes, errors, settings
from gitqueen.git import commits, probes
from gitqueen.git.places import Place
from gitqueen.model.sisters import Sister
from gitqueen.services import noting, queen, recording
from gitqueen.services.queen import Queen
from gitqueen.store import database, repos, spool
from gitqueen.store import sisters as sisters_table
from gitqueen.store.spool import Record

PATIENCE = 10.0
"""Seconds that a detached drain waits for another one, which may have had its last look already."""
LINGER = 0.4
"""Seconds that a detached drain waits for more, so that a rebase of a hundred commits starts one and not a hundred."""
GLANCE = 0.2
"""Seconds between two looks of it: what is recorded shows within a second, and the next commit has the machine."""
SETTLE = 10.0
"""Seconds that who must know all of it waits for another who drains."""
FLUSH = 2.0
"""Seconds that it waits at the end for others who write notes."""


def detached(env: Mapping[str, str], clock: Callable[[], datetime]) -> None:
    """What a hook started and nobody waits for. A queen that cannot be opened is no reason to let the spool grow."""
    read = settings.read(env)
    try:
        if os.path.exists(read.database):  # a drain makes no hive
            drain(queen.open(env, clock, "/"), PATIENCE, LINGER)
    finally:
        spool.bound(read.home)


def drain(queen: Queen, patience: float = 0.0, linger: float = 0.0) -> int:
    """Take in all that waits; how many records there were. Waits `patience` seconds for another who is at it."""
    home = queen.settings.home
    spool.prepare(home)
    if not linger and not spool.waiting(home):
        noting.flush(queen)
        return 0
    with spool.drained_by_us(home, patience) as mine:
        if not mine:
            return 0
        count = 0
        try:
            while True:
                spool.say_draining(home, True)
                count += _rounds(queen, linger)
                # Gone before the last look: a hook that still saw it is seen by that look.
                spool.say_draining(home, False)
                more = _round(queen)
                noting.flush(queen, FLUSH if linger else GLANCE)
                if not more:
                    return count
                count += more
        finally:
            spool.say_draining(home, False)
            spool.bound(home)


def settle(queen: Queen) -> None:
    """Everything that hooks recorded until now is in the book, by us or by another who drains, who is waited for."""
    home = queen.settings.home
    drain(queen)
    recorded, deadline = spool.waiting(home), time.monotonic() + SETTLE
    while recorded & spool.waiting(home) and time.monotonic() < deadline:
        time.sleep(0.02)
        drain(queen)  # whoever is at it may have had its last look before


def _rounds(queen: Queen, linger: float) -> int:
    count, quiet_since = 0, time.monotonic()
    while True:
        if found := _round(queen):
            count, quiet_since = count + found, time.monotonic()
        else:
            noting.flush(queen)
            if time.monotonic() - quiet_since >= linger:
                return count
            time.sleep(min(GLANCE, linger))


def _round(queen: Queen) -> int:
    count, folders = 0, _Folders()
    for taken, records in spool.take(queen.settings.home, queen.clock()):
        for record in records:
            try:
                with database.faults(queen.settings.database):
                    _record(queen, record, folders)
            except (errors.GitFailed, TimeoutError) as fault:
                crashes.log(queen.env, fault)  # a repository that is gone, broken or hangs: a scan sees its commits
            except (errors.Busy, errors.CannotWork):
                raise  # the queen cannot be written now: it stays in the spool
            except Exception as fault:
                crashes.log(queen.env, fault)
            count += 1
        spool.remove(taken)
    return count


def _record(queen: Queen, record: Record, folders: _Folders) -> None:
    place = _place(record, folders)
    if place is None or not repos.managed(queen.db, place.common_dir):
        return
    then = queen.at(place, datetime.fromtimestamp(record.at, UTC))
    by = _actor(queen, record)
    if record.event == "post-rewrite":
        # The folder of a rebase is still there when its own hook runs. What is amended on the way is told then too.
        if not record.busy or record.arguments != "amend":
            pairs = [(words[0], words[1]) for line in record.stdin.splitlines() if len(words := line.split()) >= 2]
            recording.rewritten(then, place, pairs, by, record.arguments or "rebase", record.key)
        return
    oid = record.head or commits.head(place)
    if oid is None or (record.event == "post-merge" and commits.parents(place, oid) < 2):
        return  # a fast-forward or a squash makes no commit
    if record.busy:
        recording.picked(then, place, oid, by)
    else:
        recording.commit(then, place, oid, by, "hook")


@dataclass(slots=True)
class _Folders:
    """Where folders belong, each looked at once a round, at no risk of hanging with it."""

    known: dict[tuple[str, ...], Place | None] = field(default_factory=dict)

    def find(self, folder: str, git_dir: str = "", work_tree: str = "") -> Place | None:
        """Raises `TimeoutError` where nothing is heard of it."""
        key = (folder, git_dir, work_tree)
        if key not in self.known:
            env = {"GIT_DIR": git_dir, "GIT_WORK_TREE": work_tree}
            self.known[key] = probes.find_one(folder, {key: value for key, value in env.items() if value})
        return self.known[key]


def _place(record: Record, folders: _Folders) -> Place | None:
    if found := folders.find(record.folder, record.git_dir, record.work_tree):
        return found
    # A worktree that was removed right after the commit: the repository around its git folder has it still.
    around = folders.find(os.path.dirname(os.path.join(record.folder, record.git_dir)))
    return replace(around, worktree=None, branch=None) if around else None


def _actor(queen: Queen, record: Record) -> Sister | None:
    """Whose hook it was, by the processes above it; the environment finds her where a sandbox hides them."""
    above = sisters_table.by_bodies(queen.db, queen.origin, record.above)
    if record.name:
        named = [sister for sister in above if record.name in (sister.name, sister.wanted)]
        return next(iter(named or sisters_table.named(queen.db, record.name) or above), None)
    if above:
        return above[0]
    return next(iter(sisters_table.by_session(queen.db, record.session)), None) if record.session else None
