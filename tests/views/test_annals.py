"""History as sentences: each kind of event that gitqueen writes, and what other programs wrote."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import gitqueen
from gitqueen.model.events import Event
from gitqueen.views import annals
from gitqueen.views.text import Palette

NOW = datetime(2026, 4, 11, 5, 29, tzinfo=UTC)
PLAIN = Palette(False)

TOLD: list[tuple[str, dict[str, object], str]] = [
    ("acked", {"ids": [1, 2]}, "acknowledged #1, #2"),
    ("armed", {"git": "2.39.5"}, "installed the git hooks in the repository"),
    ("armed", {"everywhere": True}, "installed the git hooks everywhere"),
    ("arrived", {"agent": "claude", "pid": 812}, "arrived: claude, process 812"),
    ("claimed", {"id": "deploy", "description": None, "paths": []}, "claimed deploy"),
    ("claimed", {"id": "ui", "description": "why", "paths": ["a", "b"]}, "claimed ui on a, b: why"),
    ("committed", {"oid": "0123456789abcdef" * 2, "branch": "main"}, "committed 0123456789ab on main"),
    ("committed", {"oid": "0123456789abcdef" * 2, "branch": None, "seen_by": "scan"},
     "committed 0123456789ab, which no hook told of"),
    ("conflict-over", {"id": "shared-branch-1"}, "sees that shared-branch-1 is over"),
    ("conflict-seen",
     {"id": "shared-branch-1", "type": "shared-branch", "sisters": ["iza", "ada"], "severity": "warning"},
     "got into a conflict: shared-branch of iza, ada (warning, shared-branch-1)"),
    ("declared", {"task": "the docs"}, "declared: the docs"),
    ("died", {"pid": 812}, "is gone: process 812 ended"),
    ("disarmed", {"by": "uninstall"}, "took the git hooks out of the repository"),
    ("disarmed", {"what": "pre-commit is gone", "when": None, "worktree": "/home/iza/app"},
     "disarmed the git hooks of ~/app: pre-commit is gone"),
    ("disarming", {"by": "git commit --no-verify"},
     "was warned of disarming the git hooks: git commit --no-verify"),
    ("done", {"task": "the docs"}, "finished: the docs"),
    ("given-back", {"id": "deploy", "why": "its owner died"}, "no longer holds deploy: its owner died"),
    ("left", {"uncommitted": [], "unacknowledged": [], "claims": []}, "ended her session"),
    ("left", {"uncommitted": ["a"], "unacknowledged": [1, 2], "claims": ["deploy"]},
     "ended her session and leaves 1 uncommitted path, 2 letters not acknowledged, the claims deploy"),
    ("rearmed", {"worktree": "/home/iza/app"}, "put the git hooks back in ~/app"),
    ("rebuilt", {"sisters": 1, "claims": 2}, "rebuilt the hive from its repositories: 1 sister, 2 claims"),
    ("released", {"id": "deploy", "owner": "iza"}, "released deploy"),
    ("renamed", {"was": "iza-1"}, "was called iza-1 until now"),
    ("renewed", {"id": "deploy", "description": "why", "paths": []}, "renewed deploy: why"),
    ("resolved", {"id": "shared-branch-1"}, "resolved shared-branch-1 by hand"),
    ("restored", {"rescue": "7", "paths": ["a", "b"], "count": 2}, "brought 2 paths back from 7: a, b"),
    ("reverting", {"worktree": "/home/iza/app"}, "is reverting a commit in ~/app"),
    ("rewrote", {"how": "amend", "commits": 1}, "amended a commit"),
    ("rewrote", {"how": "rebase", "commits": 3}, "rewrote 3 commits by a rebase"),
    ("sent", {"to": "@all", "ids": [3, 4], "priority": "urgent"}, "wrote #3, #4 to @all (urgent)"),
    ("sent", {"to": "ada", "ids": [3], "priority": "normal"}, "wrote #3 to ada"),
    ("taken-away", {"id": "deploy", "owner": "ada"}, "released deploy of ada with --force"),
    ("ventured", {"by": "git checkout", "worktree": "/home/iza/app", "at": 1.0},
     "ran git checkout in ~/app, which may take away what is uncommitted"),
    ("danced", {"how": "well", "with": ["bea", "ada"], "why": None}, "danced  how=well  with=bea,ada"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "detail", "sentence"), TOLD)
def test_each_kind_is_a_sentence(
    kind: str, detail: dict[str, object], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/iza")
    told = annals.history([Event(kind, "iza", detail=detail, at=NOW)], PLAIN)
    assert told == f"2026-04-11T05:29:00Z  iza  {sentence}"
    # Whatever is missing, it is said without falling.
    assert annals.history([Event(kind, None)], PLAIN).startswith("?                     queen  ")


def test_no_kind_that_gitqueen_writes_is_without_one() -> None:
    texts = "".join(file.read_text() for file in Path(gitqueen.__file__).parent.rglob("*.py"))
    written = set(re.findall(r'\bEvent\(\s*"([a-z-]+)"', texts))
    assert len(written) > 20 and written - {kind for kind, _, _ in TOLD} == set()


def test_names_stand_below_each_other_and_nothing_is_obeyed() -> None:
    told = annals.history([Event("done", "a\x1b", detail={"task": "x\ny"}), Event("danced\x1b[0m", "iza-10")], PLAIN)
    assert told == (
        "?                     a\\x1b   finished: x\\ny\n"
        "?                     iza-10  danced\\x1b[0m"
    )  # fmt: skip
    assert annals.history([], PLAIN) == "nothing has happened yet"
