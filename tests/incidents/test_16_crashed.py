"""INCIDENTS 16: crashed sessions left names and claims for ever. They are given back after a grace, and it is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.hive import Repo, Sister


def claims(zoe: Sister) -> dict[str, str]:
    return {one["id"]: one["owner"] for one in json.loads(zoe.sh("gitqueen claims --json").out)["claims"]}


def history(zoe: Sister, name: str) -> list[str]:
    found: list[dict[str, Any]] = json.loads(zoe.sh(f"gitqueen history --json --sister {name}").out)["events"]
    return sorted(str(one["kind"]) for one in found)


def test_what_a_crashed_sister_held_is_given_back_after_the_grace_and_the_rest_stays_hers(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = repo()
    iza, zoe = sister("iza", app), sister("zoe", app)
    iza.sh("iam 'shipping'; gitqueen claim deploy; gitqueen claim api --path 'src/**'")
    zoe.sh('gitqueen tell iza "are you there?"')
    iza.kill()
    zoe.sh("gitqueen scan")
    # Within the grace her claims stand: she may come back.
    assert claims(zoe) == {"deploy": "iza", "api": "iza"}
    assert zoe.sh("gitqueen claim deploy").rc == 1
    assert [one["name"] for one in json.loads(zoe.sh("gitqueen status --json").out)["sisters"]] == ["zoe"]
    zoe.sh("git config --global gitqueen.grace 0s; gitqueen scan")
    assert claims(zoe) == {}
    assert zoe.sh("gitqueen claim deploy").rc == 0
    assert history(zoe, "iza") == ["arrived", "claimed", "claimed", "declared", "died", "given-back", "given-back"]
    # Mail and history wait for whoever takes up the name.
    again = sister("iza", app)
    assert "are you there?" in again.sh("gitqueen inbox").out
    assert again.sh("gitqueen release deploy").rc == 1


def test_a_crashed_agent_that_is_resumed_within_the_grace_goes_on_as_she_was(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = repo()
    session = {"CLAUDE_CODE_SESSION_ID": "7c693db1"}
    first, zoe = sister("", app, program="claude", declared=False, env=session), sister("zoe", app)
    first.sh("gitqueen claim deploy")
    first.kill()
    zoe.sh("gitqueen scan; gitqueen tell keeper-1 'welcome back'")
    again = sister("", app, program="claude", declared=False, env=session)
    assert "welcome back" in again.sh("gitqueen inbox").out
    zoe.sh("git config --global gitqueen.grace 0s; gitqueen scan")
    assert claims(zoe) == {"deploy": "keeper-1"}
    assert again.sh("gitqueen release deploy").rc == 0


def test_crash_after_crash_leaves_no_names_behind(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    app, zoe = repo(), sister("zoe")
    for _ in range(5):
        crashed = [sister("", app, program="claude", declared=False) for _ in range(2)]
        names = {json.loads(one.sh("gitqueen whoami --json").out)["sister"]["name"] for one in crashed}
        assert names == {"keeper-1", "keeper-2"}
        for one in crashed:
            one.kill()
    assert zoe.sh("gitqueen scan").rc == 0
    assert [one["name"] for one in json.loads(zoe.sh("gitqueen status --json").out)["sisters"]] == ["zoe"]
