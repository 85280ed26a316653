"""INCIDENTS 13: the installer destroyed other hooks, or guarded repositories it was never given.

That every hook manager keeps working in every order is `tests/managers`; here are the user's own hooks, of every event.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tests.hive import Repo, Runner

MakeRepo = Callable[..., Repo]

HOOKS = (
    "applypatch-msg", "commit-msg", "post-applypatch", "post-checkout", "post-commit", "post-merge", "post-rewrite",
    "pre-applypatch", "pre-commit", "pre-merge-commit", "pre-push", "pre-rebase", "prepare-commit-msg",
)  # fmt: skip


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def day(run: Runner, app: Repo, told: Path) -> list[str]:
    """What the user's own hooks tell of a day's work: event, name they were called by, arguments, input."""
    told.unlink(missing_ok=True)
    script = """
        git commit -q --allow-empty -m one && git checkout -q -b side && git commit -q --allow-empty -m two
        git commit -q --amend --allow-empty -m three && git checkout -q main && git commit -q --allow-empty -m four
        git merge -q --no-edit side && git rebase -q --force-rebase HEAD~2 && git push -q ../origin.git main
        git format-patch -q -1 --stdout HEAD >../patch && git reset -q --hard HEAD~1 && git am -q ../patch
        git checkout -q main && git reset -q --hard start && git branch -q -D side
        git push -q -f ../origin.git main
    """
    run("sh", "-c", script, cwd=app, env={"TOLD": os.fspath(told)})
    return told.read_text().splitlines()


def test_the_users_own_hooks_of_every_event_go_on(run: Runner, repo: MakeRepo, tmp_path: Path) -> None:
    app = repo(files={"a": "1\n"})
    app.git("tag", "start")
    app.git("clone", "--quiet", "--bare", ".", tmp_path / "origin.git")
    for name in HOOKS:
        hook = app.write(f".git/hooks/{name}", '#!/bin/sh\necho "${0##*/} $# $*: $(cat)" >>"$TOLD"\n')
        hook.chmod(0o755)
    before_folder = everything(app.path / ".git/hooks")
    config = (app.path / ".git/config").read_bytes()
    before = day(run, app, tmp_path / "told")
    assert {line.split()[0] for line in before} >= {
        "commit-msg",
        "post-rewrite",
        "pre-commit",
        "pre-push",
        "pre-rebase",
    }

    run("gitqueen", "hooks", "install", cwd=app, check=True)
    assert day(run, app, tmp_path / "told") == before
    run("gitqueen", "hooks", "uninstall", cwd=app, check=True)
    assert everything(app.path / ".git/hooks") == before_folder
    assert (app.path / ".git/config").read_bytes() == config


def test_a_repository_never_given_is_never_touched(run: Runner, repo: MakeRepo) -> None:
    app, other = repo("app"), repo("other")
    before = sorted(os.fspath(path) for path in app.path.rglob("*"))
    run("gitqueen", "hooks", "install", other, check=True)
    run("gitqueen", "hooks", "status", app, check=True)
    run("gitqueen", "hooks", "install", "--dry-run", app, check=True)
    run("gitqueen", "hooks", "uninstall", app, check=True)
    run("gitqueen", "status", cwd=app, check=True)
    run("gitqueen", "scan", cwd=app, check=True)
    assert sorted(os.fspath(path) for path in app.path.rglob("*")) == before
