"""True collisions: what git would really make of two sisters' work decides whether anybody is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.collisions import kit as play
from tests.collisions.kit import Stage, said
from tests.hive import Done, Repo, Sister
from tests.hooks import kit

TEXT = "".join(f"{number}\n" for number in range(1, 31))
FILES = {path: TEXT.replace("\n", f" {path}\n") for path in ("a", "b", "d/c", "d/e")}
TASK = ', on "the manual"'


@pytest.fixture(params=play.WHERE)
def hive(request: pytest.FixtureRequest, repo: Callable[..., Repo], sister: Callable[..., Sister]) -> Stage:
    return play.stage(repo, sister, request.param, FILES)


@pytest.fixture
def near(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> Stage:
    return play.stage(repo, sister, "worktree", FILES)


def told(near: Stage) -> list[tuple[str, str]]:
    """(severity, detail) of what is open about files."""
    found = [one for one in kit.open_conflicts(near.app) if one["type"] == "file-collision"]
    return [(one["severity"], one["detail"]) for one in found]


def test_a_commit_is_told_of_the_lines_that_conflict(hive: Stage) -> None:
    play.ok(hive.iza, "sed -i -e '1i first' -e '10s/.*/hers/' -e '11s/.*/hers too/' a; sed -i 2s/.*/hers/ b")
    assert hive.commit(hive.iza, "git commit -qm b b") == []
    uncommitted = f"iza [feat] conflicts in a lines 10-11 (hers 11-12), uncommitted{TASK}"
    committed = f"iza [feat] conflicts in b lines 1-3 (hers 1-3), changed just now{TASK}"
    assert hive.commit(hive.bea, "sed -i 10s/.*/mine/ a; git commit -qam a") == said(uncommitted)
    detail = (
        f"bea has a, conflicts with iza's uncommitted work in lines 10-11 (hers 11-12), on feat in {hive.there.path}"
    )
    assert told(hive) == [("danger", f'{detail}, "the manual"')]
    assert hive.commit(hive.bea, "sed -i '1,3s/$/ x/' b; git commit -qam b") == said(committed)


def test_what_merges_cleanly_is_shown_and_nobody_is_told(hive: Stage) -> None:
    play.ok(hive.iza, "sed -i 2s/.*/hers/ a; sed -i 2s/.*/hers/ b")
    assert hive.commit(hive.iza, "git commit -qm b b") == []
    assert hive.commit(hive.bea, "sed -i 20s/.*/mine/ a; sed -i 20s/.*/mine/ b; git commit -qam mine") == []
    where = f'on feat in {hive.there.path}, "the manual"'
    oid = hive.there.head[:10]
    assert sorted(told(hive)) == [
        ("info", f"bea has a, merges cleanly with iza's uncommitted work, {where}"),
        ("info", f'bea has b, merges cleanly with what iza changed in {oid}, on feat, "the manual"'),
    ]
    assert (play.letters(hive.iza), play.letters(hive.bea)) == ([], [])
    assert "merges cleanly" in hive.bea.sh("gitqueen status").out
    # Policy refuses what is a conflict, and nothing else.
    hive.app.git("config", "gitqueen.policy", "block")
    assert hive.commit(hive.bea, "sed -i 25s/.*/mine/ a; git commit -qam more") == []
    assert hive.bea.sh("sed -i 2s/.*/mine/ a; git commit -qam no").rc == 1


def test_open_collisions_are_weighed_again_when_the_work_changes(near: Stage) -> None:
    play.ok(near.iza, "sed -i 2s/.*/hers/ a")
    near.scan()
    assert near.commit(near.bea, "sed -i 20s/.*/mine/ a; git commit -qam mine") == []
    play.ok(near.iza, "sed -i 20s/.*/hers/ a")
    near.scan()
    detail = f"bea has a, conflicts with iza's uncommitted work in line 20 (hers 20), on feat in {near.there.path}"
    assert told(near) == [("danger", f'{detail}, "the manual"')]
    assert (len(play.letters(near.iza)), len(play.letters(near.bea))) == (1, 1)
    # Nothing has changed, nobody is told again; then it is no conflict any more.
    near.scan()
    assert (len(play.letters(near.iza)), len(play.letters(near.bea))) == (1, 1)
    play.ok(near.iza, "git checkout -q a; sed -i 2s/.*/hers/ a")
    near.scan()
    assert [severity for severity, _ in told(near)] == ["info"]
    play.ok(near.iza, "git checkout -q a")
    near.scan()
    assert told(near) == []


def test_what_was_waved_through_while_it_merged_is_told_when_it_is_a_conflict(near: Stage) -> None:
    play.ok(near.iza, "sed -i 2s/.*/hers/ a")
    assert near.commit(near.bea, "sed -i 20s/.*/mine/ a; git commit -qam mine") == []
    [known] = kit.open_conflicts(near.app)
    play.ok(near.bea, f"gitqueen resolve {known['id']}")
    assert near.commit(near.bea, "sed -i 25s/.*/mine/ a; git commit -qam more") == []
    assert kit.open_conflicts(near.app) == []
    row = f"iza [feat] conflicts in a line 2 (hers 2), uncommitted{TASK}"
    assert near.commit(near.bea, "sed -i 2s/.*/mine/ a; git commit -qam 'on the same line'") == said(row)
    assert [one["severity"] for one in kit.open_conflicts(near.app)] == ["danger"]


def test_a_file_that_one_moved_and_the_other_changed(hive: Stage) -> None:
    play.ok(hive.iza, "git mv a moved; sed -i 10s/.*/hers/ moved")
    hive.scan()
    row = f"iza [feat] conflicts in a line 10 (hers 10), uncommitted{TASK}"
    assert hive.commit(hive.bea, "sed -i 10s/.*/mine/ a; git commit -qam mine") == said(row)
    assert hive.commit(hive.bea, "git mv b other; sed -i 10s/.*/mine/ other; git commit -qam moved") == []
    play.ok(hive.iza, "sed -i 10s/.*/hers/ b")
    hive.scan()
    row = f"iza [feat] conflicts in other line 10 (hers 10), uncommitted{TASK}"
    assert hive.commit(hive.bea, "sed -i 10s/.*/again/ other; git commit -qam again") == said(row)


@pytest.mark.parametrize("committed", [False, True])
def test_a_file_added_to_a_folder_that_she_moved(hive: Stage, committed: bool) -> None:
    play.ok(hive.iza, "git mv d elsewhere" + ("; git commit -qm moved" if committed else ""))
    hive.scan()
    lines = play.ok(hive.bea, "echo new >d/new; git add d; git commit -qm new")
    how = "changed" if committed else "uncommitted"
    assert lines == said(f"iza [feat] conflicts in d/new (directory rename), {how}{TASK}")


def test_a_file_where_she_has_a_folder(near: Stage) -> None:
    play.ok(near.iza, "mkdir new; echo x >new/x")
    near.scan()
    row = f"iza [feat] conflicts in new (directory/file), uncommitted{TASK}"
    assert near.commit(near.bea, "echo new >new; git add new; git commit -qm new") == said(row)


def test_a_commit_that_meets_nobody_merges_nothing(near: Stage) -> None:
    play.ok(near.iza, "sed -i 2s/.*/hers/ a; echo new >d/hers")
    near.scan()
    lines = play.ok(near.bea, "echo x >>b; echo new >d/mine; git add -A; GITQUEEN_DEBUG=1 git commit -qm mine")
    assert [line for line in lines if "merge-tree" in line or "write-tree" in line] == []
    assert any("diff-index" in line for line in lines)


def test_her_work_is_not_read_again_while_nothing_of_it_has_changed(near: Stage) -> None:
    play.ok(near.iza, "sed -i 2s/.*/hers/ a")
    near.scan()
    lines = play.ok(near.bea, "sed -i 2s/.*/mine/ a; GITQUEEN_DEBUG=1 git commit -qam mine")
    assert sum("update-index" in line for line in lines) == 0
    assert sum("merge-tree" in line for line in lines) == 1
    play.ok(near.iza, "sed -i 3s/.*/more/ a")
    lines = play.ok(near.bea, "sed -i 3s/.*/more/ a; GITQUEEN_DEBUG=1 git commit -qam more")
    assert sum("update-index" in line for line in lines) == 1


def predicted(sister: Sister, words: str = "") -> tuple[int, list[dict[str, Any]]]:
    done: Done = sister.sh(f"gitqueen conflicts --predict --json {words}")
    return done.rc, json.loads(done.out)["pairs"]


TABLE = """\
          1 2 3
  1  bea  · ✗ ✓   [main*] "the parser"
  2  iza  ✗ · ✓   [feat*] "the manual"
  3  zoe  ✓ ✓ ·   [third] "the tests"
  ✓ merges cleanly   ✗ conflicts   ? unknown

  ✗ bea and iza conflict in 2 files
      a  line 10 of bea, line 11 of iza
      b  modify/delete
      Ask: gitqueen tell iza "..."
