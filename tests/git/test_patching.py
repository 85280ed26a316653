"""A difference is shown by a repository's settings, and no program of its choosing is started for that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gitqueen.git import patching, places
from gitqueen.git.patching import Side
from tests.git.contract import git
from tests.git.test_traps import trap
from tests.hive import Repo


def test_a_prepared_repository_starts_nothing(repo: Callable[..., Repo], tmp_path: Path) -> None:
    app = repo("app", {"a": "1\n"})
    canary = tmp_path / "canary"
    trap(app.path, canary)
    app.git("config", "diff.noprefix", "true")  # its settings count all the same
    place = places.find(str(app.path))
    said = patching.patch({"a": Side(0o100644, b"1\n")}, {"a": Side(0o100644, b"2\n")}, place).decode()
    assert said.splitlines()[2:] == ["--- a", "+++ a", "@@ -1 +1 @@", "-1", "+2"]
    assert not canary.exists()
    app.write("a", "2\n")
    git("diff", cwd=app.path)  # the trap is one: git itself falls into it
    assert canary.exists()
