"""Incident 5: one session's `git stash` took another's edits away. Kept, found, told, restored, with real processes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.doors.kit import Session
from tests.hive import Repo
from tests.hooks.kit import until
from tests.rescue import kit
from tests.rescue.kit import HERS, back, lost, shared, stand

TRACKED = ("app.py", "lib/core.py")


@pytest.mark.parametrize(("line", "taken"), [("git stash", TRACKED), ("git stash -u", tuple(HERS))])
def test_what_was_stashed_away_is_told_by_whom_and_comes_back(
    repo: Callable[..., Repo], session: Callable[..., Session], line: str, taken: tuple[str, ...]
) -> None:
    app, ada, bob = shared(repo, session)
    bob.command(line)
    assert bob.sister.sh(line).rc == 0
    assert stand(app, *taken) == {path: kit.FILES.get(path) for path in taken}
    [found] = lost(app)
    names = ", ".join(taken)
    assert (found["sisters"], found["severity"]) == (["ada", "bob"], "danger")
    assert found["detail"] == (
        f"uncommitted work of ada in {names} is only in a stash that is not hers (by bob, who ran `git stash`)"
    )
    told = ada.prompt()
    assert f"Your uncommitted work in {names} disappeared from {app.path} (by bob, who ran `git stash`)." in told
    assert "lost-work" not in bob.sister.sh("gitqueen inbox").out
    back(ada, app)
    assert "stash@{0}" in app.git("stash", "list")  # nobody's stash is touched


def test_her_own_stash_is_no_loss(repo: Callable[..., Repo], session: Callable[..., Session]) -> None:
    app, ada, _ = shared(repo, session)
    ada.command("git stash push -u -- app.py lib new")
    assert ada.sister.sh("git stash push -u -- app.py lib new").rc == 0
    assert lost(app) == []
    assert ada.prompt() == ""


def test_it_is_told_though_nobody_looks_around(repo: Callable[..., Repo], session: Callable[..., Session]) -> None:
    """Whoever was about to run it was heard: seconds later somebody looks what came of it."""
    app, ada, bob = shared(repo, session)
    assert lost(app) == []  # that was a scan: none is due for half a minute
    bob.command("git stash -u")
    assert bob.sister.sh("git stash -u").rc == 0
    until(lambda: "disappeared from" in ada.sister.sh("gitqueen inbox --peek").out, "she is told")
