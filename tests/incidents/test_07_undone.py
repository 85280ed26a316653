"""Incident 7: with an index or files older than HEAD, a commit silently undoes what another session committed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from tests.collisions.kit import ok
from tests.hive import Repo, Sister
from tests.hooks import kit

FILES = {"app.py": "".join(f"line {number}\n" for number in range(1, 21)), "ben.py": "1\n", "old.py": "old\n"}
HERS = FILES["app.py"].replace("line 5\n", "line 5, hers\n").replace("line 15\n", "line 15, hers\n")


@dataclass(frozen=True)
class Stage:
    """anna and ben work in one checkout, on main."""

    app: Repo
    anna: Sister
    ben: Sister

    def annas(self, files: Mapping[str, str], message: str = "hers") -> str:
        """She commits these files in the checkout that both share; its short id."""
        for path, text in files.items():
            self.app.write(path, text)
        ok(self.anna, f"git add -- {' '.join(files)} && git commit -qm '{message}' -- {' '.join(files)}")
        kit.drained()
        return self.app.head[:10]


@pytest.fixture
def stage(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> Stage:
    app = kit.install(repo(files=FILES))
    anna, ben = sister("anna", app), sister("ben", app)
    for one, task in ((anna, "the parser"), (ben, "the manual")):
        ok(one, f"unset GIT_AUTHOR_DATE GIT_COMMITTER_DATE; iam '{task}'")
    ok(anna, "gitqueen scan")
    kit.no_scan_due()
    return Stage(app, anna, ben)


def test_an_index_of_his_own_that_was_read_before_her_commit(stage: Stage) -> None:
    ok(stage.ben, "export GIT_INDEX_FILE=$PWD/.git/bens; git read-tree HEAD")
    hers = stage.annas({"app.py": HERS, "new.py": "new\n"})
    done = stage.ben.sh("echo 2 >ben.py; git add ben.py; git commit -qm his")
    assert (done.rc, done.err.splitlines()) == (
        0,
        [
            "🐝 ⚠ gitqueen: this commit undoes what anna committed",
            f'  anna [main] changed app.py and new.py just now ({hers}), on "the parser"',
            "  Keep theirs: git restore --staged -- app.py new.py",
            '  Ask: gitqueen tell anna "..."   Look: gitqueen check',
        ],
    )
