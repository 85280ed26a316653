"""INCIDENTS 12 for what a commit undoes: no alarm where it was meant, or only carried by git, or is ordinary work."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from tests.collisions.kit import ok
from tests.hive import Repo, Sister
from tests.hooks import kit

FILES = {"app.py": "".join(f"line {number}\n" for number in range(1, 21)), "ben.py": "1\n"}
HERS = FILES["app.py"].replace("line 5\n", "line 5, hers\n").replace("line 15\n", "line 15, hers\n")
COMMITS = 400 if os.environ.get("GITQUEEN_LONG") else 25


@pytest.fixture
def stage(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> tuple[Repo, Sister, Sister]:
    """anna and ben are in one checkout, and cleo beside them on feat; then anna commits. ben may see all that is on the
    disk, and nobody says whether he did."""
    app = kit.install(repo(files=FILES))
    ben, cleo = sister("ben", app), sister("cleo", app.worktree("feat"))
    anna = sister("anna", app)
    for one in (anna, ben, cleo):
        ok(one, "unset GIT_AUTHOR_DATE GIT_COMMITTER_DATE; export GITQUEEN_HOOK_LIMIT=60; iam 'her part'")
    app.write("app.py", HERS)
    app.write("new.py", "new\n")
    ok(anna, "git add . && git commit -qm hers; gitqueen scan")
    kit.drained()
    kit.no_scan_due()
    return app, ben, cleo


def quiet(sister: Sister, *commands: str) -> None:
    """None of it has our hooks say that something would be undone."""
    for command in commands:
        assert [line for line in ok(sister, command) if "undoes" in line or "without us" in line] == [], command


def nothing_came_of_it(app: Repo, *sisters: Sister) -> None:
    kit.drained()
    ok(sisters[0], "gitqueen scan")
    kit.no_scan_due()
    assert [one["detail"] for one in kit.open_conflicts(app) if one["type"] == "stale-index"] == []
    assert [one["body"] for sister in sisters for one in kit.mail(sister) if "stale-index" in one["body"]] == []


def test_what_is_meant(stage: tuple[Repo, Sister, Sister]) -> None:
    app, ben, cleo = stage
    quiet(ben, "git revert --no-edit HEAD >/dev/null", "git revert --no-edit HEAD >/dev/null")
    quiet(ben, "git revert --no-commit HEAD~2; git commit -qm 'not like this'", "git revert --no-edit HEAD >/dev/null")
    # Both sides of it changed: he takes it back by hand.
    quiet(ben, "sed -i 's/line 5, hers/line 5, his/' app.py; git commit -qam his")
    assert ben.sh("git revert HEAD~1").rc == 1
    quiet(ben, "git checkout HEAD~2 -- app.py; git add app.py; git commit -qm 'by hand'")
    # What is his since he committed it himself, he may put back to anything.
    quiet(ben, "git checkout HEAD~1 -- app.py new.py; git commit -qm again", "git checkout HEAD~3 -- app.py")
    quiet(ben, "git commit -qm 'all as it was'")
    nothing_came_of_it(app, ben, cleo)


def test_what_goes_on_from_hers(stage: tuple[Repo, Sister, Sister]) -> None:
    app, ben, cleo = stage
    quiet(ben, "git mv new.py newer.py; git commit -qm moved", "echo more >>newer.py; git commit -qam more")
    quiet(ben, "chmod +x app.py; git commit -qam 'it runs'", "chmod -x app.py; git commit -qam 'it does not'")
    quiet(ben, "sed -i 's/line 15, hers/line 15, his/' app.py; git commit -qam 'half of it'")
    quiet(ben, "git commit -q --amend -m 'some of it'", "echo 3 >ben.py; git commit -q --amend -a --no-edit")
    quiet(ben, "git rm -q app.py; git commit -qm 'his own now'")
    nothing_came_of_it(app, ben, cleo)


def test_what_git_carries(stage: tuple[Repo, Sister, Sister]) -> None:
    app, ben, cleo = stage
    quiet(cleo, "echo 2 >ben.py; git commit -qam cleos", "git merge -q --no-edit main")
    # She brought it here herself, and has it no more where it stands in her way.
    quiet(cleo, "sed -i 's/, hers//; s/line 10/line 10, cleos/' app.py; git commit -qam 'without it'")
    quiet(cleo, "git rm -q app.py; git commit -qm 'nobody needs it'; git reset -q --hard HEAD~1")
    quiet(cleo, "git reset -q --hard HEAD~2; git rebase -q main", "git reset -q --hard HEAD~1")
    quiet(cleo, "git switch -q --detach main~1; git cherry-pick main >/dev/null", "git switch -q feat")
    quiet(cleo, "git switch -qc other main~1; echo o >other; git add other; git commit -qm other")
    quiet(cleo, "git merge -q --no-edit main", "git switch -q feat", "git rebase -q --apply other")
    quiet(ben, "echo 4 >ben.py; git stash -q; git merge -q --no-edit feat; git stash pop -q; git commit -qam his")
    quiet(ben, "git format-patch -q -1 --stdout >/tmp/$$.patch; git reset -q --hard HEAD~1; git am -q /tmp/$$.patch")
    nothing_came_of_it(app, ben, cleo)


def test_a_module_that_goes_on(stage: tuple[Repo, Sister, Sister], repo: Callable[..., Repo]) -> None:
    app, ben, cleo = stage
    part = repo("part", {"p": "1\n"})
    add = f"git -c protocol.file.allow=always submodule --quiet add {part.path} part 2>/dev/null"
    ok(cleo, f"git merge -q main; {add}; git commit -qm part")
    kit.drained()
    for number in (2, 3):
        part.commit(f"p {number}", {"p": f"{number}\n"})
    quiet(ben, "git merge -q feat; git -c protocol.file.allow=always submodule --quiet update --init 2>/dev/null")
    quiet(ben, "git -C part fetch -q; git -C part checkout -q origin/main~1; git commit -qam 'part 2'")
    kit.drained()
    quiet(
        cleo, "git merge -q main; git -C part fetch -q; git -C part checkout -q origin/main; git commit -qam 'part 3'"
    )
    nothing_came_of_it(app, ben, cleo)


def test_a_developer_alone_while_another_sister_idles_on_another_branch(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = kit.install(repo(files={f"src/{number}.py": f"{number}\n" * 20 for number in range(20)}))
    idle = sister("idle", app.worktree("idle"))
    ok(idle, "iam 'nothing yet'; echo one >idle; git add idle; git commit -qm idle")
    dev = sister("dev", app)
    ok(dev, "export GITQUEEN_HOOK_LIMIT=60; iam 'all of it'; gitqueen scan")
    kit.drained()
    kit.no_scan_due()
    chance, before = random.Random(7), kit.mail(dev)
    for number in range(COMMITS):
        done = dev.sh(f"{_step(chance, app, number)} && git commit -qm 'step {number}' --allow-empty")
        assert (done.rc, done.err) == (0, ""), number
    kit.drained()
    ok(dev, "gitqueen scan")
    found = [one for one in kit.open_conflicts(app) if one["severity"] != "info"]
    assert (found, kit.mail(dev), kit.mail(idle)) == ([], before, [])


def _step(chance: random.Random, app: Repo, number: int) -> str:
    """What a developer does before a commit: edits, new files, renames, deletions, and things put back as they were."""
    files = sorted(path.relative_to(app.path).as_posix() for path in app.path.glob("src/*"))
    one, other = chance.sample(files, 2)
    line = chance.randrange(1, 20)
    side = f"git switch -qc side{number}; echo {number} >src/s{number}.py; git add -A; git commit -qm side; "
    side += (
        f"git switch -q main; echo {number} >>{one}; git add -A; git commit -qm on; git merge -q --no-edit side{number}"
    )
    back = "{ git revert --no-edit HEAD || git revert --abort; }"
    return chance.choice(
        (
            f"sed -i '{line}s/$/ {number}/' {one} {other} && git add -u",
            f"sed -i '{line}s/$/ {number}/' {one} && git add -A",
            f"echo {number} >src/n{number}.py && git add .",
            f"git mv {one} src/m{number}.py && sed -i '{line}d' src/m{number}.py && git add -A",
            f"git rm -q {one}",
            f"git checkout -q HEAD~{min(number, 3)} -- src",
            f"{back} >/dev/null 2>&1; echo {number} >>{other}; git add -A",
            f"{side}; echo {number} >>{other}; git add -A",
        )
    )
