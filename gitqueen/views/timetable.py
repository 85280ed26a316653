"""Jobs that the clock will run, the next one first: in two lines each, or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gitqueen.model import times
from gitqueen.model.jobs import REBOOT, Job
from gitqueen.views.text import Palette, clean, cut, cut_front, folder, pad, width

COMMAND, FOLDER = 110, 200


def words(jobs: Sequence[Job], faults: Sequence[str], now: datetime, colour: Palette) -> str:
    lines = []
    for job in jobs:
        head = f"  {pad(_when(job, now), 12)}  {pad(cut(job.schedule, 24), 16)}"
        source = "" if job.source == "crontab" else cut_front(folder(job.source), 40)
        where = cut_front(folder(job.repo), colour.room(FOLDER, width(head) + width(source) + 4)) if job.repo else ""
        lines.append("  ".join(part for part in (head, colour.dim(source), where) if part).rstrip())
        lines.append(f"                {cut(job.command, colour.room(COMMAND, 16))}")
        if job.fault:
            lines.append(f"                {colour.warning(cut(job.fault, colour.room(COMMAND, 16)))}")
    lines = lines or ["  no job that concerns you or a known repository"]
    return "\n".join([*lines, *(colour.warning(f"  could not look: {clean(fault)}") for fault in faults)])


def _when(job: Job, now: datetime) -> str:
    if job.next_run is None:
        return "never" if job.fault else "at boot" if job.schedule.lower() == REBOOT else "?"
    seconds = max(0.0, (job.next_run - now).total_seconds())
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"in {int(seconds // size)} {word}"
    return "in 0 min"


def shape(jobs: Sequence[Job], faults: Sequence[str]) -> dict[str, object]:
    return {
        "jobs": [
            {
                "source": job.source,
                "schedule": job.schedule,
                "command": job.command,
                "next_run": times.iso(job.next_run) if job.next_run else None,
                "repo": job.repo,
                "fault": job.fault or None,
            }
            for job in jobs
        ],
        "faults": list(faults),
    }
