"""INCIDENTS 13: a guard worked in repositories that it was never given. (What became of others' hooks: managers.)"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hive import Repo, Runner, Sister
from tests.hooks import kit


def inside(repo: Repo) -> set[str]:
    return {str(path.relative_to(repo.path)) for path in repo.path.rglob("*") if "objects" not in path.parts}


@pytest.mark.needs_strace
def test_an_unmanaged_repository_is_neither_touched_nor_slowed(
    repo: Callable[..., Repo], sister: Callable[..., Sister], tmp_path: Path
) -> None:
    given, other = kit.install(repo("given")), repo("other", {"a": "1\n"})
    before = inside(other)
    config = (other.path / ".git/config").read_bytes()
    anna, ben = sister("anna", other), sister("ben", other)
    # Sisters live, declare, claim, collide and look around there.
    anna.sh("iam 'her part'; gitqueen claim a --path a")
    ben.sh("iam 'his part'; gitqueen check a; gitqueen scan; gitqueen status; gitqueen onboard; gitqueen hooks status")
    kit.no_scan_due()
    assert inside(other) == before
    assert (other.path / ".git/config").read_bytes() == config
    assert other.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"
    # A commit and a switch start what git starts, and nothing else.
    done = ben.sh(f"echo 2 >a; {kit.STRACE} {tmp_path}/trace git commit -qam plain; git switch -qc topic")
    assert (done.rc, done.out, done.err) == (0, "", "")
    assert set(kit.programs(tmp_path / "trace")) == {"git"}
    # And so it is under hooks that stand in git's global configuration, once somebody said no.
    for event in kit.EVENTS:
        kit.stub(other, event, "#!/bin/sh")
    hooked = inside(other)
    done = ben.sh(f"echo 3 >a; {kit.STRACE} {tmp_path}/hooked git commit -qam hooked; git switch -q main")
    assert (done.rc, done.out, done.err) == (0, "", "")
    assert [name for name in kit.programs(tmp_path / "hooked") if name != "git"] == ["pre-commit", "post-commit"]
    assert inside(other) - hooked == set()
    assert kit.committed(given) == []


def test_a_repository_that_was_given_back_is_left_as_it_was(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = repo()
    before = inside(app)
    kit.install(app)
    anna, ben = sister("anna", app), sister("ben", app)
    anna.sh("iam 'her part'")
    ben.sh("iam 'his part'; git commit --allow-empty -qm one; gitqueen scan")
    kit.drained()
    Runner(app.path)("gitqueen", "hooks", "uninstall", check=True)
    # The commit, what is told of it in the notes, and a folder that git leaves when refs in it are gone.
    left = {path for path in inside(app) - before if "notes" not in path}
    assert left <= {".git/COMMIT_EDITMSG", ".git/refs/gitqueen"}
    assert ben.sh("git switch -qc topic; git commit --allow-empty -qm two") == (0, "", "")
