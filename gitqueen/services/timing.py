"""Timing: jobs that the clock will run, when, and which known repositories they touch.

Those that concern people here: their own, and of the system's those that touch a known repository. What is kept of a
command never holds what looks like a secret.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gitqueen import errors
from gitqueen.model import jobs
from gitqueen.model.jobs import Entry, Job
from gitqueen.senses import cron, systemd
from gitqueen.services.queen import Queen
from gitqueen.settings import MINUTE
from gitqueen.store import database, repos, trees
from gitqueen.store import jobs as jobs_table

OLD = 5 * MINUTE
"""Seconds after which sources are read again: each costs a process."""
SOON = 10 * MINUTE
"""Seconds before a job runs in which those who work uncommitted where it will run are told."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What stands in all the places of jobs."""

    mine: list[Entry]
    system: list[Entry]
    faults: list[str]
    """A sentence for each that could not be read."""


def refresh(queen: Queen, apart: Collection[str] = (), whatever: bool = False) -> list[str]:
    """Read all sources where the last reading is old (`whatever` its age); a sentence for each that could not be.

    Nothing in the worktrees of repositories `apart` is touched. Never fails: it is the last thing that a scan does.
    """
    if not whatever and 0 <= queen.now.timestamp() - repos.last(queen.db, "jobs") < OLD:
        return []
    worktrees = {
        tree.path: tree.common_dir for tree in trees.worktrees(queen.db).values() if tree.common_dir not in apart
    }
    read = sources(queen.env, worktrees)
    paths = {**worktrees, **{path: place for place, path in repos.known(queen.db).items()}}
    mine = [_job(queen, entry, paths) for entry in read.mine]
    judged = [(entry, _job(queen, entry, paths)) for entry in read.system]
    theirs = [job for entry, job in judged if _concerns(queen, entry, job)]
    try:
        with database.transaction(queen.db):
            jobs_table.replace(queen.db, [*mine, *theirs])
            repos.set_last(queen.db, "jobs", queen.now.timestamp())
    except errors.Busy:
        pass  # the next scan reads them again
    return read.faults


def sources(env: Mapping[str, str], worktrees: Iterable[str]) -> Sources:
    """All that this user may read, as it stands there now."""
    (own, first), (system, second) = cron.own(env), cron.system()
    (timers, third), (claude, fourth) = systemd.timers(env), cron.claude(worktrees)
    return Sources([*own, *timers, *claude], system, [*first, *second, *third, *fourth])


def _concerns(queen: Queen, entry: Entry, job: Job) -> bool:
    return job.repo is not None or (os.geteuid() != 0 and entry.user == queen.settings.login)


def _job(queen: Queen, entry: Entry, paths: Iterable[str]) -> Job:
    home = queen.env.get("HOME", "/")
    due, fault = entry.next_run, entry.fault
    if due is None and not fault and not entry.source.endswith(".timer"):
        due, fault = following(entry, queen.now)
    return Job(
        source=entry.source,
        schedule=entry.schedule,
        command=jobs.masked(entry.command),
        next_run=due,
        repo=jobs.touches(entry, home, paths),
        fault=fault,
    )


def following(entry: Entry, now: datetime) -> tuple[datetime | None, str]:
    """When a job is next, in UTC; else why nobody can tell."""
    from cronsim import CronSim, CronSimError

    if entry.schedule.lower() == jobs.REBOOT:
        return None, ""
    try:
        zone = ZoneInfo(entry.zone) if entry.zone else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None, f"there is no time zone {ascii(entry.zone)}"
    try:
        # astimezone without a zone: the machine's own, as cron's.
        found = next(CronSim(jobs.fields(entry.schedule), now.astimezone(zone)))
    except StopIteration:
        return None, "it never runs"
    except CronSimError as fault:
        return None, str(fault)
    return found.astimezone(now.tzinfo), ""


def listed(queen: Queen) -> tuple[list[Job], list[str]]:
    """All jobs as they are now, the next one first; and what could not be read."""
    faults = refresh(queen, whatever=True)
    return sorted(tracked(queen), key=lambda job: (job.next_run is None, job.next_run or queen.now)), faults


def tracked(queen: Queen) -> list[Job]:
    """As the last look found them; of each the next run from now on."""
    with database.faults(queen.settings.database):
        return [_onward(job, queen.now) for job in jobs_table.everything(queen.db)]


def _onward(job: Job, now: datetime) -> Job:
    if job.next_run is None or job.next_run > now or job.source.endswith(".timer"):
        return job
    due, _ = following(Entry(job.source, job.schedule, ""), now)
    return replace(job, next_run=due)


def soon(found: Iterable[Job], busy: Collection[str], now: datetime) -> list[Job]:
    """Those about to run in one of the worktrees `busy`, where somebody works uncommitted."""
    until = now + timedelta(seconds=SOON)
    return [job for job in found if job.repo in busy and job.next_run and now <= job.next_run <= until]
