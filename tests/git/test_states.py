"""All that stands in a worktree as one commit: what `git add -A` would take of it, and nothing is changed by asking."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen.git import drafts, places, states
from gitqueen.git.places import Place
from gitqueen.git.states import State
from tests.hive import Repo, Runner

FILES = {"a": "1\n", "b": "2\n", "d/c": "3\n", "gone": "4\n"}


def here(app: Repo) -> Place:
    place = places.find(str(app.path))
    assert place is not None
    return place


@pytest.fixture
def app(repo: Callable[..., Repo]) -> Repo:
    app = repo("app", FILES)
    app.write(".git/info/exclude", "*.log\n")
    return app


def sh(app: Repo, script: str) -> None:
    Runner(app.path)("sh", "-ec", script, check=True)


def tree(app: Repo, commit: str) -> str:
    """The tree of a draft, which only git with the drafts can read."""
    env = drafts.environment(here(app).common_dir)
    done = Runner(app.path)("git", "rev-parse", f"{commit}^{{tree}}", env=env, check=True)
    return done.stdout.strip()


def as_added(app: Repo) -> str:
    """What `git add -A` makes of the worktree; the index is as before afterwards."""
    index = app.path / ".git/index"
    before = index.read_bytes()
    app.git("add", "-A")
    made = app.git("write-tree")
    index.write_bytes(before)
    return made


def everything(app: Repo) -> dict[str, bytes]:
    """Every file of the git folder but drafts."""
    return {
        os.path.join(top, name): Path(top, name).read_bytes()
        for top, _, names in os.walk(app.path / ".git")
        for name in names
        if f"gitqueen{os.sep}merges" not in top
    }


MESS = "echo x >>a; git add a; echo y >>a; rm gone; git rm -q b; mkdir -p n/e; echo n >n/e/w; echo l >a.log; ln -s a li"
WAYS = {
    "plain": "",
    "file to folder and back": "rm a; mkdir a; echo in >a/x; rm -r d; echo file >d",
    "filter": "printf '*.crlf text eol=crlf\\na filter=up\\n' >.gitattributes; git config filter.up.clean 'tr x X'; "
    "printf 'x\\r\\n' >t.crlf",
    "split index": "git update-index --split-index",
    "sparse": "git sparse-checkout set --no-cone '/*' '!/d'; echo x >>a",
    "intent to add": "echo soon >soon; git add -N soon",
    "executable": "chmod +x d/c; git config core.filemode true",
    "encodings": "touch \"$(printf 'caf\\351')\" 'two words' \"$(printf 'new\\nline')\" -- -dash",
    "assumed": "git update-index --assume-unchanged d/c; echo hidden >>d/c",
}


@pytest.mark.parametrize("way", WAYS)
def test_it_is_what_git_would_add(app: Repo, way: str) -> None:
    if way in ("file to folder and back", "sparse", "assumed"):
        sh(app, WAYS[way])
    else:
        sh(app, f"{MESS}; {WAYS[way]}")
    before = everything(app)
    state = states.take(here(app))
    assert everything(app) == before
    assert (state.head, state.left_out, state.clean) == (app.head, (), way == "assumed")
    if way != "assumed":
        assert tree(app, state.commit) == as_added(app)
    # The same is the same, whenever it is asked.
    assert states.take(here(app)) == state


def test_paths_that_somebody_saw_are_enough(app: Repo) -> None:
    sh(app, "echo x >>a; rm b; git init -q inner; git -C inner commit -q --allow-empty -m inner; echo n >new")
    assert states.take(here(app), ["a", "b", "inner", "new"]) == states.take(here(app))
    assert states.take(here(app), []) == State(app.head, app.head)
    assert states.take(here(app), ["a"]) != states.take(here(app))


def test_a_touched_file_is_no_change(app: Repo) -> None:
    sh(app, "touch -d 2001-01-01 a")
    assert states.take(here(app)) == State(app.head, app.head)


def test_a_file_written_in_the_same_moment_as_the_index_is_seen(app: Repo) -> None:
    for number in range(5):
        sh(app, f"printf {number} >same; git add same; printf {9 - number} >same")
        assert tree(app, states.take(here(app)).commit) == as_added(app)


def test_the_real_index_may_be_locked_or_missing(app: Repo) -> None:
    sh(app, "echo x >>a; touch .git/index.lock")
    state = states.take(here(app))
    (app.path / ".git/index.lock").unlink()
    assert tree(app, state.commit) == as_added(app)
    sh(app, "git checkout -q a; rm .git/index")
    assert states.take(here(app)).clean


def test_what_is_staged_alone(app: Repo) -> None:
    sh(app, "echo x >>a; git add a; echo y >>a; echo n >new")
    env = dict(os.environ)
    assert tree(app, states.staged(here(app), env).commit) == app.git("write-tree")
    # `commit FILE` has an index of its own.
    sh(app, "cp .git/index .git/next; GIT_INDEX_FILE=.git/next git rm -q --cached b")
    other = states.staged(here(app), {**env, "GIT_INDEX_FILE": ".git/next"})
    assert tree(app, other.commit) != tree(app, states.staged(here(app), env).commit)
    sh(app, "git checkout -q --orphan other")
    assert tree(app, states.staged(here(app), env).commit) == app.git("write-tree")


def test_nobodys_hooks_run_and_nothing_is_left(app: Repo, tmp_path: Path) -> None:
    hook = app.write(".git/hooks/post-index-change", f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    sh(app, "echo x >new")
    (tmp_path / "ran").unlink(missing_ok=True)
    assert not states.take(here(app)).clean
    assert not (tmp_path / "ran").exists()
    (app.path / ".git/gitqueen").mkdir()
    assert not states.take(here(app)).clean
    assert sorted(os.listdir(app.path / ".git/gitqueen/merges")) == ["born", "objects"]


@pytest.mark.needs_git_lfs
def test_git_lfs_keeps_its_copies_among_the_drafts(app: Repo) -> None:
    sh(app, "git lfs install --local >/dev/null; git lfs track '*.bin' >/dev/null; git add -A; git commit -qm lfs")
    sh(app, "echo large >a.bin")
    before = everything(app)
    state = states.take(here(app))
    assert everything(app) == before
    assert tree(app, state.commit) == as_added(app)
    kept = os.path.join(drafts.top(here(app).common_dir), "lfs/objects")
    assert [name for _, _, names in os.walk(kept) for name in names] != []


def test_drafts_stand_in_a_managed_repository_or_in_the_users_cache(app: Repo) -> None:
    place = here(app)
    sh(app, "echo x >new")
    assert not states.take(place).clean
    assert drafts.top(place.common_dir).startswith(os.path.expanduser("~/.cache/gitqueen/merges/"))
    assert not (app.path / ".git/gitqueen").exists()
    drafts.drop_cached()
    assert not os.path.exists(os.path.expanduser("~/.cache/gitqueen"))
    (app.path / ".git/gitqueen").mkdir()
    assert not states.take(place).clean
    assert os.listdir(app.path / ".git/gitqueen/merges/objects") != []


def test_drafts_are_thrown_away_when_they_are_old_or_many(app: Repo) -> None:
    (app.path / ".git/gitqueen").mkdir()
    place = here(app)
    sh(app, "echo x >new")
    state = states.take(place)
    born, now = drafts.birth(place.common_dir), time.time()
    assert not drafts.prune(place.common_dir, now)
    assert not drafts.prune(place.common_dir, now + drafts.OLDEST - 60)
    assert drafts.prune(place.common_dir, now + drafts.OLDEST + 60)
    assert os.listdir(app.path / ".git/gitqueen") == []
    assert states.take(place) == state
    assert drafts.birth(place.common_dir) != born
    assert drafts.prune(place.common_dir, now, largest=10)
    assert os.listdir(app.path / ".git/gitqueen") == []
