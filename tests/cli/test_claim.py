"""claim, release and claims as people and programs use them: whole output, exit codes, real processes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.kit import AT, sql, timeless, told
from tests.hive import Repo, Runner, Sister


def held(home: Path) -> list[tuple[object, ...]]:
    if not home.exists():
        return []
    return sql(home, "SELECT id, owner FROM claims WHERE released_at IS NULL ORDER BY id")


def test_one_holds_it_and_the_other_is_told_who_since_when_and_why(two: tuple[Sister, Sister]) -> None:
    one, other = two
    assert one.sh("gitqueen claim deploy -m 'rolling out'") == (0, "✓ deploy is yours\n", "")
    assert told(other.sh("gitqueen claim deploy")) == (
        1,
        "",
        (
            f"gitqueen: deploy is held by iza-1 since {AT} (just now): rolling out\n"
            '  → wait for it: --wait 60; or ask her: gitqueen tell iza-1 "..."\n'
        ),
    )
    assert other.sh("gitqueen claims").out == "  deploy  iza-1  just now\n      rolling out\n"
    assert other.sh("gitqueen release deploy") == (
        1,
        "",
        (
            "gitqueen: deploy is held by iza-1, not by iza-2\n"
            '  → ask her: gitqueen tell iza-1 "..."; or take it from her: gitqueen release deploy --force\n'
        ),
    )
    assert one.sh("gitqueen release deploy") == (0, "✓ deploy is free\n", "")
    assert other.sh("gitqueen claim deploy") == (0, "✓ deploy is yours\n", "")


def test_the_json_of_all_three(two: tuple[Sister, Sister], app: Repo) -> None:
    one, other = two
    claim = {
        "id": "db",
        "owner": "iza-1",
        "description": "migrating",
        "paths": ["db/**", "*.sql"],
        "repo": str(app.path),
        "claimed_at": AT,
        "expires_at": AT,
    }
    taken = one.sh("gitqueen claim db -m migrating --path 'db/**' --path '*.sql' --path '*.sql' --ttl 2h --json")
    assert (taken.rc, json.loads(timeless(taken.out))) == (0, {"schema": 1, "claim": claim})
    refused = other.sh("gitqueen claim db --json")
    assert (refused.rc, json.loads(timeless(refused.out)), refused.err) == (
        1,
        {
            "schema": 1,
            "error": {
                "code": "held",
                "message": f"db is held by iza-1 on db/** *.sql since {AT} (just now): migrating",
                "hint": "--wait SECONDS waits for it",
            },
            "held_by": claim,
        },
        "",
    )
    assert json.loads(timeless(other.sh("gitqueen claims --json").out)) == {"schema": 1, "claims": [claim]}
    assert json.loads(timeless(one.sh("gitqueen release db --json").out)) == {"schema": 1, "claim": claim}
    assert json.loads(other.sh("gitqueen claims --json").out) == {"schema": 1, "claims": []}
    everything = json.loads(timeless(other.sh("gitqueen claims --all --json").out))
    assert everything == {"schema": 1, "claims": [{**claim, "released_at": AT}]}


def test_the_list_for_people(two: tuple[Sister, Sister], app: Repo) -> None:
    one, other = two
    assert other.sh("gitqueen claims").out == 'no claims   (take one: gitqueen claim deploy -m "why")\n'
    assert one.sh("gitqueen claim db --path '*.sql' --ttl 1h && gitqueen claim deploy -m why").rc == 0
    assert other.sh("gitqueen claim relay && gitqueen release relay").rc == 0
    assert timeless(other.sh("gitqueen claims --all").out).splitlines() == [
        f"  db      iza-1  just now  until {AT}",
        f"      *.sql   in {app.path}",
        "  deploy  iza-1  just now",
        "      why",
        f"  relay   iza-2  just now  released {AT}",
    ]


def test_the_same_again_renews(two: tuple[Sister, Sister], home: Path) -> None:
    one = two[0]
    assert one.sh("gitqueen claim deploy -m first --ttl 1h").rc == 0
    before = json.loads(one.sh("gitqueen claims --json").out)["claims"][0]
    assert told(one.sh("gitqueen claim deploy --ttl 5h")) == (0, f"✓ deploy is still yours until {AT}\n", "")
    after = json.loads(one.sh("gitqueen claims --json").out)["claims"][0]
    assert after["expires_at"] > before["expires_at"]
    assert {**after, "expires_at": None} == {**before, "expires_at": None}
    assert one.sh("gitqueen claim deploy -m second").rc == 0
    assert json.loads(one.sh("gitqueen claims --json").out)["claims"] == [{**after, "description": "second"}]


@pytest.mark.parametrize(
    ("folder", "mine", "hers", "rc"),
    [
        (".", "src/**", "src/a.py", 1),
        (".", "src/", "src/deep/*.py", 1),
        (".", "src/**", "docs/**", 0),
        (".", "*.py", "src/**", 1),
        ("src", "a.py", "src/a.py", 1),
        ("src", "a.py", "docs/a.py", 0),
        ("src", "./a.py", "src/a.py", 1),
        ("src", ".", "src/new.py", 1),
        ("src", "../docs/", "docs/x.md", 1),
        ("src", "/docs/", "docs/x.md", 1),
        (".", "**", "anything", 1),
        (".", "src/[ab].py", "src/?.py", 1),
        (".", "src/[ab].py", "src/c.py", 0),
        (".", "'-x y'", "'*y'", 1),
    ],
)
def test_paths_that_overlap_exclude_each_other(
    two: tuple[Sister, Sister], folder: str, mine: str, hers: str, rc: int
) -> None:
    one, other = two
    assert one.sh(f"cd {folder} && gitqueen claim mine --path={mine}").rc == 0
    done = other.sh(f"gitqueen claim hers --path={hers}")
    assert done.rc == rc, done
    if rc:
        assert "gitqueen: mine is held by iza-1 on " in done.err
    assert one.sh("cd $(git rev-parse --show-toplevel) && gitqueen claim more --path='**'").rc == (0 if rc else 1)


def test_paths_belong_to_one_repository_and_its_worktrees(
    two: tuple[Sister, Sister], sister: Callable[..., Sister], repo: Callable[..., Repo], app: Repo
) -> None:
    assert two[0].sh("gitqueen claim all-of-it --path '**'") == (0, "✓ all-of-it is yours on **\n", "")
    assert sister("beside", app.worktree("topic")).sh("gitqueen claim x --path README").rc == 1
    assert sister("far", repo("other")).sh("gitqueen claim x --path README").rc == 0


@pytest.mark.parametrize("glob", ["''", "'!x'", "../out", "'src/[z-a'", "'x\\'", "/"])
def test_globs_out_of_form(two: tuple[Sister, Sister], home: Path, glob: str) -> None:
    done = two[0].sh(f"gitqueen claim x --path {glob}")
    assert (done.rc, done.out) == (2, "")
    assert done.err.startswith("gitqueen: ") and "  → paths of this repository" in done.err
    assert held(home) == []


def test_paths_of_no_repository(sister: Callable[..., Sister]) -> None:
    assert sister("iza-1").sh("cd /; gitqueen claim x --path y") == (
        4,
        "",
        "gitqueen: '/' is in no git repository\n  → cd into the one you work in\n",
    )
    assert sister("iza-1").sh("cd /; gitqueen claim x").rc == 0


def test_paths_with_any_byte(two: tuple[Sister, Sister]) -> None:
    one, other = two
    assert one.sh("gitqueen claim mine --path \"$(printf 'a\\nb\\351\\033')\"").rc == 0
    assert other.sh("gitqueen claim hers --path \"$(printf 'a\\nb\\351\\033')\"").rc == 1
    assert "a\\nb\\xe9\\x1b" in other.sh("gitqueen claims").out
    assert json.loads(other.sh("gitqueen claims --json").out)["claims"][0]["paths"] == ["a\nb\udce9\x1b"]


@pytest.mark.parametrize("name", ["''", "'a b'", "a/b", "x..y", "x.lock", "queen", "all", "repo", "é", "x" * 101])
def test_ids_out_of_form(two: tuple[Sister, Sister], home: Path, name: str) -> None:
    for command in ("claim", "release"):
        done = two[0].sh(f"gitqueen {command} {name}")
        assert (done.rc, done.out) == (2, "")
        assert done.err.startswith("gitqueen: ")
    assert held(home) == []


@pytest.mark.parametrize("time_", ["0", "-5", "2x", "soon", "''", "nan", "1h-", "99999999d"])
def test_times_out_of_form(two: tuple[Sister, Sister], home: Path, time_: str) -> None:
    done = two[0].sh(f"gitqueen claim deploy --ttl={time_}")
    assert (done.rc, done.out) == (2, "")
    assert done.err.startswith("gitqueen: ")
    assert held(home) == []


def test_words_without_dashes_are_no_command(two: tuple[Sister, Sister], app: Repo) -> None:
    assert two[0].sh("gitqueen claim deploy touch ran").rc == 2
    assert two[0].sh("gitqueen claim deploy --").rc == 2
    assert not (app.path / "ran").exists()


def test_a_claim_ends_by_itself(two: tuple[Sister, Sister], home: Path) -> None:
    one, other = two
    assert one.sh("gitqueen claim deploy --ttl 1s").rc == 0
    # Waiting is how one sees that it ends, without a daemon and without anybody releasing it.
    assert other.sh("gitqueen claim deploy --wait 50").rc == 0
    assert held(home) == [("deploy", "iza-2")]
    events = json.loads(other.sh("gitqueen history --json").out)["events"]
    assert [e["detail"] for e in events if e["kind"] == "given-back"] == [{"id": "deploy", "why": "expired"}]


def test_what_expired_is_shown_as_released(two: tuple[Sister, Sister], home: Path) -> None:
    assert two[0].sh("gitqueen claim deploy --ttl 1h").rc == 0
    for table in ("claims", "holds"):
        sql(home, f"UPDATE {table} SET claimed_at = '2026-01-02T03:04:05Z'")
    sql(home, "UPDATE holds SET expires_at = '2026-01-02T04:04:05Z'")
    assert json.loads(two[1].sh("gitqueen claims --json").out)["claims"] == []
    assert json.loads(two[1].sh("gitqueen claims --all --json").out)["claims"][0]["released_at"] is not None
    assert two[0].sh("gitqueen release deploy") == (1, "", "gitqueen: nobody holds deploy\n  → gitqueen claims\n")


def test_whoever_waits_gets_it_as_soon_as_it_is_free(two: tuple[Sister, Sister], home: Path) -> None:
    one, other = two
    assert one.sh("gitqueen claim deploy").rc == 0
    other.begin("gitqueen claim deploy --wait 50")
    assert one.sh("gitqueen release deploy").rc == 0
    assert other.end() == (0, "✓ deploy is yours\n", "")
    assert one.sh("gitqueen claim deploy --wait 0.2").rc == 1
    assert held(home) == [("deploy", "iza-2")]


def test_taking_by_force_is_recorded_and_told(two: tuple[Sister, Sister]) -> None:
    one, other = two
    assert one.sh("gitqueen claim deploy").rc == 0
    assert other.sh("gitqueen release deploy --force") == (0, "✓ deploy is free\n", "")
    assert timeless(one.sh("gitqueen inbox").out) == (
        f"📬 1 unread for iza-1\n[#1] from queen at {AT}\n  iza-2 released your claim deploy with --force.\n"
    )
    events = json.loads(other.sh("gitqueen history --json").out)["events"]
    assert [(e["kind"], e["sister"], e["detail"]) for e in events if "deploy" in str(e["detail"])] == [
        ("claimed", "iza-1", {"id": "deploy", "description": None, "paths": []}),
        ("taken-away", "iza-2", {"id": "deploy", "owner": "iza-1"}),
    ]


def test_what_nobody_holds_is_not_released(two: tuple[Sister, Sister]) -> None:
    nobody = (1, "", "gitqueen: nobody holds deploy\n  → gitqueen claims\n")
    assert two[0].sh("gitqueen release deploy") == nobody
    assert two[0].sh("gitqueen claim deploy && gitqueen release deploy").rc == 0
    assert two[0].sh("gitqueen release deploy --force") == nobody


def test_claims_of_other_programs_hold_and_can_be_released(two: tuple[Sister, Sister], home: Path) -> None:
    one = two[0]
    assert one.sh("gitqueen whoami").rc == 0
    for name in ("deploy", "no id\x1b[31m"):
        sql(home, "INSERT INTO claims VALUES (?, 'ghost', NULL, '2026-01-02', NULL)", name)
    assert one.sh("gitqueen scan").rc == 0
    refused = one.sh("gitqueen claim deploy")
    assert refused.rc == 1
    assert "deploy is held by ghost since 2026-01-02T00:00:00Z (" in refused.err
    assert "\x1b" not in one.sh("gitqueen claims").out
    assert one.sh("gitqueen release \"$(printf 'no id\\033[31m')\" --force").rc == 0
    assert held(home) == [("deploy", "ghost")]


def test_a_reason_of_any_characters_is_never_raw(two: tuple[Sister, Sister]) -> None:
    one, other = two
    assert one.sh("gitqueen claim deploy -m \"$(printf '\\033[31mred\\n\\351')\"").rc == 0
    assert other.sh("gitqueen claims").out.splitlines()[1] == "      \\x1b[31mred\\n\\udce9"
    assert "\x1b" not in other.sh("gitqueen claim deploy").err
    assert "\x1b" not in other.sh("gitqueen claims --json").out


@pytest.mark.parametrize("command", ["claim", "release", "claims"])
def test_help_has_an_example(run: Runner, command: str) -> None:
    done = run("gitqueen", command, "--help")
    assert done.returncode == 0
    assert re.search(rf"Examples?: gitqueen {command}\b", done.stdout)
