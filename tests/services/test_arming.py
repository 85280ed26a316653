"""Hooks put in and taken out again: what was there before is there again to the byte, and nothing else is touched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitqueen.git import hooks, hooktext, manifest, places
from gitqueen.git.hooks import EVENTS
from gitqueen.git.manifest import Record
from gitqueen.services import arming, queen
from gitqueen.services.arming import Report
from gitqueen.services.queen import Queen
from tests import conftest
from tests.hive import Repo

MakeRepo = Callable[..., Repo]
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
USERS = b"#!/bin/sh -e\necho mine\r\nexit 0"

needs_newer_git = pytest.mark.needs_newer_git


@pytest.fixture(params=["file", pytest.param("config", marks=needs_newer_git)])
def by_config(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Both ways of having hooks."""
    if request.param == "config":
        newer(monkeypatch)
    return bool(request.param == "config")


def newer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.path.dirname(conftest.NEWER_GIT) + os.pathsep + os.environ["PATH"])


def opened(repo: os.PathLike[str]) -> Queen:
    return queen.open(os.environ, lambda: NOW, os.fspath(repo))


def install(repo: os.PathLike[str], dry_run: bool = False) -> Report:
    here = opened(repo)
    return arming.install(here, here.here(), dry_run)


def uninstall(repo: os.PathLike[str], dry_run: bool = False) -> Report:
    here = opened(repo)
    return arming.uninstall(here, here.here(), dry_run)


def status(repo: os.PathLike[str]) -> Report:
    here = opened(repo)
    return arming.status(here, here.here())


