"""The shell text as git runs it, in every shell that may be somebody's /bin/sh or stand in his hook's first line."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen.git.hooktext import tool
from tests.hive import Repo, Runner, Sister
from tests.hooks import kit


def shebang(words: str) -> str:
    return "#!/usr/bin/env -S " + words


SHELLS = [
    pytest.param("sh", id="sh"),
    pytest.param("dash -eu", marks=pytest.mark.needs_dash, id="dash"),
    pytest.param("bash -eu", marks=pytest.mark.needs_bash, id="bash"),
    pytest.param("bash --posix", marks=pytest.mark.needs_bash, id="bash-posix"),
    pytest.param("busybox sh -eu", marks=pytest.mark.needs_busybox, id="busybox"),
    pytest.param("zsh -feu", marks=pytest.mark.needs_zsh, id="zsh"),
    pytest.param("zsh --emulate sh -f", marks=pytest.mark.needs_zsh, id="zsh-as-sh"),
]


@pytest.fixture(params=SHELLS)
def app(request: pytest.FixtureRequest, repo: Callable[..., Repo], tmp_path: Path) -> Repo:
    """A managed repository whose hooks run in each shell; behind our block stand lines of somebody else's hook."""
    app = kit.install(repo(files={"a": "1\n", "b": "1\n"}))
    for event in kit.EVENTS:
        after = f'echo "{event} $#" >>{tmp_path}/ran\n' + (
            f"cat >{tmp_path}/stdin\n" if event == "post-rewrite" else ""
        )
        kit.stub(app, event, shebang(request.param), after)
    return app


