"""A home or a repository on a read-only or full file system: commits and commands go on, what waits comes later."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable

import pytest

from tests.hive import Repo, Runner, Sister
from tests.hooks import kit

pytestmark = [pytest.mark.needs_bwrap]


def box(command: str, *mounts: str) -> str:
    return shlex.join(["bwrap", "--dev-bind", "/", "/", *mounts, "sh", "-c", command])


@pytest.mark.parametrize("kind", ["read-only", "full"])
def test_a_commit_goes_on_with_a_home_that_cannot_be_written(
    kind: str, repo: Callable[..., Repo], sister: Callable[..., Sister], run: Runner
) -> None:
    app = kit.install(repo(files={"a": "1\n"}))
    iza = sister("iza", app.worktree("feat"))
    iza.sh("iam 'the parser'; echo 2 >>a; gitqueen scan")
    kit.drained()
    home = os.environ["GITQUEEN_HOME"]
    app.write("a", "3\n")
    mounts = ["--ro-bind", home, home] if kind == "read-only" else ["--size", "4096", "--tmpfs", home]
    done = run("sh", "-c", box("git commit -qam kept", *mounts), cwd=app, env={"GITQUEEN_NAME": "bea"})
    assert done.returncode == 0, done.stderr
    assert app.git("log", "-1", "--format=%s") == "kept"
    assert "Traceback" not in done.stderr


def test_a_task_in_a_read_only_repository_is_mirrored_later(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = kit.install(repo())
    iza = sister("iza", app)
    git = str(app.path / ".git")
    done = iza.sh(box("gitqueen iam 'the parser'", "--ro-bind", git, git))
    assert done.rc == 0, done.err
    assert app.git("for-each-ref", "refs/gitqueen") == ""
    iza.sh("gitqueen scan")
    assert app.git("for-each-ref", "--format=%(refname)", "refs/gitqueen") == "refs/gitqueen/tasks/iza"
