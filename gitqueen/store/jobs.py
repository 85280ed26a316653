"""The table of jobs that the clock will run, as the last look found them: never a secret in it."""

from __future__ import annotations

from collections.abc import Iterable

from gitqueen.model import times
from gitqueen.model.jobs import Job
from gitqueen.store import rows
from gitqueen.store.database import Database


def everything(db: Database) -> list[Job]:
    found = db.execute("SELECT source, schedule, command, next_run, repo, fault FROM jobs ORDER BY id")
    return [
        Job(source, schedule, command, times.parse(due), rows.as_path(repo), fault)
        for source, schedule, command, due, repo, fault in found
    ]


def replace(db: Database, jobs: Iterable[Job]) -> None:
    db.execute("DELETE FROM jobs")
    db.executemany(
        "INSERT INTO jobs (source, schedule, command, next_run, repo, fault) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                rows.text(job.source), rows.text(job.schedule), rows.text(job.command), rows.moment(job.next_run),
                rows.path(job.repo), rows.text(job.fault),
            )
            for job in jobs
        ],
    )  # fmt: skip
