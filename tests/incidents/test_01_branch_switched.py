"""INCIDENTS 1: B switched the branch of a shared checkout, and A went on believing that she was on her own branch."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable

from tests.hive import Repo, Sister
from tests.hooks import kit


def play(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> tuple[Repo, Sister, Sister]:
    app = kit.install(repo(files={"a": "1\n"}))
    app.git("branch", "feature/x")
    anna, ben = sister("anna", app), sister("ben", app)
    anna.sh("iam 'mending the login'")
    ben.sh("iam 'writing the guide'; gitqueen scan")
    kit.no_scan_due()
    return app, anna, ben


def switched(app: Repo) -> list[dict[str, object]]:
    found = [one for one in kit.open_conflicts(app) if one["type"] == "branch-switched"]
    return [{key: one[key] for key in ("sisters", "severity", "detail")} for one in found]


def age(app: Repo, seconds: float) -> None:
    """HEAD moved so long ago that no hook will tell of it any more."""
    head = app.path / ".git" / "HEAD"
    os.utime(head, (time.time() - seconds,) * 2)


def test_who_switches_is_warned_and_who_was_switched_hears_how_to_get_back(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app, anna, ben = play(repo, sister)
    # At the switch: who works here, on what, and how to undo it.
    done = ben.sh("git switch -q feature/x")
    assert done.err.splitlines() == [
        "🐝 ⚠ gitqueen: you switched the branch under anna",
        '  anna works on "mending the login", was on main',
        "  Back: git switch main   She was told by mail.",
    ]
    # In the book.
    assert switched(app) == [
        {
            "sisters": ["anna", "ben"],
            "severity": "warning",
            "detail": f"ben moved {app.path} from main to feature/x under anna",
        }
    ]
    [seen] = [one for one in kit.events(app, "conflict-seen") if one["detail"]["type"] == "branch-switched"]
    assert (seen["sister"], seen["detail"]["sisters"]) == ("anna", ["anna", "ben"])
    # She: by whom, when, from what to what, how to get back.
    [letter] = [one for one in kit.mail(anna) if one["priority"] == "urgent"]
    assert letter["from"] == "queen"
    assert re.sub(r"at \S+Z:", "at <time>:", letter["body"]) == (
        f"ben switched the branch under you at <time>: {app.path} was on main, is on feature/x now.\n"
        'Back:  git switch main   (ask first: gitqueen tell ben "...")\n'
        f"Apart: git worktree add {app.path}-anna main"
    )
    assert [one for one in kit.mail(ben) if one["priority"] == "urgent"] == []
    # A look around does not see it move a second time, nor close it.
    ben.sh("gitqueen scan")
    assert len(switched(app)) == 1
    # A second switch is the same story: she was on main.
    assert "anna works on" in ben.sh("git switch -qc other").err
    assert [one["detail"] for one in switched(app)] == [f"ben moved {app.path} from main to other under anna"]
    # Back: it is over, and nobody is accused of switching back.
    assert ben.sh("git switch -q main").err == "🐝 gitqueen: anna is back on main\n"
    assert switched(app) == []
    assert len([one for one in kit.mail(anna) if one["priority"] == "urgent"]) == 1


def test_she_who_goes_back_herself_is_back(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    app, anna, ben = play(repo, sister)
    ben.sh("git switch -q feature/x")
    said = anna.sh("git switch -q main").err
    # For ben it is no switch under him: he was on main when he came, and is again.
    assert "anna is back" not in said
    assert [one["sisters"] for one in switched(app) if one["sisters"] == ["anna", "ben"]] in ([], [["anna", "ben"]])
    ben.sh("gitqueen scan")
    assert [one for one in switched(app) if "under anna" in str(one["detail"])] == []


def test_detaching_is_switching_and_rebasing_is_not(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    app, anna, ben = play(repo, sister)
    assert ben.sh("git checkout -q --detach").err.splitlines() == [
        "🐝 ⚠ gitqueen: you switched the branch under anna",
        '  anna works on "mending the login", was on main',
        "  Back: git switch main   She was told by mail.",
    ]
    assert ben.sh("git switch -q main").err == "🐝 gitqueen: anna is back on main\n"
    app.git("-c", "core.hooksPath=/dev/null", "commit", "--allow-empty", "-qm", "one")
    assert ben.sh("git rebase -q --no-ff HEAD~1").err == ""
    ben.sh("gitqueen scan; gitqueen scan")
    assert switched(app) == []
    # One that stops on the way, and is looked at there.
    assert ben.sh("git -c core.editor=true rebase -q --no-ff --exec false HEAD~1 2>/dev/null").rc == 1
    age(app, 60)
    ben.sh("gitqueen scan")
    kit.no_scan_due()
    assert [one for one in switched(app) if one["severity"] != "info"] == []
    assert ben.sh("git rebase --continue >/dev/null 2>&1; git rev-parse --abbrev-ref HEAD").out == "main\n"
    age(app, 60)
    ben.sh("gitqueen scan; gitqueen scan")
    assert switched(app) == []
    letters = [one for one in kit.mail(anna) if "switched the branch" in one["body"]]
    assert len(letters) == 1  # of the detaching alone


def test_a_switch_by_nobody_known_is_told_too(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    _, anna, ben = play(repo, sister)
    nobody = "env -u GITQUEEN_NAME -u GITQUEEN_PID"
    said = ben.sh(f"{nobody} setsid --wait --fork git switch -q feature/x").err
    assert "you switched the branch under" in said
    [letter] = [one for one in kit.mail(anna) if one["priority"] == "urgent"]
    assert letter["body"].startswith(("somebody unknown switched", "ben switched"))


def test_policy_off_is_silent_and_a_checkout_of_files_is_no_switch(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app, anna, ben = play(repo, sister)
    assert ben.sh("echo 2 >a; git checkout -q -- a; git switch -q main") == (0, "", "")
    app.git("config", "gitqueen.branch-switched.policy", "off")
    assert ben.sh("git switch -q feature/x") == (0, "", "")
    assert switched(app) == []
    assert [one["body"] for one in kit.mail(anna) if "switched" in one["body"]] == []
