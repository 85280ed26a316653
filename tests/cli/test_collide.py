"""Collisions as they are asked for: check, conflicts, resolve."""

from __future__ import annotations

import json
import os
import re
import shlex
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.hive import Repo, Runner, Sister

FILES = {"src/a.py": "a\n", "src/b.py": "b\n", "docs/c.md": "c\n"}


@pytest.fixture
def pair(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> tuple[Sister, Sister, Repo]:
    """iza-1 in the main worktree; iza-2 in her own, where src/a.py is changed and src/new.py untracked."""
    app = repo("app", FILES)
    feature = app.worktree("feature")
    one, two = sister("iza-1", app), sister("iza-2", feature)
    two.sh("iam 'the parser'; echo more >>src/a.py; echo new >src/new.py")
    one.sh("iam 'the docs'; gitqueen scan")
    return one, two, app


def test_uncommitted_work_of_another_is_a_warning(pair: tuple[Sister, Sister, Repo]) -> None:
    one, two, app = pair
    where = f'(on feature in {app.path}-feature, "the parser")'
    assert one.sh("gitqueen check src/a.py src/b.py") == (1, f"  src/a.py  uncommitted at iza-2 {where}\n", "")
    assert one.sh("gitqueen check src/b.py docs/c.md") == (0, "✓ 2 paths free\n", "")
    assert one.sh("cd src && gitqueen check ../docs/c.md b.py ./b.py ../src/b.py; cd ..").out == "✓ 2 paths free\n"
    said = json.loads(one.sh("gitqueen check src/a.py --json").out)
    expected = {
        "path": "src/a.py",
        "sister": "iza-2",
        "verdict": "uncommitted",
        "severity": "warning",
        "detail": f"uncommitted at iza-2 {where}",
        "merge": None,
    }
    assert said == {"schema": 1, "collisions": [expected]}
    # Her own work is nobody's collision, and a change taken back is none at once, without a scan.
    assert two.sh("gitqueen check src/a.py").rc == 0
    two.sh("git checkout -q src/a.py")
    assert one.sh("gitqueen check src/a.py").rc == 0


def test_a_claim_of_another_is_a_danger(pair: tuple[Sister, Sister, Repo]) -> None:
    one, two, _ = pair
    two.sh("gitqueen claim documents --path 'docs/**' -m 'writing the manual'")
    done = one.sh("gitqueen check docs/c.md docs/none.md src/b.py")
    line = r"claimed by iza-2 \(documents: writing the manual\) since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert done.rc == 1
    assert re.fullmatch(rf"  docs/c\.md  {line}\n  docs/none\.md  {line}\n", done.out)
    assert two.sh("gitqueen check docs/c.md").rc == 0
    two.sh("gitqueen release documents")
    assert one.sh("gitqueen check docs/c.md").rc == 0


def test_a_folder_stands_for_all_that_is_in_it(pair: tuple[Sister, Sister, Repo]) -> None:
    one, two, _ = pair

    def found(words: str) -> list[str]:
        said = json.loads(one.sh(f"gitqueen check {words} --json").out)
        return [collision["path"] for collision in said["collisions"]]

    assert found("src") == found("src/") == found("./src/../src") == ["src/a.py", "src/new.py"]
    assert found(".") == ["src/a.py", "src/new.py"]
    assert found("docs") == []
    two.sh("gitqueen claim documents --path 'docs/*.md'")
    assert found(".") == ["docs/c.md", "src/a.py", "src/new.py"]
    assert one.sh("mkdir empty; gitqueen check empty") == (0, "✓ 1 path free\n", "")


def test_without_paths_it_is_what_is_staged(pair: tuple[Sister, Sister, Repo]) -> None:
    one, _, _ = pair
    assert one.sh("gitqueen check") == (0, "✓ nothing is staged\n", "")
    one.sh("echo x >>docs/c.md; git add docs; echo mine >src/a.py")
    assert one.sh("gitqueen check") == (0, "✓ 1 path free\n", "")
    one.sh("git add src/a.py")
    assert one.sh("gitqueen check").rc == 1
    assert one.sh("cd src; gitqueen check").rc == 1


WEIRD = [
    "two\nlines",
    "ta\tb",
    "quo\"te'",
    "-dash",
    "--json",
    "\udcff\udcfe",
    "bell\x07\x1b[31m",
    "修正 \u202e",
    "*",
    ":x",
]


def test_paths_may_be_called_anything(pair: tuple[Sister, Sister, Repo]) -> None:
    one, two, app = pair
    for name in WEIRD:
        Path(f"{app.path}-feature", name).write_text("hers")
    stood = " ".join(shlex.quote(name) for name in WEIRD)
    done = one.sh(f"gitqueen check --json -- {stood}")
    assert done.rc == 1
    said = [found["path"] for found in json.loads(done.out)["collisions"]]
    assert sorted(said) == sorted(WEIRD)
    shown = one.sh(f"gitqueen check -- {stood}").out
    assert len(shown.splitlines()) == len(WEIRD)
    for line in (r"  two\nlines  uncommitted", r"  \xff\xfe  unc", r"  bell\x07\x1b[31m  unc", r"  修正 \u202e  unc"):
        assert line in shown
    two.sh(f"rm -- {stood}")
    assert one.sh(f"gitqueen check -- {stood}") == (0, f"✓ {len(WEIRD)} paths free\n", "")


def test_links_are_checked_as_links_and_folders_by_where_they_lead(
    pair: tuple[Sister, Sister, Repo], tmp_path: Path
) -> None:
    one, _, app = pair
    os.symlink(app.path, tmp_path / "way")
    os.symlink("/etc/passwd", f"{app.path}/link")
    os.symlink("/etc/shadow", f"{app.path}-feature/link")
    os.symlink("src", f"{app.path}/short")
    assert one.sh(f"gitqueen check {tmp_path}/way/src/a.py").rc == 1  # a link outside that leads in
    assert one.sh("gitqueen check short/a.py").rc == 1
    assert one.sh("gitqueen check link").rc == 1
    assert one.sh("gitqueen check link/x") == (
        2, "", f"gitqueen: 'link/x' lies outside {app.path}\n  → name paths of this worktree\n"
    )  # fmt: skip


@pytest.mark.parametrize("path", ["..", "../x", "/", "/etc/passwd", "../app-feature/src/a.py", "src/../../x", "''"])
def test_paths_outside_are_refused(repo: Callable[..., Repo], run: Runner, path: str) -> None:
    app = repo("app", FILES)
    app.worktree("feature")
    done = run("sh", "-c", f"gitqueen check {path}", cwd=app)
    assert (done.returncode, done.stdout) == (2, "")
    assert "lies outside" in done.stderr or "an empty path names nothing" in done.stderr


def test_a_deleted_file_may_collide_too(pair: tuple[Sister, Sister, Repo]) -> None:
    one, two, _ = pair
    two.sh("git rm -q docs/c.md")
    assert one.sh("gitqueen check docs/c.md").rc == 1
    one.sh("rm src/a.py; echo more >>docs/c.md")
    assert one.sh("gitqueen check src/a.py").rc == 1
    assert one.sh("gitqueen check docs/c.md").rc == 1


def test_outside_a_repository_and_in_a_bare_one(
    run: Runner, repo: Callable[..., Repo], tmp_path: Path, sealed: Path
) -> None:
    # One's home, and what it stands in, is no place for a repository.
    for folder, hint in (
        (Path("/"), "cd into the one you work in"),
        (sealed, "cd into the one you work in"),
        (tmp_path, "cd into one, or: git init"),
    ):
        done = run("gitqueen", "check", "x", cwd=folder)
        assert (done.returncode, done.stderr) == (4, f"gitqueen: '{folder}' is in no git repository\n  → {hint}\n")
    run("git", "clone", "-q", "--bare", repo(), "bare.git", check=True)
    done = run("gitqueen", "check", "--json", cwd=tmp_path / "bare.git")
    assert done.returncode == 4
    assert json.loads(done.stdout)["error"] == {
        "code": "cannot",
        "message": "a bare repository has no files to check",
        "hint": "go into one of its worktrees",
    }


def test_a_worktree_that_was_deleted_under_the_command(run: Runner, repo: Callable[..., Repo]) -> None:
    app = repo()
    feature = app.worktree("feature")
    script = f"cd {feature.path}; git worktree remove --force .; gitqueen check x; echo $?; gitqueen; echo $?"
    done = run("sh", "-c", script, cwd=app)
    assert done.stderr == "gitqueen: '/' is in no git repository\n  → cd into the one you work in\n"
    assert done.stdout.startswith("4\n🐝 gitqueen — colony status\n") and done.stdout.endswith("\n0\n")


def test_a_conflict_lives_from_the_fact_to_its_end(sister: Callable[..., Sister], repo: Callable[..., Repo]) -> None:
    app = repo()
    feature = app.worktree("feature")
    one, two = sister("iza-1", app), sister("iza-2", app)
    assert one.sh("gitqueen conflicts") == (0, "no open conflicts\n", "")
    one.sh("gitqueen whoami")
    two.sh("gitqueen whoami; gitqueen scan")
    [found] = json.loads(one.sh("gitqueen conflicts --json").out)["conflicts"]
    assert re.fullmatch("shared-branch-[0-9a-f]{10}", found["id"])
    assert {key: found[key] for key in ("type", "sisters", "severity", "detail", "repo", "resolved_at")} == {
        "type": "shared-branch",
        "sisters": ["iza-1", "iza-2"],
        "severity": "warning",
        "detail": "iza-1 and iza-2 are on main in one worktree",
        "repo": str(app.path),
        "resolved_at": None,
    }
    assert one.sh("gitqueen conflicts").out == (
        "  shared-branch  iza-1, iza-2  just now\n"
        "      iza-1 and iza-2 are on main in one worktree\n"
        f"      {found['id']}\n"
    )
    one.sh("gitqueen scan; gitqueen scan")
    assert [one_["id"] for one_ in json.loads(one.sh("gitqueen conflicts --json").out)["conflicts"]] == [found["id"]]
    # Each is told once, however often it is seen.
    letters = json.loads(one.sh("gitqueen inbox --json").out)["messages"]
    assert [letter["from"] for letter in letters] == ["queen"]
    # She goes: the next look closes it, and it stays in the book.
    two.sh(f"cd {feature.path}; gitqueen whoami")
    assert one.sh("gitqueen conflicts").out == "no open conflicts\n"
    [closed] = json.loads(one.sh("gitqueen conflicts --all --json").out)["conflicts"]
    assert closed["id"] == found["id"] and closed["resolved_at"] is not None
    # And back: open again under the same id.
    two.sh(f"cd {app.path}; gitqueen whoami")
    assert [one_["id"] for one_ in json.loads(one.sh("gitqueen conflicts --json").out)["conflicts"]] == [found["id"]]


def test_resolved_by_hand_it_stays_so_until_the_facts_change(
    sister: Callable[..., Sister], repo: Callable[..., Repo]
) -> None:
    app = repo()
    one, two = sister("iza-1", app), sister("iza-2", app)
    one.sh("gitqueen whoami")
    two.sh("gitqueen whoami; gitqueen scan")

    def book(*words: str) -> dict[str, bool]:
        said = json.loads(one.sh(" ".join(["gitqueen conflicts --json", *words])).out)["conflicts"]
        return {conflict["id"]: conflict["resolved_at"] is None for conflict in said}

    [(known, _)] = book().items()
    done = one.sh(f"gitqueen resolve {known}")
    assert done == (0, f"✓ {known} is resolved\n", "")
    for _ in range(2):
        one.sh("gitqueen scan")
        assert book() == {}
    assert book("--all") == {known: False}
    # Another branch in the same worktree is another fact.
    two.sh("git switch -q -c feature; gitqueen whoami")
    one.sh("gitqueen whoami; gitqueen scan")
    assert [conflict.rpartition("-")[0] for conflict in book()] == ["shared-branch"] and known not in book()
    # What was muted is over now; coming back it is news again.
    two.sh("git switch -q main; gitqueen whoami")
    one.sh("gitqueen whoami; gitqueen scan")
    assert book() == {known: True}


def test_resolving_twice_or_what_is_not_there(run: Runner, home: Path) -> None:
    run("gitqueen", check=True)
    with closing(sqlite3.connect(home / "queen.db", isolation_level=None)) as db:
        db.execute("INSERT INTO conflicts VALUES ('their-own', 'custom', '[\"a\"]', 'seen', '2026-01-01', NULL)")
    assert "  custom  a  for " in run("gitqueen", "conflicts").stdout
    assert run("gitqueen", "resolve", "their-own").stdout == "✓ their-own is resolved\n"
    said = json.loads(run("gitqueen", "resolve", "their-own", "--json", check=True).stdout)
    assert said["conflict"]["id"] == "their-own" and said["conflict"]["resolved_at"] is not None
    assert run("gitqueen", "conflicts").stdout == "no open conflicts\n"
    done = run("gitqueen", "resolve", "never-\x1b")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "gitqueen: there is no conflict never-\\x1b\n  → gitqueen conflicts --all\n"
