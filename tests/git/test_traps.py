"""A repository may arrive with a prepared configuration: reading it starts nothing of its choosing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitqueen.git import config, libgit, places, staging
from tests.git import kinds
from tests.git.contract import environment, git
from tests.hive import Repo

# Programs that a repository names in its own configuration and hooks. Reading it must start none of them.
TRAPS = [
    "core.fsmonitor", "core.editor", "core.pager", "core.sshCommand", "core.askPass", "core.alternateRefsCommand",
    "core.gitProxy", "diff.external", "diff.trap.command", "diff.trap.textconv", "merge.trap.driver", "pager.status",
    "pager.config", "pager.diff", "pager.diff-index", "credential.helper", "gpg.program", "sequence.editor",
    "interactive.diffFilter", "alias.status", "alias.diff-index", "alias.config", "alias.rev-parse",
    "trailer.x.command", "uploadpack.packObjectsHook", "web.browser", "hook.trap.command",
]  # fmt: skip
HOOKS = ("post-index-change", "reference-transaction", "fsmonitor-watchman", "pre-commit", "post-checkout")


def trap(top: Path, canary: Path) -> None:
    repo = Repo(top)
    script = canary.with_name(f"trap-{top.name}")
    script.write_text(f"#!/bin/sh\necho \"$0 $*\" >>'{canary}'\n")
    script.chmod(0o755)
    hooks = canary.with_name(f"hooks-{top.name}")
    hooks.mkdir()
    for name in HOOKS:
        (hooks / name).symlink_to(script)
    for key in TRAPS:
        repo.git("config", key, f"!{script}" if key.startswith("alias.") else script)
    repo.git("config", "hook.trap.event", "post-index-change")
    repo.git("config", "core.hooksPath", hooks)
    info = Path(repo.git("rev-parse", "--path-format=absolute", "--git-path", "info/attributes"))
    info.parent.mkdir(exist_ok=True)
    info.write_text("* diff=trap merge=trap\n")


@pytest.mark.parametrize("newer", [False, pytest.param(True, marks=pytest.mark.needs_newer_git)])
def test_reading_starts_no_program_of_the_repositorys_choosing(
    newer: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if newer:
        request.getfixturevalue("newer_git")
    canary = tmp_path / "canary"
    top = kinds.superproject(tmp_path).top
    kinds.stir(top)
    for folder in (top, *(top / "parts").iterdir()):
        trap(folder, canary)
    os.utime(top / "README", (2_000_000_000, 2_000_000_000))

    place = places.find(os.fspath(top))
    assert place is not None and place.busy is None
    paths = staging.staged(place, environment({"GIT_PAGER_IN_USE": "1"}))
    config.ours(place, environment())
    assert "staged.txt" in paths and "edited.txt" in staging.uncommitted(os.fspath(top), ["edited.txt"])
    assert "parts/edited" in libgit.by_git(os.fspath(top)).changed
    libgit.look(os.fspath(top))

    assert not canary.exists()
    # The trap is one: git itself falls into it.
    git("status", cwd=top)
    assert f"trap-{top.name}" in canary.read_text()


def test_a_filter_runs_as_it_does_for_git_itself(tmp_path: Path) -> None:
    """Only a filter tells whether filtered content changed; git runs it for whoever may read the repository at all."""
    top = kinds.filtered(tmp_path).top
    Repo(top).git("config", "filter.shout.clean", f"tee {tmp_path}/fed | tr a-z A-Z")

    assert libgit.look(os.fspath(top)).changed == ("dir/shouted.txt",)
    assert (tmp_path / "fed").exists()
