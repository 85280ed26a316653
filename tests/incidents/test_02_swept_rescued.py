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


def test_her_work_outlives_the_commit_that_swept_it_up(
    repo: Callable[..., Repo], session: Callable[..., Session]
) -> None:
    """Nothing of hers is uncommitted any more when that commit goes, days later perhaps."""
    app, ada, bob = shared(repo, session)
    assert bob.sister.sh("git add -A && git commit -qm all").rc == 0
    kit.drained()
    assert (lost(app), stand(app, *HERS)) == ([], HERS)
    assert bob.sister.sh("git reset -q --hard HEAD~1 && git reflog expire --expire=now --all && git gc -q").rc == 0
    kept = next(one["id"] for one in rescues(app) if set(HERS) <= set(one["files"]))
    assert ada.sister.sh(f"gitqueen rescue restore {kept} {' '.join(HERS)}").rc == 0
    assert stand(app, *HERS) == HERS
