"""`gitqueen cron`, and what of it shows in status."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.hive import Repo, Runner, Sister


def test_when_what_and_where(run: Runner, repo: Callable[..., Repo], sealed: Path, home: Path) -> None:
    app = repo()
    run("gitqueen", "repos", "add", app, check=True)
    run("gitqueen", "scan", check=True)
    (sealed / ".crontab").write_text(
        f"MAILTO=x\n0 9 * * * cd {app.path} && API_TOKEN=hunter2 make\n@reboot start\n61 * * * * never\nnonsense\n"
    )
    jobs = json.loads(run("gitqueen", "cron", "--json", check=True).stdout)["jobs"]
    now = datetime.now(UTC)
    nine = now.replace(hour=9, minute=0, second=0, microsecond=0)
    due = nine if nine > now else nine + timedelta(days=1)
    assert jobs == [
        {
            "source": "crontab", "schedule": "0 9 * * *", "command": f"cd {app.path} && API_TOKEN=*** make",
            "next_run": f"{due:%Y-%m-%dT%H:%M:%SZ}", "repo": os.path.realpath(app), "fault": None,
        },
        {"source": "crontab", "schedule": "@reboot", "command": "start", "next_run": None, "repo": None, "fault": None},
        {
            "source": "crontab", "schedule": "61 * * * *", "command": "never", "next_run": None, "repo": None,
            "fault": "Bad minute",
        },
        {
            "source": "crontab", "schedule": "", "command": "nonsense", "next_run": None, "repo": None,
            "fault": "no line that cron understands",
        },
    ]  # fmt: skip
    words = run("gitqueen", "cron", check=True).stdout
    assert "at boot       @reboot\n                start\n" in words and "API_TOKEN=*** make" in words
    assert json.loads(run("gitqueen", "status", "--json", check=True).stdout)["cron_jobs"] == 4
    assert b"hunter2" not in b"".join(file.read_bytes() for file in home.glob("queen.db*"))


def test_nothing_to_tell(run: Runner) -> None:
    assert run("gitqueen", "cron", check=True).stdout == "  no job that concerns you or a known repository\n"


def test_hostile_words_do_not_reach_the_terminal(run: Runner, sealed: Path) -> None:
    (sealed / ".crontab").write_text("@daily \x1b]0;gotcha\x07 \x1b[31mred\n")
    shown = run("gitqueen", "cron", check=True).stdout
    assert "\x1b" not in shown and "\\x1b[31mred" in shown


def test_a_job_about_to_run_where_somebody_works_uncommitted(
    sister: Callable[..., Sister], repo: Callable[..., Repo], run: Runner, home: Path
) -> None:
    app, other = repo("app"), repo("other")
    sister("iza-1", app).sh("iam 'one thing'; echo x >new; gitqueen scan")
    sister("iza-2", other).sh("iam 'another matter'; gitqueen scan")
    due = datetime.now(UTC) + timedelta(minutes=5, seconds=30)
    with closing(sqlite3.connect(home / "queen.db", isolation_level=None, timeout=30)) as db:
        for path, command in ((app, "git pull"), (other, "harmless")):
            db.execute(
                "INSERT INTO jobs (source, schedule, command, next_run, repo, fault) VALUES ('x', '', ?, ?, ?, '')",
                (command, f"{due:%Y-%m-%dT%H:%M:%SZ}", os.fsencode(os.path.realpath(path))),
            )
    shown = run("gitqueen", "status", check=True).stdout.splitlines()
    assert shown[-1] == f"  ⏰ in 5 min: git pull in {os.path.realpath(app)}, where iza-1 works uncommitted"