def test_every_path_through_the_hooks(app: Repo, sister: Callable[..., Sister], tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    # Nobody lives here: nothing is said, nothing is recorded.
    assert Runner(app.path)("git", "commit", "--allow-empty", "-qm", "quiet").stderr == ""
    assert ran.read_text() == "pre-commit 0\npost-commit 0\n"
    # One sister, who commits herself: recorded, and nothing is said.
    bea = sister("bea", app)
    bea.sh("iam 'her work'")
    assert bea.sh("git commit --allow-empty -qm alone") == (0, "", "")
    assert kit.committed(app) == [("alone", "bea")]
    old = app.head
    assert bea.sh("git commit --amend --allow-empty -qm amended") == (0, "", "")
    assert kit.committed(app) == [("alone", "bea"), ("amended", "bea")]
    # Whoever stands behind us in a hook's file reads what git gave it.
    assert (tmp_path / "stdin").read_text() == f"{old} {app.head}\n"
    # Somebody else, elsewhere: warned.
    iza = sister("iza", app.worktree("feat"))
    iza.sh("iam 'his work'; echo 2 >>a")
    said = bea.sh("echo mine >>a; git commit -qam both")
    assert (said.rc, said.out) == (0, "")
    assert said.err == (
        "🐝 ⚠ gitqueen: this commit collides with iza\n"
        '  iza [feat] conflicts in a line 2 (hers 2), uncommitted, on "his work"\n'
        '  Ask: gitqueen tell iza "..."   Look: gitqueen check\n'
    )
    # Refused: the hook ends with 1 before anybody else's lines run, and GITQUEEN_SKIP goes on in spite of it.
    bea.sh("git config gitqueen.policy block; echo 3 >>a")
    ran.write_text("")
    refused = bea.sh("git commit -qam refused")
    assert (refused.rc, refused.err.splitlines()[0]) == (1, "🐝 ✗ gitqueen: commit refused, it collides with iza")
    assert ran.read_text() == ""
    assert bea.sh("GITQUEEN_SKIP=1 git commit -qam skipped") == (0, "", "")
    assert ran.read_text() == "pre-commit 0\npost-commit 0\n"
    # Dead within the grace: her marker is worth nothing, her claim is.
    iza.sh("gitqueen claim bees --path b -m 'counting'")
    iza.kill()
    bea.sh("gitqueen scan")
    kit.no_scan_due()
    said = bea.sh("echo 2 >>b; git commit -qam claimed")
    assert (said.rc, said.err.splitlines()[1]) == (1, "  iza claimed b just now (bees: counting)")
    # What was skipped has no hook's record: the scan saw it.
    assert kit.committed(app)[2:] == [("both", "bea"), ("skipped", "bea")]


def test_five_thousand_pairs_are_kept_for_whoever_stands_behind_us(
    app: Repo, sister: Callable[..., Sister], tmp_path: Path
) -> None:
    bea = sister("bea", app)
    bea.sh("iam 'her work'")
    for count in (0, 1, 15, 16, 17, 5000):
        pairs = "".join(f"{number:040x} {number + 1:040x}\n" for number in range(count))
        (tmp_path / "pairs").write_text(pairs)
        assert bea.sh(f".git/hooks/post-rewrite rebase <{tmp_path}/pairs") == (0, "", "")
        assert (tmp_path / "stdin").read_text().rstrip("\n") == pairs.rstrip("\n")
    assert [one["detail"]["commits"] for one in kit.events(app, "rewrote")] == [0, 1, 15, 16, 17, 5000]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_home_that_cannot_be_written_stops_nothing(shell: str, repo: Callable[..., Repo], home: Path) -> None:
    app = kit.install(repo())
    for event in kit.EVENTS:
        kit.stub(app, event, shebang(shell))
    # Root writes everywhere, but nobody writes a file where a folder is.
    (home / "next-scan").unlink()
    (home / "now").mkdir()
    done = Runner(app.path)("git", "commit", "--allow-empty", "-qm", "goes on")
    assert (done.returncode, done.stderr) == (0, "")
    (app.path / ".git/gitqueen/live").mkdir(exist_ok=True)
    (app.path / f".git/gitqueen/live/{os.getpid()}").touch()
    shutil.rmtree(home / "spool")
    (home / "spool").touch()
    done = Runner(app.path)("git", "commit", "--allow-empty", "-qm", "goes on again")
    assert (done.returncode, done.stderr) == (0, "")
    assert app.git("log", "--format=%s") == "goes on again\ngoes on\nfirst"


@pytest.mark.needs_strace
@pytest.mark.parametrize(
    "shell",
    [
        pytest.param("dash", marks=pytest.mark.needs_dash),
        pytest.param("bash", marks=pytest.mark.needs_bash),
        pytest.param("busybox sh", marks=pytest.mark.needs_busybox),
        pytest.param("zsh -f", marks=pytest.mark.needs_zsh),
    ],
)
def test_what_a_commit_starts(
    shell: str, repo: Callable[..., Repo], sister: Callable[..., Sister], tmp_path: Path
) -> None:
    app = kit.install(repo())
    program, *words = shell.split()
    for event in kit.EVENTS:
        # Not by env: that would be a program more.
        kit.stub(app, event, " ".join([f"#!{shutil.which(program)}", *words]))
    trace = tmp_path / "trace"
    commit = f"{kit.STRACE} {trace}.%s git commit --allow-empty -qm traced"
    hooks = ["pre-commit", "post-commit"]
    # Without any sister, also with the marker of one who is gone: git, the hooks, and nothing that they start.
    (app.path / ".git/gitqueen/live").mkdir(exist_ok=True)
    (app.path / ".git/gitqueen/live/4194999").touch()
    Runner(app.path)("sh", "-c", commit % "nobody", check=True)
    assert started(tmp_path / "trace.nobody") == hooks
    assert forks(tmp_path / "trace.nobody", app) == 0
    # With one who commits herself: the drain of what was recorded, after the commit is made.
    bea = sister("bea", app)
    bea.sh("iam 'her work'")
    # `iam` itself starts a drain, for the note that the task began.
    kit.until(lambda: app.git("for-each-ref", "refs/notes"), "it is noted that the task began")
    kit.drained()
    assert bea.sh(commit % "alone").rc == 0
    assert started(tmp_path / "trace.alone") == [*hooks, os.path.basename(tool().python)]
    assert forks(tmp_path / "trace.alone", app) == 1


def started(trace: Path) -> list[str]:
    return [name for name in kit.programs(trace) if name != "git"]


def forks(trace: Path, app: Repo) -> int:
    """How many processes the hooks' shells forked."""
    calls = kit.calls(trace)
    shells = {pid for pid, call in calls if re.match(rf'execve\("({re.escape(str(app.path))}/)?\.git/hooks/', call)}
    assert len(shells) == 2
    return sum(pid in shells and bool(re.match(r"(clone3?|fork|vfork)\(", call)) for pid, call in calls)


def test_a_repository_that_is_not_managed_is_left_alone(
    repo: Callable[..., Repo], sister: Callable[..., Sister], home: Path
) -> None:
    other = repo("other")
    for event in kit.EVENTS:
        kit.stub(other, event, "#!/bin/sh")
    bea, iza = sister("bea", other), sister("iza", other)
    bea.sh("iam 'her work'")
    iza.sh("iam 'his work'")
    before = everything(home, other.path)
    assert bea.sh("git commit --allow-empty -qm first; git switch -qc topic") == (0, "", "")
    mine = {f"{other.path}/.git/{name}" for name in ("COMMIT_EDITMSG", "refs/heads/topic", "logs/refs/heads/topic")}
    assert {path for path in everything(home, other.path) - before if "/objects/" not in path} <= mine


def everything(*roots: Path) -> set[str]:
    return {str(path) for root in roots for path in root.rglob("*")}


def test_a_quiet_commit_has_somebody_look_around_when_it_is_time(repo: Callable[..., Repo], home: Path) -> None:
    app = kit.install(repo())
    due = home / "next-scan"
    due.unlink()
    done = Runner(app.path)("git", "commit", "--allow-empty", "-qm", "quiet")
    assert (done.returncode, done.stderr) == (0, "")
    kit.until(due.exists, "a scan that nobody waits for says when the next one is due")
    assert kit.crashes() == ""
