"""Incident 3: a swept untracked file is tracked now, and the next switch of branches deletes it from her tree."""

from __future__ import annotations

from collections.abc import Callable

from tests.doors.kit import Session
from tests.hive import Repo
from tests.hooks import kit
from tests.rescue.kit import HERS, back, lost, shared, stand


def test_what_a_commit_swept_up_and_a_switch_took_away_comes_back(
    repo: Callable[..., Repo], session: Callable[..., Session]
) -> None:
    app, ada, bob = shared(repo, session)
    line = "git switch -qc bobs && git add -A && git commit -qm all && git switch -q main"
    bob.command(line)
    assert bob.sister.sh(line).rc == 0
    assert stand(app, "new/notes.txt") == {"new/notes.txt": None}
    # A commit has it, which is not hers, and she works on a branch that has it not.
    [found] = kit.until(lambda: lost(app), "it is told")
    his = app.git("rev-parse", "bobs")
    where = f"is only in a commit that is not hers, and not of this branch ({his[:10]})"
    assert found["detail"].startswith(f"uncommitted work of ada in app.py, lib/core.py, new/notes.txt {where} (by bob")
    [letter] = [one["body"].split("\n") for one in kit.mail(ada.sister) if "disappeared" in one["body"]]
    assert letter[0].startswith(f"Your uncommitted work in {', '.join(HERS)} disappeared from {app.path} (by bob")
    assert letter[1] == f"A commit that is not yours has it: git show {his[:10]}"
    back(ada, app)


def test_what_she_committed_herself_is_not_lost_when_the_branch_is_left(
    repo: Callable[..., Repo], session: Callable[..., Session]
) -> None:
    app, ada, bob = shared(repo, session)
    assert ada.sister.sh("git switch -qc adas && git add app.py lib new && git commit -qm hers").rc == 0
    assert bob.sister.sh("git switch -q main").rc == 0
    kit.drained()
    assert stand(app, "new/notes.txt") == {"new/notes.txt": None}
    assert lost(app) == []


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