def put(path: Path, text: bytes, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    path.chmod(mode)
    return path


def everything(folder: Path) -> dict[str, tuple[int, bytes | str]]:
    """Every file below: mode and bytes, or where a link leads."""
    found: dict[str, tuple[int, bytes | str]] = {}
    for path in folder.rglob("*"):
        if path.is_symlink():
            found[str(path.relative_to(folder))] = (0, os.readlink(path))
        elif path.is_file():
            found[str(path.relative_to(folder))] = (path.stat().st_mode, path.read_bytes())
    return found


def traces(*folders: Path) -> list[str]:
    """Files with anything of ours."""
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return sorted(path.name for path in found if b"gitqueen_hook" in path.read_bytes())


def stub(event: str = "pre-commit", text: bytes | None = None) -> bytes:
    return hooktext.added(text, hooktext.block(hooktext.tool(), event))


def test_uninstalling_restores_every_byte(repo: MakeRepo, tmp_path: Path, by_config: bool) -> None:
    app = repo()
    folder = app.path / ".git/hooks"
    put(folder / "pre-commit", USERS, 0o711)
    put(folder / "post-checkout", b"#!/bin/sh", 0o755)
    put(folder / "post-commit", b"#!/bin/sh\n", 0o755)
    put(folder / "post-merge", b"#!/usr/bin/env python3\n", 0o755)
    (folder / "post-rewrite").symlink_to(put(tmp_path / "linked", USERS))
    config = app.path / ".git/config"
    config.write_bytes(config.read_bytes() + b"# mine\n[alias]\n\tx = y")
    before = everything(app.path)

    report = install(app)
    assert (report.armed, report.managed) == (by_config, True)
    assert everything(app.path) != before
    app.git("commit", "-q", "--allow-empty", "-m", "fires")
    app.git("reset", "-q", "--hard", "HEAD~")
    report = uninstall(app)
    assert not report.managed
    if not by_config:
        assert report.notes == ("pre-commit, post-checkout, post-commit: byte for byte what it was",)
    after = everything(app.path)
    for made in [name for name in after if name.startswith((".git/objects/", ".git/logs/", ".git/ORIG_HEAD"))]:
        before.pop(made, None), after.pop(made)
    (
        before.pop(".git/COMMIT_EDITMSG"),
        after.pop(".git/COMMIT_EDITMSG"),
        before.pop(".git/index"),
        after.pop(".git/index"),
    )
    assert after == before
    assert (tmp_path / "linked").read_bytes() == USERS


def test_twice_changes_nothing(repo: MakeRepo, by_config: bool) -> None:
    app = repo()
    put(app.path / ".git/hooks/pre-commit", USERS)
    install(app)
    before = {path: path.stat().st_mtime_ns for path in app.path.rglob("*")}
    report = install(app)
    assert (report.steps, report.armed) == ((), True)
    assert {path: path.stat().st_mtime_ns for path in app.path.rglob("*")} == before


def test_a_dry_run_changes_nothing(repo: MakeRepo, by_config: bool) -> None:
    app = repo()
    put(app.path / ".git/hooks/pre-commit", USERS)
    before = everything(app.path)
    report = install(app, dry_run=True)
    assert [step.event for step in report.steps] == list(EVENTS)
    assert report.notes == ()
    assert everything(app.path) == before
    assert not status(app).managed
    install(app)
    armed = everything(app.path)
    assert uninstall(app, dry_run=True).steps
    assert everything(app.path) == armed
    assert status(app).armed


@needs_newer_git
def test_git_upgraded_and_downgraded_moves_us_over(repo: MakeRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    app = repo()
    user = put(app.path / ".git/hooks/pre-commit", USERS)
    before = everything(app.path)
    hooks_folder, config = app.path / ".git/hooks", app.path / ".git/config"
    install(app)
    assert traces(hooks_folder) == sorted(EVENTS)
    assert b"gitqueen_hook" not in config.read_bytes()
    old_path = os.environ["PATH"]

    newer(monkeypatch)
    assert not status(app).armed
    assert install(app).armed
    assert traces(hooks_folder) == []
    assert user.read_bytes() == USERS
    assert config.read_bytes().count(b"gitqueen_hook ") == len(EVENTS)

    monkeypatch.setenv("PATH", old_path)
    report = status(app)
    assert report.arms is not None and report.arms.left_over == EVENTS and not report.armed
    assert install(app).armed
    assert traces(hooks_folder) == sorted(EVENTS)
    assert b"gitqueen_hook" not in config.read_bytes()

    newer(monkeypatch)  # and gone for good with the one that did not put it there
    uninstall(app)
    assert everything(app.path) == before


def test_a_hook_that_somebody_changed_since_loses_only_our_block(repo: MakeRepo) -> None:
    app = repo()
    folder = app.path / ".git/hooks"
    put(folder / "pre-commit", USERS)
    put(folder / "post-commit", USERS)
    install(app)
    changed = (folder / "pre-commit").read_bytes() + b"\n# a later thought\n"
    put(folder / "pre-commit", changed)
    put(folder / "post-commit", b"#!/bin/sh\necho other\n")
    put(folder / "post-merge", (folder / "post-merge").read_bytes() + b"echo mine now\n")
    report = uninstall(app)
    assert report.notes == (
        "pre-commit, post-merge: changed by somebody since, only our block is removed",
        "post-commit: replaced by somebody since, nothing of ours is in it",
    )
    assert (folder / "pre-commit").read_bytes() == USERS + b"\n# a later thought\n"
    assert (folder / "post-commit").read_bytes() == b"#!/bin/sh\necho other\n"
    assert (folder / "post-merge").read_bytes() == b"#!/bin/sh\necho mine now\n"
    assert not (folder / "post-checkout").exists()


def test_a_shared_folder_stays_armed_for_the_others(repo: MakeRepo, tmp_path: Path) -> None:
    """~/.githooks for all: taking one repository out must not disarm the next."""
    shared = tmp_path / "githooks"
    shared.mkdir()
    put(shared / "pre-commit", USERS)
    one, two, own = repo("one"), repo("two"), repo("own")
    one.git("config", "--global", "core.hooksPath", shared)
    own.git("config", "core.hooksPath", own.path / ".git/hooks")
    for each in (one, two, own):
        assert install(each).armed
    report = uninstall(one)
    assert report.notes == (f"the hooks in {shared} stay: other repositories have theirs there too",)
    assert status(two).armed and traces(shared) == sorted(EVENTS)
    report = uninstall(two)
    assert os.listdir(shared) == ["pre-commit"]
    assert (shared / "pre-commit").read_bytes() == USERS
    assert status(own).armed


def test_a_tracked_hooks_folder_is_left_alone(repo: MakeRepo, by_config: bool) -> None:
    app = repo(files={".githooks/pre-commit": "#!/bin/sh\n"})
    (app.path / ".githooks/pre-commit").chmod(0o755)
    app.git("commit", "-qam", "executable")
    app.git("config", "core.hooksPath", ".githooks")
    report = install(app)
    assert app.git("status", "--porcelain") == ""
    assert report.armed == by_config
    assert report.helpless == (not by_config)
    why = f"{', '.join(EVENTS)}: the hooks folder is in the worktree and not ignored: left alone"
    assert report.notes == (() if by_config else (why,))


def test_worktrees_with_hooks_of_their_own(repo: MakeRepo) -> None:
    """husky: `.husky/_` is made by `npm install` in each worktree, or not at all."""
    app = repo(files={".gitignore": "_\n"})
    app.git("config", "core.hooksPath", ".husky/_")
    (app.path / ".husky/_").mkdir(parents=True)
    side, bare_of_hooks = app.worktree("side"), app.worktree("fresh")
    (side.path / ".husky/_").mkdir(parents=True)
    put(side.path / ".husky/_/pre-commit", USERS)

    report = install(app)
    assert not report.armed and not report.helpless
    assert traces(app.path / ".husky", side.path / ".husky") == sorted(EVENTS * 2)
    for where in (app, bare_of_hooks):
        report = status(where)
        assert report.arms is not None
        faults = {os.fspath(arms.place.worktree or ""): list(arms.faults) for arms in (report.arms, *report.elsewhere)}
        missing = "the hooks folder is missing: no hook runs here"
        assert faults == {os.fspath(app): [], os.fspath(side): [], os.fspath(bare_of_hooks): [missing]}
    assert not (bare_of_hooks.path / ".husky").exists()

    uninstall(bare_of_hooks)
    assert traces(app.path, side.path) == []
    assert (side.path / ".husky/_/pre-commit").read_bytes() == USERS


@needs_newer_git
def test_worktrees_share_one_configuration(repo: MakeRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    app = repo(files={".gitignore": "_\n"})
    app.git("config", "core.hooksPath", ".husky/_")
    side = app.worktree("side")
    for where in (app, side):
        (where.path / ".husky/_").mkdir(parents=True)
    install(app)
    newer(monkeypatch)
    report = install(app)
    assert [step.event for step in report.steps if step.do == arming.CONFIGURE] == list(EVENTS)
    assert report.armed
    assert traces(app.path / ".husky", side.path / ".husky") == []


def test_folders_that_were_in_force_once_are_cleaned_too(repo: MakeRepo) -> None:
    app = repo(files={".gitignore": "_\n"})
    put(app.path / ".git/hooks/pre-commit", USERS)
    install(app)
    app.git("config", "core.hooksPath", "_")
    (app.path / "_").mkdir()
    put(app.path / "_/pre-commit", USERS)
    assert not status(app).armed
    assert install(app).armed
    app.git("config", "--unset", "core.hooksPath")
    uninstall(app)
    assert traces(app.path / ".git/hooks", app.path / "_") == []
    assert (app.path / "_/pre-commit").read_bytes() == USERS
    assert (app.path / ".git/hooks/pre-commit").read_bytes() == USERS


def test_a_manifest_that_came_with_the_repository_leads_nowhere(repo: MakeRepo, tmp_path: Path) -> None:
    app, prey = repo(), put(tmp_path / "prey/pre-commit", stub(text=USERS))
    install(app)
    common_dir = f"{app.path}/.git"
    (app.path / "link").symlink_to(prey.parent)
    told = [os.fspath(prey), f"{app.path}/../prey/pre-commit", f"{app.path}/link/pre-commit"]
    lies = {path: Record(None, "x") for path in told}
    manifest.write(common_dir, {**manifest.read(common_dir), **lies})
    uninstall(app)
    assert prey.read_bytes() == stub(text=USERS)


@needs_newer_git
def test_who_switched_us_off_in_configuration_meant_it(repo: MakeRepo, newer_git: str) -> None:
    app = repo()
    install(app)
    app.git("config", "hook.gitqueen-pre-commit.enabled", "false")
    report = install(app)
    assert (report.steps, report.armed) == ((), False)
    assert report.notes == ("pre-commit: hook.gitqueen-pre-commit.enabled is false",)


@needs_newer_git
def test_torn_configuration_is_mended_and_removed(repo: MakeRepo, newer_git: str) -> None:
    """An event without a command: git refuses every commit until somebody mends it."""
    app = repo()
    before = everything(app.path)
    install(app)
    app.git("config", "--unset", "hook.gitqueen-pre-commit.command")
    with pytest.raises(pytest.fail.Exception):
        app.commit("refused")
    assert install(app).armed
    app.git("commit", "-q", "--allow-empty", "-m", "goes on")
    app.git("config", "--unset", "hook.gitqueen-pre-commit.command")
    uninstall(app)
    assert everything(app.path)[".git/config"] == before[".git/config"]


def test_our_own_file_is_made_executable_again_and_nobody_elses(repo: MakeRepo) -> None:
    app = repo()
    theirs = put(app.path / ".git/hooks/post-commit", USERS, 0o644)
    install(app)
    mine = app.path / ".git/hooks/pre-commit"
    mine.chmod(0o644)
    report = install(app)
    assert [step.event for step in report.steps] == ["pre-commit"]
    assert mine.stat().st_mode & 0o777 == 0o755
    assert (theirs.stat().st_mode & 0o777, theirs.read_bytes()) == (0o644, USERS)
    assert report.notes == ("post-commit: the hook there is not executable, so git ignores it: left alone",)


def test_what_others_put_aside_does_not_fire_twice(repo: MakeRepo) -> None:
    app = repo()
    folder = app.path / ".git/hooks"
    put(folder / "pre-commit", USERS)
    put(folder / "pre-commit.legacy", stub())
    put(folder / "post-commit", USERS)
    put(folder / "post-commit.legacy", stub("post-commit", USERS))
    assert install(app).armed
    assert not (folder / "pre-commit.legacy").exists()
    assert (folder / "post-commit.legacy").read_bytes() == USERS
    assert traces(folder) == sorted(EVENTS)


def test_an_installation_that_is_gone_is_replaced(
    repo: MakeRepo, by_config: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = repo()
    gone = hooktext.Tool("/gone/python", "/gone/hook.py", "/gone/hooks")
    with monkeypatch.context() as patch:
        patch.setattr(hooktext, "tool", lambda: gone)
        install(app)
    report = status(app)
    assert report.arms is not None and all(state.stale for state in report.arms.states)
    install(app)
    assert not any(b"/gone/" in text for _, text in everything(app.path / ".git").values() if isinstance(text, bytes))
    assert status(app).armed


def test_a_file_that_changes_under_us_is_left_for_the_next_look(repo: MakeRepo) -> None:
    app = repo()
    place = places.find(os.fspath(app))
    assert place is not None
    hook = put(app.path / ".git/hooks/pre-commit", USERS)
    arms = hooks.look(place)
    steps = arming.plan(arms)
    put(hook, b"#!/bin/sh\necho later\n")
    done = arming.perform(steps, arms)
    assert [step.event for step in done] == list(EVENTS[1:])
    assert hook.read_bytes() == b"#!/bin/sh\necho later\n"


def test_a_repository_whose_folder_is_gone_is_no_longer_known(repo: MakeRepo) -> None:
    app, other = repo("app"), repo("other")
    install(app), install(other)
    shutil.rmtree(app.path)
    assert [place.repo for place in arming.known(opened(other))] == [os.fspath(other)]


def test_a_folder_that_cannot_be_written_is_said(repo: MakeRepo) -> None:
    app = repo()
    shutil.rmtree(app.path / ".git/hooks")
    put(app.path / ".git/hooks", b"in the way\n", 0o644)
    report = install(app)
    assert report.helpless
    assert report.notes == (f"{', '.join(EVENTS)}: {app.path}/.git/hooks is no folder: no hook runs here",)
    put(app.path / ".git/gitqueen-not", b"")
    other = repo("other")
    put(other.path / ".git/gitqueen", b"in the way\n", 0o644)
    report = install(other)
    assert (report.fault, report.managed) == (f"{other.path}/.git cannot be written", False)
