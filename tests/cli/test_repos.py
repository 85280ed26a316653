"""Repositories without a sister: looked at, listed, forgotten; and what one that hangs costs the others."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests import hive
from tests.hive import Repo, Runner, Sister


@pytest.fixture
def db(home: Path, run: Runner) -> Iterator[sqlite3.Connection]:
    run("gitqueen", "scan", check=True)
    with closing(sqlite3.connect(home / "queen.db", isolation_level=None, timeout=30)) as opened:
        yield opened


def listed(run: Runner) -> dict[str, Any]:
    found = json.loads(run("gitqueen", "repos", "list", "--json", check=True).stdout)["repos"]
    return {os.path.basename(one["path"]): one for one in found}


def test_add_list_remove(run: Runner, repo: Callable[..., Repo]) -> None:
    origin = repo("origin")
    app = origin.clone("app")
    origin.commit("theirs")
    app.git("fetch", "-q")
    app.commit("ours")
    app.write("new", "new\n")
    (app.path / "deep").mkdir()
    path = os.path.realpath(app)
    none = run("gitqueen", "repos", "list", check=True).stdout
    assert none == "no repository yet   (gitqueen repos add PATH)\n"
    assert run("gitqueen", "repos", "add", cwd=app.path / "deep").stdout == f"✓ {path}: looked at from now on\n"
    assert run("gitqueen", "repos", "list", check=True).stdout == f"  {path}  [main*] ↑1 ↓1  added\n"
    assert listed(run)["app"] == {
        "path": path, "added": True, "managed": False, "sisters": [], "worktrees": [path], "branch": "main", "dirty": 1,
        "ahead": 1, "behind": 1, "busy": None, "fault": None,
    }  # fmt: skip
    run("gitqueen", "hooks", "install", app, check=True)
    assert run("gitqueen", "repos", "remove", app, check=True).stdout == f"✓ {path}: no longer looked at\n"
    assert (listed(run)["app"]["added"], listed(run)["app"]["managed"]) == (False, True)  # the hooks keep it known
    run("gitqueen", "hooks", "uninstall", app, check=True)
    assert listed(run) == {}
    twice = run("gitqueen", "repos", "remove", app)
    assert (twice.returncode, twice.stderr) == (
        1, f"gitqueen: {ascii(os.fspath(app))} was not added\n  → gitqueen repos list\n"
    )  # fmt: skip
    assert run("gitqueen", "repos", "add", "/nowhere").returncode == 4


def test_one_that_is_gone_is_said_and_can_be_removed(run: Runner, repo: Callable[..., Repo]) -> None:
    app, other = repo("app"), repo("other")
    run("gitqueen", "repos", "add", app, other, check=True)
    shutil.rmtree(app)
    assert listed(run)["app"]["fault"] == "no worktree is there any more"
    assert listed(run)["other"]["fault"] is None
    run("gitqueen", "repos", "remove", app, check=True)
    assert list(listed(run)) == ["other"]


def test_a_rebase_shows(run: Runner, repo: Callable[..., Repo]) -> None:
    app = repo()
    app.git("switch", "-q", "-c", "feature")
    app.commit("ours", {"README": "ours\n"})
    app.git("switch", "-q", "main")
    app.commit("theirs", {"README": "theirs\n"})
    run("git", "rebase", "-q", "main", "feature", cwd=app.path)
    run("gitqueen", "repos", "add", app, check=True)
    assert run("gitqueen", "repos", "list").stdout == f"  {os.path.realpath(app)}  [(detached)*] rebase  added\n"


def test_status_shows_them_when_asked(run: Runner, repo: Callable[..., Repo]) -> None:
    calm, dirty = repo("calm"), repo("dirty")
    dirty.write("new", "new\n")
    run("gitqueen", "repos", "add", calm, dirty, check=True)
    said = run("gitqueen", "status", "--all", check=True).stdout
    assert said.split("\n")[5:8] == [
        "  Without a sister:", f"    {os.path.realpath(dirty)}  [main*]", "    1 repository with nothing to do"
    ]  # fmt: skip
    assert "Without a sister" not in run("gitqueen", "status").stdout
    paths = [one["path"] for one in json.loads(run("gitqueen", "status", "--all", "--json").stdout)["repos"]]
    assert paths == [os.path.realpath(calm), os.path.realpath(dirty)]


def test_who_waits_is_spared_what_nobody_works_in(
    run: Runner, repo: Callable[..., Repo], sister: Callable[..., Sister], db: sqlite3.Connection
) -> None:
    app, lonely = repo("app"), repo("lonely")
    sister("iza-1", app).sh("iam 'one thing'")
    run("gitqueen", "repos", "add", lonely, check=True)
    looks = "SELECT scanned_at FROM worktrees ORDER BY path"
    run("gitqueen", "status", check=True)
    first = db.execute(looks).fetchall()
    db.execute("UPDATE meta SET value = value - 31 WHERE key = 'last_scan'")
    run("gitqueen", "status", check=True)
    (ours, theirs), (ours_before, theirs_before) = db.execute(looks).fetchall(), first
    assert (ours != ours_before, theirs == theirs_before) == (True, True)
    run("gitqueen", "scan", check=True)
    assert db.execute(looks).fetchall()[1] != theirs


@pytest.fixture
def hanging(repo: Callable[..., Repo]) -> Iterator[Repo]:
    """A managed repository that from now on hangs whoever reads its configuration, as on a dead network mount."""
    app = repo("hanging")
    yield app
    if (app.path / ".git/config.kept").exists():
        os.replace(app.path / ".git/config.kept", app.path / ".git/config")


def hang(app: Repo) -> None:
    os.rename(app.path / ".git/config", app.path / ".git/config.kept")
    os.mkfifo(app.path / ".git/config")


def test_one_that_hangs_costs_its_own_time_alone(
    run: Runner, repo: Callable[..., Repo], hanging: Repo, db: sqlite3.Connection
) -> None:
    fine = repo("fine")
    run("gitqueen", "repos", "add", fine, check=True)
    run("gitqueen", "hooks", "install", hanging, check=True)
    run("gitqueen", "scan", check=True)
    hang(hanging)
    fine.write("new", "new\n")
    scanning = subprocess.Popen([hive.gitqueen(), "scan", "--json"], stdout=subprocess.PIPE)
    deadline = time.monotonic() + hive.PATIENCE
    while db.execute("SELECT dirty FROM worktrees ORDER BY path").fetchall()[0] != (1,):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert scanning.poll() is None  # still at the one that hangs: the other is written already
    said = json.loads(scanning.communicate(timeout=hive.PATIENCE)[0])
    assert said["faults"] == [f"{os.path.realpath(hanging)}: nothing was heard of it for 10 s"]
    assert listed(run)["hanging"]["fault"] == "nothing was heard of it for 10 s"
    # Somebody who waits is kept no longer than for any other look.
    db.execute("UPDATE meta SET value = '0.0' WHERE key = 'last_scan'")
    run("gitqueen", "status", check=True, timeout=hive.PATIENCE)


def test_faults_of_a_crontab_and_of_git_are_those_of_the_scan(run: Runner, sealed: Path) -> None:
    stub = sealed / ".stubs/crontab"
    stub.write_text("#!/bin/sh\necho 'not for you' >&2\nexit 1\n")
    assert json.loads(run("gitqueen", "scan", "--json", check=True).stdout)["faults"] == ["crontab: not for you"]
