"""Nothing is ever lost: random histories of two sisters in one worktree or two, beside a model of what is right."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gitqueen.git import rescue
from gitqueen.services import rescuing, restoring
from gitqueen.store import database
from tests.rescue import world
from tests.rescue.world import FILES, NAMES, Tree, World

HISTORIES = 2000 if os.environ.get("GITQUEEN_LONG") else 200
SHARDS = 4
PATHS = st.sampled_from((*FILES, "new", "d/new"))
WHERE = st.sampled_from((0, 0, 0, 1))
BY = st.sampled_from((None, *NAMES))
RUINS = ("rm", "reset -q --hard", "checkout -q -- .", "stash push -q -u", "stash push -q", "clean -fdq")
CALLS = 4000
"""About how many functions a look calls."""


@pytest.fixture
def bodies() -> Iterator[list[subprocess.Popen[bytes]]]:
    """The processes whose lives are the sisters' lives."""
    running = [subprocess.Popen(["sleep", "7200"], stdin=subprocess.DEVNULL) for _ in NAMES]
    yield running
    for one in running:
        one.kill()
        one.wait()


class Machine(RuleBasedStateMachine):
    """Everything that people and agents do to worktrees, and our own looking and restoring in between."""

    folder: Path
    bodies: list[subprocess.Popen[bytes]]
    count = 0
    world: World

    def __init__(self) -> None:
        super().__init__()
        self.blind = 0
        self.where = 0

    @property
    def tree(self) -> Tree:
        return self.world.trees[self.where]

    @initialize(apart=st.booleans())
    def begin(self, apart: bool) -> None:
        type(self).count += 1
        self.world = world.make(self.folder / f"app-{type(self).count}", self.bodies, apart)

    @rule(where=WHERE, path=PATHS, by=BY)
    def edit(self, where: int, path: str, by: str | None) -> None:
        self.where = where
        self.tree.write(path, self.world.fresh(), by if by in self.tree.living else None)

    @rule(path=PATHS, mode=st.sampled_from((0o644, 0o755, 0o600, 0o664)))
    def chmod(self, path: str, mode: int) -> None:
        if (self.tree.top / path).exists():
            (self.tree.top / path).chmod(mode)

    @rule(path=PATHS)
    def delete(self, path: str) -> None:
        (self.tree.top / path).unlink(missing_ok=True)

    @rule(path=PATHS)
    def add(self, path: str) -> None:
        self.tree.git("add", "-A", "--", path)

    @rule()
    def add_all(self) -> None:
        self.tree.git("add", "-A")

    @rule()
    def commit(self) -> None:
        self.tree.git("commit", "-qm", "work")

    @rule(path=PATHS)
    def commit_path(self, path: str) -> None:
        self.tree.git("commit", "-qm", "one", "--", path)

    @rule()
    def amend(self) -> None:
        self.tree.git("commit", "-q", "--amend", "--no-edit")

    @rule(branch=st.sampled_from(("main", "topic")), how=st.sampled_from(("switch", "force")))
    def checkout(self, branch: str, how: str) -> None:
        new = () if self.tree.git("rev-parse", "-q", "--verify", branch) else ("-b",)
        self.tree.git("checkout", "-q", *(("-f",) if how == "force" else ()), *new, branch)

    @rule(untracked=st.booleans())
    def stash(self, untracked: bool) -> None:
        self.tree.git("stash", "push", "-q", *(("-u",) if untracked else ()))

    @rule()
    def unstash(self) -> None:
        self.tree.git("stash", "pop", "-q")
        # A stash that does not go on leaves an unfinished merge: whoever did that puts it right first.
        if self.tree.git("ls-files", "-u"):
            self.tree.git("checkout", "-q", "--theirs", ".")
            self.tree.git("add", "-A")

    @rule(kind=st.sampled_from(("--hard", "--mixed")), to=st.sampled_from(("HEAD", "HEAD~1")))
    def reset(self, kind: str, to: str) -> None:
        self.tree.git("reset", "-q", kind, to)

    @rule(path=PATHS)
    def discard(self, path: str) -> None:
        self.tree.git("checkout", "-q", "--", path)

    @rule()
    def clean(self) -> None:
        self.tree.git("clean", "-fdq")

    @rule(by=st.sampled_from(NAMES))
    def venture(self, by: str) -> None:
        """The door of an agent hears what she is about to do; the next rule may do it, or not."""
        if by in self.tree.living:
            self.world.venture(self.tree, by)

    @rule(
        where=WHERE,
        path=PATHS,
        by=BY,
        venturer=BY,
        how=st.sampled_from(RUINS),
        mode=st.sampled_from((0o644, 0o600)),
        back=st.booleans(),
        anew=st.booleans(),
    )
    def ruin(
        self, where: int, path: str, by: str | None, venturer: str | None, how: str, mode: int, back: bool, anew: bool
    ) -> None:
        """What it is all about, and what chance alone makes too seldom: work is written, kept, and destroyed."""
        self.edit(where, path, by)
        self.chmod(path, mode)
        self.world.look(self.tree)
        if venturer in self.tree.living:
            self.world.venture(self.tree, venturer)
        if how == "rm":
            self.delete(path)
        else:
            self.tree.git(*how.split())
        if anew:  # before anybody has looked
            self.edit(where, path, None)
        kept = [identity for identity, things in self.world.kept.items() if path in things]
        if back and kept:
            self._restore(kept[-1], path)

    @rule(steps=st.integers(1, 3))
    def blink(self, steps: int) -> None:
        """Between two scans more than one thing may happen."""
        self.blind = steps

    @rule(calls=st.integers(1, CALLS))
    def die(self, calls: int) -> None:
        """kill -9 of whoever looks, at any moment."""
        self.world.die(self.tree, calls)

    @precondition(lambda self: any(self.world.kept.values()))
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        """By hand, as `gitqueen rescue restore ID PATH` does; it may refuse, and never loses what stands there."""
        identity = data.draw(st.sampled_from([one for one, things in self.world.kept.items() if things]))
        self._restore(identity, data.draw(st.sampled_from(list(self.world.kept[identity]))))

    def _restore(self, identity: str, path: str) -> None:
        one = self.world.kept[identity][path]
        self.where = int(identity.startswith(rescue.name(self.world.trees[1].place) + "/"))
        tree = self.tree
        self.world.look(tree)
        before = tree.dirty()
        found = rescuing.find(tree.place, identity)
        kept = restoring.chosen(tree.place, found, (one.path,))
        self.world.later()
        done = restoring.restore(tree.queen, tree.place, found, kept)
        file = tree.top / one.path
        if done.refused:
            stood = before[one.path]
            assert (file.read_bytes(), file.stat().st_mode & 0o777) == (stood.content, stood.mode)
        else:
            assert file.read_bytes() == one.content
            assert one.mode in (None, file.stat().st_mode & 0o777)
        # What it did is seen by the model as by anybody: its own look is the one that tells.
        made = rescue.remembered(tree.place).id
        if made != (tree.id or ""):
            self.world.look(tree, lambda: made)

    @invariant()
    def what_is_told_is_what_is_lost(self) -> None:
        if self.blind:
            self.blind -= 1
            return
        self.world.look(self.tree)
        self.world.settle()
        assert self.world.told() == self.world.lost

    def teardown(self) -> None:
        self.world.check_kept()
        with database.transaction(self.world.queen.db):
            for table in ("conflicts", "findings", "events", "touches", "messages"):
                self.world.queen.db.execute(f"DELETE FROM {table}")
        self.world.held.close()
        for tree in self.world.trees:
            tree.queen.db.close()


@pytest.mark.timeout(6000)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_history_loses_anything(shard: int, tmp_path: Path, bodies: list[subprocess.Popen[bytes]]) -> None:
    kind: Any = type(f"Machine{shard}", (Machine,), {"folder": tmp_path, "bodies": bodies})
    run_state_machine_as_test(
        kind,
        settings=settings(
            max_examples=HISTORIES // SHARDS,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert kind.count >= HISTORIES // SHARDS
