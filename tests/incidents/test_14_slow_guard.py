"""INCIDENTS 14: a guard took 13 s, so an agent disabled all hooks with `core.hooksPath=/dev/null`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from tests.hive import Repo, Sister
from tests.hooks import kit


def test_it_gives_up_by_itself_whatever_holds_it(
    repo: Callable[..., Repo], sister: Callable[..., Sister], home: Path
) -> None:
    app = kit.install(repo(files={"a": "1\n"}))
    anna, ben = sister("anna", app.worktree("feat")), sister("ben", app)
    anna.sh("iam 'her part'; gitqueen claim a --path a")
    ben.sh("iam 'his part'; gitqueen scan")
    # A look into her worktree never ends: git waits for a filter.
    app.git("config", "filter.endless.clean", "exec sleep 1000")
    Path(f"{app.path}-feat", ".gitattributes").write_text("a filter=endless\n")
    anna.sh("echo 2 >a")
    done = ben.sh("unset GITQUEEN_HOOK_LIMIT; echo 3 >a; git commit -qam on")
    assert (done.rc, done.err) == (0, "gitqueen: no answer within 2 s; git goes on without us\n")
    assert app.git("log", "-1", "--format=%s") == "on"
    # Held by another program.
    Path(f"{app.path}-feat", ".gitattributes").unlink()
    other = sqlite3.connect(home / "queen.db", isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        done = ben.sh("echo 4 >a; git commit -qam held; git switch -qc other; git commit --amend -qm amended")
        assert done.rc == 0
    finally:
        other.close()
    assert [subject for subject, _ in kit.committed(app)] == ["on", "held", "amended"]


def test_that_somebody_switched_the_hooks_off_is_seen_and_said(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = kit.install(repo())
    anna, ben = sister("anna", app), sister("ben", app.worktree("feat"))
    anna.sh("iam 'her part'; gitqueen scan")
    ben.sh("iam 'his part'; gitqueen scan")
    app.git("config", "core.hooksPath", "/dev/null")
    anna.sh("gitqueen scan")
    told = kit.events(app, "disarmed")
    if not told:  # git >= 2.54 runs hooks of its configuration all the same: nobody was disarmed
        assert app.git("config", "--get-regexp", r"^hook\.") != ""
        return
    assert told[-1]["detail"]["when"] is not None
    assert any("no longer fire" in one["body"] for one in kit.mail(anna))
    app.git("config", "--unset", "core.hooksPath")
    anna.sh("gitqueen scan")
    bea = anna.sh("gitqueen hooks status")
    assert bea.rc == 0, bea
