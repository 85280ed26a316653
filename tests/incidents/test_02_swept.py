"""Incident 2: `git add -A` and a commit take another session's files along, tracked and untracked."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.doors.kit import Session, refusal, warning
from tests.hive import Repo
from tests.hooks import kit


def shared(repo: Callable[..., Repo], session: Callable[..., Session]) -> tuple[Repo, Session, Session]:
    """Ada and Bob in one checkout: she wrote app.py and a new file, he wrote his own."""
    app = repo("app", {"app.py": "1\n", "bob.py": "1\n"})
    kit.install(app)
    ada, bob = session(app, "ada"), session(app, "bob")
    ada.start()
    bob.start()
    ada.sister.sh('iam "the parser"')
    ada.edits("app.py", "hers\n")
    ada.edits("new/notes.txt", "hers\n")
    bob.edits("bob.py", "his\n")
    return app, ada, bob


def test_the_command_is_foreseen(repo: Callable[..., Repo], session: Callable[..., Session]) -> None:
    _, _, bob = shared(repo, session)
    for line in ("git add -A", "cd new && git add ..", "sh -c 'git add --all .'", "git add . && git commit -m x"):
        said = warning(bob.command(line)).split("\n")
        assert said[0] == "🐝 gitqueen: careful with this command:"
        assert said[1].endswith("would take uncommitted work of other sisters into your commit:")
        assert said[2] == '  ada (on "the parser"): app.py, new/notes.txt'
        assert said[3] == '  Instead: git add -- bob.py   or ask first: gitqueen tell ada "..."'
    said = warning(bob.command("git commit -am x")).split("\n")
    assert said[2:] == [
        '  ada (on "the parser"): app.py',  # what git does not know `commit -a` leaves alone
        '  Instead: git commit --only -- bob.py   or ask first: gitqueen tell ada "..."',
    ]
    assert bob.command("git add bob.py && git commit -m mine") == {}


def test_the_commit_names_each_path_and_whose_it_is(repo: Callable[..., Repo], session: Callable[..., Session]) -> None:
    app, ada, bob = shared(repo, session)
    done = bob.sister.sh("git add -A && git commit -qm all")
    assert done.rc == 0
    assert done.err == (
        "🐝 ⚠ gitqueen: this commit collides with ada\n"
        '  ada [main] wrote app.py and new/notes.txt in this worktree just now, uncommitted, on "the parser"\n'
        "  Without hers: git restore --staged -- app.py new/notes.txt   or: git commit --only -- bob.py\n"
        '  Ask: gitqueen tell ada "..."   Look: gitqueen check\n'
    )
    letters = json.loads(ada.sister.sh("gitqueen inbox --json").out)["messages"]
    swept = [one["body"].split("\n")[0] for one in letters if one["body"].startswith("swept-work")]
    where = "written by ada in this worktree and not committed"
    assert swept == [f'swept-work: bob commits app.py, new/notes.txt, {where} (on main, "the parser")']
    told = json.loads(ada.sister.sh("gitqueen conflicts --all --json").out)["conflicts"]
    assert [(one["type"], one["sisters"], one["severity"]) for one in told if one["type"] == "swept-work"] == [
        ("swept-work", ["ada", "bob"], "warning")
    ]
    assert app.git("show", "--name-only", "--format=") == "app.py\nbob.py\nnew/notes.txt"


def test_every_way_to_commit_that_takes_hers(repo: Callable[..., Repo], session: Callable[..., Session]) -> None:
    app, _, bob = shared(repo, session)
    tracked = '  ada [main] wrote app.py in this worktree just now, uncommitted, on "the parser"'
    new = tracked.replace("app.py", "new/notes.txt")
    both = tracked.replace("app.py", "app.py and new/notes.txt")
    app.git("config", "gitqueen.swept-work.policy", "block")  # each of them is only tried
    for command, row in (
        ("git commit -qam all", tracked),
        ("git add -u; git commit -qm all; git reset -q", tracked),
        ("git add new bob.py; git commit -qm dir; git reset -q", new),
        ("git add -N new; git commit -qm dir new bob.py; git reset -q", new),
        ("git commit -qm named app.py bob.py", tracked),
        ("git add -A; git commit -qm all; git reset -q", both),
        ("git add --all :/; git commit -q --amend --no-edit; git reset -q", both),
        ("git stage .; git commit -qm all; git reset -q", both),
    ):
        done = bob.sister.sh(command)
        assert row in done.err.split("\n"), command
    assert app.git("log", "--format=%s") == "first"
    # What he names is his: she is left out.
    assert bob.sister.sh("git commit -qm his bob.py") == (0, "", "")


def swept(app: Repo) -> list[tuple[str, list[str], str]]:
    found = [one for one in kit.open_conflicts(app) if one["type"] == "swept-work"]
    return [(one["severity"], one["sisters"], one["detail"]) for one in found]


def told(one: Session) -> list[str]:
    return [letter["body"].split("\n")[0] for letter in kit.mail(one.sister) if letter["body"].startswith("swept-work")]


def test_past_the_hook_both_are_told_when_it_is_done(
    repo: Callable[..., Repo], session: Callable[..., Session]
) -> None:
    app, ada, bob = shared(repo, session)
    assert bob.sister.sh("git add -A && git commit -q --no-verify -m all") == (0, "", "")
    # What she wrote after it is in no commit; what he wrote himself is nobody else's.
    ada.edits("after.txt", "hers\n")
    kit.drained()
    said = (
        'bob commits app.py, new/notes.txt, written by ada in this worktree and not committed (on main, "the parser")'
    )
    assert swept(app) == [("warning", ["ada", "bob"], said)]
    assert (told(ada), told(bob)) == ([f"swept-work: {said}"], [f"swept-work: {said}"])
    # It is in a commit for good; it is over when she has read of it.
    ada.sister.sh("gitqueen scan")
    assert len(swept(app)) == 1
    ada.sister.sh("gitqueen inbox")
    ada.sister.sh("gitqueen scan")
    assert swept(app) == []


def test_through_a_stash_it_is_hers_all_the_same(repo: Callable[..., Repo], session: Callable[..., Session]) -> None:
    app, ada, bob = shared(repo, session)
    line = "git stash -qu && git stash apply -q && git add -A && git commit -q --no-verify -m all"
    assert bob.sister.sh(line).rc == 0
    kit.drained()
    assert [(sisters, said.split(",")[0]) for _, sisters, said in swept(app)] == [
        (["ada", "bob"], "bob commits app.py")
    ]
    assert len(told(ada)) == 1


def test_with_policy_block_it_is_refused_and_the_lines_that_mend_it_work(
    repo: Callable[..., Repo], session: Callable[..., Session]
) -> None:
    app, _, bob = shared(repo, session)
    app.git("config", "gitqueen.swept-work.policy", "block")
    assert "Instead: git add -- bob.py" in refusal(bob.command("git add -A"))
    bob.sister.sh("git add -A")
    before = app.head
    done = bob.sister.sh("git commit -qm all")
    assert (done.rc, app.head) == (1, before)
    assert "✗ gitqueen: commit refused, it collides with ada" in done.err
    mends = next(line for line in done.err.split("\n") if "Without hers: " in line)
    unstage, only = mends.removeprefix("  Without hers: ").split("   or: ")
    assert bob.sister.sh(f"{only} -qm mine").rc == 1  # options come before --
    assert bob.sister.sh(only.replace("--only", "-qm mine --only")) == (0, "", "")
    assert app.git("show", "--name-only", "--format=") == "bob.py"
    assert bob.sister.sh(unstage).rc == 0
    assert app.git("status", "--porcelain") == " M app.py\n?? new/"


def test_what_is_her_own_sweeps_nobodys(repo: Callable[..., Repo], session: Callable[..., Session]) -> None:
    app, ada, bob = shared(repo, session)
    assert bob.sister.sh("git add bob.py && git commit -qm his") == (0, "", "")
    assert ada.sister.sh("git add app.py new && git commit -qm hers") == (0, "", "")
    # What she committed is nobody's any more, and his to change.
    assert bob.edits("app.py", "his now\n") == {}
    assert bob.sister.sh("git commit -qam 'his again'") == (0, "", "")
    assert app.git("status", "--porcelain") == ""


def test_below_the_top_the_mend_is_written_from_the_top(
    repo: Callable[..., Repo], session: Callable[..., Session]
) -> None:
    _, _, bob = shared(repo, session)
    done = bob.sister.sh("cd new && git add -A .. && git commit -qm all")
    assert "git restore --staged -- :/app.py :/new/notes.txt" in done.err


def test_check_knows_it_too(repo: Callable[..., Repo], session: Callable[..., Session]) -> None:
    _, _, bob = shared(repo, session)
    done = bob.sister.sh("gitqueen check app.py bob.py --json")
    assert done.rc == 1
    assert [(one["path"], one["sister"], one["verdict"]) for one in json.loads(done.out)["collisions"]] == [
        ("app.py", "ada", "swept")
    ]
