"""Watched worktrees: calm exactly while nothing happens in them that `look` would see."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen.git import libgit, places
from gitqueen.git.watches import Watches
from tests.hive import Repo

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")

FILES = {"README": "x\n", "src/a.py": "a\n", "src/deep/b.py": "b\n", ".gitignore": "*.log\n/build/\n"}


def look(watches: Watches, app: Repo) -> bool:
    """What the daemon does around a look; whether the worktree is calm now."""
    watches.read()
    path = os.path.realpath(app)
    place = places.find(path)
    assert place is not None
    watches.learn(path, libgit.folders(place))
    watches.read()
    return path in watches.calm


def settled(app: Repo) -> Watches:
    watches = Watches()
    assert not look(watches, app)  # it was not watched yet while it was read
    assert look(watches, app)
    return watches


def edit(app: Repo) -> None:
    with open(app.path / "src/deep/b.py", "a") as file:  # in place: no folder's time changes
        file.write("more\n")


CHANGES: dict[str, Callable[[Repo], object]] = {
    "edited in place": edit,
    "new file": lambda app: app.write("src/new.py", "n\n"),
    "new lock of packages": lambda app: app.write("yarn.lock", "n\n"),
    "new file in a new folder": lambda app: app.write("fresh/deep/new.py", "n\n"),
    "removed": lambda app: (app.path / "README").unlink(),
    "mode": lambda app: (app.path / "README").chmod(0o755),
    "renamed": lambda app: (app.path / "src").rename(app.path / "lib"),
    "replaced": lambda app: os.replace(app.write("src/.swp", "z\n"), app.path / "src/a.py"),
    "staged": lambda app: (app.write("README", "y\n"), app.git("add", "README")),
    "committed": lambda app: app.git("commit", "-q", "--allow-empty", "-m", "x"),
    "branch switched": lambda app: app.git("switch", "-q", "-c", "feature/x"),
    "reset": lambda app: app.git("update-ref", "refs/heads/main", "HEAD~1"),
    "ignored no longer": lambda app: app.write(".gitignore", "\n"),
    "excluded": lambda app: app.write(".git/info/exclude", "*.py\n"),
    "fetched": lambda app: app.git("update-ref", "refs/remotes/origin/main", "HEAD"),
    "merge begun": lambda app: (app.path / ".git/MERGE_HEAD").write_text("x"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_every_change_is_noticed(repo: Callable[..., Repo], what: str) -> None:
    app = repo("app", FILES)
    app.commit("second", {"README": "second\n"})
    watches = settled(app)
    CHANGES[what](app)
    watches.read()
    assert watches.calm == set()


def test_what_git_ignores_disturbs_nobody(repo: Callable[..., Repo]) -> None:
    app = repo("app", FILES)
    app.write("build/out/one", "1")
    watches = settled(app)
    app.write("build/out/two", "2")
    app.write("build/more/three", "3")
    (app.path / ".git/objects/ab").mkdir(exist_ok=True)
    watches.read()
    assert watches.calm == {os.path.realpath(app)}


@pytest.mark.parametrize("linked", [False, True])
def test_who_asks_git_for_the_status_disturbs_nobody(repo: Callable[..., Repo], linked: bool) -> None:
    """Prompts and editors do it all the time, and each time git takes the index's lock."""
    app = repo("app", FILES)
    app = app.worktree("feature") if linked else app
    # Not of the same moment as its files: git would write the index anew.
    for name in FILES:
        os.utime(app.path / name, (1_000_000_000, 1_000_000_000))
    app.git("update-index", "-q", "--refresh")
    watches = settled(app)
    lock = Path(app.git("rev-parse", "--path-format=absolute", "--git-path", "index.lock"))
    lock.touch()
    lock.unlink()
    assert app.git("status", "--porcelain") == ""
    watches.read()
    assert watches.calm == {os.path.realpath(app)}


def test_a_file_in_a_folder_made_between_two_looks_is_noticed(repo: Callable[..., Repo]) -> None:
    app = repo("app", FILES)
    watches = settled(app)
    (app.path / "fresh").mkdir()
    assert not look(watches, app)
    assert look(watches, app)
    app.write("fresh/new.py", "n\n")
    watches.read()
    assert watches.calm == set()


def test_folders_that_come_and_go_leave_no_watch(repo: Callable[..., Repo]) -> None:
    app = repo("app", FILES)
    watches = settled(app)
    before = len(watches)
    for _ in range(3):
        file = app.write("fresh/deep/new.py", "n\n")
        look(watches, app)
        assert look(watches, app)
        assert len(watches) == before + 2
        file.unlink()
        (app.path / "fresh/deep").rmdir()
        (app.path / "fresh").rename(app.path / "other")
        (app.path / "other").rmdir()
        look(watches, app)
        assert look(watches, app)
        assert len(watches) == before
    watches.keep([])
    assert (len(watches), watches.calm) == (0, set())


def test_clones_worktrees_share_what_they_share(repo: Callable[..., Repo]) -> None:
    app = repo("app", FILES)
    other = app.worktree("feature")
    watches = settled(app)
    look(watches, other)
    assert look(watches, other)
    other.git("commit", "-q", "--allow-empty", "-m", "x")
    watches.read()
    assert os.path.realpath(other) not in watches.calm
    watches.drop(os.path.realpath(other))
    look(watches, app)
    app.git("update-ref", "refs/heads/other", "HEAD")
    watches.read()
    assert watches.calm == set()  # still watched for the one that stays


def test_a_worktree_with_a_submodule_is_never_calm(repo: Callable[..., Repo]) -> None:
    app, lib = repo("app", FILES), repo("lib")
    app.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", lib, "lib")
    watches = Watches()
    look(watches, app)
    assert not look(watches, app)
    assert len(watches) == 0


def test_when_the_kernel_has_no_watch_left_it_is_never_calm(
    repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = repo("app", FILES)
    monkeypatch.setattr("gitqueen.git.watches.MOST", 3)
    watches = Watches()
    look(watches, app)
    assert not look(watches, app)
    assert len(watches) == 0


def test_folders_of_a_forced_file_in_an_ignored_folder_count(repo: Callable[..., Repo]) -> None:
    app = repo("app", FILES)
    app.write("build/kept/x", "x")
    app.git("add", "-f", "build/kept/x")
    place = places.find(os.fspath(app))
    assert place is not None
    found = libgit.folders(place)
    top = Path(os.path.realpath(app))
    assert found is not None
    assert {os.fspath(top / "build/kept"), os.fspath(top / ".git")} <= set(found)
    assert os.fspath(top / ".git/objects") not in found
