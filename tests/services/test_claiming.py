"""Who holds what when clocks move, owners die and come back, commands are killed, and other programs write."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitqueen import errors
from gitqueen.model.sisters import Body, Identity
from gitqueen.services import claiming, identifying, queen
from gitqueen.services.queen import Queen
from gitqueen.store import claims as claims_table
from gitqueen.store import database, events
from tests import hive
from tests.hive import Runner, Sister

NOON = datetime(2026, 4, 11, 12, 0, 0, tzinfo=UTC)


class Hand:
    """A sister's hand on the service: she lives as the process `body`, and her clock is ours to set."""

    def __init__(self, name: str, body: subprocess.Popen[bytes], cwd: Path) -> None:
        env = {**os.environ, "GITQUEEN_NAME": name, "GITQUEEN_PID": str(body.pid)}
        self.body, self.now = body, NOON
        self.queen: Queen = queen.open(env, lambda: self.now, os.fspath(cwd))
        self.me: Identity = identifying.identify(self.queen, declare=True)

    def at(self, moment: datetime) -> Hand:
        self.now = self.queen.now = moment
        return self

    def claim(self, name: str, *paths: str, ttl: float | None = None, why: str | None = None) -> claiming.Taken:
        assert self.me.sister is not None
        wanted = claiming.wanted(self.queen, self.me.sister, name, why, paths, ttl)
        return claiming.take(self.queen, self.me.sister, wanted)

    def held(self) -> list[str]:
        return [f"{claim.id} {claim.owner}" for claim in claiming.held(self.queen)]

    def kill(self) -> None:
        self.body.kill()
        self.body.wait()

    def told(self, kind: str) -> list[dict[str, object]]:
        return [dict(event.detail) for event in events.latest(self.queen.db, 50) if event.kind == kind][::-1]


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Callable[[str], Hand]]:
    born: list[Hand] = []

    def bear(name: str) -> Hand:
        born.append(Hand(name, subprocess.Popen(["sleep", "900"]), tmp_path))
        return born[-1]

    yield bear
    for one in born:
        one.queen.db.close()
        one.kill()


def test_a_claim_ends_at_its_second(hand: Callable[[str], Hand]) -> None:
    one, other = hand("iza-1"), hand("iza-2")
    one.claim("deploy", ttl=60)
    assert other.at(NOON + timedelta(seconds=59)).claim("deploy").refused
    assert other.at(NOON + timedelta(seconds=60)).held() == []
    assert not other.claim("deploy").refused
    assert other.told("given-back") == [{"id": "deploy", "why": "expired"}]


def test_a_clock_that_jumps_back_keeps_what_is_held(hand: Callable[[str], Hand]) -> None:
    one, other = hand("iza-1"), hand("iza-2")
    one.claim("deploy", ttl=60)
    assert other.at(NOON - timedelta(days=400)).claim("deploy").refused
    assert one.at(NOON - timedelta(days=400)).claim("deploy").renewed


def test_renewing_keeps_what_is_not_said_again(hand: Callable[[str], Hand]) -> None:
    one = hand("iza-1")
    first = one.claim("deploy", ttl=60, why="rolling out").claim
    again = one.at(NOON + timedelta(seconds=30)).claim("deploy")
    assert again == claiming.Taken(first, renewed=True)
    longer = one.claim("deploy", ttl=60, why="").claim
    assert longer == replace(first, expires_at=NOON + timedelta(seconds=90), description="")


def test_the_grace_of_a_dead_owner_begins_when_somebody_sees_it(hand: Callable[[str], Hand]) -> None:
    one, other = hand("iza-1"), hand("iza-2")
    one.claim("deploy")
    one.kill()
    seen = NOON + timedelta(hours=5)
    assert other.at(seen).claim("deploy").refused
    assert other.at(seen + timedelta(seconds=599)).claim("deploy").refused
    assert not other.at(seen + timedelta(seconds=600)).claim("deploy").refused
    assert other.told("given-back") == [{"id": "deploy", "why": "its owner died"}]


def test_whoever_takes_up_the_name_within_the_grace_keeps_its_claims(hand: Callable[[str], Hand]) -> None:
    one, other = hand("iza-1"), hand("iza-2")
    one.claim("deploy")
    one.kill()
    assert other.claim("deploy").refused
    again = hand("iza-1")
    assert other.at(NOON + timedelta(days=2)).claim("deploy").refused
    assert again.claim("deploy").renewed


def test_grace_is_set_by_git_configuration_and_nonsense_is_ten_minutes(
    hand: Callable[[str], Hand], run: Runner
) -> None:
    run("git", "config", "--global", "gitqueen.grace", "often", check=True)
    one, other = hand("iza-1"), hand("iza-2")
    one.claim("deploy")
    one.kill()
    assert other.claim("deploy").refused
    assert other.at(NOON + timedelta(seconds=599)).held() == ["deploy iza-1"]
    assert other.at(NOON + timedelta(seconds=600)).held() == []
    run("git", "config", "--global", "gitqueen.grace", "1d", check=True)
    assert hand("iza-3").at(NOON + timedelta(hours=23)).held() == ["deploy iza-1"]


