"""Incident 6: a checkout, restore, reset or clean destroys another session's uncommitted edits. The warning before."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.doors.kit import Session, warning
from tests.hive import Repo


@pytest.fixture
def both(repo: Callable[..., Repo], session: Callable[..., Session]) -> tuple[Repo, Session, Session]:
    app = repo("app", {"app.py": "1\n", "bob.py": "1\n", "lib/core.py": "1\n"})
    ada, bob = session(app, "ada"), session(app, "bob")
    ada.start()
    bob.start()
    ada.edits("app.py", "hers\n")
    ada.edits("lib/core.py", "hers\n")
    ada.edits("lib/new.py", "hers\n")
    bob.edits("bob.py", "his\n")
    return app, ada, bob


TRACKED, ALL = "app.py, lib/core.py", "app.py, lib/core.py, lib/new.py"


DESTROYING = (
    ("git checkout -- .", TRACKED, "git restore -- bob.py"),
    ("git checkout .", TRACKED, "git restore -- bob.py"),
    ("git checkout HEAD -- lib", "lib/core.py", "git restore -- <your own files>"),
    ("git checkout app.py", "app.py", "git restore -- <your own files>"),
    ("cd lib && git checkout HEAD~0 core.py", "lib/core.py", "git restore -- <your own files>"),
    ("git restore .", TRACKED, "git restore -- bob.py"),
    ("git restore --staged --worktree lib/", "lib/core.py", "git restore -- <your own files>"),
    ("git reset --hard", TRACKED, "git restore -- bob.py"),
    ("git fetch && git reset --hard origin/main", TRACKED, "git restore -- bob.py"),
    ("sudo git checkout -f main", TRACKED, "git restore -- bob.py"),
    ("git switch --discard-changes main", TRACKED, "git restore -- bob.py"),
    ("git clean -fd", "lib/new.py", "git clean -f -- <your own files>"),
    ("git clean -xdf lib", "lib/new.py", "git clean -f -- <your own files>"),
    ("rm -rf lib", "lib/core.py, lib/new.py", "name only your own files"),
    ("rm app.py", "app.py", "name only your own files"),
    ("timeout 5 rm -r ./*", ALL, "name only your own files"),
    ("git rm -rf lib", "lib/core.py", "git restore -- <your own files>"),
    ("true || { git reset --hard; }", TRACKED, "git restore -- bob.py"),
    ('X=$(git reset --hard); echo "$X"', TRACKED, "git restore -- bob.py"),
)
HARMLESS = (
    "git restore -- bob.py",
    "git restore --staged .",
    "git checkout HEAD -- bob.py",
    "git reset",
    "git reset --soft HEAD~1",
    "git clean -nd",
    "git clean -fd docs",
    "rm -rf build",
    'rm -rf "$HOME/x"',
    "rm -rf $(cat list)",
    "echo 'git reset --hard'",
    "# git reset --hard",
    "git log --grep 'git stash'",
    "cat <<'EOF'\ngit reset --hard\nEOF",
    "cd / && git reset --hard",
    'cd "$X" && git reset --hard',
    "git checkout -- *.md",
    "git reset --hard 'unfinished",
    "ssh host git reset --hard",
)


def test_it_is_said_whose_and_what(both: tuple[Repo, Session, Session]) -> None:
    for line, files, instead in DESTROYING:
        said = warning(both[2].command(line)).split("\n")
        assert said[1].endswith("would destroy uncommitted work of other sisters in this worktree:"), line
        asked = f'  Instead: {instead}   or ask first: gitqueen tell ada "..."'
        assert said[2:4] == [f"  ada: {files}", asked], line


def test_what_reaches_nothing_of_hers_or_is_not_understood_is_silent(both: tuple[Repo, Session, Session]) -> None:
    for line in HARMLESS:
        assert both[2].command(line) == {}, line


def test_her_worktree_is_removed_under_her(
    both: tuple[Repo, Session, Session], session: Callable[..., Session]
) -> None:
    app, _, bob = both
    feat = app.worktree("feat")
    carol = session(feat, "carol")
    carol.start()
    said = warning(bob.command(f"git worktree remove --force {feat.path}")).split("\n")
    assert "`git worktree remove`" in said[1] and said[-1] == '  Instead: ask first: gitqueen tell carol "..."'


def test_a_branch_is_switched_under_her(both: tuple[Repo, Session, Session]) -> None:
    app, _, bob = both
    app.git("branch", "feat")
    for line in ("git checkout feat", "git switch feat", "git switch -c other", "git checkout -b other"):
        said = warning(bob.command(line)).split("\n")
        assert "would switch the branch under ada, in the same worktree" in said[1]
        assert said[2].startswith(f"  Instead: git worktree add -b bob {app.path}-bob   or ask first:")
    assert bob.command("git checkout main") == {}  # where they are already


def test_who_disarms_us_is_told_and_written_down(both: tuple[Repo, Session, Session]) -> None:
    _, _, bob = both
    for line in (
        "git commit --no-verify -m x",
        "GITQUEEN_SKIP=1 git commit -m x",
        "export GITQUEEN_SKIP=1",
        "git config core.hooksPath /dev/null",
        "git -c core.hooksPath=/dev/null commit -m x",
        "rm .git/hooks/pre-commit",
    ):
        said = warning(bob.command(line)).split("\n")
        assert "silences the hooks by which ada and you are warned" in said[1], line
    told = [line for line in bob.sister.sh("gitqueen history").out.split("\n") if "disarming" in line]
    assert len(told) == 6
