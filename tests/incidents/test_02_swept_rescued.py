"""Incident 2, the end of it: what a commit swept up goes away with that commit. Kept, found, told, restored."""

from __future__ import annotations

from collections.abc import Callable

from tests.doors.kit import Session
from tests.hive import Repo
from tests.hooks import kit
from tests.rescue.kit import HERS, back, lost, rescues, shared, stand


def test_what_was_swept_up_and_thrown_away_is_told_and_comes_back(
    repo: Callable[..., Repo], session: Callable[..., Session]
) -> None:
    app, ada, bob = shared(repo, session)
    line = "git add -A && git commit -qm all && git reset -q --hard HEAD~1"
    bob.command(line)
    assert bob.sister.sh(line).rc == 0
    assert stand(app, "new/notes.txt") == {"new/notes.txt": None}
    names = ", ".join(HERS)
    [found] = kit.until(lambda: lost(app), "it is found")
    assert found["detail"].startswith(f"uncommitted work of ada in {names} is only in a commit that is not hers"), found
    assert app.git("rev-parse", "ORIG_HEAD")[:10] in found["detail"]
    assert f"Your uncommitted work in {names} disappeared from {app.path}" in ada.prompt()
    back(ada, app)


def swept(repo: Callable[..., Repo], session: Callable[..., Session]) -> tuple[Repo, Session, Session]:
    """Bob has committed all that stood there; nothing of hers is uncommitted any more, and nothing is lost."""
    app, ada, bob = shared(repo, session)
    assert bob.sister.sh("git add -A && git commit -qm all").rc == 0
    kit.drained()
    assert (lost(app), stand(app, *HERS)) == ([], HERS)
    return app, ada, bob


def test_her_work_outlives_the_commit_that_swept_it_up(
    repo: Callable[..., Repo], session: Callable[..., Session]
) -> None:
    """Nothing of hers is uncommitted any more when that commit goes, days later perhaps."""
    app, ada, bob = swept(repo, session)
    assert bob.sister.sh("git reset -q --hard HEAD~1 && git reflog expire --expire=now --all && git gc -q").rc == 0
    kept = next(one["id"] for one in rescues(app) if set(HERS) <= set(one["files"]))
    assert ada.sister.sh(f"gitqueen rescue restore {kept} {' '.join(HERS)}").rc == 0
    assert stand(app, *HERS) == HERS


def test_what_was_swept_up_is_told_of_when_its_commit_goes_much_later(
    repo: Callable[..., Repo], session: Callable[..., Session]
) -> None:
    app, ada, bob = swept(repo, session)
    assert bob.sister.sh("git commit -q --amend -m everything").rc == 0
    kit.drained()
    assert (lost(app), stand(app, *HERS)) == ([], HERS)
    assert bob.sister.sh("git reset -q --hard HEAD~1").rc == 0
    [found] = kit.until(lambda: lost(app), "it is found")
    assert "ada" in found["sisters"]
    assert found["detail"].startswith(f"uncommitted work of ada in {', '.join(HERS)} is only in a commit"), found
    assert "disappeared from" in ada.prompt()
    back(ada, app)


def test_who_commits_his_own_and_leaves_the_branch_alarms_nobody(
    repo: Callable[..., Repo], session: Callable[..., Session]
) -> None:
    app, ada, bob = shared(repo, session)
    assert ada.sister.sh(f"git add {' '.join(HERS)} && git commit -qm hers").rc == 0
    assert bob.sister.sh("git commit -qam his && git switch -qc later").rc == 0
    kit.drained()
    assert lost(app) == []
    assert bob.sister.sh("git switch -q main && git reset -q --hard HEAD~2").rc == 0
    kit.drained()
    assert lost(app) == []
