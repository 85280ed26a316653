"""Incident 7: with an index or files older than HEAD, a commit silently undoes what another session committed."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from tests.collisions.kit import ok
from tests.hive import Repo, Runner, Sister
from tests.hooks import kit

FILES = {"app.py": "".join(f"line {number}\n" for number in range(1, 21)), "ben.py": "1\n", "old.py": "old\n"}
HERS = FILES["app.py"].replace("line 5\n", "line 5, hers\n").replace("line 15\n", "line 15, hers\n")
LONG_AGO = "2026-01-02T03:04:05Z"


@dataclass(frozen=True)
class Stage:
    """anna and ben work in one checkout, on main."""

    app: Repo
    anna: Sister
    ben: Sister

    def annas(self, files: Mapping[str, str]) -> str:
        """She commits these files in the checkout that both share; its short id."""
        for path, text in files.items():
            self.app.write(path, text)
        ok(self.anna, f"git add -- {' '.join(files)} && git commit -qm hers -- {' '.join(files)}")
        kit.drained()
        return self.app.head[:10]

    def again(self, where: Repo | None = None) -> None:
        """The commit that was just made was none."""
        kit.drained()
        (where or self.app).git("reset", "--quiet", "--hard", "HEAD~1")

    def stale(self) -> list[str]:
        return [one["detail"] for one in kit.open_conflicts(self.app) if one["type"] == "stale-index"]


def told(row: str, keep: str, who: str = "anna", command: str = "Keep theirs") -> list[str]:
    """The whole warning."""
    return [
        f"🐝 ⚠ gitqueen: this commit undoes what {who} committed",
        f"  {row}",
        f"  {command}: {keep}",
        f'  Ask: gitqueen tell {who} "..."   Look: gitqueen check',
    ]


@pytest.fixture
def stage(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> Stage:
    app = kit.install(repo(files=FILES))
    anna, ben = sister("anna", app), sister("ben", app)
    for one, task in ((anna, "the parser"), (ben, "the manual")):
        ok(one, f"unset GIT_AUTHOR_DATE GIT_COMMITTER_DATE; export GITQUEEN_HOOK_LIMIT=60; iam '{task}'")
    ok(anna, "gitqueen scan")
    kit.no_scan_due()
    return Stage(app, anna, ben)


def beside(stage: Stage, sister: Callable[..., Sister]) -> tuple[Sister, Repo]:
    """cleo in a worktree of her own, on feat, which is at main."""
    feat = stage.app.worktree("feat")
    cleo = sister("cleo", feat)
    ok(cleo, "unset GIT_AUTHOR_DATE GIT_COMMITTER_DATE; export GITQUEEN_HOOK_LIMIT=60; iam 'the logo'")
    return cleo, feat


def test_an_index_of_his_own_that_was_read_before_her_commit(stage: Stage) -> None:
    ok(stage.ben, "export GIT_INDEX_FILE=$PWD/.git/bens; git read-tree HEAD")
    hers = stage.annas({"app.py": HERS, "new.py": "new\n"})
    done = stage.ben.sh("echo 2 >ben.py; git add ben.py; git commit -qm his")
    row = f'anna [main] changed app.py and new.py just now ({hers}), on "the parser"'
    assert (done.rc, done.err.splitlines()) == (0, told(row, "git restore --staged -- app.py new.py"))
    # What it says is what he types, and then the commit has his work and hers.
    kit.drained()
    ok(stage.ben, "git reset -q --soft HEAD~1; git restore --staged -- app.py new.py")
    assert stage.ben.sh("git commit -qm his") == (0, "", "")
    assert stage.app.git("show", "--name-only", "--format=") == "ben.py"


def test_a_worktree_whose_branch_was_moved_from_elsewhere(stage: Stage, sister: Callable[..., Sister]) -> None:
    cleo, feat = beside(stage, sister)
    hers = stage.annas({"app.py": HERS, "new.py": "new\n"})
    whole = told(
        f'anna [main] changed app.py and new.py just now ({hers}), on "the parser"',
        "git checkout HEAD -- app.py new.py",
    )
    for move in (
        "git update-ref refs/heads/feat main",
        "git -c receive.denyCurrentBranch=ignore push -q . main:feat",
        f"git -C {feat.path} update-ref HEAD main",
    ):
        # Nothing of it is seen where it happens; she goes on with the files that she has.
        stage.app.git("config", "receive.denyCurrentBranch", "ignore")
        ok(stage.ben, move)
        assert ok(cleo, "echo 2 >ben.py; git commit -qam mine") == whole
        stage.again(feat)
        feat.git("reset", "--quiet", "--hard", "HEAD~1")
    ok(stage.ben, "git update-ref refs/heads/feat main")
    both = f"git show {hers} -- app.py | git apply && git add -- app.py"
    said = ok(
        cleo, "sed -i 's/line 10/line 10, cleos/' app.py; git switch -qc cleos; git add app.py; git commit -qm mine"
    )
    assert said == [
        *whole[:2],
        "  Keep theirs: git checkout HEAD -- new.py",
        f"  Keep both: {both}",
        '  Ask: gitqueen tell anna "..."   Look: gitqueen check',
    ]


def test_head_that_moved_over_the_same_files(stage: Stage, sister: Callable[..., Sister]) -> None:
    cleo, feat = beside(stage, sister)
    ok(cleo, "echo 2 >ben.py; git commit -qam one; echo 3 >ben.py; git commit -qam two")
    hers = stage.annas({"app.py": HERS, "new.py": "new\n"})
    row = f'anna [main] changed app.py and new.py just now ({hers}), on "the parser"'
    whole = told(row, "git checkout HEAD -- app.py new.py")
    # Her two commits shall be one on top of main: so it is said in many places, and so main is undone.
    assert ok(cleo, "git reset -q --soft main; git commit -qm squashed") == whole
    stage.again(feat)
    ok(cleo, "git switch -qc other HEAD~1; git branch later main")
    assert ok(cleo, "git symbolic-ref HEAD refs/heads/later; echo 4 >ben.py; git commit -qam three") == whole


def test_what_an_agent_writes_back_from_memory(stage: Stage) -> None:
    old = stage.app.head
    hers = stage.annas({"app.py": HERS})
    row = f'anna [main] changed app.py just now ({hers}), on "the parser"'
    assert ok(stage.ben, f"git show {old}:app.py >app.py; git commit -qam his") == told(
        f"{row}: your version is older", "git checkout HEAD -- app.py"
    )
    stage.again()
    said = ok(stage.ben, f"mkdir sub; cd sub; git show {old}:app.py >../app.py; git commit -qam his; cd ..")
    assert said[2] == "  Keep theirs: git checkout HEAD -- :/app.py"
    stage.again()
    # With work of his own beside it: the line that is printed has both.
    his = f"git show {old}:app.py | sed 's/line 10/line 10, his/' >app.py; git add app.py"
    both = f"git show {hers} -- app.py | git apply && git add -- app.py"
    ok(stage.ben, his)
    assert stage.ben.sh("gitqueen check")[:2] == (1, f'  app.py  without what anna changed in {hers} ("the parser")\n')
    said = ok(stage.ben, "git commit -qm his")
    assert said == told(f"{row}: your version lacks that", both, command="Keep both")
    stage.again()
    ok(stage.ben, f"{his}; {both}")
    assert stage.ben.sh("git commit -qm his") == (0, "", "")
    assert stage.app.git("show", "HEAD:app.py") + "\n" == HERS.replace("line 10", "line 10, his")
    # From a folder below, too.
    hers = stage.annas({"sub/a.py": HERS})
    ok(stage.anna, "sed -i 's/line 5, hers/line 5, hers again/' sub/a.py; git commit -qam more")
    kit.drained()
    again = stage.app.head[:10]
    said = ok(stage.ben, f"cd sub; git show {hers}:sub/a.py | sed 's/line 10/line 10, his/' >a.py; git commit -qam his")
    both = f"cd ./$(git rev-parse --show-cdup) && git show {again} -- sub/a.py | git apply && git add -- sub/a.py"
    assert said[2] == f"  Keep both: {both}"
    stage.again()
    ok(stage.ben, f"git show {hers}:sub/a.py | sed 's/line 10/line 10, his/' >a.py; {both}")
    assert stage.app.git("diff", "--cached", "--numstat") == "1\t1\tsub/a.py"


def test_what_he_deletes_that_she_just_committed(stage: Stage) -> None:
    hers = stage.annas({"app.py": HERS, "new.py": "new\n"})
    said = ok(stage.ben, "git rm -q app.py new.py; git commit -qm tidy")
    assert said == told(
        f'anna [main] changed app.py and new.py just now ({hers}), on "the parser"',
        "git checkout HEAD -- app.py new.py",
    )
    ok(stage.ben, "git checkout HEAD~1 -- app.py new.py; git commit -qm back")
    kit.drained()
    assert ok(stage.anna, "echo more >>app.py; git commit -qam more") == []
    kit.drained()
    said = ok(stage.ben, "git rm -q app.py; git commit -qm tidy")
    hers = stage.app.git("rev-parse", "HEAD~1")[:10]
    assert said[1] == f'  anna [main] changed app.py just now ({hers}), on "the parser": you delete it'


def test_several_commits_of_several_sisters(stage: Stage, sister: Callable[..., Sister]) -> None:
    cleo, feat = beside(stage, sister)
    start = stage.app.head
    stage.annas({"app.py": HERS})
    hers = stage.annas({"app.py": HERS.replace("hers", "hers again")})
    ok(cleo, "git merge -q main; sed -i 's/line 10/line 10, cleos/' app.py; echo c >old.py; git commit -qam cleos")
    kit.drained()
    cleos = feat.head[:10]
    ok(stage.anna, "git merge -q feat")
    said = ok(stage.ben, f"git checkout -q {start} -- app.py old.py; echo 2 >ben.py; git commit -qam his")
    assert said == [
        "🐝 ⚠ gitqueen: this commit undoes what anna and cleo committed",
        f'  anna [main] changed app.py just now ({hers}), on "the parser": your version is older',
        f'  cleo [feat] changed app.py and old.py just now ({cleos}), on "the logo"',
        "  Keep theirs: git checkout HEAD -- app.py old.py",
        '  Ask: gitqueen tell anna "..."   Look: gitqueen check',
    ]
    stage.again()
    # Without the last one of them only.
    said = ok(
        stage.ben,
        "git checkout -q HEAD^{/again} -- app.py 2>/dev/null || git checkout -q feat~1 -- app.py; git commit -qm x",
    )
    assert said[0] == "🐝 ⚠ gitqueen: this commit undoes what cleo committed"


def test_what_came_by_a_pull_from_a_clone_and_a_module_that_was_left_behind(
    stage: Stage, sister: Callable[..., Sister], repo: Callable[..., Repo]
) -> None:
    part = repo("part", {"p": "1\n"})
    add = f"git -c protocol.file.allow=always submodule --quiet add {part.path} part 2>/dev/null; git commit -qm part"
    ok(stage.ben, add)
    kit.drained()
    clone = kit.install(stage.app.clone("clone"))
    cleo = sister("cleo", clone)
    ok(cleo, "export GITQUEEN_HOOK_LIMIT=60; iam 'the logo'; gitqueen scan")
    part.commit("p 2", {"p": "2\n"})
    update = "git -c protocol.file.allow=always submodule --quiet update --init; git -C part pull -q origin main"
    ok(cleo, f"{update}; echo c >old.py; git commit -qam cleos")
    kit.drained()
    cleos = clone.head[:10]
    # He pulls, which leaves the module where it was; and with it in his commit, all are back at the old one.
    said = ok(stage.ben, f"git pull -q {clone.path} main; echo 2 >ben.py; git commit -qam his")
    row = f'cleo [main] changed part just now ({cleos}), on "the logo": your version is older'
    update = "git restore --staged -- part && git submodule update -- part"
    assert said == told(row, update, "cleo")
    stage.again()
    ok(stage.ben, f"{update.replace('submodule', '-c protocol.file.allow=always submodule --quiet')}; echo 2 >ben.py")
    assert stage.ben.sh("git commit -qam his") == (0, "", "")
    stage.again()
    said = ok(stage.ben, "git checkout -q HEAD~1 -- old.py; git commit -qm his")
    assert said == told(row.replace("part", "old.py"), "git checkout HEAD -- old.py", "cleo")


def test_policy_and_what_is_said_to_be_no_matter(stage: Stage) -> None:
    old = stage.app.head
    stage.app.git("config", "gitqueen.stale-index.policy", "block")
    stage.annas({"app.py": HERS})
    before = stage.app.head
    done = stage.ben.sh(f"git show {old}:app.py >app.py; git commit -qam his")
    assert (done.rc, stage.app.head) == (1, before)
    lines = done.err.splitlines()
    assert lines[0] == "🐝 ✗ gitqueen: commit refused, it undoes what anna committed"
    assert lines[2:] == [
        "  Keep theirs: git checkout HEAD -- app.py",
        '  Ask: gitqueen tell anna "..."   In spite of it: GITQUEEN_SKIP=1 git commit ...',
    ]
    # She is told nothing as long as nothing happened; he may say that it is meant.
    assert [one["body"] for one in kit.mail(stage.anna) if "stale-index" in one["body"]] == []
    [found] = [one for one in kit.open_conflicts(stage.app) if one["type"] == "stale-index"]
    ok(stage.ben, f"gitqueen resolve {found['id']}")
    assert stage.ben.sh("git commit -qam his") == (0, "", "")
    kit.drained()
    assert stage.stale() == []
    stage.again()
    # The facts changed: another path.
    hers = stage.annas({"old.py": "hers\n"})
    done = stage.ben.sh("git rm -q old.py; git commit -qm his")
    assert done.rc == 1 and hers in done.err
    stage.app.git("config", "gitqueen.stale-index.policy", "off")
    assert stage.ben.sh("git commit -qm his") == (0, "", "")
    kit.drained()
    assert [one for one in stage.stale() if "took back" in one] == []


def test_what_is_surely_old_whoever_began_when(stage: Stage, sister: Callable[..., Sister]) -> None:
    # Her client has an index of its own (or writes none): the one that all share stays as it was.
    stage.app.write("app.py", HERS)
    commit = "export GIT_INDEX_FILE=$PWD/.git/annas; git read-tree HEAD; git add app.py; git commit -qm hers"
    ok(stage.anna, f"export GIT_COMMITTER_DATE={LONG_AGO}; {commit}; unset GIT_INDEX_FILE")
    kit.drained()
    _long_ago()
    hers = stage.app.head[:10]
    dora = sister("dora", stage.app)
    ok(dora, "export GITQUEEN_HOOK_LIMIT=60; iam 'the tests'")
    row = f'anna [main] changed app.py {{}} ({hers}), on "the parser": your version is older'
    said = ok(dora, "echo 2 >ben.py; git add ben.py; git commit -qm mine")
    assert [said[0], said[2]] == [told("", "")[0], "  Keep theirs: git restore --staged -- app.py"]
    assert said[1].startswith(f"  {row.split(' {}')[0]}") and said[1].endswith(row.split("{}")[1])
    stage.again()
    # A worktree whose branch was moved before she came: what she adds to its old files is no better.
    old = stage.app.worktree("feat", f"{hers}~1")
    ok(stage.ben, f"git update-ref refs/heads/feat {hers}")
    eve = sister("eve", old)
    ok(eve, "export GITQUEEN_HOOK_LIMIT=60; iam 'the release'")
    said = ok(eve, "sed -i 's/line 10/line 10, mine/' app.py; git commit -qam mine")
    assert said[2] == f"  Keep both: git show {hers} -- app.py | git apply && git add -- app.py"
    # What is no more than an old version of what she found there, she means; so does a person.
    ok(dora, f"git checkout -q {hers}~1 -- app.py")
    assert dora.sh("git commit -qm 'out of it'") == (0, "", "")
    stage.again()
    Runner(stage.app.path)("git", "checkout", "-q", f"{hers}~1", "--", "app.py", check=True)
    assert Runner(stage.app.path)("git", "commit", "-qm", "mine").stderr == ""


def _long_ago() -> None:
    """All that was committed was so before anybody's session began."""
    with sqlite3.connect(os.path.join(os.environ["GITQUEEN_HOME"], "queen.db")) as db:
        db.execute("UPDATE commits SET at = ?", (LONG_AGO,))
    db.close()


