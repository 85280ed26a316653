"""What a commit takes, seen from inside a real hook, where git's environment is as it is."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen.git import staging
from tests.git import kinds
from tests.git.commits import COMMITS
from tests.git.contract import environment, git, here
from tests.hive import Repo, Runner

HOOK = f"""#!{sys.executable}
import json, os, sys
started = []
sys.addaudithook(lambda event, args: started.append(args[1]) if event == "os.posix_spawn" else None)
from gitqueen.git import places, staging
place = places.find(os.getcwd(), os.environ)
paths = staging.staged(place, os.environ)
with open({{seen!r}}, "w") as file:
    json.dump([paths, len(started), place.worktree], file)
"""


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    return tmp_path / "seen"


@pytest.fixture
def app(repo: Callable[..., Repo], seen: Path) -> Repo:
    made = repo("app", kinds.FILES)
    return _watched(made, seen)


def _watched(repo: Repo, seen: Path) -> Repo:
    """Every commit made here says what it is about to take."""
    hook = Path(repo.git("rev-parse", "--path-format=absolute", "--git-path", "hooks")) / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK.format(seen=os.fspath(seen)))
    hook.chmod(0o755)
    return repo


def _said(seen: Path) -> tuple[list[str], int, str]:
    paths, processes, worktree = json.loads(seen.read_text())
    return paths, processes, worktree


@pytest.mark.parametrize("what", COMMITS)
def test_a_commit_takes(what: str, app: Repo, seen: Path, run: Runner) -> None:
    paths, script = COMMITS[what]

    run("sh", "-c", script, cwd=app, env={"APP": os.fspath(app)})

    assert _said(seen) == (paths, 1, os.fspath(app))
    assert _brought(app) == paths


def _brought(app: Repo, *revisions: str) -> list[str]:
    """What became of it: paths that differ from every parent."""
    args = ("-r", "--root", "-c", "--no-commit-id", "--name-only", "--no-renames", "--ignore-submodules=none", "-z")
    said = git("diff-tree", *args, *(revisions or ("HEAD",)), cwd=app.path)
    assert said is not None
    return [path for path in said.split("\0") if path]


def test_an_amend_takes_what_it_adds(app: Repo, seen: Path) -> None:
    before = app.commit("second", {"kept.txt": "2\n", "edited.txt": "2\n"})
    app.write("edited.txt", "3\n")

    app.git("commit", "--quiet", "--amend", "--all", "--no-edit")

    assert _said(seen)[:2] == (["edited.txt"], 1)
    assert _brought(app, before, "HEAD") == ["edited.txt"]


@pytest.mark.parametrize("name", ["plain", pytest.param("sha256")])
def test_the_first_commit_takes_everything(name: str, tmp_path: Path, seen: Path) -> None:
    app = Repo(tmp_path / "app")
    app.path.mkdir()
    app.git("init", "--quiet", *(["--object-format=sha256"] if name == "sha256" else []))
    _watched(app, seen)
    app.git("config", "diff.noprefix", "true")
    app.write("later", "1\n")
    app.git("add", "-N", "later")

    app.commit("first", {"a": "1\n", "dir/b": "1\n"})

    assert _said(seen)[0] == _brought(app) == ["a", "dir/b"]


def _branches(app: Repo, count: int = 1) -> None:
    """`theirs0`... change a file of their own and `both.txt`; `main` went on."""
    for number in range(count):
        app.git("switch", "--quiet", "--create", f"theirs{number}", "main~1" if number else "main")
        app.commit("theirs", {f"theirs{number}.txt": "1\n", "deleted.txt": "theirs\n"})
        if number == 0:
            app.commit("both", {"both.txt": "theirs\n"})
            app.git("switch", "--quiet", "main")
            app.commit("ours", {"both.txt": "ours\n", "kept.txt": "ours\n"})
    app.git("switch", "--quiet", "main")


def test_a_merge_takes_only_what_it_resolves(app: Repo, seen: Path, run: Runner) -> None:
    _branches(app)
    assert run("git", "merge", "theirs0", cwd=app).returncode == 1
    app.write("both.txt", "resolved\n")
    app.write("edited.txt", "on the way\n")

    app.git("commit", "--quiet", "--all", "--no-edit")

    assert _said(seen)[:2] == (["both.txt", "edited.txt"], 2)
    assert _brought(app) == ["both.txt", "edited.txt"]


@pytest.mark.parametrize("side", ["--ours", "--theirs"])
def test_a_merge_resolved_for_one_side_takes_nothing(side: str, app: Repo, seen: Path, run: Runner) -> None:
    _branches(app)
    run("git", "merge", "theirs0", cwd=app)
    app.git("checkout", "--quiet", side, "both.txt")
    app.git("add", "both.txt")

    app.git("commit", "--quiet", "--no-edit")

    assert _said(seen)[0] == _brought(app) == []


def test_a_merge_of_many_is_compared_with_each(app: Repo, seen: Path) -> None:
    _branches(app, 3)
    app.git("merge", "--quiet", "--no-commit", "theirs1", "theirs2")
    app.write("edited.txt", "on the way\n")
    app.git("add", "edited.txt")

    app.git("commit", "--quiet", "--no-edit")

    assert len(app.git("rev-parse", "HEAD^@").split()) == 3
    assert _said(seen)[:2] == (["edited.txt"], 3)
    assert _brought(app) == ["edited.txt"]


def test_a_merge_head_that_is_no_id_is_no_option(app: Repo, tmp_path: Path) -> None:
    app.write("kept.txt", "2\n")
    app.git("add", "kept.txt")
    (app.path / ".git/MERGE_HEAD").write_text(f"--output={tmp_path}/stolen\n")

    assert staging.staged(here(app.path), environment()) == ["kept.txt"]
    assert not (tmp_path / "stolen").exists()


def test_a_submodule_that_moved_is_taken(repo: Callable[..., Repo], seen: Path) -> None:
    outer, inner = repo("outer"), repo("inner")
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.path, "parts/inner")
    outer.commit("a submodule")
    for level in ("diff.ignoreSubmodules", "submodule.parts/inner.ignore"):
        outer.git("config", level, "all")
    part = Repo(outer.path / "parts/inner")
    _watched(outer, seen)
    part.commit("on", {"README": "2\n"})
    outer.git("update-index", "--cacheinfo", f"160000,{part.head},parts/inner")

    outer.commit("bump")

    assert _said(seen)[0] == _brought(outer) == ["parts/inner"]


@pytest.mark.parametrize(
    "name",
    ["linked", "submodule", "of_separate", "sparse_cone", "sparse_index", "partial", "filtered", "crlf", "split_index",
     "sha256", "core_worktree", "symlinked", "odd_paths", "odd_folder", "byte_branch",
     pytest.param("reftable_linked", marks=pytest.mark.needs_newer_git)],
)  # fmt: skip
def test_commits_in_every_kind_of_repository(
    name: str, tmp_path: Path, seen: Path, request: pytest.FixtureRequest
) -> None:
    if name in kinds.NEWER:
        request.getfixturevalue("newer_git")
    app = _watched(Repo(kinds.BUILDERS[name](tmp_path).top), seen)
    app.write("dir/new.txt", "1\n")
    app.git("add", "--all", "--", "dir/new.txt", *(["odd"] if name == "odd_paths" else []))

    app.git("commit", "--quiet", "--message", "x")

    assert _said(seen)[0] == sorted(_brought(app))
    assert "dir/new.txt" in _said(seen)[0]
    assert _said(seen)[2] == os.path.realpath(app)


def test_what_is_staged_is_seen_from_outside_of_hooks_too(app: Repo) -> None:
    app.write("kept.txt", "2\n")
    app.git("add", "kept.txt")
    env = environment({"GIT_DIR": "../.git", "GIT_WORK_TREE": ".."})

    assert staging.staged(here(app.path / "dir"), environment()) == ["kept.txt"]
    assert staging.staged(here(app.path / "dir", env), env) == ["kept.txt"]


def test_settings_that_break_git_diff_do_not_break_this(app: Repo) -> None:
    app.git("mv", "moved.txt", "arrived.txt")
    for key, value in {"diff.orderFile": "/none", "diff.algorithm": "none", "diff.context": "-1"}.items():
        app.git("config", key, value)

    assert staging.staged(here(app.path), environment()) == ["arrived.txt", "moved.txt"]


def test_paths_are_asked_for_as_they_are(repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch) -> None:
    app = repo("app", {"*": "1\n", "a": "1\n", ":(top)a": "1\n", "sub/a": "1\n"})
    for name in ("*", "a", ":(top)a", "sub/a"):
        app.write(name, "2\n")
    monkeypatch.setenv("GIT_GLOB_PATHSPECS", "1")

    for name in ("*", "a", ":(top)a", "sub/a"):
        assert staging.uncommitted(os.fspath(app), [name]) == {name}
    assert staging.uncommitted(os.fspath(app), ["sub", "?", "--all"]) == set()


def test_paths_longer_than_an_argument_list_are_asked_for(repo: Callable[..., Repo]) -> None:
    app = repo("app", {"a": "1\n"})
    app.write("a", "2\n")
    deep = ["/".join(["x" * 200] * 20) + str(number) for number in range(2_000)]

    assert staging.uncommitted(os.fspath(app), [*deep[:100], "a"]) == {"a"}
    assert staging.uncommitted(os.fspath(app), [*deep, "a"]) == {"a"}


def test_a_folder_is_the_files_that_git_knows_or_would_add(app: Repo) -> None:
    for name in ("dir/new.txt", "dir/ignored.log", "other.txt"):
        app.write(name, "1\n")
    (app.path / "dir/inner.txt").unlink()

    beneath = ["dir/deep/inner.txt", "dir/inner.txt", "dir/new.txt"]
    assert sorted(staging.beneath(os.fspath(app), "dir")) == beneath
    assert sorted(staging.beneath(os.fspath(app), "")) == sorted({*kinds.FILES, *beneath, "other.txt"})
    assert staging.beneath(os.fspath(app), "d*") == []


def test_a_path_within_a_submodule_or_behind_a_link_is_asked_for(tmp_path: Path) -> None:
    top = kinds.superproject(tmp_path).top
    (top / "link").symlink_to("dir")

    found = staging.uncommitted(os.fspath(top), ["parts/edited/README", "parts/edited", "link/inner.txt", "link"])

    assert found == {"parts/edited", "link"}
    parts = ["parts/edited", "parts/littered", "parts/moved"]
    assert staging.uncommitted(os.fspath(top), parts, inside=False) == {"parts/moved"}
