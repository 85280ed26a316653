"""Looking at many worktrees: one that is slow, hangs or crashes libgit2 keeps no other waiting."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen.git import libgit, probes, sights
from gitqueen.git.libgit import Follows, Seen
from gitqueen.git.sights import Fault, Sight
from tests import hive
from tests.hive import Repo


def quick(*paths: str) -> dict[str, Sight | Fault | None]:
    return dict(sights.quick(paths, False, lambda _: None))


def late(*paths: str, patience: float = hive.PATIENCE) -> dict[str, Sight | Fault]:
    return dict(sights.late(paths, False, patience))


def real(repo: Repo) -> str:
    return os.path.realpath(repo)


def seen(sight: Sight | Fault | None) -> Seen:
    assert isinstance(sight, Sight)
    return sight.seen


@pytest.fixture
def hanging(repo: Callable[..., Repo]) -> Repo:
    """Reading its configuration never ends, as on a dead network mount."""
    app = repo("hanging")
    (app.path / ".git/config").unlink()
    os.mkfifo(app.path / ".git/config")
    return app


def test_each_is_seen_with_what_waits_in_it(repo: Callable[..., Repo]) -> None:
    origin = repo("origin")
    app = origin.clone("app")
    origin.commit("theirs")
    app.commit("ours")
    app.commit("ours too")
    app.git("fetch", "-q")
    app.write("README", "changed\n")
    app.write("new", "new\n")
    (app.path / ".git/MERGE_HEAD").write_text(app.head)
    alone = repo("alone")
    found = quick(real(app), real(alone))
    sight = found[real(app)]
    assert isinstance(sight, Sight)
    assert (sight.seen, sight.busy) == (Seen(app.head, ("README", "new")), "merge")
    assert (sight.seen.untracked, sight.seen.follows) == (1, Follows("origin/main", 2, 1))
    assert (seen(found[real(alone)]).changed, seen(found[real(alone)]).follows) == ((), None)
    app.git("update-ref", "-d", "refs/remotes/origin/main")
    for look in (libgit.look, libgit.by_git):
        assert look(real(app)).follows == Follows("origin/main", None, None)


def test_git_and_libgit_see_the_same_ahead_and_behind(repo: Callable[..., Repo]) -> None:
    origin = repo("origin")
    app = origin.clone("app")
    states = []
    for step in ("nothing", "ours", "theirs", "both"):
        if step in ("ours", "both"):
            app.commit("ours")
        if step in ("theirs", "both"):
            origin.commit("theirs")
            app.git("fetch", "-q")
        by_git = libgit.by_git(real(app))
        assert by_git.follows == libgit.look(real(app)).follows
        states.append(by_git.follows)
    pairs = [(0, 0), (1, 0), (1, 1), (2, 2)]
    assert states == [Follows("origin/main", ahead, behind) for ahead, behind in pairs]


def test_one_that_hangs_keeps_no_other_waiting(
    repo: Callable[..., Repo], hanging: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sights, "LIMIT", 0.5)
    others = [real(repo(f"app{n}")) for n in range(3)]
    found = quick(real(hanging), *others)
    assert found.pop(real(hanging)) is None
    assert sorted(found) == others and all(isinstance(sight, Sight) for sight in found.values())
    fault = late(real(hanging))[real(hanging)]
    assert isinstance(fault, Fault)
    assert (fault.words, fault.took >= 1.0) == ("nothing was heard of it for 1 s", True)


def test_no_more_patience_than_asked_for(hanging: Repo) -> None:
    assert late(real(hanging), patience=0.2) == {}


def test_a_crash_of_libgit_is_seen_by_git(repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = repo("bad"), repo("good")
    bad.write("new", "new\n")

    def crash(worktree: str) -> Seen:
        if worktree == real(bad):
            os.kill(os.getpid(), signal.SIGSEGV)
        return libgit.by_git(worktree)

    monkeypatch.setattr(libgit, "look", crash)
    found = quick(real(bad), real(good))
    assert found[real(bad)] is None and isinstance(found[real(good)], Sight)
    assert seen(late(real(bad))[real(bad)]).changed == ("new",)


def test_what_is_gone_corrupt_or_a_strangers_is_a_fault_in_words(
    repo: Callable[..., Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, corrupt, fine = repo("gone"), repo("corrupt"), repo("fine")
    shutil.rmtree(gone)
    (corrupt.path / ".git/index").write_bytes(b"DIRC nonsense")
    found = quick(real(gone), real(corrupt), real(fine))
    assert isinstance(found[real(fine)], Sight)
    faults = [found[real(one)] for one in (gone, corrupt)]
    assert [fault.words.partition(":")[0] for fault in faults if isinstance(fault, Fault)] == [
        "no worktree is there any more", "git status failed"
    ]  # fmt: skip


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_strangers_repository_is_said_and_never_bypassed(repo: Callable[..., Repo]) -> None:
    app = repo()
    for top, folders, files in os.walk(app):
        for name in (".", *folders, *files):
            os.chown(os.path.join(top, name), 65534, 65534, follow_symlinks=False)
    fault = quick(real(app))[real(app)]
    assert isinstance(fault, Fault)
    assert "dubious ownership" in fault.words


def test_many_are_shared_between_children(repo: Callable[..., Repo]) -> None:
    app = repo()
    paths = [real(app.worktree(f"w{n}")) for n in range(2 * probes.MANY)]
    heard: list[str] = []
    started = time.monotonic()
    found = dict(sights.quick(paths, False, heard.append))
    assert sorted(found) == sorted(paths) and time.monotonic() - started < hive.PATIENCE
    assert set(heard) <= set(paths) and heard
    assert {seen(sight).head for sight in found.values()} == {app.head}
