"""The clock's parts, with the clock in hand: what is due when, and what becomes of a part that hangs or crashes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitqueen.aside import Send
from gitqueen.daemon import clock
from gitqueen.daemon.clock import Clock
from gitqueen.daemon.journal import Journal
from tests import hive

NOW = datetime(2026, 4, 11, 5, 29, 2, tzinfo=UTC)


@pytest.fixture
def box(home: Path) -> Iterator[Clock]:
    home.mkdir(parents=True)
    one = Clock(os.environ, 30.0, Journal(os.fspath(home), lambda: NOW))
    yield one
    one.close()


def scans(monkeypatch: pytest.MonkeyPatch, work: Callable[[Send], None]) -> None:
    monkeypatch.setattr(clock, "_scan", lambda env, calm: work)


def done(box: Clock, now: float) -> None:
    """Tick until nothing is at work."""
    deadline = time.monotonic() + hive.PATIENCE
    while box.parts:
        assert time.monotonic() < deadline
        box.wait(0.2)
        box.tick(now)


def test_a_look_is_due_every_interval_also_after_a_sleep(box: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[float] = []
    scans(monkeypatch, lambda send: None)
    begin = box._begin

    def note(name: str, work: Callable[[Send], None], now: float) -> None:
        begun.append(now)
        begin(name, work, now)

    monkeypatch.setattr(box, "_begin", note)
    for now in (1000.0, 1000.5, 1029.5, 1030.0, 1030.5, 9000.0, 9000.5, 9030.0):
        box.tick(now)
        done(box, now)
    assert begun == [1000.0, 1030.0, 9000.0, 9030.0]


def test_one_that_hangs_is_given_up_and_meanwhile_nothing_waits(
    box: Clock, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans(monkeypatch, lambda send: time.sleep(600))
    monkeypatch.setattr(clock, "_drain", lambda env: lambda send: (home / "drained").touch())
    box.tick(1000.0)
    (home / "spool").mkdir()
    (home / "spool" / "post-commit.1").write_text("x")
    deadline = time.monotonic() + hive.PATIENCE
    while not (home / "drained").exists() or "drain" in box.parts:
        assert time.monotonic() < deadline
        box.tick(1001.0)
    box.tick(1000.0 + clock.LIMITS["scan"])
    assert "scan" not in box.parts or box.parts["scan"].since > 1000.0
    assert (home / "daemon.log").read_text() == ("2026-04-11T05:29:02Z scan took longer than 120 s and was given up\n")


def test_a_crash_is_in_the_logs_and_the_next_look_is_made(
    box: Clock, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(send: Send) -> None:
        raise ZeroDivisionError("of ours")

    scans(monkeypatch, clock._guarded(os.environ, crash))
    box.tick(1000.0)
    done(box, 1000.0)
    assert (home / "daemon.log").read_text() == "2026-04-11T05:29:02Z scan ended with 1, see crash.log\n"
    assert "ZeroDivisionError: of ours" in (home / "crash.log").read_text()
    scans(monkeypatch, lambda send: (home / "looked").touch())
    box.tick(1030.0)
    done(box, 1030.0)
    assert (home / "looked").exists()


def test_the_same_fault_is_logged_once(box: Clock, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for now, faults in ((1000.0, ("a",)), (1030.0, ("a", "b")), (1060.0, ()), (1090.0, ("a",))):
        scans(monkeypatch, lambda send, said=faults: send(("seen", set(), {}, said)))  # type: ignore[misc]
        box.tick(now)
        done(box, now)
    lines = [line.partition(" ")[2] for line in (home / "daemon.log").read_text().splitlines()]
    assert lines == ["could not look: a", "could not look: b", "could not look: a"]


def test_the_log_stays_small_and_a_full_disk_ends_nothing(home: Path) -> None:
    home.mkdir(parents=True)
    log = Journal(os.fspath(home), lambda: NOW)
    for _ in range(3000):
        log.write("x" * 200 + "\x1b[31m\n")
    sizes = {file.name: file.stat().st_size for file in home.iterdir()}
    assert sorted(sizes) == ["daemon.log", "daemon.log.1"] and max(sizes.values()) < 300_000
    assert b"\x1b" not in (home / "daemon.log").read_bytes()
    assert log.last().endswith(r"\x1b[31m\n")
    Journal("/dev/full/nowhere", lambda: NOW).write("lost")
    assert Journal("/dev/full/nowhere", lambda: NOW).last() == ""


def test_everything_is_read_again_when_the_users_configuration_changes(box: Clock, sealed: Path) -> None:
    box.watches.calm.add("/w")
    assert box._calm(10.0) == frozenset()  # the first time
    box.watches.calm.add("/w")
    assert box._calm(20.0) == {"/w"}
    with open(sealed / ".gitconfig", "a") as file:
        file.write("[core]\n\texcludesFile = /x\n")
    assert box._calm(30.0) == frozenset()
    box.watches.calm.add("/w")
    assert box._calm(40.0) == {"/w"}
    assert box._calm(40.0 + clock.WHOLE) == frozenset()
