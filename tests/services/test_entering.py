"""How a newcomer is named, and how a name outlives the process that bore it."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hive import Repo, Sister

WHOAMI = "gitqueen whoami --json"


def name(one: Sister, command: str = WHOAMI) -> str:
    done = one.sh(command)
    assert done.rc == 0, done
    return str(json.loads(done.out)["sister"]["name"])


def rows(home: Path) -> list[str]:
    with sqlite3.connect(home / "queen.db") as db:
        found = [str(row[0]) for row in db.execute("SELECT name FROM sisters ORDER BY name")]
    db.close()
    return found


def agent(sister: Callable[..., Sister], session: str | None = None, **more: Any) -> Sister:
    return sister("", program="claude", declared=False, env={"CLAUDE_CODE_SESSION_ID": session}, **more)


def register(one: Sister, given: str, source: str = "user") -> None:
    """What Claude writes about itself."""
    stat = Path(f"/proc/{one.pid}/stat").read_text()
    folder = Path(os.environ["CLAUDE_CONFIG_DIR"], "sessions")
    folder.mkdir(parents=True, exist_ok=True)
    entry = {"pid": one.pid, "procStart": stat.rpartition(")")[2].split()[19], "name": given, "nameSource": source}
    (folder / f"{one.pid}.json").write_text(json.dumps(entry))


# Names.


def test_agents_are_numbered_and_the_lowest_free_number_is_next(sister: Callable[..., Sister]) -> None:
    three = [agent(sister) for _ in range(3)]
    assert [name(one) for one in three] == ["keeper-1", "keeper-2", "keeper-3"]
    three[1].kill()
    assert [name(agent(sister)), name(agent(sister))] == ["keeper-2", "keeper-4"]


def test_the_prefix_of_numbered_names_can_be_set(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    app = repo()
    app.git("config", "gitqueen.namePrefix", "my bees")
    assert name(agent(sister, cwd=app)) == "my-bees-1"
    assert name(agent(sister)) == "keeper-1"


@pytest.mark.needs_proc
@pytest.mark.parametrize(
    ("given", "source", "expected"),
    [
        ("My app (2)", "user", "My-app-2"),
        ("relay", "derived", "keeper-1"),
        ("relay", "auto", "keeper-1"),
        ("queen", "user", "keeper-1"),
        ("🐝🐝", "user", "keeper-1"),
        ("../../etc", "user", "etc"),
        ("x" * 200, "user", "x" * 60),
    ],
)
def test_a_name_that_a_person_gave_to_the_session_is_hers(
    given: str, source: str, expected: str, sister: Callable[..., Sister]
) -> None:
    one = agent(sister)
    register(one, given, source)
    assert name(one) == expected


@pytest.mark.needs_proc
def test_a_given_name_that_is_taken_gets_a_number_and_she_is_told(sister: Callable[..., Sister]) -> None:
    one, two = agent(sister), agent(sister)
    register(one, "relay")
    register(two, "Relay")
    assert name(one) == "relay"
    assert two.sh("gitqueen inbox").err == "🐝 the name Relay belongs to another living sister: you are Relay-2\n"
    assert name(two) == "Relay-2"


def test_a_descendant_of_a_name_s_holder_is_the_holder_and_anyone_else_is_not(sister: Callable[..., Sister]) -> None:
    iza, other = sister("iza"), sister("iza")
    assert name(iza) == "iza"
    assert name(iza, f"sh -c '{WHOAMI}; true'") == "iza"
    assert name(iza, f"GITQUEEN_PID= sh -c '{WHOAMI}; true'") == "iza"
    told = other.sh(WHOAMI)
    assert told.err == "🐝 the name iza belongs to another living sister: you are iza-2\n"
    again = other.sh(WHOAMI)
    assert (json.loads(again.out)["sister"]["name"], again.err) == ("iza-2", "")


def test_an_agent_started_under_a_sister_s_name_is_that_sister(sister: Callable[..., Sister], tmp_path: Path) -> None:
    iza = sister("iza")
    assert name(iza) == "iza"
    program = agent(sister).process.args
    assert isinstance(program, list)
    assert name(iza, f"unset GITQUEEN_PID; {program[0]} -c '{WHOAMI}; true'") == "iza"


def test_two_living_names_that_differ_only_in_case_are_refused(sister: Callable[..., Sister]) -> None:
    iza, twin = sister("iza"), sister("Iza")
    assert name(iza) == "iza"
    done = twin.sh("gitqueen whoami")
    assert done == (
        2,
        "",
        "gitqueen: Iza differs only in case from the living sister iza\n  → take another name\n",
    )
    assert twin.sh("GITQUEEN_NAME=other gitqueen whoami --name IZA").rc == 2
    iza.kill()
    assert name(twin) == "Iza"


def test_a_numbered_agent_that_says_its_name_is_the_same_sister(sister: Callable[..., Sister], home: Path) -> None:
    one = agent(sister)
    assert name(one) == "keeper-1"
    one.sh("gitqueen claim deploy")
    assert name(one, f"export GITQUEEN_NAME=iza; {WHOAMI}") == "iza"
    assert rows(home) == ["iza"]
    assert json.loads(one.sh("gitqueen claims --json").out)["claims"][0]["owner"] == "iza"


def test_renaming_takes_claims_and_unread_mail_along(sister: Callable[..., Sister], home: Path) -> None:
    one, two = agent(sister), sister("iza")
    assert name(one) == "keeper-1"
    one.sh("gitqueen claim deploy")
    two.sh('gitqueen tell keeper-1 "hello"')
    assert name(one, "gitqueen whoami --name relay --json") == "relay"
    assert name(one) == "relay"
    assert "hello" in one.sh("gitqueen inbox").out
    assert json.loads(one.sh("gitqueen claims --json").out)["claims"][0]["owner"] == "relay"
    assert rows(home) == ["iza", "relay"]


@pytest.mark.parametrize(("wish", "rc"), [("iza", 1), ("Iza", 2), ("all", 2), ("a b", 2), ("", 2)])
def test_renaming_to_what_cannot_be_is_refused(wish: str, rc: int, sister: Callable[..., Sister]) -> None:
    one, two = agent(sister), sister("iza")
    assert [name(one), name(two)] == ["keeper-1", "iza"]
    assert one.sh(f"gitqueen whoami --name '{wish}'").rc == rc
    assert name(one) == "keeper-1"


def test_a_row_that_another_program_wrote_about_this_process_is_hers(sister: Callable[..., Sister], home: Path) -> None:
    one, zoe = agent(sister), sister("zoe")
    assert name(zoe) == "zoe"
    with sqlite3.connect(home / "queen.db") as db:
        now = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"
        db.execute(f"INSERT INTO sisters VALUES ({one.pid}, 'relay', 'main', 'its task', 'auto', 'idle', {now})")
    db.close()
    assert json.loads(one.sh(WHOAMI).out)["sister"] | {"started_at": 0, "last_seen": 0} == {
        "name": "relay",
        "pid": one.pid,
        "agent": "claude",
        "status": "idle",
        "task": "its task",
        "task_source": "auto",
        "repo": None,
        "worktree": None,
        "branch": "main",
        "head": None,
        "dirty": None,
        "last_seen": 0,
        "started_at": 0,
        "terminal": None,
    }
    assert rows(home) == ["relay", "zoe"]


# A name outlives its process.


def test_whoever_takes_a_dead_sister_s_name_finds_her_inbox_and_keeps_her_claims(
    sister: Callable[..., Sister],
) -> None:
    iza, zoe = sister("iza"), sister("zoe")
    iza.sh("gitqueen claim deploy; iam 'shipping'")
    iza.kill()
    zoe.sh("gitqueen scan; gitqueen tell iza 'for later'")
    again = sister("iza")
    assert name(again) == "iza"
    assert "for later" in again.sh("gitqueen inbox").out
    assert again.sh("gitqueen release deploy").rc == 0


@pytest.mark.parametrize("scanned", [True, False], ids=["after a scan", "before any scan"])
def test_a_resumed_session_takes_up_its_name_in_another_process(scanned: bool, sister: Callable[..., Sister]) -> None:
    first, other = agent(sister, "s-1"), sister("zoe")
    assert name(first) == "keeper-1"
    first.sh("gitqueen whoami --name relay; gitqueen claim deploy")
    other.sh('gitqueen tell relay "wait for me"')
    first.kill()
    if scanned:
        assert other.sh("gitqueen scan").rc == 0
    stranger, again = agent(sister, "s-2"), agent(sister, "s-1")
    assert [name(stranger), name(again)] == ["keeper-1", "relay"]
    assert "wait for me" in again.sh("gitqueen inbox").out
    assert again.sh("gitqueen release deploy").rc == 0


def test_a_session_resumed_while_its_old_process_lives_is_another_sister(sister: Callable[..., Sister]) -> None:
    first, second = agent(sister, "s-1"), agent(sister, "s-1")
    assert [name(first), name(second), name(first)] == ["keeper-1", "keeper-2", "keeper-1"]


def test_a_session_cleared_and_resumed_has_the_name_it_had_last(sister: Callable[..., Sister]) -> None:
    first = agent(sister, "s-1")
    assert name(first, "gitqueen whoami --name relay --json") == "relay"
    first.sh("export CLAUDE_CODE_SESSION_ID=s-2; iam 'on with it'")
    first.kill()
    assert [name(agent(sister, "s-3")), name(agent(sister, "s-2"))] == ["keeper-1", "relay"]


def test_a_stranger_never_gets_the_number_of_a_dead_sister_who_holds_something(sister: Callable[..., Sister]) -> None:
    first = agent(sister, "s-1")
    assert name(first) == "keeper-1"
    first.sh("gitqueen claim deploy")
    first.kill()
    assert [name(agent(sister, "s-2")), name(agent(sister, "s-1"))] == ["keeper-2", "keeper-1"]


# Races.


def test_two_first_commands_of_one_agent_at_once_make_one_sister(sister: Callable[..., Sister], home: Path) -> None:
    one = agent(sister)
    for number in range(2):
        one.sh(f"for i in 1 2 3 4; do gitqueen whoami >out.{number}.$i & done; wait")
        said = {Path(str(one.sh("pwd").out.strip()), f"out.{number}.{i}").read_text().split()[0] for i in (1, 2, 3, 4)}
        assert said == {"keeper-1"}
        assert rows(home) == ["keeper-1"]
        with sqlite3.connect(home / "queen.db") as db:
            db.executescript("DELETE FROM sisters; DELETE FROM sessions")
        db.close()


def test_sixteen_newcomers_at_once_get_sixteen_names(sister: Callable[..., Sister], home: Path) -> None:
    sixteen = [agent(sister) for _ in range(16)]
    for one in sixteen:
        one.begin(WHOAMI)
    names = [json.loads(one.end().out)["sister"]["name"] for one in sixteen]
    assert sorted(names) == sorted(f"keeper-{number}" for number in range(1, 17))
    assert [name(one) for one in sixteen[:3]] == names[:3]
    assert len(rows(home)) == 16


def test_of_eight_who_want_one_name_one_gets_it(sister: Callable[..., Sister]) -> None:
    eight = [sister("iza") for _ in range(8)]
    for one in eight:
        one.begin(WHOAMI)
    names = [json.loads(one.end().out)["sister"]["name"] for one in eight]
    assert sorted(names) == ["iza", *(f"iza-{number}" for number in range(2, 9))]
