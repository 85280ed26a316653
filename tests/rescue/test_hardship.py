"""Where keeping is hard: a full disk, a read-only repository, nobody who tells of commands; and what is never kept."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from gitqueen.git import rescue, turns, uncommitted
from gitqueen.git.places import Place
from gitqueen.model import rescues
from gitqueen.services import losing, rescuing, restoring, salvaging
from tests.git import kinds
from tests.hive import Repo, Runner, Sister
from tests.hooks import kit
from tests.rescue import kit as rescue_kit
from tests.rescue.test_keeping import look, managed

BWRAP = ("bwrap", "--dev-bind", "/", "/")


@pytest.mark.needs_bwrap
def test_a_full_disk_says_so_and_takes_nothing_that_was_kept(repo: Callable[..., Repo], run: Runner) -> None:
    app = kit.install(repo("app", {"a": "1\n"}))
    app.write("a", "first\n")
    first = json.loads(run("gitqueen", "rescue", "now", "--json", cwd=app, check=True).stdout)["id"]
    app.write("big", os.urandom(500_000).hex())
    objects = str(app.path / ".git/gitqueen/rescue.git/objects")
    full = (*BWRAP, "--size", "65536", "--tmpfs", objects)
    done = run(*full, "gitqueen", "rescue", "now", cwd=app)
    assert done.returncode == 4
    assert done.stderr.endswith("cannot be written: No space left on device\n  → gitqueen doctor\n"), done.stderr
    assert run(*full, "gitqueen", "scan", cwd=app).returncode == 0
    assert [one["id"] for one in rescue_kit.rescues(app)] == [first]
    again = json.loads(run("gitqueen", "rescue", "now", "--json", cwd=app, check=True).stdout)["id"]
    assert [one["id"] for one in rescue_kit.rescues(app)] == [again, first]
    assert set(rescue_kit.rescues(app)[0]["files"]) == {"a", "big"}


@pytest.mark.needs_bwrap
def test_from_a_read_only_repository_it_is_brought_elsewhere(repo: Callable[..., Repo], run: Runner) -> None:
    app = kit.install(repo("app", {"a": "1\n"}))
    app.write("a", "hers\n")
    run("gitqueen", "rescue", "now", cwd=app, check=True)
    app.write("a", "newer\n")
    before = sorted(path.name for path in app.path.rglob("*"))
    sealed = (*BWRAP, "--ro-bind", str(app.path), str(app.path))
    done = run(*sealed, "gitqueen", "rescue", "now", cwd=app)
    assert done.returncode == 4
    assert done.stderr.endswith("cannot be written: Read-only file system\n  → gitqueen doctor\n"), done.stderr
    scan = run(*sealed, "gitqueen", "scan", cwd=app)
    assert (scan.returncode, "Traceback" in scan.stderr) == (0, False)
    [kept] = json.loads(run(*sealed, "gitqueen", "rescue", "list", "--json", cwd=app, check=True).stdout)["rescues"]
    run(*sealed, "gitqueen", "rescue", "restore", kept["id"], "--to", "../beside", cwd=app, check=True)
    assert (app.path.parent / "beside" / "a").read_text() == "hers\n"
    assert sorted(path.name for path in app.path.rglob("*")) == before


def test_the_commit_of_a_submodule_is_kept(tmp_path: Path) -> None:
    top = kinds.superproject(tmp_path).top
    opened = managed(top)
    found = salvaging.shown(opened, look(opened) or "").rescue
    heads = {path: Repo(top / path).head for path in ("parts/edited", "parts/littered", "parts/moved")}
    assert found.modules == heads
    assert look(opened) is None
    Repo(top / "parts/moved").commit("and on")
    assert salvaging.shown(opened, look(opened) or "").rescue.modules["parts/moved"] != heads["parts/moved"]


def test_what_is_written_again_as_it_was_is_no_news(repo: Callable[..., Repo]) -> None:
    app = repo("app", {"a": "1\n"})
    app.write("a", "2\n")
    app.write("new", "2\n")
    opened = managed(app)
    assert look(opened)
    app.write("a", "2\n")
    os.utime(app.path / "new", (1, 1))
    app.git("status")  # writes the index anew
    assert look(opened) is None
    (app.path / "a").chmod(0o755)
    assert look(opened)
    app.git("add", "a")  # the same, and staged now
    assert look(opened)
    assert look(opened) is None


def test_what_is_written_while_it_is_brought_back_stays(
    repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = repo("app", {"a": "1\n", "b": "1\n"})
    app.write("a", "hers\n")
    app.write("b", "hers\n")
    opened = managed(app)
    place, identity = opened.here(), look(opened) or ""
    app.git("checkout", "-q", ".")
    real = uncommitted.look

    def slow(place: Place, paths: Sequence[str] = ()) -> uncommitted.Look:
        seen = real(place, paths)
        app.write("a", "newer\n")
        return seen

    monkeypatch.setattr(uncommitted, "look", slow)
    found = rescuing.find(place, identity)
    done = restoring.restore(opened, place, found, restoring.chosen(place, found, ()))
    assert (done.written, list(done.refused)) == (("b",), ["a"])
    assert ((app.path / "a").read_text(), (app.path / "b").read_text()) == ("newer\n", "hers\n")


def test_a_pipe_in_the_place_of_a_file_holds_up_nobody(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = kit.install(repo("app", {"a": "1\n"}))
    for name in ("iza", "ada"):
        sister(name, app).sh("iam 'the parser'")
    app.write("a", "hers\n")
    app.write("new", "hers\n")
    opened = managed(app)
    made = look(opened)
    for name in ("a", "new"):
        (app.path / name).unlink()
        os.mkfifo(app.path / name)
    assert look(opened)
    # What git ignores is nothing; where it sees a change of kind, somebody changed it.
    assert {one.facts for one in losing.open_ones(opened)} == {("new",)}
    assert Runner(app.path)("gitqueen", "rescue", "restore", made or "").returncode == 1
    assert Runner(app.path)("gitqueen", "rescue", "diff", made or "").returncode == 0


def test_settings_are_the_repositorys(repo: Callable[..., Repo]) -> None:
    app, web = repo("app"), repo("web")
    app.git("config", "--global", "gitqueen.rescue.maxFileSize", "1k")
    web.git("config", "gitqueen.rescue.maxFileSize", "2048")
    web.git("config", "gitqueen.rescue.maxTotalSize", "1m")
    assert [rescuing.limits(managed(one)) for one in (app, web)] == [
        rescuing.Limits(1024, 200 * 1024 * 1024),
        rescuing.Limits(2048, 1024 * 1024),
    ]


def test_a_checkout_that_only_gits_hook_heard_of_is_told_by_whom(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = kit.install(repo("app", {"a": "1\n"}))
    app.git("config", "gitqueen.rescue.interval", "0.2")
    ada, bob = sister("ada", app), sister("bob", app)
    bob.sh("iam 'the manual'")
    ada.sh("iam 'the parser'; echo hers >a; gitqueen scan")
    assert bob.sh("git checkout -qf -b other").rc == 0
    letter = kit.until(lambda: [one["body"] for one in kit.mail(ada) if "disappeared" in one["body"]], "she is told")[0]
    assert "disappeared from" in letter and "(by bob, who ran `git checkout`)" in letter


def test_a_checkout_before_the_last_look_did_not_do_it(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = kit.install(repo("app", {"a": "1\n"}))
    ada, bob = sister("ada", app), sister("bob", app)
    ada.sh("iam 'the parser'")
    bob.sh("iam 'the manual'; git switch -qc other")
    ada.sh("echo hers >a; gitqueen scan")
    app.git("reset", "-q", "--hard")
    ada.sh("gitqueen scan")
    [letter] = [one["body"] for one in kit.mail(ada) if "disappeared" in one["body"]]
    assert "(by somebody unknown)" in letter


def test_pruning_says_what_would_go_and_changes_nothing(repo: Callable[..., Repo], run: Runner) -> None:
    app = repo()
    opened = managed(app)
    opened.now -= rescues.DAILY_FOR * 2
    made = []
    for number in range(3):
        app.write("new", f"{number}\n")
        made.append(look(opened) or "")
    gone = "\n".join(["2 would go", *(f"  {one}" for one in reversed(made[:2])), ""])
    assert run("gitqueen", "rescue", "prune", "--dry-run", cwd=app, check=True).stdout == gone
    assert len(rescue.listed(opened.here())) == 3
    assert run("gitqueen", "rescue", "prune", cwd=app, check=True).stdout == gone.replace("would go", "gone")
    assert [one.id for one in rescue.listed(opened.here())] == made[2:]


def test_a_scan_a_day_has_it_pruned_and_packed_behind_everybodys_back(repo: Callable[..., Repo], run: Runner) -> None:
    app = repo()
    opened = managed(app)
    opened.now -= rescues.DAILY_FOR * 2
    made = []
    for number in range(3):
        app.write("new", f"{number}\n")
        made.append(look(opened) or "")
    run("gitqueen", "scan", cwd=app, check=True)
    place = opened.here()
    packs = Path(turns.folder(place), "objects", "pack")
    kit.until(lambda: list(packs.glob("*.idx")) and not rescue.unpacked(place), "it is packed")
    assert [one.id for one in rescue.listed(place)] == made[2:]
    [found] = rescue.contents(place, made[2])
    assert (found.path, rescue.data(place, [found.oid])) == ("new", [b"2\n"])


def test_edits_in_quick_succession_are_not_kept_one_by_one(repo: Callable[..., Repo], run: Runner) -> None:
    """At most every few seconds; who is asked for meanwhile looks again when they are over."""
    app = kit.install(repo())
    app.git("config", "gitqueen.rescue.interval", "1")
    opened = managed(app)
    place = opened.here()
    turns.prepare(place)
    started, asked = time.time(), 0
    with turns.keeper(place) as mine:
        assert mine
        while time.time() < started + 0.2:
            assert not turns.ask(place)  # nobody starts a second one
            asked += 1
        assert asked > 1 and turns.asked(place, started)
    assert turns.ask(place)
    assert losing.look(opened, place, "edit") is None