"""


def test_all_pairs(near: Stage, sister: Callable[..., Sister]) -> None:
    zoe = sister("zoe", near.app.worktree("third"))
    zoe.sh("iam 'the tests'")
    play.ok(near.iza, "sed -i -e '1i x' -e 10s/.*/hers/ a; git rm -q b; sed -i 2s/.*/hers/ d/c")
    play.ok(near.bea, "sed -i 10s/.*/mine/ a; echo x >>b; sed -i 20s/.*/mine/ d/c")
    lines = [{"a": [10, 10], "b": [11, 11]}]
    back = [{"a": [11, 11], "b": [10, 10]}]
    rest = [
        {"path": "b", "verdict": "modify/delete", "lines": None},
        {"path": "d/c", "verdict": "clean", "lines": None},
    ]
    assert predicted(zoe) == (
        1,
        [
            pair("bea", "iza", "conflict", [{"path": "a", "verdict": "conflict", "lines": lines}, *rest]),
            pair("iza", "bea", "conflict", [{"path": "a", "verdict": "conflict", "lines": back}, *rest]),
            pair("bea", "zoe", "clean", []),
            pair("iza", "zoe", "clean", []),
        ],
    )
    assert zoe.sh("gitqueen conflicts --predict") == (1, TABLE, "")
    assert near.app.git("status", "--porcelain").split() == ["M", "a", "M", "b", "M", "d/c"]


def pair(a: str, b: str, verdict: str, files: list[dict[str, Any]]) -> dict[str, Any]:
    return {"a": a, "b": b, "verdict": verdict, "files": files, "why": None, "hint": False}


def test_branches_and_sisters_by_name(near: Stage) -> None:
    assert near.commit(near.iza, "sed -i 10s/.*/hers/ a; git commit -qam hers") == []
    play.ok(near.bea, "git branch other; sed -i 10s/.*/mine/ a")
    assert predicted(near.bea, "other feat") == (0, [pair("other", "feat", "clean", [])])
    assert [one["verdict"] for one in predicted(near.bea, "feat")[1]] == ["conflict", "conflict"]
    assert [(one["a"], one["b"]) for one in predicted(near.bea, "iza HEAD~0")[1]] == [("iza", "HEAD~0")]
    assert near.bea.sh("gitqueen conflicts --predict nobody") == (
        2,
        "",
        "gitqueen: 'nobody' is no sister in this repository, and no revision\n  → gitqueen status, git branch --all\n",
    )
    assert near.bea.sh("gitqueen conflicts feat").rc == 2


def test_a_pair_is_merged_once_a_change(near: Stage) -> None:
    def merges() -> int:
        done = near.bea.sh("GITQUEEN_DEBUG=1 gitqueen conflicts --predict")
        return sum("merge-tree" in line for line in done.err.splitlines())

    play.ok(near.iza, "sed -i 10s/.*/hers/ a")
    play.ok(near.bea, "sed -i 10s/.*/mine/ a")
    assert merges() == 2  # each direction
    assert merges() == 0
    play.ok(near.iza, "sed -i 11s/.*/hers/ a")
    assert merges() == 2
    # What says how to merge has changed.
    near.app.git("config", "merge.conflictStyle", "diff3")
    assert merges() == 2


def test_before_an_edit_and_before_a_commit_the_verdicts_are_the_same(near: Stage) -> None:
    def check(words: str = "") -> list[tuple[str, str, str | None]]:
        found = json.loads(near.bea.sh(f"gitqueen check --json {words}").out)["collisions"]
        return [(one["path"], one["severity"], one["merge"]) for one in found]

    play.ok(near.iza, "sed -i 10s/.*/hers/ a; sed -i 2s/.*/hers/ b; echo x >>d/c")
    near.scan()
    # She has nothing of her own in them yet.
    assert check("a b d") == [(path, "warning", None) for path in ("a", "b", "d/c")]
    play.ok(near.bea, "sed -i 10s/.*/mine/ a; sed -i 20s/.*/mine/ b")
    assert check("a b d") == [("a", "danger", "conflict"), ("b", "info", "clean"), ("d/c", "warning", None)]
    play.ok(near.bea, "git add a b")
    assert check() == [("a", "danger", "conflict"), ("b", "info", "clean")]
    assert near.bea.sh("gitqueen check b").rc == 0
    assert near.bea.sh("gitqueen check a").rc == 1
