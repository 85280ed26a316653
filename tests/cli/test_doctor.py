"""The doctor: everything that could be wrong, each with its mend; it changes nothing by looking."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gitqueen.store import database, schema
from tests.hive import Repo, Runner

Checks = dict[str, dict[str, object]]


def examine(run: Runner, code: int, **env: str) -> Checks:
    done = run("gitqueen", "doctor", "--json", env=env)
    assert (done.returncode, done.stderr) == (code, ""), done.stdout
    said = json.loads(done.stdout)
    assert list(said) == ["schema", "checks"]
    assert all(list(check) == ["name", "ok", "detail", "mend"] for check in said["checks"])
    assert all(check["ok"] or check["mend"] for check in said["checks"]), "each with its mend"
    return {check["name"]: check for check in said["checks"]}


def bad(checks: Checks) -> list[str]:
    return [name for name, check in checks.items() if not check["ok"]]


def test_on_a_new_machine_all_is_well_and_nothing_is_made(run: Runner, home: Path) -> None:
    done = run("gitqueen", "doctor", check=True)
    assert "  ✓ home      ~/.claude/queen is made by the first command\n  ✓ database  not made yet\n" in done.stdout
    assert "✗" not in done.stdout
    assert not home.exists()


def test_in_use_all_is_well(run: Runner, home: Path) -> None:
    run("gitqueen", "scan", check=True)
    checks = examine(run, 0)
    assert bad(checks) == []
    assert checks["home"]["detail"] == f"{home} has mode 0700"
    assert checks["database"]["detail"] == "whole"
    assert checks["schema"]["detail"] == f"version {schema.VERSION} of {schema.VERSION}"


def test_loose_rights_and_the_mend_that_a_shell_runs(run: Runner, tmp_path: Path) -> None:
    home = tmp_path / "it's my; home"
    # Not by a command: what it leaves running behind it opens the database again, and mends its rights.
    database.open(str(home)).close()
    for path in (home, *home.glob("queen.db*")):
        path.chmod(0o755 if path == home else 0o644)
    checks = examine(run, 1, GITQUEEN_HOME=str(home))
    assert bad(checks) == ["home", "database rights"]
    for name in bad(checks):
        run("sh", "-ec", str(checks[name]["mend"]), check=True)
    assert bad(examine(run, 0, GITQUEEN_HOME=str(home))) == []
    assert sorted({path.stat().st_mode & 0o777 for path in home.glob("queen.db*")}) == [0o600]


def test_looking_upgrades_nothing(run: Runner, home: Path) -> None:
    database.open(str(home)).close()
    for number, detail, code in (
        (0, f"version 0 of {schema.VERSION}: the next command upgrades it", 0),
        (999, f"version 999 of {schema.VERSION}", 1),
    ):
        with closing(sqlite3.connect(home / "queen.db")) as db:
            db.execute(f"PRAGMA user_version = {number}")
        before = (home / "queen.db").read_bytes()
        checks = examine(run, code)
        assert checks["schema"]["detail"] == detail
        assert (home / "queen.db").read_bytes() == before


def test_a_managed_repository_that_is_gone(run: Runner, repo: Callable[..., Repo], home: Path) -> None:
    app = repo()
    db = database.open(str(home))
    row = (os.fsencode(app.path / ".git"), os.fsencode(app.path))
    db.execute("INSERT INTO repos (common_dir, path, managed) VALUES (?, ?, 1)", row)
    db.close()
    assert "repository" not in bad(examine(run, 0))
    app.path.rename(app.path.with_name("moved"))
    checks = examine(run, 1)
    assert checks["repository"]["detail"] == f"{app.path} is gone"


def test_a_crash_and_a_missing_command(run: Runner, home: Path) -> None:
    home.mkdir(parents=True, mode=0o700)
    (home / "crash.log").write_text("Traceback\n")
    checks = examine(run, 1, PATH="/usr/bin:/bin")
    assert bad(checks) == ["commands", "crashes"]
    assert checks["commands"]["detail"] == "not on the PATH: gitqueen, queen, iam"
    done = run("gitqueen", "doctor")
    assert done.returncode == 1
    assert "  ✗ crashes        ~/.claude/queen/crash.log holds what went wrong\n      → less ~/.claude" in done.stdout


def test_what_could_not_be_looked_at(
    run: Runner, repo: Callable[..., Repo], sealed: Path, home: Path, tmp_path: Path
) -> None:
    fine, corrupt, gone, far = repo("fine"), repo("corrupt"), repo("gone"), repo("far")
    run("gitqueen", "repos", "add", fine, corrupt, gone, far, check=True)
    run("gitqueen", "hooks", "install", far, check=True)
    (corrupt.path / ".git/index").write_bytes(b"DIRC nonsense")
    gone.path.rename(tmp_path / "moved")
    (sealed / ".crontab").write_text("61 * * * * never\nnonsense\n@daily fine\n")
    (fine.path / ".claude").mkdir()
    (fine.path / ".claude/scheduled_tasks.json").write_text("{")
    run("gitqueen", "scan", check=True)
    run("gitqueen", "cron", check=True)
    # As a scan leaves it where a network mount is dead.
    with closing(sqlite3.connect(home / "queen.db", isolation_level=None, timeout=30)) as db:
        row = (os.fsencode(far.path), "nothing was heard of it for 10 s", 10.0)
        db.execute("INSERT OR REPLACE INTO unread (worktree, fault, took) VALUES (?, ?, ?)", row)
    far.path.rename(tmp_path / "not touched")
    done = run("gitqueen", "doctor", "--json")
    found = [
        (one["name"], one["detail"], one["mend"])
        for one in json.loads(done.stdout)["checks"]
        if one["name"] in ("repository", "worktree", "cron")
    ]
    assert done.returncode == 1
    name, detail, mend = found.pop(0)
    assert (name, mend) == ("worktree", f"git -C {corrupt.path} fsck")
    assert detail.startswith(f"{corrupt.path}: git status failed: ")
    tasks = fine.path / ".claude/scheduled_tasks.json"
    assert found == [
        (
            "worktree", f"{far.path}: nothing was heard of it for 10 s",
            f"see that its disk or network mount answers, or: gitqueen repos remove {far.path}",
        ),
        ("worktree", f"{gone.path}: no worktree is there any more", f"gitqueen repos remove {gone.path}"),
        ("cron", f"{tasks}: is not understood", f"mend or remove {tasks}"),
        ("cron", "crontab: 61 * * * * never: Bad minute", "crontab -e"),
        ("cron", "crontab: nonsense: no line that cron understands", "crontab -e"),
    ]  # fmt: skip


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_strangers_repository(run: Runner, repo: Callable[..., Repo]) -> None:
    app = repo()
    run("gitqueen", "repos", "add", app, check=True)
    run("chown", "-R", "65534:65534", app, check=True)
    run("gitqueen", "scan", check=True)
    mend = f"if you trust its owner: git config --global --add safe.directory {app.path}"
    check = examine(run, 1)["worktree"]
    assert "dubious ownership" in str(check["detail"]) and check["mend"] == mend
    run("sh", "-ec", mend.partition(": ")[2], check=True)
    run("gitqueen", "scan", check=True)
    assert bad(examine(run, 0)) == []
