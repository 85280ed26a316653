"""What is armed, by which git, what is beside it and what would not fire: told of real repositories of every kind."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen import errors
from gitqueen.git import hookfiles, hooks, hooktext, places
from gitqueen.git.hooks import EVENTS, Arms
from tests.hive import Repo

MakeRepo = Callable[..., Repo]
INSTALL = "gitqueen hooks install"


def look(repo: os.PathLike[str]) -> Arms:
    place = places.find(os.fspath(repo))
    assert place is not None
    return hooks.look(place)


def stub(event: str = "pre-commit", text: bytes | None = None) -> bytes:
    return hooktext.added(text, hooktext.block(hooktext.tool(), event))


def put(path: Path, text: bytes, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    path.chmod(mode)
    return path


def configure(repo: Repo, *events: str) -> None:
    for event in events or EVENTS:
        hooks.configure(event, hooks.LOCAL, os.fspath(repo), hooktext.tool())


def told(arms: Arms) -> dict[str, str]:
    """Event -> how it is armed, or why not."""
    return {state.event: state.how if state.armed else state.fault for state in arms.states}


def test_nothing_is_there(repo: MakeRepo) -> None:
    arms = look(app := repo())
    assert (arms.by_config, arms.folder, arms.folder_from) == (False, f"{app.path}/.git/hooks", "default")
    assert arms.git == subprocess.check_output(["git", "--version"], text=True).split()[2]
    assert told(arms) == dict.fromkeys(EVENTS, "it is not installed")
    assert {state.mend for state in arms.states} == {INSTALL}
    assert not arms.armed


def test_files_and_blocks(repo: MakeRepo) -> None:
    app = repo()
    folder = app.path / ".git/hooks"
    for event in EVENTS:
        put(folder / event, stub(event))
    user = put(folder / "post-commit", stub("post-commit", b"#!/bin/sh\necho mine\n"))
    arms = look(app)
    assert told(arms) == {**dict.fromkeys(EVENTS, "own file"), "post-commit": "block"}
    assert arms.armed
    assert [state.beside for state in arms.states if state.beside] == [(os.fspath(user),)]
    assert not any(state.stale for state in arms.states)


PYTHON = b"#!/usr/bin/env python3\n"


@pytest.mark.parametrize(
    ("text", "mode", "fault"),
    [
        (PYTHON, 0o755, "the hook there is no plain shell script: left alone"),
        (b"\x7fELF\0", 0o755, "the hook there is no plain shell script: left alone"),
        (b"#!/bin/sh\n", 0o644, "the hook there is not executable, so git ignores it: left alone"),
        (stub(text=b"#!/bin/sh\ntrue\n"), 0o644, "the hook there is not executable, so git ignores it: left alone"),
        (stub(), 0o644, "our hook is not executable, so git ignores it"),
        (b"#!/bin/sh\ntrue\n", 0o755, "it is not installed"),
    ],
)
def test_what_would_not_fire(repo: MakeRepo, text: bytes, mode: int, fault: str) -> None:
    app = repo()
    put(app.path / ".git/hooks/pre-commit", text, mode)
    assert look(app).states[0].fault == fault


def test_links_pipes_folders_and_files_without_end_are_left_alone(repo: MakeRepo, tmp_path: Path) -> None:
    app = repo()
    folder = app.path / ".git/hooks"
    folder.mkdir(exist_ok=True)
    (folder / "pre-commit").symlink_to(put(tmp_path / "shared", b"#!/bin/sh\n"))
    (folder / "post-checkout").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder / "post-commit")
    (folder / "post-merge").mkdir()
    with open(folder / "post-rewrite", "wb") as file:
        file.truncate(1 << 40)
    (folder / "pre-commit.legacy").symlink_to("/dev/zero")
    assert told(look(app)) == {
        "pre-commit": "the hook there is a symlink: left alone",
        "post-checkout": "the hook there is a symlink: left alone",
        "post-commit": "the hook there is no plain shell script: left alone",
        "post-merge": "the hook there is no plain shell script: left alone",
        "post-rewrite": "the hook there is no plain shell script: left alone",
    }


def test_core_hooks_path(repo: MakeRepo, tmp_path: Path) -> None:
    app = repo()
    app.git("config", "core.hooksPath", "missing")
    arms = look(app)
    assert (arms.folder, arms.folder_from) == (f"{app.path}/missing", "local")
    assert {state.fault for state in arms.states} == {"the hooks folder is missing: no hook runs here"}
    (app.path / "missing").mkdir()
    assert {state.fault for state in look(app).states} == {
        "the hooks folder is in the worktree and not ignored: left alone"
    }
    app.write(".gitignore", "missing\n")
    assert {state.fault for state in look(app).states} == {"it is not installed"}
    app.git("config", "core.hooksPath", "/dev/null")
    arms = look(app)
    assert {(state.fault, state.mend) for state in arms.states} == {
        ("/dev/null is no folder: no hook runs here", "git config --local --unset core.hooksPath")
    }
    app.git("config", "--unset", "core.hooksPath")
    app.git("config", "--global", "core.hooksPath", tmp_path / "shared hooks")
    assert (look(app).folder, look(app).folder_from) == (f"{tmp_path}/shared hooks", "global")


def test_a_hooks_folder_that_is_a_link_into_the_worktree_is_the_users_work(repo: MakeRepo) -> None:
    app = repo(files={"githooks/pre-commit": "#!/bin/sh\n"})
    (app.path / "githooks/pre-commit").chmod(0o755)
    for file in (app.path / ".git/hooks").glob("*"):
        file.unlink()
    (app.path / ".git/hooks").rmdir()
    (app.path / ".git/hooks").symlink_to("../githooks")
    arms = look(app)
    assert arms.folder == f"{app.path}/githooks"
    assert {state.fault for state in arms.states} == {"the hooks folder is in the worktree and not ignored: left alone"}


def test_each_worktree_has_the_folder_of_a_relative_path(repo: MakeRepo) -> None:
    app = repo(files={".gitignore": "_\n"})
    app.git("config", "core.hooksPath", ".husky/_")
    (app.path / ".husky/_").mkdir(parents=True)
    side = app.worktree("side")
    assert {state.fault for state in look(app).states} == {"it is not installed"}
    assert {state.fault for state in look(side).states} == {"the hooks folder is missing: no hook runs here"}
    place = places.find(os.fspath(app))
    assert place is not None
    assert sorted(hooks.worktrees(place)) == sorted([os.fspath(app), os.fspath(side)])


def test_linked_worktrees_submodules_and_bare_repositories_share_or_own_their_hooks(
    repo: MakeRepo, tmp_path: Path
) -> None:
    app = repo()
    assert look(app.worktree("side")).folder == f"{app.path}/.git/hooks"
    outer = repo("outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", app.path, "part")
    assert look(outer.path / "part").folder == f"{outer.path}/.git/modules/part/hooks"
    app.git("clone", "--quiet", "--bare", ".", tmp_path / "bare.git")
    Repo(tmp_path / "bare.git").git("worktree", "add", "--quiet", "-b", "topic", tmp_path / "topic")
    for where in (tmp_path / "bare.git", tmp_path / "topic"):
        assert look(where).folder == f"{tmp_path}/bare.git/hooks"
        assert {state.fault for state in look(where).states} == {"it is not installed"}


def test_what_other_managers_put_aside(repo: MakeRepo) -> None:
    app = repo()
    folder = app.path / ".git/hooks"
    put(folder / "pre-commit", b"#!/bin/sh\necho theirs\n")
    put(folder / "pre-commit.legacy", stub())
    put(folder / "post-commit.old", b"#!/bin/sh\necho not ours\n")
    state = look(app).states[0]
    assert state.fault == "another manager put its hook there and ours aside, as pre-commit.legacy"
    assert state.aside == ((f"{folder}/pre-commit.legacy", stub()),)
    assert [state.aside for state in look(app).states[1:]] == [()] * 4


def test_an_installation_that_is_gone_or_of_another_version_is_stale(repo: MakeRepo, tmp_path: Path) -> None:
    app = repo()
    folder = app.path / ".git/hooks"
    gone = hooktext.Tool("/gone/python", "/gone/hook.py", "/gone/hooks")
    other = hooktext.Tool("/usr/bin/python3", "/x/hook.py", os.fspath(tmp_path))
    (tmp_path / "git-hook.sh").touch()
    put(folder / "pre-commit", hooktext.added(None, hooktext.block(gone, "pre-commit")))
    put(folder / "post-checkout", hooktext.added(None, hooktext.block(other, "post-checkout")))
    put(folder / "post-commit", stub("post-commit").replace(b"|| exit 1", b"|| exit 2"))
    put(folder / "post-merge", stub("post-merge"))
    stale = [state.event for state in look(app).states if state.stale]
    assert stale == ["pre-commit", "post-commit"]  # another installation that lives is somebody's choice


def test_somebody_elses_repository_is_refused_by_git_and_so_by_us(repo: MakeRepo) -> None:
    app = repo()
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(app.path, 12345, 12345)
    os.chown(app.path / ".git", 12345, 12345)
    with pytest.raises(errors.GitFailed) as told:
        look(app)
    assert told.value.message == "git refuses this repository, because it belongs to somebody else"
    assert told.value.hint == f"if you trust it: git config --global --add safe.directory {app.path}"
    assert told.value.exit_code == 4


@pytest.mark.needs_newer_git
@pytest.mark.usefixtures("newer_git")
class TestConfiguration:
    """git >= 2.54."""

    def test_whole(self, repo: MakeRepo) -> None:
        app = repo()
        put(app.path / ".git/hooks/pre-commit", PYTHON)
        app.git("config", "hook.lint.command", "true")
        app.git("config", "hook.lint.event", "pre-commit")
        configure(app)
        arms = look(app)
        assert arms.by_config and arms.armed
        assert told(arms) == dict.fromkeys(EVENTS, "configuration")
        assert arms.states[0].beside == ("hook.lint", f"{app.path}/.git/hooks/pre-commit")
        assert arms.configured == EVENTS and arms.left_over == ()

    def test_torn_switched_off_and_missing(self, repo: MakeRepo) -> None:
        app = repo()
        configure(app, "pre-commit", "post-checkout", "post-commit")
        app.git("config", "--unset", "hook.gitqueen-pre-commit.command")
        app.git("config", "--unset", "hook.gitqueen-post-checkout.event")
        app.git("config", "hook.gitqueen-post-commit.enabled", "false")
        arms = look(app)
        assert told(arms) == {
            "pre-commit": "hook.gitqueen-pre-commit.command is missing: git refuses whatever would fire it",
            "post-checkout": "hook.gitqueen-post-checkout.event is missing",
            "post-commit": "hook.gitqueen-post-commit.enabled is false",
            "post-merge": "it is not in git's configuration",
            "post-rewrite": "it is not in git's configuration",
        }
        assert arms.configured == ("pre-commit", "post-checkout", "post-commit")
        assert arms.states[2].mend == "git config --unset hook.gitqueen-post-commit.enabled"

    def test_the_whole_section_and_nothing_else_is_taken_out(self, repo: MakeRepo) -> None:
        app = repo()
        before = (app.path / ".git/config").read_bytes()
        configure(app)
        for event in EVENTS:
            hooks.unconfigure(event, hooks.LOCAL, os.fspath(app))
        hooks.unconfigure("pre-commit", hooks.LOCAL, os.fspath(app))
        assert (app.path / ".git/config").read_bytes() == before

    def test_between_any_two_of_our_changes_git_still_commits(
        self, repo: MakeRepo, tmp_path: Path, newer_git: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """We may be killed there: an event without a command would refuse every commit."""
        app = repo()
        wrapper = put(
            tmp_path / "bin/git",
            f'#!/bin/sh\n{newer_git} "$@" || exit\nunset GITQUEEN_CHILD\ncd {app.path}\n'
            f"{newer_git} commit -q --allow-empty -m between || echo refused >>{tmp_path}/refused\n".encode(),
        )
        monkeypatch.setenv("PATH", os.pathsep.join([os.fspath(wrapper.parent), os.environ["PATH"]]))
        configure(app, "pre-commit", "post-commit")
        hooks.unconfigure("pre-commit", hooks.LOCAL, os.fspath(app))
        hooks.unconfigure("post-commit", hooks.LOCAL, os.fspath(app))
        assert not (tmp_path / "refused").exists()
        assert subprocess.check_output([newer_git, "rev-list", "--count", "HEAD"], cwd=app, text=True) == "7\n"

    def test_a_dangling_command_refuses_nothing(self, repo: MakeRepo, tmp_path: Path) -> None:
        app = repo()
        gone = hooktext.Tool("/gone/python", "/gone/hook.py", os.fspath(tmp_path / "gone"))
        for event in EVENTS:
            hooks.configure(event, hooks.LOCAL, os.fspath(app), gone)
        app.commit("goes on")
        app.git("checkout", "-q", "-b", "side")
        assert [state.event for state in look(app).states if state.stale] == list(EVENTS)


def test_another_git_that_writes_the_configuration_is_waited_for(repo: MakeRepo) -> None:
    app = repo()
    lock = app.path / ".git/config.lock"
    lock.touch()
    with subprocess.Popen(["sh", "-c", 'sleep 0.2; rm "$1"', "sh", lock]):
        configure(app, "pre-commit")
    assert look(app).configured == ("pre-commit",)


def test_a_lock_that_nobody_takes_away_is_said(repo: MakeRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    app = repo()
    (app.path / ".git/config.lock").touch()
    monkeypatch.setattr(hooks, "LOCK_PATIENCE", 0.1)
    with pytest.raises(errors.Busy, match="could not lock config file"):
        configure(app, "pre-commit")


@pytest.mark.parametrize(
    ("said", "numbers"),
    [("2.39.5", (2, 39)), ("2.54.0.rc1", (2, 54)), ("2.55.GIT", (2, 55)), ("3.0.1", (3, 0)), ("", (0,)), ("x", (0,))],
)
def test_versions(said: str, numbers: tuple[int, ...]) -> None:
    assert hooks.numbers(said) == numbers


def test_a_file_is_replaced_whole_and_keeps_its_rights(tmp_path: Path) -> None:
    path = put(tmp_path / "hook", b"old", 0o711)
    hookfiles.write(os.fspath(path), b"new", runs=False)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o711)
    path.chmod(0o644)
    hookfiles.write(os.fspath(path), b"new", runs=False)
    assert path.stat().st_mode & 0o777 == 0o644
    hookfiles.write(os.fspath(path), b"new", runs=True)
    assert path.stat().st_mode & 0o777 == 0o755
    hookfiles.write(os.fspath(tmp_path / "deep/er/hook"), b"new", runs=True)
    assert (tmp_path / "deep/er/hook").stat().st_mode & 0o777 == 0o755
    assert sorted(os.listdir(tmp_path)) == ["deep", "hook"]


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "hooks").write_text("in the way")
    with pytest.raises(errors.CannotWork, match="hooks/pre-commit cannot be written: File exists"):
        hookfiles.write(f"{tmp_path}/hooks/pre-commit", b"x", runs=True)
    (tmp_path / "folder").mkdir()
    with pytest.raises(errors.CannotWork, match="folder cannot be written: Is a directory"):
        hookfiles.write(f"{tmp_path}/folder", b"x", runs=True)
    with pytest.raises(errors.CannotWork, match="folder cannot be written: Is a directory"):
        hookfiles.remove(f"{tmp_path}/folder")
    hookfiles.remove(f"{tmp_path}/gone")
    assert sorted(os.listdir(tmp_path)) == ["folder", "hooks"]
