"""Every kind of worktree: armed from within it, ours fire there exactly once, and are gone afterwards."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.git import kinds
from tests.hive import Repo, Runner

KINDS = (
    "plain", "unborn", "linked", "inside", "of_bare", "of_dot_git", "separate", "submodule", "of_submodule", "sha256",
    "symlinked", "odd_folder", "worktree_config",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_ours_fire_once(
    kind: str, by_config: bool, product: Path, tmp_path: Path, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = tmp_path / "canary"
    monkeypatch.setenv("CANARY", os.fspath(canary))
    box = tmp_path / "box"
    box.mkdir()
    top = Repo(kinds.BUILDERS[kind](box).top)

    def gitqueen(*words: str) -> str:
        env = {"PYTHONPATH": os.fspath(product)}
        return run(sys.executable, "-m", "gitqueen", *words, cwd=top, env=env, check=True).stdout

    gitqueen("hooks", "install")
    later = Path(os.environ["GITQUEEN_HOME"], "next-scan")
    later.touch()
    os.utime(later, (4_000_000_000, 4_000_000_000))
    gitqueen("hooks", "status")
    top.commit("one")
    top.git("checkout", "-q", "-b", "another")
    assert canary.read_text().splitlines() == [
        "pre-commit",
        "post-commit",
        f"post-checkout {top.head} {top.head} 1",
    ]
    gitqueen("hooks", "uninstall")
    canary.unlink()
    top.commit("two")
    assert not canary.exists()
    left = [path for path in box.rglob("*") if path.is_file() and b"gitqueen_hook" in path.read_bytes()]
    assert left == []


def test_armed_from_a_bare_repository(
    by_config: bool, product: Path, tmp_path: Path, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its worktrees, old and new, are armed with it."""
    canary = tmp_path / "canary"
    monkeypatch.setenv("CANARY", os.fspath(canary))
    bare = Repo(kinds.BUILDERS["bare"](tmp_path).top)
    env = {"PYTHONPATH": os.fspath(product)}
    run(sys.executable, "-m", "gitqueen", "hooks", "install", bare, env=env, check=True)
    bare.git("worktree", "add", "--quiet", "-b", "topic", tmp_path / "topic")
    canary.unlink()
    Repo(tmp_path / "topic").commit("one")
    assert canary.read_text().splitlines() == ["pre-commit", "post-commit"]
