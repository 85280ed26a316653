"""Hooks that were disarmed are seen, mended where that is safe, and else said; `--global` arms what is seen."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hive import Repo, Runner, Sister

EVENTS = ("pre-commit", "post-checkout", "post-commit", "post-merge", "post-rewrite")


def events(run: Runner, *kinds: str) -> list[dict[str, Any]]:
    """The events of these kinds, the latest last."""
    said = json.loads(run("gitqueen", "history", "-n", "500", "--json", check=True).stdout)
    return [event for event in said["events"] if event["kind"] in kinds]


def armed(run: Runner, place: os.PathLike[str]) -> dict[str, bool]:
    said = json.loads(run("gitqueen", "hooks", "status", place, "--json").stdout)
    return {event["event"]: event["armed"] for event in said["repos"][0]["events"]}


@pytest.fixture
def app(repo: Callable[..., Repo], run: Runner) -> Repo:
    made = repo()
    run("gitqueen", "hooks", "install", made, check=True)
    return made


@pytest.mark.parametrize("event", EVENTS)
def test_a_deleted_hook_is_there_again_after_a_scan(
    app: Repo, run: Runner, sister: Callable[..., Sister], event: str
) -> None:
    iza = sister("iza-1", app)
    # A scan at once: the one that her arrival starts beside would mend before we look.
    iza.sh("iam 'the parser'; gitqueen scan")
    hook = app.path / ".git" / "hooks" / event
    text = hook.read_bytes()
    hook.unlink()
    assert armed(run, app)[event] is False
    assert run("gitqueen", "scan").returncode == 0
    assert hook.read_bytes() == text
    assert all(armed(run, app).values())
    lost, found = events(run, "disarmed", "rearmed")
    assert (lost["kind"], found["kind"]) == ("disarmed", "rearmed")
    # Alone in the worktree: it was she.
    assert lost["sister"] == "iza-1"
    assert lost["detail"]["what"] == f"{event}: it is not installed"
    assert lost["detail"]["worktree"] == str(app.path)
    # Nothing changed since: nothing is told again.
    run("gitqueen", "scan", check=True)
    assert len(events(run, "disarmed", "rearmed")) == 2


def test_of_several_in_a_worktree_nobody_is_accused(app: Repo, run: Runner, sister: Callable[..., Sister]) -> None:
    for name in ("iza-1", "iza-2"):
        sister(name, app).sh(f"iam 'part of {name}'; gitqueen scan")
    (app.path / ".git" / "hooks" / "pre-commit").unlink()
    run("gitqueen", "scan", check=True)
    assert [event["sister"] for event in events(run, "disarmed")] == [None]


def test_switched_off_by_core_hookspath_is_said_once_to_those_who_rely_on_it(
    app: Repo, run: Runner, sister: Callable[..., Sister]
) -> None:
    """INCIDENTS 14: an agent disables all hooks with core.hooksPath=/dev/null."""
    iza = sister("iza-1", app)
    iza.sh("iam 'the parser'; git config core.hooksPath /dev/null; gitqueen scan; gitqueen scan")
    status = run("gitqueen", "hooks", "status", app)
    assert status.returncode == 1
    assert "/dev/null" in status.stdout
    (lost,) = events(run, "disarmed")
    assert "/dev/null is no folder" in lost["detail"]["what"]
    assert lost["detail"]["when"].endswith("Z")
    inbox = json.loads(iza.sh("gitqueen inbox --json").out)["messages"]
    (letter,) = [one for one in inbox if "no longer fire" in one["body"]]
    assert letter["from"] == "queen"
    doctor = json.loads(run("gitqueen", "doctor", "--json", cwd=app).stdout)["checks"]
    (check,) = [one for one in doctor if one["name"] == "hooks"]
    assert check["ok"] is False
    assert "/dev/null" in check["detail"]
    # Their core.hooksPath is theirs: it is never changed. When it is gone, all is well again.
    assert app.git("config", "core.hooksPath") == "/dev/null"
    iza.sh("git config --unset core.hooksPath; gitqueen scan")
    assert run("gitqueen", "hooks", "status", app).returncode == 0
    doctor = json.loads(run("gitqueen", "doctor", "--json", cwd=app).stdout)["checks"]
    assert all(one["ok"] for one in doctor if one["name"] == "hooks")


def test_a_hook_that_somebody_wrote_over_gets_our_block(app: Repo, run: Runner) -> None:
    hook = app.path / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\necho theirs\n")
    run("gitqueen", "scan", check=True)
    text = hook.read_text()
    assert text.startswith("#!/bin/sh\n# >>> gitqueen >>> pre-commit")
    assert text.endswith("# <<< gitqueen <<<\necho theirs\n")
    done = run("git", "commit", "--allow-empty", "-qm", "two", cwd=app, check=True)
    assert (done.stdout + done.stderr).splitlines().count("theirs") == 1


def test_global_arms_what_is_seen_and_leaves_alone_what_said_no(
    repo: Callable[..., Repo], run: Runner, sister: Callable[..., Sister]
) -> None:
    before, never, after = repo("before"), repo("never"), repo("after")
    never.git("config", "gitqueen.enabled", "false")
    sister("iza-1", before).sh("iam 'the parser'; gitqueen scan")
    asked = run("gitqueen", "hooks", "install", "--global")
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "hooks install --global --yes" in asked.stderr
    assert not any(armed(run, before).values())
    run("gitqueen", "hooks", "install", "--global", "--yes", check=True)
    assert all(armed(run, before).values())
    sister("iza-2", never).sh("iam 'the manual'")
    sister("iza-3", after).sh("iam 'the tests'")
    run("gitqueen", "scan", check=True)
    assert all(armed(run, after).values())
    assert os.listdir(after.path / ".git" / "gitqueen" / "live")
    assert not any(armed(run, never).values())
    assert not (never.path / ".git" / "gitqueen").exists()
    # Taken out by name, it does not come back; what --global armed goes with it, what was armed by name stays.
    run("gitqueen", "hooks", "uninstall", before, check=True)
    named = repo("named")
    run("gitqueen", "hooks", "install", named, check=True)
    run("gitqueen", "scan", check=True)
    assert not any(armed(run, before).values())
    run("gitqueen", "hooks", "uninstall", "--global", check=True)
    run("gitqueen", "scan", check=True)
    assert [any(armed(run, one).values()) for one in (before, after, named)] == [False, False, True]


def test_an_unmanaged_repository_is_never_touched(
    repo: Callable[..., Repo], run: Runner, sister: Callable[..., Sister]
) -> None:
    """INCIDENTS 13: a guard in repositories it was never given."""
    app = repo()
    hooks = sorted(os.listdir(app.path / ".git" / "hooks"))
    iza = sister("iza-1", app)
    iza.sh(
        "iam 'the parser'; gitqueen claim p --path a; gitqueen scan; gitqueen status; git commit -q --allow-empty -m x"
    )
    assert sorted(os.listdir(app.path / ".git" / "hooks")) == hooks
    assert not (app.path / ".git" / "gitqueen").exists()
    assert app.git("for-each-ref", "refs/gitqueen", "refs/notes") == ""


def test_a_repository_that_vanished_breaks_no_scan(app: Repo, run: Runner, tmp_path: Path) -> None:
    app.path.rename(tmp_path / "elsewhere")
    assert run("gitqueen", "scan").returncode == 0
    assert run("gitqueen", "hooks", "status").returncode == 0
