"""Crontabs as people write them, secrets that are never kept, and the repository a job touches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitqueen.model import jobs
from gitqueen.model.jobs import Entry

CRONTAB = r"""
# m h dom mon dow command
MAILTO=iza@example.org
 PATH = /usr/bin
"SHELL" = "/bin/bash"
CRON_TZ=Europe/Berlin
*/5 * * * *	cd ~/code/app && make check
0 9 * * MON-FRI  say 100\% % and this is its input
-15 3 1,15 * * quiet
@daily backup
@Reboot start
@never x
this is nonsense
1 2 3 4 5
"""


def test_a_crontab_line_by_line() -> None:
    zone = "Europe/Berlin"
    assert jobs.crontab("crontab", CRONTAB, with_user=False) == [
        Entry("crontab", "*/5 * * * *", "cd ~/code/app && make check", zone=zone),
        Entry("crontab", "0 9 * * MON-FRI", "say 100%", zone=zone),
        Entry("crontab", "15 3 1,15 * *", "quiet", zone=zone),
        Entry("crontab", "@daily", "backup", zone=zone),
        Entry("crontab", "@Reboot", "start", zone=zone),
        Entry("crontab", "@never", "x", fault="cron knows no @never"),
        Entry("crontab", "", "this is nonsense", fault="no line that cron understands"),
        Entry("crontab", "", "1 2 3 4 5", fault="no line that cron understands"),
    ]


def test_a_system_file_says_whose_a_job_is() -> None:
    text = "17 * * * * root cd / && run-parts /etc/cron.hourly\n@daily iza\n"
    assert jobs.crontab("/etc/crontab", text, with_user=True) == [
        Entry("/etc/crontab", "17 * * * *", "cd / && run-parts /etc/cron.hourly", "root"),
        Entry("/etc/crontab", "@daily", "iza", fault="it names no user"),
    ]


def test_no_more_than_cron_itself_takes() -> None:
    assert len(jobs.crontab("crontab", "* * * * * x\n" * 5000, with_user=False)) == jobs.MOST


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("make deploy", "make deploy"),
        ("TOKEN=abc123 run --fast", "TOKEN=*** run --fast"),
        ("export GITHUB_TOKEN='a b c'; run", "export GITHUB_TOKEN=***; run"),
        ('env DB_PASSWORD="x y" AWS_SECRET_ACCESS_KEY=z run', "env DB_PASSWORD=*** AWS_SECRET_ACCESS_KEY=*** run"),
        ("run --password hunter2 --user iza", "run --password *** --user iza"),
        ("run --api-key=abc --token 'x y' -v", "run --api-key=*** --token *** -v"),
        ("curl https://iza:hunter2@example.org/x", "curl https://***@example.org/x"),
        ("git push https://ghp_0123456789abcdef@github.com/a/b", "git push https://***@github.com/a/b"),
        ("curl -H 'Authorization: Bearer abc.def' host", "curl -H 'Authorization: ***' host"),
        ('curl -H "X-Api-Key: abc" host', 'curl -H "X-Api-Key: ***" host'),
        ("curl -u iza:hunter2 host", "curl -u *** host"),
        ("mysqldump -u iza -phunter2 all", "mysqldump -u iza -p*** all"),
        ("run sk-abcdefghijklmnop", "run ***"),
        ("passwd-check --all", "passwd-check --all"),
    ],
)
def test_secrets_are_masked(command: str, shown: str) -> None:
    assert jobs.masked(command) == shown


def test_a_command_without_end_is_cut() -> None:
    assert len(jobs.masked("x" * 100_000)) == jobs.LONGEST


@given(st.text(max_size=200))
def test_whatever_a_crontab_holds_it_is_read(text: str) -> None:
    for entry in jobs.crontab("crontab", text, with_user=False):
        jobs.masked(entry.command)
        jobs.touches(entry, "/home/iza", ["/home/iza/app"])


PATHS = ("/home/iza/app", "/home/iza/app/vendor/lib", "/home/iza/a b", "/srv/site")


@pytest.mark.parametrize(
    ("command", "repo"),
    [
        ("cd /home/iza/app && make", "/home/iza/app"),
        ("make -C ~/app", "/home/iza/app"),
        ("cd app && make", "/home/iza/app"),
        ("cd \"$HOME/a b\"; ls", "/home/iza/a b"),
        ("cd ~/a\\ b; ls", "/home/iza/a b"),
        ("run --dir=/srv/site/public", "/srv/site"),
        ("cat /home/iza/app/vendor/lib/x", "/home/iza/app/vendor/lib"),
        ("${HOME}/app/bin/run", "/home/iza/app"),
        ("ls /home/iza/app-2", None),
        ("ls /mnt/srv/site", None),
        ("cd /home/iza && ls", None),
        ("echo app", None),
    ],
)  # fmt: skip
def test_the_repository_it_touches(command: str, repo: str | None) -> None:
    assert jobs.touches(Entry("crontab", "@daily", command), "/home/iza", PATHS) == repo


def test_a_job_touches_where_it_runs() -> None:
    entry = Entry("x.timer", "daily", "run", folder="/home/iza/app/src")
    assert jobs.touches(entry, "/home/iza", PATHS) == "/home/iza/app"
