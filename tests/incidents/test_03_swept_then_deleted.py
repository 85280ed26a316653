"""Incident 3: a swept untracked file is tracked now, and the next switch of branches deletes it from her tree."""

from __future__ import annotations

from collections.abc import Callable

from tests.doors.kit import Session
from tests.hive import Repo
from tests.rescue.kit import HERS, lost, rescues, shared, stand


def test_what_a_commit_swept_up_and_a_switch_took_away_comes_back(
    repo: Callable[..., Repo], session: Callable[..., Session]
) -> None:
    app, ada, bob = shared(repo, session)
    line = "git switch -qc bobs && git add -A && git commit -qm all && git switch -q main"
    bob.command(line)
    assert bob.sister.sh(line).rc == 0
    assert stand(app, "new/notes.txt") == {"new/notes.txt": None}
    # A commit has it: nothing is lost, and still her file is away. The snapshot brings it back.
    assert lost(app) == []
    assert app.git("show", "bobs:new/notes.txt") == "her notes"
    kept = next(one for one in rescues(app) if set(HERS) <= set(one["files"]))
    assert ada.sister.sh(f"gitqueen rescue restore {kept['id']} new/notes.txt").rc == 0
    assert stand(app, "new/notes.txt") == {"new/notes.txt": HERS["new/notes.txt"]}


def test_and_when_that_commit_is_thrown_away_it_is_lost_work(
    repo: Callable[..., Repo], session: Callable[..., Session]
) -> None:
    app, ada, bob = shared(repo, session)
    line = "git add -A && git reset -q --hard"
    bob.command(line)
    assert bob.sister.sh(line).rc == 0
    [found] = lost(app)
    assert "uncommitted work of ada in app.py, lib/core.py, new/notes.txt is nowhere" in found["detail"]
    assert ada.sister.sh("gitqueen rescue restore").rc == 0
    assert stand(app, *HERS) == HERS
