"""`gitqueen hooks` as people and programs use it: what it prints, how it exits, several at once, and that it warns."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import conftest, hive
from tests.hive import Repo, Runner, Sister

MakeRepo = Callable[..., Repo]
EVENTS = "pre-commit, post-checkout, post-commit, post-merge, post-rewrite"


@pytest.fixture(params=["file", pytest.param("config", marks=pytest.mark.needs_newer_git)])
def by_config(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Both ways of having hooks."""
    if request.param == "config":
        monkeypatch.setenv("PATH", os.path.dirname(conftest.NEWER_GIT) + os.pathsep + os.environ["PATH"])
    return bool(request.param == "config")


def git_version() -> str:
    return subprocess.check_output(["git", "--version"], text=True).split()[2]


def test_in_and_out(run: Runner, repo: MakeRepo, by_config: bool) -> None:
    app = repo()
    how = "git's configuration" if by_config else "a file of our own"
    done = run("gitqueen", "hooks", "install", "--dry-run", cwd=app)
    assert (done.returncode, done.stdout) == (0, f"{app.path}: would be armed\n    {EVENTS}:\n      {how}\n")
    done = run("gitqueen", "hooks", "install", cwd=app)
    assert (done.returncode, done.stdout) == (0, f"✓ {app.path} is armed\n    {EVENTS}:\n      {how}\n")
    done = run("gitqueen", "hooks", "install", app.path)
    assert (done.returncode, done.stdout) == (0, f"✓ {app.path} is armed already\n")
    done = run("gitqueen", "hooks", "status", cwd=app)
    assert (done.returncode, done.stdout) == (
        0,
        f"{app.path}  managed\n  git {git_version()}, hooks in {app.path}/.git/hooks\n  ✓ {EVENTS}\n    by {how}\n",
    )
    done = run("gitqueen", "hooks", "uninstall", cwd=app)
    out = "out of git's configuration" if by_config else "our own file is removed"
    assert (done.returncode, done.stdout) == (0, f"✓ {app.path} is disarmed\n    {EVENTS}:\n      {out}\n")
    done = run("gitqueen", "hooks", "status", cwd=app)
    why = "it is not in git's configuration" if by_config else "it is not installed"
    assert (done.returncode, done.stdout) == (
        0,
        (
            f"{app.path}  not managed   (gitqueen hooks install)\n"
            f"  git {git_version()}, hooks in {app.path}/.git/hooks\n"
            f"  · {EVENTS}\n"
            f"    {why}\n"
        ),
    )
    assert run("gitqueen", "hooks", "uninstall", cwd=app).stdout == f"✓ {app.path} is not armed\n"


def test_what_stands_in_the_way_is_named(run: Runner, repo: MakeRepo) -> None:
    app = repo()
    for event, text in (("pre-commit", "#!/usr/bin/env python3\n"), ("post-commit", "#!/bin/sh\ntrue\n")):
        hook = app.write(f".git/hooks/{event}", text)
        hook.chmod(0o755)
    done = run("gitqueen", "hooks", "install", cwd=app)
    assert (done.returncode, done.stdout) == (
        0,
        (
            f"⚠ {app.path} is armed in part\n"
            "    post-checkout, post-merge, post-rewrite:\n"
            "      a file of our own\n"
            "    post-commit:\n"
            "      a block in the hook that is there\n"
            "  ⚠ pre-commit: the hook there is no plain shell script: left alone\n"
        ),
    )
    done = run("gitqueen", "hooks", "status", cwd=app)
    assert (done.returncode, done.stdout) == (
        1,
        (
            f"{app.path}  managed\n"
            f"  git {git_version()}, hooks in {app.path}/.git/hooks\n"
            "  ✗ pre-commit\n"
            "    the hook there is no plain shell script: left alone\n"
            "    → git 2.54 or newer runs us beside it\n"
            "  ✓ post-checkout, post-merge, post-rewrite\n"
            "    by a file of our own\n"
            "  ✓ post-commit\n"
            "    by a block in the hook that is there\n"
            f"  also there: {app.path}/.git/hooks/pre-commit\n"
        ),
    )


