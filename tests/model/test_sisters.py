"""Alive means that pid and start agree; what cannot be judged is unknown, and dead only to those who can see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gitqueen.model import sisters
from gitqueen.model.sisters import ALIVE, DEAD, UNKNOWN, Body, Sister

NOW = datetime(2026, 4, 11, 12, 0, tzinfo=UTC)
HERE = "machine:boot:ns"
OURS = Sister(row=7, name="iza", status="working", last_seen=NOW - timedelta(days=3), body=Body(HERE, 7, 100))
OUTSIDE = Sister(row=7, name="iza", status="idle", last_seen=NOW - timedelta(seconds=30))


def ago(sister: Sister, seconds: float) -> Sister:
    return replace(sister, last_seen=NOW - timedelta(seconds=seconds))


@pytest.mark.parametrize(("ticks", "expected"), [(100, ALIVE), (101, DEAD), (None, DEAD)])
def test_a_process_of_ours_is_judged_by_its_start(ticks: int | None, expected: str) -> None:
    assert sisters.life(OURS, HERE, ticks, NOW) == expected


@pytest.mark.parametrize("origin", ["machine:boot:other", "machine:before:ns", "elsewhere:boot2:ns", "machine:boot:?"])
@pytest.mark.parametrize("ticks", [100, 101, None])
@pytest.mark.parametrize(("seconds", "expected"), [(0, UNKNOWN), (599, UNKNOWN), (600, DEAD), (-9999, UNKNOWN)])
def test_a_process_of_another_place_is_never_judged_by_its_pid(
    origin: str, ticks: int | None, seconds: float, expected: str
) -> None:
    foreign = ago(replace(OURS, body=Body(origin, 7, 100)), seconds)
    assert sisters.life(foreign, HERE, ticks, NOW) == expected


@pytest.mark.parametrize(
    ("ticks", "seconds", "expected"),
    [(5, 30, ALIVE), (5, 99999, ALIVE), (None, 30, UNKNOWN), (None, 599, UNKNOWN), (None, 600, DEAD)],
)
def test_a_row_of_another_program_lives_while_a_process_has_its_pid(
    ticks: int | None, seconds: float, expected: str
) -> None:
    assert sisters.life(ago(OUTSIDE, seconds), HERE, ticks, NOW) == expected


def test_a_row_that_was_never_seen_is_dead_unless_its_process_lives() -> None:
    assert sisters.life(replace(OUTSIDE, last_seen=None), HERE, None, NOW) == DEAD
    assert sisters.life(replace(OUTSIDE, last_seen=None), HERE, 5, NOW) == ALIVE


@pytest.mark.parametrize(
    ("origin", "seconds", "expected"),
    [
        (HERE, 0, True),
        ("machine:before:ns", 601, True),
        ("machine:boot:other", 601, False),
        ("machine:boot:?", 80000, False),
        ("elsewhere:boot2:ns", 601, False),
        ("machine:boot:other", 86400, True),
        ("elsewhere:boot2:ns", 86400, True),
        ("machine:boot:other", -5, False),
    ],
)
def test_only_who_could_see_her_die_buries_her(origin: str, seconds: float, expected: bool) -> None:
    row = ago(replace(OURS, body=Body(origin, 7, 100)), seconds)
    assert sisters.gone_for_good(row, HERE, NOW) is expected


def test_a_row_of_another_program_is_gone_when_it_is_dead() -> None:
    assert sisters.gone_for_good(OUTSIDE, HERE, NOW)


def test_namespaces_of_one_boot_are_next_door() -> None:
    assert sisters.next_door("machine:boot:other", HERE)
    assert sisters.next_door(sisters.somewhere(HERE), HERE)
    assert not sisters.next_door(HERE, HERE)
    assert not sisters.next_door("machine:before:ns", HERE)
    assert sisters.next_door("a container's own machine id:boot:ns", HERE)
    assert not sisters.next_door("elsewhere:boot2:ns", HERE)
    assert not sisters.next_door("elsewhere::0", "machine::0") and not sisters.next_door("machine::0", "machine::0")


@pytest.mark.parametrize(
    ("said", "life", "expected"),
    [
        ("working", ALIVE, "working"),
        ("waiting", ALIVE, "waiting"),
        ("dancing", ALIVE, "unknown"),
        ("working", UNKNOWN, "unknown"),
        ("working", DEAD, "unknown"),
    ],
)
def test_only_the_living_may_say_what_they_do(said: str, life: str, expected: str) -> None:
    assert sisters.status(replace(OURS, status=said), life) == expected


def test_her_pid_is_that_of_her_process_and_declared_needs_a_task() -> None:
    assert replace(OURS, row=-1).pid == 7 and OUTSIDE.pid == 7
    assert replace(OURS, task="x", task_source="declared").declared
    assert not replace(OURS, task="x").declared
    assert not replace(OURS, task="", task_source="declared").declared