def test_past_the_hook_both_are_told_and_it_is_open_until_it_is_back(stage: Stage) -> None:
    old = stage.app.head
    hers = stage.annas({"app.py": HERS, "new.py": "new\n"})
    ok(stage.ben, f"git show {old}:app.py >app.py; git rm -q new.py; git commit --no-verify -qam his")
    kit.drained()
    his = stage.app.head[:10]
    said = f"ben's commit {his} took back what anna committed in {hers}: app.py, new.py"
    [found] = [one for one in kit.open_conflicts(stage.app) if one["type"] == "stale-index"]
    assert (found["severity"], found["sisters"], found["detail"]) == ("danger", ["anna", "ben"], said)
    letter = (
        f"stale-index: {said}\n"
        f"Where: {stage.app.path} (main)\n"
        f"Back:  git checkout {his}^ -- app.py new.py\n"
        f"See: gitqueen conflicts   Done with: gitqueen resolve {found['id']}"
    )
    for one in (stage.anna, stage.ben):
        assert [one["body"] for one in kit.mail(one) if "stale-index" in one["body"]] == [letter]
    # Amended it is the same, and nobody is told twice.
    ok(stage.ben, "git commit -q --amend -m better")
    kit.drained()
    ok(stage.ben, "gitqueen scan")
    assert stage.stale() == [said.replace(his, stage.app.head[:10])]
    assert sum("stale-index" in letter["body"] for letter in kit.mail(stage.anna)) == 1
    # One path is back, and then she says herself what shall become of the other one.
    ok(stage.ben, f"git checkout {his}^ -- app.py; git commit -qm back; gitqueen scan")
    kit.drained()
    assert len(stage.stale()) == 1
    ok(stage.anna, "echo newer >new.py; git add new.py; git commit -qm newer")
    kit.drained()
    ok(stage.anna, "gitqueen scan")
    assert stage.stale() == []