def test_hooks_switched_off(run: Runner, repo: MakeRepo) -> None:
    """INCIDENTS 14: `core.hooksPath=/dev/null` is seen, and said as it is."""
    app = repo()
    run("gitqueen", "hooks", "install", cwd=app, check=True)
    app.git("config", "core.hooksPath", "/dev/null")
    done = run("gitqueen", "hooks", "status", cwd=app)
    assert (done.returncode, done.stdout) == (
        1,
        (
            f"{app.path}  managed\n"
            f"  git {git_version()}, hooks in /dev/null (core.hooksPath, local)\n"
            f"  ✗ {EVENTS}\n"
            "    /dev/null is no folder: no hook runs here\n"
            "    → git config --local --unset core.hooksPath\n"
        ),
    )
    done = run("gitqueen", "hooks", "install", cwd=app)
    assert (done.returncode, done.stdout) == (
        1,
        f"✗ {app.path} cannot be armed\n  ⚠ {EVENTS}:\n        /dev/null is no folder: no hook runs here\n",
    )


def test_a_fresh_worktree_under_husky_is_said(run: Runner, repo: MakeRepo) -> None:
    app = repo(files={".gitignore": "_\n"})
    app.git("config", "core.hooksPath", ".husky/_")
    (app.path / ".husky/_").mkdir(parents=True)
    run("gitqueen", "hooks", "install", cwd=app, check=True)
    side = app.worktree("side")
    done = run("gitqueen", "hooks", "status", cwd=app)
    assert (done.returncode, done.stdout) == (
        1,
        (
            f"{app.path}  managed\n"
            f"  git {git_version()}, hooks in {app.path}/.husky/_ (core.hooksPath, local)\n"
            f"  ✓ {EVENTS}\n"
            "    by a file of our own\n"
            f"  ✗ in the worktree {side.path}\n"
            f"    {EVENTS}:\n"
            "      the hooks folder is missing: no hook runs here\n"
        ),
    )


def test_without_a_repository(run: Runner, repo: MakeRepo, tmp_path: Path) -> None:
    assert run("gitqueen", "hooks", "install").returncode == 4
    assert run("gitqueen", "hooks", "install", tmp_path / "gone").returncode == 4
    done = run("gitqueen", "hooks", "status")
    assert (done.returncode, done.stdout) == (
        0,
        "no repository is managed yet   (gitqueen hooks install REPO)\n",
    )
    one, two = repo("one"), repo("two")
    run("gitqueen", "hooks", "install", one, two, check=True)
    done = run("gitqueen", "hooks", "status")
    assert [line for line in done.stdout.splitlines() if not line.startswith(" ")] == [
        f"{one.path}  managed",
        f"{two.path}  managed",
    ]


def test_somebody_elses_repository(run: Runner, repo: MakeRepo) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    app = repo()
    for path in (app.path, app.path / ".git"):
        os.chown(path, 12345, 12345)
    for what in ("install", "status", "uninstall"):
        done = run("gitqueen", "hooks", what, cwd=app)
        assert (done.returncode, done.stdout) == (
            4,
            (
                f"✗ {app.path}: git refuses this repository, because it belongs to somebody else\n"
                f"    → if you trust it: git config --global --add safe.directory {app.path}\n"
            ),
        )
    assert not (app.path / ".git/gitqueen").exists()


@pytest.mark.needs_bwrap
def test_a_hooks_folder_that_is_read_only(run: Runner, repo: MakeRepo) -> None:
    app = repo()
    folder = app.path / ".git/hooks"
    readonly = ("bwrap", "--dev-bind", "/", "/", "--ro-bind", folder, folder)
    done = run(*readonly, hive.gitqueen(), "hooks", "install", cwd=app)
    assert (done.returncode, done.stdout) == (
        4,
        (
            f"✗ {app.path}: {folder}/pre-commit cannot be written: Read-only file system\n"
            f"    → look at the rights of {folder}\n"
        ),
    )
    assert [path.name for path in folder.iterdir() if path.suffix != ".sample"] == []
    assert run("gitqueen", "hooks", "install", cwd=app).returncode == 0
    assert run(*readonly, hive.gitqueen(), "hooks", "uninstall", cwd=app).returncode == 4
    assert run("gitqueen", "hooks", "status", cwd=app).returncode == 0


