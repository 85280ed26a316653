"""Places: whatever kind of repository one stands in, we say what git says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen.git import places
from tests.git import kinds
from tests.git.contract import git, here, main_by_git, place_by_git, place_by_us
from tests.hive import Repo, Runner

NEWER = [pytest.param(name, marks=pytest.mark.needs_newer_git) for name in kinds.NEWER]
OLDER = [name for name in kinds.BUILDERS if name not in kinds.NEWER]


@pytest.mark.parametrize("name", [*OLDER, *NEWER])
def test_a_place_is_what_git_says_it_is(name: str, build: Callable[[str], kinds.Kind]) -> None:
    kind = build(name)
    below = kind.top / "dir/deep"
    if not kind.bare:
        below.mkdir(parents=True, exist_ok=True)

    for folder in [kind.top] if kind.bare else [kind.top, below]:
        assert place_by_us(folder) == place_by_git(folder)
        assert here(folder).repo == (os.path.realpath(kind.repo) if kind.repo else main_by_git(folder))
    assert (here(kind.top).worktree is None) == kind.bare


@pytest.mark.parametrize("name", ["of_bare", "of_dot_git", "of_submodule", "linked", "odd_folder"])
def test_all_worktrees_of_a_repository_name_it_alike(name: str, build: Callable[[str], kinds.Kind]) -> None:
    top = build(name).top
    listed = git("worktree", "list", "--porcelain", "-z", cwd=top)
    assert listed is not None
    tops = [line.removeprefix("worktree ") for line in listed.split("\0") if line.startswith("worktree ")]
    if name == "of_submodule":
        tops[0] = here(top).repo

    assert len(tops) == 2
    assert len({(here(Path(one)).repo, here(Path(one)).common_dir) for one in tops}) == 1


# A call in a folder with GIT_DIR and GIT_WORK_TREE set: relative to that folder, and above all that is configured.
CHOICES = [
    (".", {"GIT_DIR": ".git"}),
    ("dir", {"GIT_DIR": "../.git"}),
    ("dir", {"GIT_DIR": "../.git", "GIT_WORK_TREE": ".."}),
    ("dir", {"GIT_WORK_TREE": "deep"}),
    ("..", {"GIT_DIR": "app/.git", "GIT_WORK_TREE": "app/dir"}),
    ("..", {"GIT_DIR": "app/.git"}),
    ("..", {"GIT_DIR": "app-topic/.git"}),
    ("..", {"GIT_DIR": "app-topic/.git", "GIT_WORK_TREE": "app-topic"}),
    ("..", {"GIT_DIR": "app/.git/worktrees/app-topic", "GIT_WORK_TREE": "app-topic/dir"}),
    ("..", {"GIT_DIR": "bare.git"}),
    ("..", {"GIT_DIR": "bare.git", "GIT_WORK_TREE": "app"}),
]


@pytest.mark.parametrize(("folder", "env"), CHOICES)
def test_what_the_environment_names_counts_as_for_git(
    folder: str, env: dict[str, str], repo: Callable[..., Repo]
) -> None:
    app = repo("app", kinds.FILES)
    app.worktree("topic")
    app.git("clone", "--quiet", "--bare", ".", app.path.parent / "bare.git")

    assert place_by_us(app.path / folder, env) == place_by_git(app.path / folder, env)


def test_a_place_found_from_elsewhere_is_handed_on_to_git(repo: Callable[..., Repo]) -> None:
    app = repo("app", kinds.FILES)
    env = {"GIT_DIR": "../.git", "GIT_WORK_TREE": "..", "OTHER": "kept"}

    place = here(app.path / "dir", env)

    assert place.environment(env) == {"GIT_DIR": f"{app.path}/.git", "GIT_WORK_TREE": str(app.path), "OTHER": "kept"}
    assert place.environment({"OTHER": "kept"}) == {"OTHER": "kept"}


def test_outside_of_any_repository_there_is_no_place(tmp_path: Path) -> None:
    assert places.find(os.fspath(tmp_path)) is None
    assert places.find(os.fspath(tmp_path / "nowhere" / "at all")) is None
    assert places.find("a\0b") is None
    assert places.find(os.fspath(tmp_path), {"GIT_DIR": "nowhere"}) is None


@pytest.mark.parametrize(
    ("ceilings", "found"), [("{}/dir", False), ("{}", False), ("/nowhere:{}/dir/deep", True), (":", True)]
)
def test_nobody_looks_above_a_ceiling(ceilings: str, found: bool, repo: Callable[..., Repo]) -> None:
    app = repo("app", kinds.FILES)
    env = {"GIT_CEILING_DIRECTORIES": ceilings.format(app.path)}

    assert (places.find(os.fspath(app.path / "dir/deep"), env) is not None) == found
    assert (git("rev-parse", "--git-dir", cwd=app.path / "dir/deep", env=env) is not None) == found


def test_a_folder_that_only_looks_like_a_repository_is_none(tmp_path: Path, repo: Callable[..., Repo]) -> None:
    app = repo("app")
    for part in ("objects", "refs"):
        (app.path / "look" / part).mkdir(parents=True)
    (app.path / "look/HEAD").write_text("a file about heads\n")
    (app.path / "empty/.git").mkdir(parents=True)

    for folder in ("look", "empty"):
        assert place_by_us(app.path / folder) == place_by_git(app.path / folder)
        assert here(app.path / folder).worktree == str(app.path)


def test_a_worktree_whose_repository_is_gone_is_not_the_one_around_it(repo: Callable[..., Repo]) -> None:
    app = repo("app")
    lost = app.path / "lost"
    app.git("worktree", "add", "--quiet", "-b", "topic", lost)
    for said in ("gitdir: /nowhere\n", "gitdir: a\0b\n", "what is this\n", ""):
        (lost / ".git").write_text(said)

        assert git("rev-parse", "--absolute-git-dir", cwd=lost) is None
        assert places.find(os.fspath(lost)) is None


def test_inside_a_git_folder_one_is_in_its_worktree(repo: Callable[..., Repo]) -> None:
    app = repo("app")
    topic = app.worktree("topic")

    assert here(app.path / ".git/hooks").worktree == str(app.path)
    assert here(app.path / ".git/worktrees/app-topic").worktree == str(topic.path)
    assert here(app.path / ".git/worktrees/app-topic").branch == "topic"


def test_a_moved_worktree_is_where_it_is_found(repo: Callable[..., Repo]) -> None:
    topic = repo("app").worktree("topic")
    moved = topic.path.rename(topic.path.with_name("moved"))

    assert place_by_us(moved) == place_by_git(moved)


CONFIGURED = [
    "[core]\n\tbare = yes\n",
    "[core] bare\n",
    "[CORE]\n\tBARE=1 # a comment\n",
    "[core]\n\tbare = true\n[core]\n\tbare = false\n",
    '[core "not"]\n\tbare = true\n',
    '[core]\n\tworktree = "../../else;where" ; a comment\n',
    "[core]\n\tworktree = ../../plain # a comment\n",
    '[other]\n\tworktree = ../../plain\n[alias]\n\tx = "!f() { [core] bare = true; }"\n',
    "[extensions]\n\tworktreeConfig = true\n",
]


@pytest.mark.parametrize("said", CONFIGURED)
def test_configuration_is_read_as_git_reads_it(said: str, repo: Callable[..., Repo], tmp_path: Path) -> None:
    app = repo("app")
    for name in ("else;where", "plain"):
        (tmp_path / name).mkdir()
    (app.path / ".git/config").write_text("[core]\n\trepositoryformatversion = 0\n" + said)
    (app.path / ".git/config.worktree").write_text("[core]\n\tbare = on\n")

    assert place_by_us(app.path) == place_by_git(app.path)


@pytest.mark.parametrize(
    ("head", "branch"),
    [
        ("ref: refs/heads/topic/x\n", "topic/x"),
        ("ref:refs/heads/tight", "tight"),
        ("ref: \trefs/heads/wide  \n", "wide"),
        ("ref: refs/remotes/origin/main\n", None),
        ("0123456789012345678901234567890123456789\n", None),
    ],
)
def test_the_branch_is_what_head_says(head: str, branch: str | None, repo: Callable[..., Repo]) -> None:
    app = repo("app")
    (app.path / ".git/HEAD").write_text(head)

    assert here(app.path).branch == branch
    assert place_by_us(app.path)["git_dir"] == place_by_git(app.path)["git_dir"]


def test_a_branch_that_is_no_utf8_travels_as_paths_do(build: Callable[[str], kinds.Kind]) -> None:
    assert here(build("byte_branch").top).branch == os.fsdecode(b"caf\xe9/\xff")


BUSY: dict[str, tuple[list[list[str]], str | None]] = {
    "nothing": ([], None),
    "merge": ([["merge", "theirs"]], "merge"),
    "cherry-pick": ([["cherry-pick", "theirs"]], "cherry-pick"),
    "revert": ([["revert", "--no-edit", "HEAD~1"]], "revert"),
    "rebase": ([["rebase", "theirs"]], "rebase"),
    "rebase by patches": ([["rebase", "--apply", "theirs"]], "rebase"),
    "bisect": ([["bisect", "start"]], "bisect"),
    "over": ([["merge", "theirs"], ["merge", "--abort"]], None),
}


def _busy(app: Repo, linked: bool, steps: list[list[str]]) -> Repo:
    app.commit("second", {"README": "second\n"})
    app.git("switch", "--quiet", "--create", "theirs")
    app.commit("theirs", {"README": "theirs\n"})
    app.git("switch", "--quiet", "main")
    app.commit("ours", {"README": "ours\n"})
    top = app.worktree("topic") if linked else app
    for step in steps:
        Runner(top.path)("git", *step)
    return top


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("what", BUSY)
def test_what_git_is_in_the_middle_of(what: str, linked: bool, repo: Callable[..., Repo]) -> None:
    app, (steps, word) = repo("app"), BUSY[what]

    top = _busy(app, linked, steps)

    assert here(top.path).busy == word
    assert linked is False or here(app.path).busy is None


@pytest.mark.needs_newer_git
@pytest.mark.parametrize("what", BUSY)
def test_what_git_is_in_the_middle_of_where_refs_are_no_files(what: str, build: Callable[[str], kinds.Kind]) -> None:
    app, (steps, word) = Repo(build("reftable").top), BUSY[what]
    app.git("branch", "--move", "main")

    assert here(_busy(app, False, steps).path).busy == word


def test_finding_a_place_starts_nothing_and_imports_little(repo: Callable[..., Repo]) -> None:
    app = repo("app").worktree("topic")
    script = """if True:
        import sys
        seen = []
        starts = ("subprocess", "os.posix", "os.exec", "os.fork")
        sys.addaudithook(lambda event, args: seen.append(event) if event.startswith(starts) else None)
        from gitqueen.git import places
        place = places.find(sys.argv[1], {})
        print(place.branch, place.busy, seen)
        print(sorted({"subprocess", "pygit2", "json", "pathlib", "typing", "signal"} & set(sys.modules)))
    """
    root = Path(places.__file__).parents[2]

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(root)!r})\n{script}", str(app.path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == "topic None []\n[]\n"
