"""`gitqueen cron`, and what of it shows in status."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitqueen.model import jobs
from gitqueen.services import timing
from tests import seal
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


@pytest.fixture
def with_cron(run: Runner, sealed: Path) -> Callable[..., str]:
    """Run a script where the real crontab is, with a spool and an /etc/cron.d of its own; `given`: its input."""

    def script(text: str, given: str) -> str:
        stubs = str(sealed / ".stubs")
        path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if part != stubs)
        return run(*seal.CRON, "sh", "-euc", text, env={"PATH": path}, input=given, check=True).stdout

    return script


@pytest.mark.needs_crontab
def test_a_real_crontab(with_cron: Callable[..., str], run: Runner, repo: Callable[..., Repo]) -> None:
    app = repo()
    run("gitqueen", "repos", "add", app, check=True)
    run("gitqueen", "scan", check=True)
    said = with_cron(
        f"""crontab -l 2>&1 || :
        gitqueen cron --json
        echo "@hourly root cd {app.path} && git fetch" >/etc/cron.d/app
        echo "@hourly root elsewhere" >/etc/cron.d/other
        crontab -
        gitqueen cron --json
        crontab -r
        gitqueen cron --json""",
        f"# mine\nMAILTO=x\n30 4 * * mon-fri cd {app.path} && PASSWORD='a b' make 50\\% done%input\n@reboot start\n",
    )
    asked, *answers = said.splitlines(keepends=True)
    assert asked.startswith("no crontab for ")
    before, during, after = (
        [(job["source"], job["schedule"], job["command"], job["repo"]) for job in one["jobs"]]
        for one in _objects("".join(answers))
    )
    system = ("/etc/cron.d/app", "@hourly", f"cd {app.path} && git fetch", str(app.path))
    assert (before, after) == ([], [system])
    assert sorted(during) == [
        system,
        ("crontab", "30 4 * * mon-fri", f"cd {app.path} && PASSWORD=*** make 50% done", str(app.path)),
        ("crontab", "@reboot", "start", None),
    ]


def _objects(text: str) -> list[dict[str, list[dict[str, object]]]]:
    found, at, read = [], 0, json.JSONDecoder().raw_decode
    while text[at:].strip():
        one, end = read(text[at:].lstrip())
        at += len(text[at:]) - len(text[at:].lstrip()) + end
        found.append(one)
    return found


LINES = """\
* * * * * x
*/5 0-6,8 1 jan sun x
0 9 * * 7 x
0 0 1 1 mon-fri x
@daily x
@annually x
@reboot x
@every x
@ daily x
60 * * * * x
* 24 * * * x
* * 0 * * x
* * * 13 * x
* * * * 8 x
*/0 * * * * x
* * * * x
nonsense
a b c d e f
NAME=value
NAME = two words
# words
1,2,3- * * * * x
* * * foo * x
"""


@pytest.mark.needs_crontab
def test_we_understand_what_cron_does(with_cron: Callable[..., str]) -> None:
    """What the real crontab refuses has a fault with us, and nothing else has (crons differ on `5/10` and `5-1`)."""
    said = with_cron(
        "while IFS= read -r line; do printf '%s\\n' \"$line\" | crontab - 2>/dev/null && echo yes || echo no; done",
        LINES,
    )
    theirs = dict(zip(LINES.splitlines(), (word == "yes" for word in said.split()), strict=True))
    assert {line: _makes_sense(line) for line in theirs} == theirs


def _makes_sense(line: str) -> bool:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    return not any(one.fault or timing.following(one, now)[1] for one in jobs.crontab("crontab", line, False))