def test_json(run: Runner, repo: MakeRepo) -> None:
    app = repo(files={".gitignore": "_\n"})
    app.git("config", "core.hooksPath", "_")
    (app.path / "_").mkdir()
    side = app.worktree("side")
    done = run("gitqueen", "hooks", "install", "--json", cwd=app, check=True)
    (told,) = json.loads(done.stdout)["repos"]
    events = told.pop("events")
    elsewhere = told.pop("elsewhere")
    assert told == {
        "path": os.fspath(app.path),
        "managed": True,
        "armed": False,
        "git": git_version(),
        "hooks_folder": f"{app.path}/_",
        "hooks_folder_from": "local",
        "changes": [f"{event}: a file of our own" for event in EVENTS.split(", ")],
        "notes": [],
        "fault": None,
        "hint": None,
    }
    assert events[0] == {
        "event": "pre-commit",
        "armed": True,
        "how": "own file",
        "path": f"{app.path}/_/pre-commit",
        "beside": [],
        "fault": None,
        "mend": None,
        "outdated": False,
        "guest": None,
    }
    assert [(one["worktree"], one["armed"]) for one in elsewhere] == [(os.fspath(side.path), False)]


def test_many_installs_at_once(run: Runner, repo: MakeRepo, by_config: bool) -> None:
    app = repo()
    user = app.write(".git/hooks/pre-commit", "#!/bin/sh\necho mine\n")
    user.chmod(0o755)
    before = {path.name: path.read_bytes() for path in (app.path / ".git").iterdir() if path.name == "config"}
    command = [hive.gitqueen(), "hooks", "install"]
    several = [subprocess.Popen(command, cwd=app, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(6)]
    said = [one.communicate()[0].decode() for one in several]
    assert [one.returncode for one in several] == [0] * 6, said
    assert run("gitqueen", "hooks", "status", cwd=app).returncode == 0
    text = user.read_text() if not by_config else (app.path / ".git/config").read_text()
    assert text.count(" pre-commit: added by") + text.count('[hook "gitqueen-pre-commit"]') == 1
    run("gitqueen", "hooks", "uninstall", cwd=app, check=True)
    assert user.read_text() == "#!/bin/sh\necho mine\n"
    assert (app.path / ".git/config").read_bytes() == before["config"]
    assert sorted(path.name for path in (app.path / ".git/hooks").iterdir() if path.suffix != ".sample") == [
        "pre-commit"
    ]


def test_a_sister_is_warned_beside_the_users_own_hook(
    run: Runner, repo: MakeRepo, sister: Callable[..., Sister], by_config: bool
) -> None:
    """The whole product: somebody holds a path from another worktree, and the commit that takes it says so, once."""
    app = repo()
    user = app.write(".git/hooks/pre-commit", '#!/bin/sh\necho "mine: $0 $# $(cat)" >&2\nexit "${SAY-0}"\n')
    user.chmod(0o755)
    side = app.worktree("side")
    run("gitqueen", "hooks", "install", cwd=app, check=True)
    iza, eva = sister("iza", side), sister("eva", app)
    assert iza.sh("gitqueen claim docs --path 'docs/**'").rc == 0
    assert eva.sh("iam 'write the manual'").rc == 0
    app.write("docs/a.md", "eva\n")
    app.git("add", "docs")
    done = eva.sh("git commit -qm one")
    assert done.rc == 0
    assert done.err.count("docs/a.md") == 1 and "iza" in done.err
    assert done.err.count("mine: .git/hooks/pre-commit 0 \n") == 1
    app.write("docs/a.md", "eva again\n")
    assert eva.sh("SAY=3 git commit -qam two").rc == 1

    # Policy says block: the user's own hook is not even asked, where git lets us stand before it in its file.
    app.git("config", "gitqueen.policy", "block")
    done = eva.sh("git commit -qam three")
    assert done.rc == 1 and "iza" in done.err
    assert ("mine:" in done.err) == by_config
