"""Rebuilding: an empty database comes back from the repositories alone, the newest truth winning; twice is once."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gitqueen.store import roster
from tests.hive import Repo, Runner, Sister
from tests.hooks.kit import install


@pytest.fixture
def lose(home: Path) -> Callable[[], None]:
    """Take the database away, as a careless `rm` does."""

    def away() -> None:
        for name in ("queen.db", "queen.db-wal", "queen.db-shm"):
            (home / name).unlink(missing_ok=True)

    return away


def rebuilt(run: Runner, cwd: Repo | Path, *args: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(
        run("gitqueen", "doctor", "--rebuild", "--json", *args, cwd=cwd, check=True).stdout
    )
    return said


def standing(run: Runner, cwd: Path) -> dict[str, Any]:
    """Who lives with which task, and which claims are held, as `status` says."""
    said = json.loads(run("gitqueen", "status", "--json", cwd=cwd, check=True).stdout)
    tasks = {one["name"]: (one["pid"], one["task"], one["task_source"], one["worktree"]) for one in said["sisters"]}
    claims = {one["id"]: (one["owner"], one["description"], one["paths"], one["repo"]) for one in said["claims"]}
    return {"sisters": tasks, "claims": claims}


def refs(app: Repo) -> list[str]:
    return app.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/gitqueen").splitlines()


def test_a_lost_database_comes_back_as_it_was(
    repo: Callable[..., Repo], sister: Callable[..., Sister], run: Runner, tmp_path: Path, lose: Callable[[], None]
) -> None:
    app, lib = install(repo()), install(repo("two\nlines"))
    iza, bea, idle = sister("iza-1", app), sister("bea", lib), sister("idle", app)
    iza.sh("iam 'the relay'; gitqueen claim deploy -m why --ttl 2h; gitqueen claim src --path 'src/**'")
    bea.sh("iam 'the dam'; gitqueen claim water")
    idle.sh("gitqueen whoami")
    run("gitqueen", "scan", cwd=app)
    before, said = standing(run, app.path), [refs(app), refs(lib)]
    assert before["sisters"]["iza-1"] == (iza.pid, "the relay", "declared", str(app.path))
    assert before["claims"]["src"] == ("iza-1", None, ["src/**"], str(app.path))

    lose()
    plan = rebuilt(run, tmp_path, "--dry-run")
    assert standing(run, tmp_path) == {"sisters": {}, "claims": {}}
    done = rebuilt(run, tmp_path)
    assert standing(run, app.path) == before
    assert [refs(app), refs(lib)] == said
    assert {**plan, "dry_run": False} == done
    assert sorted(done["managed"]) == sorted([str(app.path), str(lib.path)])
    # Twice is once, and they are who they were.
    again = rebuilt(run, tmp_path)
    assert (again["managed"], again["sisters"], again["claims"], again["faults"]) == ([], [], [], [])
    assert iza.sh("iam").out == "📌 iza-1: the relay\n"
    assert idle.sh("gitqueen whoami").out.startswith("idle ")
    assert bea.sh("gitqueen release water && gitqueen claim deploy").rc == 1
    assert [line.split()[0] for line in refs(lib)] == ["refs/gitqueen/tasks/bea"]


def test_what_a_person_reads(
    repo: Callable[..., Repo], sister: Callable[..., Sister], run: Runner, lose: Callable[[], None]
) -> None:
    app = install(repo())
    iza = sister("iza-1", app)
    iza.sh("iam 'the \x1b[31mrelay'; gitqueen claim deploy -m 'to \x1b[2Jproduction'")
    lose()
    what = f"""\
    {app.path} is managed
    iza-1 (pid {iza.pid}): the \\x1b[31mrelay
    the claim deploy of iza-1: to \\x1b[2Jproduction
"""
    said = run("gitqueen", "doctor", "--rebuild", "--dry-run", cwd=app).stdout
    assert said == f"✓ from 1 repository would come back:\n{what}"
    assert run("gitqueen", "doctor", "--rebuild", cwd=app).stdout == f"✓ from 1 repository came back:\n{what}"
    assert run("gitqueen", "doctor", "--rebuild", cwd=app).stdout == "✓ nothing is missing: looked at 1 repository\n"


def test_a_new_database_does_not_wipe_out_what_the_old_one_wrote(
    repo: Callable[..., Repo], sister: Callable[..., Sister], run: Runner, lose: Callable[[], None]
) -> None:
    """Nobody noticed the loss: commands and scans go on, the repository is armed again."""
    app = install(repo())
    iza, bea = sister("iza-1", app), sister("bea", app)
    iza.sh("iam 'the relay'; gitqueen claim deploy")
    bea.sh("iam 'the dam'; gitqueen claim water")
    lose()
    assert bea.sh("gitqueen hooks install; gitqueen scan; iam 'another dam'; gitqueen scan").rc == 0
    assert [line.split()[0].removeprefix("refs/gitqueen/") for line in refs(app)] == [
        "claims/deploy",
        "claims/water",
        "tasks/bea",
        "tasks/iza-1",
    ]
    lost = [one for one in json.loads(run("gitqueen", "doctor", "--json", cwd=app).stdout)["checks"] if not one["ok"]]
    assert [one["mend"] for one in lost if one["name"] == "lost"] == ["gitqueen doctor --rebuild"]
    rebuilt(run, app)
    found = standing(run, app.path)
    assert {name: one[1] for name, one in found["sisters"].items()} == {"bea": "another dam", "iza-1": "the relay"}
    assert sorted(found["claims"]) == ["deploy", "water"]
    iza.sh("iam --done; gitqueen scan")
    assert "refs/gitqueen/tasks/iza-1" not in " ".join(refs(app))


def put(app: Repo, ref: str, text: str) -> None:
    oid = Runner(app.path)("git", "hash-object", "-w", "--stdin", input=text, check=True).stdout.strip()
    app.git("update-ref", ref, oid)


def read(app: Repo, ref: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(app.git("cat-file", "-p", ref))
    return said


def test_the_newest_truth_wins(
    repo: Callable[..., Repo], sister: Callable[..., Sister], run: Runner, lose: Callable[[], None]
) -> None:
    """One of the repositories could not be written for a while."""
    app, lib = install(repo()), install(repo("lib"))
    iza = sister("iza-1", app)
    iza.sh("iam 'the relay'; gitqueen claim deploy -m new")
    task, claim = read(app, "refs/gitqueen/tasks/iza-1"), read(app, "refs/gitqueen/claims/deploy")
    old = "2026-01-01T00:00:00Z"
    put(lib, "refs/gitqueen/tasks/iza-1", json.dumps({**task, "task": "older", "started_at": old}))
    put(lib, "refs/gitqueen/claims/deploy", json.dumps({**claim, "owner": "bea", "claimed_at": old}))
    put(lib, "refs/gitqueen/claims/over", json.dumps({**claim, "id": "over", "expires_at": old}))
    lose()
    rebuilt(run, app)
    found = standing(run, app.path)
    assert found["sisters"]["iza-1"][1] == "the relay"
    assert found["claims"] == {"deploy": ("iza-1", "new", [], str(app.path))}
    assert (len(refs(app)), refs(lib)) == (2, [])


def test_the_database_knows_better(repo: Callable[..., Repo], sister: Callable[..., Sister], run: Runner) -> None:
    """It is not empty at all: what was given back or finished since does not come back."""
    app = install(repo())
    iza = sister("iza-1", app)
    iza.sh("iam 'the relay'; gitqueen claim deploy; gitqueen claim kept")
    task, claim = read(app, "refs/gitqueen/tasks/iza-1"), read(app, "refs/gitqueen/claims/deploy")
    iza.sh("iam --done; gitqueen release deploy")
    put(app, "refs/gitqueen/tasks/iza-1", json.dumps(task))
    put(app, "refs/gitqueen/claims/deploy", json.dumps(claim))
    said = rebuilt(run, app)
    assert (said["sisters"], said["claims"]) == ([], [])
    assert list(standing(run, app.path)["claims"]) == ["kept"]
    assert [line.split()[0] for line in refs(app)] == ["refs/gitqueen/claims/kept"]


def test_the_dead_come_back_as_claims_within_the_grace(
    repo: Callable[..., Repo], sister: Callable[..., Sister], run: Runner, lose: Callable[[], None]
) -> None:
    app = install(repo())
    iza, bea = sister("iza-1", app), sister("bea", app)
    iza.sh("iam 'the relay'; gitqueen claim deploy")
    bea.sh("iam 'the dam'; gitqueen claim water")
    lose()
    iza.kill()
    bea.kill()
    # Nothing tells of bea any more: whether she lives cannot be judged, so she holds what she holds.
    (app.path / f".git/gitqueen/live/{bea.pid}").unlink()
    rebuilt(run, app)
    found = standing(run, app.path)
    assert (found["sisters"], sorted(found["claims"])) == ({}, ["deploy", "water"])
    app.git("config", "gitqueen.grace", "0s")
    run("gitqueen", "scan", cwd=app)
    assert list(standing(run, app.path)["claims"]) == ["water"]


def test_only_what_is_ours_and_in_form_comes_back(
    repo: Callable[..., Repo], sister: Callable[..., Sister], run: Runner, tmp_path: Path, lose: Callable[[], None]
) -> None:
    app = install(repo())
    iza = sister("iza-1", app)
    iza.sh("iam 'the relay'; gitqueen claim deploy")
    claim = read(app, "refs/gitqueen/claims/deploy")
    machine, _, home = claim["queen"].partition(":")

    def another(name: str, **fields: object) -> None:
        put(app, f"refs/gitqueen/claims/{name}", json.dumps({**claim, "id": name, **fields}))

    (tmp_path / "living").mkdir()
    (tmp_path / "living" / "queen.db").touch()
    another("far", queen=f"00000000:{home}")
    another("living", queen=f"{machine}:{tmp_path}/living")
    another("gone", queen=f"{machine}:{tmp_path}/gone")
    another("older", queen=None)
    another("elsewhere", queen=None, machine="elsewhere")
    another("badpath", queen=None, paths=["../out"])
    another("badtime", queen=None, claimed_at="yesterday")
    another("badowner", queen=None, owner="a b")
    another("renamed", queen=None, id="other")
    another("list", queen=None, paths="src")
    put(app, "refs/gitqueen/tasks/iza-2", '{"sister": "iza-2", "task": "\\n"}')
    lose()
    said = rebuilt(run, app)
    assert [one["id"] for one in said["claims"]] == ["deploy", "gone", "older"]
    where = f"{app.path}: refs/gitqueen/"
    assert [fault.removeprefix(where).partition(" ")[0] for fault in said["faults"]] == [
        "claims/badowner",
        "claims/badpath",
        "claims/badtime",
        "claims/list",
        "claims/renamed",
        "tasks/iza-2",
    ]
    # What was taken over is ours now, and goes when it is given back.
    assert iza.sh("gitqueen release gone").rc == 0
    there = [line.split()[0].rpartition("/")[2] for line in refs(app)]
    assert "gone" not in there and "far" in there and "living" in there


def test_a_repository_that_came_as_an_archive_is_not_managed_for_it(
    repo: Callable[..., Repo], run: Runner, home: Path
) -> None:
    app = repo()
    (app.path / ".git/gitqueen/live").mkdir(parents=True)
    (app.path / f".git/gitqueen/live/{os.getpid()}").write_text("x\n1\nmallory\n\nhuman\n/\n")
    os.mkfifo(app.path / ".git/gitqueen/live/1")
    said = rebuilt(run, app)
    assert (said["managed"], said["sisters"], said["claims"]) == ([], [], [])
    with closing(sqlite3.connect(home / "queen.db")) as db:
        assert db.execute("SELECT count(*) FROM sisters").fetchone() == (0,)


def test_repositories_are_named_where_nobody_knows_them(
    repo: Callable[..., Repo], sister: Callable[..., Sister], run: Runner, home: Path, tmp_path: Path,
    lose: Callable[[], None],
) -> None:  # fmt: skip
    app = install(repo())
    sister("iza-1", app).sh("gitqueen claim deploy")
    lose()
    (home / "repositories").unlink()
    assert rebuilt(run, tmp_path)["repositories"] == []
    assert [one["id"] for one in rebuilt(run, tmp_path, "app")["claims"]] == ["deploy"]
    assert run("gitqueen", "doctor", "--rebuild", "nowhere", cwd=tmp_path).returncode == 4
    assert run("gitqueen", "doctor", "app", cwd=tmp_path).returncode == 2
    (home / "repositories").unlink()
    run("gitqueen", "scan", cwd=tmp_path, check=True)
    assert roster.read(os.fspath(home)) == [str(app.path)]


def test_the_list_of_repositories_takes_any_path(tmp_path: Path) -> None:
    home = os.fspath(tmp_path)
    odd = ["/a b", "/two\nlines", '"quoted"', os.fsdecode(b"/\xff"), "/\u2028"]
    assert roster.read(home) == []
    roster.add(home, odd[:3])
    roster.add(home, odd)
    assert roster.read(home) == odd
    (tmp_path / "repositories").write_bytes(b'"broken\n\n/kept\n"\xff"\n')
    assert roster.read(home)[0] == "/kept"
    roster.add(os.fspath(tmp_path / "nowhere"), odd)
