"""Mirroring: refs in managed repositories say exactly what the database says, whatever happens to either."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gitqueen.git import refs
from gitqueen.git.refs import Change
from gitqueen.services import mirroring
from tests.git import kinds
from tests.hive import Repo, Runner, Sister
from tests.hooks.kit import install

TASK, CLAIM = "refs/gitqueen/tasks/iza-1", "refs/gitqueen/claims/deploy"


def mirror(app: Repo) -> dict[str, Any]:
    """Ref -> what it says, of all that stands below ours; text where it is no JSON."""
    found = {}
    for ref in app.git("for-each-ref", "--format=%(refname)", "refs/gitqueen").splitlines():
        said = app.git("cat-file", "-p", ref)
        try:
            found[ref] = json.loads(said)
        except (ValueError, RecursionError):
            found[ref] = said
    return found


def put(app: Repo, ref: str, text: str) -> str:
    oid = Runner(app.path)("git", "hash-object", "-w", "--stdin", input=text, check=True).stdout.strip()
    app.git("update-ref", ref, oid)
    return oid


def checks(app: Repo) -> dict[str, list[tuple[bool, str]]]:
    said = json.loads(Runner(app.path)("gitqueen", "doctor", "--json").stdout)
    found: dict[str, list[tuple[bool, str]]] = {}
    for one in said["checks"]:
        found.setdefault(one["name"], []).append((one["ok"], one["detail"]))
    return found


# What is decided


def blob(text: bytes) -> str:
    return refs.object_id("blob", text, "0" * 40)


@pytest.mark.parametrize(
    ("wanted", "there", "mine", "plan"),
    [
        pytest.param({}, {}, [], mirroring.Plan(()), id="nothing"),
        pytest.param({"a": b"1"}, {}, [], mirroring.Plan((Change("a", None, b"1"),)), id="new"),
        pytest.param({"a": b"1"}, {"a": blob(b"1")}, [], mirroring.Plan(()), id="as it should be, whoever wrote it"),
        pytest.param({"a": b"1"}, {"a": "o"}, ["a"], mirroring.Plan((Change("a", "o", b"1"),)), id="changed"),
        pytest.param({}, {"a": "o"}, ["a"], mirroring.Plan((Change("a", "o", None),)), id="over"),
        pytest.param({}, {"a": "o"}, [], mirroring.Plan(()), id="a stranger's"),
        pytest.param({"a": b"1"}, {"a": "o"}, [], mirroring.Plan((), ("a",)), id="a stranger's in our place"),
    ],
)
def test_the_plan(wanted: dict[str, bytes], there: dict[str, str], mine: list[str], plan: mirroring.Plan) -> None:
    assert mirroring.plan(wanted, there, mine) == plan


def test_a_new_database_takes_nothing_away() -> None:
    """It may stand in the place of one that was lost."""
    made = mirroring.plan({"b": b"2"}, {"a": "o", "b": "p"}, ["a", "b"], keep=True)
    assert made == mirroring.Plan((Change("b", "p", b"2"),), (), ("a",))


# What commands do


def test_a_task_is_mirrored_exactly_while_declared(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    app = install(repo())
    iza = sister("iza-1", app)
    assert iza.sh("iam 'the relay'").rc == 0
    said = mirror(app)
    assert list(said) == [TASK]
    assert said[TASK].pop("started_at").endswith("Z")
    assert said[TASK].pop("queen").endswith(os.environ["GITQUEEN_HOME"])
    assert said[TASK] == {
        "sister": "iza-1",
        "task": "the relay",
        "branch": "main",
        "worktree": str(app.path),
        "machine": os.uname().nodename,
    }
    iza.sh("iam 'another \x1b[31m'")
    assert mirror(app)[TASK]["task"] == "another \x1b[31m"
    assert "\x1b" not in app.git("cat-file", "-p", TASK)
    assert iza.sh("gitqueen whoami --name bea").rc == 0
    assert list(mirror(app)) == ["refs/gitqueen/tasks/bea"]
    iza.sh("iam --done")
    assert mirror(app) == {}


def test_a_claim_is_mirrored_exactly_while_held(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    app = install(repo())
    iza = sister("iza-1", app)
    iza.sh("gitqueen claim deploy -m 'to production' --ttl 2h; gitqueen claim src --path 'src/**'")
    said = mirror(app)
    assert list(said) == [CLAIM, "refs/gitqueen/claims/src"]
    assert list(said[CLAIM]) == "id owner description paths machine claimed_at expires_at nonce queen".split()
    assert (said[CLAIM]["description"], said[CLAIM]["paths"]) == ("to production", [])
    assert said[CLAIM]["claimed_at"] < said[CLAIM]["expires_at"]
    assert len(said[CLAIM]["nonce"]) == 32 and said[CLAIM]["nonce"] != said["refs/gitqueen/claims/src"]["nonce"]
    assert said["refs/gitqueen/claims/src"]["paths"] == ["src/**"]
    other = sister("iza-2", app)
    assert other.sh("gitqueen release deploy --force").rc == 0
    iza.sh("gitqueen release src")
    assert mirror(app) == {}


def test_a_claim_is_mirrored_while_its_command_runs(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    app = install(repo())
    iza = sister("iza-1", app)
    done = iza.sh("gitqueen claim deploy -- git for-each-ref --format='%(refname)' refs/gitqueen")
    assert (done.rc, done.out) == (0, f"{CLAIM}\n")
    assert mirror(app) == {}


def test_a_repository_that_is_not_managed_is_left_alone(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = repo()
    iza = sister("iza-1", app)
    iza.sh("iam 'the relay'; gitqueen claim deploy; git commit -q --allow-empty -m x; gitqueen scan")
    assert app.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert not (app.path / ".git/gitqueen").exists()
    # From now on it is, with what stands already.
    iza.sh("gitqueen hooks install")
    assert list(mirror(app)) == [CLAIM, TASK]
    iza.sh("gitqueen hooks uninstall")
    assert mirror(app) == {}


def test_a_sister_who_goes_elsewhere_takes_her_task_along(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app, other = install(repo()), install(repo("other"))
    iza = sister("iza-1", app)
    iza.sh(f"iam 'the relay'; gitqueen claim deploy; cd {other.path}; iam 'the relay there'")
    assert list(mirror(app)) == [CLAIM]  # where it was taken
    assert list(mirror(other)) == [TASK]


@pytest.mark.parametrize(
    "kind", ["linked", "bare", "sha256", pytest.param("reftable", marks=pytest.mark.needs_newer_git)]
)
def test_every_kind_of_repository_has_its_mirror(
    kind: str, tmp_path: Path, sister: Callable[..., Sister], request: pytest.FixtureRequest
) -> None:
    if kind == "reftable":
        request.getfixturevalue("newer_git")
    app = install(Repo(kinds.BUILDERS[kind](tmp_path).top))
    iza = sister("iza-1", app)
    iza.sh("iam 'the relay'; gitqueen claim deploy; gitqueen scan; iam --done; gitqueen release deploy; iam again")
    assert {ref: said["task"] for ref, said in mirror(app).items()} == {TASK: "again"}


# What a scan does


def test_a_scan_puts_right_what_somebody_changed(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    app = install(repo())
    iza = sister("iza-1", app)
    iza.sh("iam 'the relay'; gitqueen claim deploy; gitqueen scan; gitqueen scan")
    before = mirror(app)
    app.git("update-ref", "-d", TASK)
    over = {**before[CLAIM], "id": "over"}
    put(app, "refs/gitqueen/claims/over", json.dumps(over))
    put(app, CLAIM, json.dumps({**before[CLAIM], "owner": "mallory"}))
    assert iza.sh("gitqueen scan").rc == 0
    assert mirror(app) == before
    app.git("pack-refs", "--all", "--prune")
    app.git("update-ref", "-d", CLAIM)
    iza.sh("gitqueen scan")
    assert mirror(app) == before


def test_a_scan_of_what_did_not_change_costs_no_process(
    repo: Callable[..., Repo], sister: Callable[..., Sister], tmp_path: Path
) -> None:
    app = install(repo())
    iza = sister("iza-1", app)
    iza.sh("iam 'the relay'; sleep 0.15; gitqueen scan; gitqueen scan")
    quiet, busy = tmp_path / "quiet", tmp_path / "busy"
    iza.sh(f"GIT_TRACE={quiet} gitqueen scan")
    app.git("update-ref", "-d", TASK)
    iza.sh(f"GIT_TRACE={busy} gitqueen scan")
    asked = "for-each-ref '--format=%(objectname) %(refname)' refs/gitqueen"
    assert asked not in (quiet.read_text() if quiet.exists() else "")
    assert asked in busy.read_text()


def test_an_older_database_is_the_truth_all_the_same(
    repo: Callable[..., Repo], sister: Callable[..., Sister], home: Path
) -> None:
    """Somebody restored a backup: the mirror follows it, both ways."""
    app = install(repo())
    iza = sister("iza-1", app)
    iza.sh("iam 'the relay'; gitqueen claim deploy")
    with closing(sqlite3.connect(home / "queen.db")) as db, closing(sqlite3.connect(home / "backup.db")) as backup:
        db.backup(backup)
    iza.sh("iam 'later'; gitqueen release deploy; gitqueen claim later")
    for name in ("queen.db", "queen.db-wal", "queen.db-shm"):
        (home / name).unlink(missing_ok=True)
    (home / "backup.db").rename(home / "queen.db")
    iza.sh("gitqueen scan")
    said = mirror(app)
    assert list(said) == [CLAIM, TASK]
    assert said[TASK]["task"] == "the relay"


def test_the_dead_leave_their_task_at_once_and_their_claims_after_the_grace(
    repo: Callable[..., Repo], sister: Callable[..., Sister], run: Runner
) -> None:
    app = install(repo())
    iza = sister("iza-1", app)
    iza.sh("iam 'the relay'; gitqueen claim deploy; gitqueen claim short --ttl 1s")
    iza.kill()
    run("gitqueen", "scan", cwd=app, check=True)
    assert TASK not in mirror(app) and CLAIM in mirror(app)
    app.git("config", "gitqueen.grace", "0s")
    run("sleep", "1")
    run("gitqueen", "scan", cwd=app, check=True)
    assert mirror(app) == {}


# Who cannot be written


@pytest.mark.parametrize("lock", [f"{TASK}.lock", "packed-refs.lock"])
def test_a_locked_repository_never_stops_a_command(
    lock: str, repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = install(repo())
    iza = sister("iza-1", app)
    iza.sh("iam 'first'; git pack-refs --all")
    held = app.write(f".git/{lock}", "")
    done = iza.sh("iam 'second' && iam --done")
    assert (done.rc, done.err) == (0, "")
    said = checks(app)["mirror"]
    assert [ok for ok, _ in said] == [False] and lock in said[0][1]
    assert iza.sh("gitqueen scan").rc == 0
    held.unlink()
    iza.sh("gitqueen scan")
    assert mirror(app) == {}
    assert "mirror" not in checks(app)


def test_what_stands_in_the_way_of_one_ref_does_not_stop_the_others(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    """A folder where the claim should be, and a broken file where the task should be."""
    app = install(repo())
    put(app, f"{CLAIM}/x", "mine")
    app.write(f".git/{TASK}", "no id\n")
    iza = sister("iza-1", app)
    done = iza.sh("iam 'the relay' && gitqueen claim deploy && gitqueen claim other && gitqueen scan")
    assert done.rc == 0
    assert list(mirror(app)) == [f"{CLAIM}/x", "refs/gitqueen/claims/other"]
    [(ok, said)] = checks(app)["mirror"]
    assert not ok and CLAIM in said and TASK in said
    app.git("update-ref", "-d", f"{CLAIM}/x")
    (app.path / f".git/{TASK}").unlink()
    iza.sh("gitqueen scan")
    assert list(mirror(app)) == [CLAIM, "refs/gitqueen/claims/other", TASK]


def test_a_repository_that_is_gone_or_another_one_is_no_fault(
    repo: Callable[..., Repo], sister: Callable[..., Sister], tmp_path: Path
) -> None:
    app = install(repo())
    gone = install(repo("gone"))
    iza = sister("iza-1", gone)
    iza.sh(f"iam 'the relay'; gitqueen claim deploy; cd {app.path}")
    gone.path.rename(tmp_path / "moved")
    repo("gone")
    assert iza.sh("iam 'here' && gitqueen scan").rc == 0
    assert list(mirror(app)) == [TASK]
    (tmp_path / "gone" / ".git").rename(tmp_path / "gone" / "git")
    assert iza.sh("iam 'again' && gitqueen scan").rc == 0


# Whose it is


def test_two_queens_leave_each_other_alone(
    repo: Callable[..., Repo], sister: Callable[..., Sister], tmp_path: Path
) -> None:
    app = install(repo())
    theirs = {"GITQUEEN_HOME": os.fspath(tmp_path / "another")}
    iza, eve = sister("iza-1", app), sister("eve", app, env=theirs)
    iza.sh("iam 'the relay'; gitqueen claim deploy")
    eve.sh("gitqueen hooks install; iam 'the dam'; gitqueen claim deploy; gitqueen claim dam; gitqueen scan")
    iza.sh("gitqueen scan")
    said = mirror(app)
    assert {ref: one.get("owner") or one["sister"] for ref, one in said.items()} == {
        CLAIM: "iza-1",
        "refs/gitqueen/claims/dam": "eve",
        "refs/gitqueen/tasks/eve": "eve",
        TASK: "iza-1",
    }
    assert checks(app)["other queens"] == [(True, f"{app.path}: 2 refs of another queen, left alone")]
    her = json.loads(eve.sh("gitqueen doctor --json").out)["checks"]
    [wrong] = [one["detail"] for one in her if one["name"] == "mirror"]
    assert wrong == f"{app.path}: {CLAIM}: somebody else wrote that, left alone"
    iza.sh("iam --done; gitqueen release deploy; gitqueen scan")
    eve.sh("gitqueen scan")
    assert mirror(app)[CLAIM]["owner"] == "eve"
    iza.sh("gitqueen hooks uninstall")
    assert len(mirror(app)) == 3


def test_what_strangers_pushed_is_left_alone_and_said(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    app = install(repo())
    app.git("tag", "-am", "x", "v1")
    app.git("update-ref", "refs/gitqueen/tasks/a-commit", app.head)
    app.git("update-ref", "refs/gitqueen/tasks/a-tag", app.git("rev-parse", "v1"))
    app.git("update-ref", "refs/gitqueen/claims/a-tree", app.git("rev-parse", "HEAD^{tree}"))
    app.git("update-ref", "refs/gitqueen/elsewhere", app.head)
    put(app, "refs/gitqueen/claims/huge", '{"id": "' + "x" * refs.LARGEST)
    put(app, "refs/gitqueen/claims/nonsense", "[" * 5000)
    put(app, "refs/gitqueen/claims/\u202eevil", "{}")
    put(app, "refs/gitqueen/tasks/bob", json.dumps({"sister": "bob", "task": "theirs", "machine": "far"}))
    before = mirror(app)
    iza = sister("iza-1", app)
    assert iza.sh("iam 'the relay'; gitqueen claim a-tree; gitqueen scan").rc == 0
    after = mirror(app)
    assert after.pop(TASK)["task"] == "the relay"
    assert after == before
    said = checks(app)
    assert sorted(detail.removeprefix(f"{app.path}: refs/gitqueen/") for _, detail in said["stranger"]) == [
        "claims/a-tree is a tree, left alone",
        "claims/huge is no task or claim, left alone",
        "claims/nonsense is no task or claim, left alone",
        "claims/\u202eevil is no task or claim, left alone",
        "elsewhere is a commit, left alone",
        "tasks/a-commit is a commit, left alone",
        "tasks/a-tag is a tag, left alone",
    ]
    assert said["mirror"] == [(False, f"{app.path}: refs/gitqueen/claims/a-tree: somebody else wrote that, left alone")]
    assert said["other queens"] == [(True, f"{app.path}: 1 ref of another queen, left alone")]


def test_names_that_differ_in_case_alone_where_files_do_not(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = install(repo())
    iza = sister("iza-1", app)
    iza.sh("gitqueen claim Deploy; gitqueen claim deploy")
    assert list(mirror(app)) == ["refs/gitqueen/claims/Deploy", CLAIM]
    iza.sh("gitqueen release Deploy; gitqueen release deploy")
    app.git("config", "core.ignoreCase", "true")
    iza.sh("gitqueen claim Deploy; gitqueen claim deploy")
    assert list(mirror(app)) == ["refs/gitqueen/claims/Deploy"]
    assert checks(app)["mirror"] == [(False, f"{app.path}: {CLAIM}: somebody else wrote that, left alone")]


def test_a_remote_that_mirrors_is_said(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    app = install(repo())
    app.git("remote", "add", "--mirror=push", "backup", "/nowhere")
    said = f"{app.path}: a push to backup takes tasks, claims and notes along (remote.backup.mirror)"
    assert checks(app)["mirror remote"] == [(True, said)]
