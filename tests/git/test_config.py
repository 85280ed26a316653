"""gitqueen's settings are git configuration: of every level, read as git reads it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen.git import config, places
from tests.git.contract import environment, git, here
from tests.hive import Repo


def test_every_level_counts_and_the_nearest_wins(repo: Callable[..., Repo]) -> None:
    app = repo("app")
    topic = app.worktree("topic")
    app.git("config", "--global", "gitqueen.policy", "off")
    app.git("config", "--global", "gitqueen.grace", "5m")
    app.git("config", "gitqueen.policy", "warn")
    app.git("config", "gitqueen.file-collision.policy", "block")
    app.git("config", "extensions.worktreeConfig", "true")
    topic.git("config", "--worktree", "gitqueen.policy", "block")

    wide = {"gitqueen.grace": "5m", "gitqueen.policy": "off"}
    near = {**wide, "gitqueen.policy": "warn", "gitqueen.file-collision.policy": "block"}
    assert config.ours(None) == wide
    assert config.ours(here(app.path)) == near
    assert config.ours(here(topic.path)) == {**near, "gitqueen.policy": "block"}


def test_odd_values_arrive_as_they_are(repo: Callable[..., Repo]) -> None:
    app = repo("app")
    with open(app.path / ".git/config", "ab") as file:
        file.write(b'[gitqueen]\n\tenabled\n\tnamePrefix = ""\n\tbytes = caf\xe9\n\tlines = "a\\nb=c"\n\tlines = d\n')
        file.write(b'[gitqueen "Odd \xff.Type"]\n\tpolicy = off\n')

    assert config.ours(here(app.path)) == {
        "gitqueen.enabled": "true",
        "gitqueen.nameprefix": "",
        "gitqueen.bytes": os.fsdecode(b"caf\xe9"),
        "gitqueen.lines": "d",
        os.fsdecode(b"gitqueen.Odd \xff.Type.policy"): "off",
    }


def test_included_files_and_the_command_line_count(repo: Callable[..., Repo], tmp_path: Path) -> None:
    app = repo("app")
    (tmp_path / "more").write_text("[gitqueen]\n\tpolicy = block\n\tgrace = 1h\n")
    app.git("config", "include.path", tmp_path / "more")
    env = environment({"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "gitqueen.policy", "GIT_CONFIG_VALUE_0": "off"})

    assert config.ours(here(app.path)) == {"gitqueen.policy": "block", "gitqueen.grace": "1h"}
    assert config.ours(here(app.path), env) == {"gitqueen.policy": "off", "gitqueen.grace": "1h"}


@pytest.mark.parametrize("env", [{"GIT_DIR": "../.git", "GIT_WORK_TREE": ".."}, {"GIT_DIR": "../.git"}, {}])
def test_a_repository_named_by_the_environment_is_asked(env: dict[str, str], repo: Callable[..., Repo]) -> None:
    app = repo("app", {"dir/file": "1\n"})
    app.git("config", "gitqueen.policy", "block")
    env = environment(env)

    place = places.find(os.fspath(app.path / "dir"), env)

    assert config.ours(place, env) == {"gitqueen.policy": "block"}


def test_a_bare_repository_is_asked(repo: Callable[..., Repo], tmp_path: Path) -> None:
    repo("app").git("clone", "--quiet", "--bare", ".", tmp_path / "bare.git")
    git("config", "gitqueen.enabled", "no", cwd=tmp_path / "bare.git")

    assert config.ours(here(tmp_path / "bare.git")) == {"gitqueen.enabled": "no"}


def test_configuration_that_git_cannot_read_says_nothing(repo: Callable[..., Repo]) -> None:
    app = repo("app")
    place = here(app.path)
    (app.path / ".git/config").write_text("[core\n")

    assert config.ours(place) == {}
