"""What history tells of every way to move a branch: each commit once, by whom it was, and no event that was none."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gitqueen.git import places
from gitqueen.services import queen, scanning, surveying
from gitqueen.store import commits, database
from tests.hive import PATIENCE, Repo, Runner, Sister, laid_over
from tests.hooks import kit


@pytest.fixture
def app(repo: Callable[..., Repo]) -> Repo:
    return kit.install(repo(files={"a": "1\n", "b": "1\n", "c": "1\n"}))


@pytest.fixture
def bea(app: Repo, sister: Callable[..., Sister]) -> Sister:
    bea = sister("bea", app)
    bea.sh("iam 'her work'")
    return bea


def ok(sister: Sister, command: str) -> str:
    """What she printed; she must succeed, and no hook may say a word."""
    done = sister.sh(command)
    assert (done.rc, "gitqueen" in done.err) == (0, False), (done, kit.crashes())
    return done.out


def topic(bea: Sister, *subjects: str) -> None:
    """A branch with these commits of hers, each with a file of its own, and one more commit on main."""
    ok(bea, "git switch -qc topic")
    for subject in subjects:
        ok(bea, f"echo {subject} >{subject}; git add {subject}; git commit -qm {subject}")
    ok(bea, "git switch -q main; echo 2 >c; git commit -qam main; git switch -q topic")
    kit.drained()


def told(app: Repo) -> list[tuple[str, str | None]]:
    return kit.committed(app)


def rewrote(app: Repo) -> list[dict[str, Any]]:
    return [one["detail"] for one in kit.events(app, "rewrote")]


def test_commits_in_every_form(app: Repo, bea: Sister) -> None:
    ok(bea, "echo 2 >a; git commit -qam all; echo 2 >b; git commit -qm only b; echo 3 >a; git add a")
    ok(bea, "git commit -qm staged; git commit -q --amend -m amended; git commit --no-verify --allow-empty -qm bypass")
    ok(bea, "mkdir sub; cd sub; echo 1 >d; git add d; git commit -qm below; cd ..")
    ok(bea, f"cd /; git -C {app.path} commit --allow-empty -qm from-root; cd {app.path}")
    ok(
        bea,
        f"cd /; git --git-dir={app.path}/.git --work-tree={app.path} commit --allow-empty -qm by-git-dir; cd -",
    )
    names = ["all", "only", "staged", "amended", "bypass", "below", "from-root", "by-git-dir"]
    assert told(app) == [(name, "bea") for name in names]
    assert rewrote(app) == [{"how": "amend", "commits": 1}]
    assert kit.events(app, "conflict-seen") == []


def test_merges(app: Repo, bea: Sister) -> None:
    topic(bea, "one")
    ok(bea, "git switch -q main; git merge -q --no-edit topic")
    ok(bea, "git switch -qc ff main~1; git merge -q --ff-only main")  # makes no commit
    ok(bea, "git switch -qc squashed main~1; git merge -q --squash topic; git commit -qm squash")
    # A merge that stops, and is committed by hand.
    ok(bea, "git switch -qc left main; echo left >a; git commit -qam left")
    ok(bea, "git switch -qc right main; echo right >a; git commit -qam right")
    assert bea.sh("git merge -q left").rc == 1
    ok(bea, "echo both >a; git commit -qam by-hand")
    names = ["one", "main", "Merge branch 'topic'", "squash", "left", "right", "by-hand"]
    assert told(app) == [(name, "bea") for name in names]


def test_cherry_pick_and_revert(app: Repo, bea: Sister) -> None:
    topic(bea, "one", "two")
    ok(bea, "git switch -q main; git cherry-pick topic~1 topic; git revert --no-edit HEAD")
    names = ["one", "two", "main", "one", "two", 'Revert "two"']
    assert told(app) == [(name, "bea") for name in names]


@pytest.mark.parametrize("backend", ["merge", "apply"])
def test_a_rebase_makes_nobodys_commit_the_rebasers(
    backend: str, app: Repo, bea: Sister, sister: Callable[..., Sister]
) -> None:
    topic(bea, "one", "two")
    iza = sister("iza", app)
    iza.sh("gitqueen inbox")
    ok(iza, "echo 3 >three; git add three; git commit -qm three")
    ok(iza, f"git rebase -q --{backend} main")
    before = [("one", "bea"), ("two", "bea"), ("main", "bea"), ("three", "iza")]
    assert told(app) == before
    assert rewrote(app) == [{"how": "rebase", "commits": 3}]
    assert makers(app, 3) == ["iza", "bea", "bea"]
    # Nothing that comes later takes them for new.
    ok(bea, "gitqueen scan; gitqueen scan")
    assert told(app) == before
    assert [one for one in kit.open_conflicts(app) if one["type"] == "branch-switched"] == []
    seen = [one["detail"] for one in kit.events(app, "conflict-seen")]
    assert {one["severity"] for one in seen if one["type"] == "branch-switched"} <= {"info"}


@pytest.mark.parametrize("backend", ["merge", "apply"])
def test_a_rebase_that_ends_while_a_scan_looks_makes_nothing_new(
    backend: str,
    app: Repo,
    bea: Sister,
    sister: Callable[..., Sister],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    topic(bea, "one", "two")
    iza = sister("iza", app)
    ok(iza, "gitqueen scan")
    kit.alone()
    # Says that somebody drains, this process: what the rebase tells waits when the scan has seen the new commits.
    (home / "spool" / "draining").write_text(f"{os.getpid()}\n")
    plan = surveying.plan

    def late(*args: Any) -> surveying.Survey:
        ok(iza, f"git rebase -q --{backend} main")
        return plan(*args)

    monkeypatch.setattr(surveying, "plan", late)
    assert scanning.scan(queen.open(os.environ, lambda: datetime.now(UTC), os.fspath(app.path))).faults == ()
    ok(iza, "gitqueen scan")
    assert told(app) == [("one", "bea"), ("two", "bea"), ("main", "bea")]
    assert rewrote(app) == [{"how": "rebase", "commits": 2}]
    assert makers(app, 2) == ["bea", "bea"]


def test_what_she_committed_last_is_hers_though_a_scan_buries_her_before_it_is_read(
    app: Repo, bea: Sister, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ok(bea, "gitqueen scan")
    kit.alone()
    look = scanning._look
    with (home / "spool" / "lock").open("ab") as lock:
        # Another drain is at it, and has not seen the record yet when the scan sees that she is dead.
        fcntl.flock(lock, fcntl.LOCK_EX)
        (home / "spool" / "draining").write_text(f"{os.getpid()}\n")
        ok(bea, "git commit -q --allow-empty -m last")
        bea.kill()

        def late(*args: Any) -> Any:
            found = look(*args)
            fcntl.flock(lock, fcntl.LOCK_UN)
            return found

        monkeypatch.setattr(scanning, "_look", late)
        seen = scanning.scan(queen.open(os.environ, lambda: datetime.now(UTC), os.fspath(app.path)))
    assert seen.gone == ("bea",)
    Runner(app.path)("gitqueen", "scan", check=True)
    assert told(app) == [("last", "bea")]


def makers(app: Repo, count: int) -> list[str | None]:
    """Who made the last commits, the latest first, as the book has it."""
    place = places.find(os.fspath(app))
    assert place is not None
    db = database.open(os.environ["GITQUEEN_HOME"])
    try:
        oids = app.git("log", f"-{count}", "--format=%H").split()
        return [commits.maker(db, place.common_dir, oid) for oid in oids]
    finally:
        db.close()


def test_an_interactive_rebase_tells_of_what_was_made_at_its_stops(app: Repo, bea: Sister, tmp_path: Path) -> None:
    topic(bea, "one", "two", "three", "four")
    ok(bea, "echo x >>two; git commit -qam 'fixup! two'")
    kit.drained()
    (tmp_path / "todo").write_text(
        '#!/bin/sh\nsed -i -e "s/^pick \\(.* one\\)$/edit \\1/" -e "s/^pick \\(.* four\\)$/squash \\1/" "$1"\n'
    )
    (tmp_path / "todo").chmod(0o755)
    ok(
        bea,
        f"export GIT_EDITOR=true; GIT_SEQUENCE_EDITOR={tmp_path}/todo git rebase -q -i --autosquash main 2>/dev/null",
    )
    assert app.git("log", "-1", "--format=%s") == "one"
    ok(bea, "git commit -q --amend -m 'one, better'; echo n >new; git add new; git commit -qm between; git add .")
    ok(bea, "git rebase --continue >/dev/null 2>&1")
    assert app.git("log", "--format=%s", "main..").split("\n") == ["three", "two", "between", "one, better"]
    # For git the last commit at a stop is what became of the one it stopped at, so the other one is new.
    names = ["one", "two", "three", "four", "main", "fixup! two"]
    assert told(app) == [(name, "bea") for name in [*names, "one, better"]]
    assert makers(app, 4) == ["bea"] * 4
    assert rewrote(app) == [{"how": "rebase", "commits": 5}]


def test_a_rebase_that_is_given_up_leaves_no_trace(app: Repo, bea: Sister) -> None:
    topic(bea, "one")
    ok(bea, "git switch -q main; echo z >one; git add one; git commit -qm other; git switch -q topic")
    assert bea.sh("git rebase -q main").rc == 1
    ok(bea, "git rebase --abort")
    assert told(app) == [("one", "bea"), ("main", "bea"), ("other", "bea")]
    assert rewrote(app) == []


def test_two_rebases_at_once_do_not_end_each_other(app: Repo, bea: Sister, sister: Callable[..., Sister]) -> None:
    topic(bea, "one")
    feat = app.worktree("feat")
    iza = sister("iza", feat)
    iza.sh("iam 'his work'; git -c core.editor=true rebase -q -i --exec false main >/dev/null 2>&1")
    # He stops, and commits what nobody else made; then she rebases to the end in her worktree.
    iza.sh("echo i >i; git add i; git commit -qm stopped")
    bea.sh("git rebase -q main")
    assert ("stopped", "bea") not in told(app)
    iza.sh("git rebase --abort")


def test_what_moves_no_branch_is_no_event(app: Repo, bea: Sister, sister: Callable[..., Sister]) -> None:
    topic(bea, "one", "two", "three", "four")
    iza = sister("iza", app)
    iza.sh("iam 'his work'; gitqueen inbox; gitqueen scan")
    kit.no_scan_due()
    before = len(kit.events(app, "conflict-seen"))
    ok(
        bea,
        "git bisect start >/dev/null; git bisect bad; git bisect good main~1 >/dev/null; git bisect good >/dev/null",
    )
    ok(bea, "git bisect reset >/dev/null 2>&1")
    ok(bea, "echo dirty >a; git stash -q; git stash pop -q; git checkout -q -- a; git restore a; git reset -q --hard")
    ok(bea, "git branch other; git tag t; git gc -q")
    ok(
        bea,
        f"new={app.path}-new; git worktree add -q $new -b new; git clone -q . $new-clone; git worktree remove $new",
    )
    assert told(app) == [(name, "bea") for name in ("one", "two", "three", "four", "main")]
    seen = [one for one in kit.events(app, "conflict-seen")[before:] if one["detail"]["severity"] != "info"]
    assert seen == []
    bea.sh("gitqueen scan")
    assert [one for one in kit.open_conflicts(app) if one["type"] == "branch-switched"] == []
    # Making a worktree is not going there.
    assert [one["worktree"] for one in kit.sisters(app) if one["name"] == "bea"] == [str(app.path)]


def test_am_and_other_libraries_are_seen_by_the_scan(app: Repo, bea: Sister, tmp_path: Path) -> None:
    bea.sh("gitqueen scan")
    topic(bea, "one")
    ok(bea, f"git switch -q main; git format-patch -q -1 topic -o {tmp_path}; gitqueen scan")
    ok(bea, f"git am -q {tmp_path}/0001-one.patch")
    by_library = (
        "import pygit2; r = pygit2.Repository('.'); s = pygit2.Signature('K', 'k@example.org', 1, 0)\\n"
        "r.create_commit('HEAD', s, s, 'library', r.head.peel().tree_id, [r.head.target])"
    )
    ok(bea, f'printf "{by_library}" | python -')
    bea.sh("gitqueen scan")
    assert told(app) == [("one", "bea"), ("main", "bea"), ("one", "bea"), ("library", "bea")]


def test_what_bypassed_the_question_is_told_afterwards(app: Repo, bea: Sister, sister: Callable[..., Sister]) -> None:
    iza = sister("iza", app.worktree("feat"))
    iza.sh("iam 'his work'; gitqueen claim left --path a; echo 2 >>b")
    kit.no_scan_due()
    ok(bea, "echo 2 >a; echo 2 >b; git commit --no-verify -qam bypass")
    kit.until(lambda: len(kit.mail(iza)) == 2, "he hears of it")
    assert told(app) == [("bypass", "bea")]
    work = "iza's uncommitted work"
    assert sorted(one["body"].split("\n")[0] for one in kit.mail(iza)) == [
        "file-collision: bea has a, claimed by iza (left) since "
        + kit.mail(iza)[0]["body"].split("since ")[1].split("\n")[0],
        f'file-collision: bea has b, conflicts with {work} in line 1 (hers 1), on feat in {app.path}-feat, "his work"',
    ]
    assert len(kit.mail(bea)) == 2


def test_a_captured_commit_returns_while_the_drain_goes_on(app: Repo, bea: Sister, home: Path) -> None:
    # Whoever holds the drain's lock makes every drain wait.
    holder = bea.sh(f"flock {home}/spool/lock sleep 100 >/dev/null 2>&1 & echo $!").out.strip()
    kit.until(lambda: subprocess.run(["flock", "-n", f"{home}/spool/lock", "true"], check=False).returncode, "held")
    said = bea.sh('exec 9>lockfile; flock 9; out=$(git commit --allow-empty -m captured 2>&1); echo "$out"; exec 9>&-')
    assert said.out.endswith("captured\n")
    done = subprocess.run(
        ["git", "commit", "--allow-empty", "-qm", "piped"], cwd=app, env=laid_over({"GITQUEEN_PID": str(bea.pid)}),
        stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == (b"", b"")
    assert [name for name in kit.spool() if name.startswith("post-commit.")] != []
    # The lock that whoever commits holds is not held by what we left behind.
    kit.until(
        lambda: subprocess.run(["flock", "-n", f"{app.path}/lockfile", "true"], check=False).returncode == 0, "free"
    )
    bea.sh(f"pkill -P {holder}; kill {holder}")
    assert told(app) == [("captured", "bea"), ("piped", "bea")]
