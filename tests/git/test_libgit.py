"""Looking at a worktree: by pygit2 or by git, one cannot tell which by what is seen."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import FileStatus

from gitqueen import errors
from gitqueen.git import libgit, staging
from tests.git import kinds
from tests.git.contract import changed_by_git, git
from tests.hive import Repo

LIBGIT = [
    "plain", "unborn", "detached", "linked", "linked_inside", "inside", "of_bare", "of_dot_git", "separate",
    "of_separate", "submodule", "nested_submodule", "of_submodule", "superproject", "around_repository",
    "relative_links", "partial", "shallow", "crlf", "autocrlf", "identified", "index_v4", "untracked_cache", "modeless",
    "worktree_config", "of_bare_config", "core_worktree", "symlinked", "head_is_link", "alias_branch", "packed",
    "merging", "many_commits", "odd_folder", "unicode_branch", "byte_branch", "long_branch",
]  # fmt: skip
"""Kinds that libgit2 reads like git."""
GIT = [
    "sha256", "reftable", "reftable_linked", "reftable_detached", "sparse_cone", "sparse_patterns", "sparse_index",
    "of_sparse", "filtered", "filtered_below", "filtered_privately", "encoded", "split_index", "split_index_set",
    "hidden_bits", "odd_paths",
]  # fmt: skip
"""Kinds that libgit2 cannot open, or would be wrong about."""
BARE = ["bare", "beside_bare", "bare_config"]


def _params(names: list[str]) -> list[object]:
    return [pytest.param(name, marks=pytest.mark.needs_newer_git) if name in kinds.NEWER else name for name in names]


def _by_libgit(top: Path) -> libgit.Seen | None:
    try:
        return libgit.by_libgit(os.fspath(top))
    except (pygit2.GitError, KeyError, ValueError):
        return None


def test_every_kind_of_repository_is_read() -> None:
    assert sorted(LIBGIT + GIT + BARE) == sorted(kinds.BUILDERS)


@pytest.mark.parametrize("name", _params(LIBGIT + GIT))
def test_a_worktree_is_seen_as_git_sees_it(name: str, build: Callable[[str], kinds.Kind]) -> None:
    top = build(name).top
    if name != "unborn":
        _agrees(name, top)
        kinds.stir(top)
    _agrees(name, top)


def _agrees(name: str, top: Path) -> None:
    seen = libgit.look(os.fspath(top))

    changed = changed_by_git(top)
    assert seen == libgit.Seen(git("rev-parse", "--verify", "-q", "HEAD", cwd=top), tuple(changed))
    assert libgit.by_git(os.fspath(top)) == seen
    # A deletion is git's to judge: what is left out of a sparse tree looks the same to libgit2.
    deleted = any(not os.path.lexists(top / path) for path in (git("ls-files", "-z", cwd=top) or "").split("\0"))
    assert (_by_libgit(top) is not None) == (name in LIBGIT and not deleted)

    asked = [*changed[::2], "nowhere.txt", "README", "ignored.log", "dir"]
    assert staging.uncommitted(os.fspath(top), asked) == set(asked) & set(changed)


def test_five_thousand_changes_are_seen_by_git(repo: Callable[..., Repo]) -> None:
    app = repo("app", {"first": "1\n"})
    names = [f"d{number % 50}/file {number}" for number in range(5_000)]
    for name in names[:50]:
        app.write(name, "1\n")
    app.git("add", ".")
    app.commit("second")
    for name in names:
        app.write(name, "2\n")

    assert libgit.look(os.fspath(app)) == libgit.Seen(app.head, tuple(sorted(names)))
    assert staging.uncommitted(os.fspath(app), [*names, "first", "else"]) == set(names)
    assert staging.uncommitted(os.fspath(app), []) == set()


def test_many_edits_are_seen_by_git(repo: Callable[..., Repo]) -> None:
    app = repo("app", {f"{number:03}": "1\n" for number in range(60)})
    names = tuple(f"{number:03}" for number in range(60))
    for name in names[:50]:
        app.write(name, "2\n")
    assert libgit.by_libgit(os.fspath(app)) == libgit.Seen(app.head, names[:50])

    for name in names:
        app.write(name, "2\n")
    assert libgit.by_libgit(os.fspath(app)) is None
    assert libgit.look(os.fspath(app)) == libgit.Seen(app.head, names)


def test_where_nothing_is_staged_head_is_not_compared_with_the_index(repo: Callable[..., Repo]) -> None:
    app = repo("app", {"one": "1\n", "two": "2\n", "TREE\t": "a name\n", "folder/three": "3\n"})

    def unstaged() -> dict[str, int] | None:
        found = pygit2.Repository(os.fspath(app))
        return libgit._unstaged(found, found.head)

    def agrees() -> libgit.Seen:
        seen = libgit.look(os.fspath(app))
        assert (seen, seen.untracked) == (by_git := libgit.by_git(os.fspath(app)), by_git.untracked)
        return seen

    assert unstaged() == {} and agrees().changed == ()
    os.utime(app.path / "one", (1_000_000_000, 1_000_000_000))
    assert unstaged() == {} and agrees().changed == ()
    app.write("two", "2, edited\n")
    app.write("folder/new", "new\n")
    assert unstaged() == {"two": FileStatus.WT_MODIFIED, "folder/new": FileStatus.WT_NEW}
    assert agrees().changed == ("folder/new", "two") and agrees().untracked == 1
    (app.path / "folder/three").unlink()
    assert unstaged() is None and "folder/three" in agrees().changed
    app.git("checkout", "--", "folder/three")
    app.git("add", "two")
    assert unstaged() is None and agrees().changed == ("folder/new", "two")
    app.git("commit", "-qm", "second")
    assert unstaged() == {"folder/new": FileStatus.WT_NEW} and agrees().changed == ("folder/new",)
    app.git("reset", "--soft", "HEAD~1")
    assert unstaged() is None and agrees().changed == ("folder/new", "two")


@pytest.mark.parametrize(
    ("extensions", "tree"),
    [
        (b"TREE\0\0\0\x19" + b"\0" + b"1 0\n" + b"i" * 20, b"i" * 20),
        (b"TREE\0\0\0\x19" + b"\0" + b"1 0\n" + b"i" * 20 + b"link\0\0\0\x02ab", b"i" * 20),
        (b"TREE\0\0\0\x06" + b"\0" + b"-1 0\n", None),
        (b"TREE\0\0\0\x20" + b"\0" + b"1 0\n" + b"i" * 20, None),
        (b"TREE" + b"more of a name", None),
        (b"TRE", None),
        (b"", None),
    ],
)
def test_the_tree_of_an_index_is_read_or_is_not_known(extensions: bytes, tree: bytes | None, tmp_path: Path) -> None:
    (tmp_path / "index").write_bytes(b"DIRC\0\0\0\x02\0\0\0\0" + extensions + b"s" * 20)

    assert libgit._index_tree(os.fspath(tmp_path)) == tree
    assert libgit._index_tree(os.fspath(tmp_path / "nowhere")) is None


def test_settings_that_libgit2_does_not_follow_are_followed(repo: Callable[..., Repo], tmp_path: Path) -> None:
    app = repo("app")
    (tmp_path / "more").write_text("[core]\n\texcludesFile = ignore\n")
    app.git("config", "remote.origin.url", "https://example.org/app")
    app.git("config", "includeIf.hasconfig:remote.*.url:https://example.org/**.path", tmp_path / "more")
    app.commit("ignores", {"ignore": "*.tmp\n"})
    app.write("left.tmp", "1\n")

    assert libgit.look(os.fspath(app)).changed == ()


def test_another_global_configuration_is_followed(
    repo: Callable[..., Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = repo("app")
    app.write("left.tmp", "1\n")
    (tmp_path / "ignore").write_text("*.tmp\n")
    (tmp_path / "global").write_text(f"[core]\n\texcludesFile = {tmp_path}/ignore\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.fspath(tmp_path / "global"))

    assert libgit.look(os.fspath(app)).changed == ()


def test_looking_leaves_no_trace_and_waits_for_no_lock(repo: Callable[..., Repo]) -> None:
    app = repo("app", kinds.FILES)
    app.git("config", "filter.none.clean", "cat")
    app.commit("attributes", {".gitattributes": "README filter=none\n"})
    os.utime(app.path / "README", (2_000_000_000, 2_000_000_000))
    index = app.path / ".git/index"
    before = index.read_bytes(), index.stat().st_mtime_ns
    (app.path / ".git/index.lock").write_text("")

    assert libgit.look(os.fspath(app)) == libgit.by_git(os.fspath(app)) == libgit.Seen(app.head, ())
    assert staging.uncommitted(os.fspath(app), ["README"]) == set()
    assert (index.read_bytes(), index.stat().st_mtime_ns) == before


def _removed(app: Repo) -> None:
    app.path.rename(app.path.with_name("moved"))


def _without_git(app: Repo) -> None:
    (app.path / ".git").rename(app.path / "not-git")


def _with_broken_index(app: Repo) -> None:
    (app.path / ".git/index").write_bytes(b"DIRC nonsense")


def _of_another_time(app: Repo) -> None:
    (app.path / ".git/config").write_text("[core]\n\trepositoryformatversion = 99\n")


def _of_another_owner(app: Repo) -> None:
    """As git's own tests pretend it; for real where they may."""
    os.environ["GIT_TEST_ASSUME_DIFFERENT_OWNER"] = "1"
    (app.path / ".git/config").write_text("[core]\n\trepositoryformatversion = 1\n[extensions]\n\tnew = true\n")
    if os.geteuid() == 0:
        del os.environ["GIT_TEST_ASSUME_DIFFERENT_OWNER"]
        (app.path / ".git/config").write_text("[core]\n\trepositoryformatversion = 0\n")
        for path in (app.path, app.path / ".git"):
            os.chown(path, 12345, 12345)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_removed, "there is no folder {}"),
        (_without_git, "git status failed: fatal: not a git repository"),
        (_with_broken_index, "git status failed: "),
        (_of_another_time, "git status failed: fatal: Expected git repo version <= 1, found 99"),
        (_of_another_owner, "git status failed: fatal: detected dubious ownership in repository at '{}'"),
    ],
)
def test_what_nobody_can_read_is_said(
    harm: Callable[[Repo], None], said: str, repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = repo("app")
    monkeypatch.delenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", raising=False)
    harm(app)

    with pytest.raises(errors.GitFailed) as caught:
        libgit.look(os.fspath(app))
    assert caught.value.message.startswith(said.format(app.path))
    with pytest.raises(errors.GitFailed):
        staging.uncommitted(os.fspath(app), ["README"])
