"""Noting: every commit tells who made it and for which task, whatever became of it since."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gitqueen.git import notes
from gitqueen.model import mirror
from gitqueen.services import noting, queen
from gitqueen.services.queen import Queen
from gitqueen.store import database, unnoted
from tests.git.contract import here
from tests.hive import Repo, Sister
from tests.hooks.kit import alone, install, until

Line = tuple[str, str, str | None]
COMMIT, EMPTY = "git commit -q -m", "git commit -q --allow-empty -m"


def told(app: Repo, revision: str = "HEAD") -> list[Line]:
    """(what, sister, task) of each line of a commit's note, in the order in which it stands there."""
    oid = app.git("rev-parse", revision)
    text = notes.read(here(app.path), [oid]).get(oid, "")
    said = [json.loads(line) for line in text.splitlines() if line]
    return [(one["what"], one["sister"], one["task"]) for one in said]


def wait_for(app: Repo, wanted: list[Line], revision: str = "HEAD") -> None:
    until(lambda: told(app, revision) == wanted, lambda: f"{revision} is told of {wanted}, not {told(app, revision)}")


def test_a_task_is_noted_where_it_begins_and_ends(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    app = install(repo())
    iza = sister("iza-1", app)
    iza.sh("iam 'the relay'")
    wait_for(app, [("started", "iza-1", "the relay")])
    [line] = notes.read(here(app.path), [app.head])[app.head].splitlines()
    said = json.loads(line)
    assert list(said) == ["what", "sister", "task", "agent", "machine", "at"]
    assert (said["agent"], said["machine"]) == ("unknown", os.uname().nodename)
    iza.sh(f"iam 'the relay'; echo 1 >a; git add a; {COMMIT} work")
    wait_for(app, [("commit", "iza-1", "the relay")])
    iza.sh("iam --done; iam --done")
    # Finished at once: the task was hers when she made it, whichever of the two is written first.
    wanted = [("commit", "iza-1", "the relay"), ("done", "iza-1", "the relay")]
    until(lambda: sorted(told(app)) == wanted, "both are told of")
    iza.sh("iam 'the dam'")
    wait_for(app, [("commit", "iza-1", "the relay"), ("done", "iza-1", "the relay"), ("started", "iza-1", "the dam")])
    assert told(app, "HEAD~1") == [("started", "iza-1", "the relay")]


def test_where_nothing_is_committed_nothing_is_noted(sister: Callable[..., Sister], tmp_path: Path, home: Path) -> None:
    app = Repo(tmp_path / "app")
    app.path.mkdir()
    app.git("init", "--quiet")
    install(app)
    iza = sister("iza-1", app)
    assert iza.sh("iam 'the relay'; gitqueen scan").rc == 0
    assert app.git("for-each-ref", "--format=%(refname)") == "refs/gitqueen/tasks/iza-1"
    iza.sh(f"{EMPTY} first")
    wait_for(app, [("commit", "iza-1", "the relay")])


def test_a_detached_head_and_packed_refs_are_noted_too(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = install(repo())
    app.git("pack-refs", "--all")
    iza = sister("iza-1", app)
    iza.sh("iam 'the relay'")
    wait_for(app, [("started", "iza-1", "the relay")])
    iza.sh(f"git checkout -q --detach; {EMPTY} apart; iam --done")
    wait_for(app, [("commit", "iza-1", "the relay"), ("done", "iza-1", "the relay")])


def test_an_unmanaged_repository_gets_no_notes(
    repo: Callable[..., Repo], sister: Callable[..., Sister], home: Path
) -> None:
    app = repo()
    iza = sister("iza-1", app)
    iza.sh(f"iam 'the relay'; {EMPTY} x; iam --done; gitqueen scan")
    assert app.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"
    with closing(sqlite3.connect(home / "queen.db")) as db:
        assert db.execute("SELECT count(*) FROM unnoted").fetchone() == (0,)


MINE: Line = ("commit", "iza-1", "the relay")
HERS: Line = ("commit", "bea", "the dam")


@pytest.fixture
def two(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> tuple[Repo, Sister, Sister]:
    """Two sisters in one repository, who made `one` (iza-1), `two` (bea) and `three` (iza-1), all told of."""
    app = install(repo())
    iza, bea = sister("iza-1", app), sister("bea", app)
    iza.sh("iam 'the relay'")
    bea.sh("iam 'the dam'")
    for number, who in (("one", iza), ("two", bea), ("three", iza)):
        assert who.sh(f"echo {number} >{number}; git add {number}; {COMMIT} {number}").rc == 0
    for back, line in ((2, MINE), (1, HERS), (0, MINE)):
        wait_for(app, [line], f"HEAD~{back}")
    return app, iza, bea


def history(app: Repo) -> list[list[Line]]:
    """Of each commit, the newest first, who made it, each once; without where tasks began."""
    made = [[line for line in told(app, oid) if line[0] == "commit"] for oid in app.git("rev-list", "HEAD").split()]
    return [list(dict.fromkeys(lines)) for lines in made]


def wait_for_history(app: Repo, wanted: list[list[Line]]) -> None:
    until(lambda: history(app) == wanted, lambda: f"history is {wanted}, not {history(app)}")


def test_an_amended_commit_is_told_of_once(two: tuple[Repo, Sister, Sister]) -> None:
    app, iza, bea = two
    iza.sh("git commit -q --amend -m again; git commit -q --amend -m 'and again'")
    wait_for_history(app, [[MINE], [HERS], [MINE], []])
    bea.sh("git commit -q --amend -m 'by another'")
    wait_for(app, [MINE, HERS])


@pytest.mark.parametrize("backend", ["merge", "apply"])
def test_a_rebase_makes_nobody_else_the_maker(backend: str, two: tuple[Repo, Sister, Sister]) -> None:
    app, iza, bea = two
    iza.sh(f"git checkout -q -b base HEAD~3; {EMPTY} base")
    wait_for(app, [MINE])
    done = bea.sh(f"git checkout -q main; git rebase -q --{backend} base")
    assert done.rc == 0, done.err
    wait_for_history(app, [[MINE], [HERS], [MINE], [MINE], []])


def test_a_squash_tells_of_all_that_went_into_it(two: tuple[Repo, Sister, Sister]) -> None:
    app, _, bea = two
    bea.sh("GIT_SEQUENCE_EDITOR='sed -i -e 2,3s/pick/fixup/' git rebase -q -i HEAD~3")
    wait_for_history(app, [[MINE, HERS], []])


def test_autosquash_carries_on(two: tuple[Repo, Sister, Sister]) -> None:
    app, _, bea = two
    bea.sh("echo more >>one; git commit -qa --fixup HEAD~2")
    wait_for(app, [HERS])
    done = bea.sh("GIT_SEQUENCE_EDITOR=true GIT_EDITOR=true git rebase -q -i --autosquash HEAD~4")
    assert done.rc == 0, done.err
    wait_for_history(app, [[MINE], [HERS], [MINE, HERS], []])


def test_a_pick_is_made_by_who_picks(two: tuple[Repo, Sister, Sister]) -> None:
    app, _, bea = two
    bea.sh("git checkout -q -b other HEAD~3; git cherry-pick main")
    wait_for_history(app, [[HERS], []])


def test_notes_that_come_after_the_rebase_still_find_the_new_commits(
    repo: Callable[..., Repo], sister: Callable[..., Sister], home: Path
) -> None:
    """Nobody drained while it went on: git had nothing to carry along."""
    app = install(repo())
    iza, bea = sister("iza-1", app), sister("bea", app)
    iza.sh("iam 'the relay'; gitqueen scan")
    bea.sh("iam 'the dam'; gitqueen scan")
    alone()
    # Says that somebody drains: this process, which does not.
    (home / "spool" / "draining").write_text(f"{os.getpid()}\n")
    iza.sh(f"echo 1 >one; git add one; {COMMIT} one")
    bea.sh(f"echo 2 >two; git add two; {COMMIT} two; git checkout -q -b base HEAD~2; {EMPTY} base")
    assert bea.sh("git checkout -q main; git rebase -q base").rc == 0
    assert [told(app, oid) for oid in ("HEAD", "HEAD~1")] == [[], []]
    assert iza.sh("gitqueen scan").rc == 0
    wait_for_history(app, [[HERS], [MINE], [HERS], []])


def test_plain_git_tells_the_whole_story(two: tuple[Repo, Sister, Sister]) -> None:
    """Who did what for which task, in a history that was amended, rebased and squashed, with git alone."""
    app, iza, bea = two
    iza.sh("git commit -q --amend -m three-and-a-half")
    bea.sh(f"git checkout -q -b base HEAD~3; {EMPTY} base; git checkout -q main; git rebase -q base")
    bea.sh("GIT_SEQUENCE_EDITOR='sed -i -e 2s/pick/fixup/' git rebase -q -i HEAD~3")
    wait_for_history(app, [[MINE], [MINE, HERS], [HERS], []])
    shown = app.git("log", "--format=%s%n%N", "--notes=gitqueen").splitlines()
    story = [_short(line) for line in shown if line]
    assert story == [
        "three-and-a-half",
        "commit iza-1: the relay",
        "one",
        "commit iza-1: the relay",
        "commit bea: the dam",
        "base",
        "commit bea: the dam",
        "first",
        "started iza-1: the relay",
        "started bea: the dam",
    ]
    # One line in a log of everything, and no graph shows tasks and claims.
    assert app.git("log", "--all", "--format=%s").splitlines().count("notes") == 1
    assert iza.sh("gitqueen log --oneline").out.count("🐝") == 6


def _short(line: str) -> str:
    if not line.startswith("{"):
        return line
    said = json.loads(line)
    return f"{said['what']} {said['sister']}: {said['task']}"


# What waits


@pytest.fixture
def opened(repo: Callable[..., Repo], home: Path) -> tuple[Repo, Queen]:
    from datetime import UTC, datetime

    app = install(repo())
    return app, queen.open(os.environ, lambda: datetime.now(UTC), os.fspath(app.path))


def row(opened: Queen, app: Repo, text: str, oid: str | None = None) -> None:
    with database.transaction(opened.db):
        unnoted.add(opened.db, os.fspath(app.path / ".git"), oid or app.head, text)


def count(opened: Queen) -> int:
    found: int = opened.db.execute("SELECT count(*) FROM unnoted").fetchone()[0]
    return found


def test_what_git_overwrites_is_written_again(opened: tuple[Repo, Queen], monkeypatch: pytest.MonkeyPatch) -> None:
    """git reads the notes, carries some along and writes what it read: ours came in between."""
    monkeypatch.setattr(unnoted, "SETTLED", 0.0)
    app, here_ = opened
    row(here_, app, "first")
    noting.flush(here_)
    noting.flush(here_)
    before = app.git("rev-parse", "refs/notes/gitqueen")
    assert count(here_) == 0
    row(here_, app, "second")
    noting.flush(here_)
    app.git("update-ref", "refs/notes/gitqueen", before)
    noting.flush(here_)
    assert app.git("notes", "--ref=gitqueen", "show") == "first\nsecond"
    assert count(here_) == 1
    noting.flush(here_)
    assert count(here_) == 0


def test_more_than_are_taken_at_once_are_all_written(
    opened: tuple[Repo, Queen], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unnoted, "MOST", 3)
    app, here_ = opened
    for number in range(8):
        row(here_, app, f"line {number}")
    new = app.commit("rewritten")
    with database.transaction(here_.db):
        unnoted.carry(here_.db, os.fspath(app.path / ".git"), [(app.git("rev-parse", "HEAD~1"), new)])
    row(here_, app, "line 8", app.git("rev-parse", "HEAD~1"))
    assert noting.flush(here_) == []
    # The first rows were of the commit that was HEAD then.
    lines = app.git("notes", "--ref=gitqueen", "show", "HEAD~1").splitlines()
    assert sorted(lines) == sorted(f"line {number}" for number in range(9))
    assert sorted(app.git("notes", "--ref=gitqueen", "show").splitlines()) == sorted(lines)


def test_a_ref_that_is_no_notes_keeps_what_waits_and_no_amend_dies(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = install(repo())
    app.git("update-ref", "refs/notes/gitqueen", app.git("rev-parse", "HEAD:README"))
    iza = sister("iza-1", app)
    iza.sh(f"iam 'the relay'; {EMPTY} one; gitqueen scan")
    until(lambda: iza.sh("git config notes.rewriteRef").rc == 1, "git is told no more")
    assert iza.sh("git commit -q --allow-empty --amend -m two").rc == 0
    mend = f"git -C {app.path} update-ref -d refs/notes/gitqueen; gitqueen hooks install {app.path}"
    wrong = [one for one in json.loads(iza.sh("gitqueen doctor --json").out)["checks"] if one["name"] == "notes"]
    assert [(one["ok"], one["detail"], one["mend"]) for one in wrong] == [
        (
            False,
            f"refs/notes/gitqueen of {app.path} is a blob, no notes: nothing is written there",
            f"if nobody needs it: {mend}",
        )
    ]
    app.git("update-ref", "-d", "refs/notes/gitqueen")
    iza.sh("gitqueen hooks install; gitqueen scan")
    wait_for_history(app, [[MINE], []])
    assert iza.sh("git config notes.rewriteRef").out == "refs/notes/gitquee[n]\n"


def test_notes_stay_when_hooks_go_and_go_when_asked(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    app = repo()
    before = (app.path / ".git/config").read_bytes()
    install(app)
    iza = sister("iza-1", app)
    iza.sh("iam 'the relay'")
    wait_for(app, [("started", "iza-1", "the relay")])
    done = iza.sh("gitqueen hooks uninstall")
    assert "refs/notes/gitqueen stays" in done.out
    assert (app.path / ".git/config").read_bytes() == before
    assert app.git("for-each-ref", "--format=%(refname)") == "refs/heads/main\nrefs/notes/gitqueen"
    iza.sh("gitqueen hooks install; gitqueen claim deploy")
    done = iza.sh("gitqueen hooks uninstall --purge")
    assert "refs/notes/gitqueen is gone" in done.out
    assert app.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert (app.path / ".git/config").read_bytes() == before


def test_a_name_that_no_ref_can_bear_is_not_noted(opened: tuple[Repo, Queen]) -> None:
    from gitqueen.model.sisters import Sister as Row

    app, here_ = opened
    with database.transaction(here_.db):
        noting.note(here_, os.fspath(app.path / ".git"), app.head, mirror.COMMIT, Row(1, "a\nb"), None, here_.now)
    assert count(here_) == 0