def test_an_owner_who_was_never_seen_alive_holds_until_it_is_released(hand: Callable[[str], Hand], run: Runner) -> None:
    run("git", "config", "--global", "gitqueen.grace", "0", check=True)
    one = hand("iza-1")
    one.queen.db.execute("INSERT INTO claims VALUES ('deploy', 'ghost', NULL, '2020-01-01', NULL)")
    assert one.claim("deploy").refused
    assert one.at(NOON + timedelta(days=2000)).claim("deploy").refused
    assert claiming.release(one.queen, one.me, "deploy", force=True).owner == "ghost"
    assert not one.claim("deploy").refused


def test_what_another_program_replaced_is_its_own(hand: Callable[[str], Hand], tmp_path: Path) -> None:
    """Our side table still holds paths, an end and a command of the row before: they count no more."""
    hive.new_repo(tmp_path / "app")
    one, other = hand("iza-1"), hand("iza-2")
    one.claim("deploy", ttl=60)
    one.queen.db.execute(
        "INSERT OR REPLACE INTO claims VALUES ('deploy', 'ghost', 'mine now', '2026-04-11 12:00', NULL)"
    )
    assert other.at(NOON + timedelta(days=1)).held() == ["deploy ghost"]
    with pytest.raises(errors.Refused, match="deploy is held by ghost, not by iza-1"):
        claiming.release(one.queen, one.me, "deploy")


@pytest.mark.parametrize("ended", [True, False])
def test_a_command_of_another_machine_boot_or_namespace_is_never_judged_by_its_pid(
    hand: Callable[[str], Hand], ended: bool
) -> None:
    one, other = hand("iza-1"), hand("iza-2")
    taken = one.claim("deploy").claim
    origin = one.queen.origin if ended else "elsewhere"
    with database.transaction(one.queen.db):
        claims_table.set_command(one.queen.db, taken.id, taken.nonce, Body(origin, 2**22 + 1, 1))
    assert other.claim("deploy").refused is not ended
    if ended:
        assert other.told("given-back") == [{"id": "deploy", "why": "its command ended"}]


def test_a_reused_pid_keeps_no_claim(hand: Callable[[str], Hand]) -> None:
    one, other = hand("iza-1"), hand("iza-2")
    taken = one.claim("deploy").claim
    with database.transaction(one.queen.db):
        # The pid lives, and began at another tick.
        claims_table.set_command(one.queen.db, taken.id, taken.nonce, Body(one.queen.origin, os.getpid(), 1))
    assert not other.claim("deploy").refused


def test_ending_touches_exactly_that_hold(hand: Callable[[str], Hand]) -> None:
    one = hand("iza-1")
    old = one.claim("deploy").claim
    claiming.release(one.queen, one.me, "deploy")
    new = one.claim("deploy").claim
    claiming.end(one.queen, old)
    assert one.held() == ["deploy iza-1"]
    claiming.end(one.queen, new)
    claiming.end(one.queen, new)
    assert one.held() == []
    assert len(one.told("released")) == 2


def test_each_claim_has_a_nonce_of_its_own(hand: Callable[[str], Hand]) -> None:
    one = hand("iza-1")
    made = [one.claim(f"c-{number}").claim for number in range(20)]
    assert len({claim.nonce for claim in made}) == 20
    assert all(len(claim.nonce) == 32 for claim in made)


def test_a_command_killed_at_any_moment_leaves_all_or_nothing(
    sister: Callable[..., Sister], hand: Callable[[str], Hand], tmp_path: Path
) -> None:
    witness, one = hand("witness"), sister("iza-1")
    begun = time.monotonic()
    assert one.sh("gitqueen claim before").rc == 0
    usual = time.monotonic() - begun
    env = hive.laid_over({"GITQUEEN_NAME": "iza-1", "GITQUEEN_PID": str(one.pid)})
    for step in range(12):
        command = [hive.gitqueen(), "claim", f"c-{step}", "--json"]
        with subprocess.Popen(command, env=env, cwd=tmp_path, stdout=subprocess.PIPE) as process:
            time.sleep(usual * (0.5 + step / 20))
            process.kill()
            assert process.stdout is not None
            said = process.stdout.read()
        claimed = f"c-{step} iza-1" in witness.held()
        assert claimed is ({"id": f"c-{step}", "description": None, "paths": []} in witness.told("claimed"))
        assert claimed or not said, "what was acknowledged must be there"
    assert witness.queen.db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert json.loads(one.sh("gitqueen claims --json").out)["schema"] == 1
