"""Incident 11: a forced checkout and `git clean` wiped another's untracked files; ignored ones are nobody's promise."""

from __future__ import annotations

from collections.abc import Callable

from tests.doors.kit import Session
from tests.hive import Repo
from tests.rescue.kit import HERS, back, lost, rescues, shared, stand


def test_what_was_cleaned_away_comes_back(repo: Callable[..., Repo], session: Callable[..., Session]) -> None:
    app, ada, bob = shared(repo, session)
    (app.path / ".git/info/exclude").write_text("*.log\n")
    app.write("new/debug.log", "ignored\n")
    line = "git checkout -qf . && git clean -qfdx"
    bob.command(line)
    assert bob.sister.sh(line).rc == 0
    assert stand(app, "new/notes.txt", "new/debug.log") == {"new/notes.txt": None, "new/debug.log": None}
    [found] = lost(app)
    assert "work of ada in app.py, lib/core.py, new/notes.txt is nowhere in git any more (by bob" in found["detail"]
    assert "new/notes.txt disappeared from" in ada.prompt()
    assert not any("new/debug.log" in one["files"] for one in rescues(app))
    back(ada, app)
    assert stand(app, *HERS, "new/debug.log") == {**HERS, "new/debug.log": None}
