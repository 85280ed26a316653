"""The daemon and the jobs of the clock as people see them: in plain words, within the terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gitqueen.daemon.control import State
from gitqueen.model.jobs import Job
from gitqueen.views import clockwork, timetable
from gitqueen.views.text import Palette

NOW = datetime(2026, 4, 11, 5, 29, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/iza")


def test_the_daemon_says_how_long_it_runs_and_what_it_said_last() -> None:
    log, last = "/home/iza/.claude/queen/daemon.log", "2026-04-11T05:00:00Z could not look: \x1b[31m/home/iza/code"
    state = State(812, NOW - timedelta(minutes=29), log, last)
    assert clockwork.words(state, NOW, Palette(False, 60)) == (
        "✓ the daemon runs, process 812, for 29 min\n"
        "  log   ~/.claude/queen/daemon.log\n"
        "  last  2026-04-11T05:00:00Z could not look: \\x1b[31m/home/…"
    )
    assert clockwork.words(State(812, None), NOW, Palette(False)) == "✓ the daemon runs, process 812"
    assert clockwork.words(State(None), NOW, Palette(False)) == (
        "no daemon runs: commands look around themselves   (gitqueen daemon start)"
    )


def test_a_job_s_place_gives_way_to_what_it_is() -> None:
    repo = "/home/iza/code/a/folder/with/many/letters/in/it/app"
    jobs = [
        Job("crontab", "*/5 * * * *", f"cd {repo} && make everything that there is to be made", NOW, repo),
        Job("/home/iza/.claude/scheduled_tasks.json", "0 9 * * 1-5", "look at it", NOW + timedelta(hours=5), repo),
        Job("/etc/cron.d/backup", "@reboot", "save", None, None),
    ]
    assert timetable.words(jobs, ["crontab: not for you"], NOW, Palette(False, 80)) == (
        "  in 0 min      */5 * * * *       ~/code/a/folder/with/many/letters/in/it/app\n"
        "                cd /home/iza/code/a/folder/with/many/letters/in/it/app && make …\n"
        "  in 5 h        0 9 * * 1-5       ~/.claude/scheduled_tasks.json  …ers/in/it/app\n"
        "                look at it\n"
        "  at boot       @reboot           /etc/cron.d/backup\n"
        "                save\n"
        "  could not look: crontab: not for you"
    )
