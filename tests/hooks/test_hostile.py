"""A repository that arrives with a prepared git folder makes us run, read or wait for nothing of its choosing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hive import Repo, Sister, laid_over
from tests.hooks import kit


def hooks_at_work(repo: Repo) -> None:
    """As under a global configuration: our hooks run here, though nobody asked for it."""
    for event in kit.EVENTS:
        kit.stub(repo, event, "#!/bin/sh")


def looks_managed(repo: Repo) -> Path:
    folder = repo.path / ".git/gitqueen"
    (folder / "live").mkdir(parents=True)
    return folder


def tried(repo: Repo, bea: Sister) -> str:
    """What the hooks say to a commit, an amend and a checkout in it; each must be done."""
    said = bea.sh(
        f"cd {repo.path} && git commit --allow-empty -qm one && git commit --amend --allow-empty -qm two"
        " && git switch -qc topic"
    )
    assert said.rc == 0, said
    return said.err


@pytest.fixture
def bea(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> Sister:
    """She works in a managed repository of her own, and somebody else does."""
    own = kit.install(repo("own"))
    bea = sister("bea", own)
    bea.sh("iam 'her work'; gitqueen scan")
    kit.no_scan_due()
    return bea


def test_markers_of_its_own_choosing_make_it_no_managed_one(
    repo: Callable[..., Repo], bea: Sister, sister: Callable[..., Sister], home: Path
) -> None:
    app = repo()
    hooks_at_work(app)
    folder = looks_managed(app)
    for name in ("1", "0", "-1", "x", "$(touch pwned)", "`touch pwned`", "9" * 200, str(os.getpid())):
        (folder / "live" / name).write_text("x" * 100_000)
    os.mkfifo(folder / "live" / "12345")
    (folder / "claims").symlink_to("/etc/passwd")
    app.git("config", "gitqueen.policy", "block")
    assert tried(app, bea) == ""
    kit.drained()
    assert not (app.path / "pwned").exists()
    assert [one for one in kit.events(app, "committed") if one["repo"] == str(app.path)] == []
    assert kit.crashes() == ""


@pytest.mark.parametrize("part", ["gitqueen", "gitqueen/live"])
def test_links_in_the_place_of_our_folders_are_none_of_ours(
    part: str, repo: Callable[..., Repo], bea: Sister, tmp_path: Path
) -> None:
    app = repo()
    hooks_at_work(app)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "live").mkdir(parents=True)
    (elsewhere / "1").touch()
    (app.path / ".git" / part).parent.mkdir(exist_ok=True)
    (app.path / ".git" / part).symlink_to(elsewhere)
    before = sorted(tmp_path.rglob("elsewhere/*"))
    assert tried(app, bea) == ""
    assert sorted(tmp_path.rglob("elsewhere/*")) == before


def test_nothing_of_it_is_waited_for(repo: Callable[..., Repo], bea: Sister, home: Path) -> None:
    """git itself would wait for some of it: the hooks are run by hand, as git would run them in such a folder."""
    app = repo()
    hooks_at_work(app)
    folder = looks_managed(app)
    (folder / "live" / str(os.getpid())).touch()
    git = app.path / ".git"
    head = git / "HEAD"
    for fate in ("fifo", "huge", "commondir fifo", "commondir away", "git file"):
        if fate == "fifo":
            head.unlink()
            os.mkfifo(head)
        elif fate == "huge":
            head.unlink()
            with head.open("wb") as file:
                file.write(b"ref: refs/heads/main\n")
                file.truncate(1 << 32)
        elif fate == "commondir fifo":
            head.unlink()
            head.write_text("ref: refs/heads/main\n")
            os.mkfifo(git / "commondir")
        elif fate == "commondir away":
            (git / "commondir").unlink()
            (git / "commondir").write_text("/proc/self/root/proc\n")
        else:
            git.rename(app.path / "hidden")
            git.write_text("gitdir: hidden/../hidden\n")
            (app.path / "hidden/commondir").unlink()
        hooks = app.path / ("hidden" if fate == "git file" else ".git") / "hooks"
        for event in ("pre-commit", "post-commit"):
            done = subprocess.run(
                [hooks / event], cwd=app, env=laid_over({"GITQUEEN_HOOK_LIMIT": "1", "GITQUEEN_PID": str(bea.pid)}),
                stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False,
            )  # fmt: skip
            assert done.returncode == 0, (fate, event, done)
            assert done.stderr.count(b"\n") <= 1, (fate, event, done)
        kit.drained()


def test_five_thousand_markers(repo: Callable[..., Repo], bea: Sister) -> None:
    app = kit.install(repo())
    live = app.path / ".git/gitqueen/live"
    live.mkdir(exist_ok=True)
    for number in range(5_000):
        (live / str(5_000_000 + number)).touch()
    assert bea.sh(f"cd {app.path}; git commit --allow-empty -qm one") == (0, "", "")


def test_programs_that_its_configuration_names_are_not_started(
    repo: Callable[..., Repo], bea: Sister, sister: Callable[..., Sister], tmp_path: Path
) -> None:
    app = repo(files={"a": "1\n"})
    hooks_at_work(app)
    looks_managed(app)
    (app.path / f".git/gitqueen/live/{os.getpid()}").touch()
    trap = tmp_path / "trap"
    trap.write_text(f'#!/bin/sh\n[ -z "$GITQUEEN_CHILD" ] || touch {tmp_path}/sprung\nexit 1\n')
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "core.editor", "diff.external", "core.sshCommand", "gpg.program"):
        app.git("config", key, os.fspath(trap))
    app.git("config", "gitqueen.name", "$(touch sprung)")
    bea.sh(f"cd {app.path}; echo 2 >a; git add a; git -c core.fsmonitor= commit -qm one; gitqueen check; gitqueen scan")
    assert not (tmp_path / "sprung").exists()
    assert not (app.path / "sprung").exists()
