"""Tending a sister: does she live, where is she, and the markers by which hooks know that she may be there."""

from __future__ import annotations

from dataclasses import replace

from gitqueen import errors
from gitqueen.git import markers
from gitqueen.model import sisters, times
from gitqueen.model.processes import Process
from gitqueen.model.sisters import Sister
from gitqueen.senses import processes
from gitqueen.services.queen import Queen
from gitqueen.store import database, events, repos
from gitqueen.store import sisters as sisters_table


def life(queen: Queen, sister: Sister) -> str:
    """ALIVE, DEAD or UNKNOWN, by what runs under her pid at this moment."""
    process = processes.look(sister.pid) if sister.pid > 0 else None
    if process is not None and sister.body is None and _came_later(process, sister):
        process = None
    return sisters.life(sister, queen.origin, process.ticks if process else None, queen.now)


def gone(queen: Queen, sister: Sister) -> bool:
    """Whether she is dead so surely that her row may go and her claims are given back after the grace."""
    return life(queen, sister) == sisters.DEAD and sisters.gone_for_good(sister, queen.origin, queen.now)


def _came_later(process: Process, sister: Sister) -> bool:
    """Whether what runs under an outside row's pid was started after she was last seen: somebody else."""
    if sister.last_seen is None:
        return False
    # Wall clock against wall clock, so only with room for a clock that was set.
    started = processes.started_at(process)
    return started is None or (started - sister.last_seen).total_seconds() > 60


def living(queen: Queen) -> list[Sister]:
    """Everybody who is not known to be dead; whom we cannot judge comes with the status `unknown`."""
    with database.faults(queen.settings.database):
        rows = sisters_table.everyone(queen.db)
    judged = [(sister, life(queen, sister)) for sister in rows]
    return [replace(sister, status=sisters.status(sister, alive)) for sister, alive in judged if alive != sisters.DEAD]


def others(queen: Queen, me: str | None) -> list[Sister]:
    return [sister for sister in living(queen) if sister.name != me]


def mark(queen: Queen, sister: Sister) -> None:
    """Put the marker of a living sister into the managed repository she is in, and into the clones of it."""
    if sister.body and sister.body.pid and sister.common_dir:
        for common_dir in repos.kin(queen.db, sister.common_dir):
            if repos.managed(queen.db, common_dir):
                markers.write(common_dir, sister.body.pid, sisters.badge(sister))


def settle(queen: Queen, sister: Sister) -> Sister:
    """She ran a command here: her place is this one. Call it inside a transaction."""
    moved = _placed(queen, sister)
    sisters_table.seen(queen.db, moved, queen.now)
    events.acts(queen.db, moved.name, moved.session_id)
    mark(queen, moved)
    if moved.worktree != sister.worktree:
        outdate(queen)
    return moved


def outdate(queen: Queen) -> None:
    """Somebody is where the last look around did not see her: whoever asks next looks again. A look that goes on now
    knows by the number, never the same, that it is outdated already."""
    repos.set_last(queen.db, "scan", -queen.clock().timestamp())


def notice(queen: Queen, sister: Sister) -> Sister:
    """`settle` for commands that only look: never waits for, and never fails because of, a locked database."""
    moved = _placed(queen, sister)
    quiet = times.since(sister.last_seen, queen.now)
    if moved == sister and quiet is not None and quiet < 1 and _is_written(queen, sister):
        return sister
    try:
        with database.transaction(queen.db, patience=0.2):
            return settle(queen, sister)
    except (errors.Busy, errors.CannotWork):
        return moved


def _is_written(queen: Queen, sister: Sister) -> bool:
    """Whether her row knows what she is now: a shell may have become an agent, a session another one."""
    with database.faults(queen.settings.database):
        known = sisters_table.named(queen.db, sister.name)
    return any((one.agent, one.session_id) == (sister.agent, sister.session_id) for one in known)


def _placed(queen: Queen, sister: Sister) -> Sister:
    place = queen.place
    if place is None:
        return sister
    return replace(
        sister,
        branch=place.branch,
        repo=place.repo,
        worktree=place.worktree,
        common_dir=place.common_dir,
    )
