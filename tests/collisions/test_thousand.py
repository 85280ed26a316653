"""Nobody cries wolf: a thousand ordinary commits of one sister beside an idle other give no warning (INCIDENTS 12)."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pygit2
import pytest

from gitqueen.model.sisters import Identity
from gitqueen.services import guarding, queen, recording, tending
from tests.collisions import kit as play
from tests.collisions.kit import Stage
from tests.hive import Repo, Sister
from tests.hooks import kit

FILES = {f"part-{number}/file": f"{number}\n" for number in range(20)}
AUTHOR = pygit2.Signature("bea", "bea@example.org", 1_700_000_000)


class Work:
    """Commits as people make them: edits, new files, moves, deletions, amends and merges of branches of her own."""

    def __init__(self, folder: str, seed: int) -> None:
        self.repo = pygit2.Repository(folder)
        self.dice = random.Random(seed)
        self.count = 0

    def stage(self) -> None:
        """One change in the working tree and in the index."""
        self.count += 1
        index = self.repo.index
        paths = [entry.path for entry in index]
        path, what = self.dice.choice(paths), self.dice.random()
        if what < 0.6 or len(paths) < 10:
            self._write(path, f"edit {self.count}\n")
        elif what < 0.8:
            self._write(f"part-{self.dice.randrange(30)}/new-{self.count}", "new\n")
        else:
            whole = Path(self.repo.workdir, path)
            text = whole.read_text()
            whole.unlink()
            index.remove(path)
            if what < 0.9:
                self._write(f"moved/{self.count}", text)
        index.write()

    def _write(self, path: str, text: str) -> None:
        whole = Path(self.repo.workdir, path)
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_text(text)
        self.repo.index.add(path)

    def commit(self) -> Iterator[str]:
        """Commit what is staged, some of it on a branch that is merged at once or as an amend."""
        head = self.repo.head.peel(pygit2.Commit)
        parents = [head.id]
        if self.count % 10 == 0 and len(head.parents) == 1:
            parents = [parent.id for parent in head.parents]
        oid = self._commit(parents)
        if self.count % 25 == 0:
            yield str(oid)
            oid = self._commit([head.id, oid])
        self.repo.references[f"refs/heads/{self.repo.head.shorthand}"].set_target(oid)
        yield str(oid)

    def _commit(self, parents: list[pygit2.Oid]) -> pygit2.Oid:
        return self.repo.create_commit(None, AUTHOR, AUTHOR, f"{self.count}", self.repo.index.write_tree(), parents)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("where", "count"), [("worktree", 1000), ("clone", 200), ("same", 200)])
def test_ordinary_commits_give_no_warning(
    where: str, count: int, repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    hive = _stage(where, repo, sister)
    before = kit.events(hive.app, "conflict-seen")
    letters = play.letters(hive.iza), play.letters(hive.bea)
    work = Work(os.fspath(hive.app), count)
    opened = queen.open(os.environ, lambda: datetime.now(UTC), os.fspath(hive.app))
    try:
        bea = next(one for one in tending.living(opened) if one.name == "bea")
        for _ in range(count):
            work.stage()
            report = guarding.before_commit(opened, Identity(bea, "bea"))
            assert report.collisions == (), work.count
            for oid in work.commit():
                assert recording.commit(opened, opened.here(), oid, bea, "hook")
    finally:
        opened.db.close()
    hive.scan()
    assert kit.events(hive.app, "conflict-seen") == before
    assert (play.letters(hive.iza), play.letters(hive.bea)) == letters
    assert hive.app.git("status", "--porcelain") == ""
    # It would have been seen: the same commit, when she is at the same file.
    play.ok(hive.iza, "gitqueen claim readme --path README")
    assert len(hive.commit(hive.bea, "echo 1 >README; git add README; git commit -qm readme")) == 3


def _stage(where: str, repo: Callable[..., Repo], sister: Callable[..., Sister]) -> Stage:
    if where != "same":
        return play.stage(repo, sister, where, FILES)
    app = kit.install(repo(files=FILES))
    hive = Stage(app, app, sister("bea", app), sister("iza", app))
    play.ok(hive.bea, "iam 'the parser'")
    play.ok(hive.iza, "iam 'the manual'; gitqueen inbox")
    hive.scan()
    return hive


@pytest.mark.parametrize("where", play.WHERE)
def test_the_hooks_say_nothing_either(where: str, repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    hive = play.stage(repo, sister, where, FILES)
    script = """
        for n in 1 2 3 4 5; do
            echo $n >part-$n/file; git commit -qam "all $n"
            echo $n >part-$n/file; echo $n >part-6/file; git commit -qm "only $n" part-6/file
            git add .; git commit -qm "staged $n"; git commit -q --amend -m "amended $n"
            git mv part-$n/file part-$n/moved; git commit -qm "moved $n"
        done
        for n in 1 2 3; do
            git switch -qc topic-$n HEAD~2; echo $n >new-$n; git add .; git commit -qm "topic $n"
            git switch -q main; git merge -q --no-edit topic-$n; git cherry-pick topic-$n~0 --keep-redundant-commits
            git revert --no-edit HEAD~1 -m 1; git rebase -q main topic-$n; git switch -q main
        done
        git rm -q new-1; git commit -qm gone; git reset -q --hard HEAD~1; git stash; git tag done
    """
    assert [line for line in hive.bea.sh(script).err.splitlines() if "gitqueen" in line] == []
    hive.scan()
    assert kit.events(hive.app, "conflict-seen") == []
    assert kit.mail(hive.iza) == kit.mail(hive.bea) == []
    assert len(kit.committed(hive.app)) >= 25
    assert kit.crashes() == ""