def test_with_all_hooks_passed_by_the_scan_tells(stage: Stage, sister: Callable[..., Sister]) -> None:
    cleo, feat = beside(stage, sister)
    hers = stage.annas({"app.py": HERS})
    ok(cleo, "gitqueen scan")
    stage.app.git("update-ref", "refs/heads/feat", "main")
    ok(cleo, "gitqueen scan; echo 2 >ben.py; git -c core.hooksPath=/dev/null commit -qam mine; gitqueen scan")
    assert stage.stale() == [f"cleo's commit {feat.head[:10]} took back what anna committed in {hers}: app.py"]
    assert sum("stale-index" in letter["body"] for one in (cleo, stage.anna) for letter in kit.mail(one)) == 2


@pytest.mark.needs_newer_git
@pytest.mark.parametrize("refs", ["files", "reftable"])
def test_with_a_newer_git(
    refs: str, newer_git: str, repo: Callable[..., Repo], sister: Callable[..., Sister], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DEFAULT_REF_FORMAT", refs)
    app = kit.install(repo(files=FILES))
    stage = Stage(app, sister("anna", app), sister("ben", app))
    for one in (stage.anna, stage.ben):
        ok(one, "unset GIT_AUTHOR_DATE GIT_COMMITTER_DATE; export GITQUEEN_HOOK_LIMIT=60; iam 'a part of it'")
    old = app.head
    hers = stage.annas({"app.py": HERS})
    row = f'anna [main] changed app.py just now ({hers}), on "a part of it": your version is older'
    said = ok(stage.ben, f"git show {old}:app.py >app.py; git commit -qam his")
    assert said == told(row, "git checkout HEAD -- app.py")
    kit.drained()
    assert stage.stale() == [f"ben's commit {app.head[:10]} took back what anna committed in {hers}: app.py"]
    ok(stage.ben, "git reset -q --hard HEAD~1; gitqueen scan; git revert --no-commit HEAD; git commit -qm meant")
    kit.drained()
    ok(stage.ben, "gitqueen scan")
    assert stage.stale() == []


def test_who_runs_into_nobody_pays_nothing(stage: Stage) -> None:
    """Commits of paths that nobody else committed to: nothing more is imported, and git is asked nothing more."""
    stage.annas({"app.py": HERS})
    debug = "GITQUEEN_DEBUG=1 git commit -qm his 2>&1 | grep ' ms '"

    def asked(command: str) -> list[str]:
        said = stage.ben.sh(f"{command}; git add -A; {debug}").out
        kit.drained()
        return [" ".join(line.split(" git  ")[1].split()[:2]) for line in said.splitlines() if " git  " in line]

    quiet = asked("echo 2 >ben.py")
    loud = asked("sed -i 's/line 10/line 10, his/' app.py")
    assert [one for one in quiet if "log" in one] == [] and "--literal-pathspecs log" in loud
    stage.app.git("config", "gitqueen.stale-index.policy", "off")
    assert sorted(asked("echo 3 >ben.py")) == sorted(quiet)


def test_who_was_warned_is_told_once_and_she_whose_it_was_when_it_happened(stage: Stage) -> None:
    old = stage.app.head
    stage.annas({"app.py": HERS})
    his = "git show {}:app.py | sed 's/line 10/line 10, his/' >app.py; git commit -qam his"
    assert len(ok(stage.ben, his.format(old))) == 4
    kit.drained()
    assert [one["body"] for one in kit.mail(stage.ben) if "stale-index" in one["body"]] == []
    [letter] = [one["body"].splitlines() for one in kit.mail(stage.anna) if "stale-index" in one["body"]]
    assert letter[2] == f"Back:  git show {stage.app.git('rev-parse', 'HEAD~1')[:10]} -- app.py | git apply"
    ok(stage.anna, letter[2].removeprefix("Back:  "))
    assert stage.app.git("diff", "HEAD~1", "--numstat") == "1\t1\tapp.py"
    ok(stage.anna, "git commit -qam 'mine again'; gitqueen scan")
    kit.drained()
    assert stage.stale() == []
    # She whose session is over gets no more letters; he is told all the same, and it is nobody's to settle.
    old = stage.app.head
    hers = stage.annas({"old.py": "hers\n"})
    written = len(kit.mail(stage.ben))
    stage.anna.kill()
    ok(stage.ben, f"git show {old}:old.py >old.py; git commit -q --no-verify -am his")
    kit.drained()
    [last] = kit.mail(stage.ben)[written:]
    assert last["body"].startswith(
        f"stale-index: ben's commit {stage.app.head[:10]} took back what anna committed in {hers}"
    )
    ok(stage.ben, "gitqueen scan")
    assert stage.stale() == []
