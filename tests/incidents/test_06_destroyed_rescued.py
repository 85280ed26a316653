"""Incident 6: a reset, checkout, restore or rewind zeroed another's edits. Kept, found, told, restored."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.doors.kit import Session
from tests.hive import Repo
from tests.hooks import kit
from tests.rescue.kit import FILES, back, lost, rescues, shared, stand

LINES = ("git reset --hard", "git checkout -- .", "git restore app.py lib", "git checkout -qf -b other")


@pytest.mark.parametrize("line", LINES)
def test_what_was_destroyed_is_told_by_whom_and_comes_back(
    repo: Callable[..., Repo], session: Callable[..., Session], line: str
) -> None:
    app, ada, bob = shared(repo, session)
    bob.command(line)
    assert bob.sister.sh(line).rc == 0
    assert stand(app, "app.py", "lib/core.py") == {path: FILES[path] for path in ("app.py", "lib/core.py")}
    [found] = lost(app)
    assert found["detail"].startswith(
        "uncommitted work of ada in app.py, lib/core.py is nowhere in git any more (by bob, who ran `git "
    )
    assert "disappeared from" in ada.prompt()
    assert "gitqueen rescue restore" in ada.sister.sh("gitqueen inbox --all --peek").out
    back(ada, app)


def test_nobody_saw_who_did_it(repo: Callable[..., Repo], session: Callable[..., Session]) -> None:
    app, ada, bob = shared(repo, session)
    app.git("reset", "--hard")  # a person, without any agent
    found = {one["sisters"][0]: one for one in lost(app)}
    assert found.keys() == {"ada", "bob"}
    assert found["ada"]["detail"].endswith("is nowhere in git any more (by somebody unknown)")
    assert "bob.py" in found["bob"]["detail"]
    assert ada.sister.sh("gitqueen rescue restore").rc == bob.sister.sh("gitqueen rescue restore").rc == 0
    assert stand(app, "bob.py") == {"bob.py": "his\n"}
    assert lost(app) == []


def test_what_she_goes_on_with_herself_is_no_loss(repo: Callable[..., Repo], session: Callable[..., Session]) -> None:
    app, ada, _ = shared(repo, session)
    ada.edits("app.py", "hers, and more\n")
    assert ada.sister.sh("git add -A && git commit -qm mine").rc == 0
    ada.edits("lib/core.py", "again\n")
    ada.command("git checkout -- lib")
    ada.sister.sh("git checkout -- lib")
    assert lost(app) == []
    assert "disappeared" not in ada.prompt()


def test_alone_in_a_worktree_nobody_is_alarmed(repo: Callable[..., Repo], session: Callable[..., Session]) -> None:
    app, _, bob = shared(repo, session)
    bob.sister.kill()
    app.git("reset", "--hard")
    # She did it herself, as far as anybody can tell; he who is gone is told when he comes back.
    assert [one["sisters"] for one in lost(app)] == [["bob"]]


def test_her_worktree_is_removed_with_all_that_stood_in_it(
    repo: Callable[..., Repo], session: Callable[..., Session]
) -> None:
    app, _, bob = shared(repo, session)
    feat = app.worktree("feat")
    carol = session(feat, "carol")
    carol.start()
    carol.edits("README.md", "hers\n")
    kit.until(lambda: "README.md" in str(rescues(app, "--all")), "what she wrote is kept")
    bob.command(f"git worktree remove --force {feat.path}")
    assert bob.sister.sh(f"git worktree remove --force {feat.path}").rc == 0
    kit.until(lambda: "carol" in str(lost(app)), "it is found to be gone")
    [found] = [one for one in lost(app) if one["sisters"][0] == "carol"]
    assert "README.md is nowhere in git any more (by bob, who ran `git worktree remove`)" in found["detail"]
    [kept] = [one["id"] for one in rescues(app, "--all") if one["lost"] == ["README.md"]]
    done = bob.sister.sh(f"gitqueen rescue restore {kept} --to {app.path}-back")
    assert done.rc == 0, done
    assert (app.path.with_name("app-back") / "README.md").read_text() == "hers\n"
