"""The table of jobs that the clock will run, as the last look found them: never a secret in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gitqueen.model import times
from gitqueen.store import rows
from gitqueen.store.database import Database

if TYPE_CHECKING:
    from gitqueen.model.jobs import Job


def some(db: Database) -> bool:
    """Whether any job is tracked."""
    return db.execute("SELECT 1 FROM jobs LIMIT 1").fetchone() is not None


def everything(db: Database) -> list[Job]:
    found = db.execute("SELECT source, schedule, command, next_run, repo, fault FROM jobs ORDER BY id")
    from gitqueen.model.jobs import Job  # 4 ms that `status` need not pay where no job is tracked

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
