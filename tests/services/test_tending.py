"""Does she live, where is she: judged with a clock of the test's own, on real processes and a real database."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitqueen.model import sisters, times
from gitqueen.senses import processes
from gitqueen.services import entering, identifying, queen, tending
from gitqueen.services.queen import Queen
from gitqueen.store import sisters as sisters_table
from tests.hive import Repo, Sister

NOW = datetime.now(UTC).replace(microsecond=0)


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(clock: Clock, tmp_path: Path) -> Iterator[Callable[..., Queen]]:
    """Open the queen as a command of `environ` does."""
    all_of_them: list[Queen] = []

    def open_queen(cwd: str | os.PathLike[str] = tmp_path, **environ: str) -> Queen:
        all_of_them.append(queen.open({**os.environ, **environ}, clock, os.fspath(cwd)))
        return all_of_them[-1]

    yield open_queen
    for one in all_of_them:
        one.db.close()


def outside(pid: int, name: str, seen: datetime | str | None, status: str = "idle") -> None:
    """What another program writes."""
    with sqlite3.connect(Path(os.environ["GITQUEEN_HOME"], "queen.db")) as db:
        values = (
            pid,
            name,
            "main",
            "its task",
            "auto",
            status,
            times.iso(seen) if isinstance(seen, datetime) else seen,
        )
        db.execute("INSERT OR REPLACE INTO sisters VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    db.close()


def living(queen: Queen) -> dict[str, str]:
    return {sister.name: sister.status for sister in tending.living(queen)}


@pytest.fixture
def dead_pid() -> int:
    with subprocess.Popen(["true"]) as child:
        pass
    return child.pid


def test_an_outside_row_with_a_dead_pid_is_unknown_for_ten_minutes(
    opened: Callable[..., Queen], clock: Clock, dead_pid: int
) -> None:
    hive = opened()
    outside(dead_pid, "zoe", NOW - timedelta(seconds=30), "working")
    assert living(hive) == {"zoe": "unknown"}
    hive.now = NOW + timedelta(seconds=569)
    assert living(hive) == {"zoe": "unknown"}
    hive.now = NOW + timedelta(seconds=570)
    assert living(hive) == {}


def test_an_outside_row_with_a_living_pid_is_as_it_says(opened: Callable[..., Queen]) -> None:
    hive = opened()
    outside(os.getpid(), "zoe", NOW, "working")
    assert living(hive) == {"zoe": "working"}


def test_an_outside_row_whose_pid_went_to_a_later_process_is_nobody_s_life(
    opened: Callable[..., Queen], sister: Callable[..., Sister]
) -> None:
    hive = opened()
    later = sister("iza")
    seen = processes.look(later.pid)
    assert seen is not None
    started = processes.started_at(seen)
    assert started is not None
    outside(later.pid, "zoe", started - timedelta(seconds=120))
    assert living(hive) == {"zoe": "unknown"}
    outside(later.pid, "zoe", started - timedelta(seconds=700))
    hive.now = started + timedelta(seconds=10)
    assert living(hive) == {}
    outside(later.pid, "zoe", started + timedelta(seconds=1))
    assert living(hive) == {"zoe": "idle"}


@pytest.mark.parametrize("pid", [0, -5, 2**31 - 1, 2**62])
def test_an_outside_row_with_a_pid_that_none_can_have_harms_nobody(opened: Callable[..., Queen], pid: int) -> None:
    hive = opened()
    outside(pid, "zoe", NOW)
    assert living(hive) == {"zoe": "unknown"}


@pytest.mark.parametrize("seen", [None, "", "yesterday", "2026-13-45T00:00:00Z"])
def test_an_outside_row_without_a_time_counts_only_while_its_process_lives(
    opened: Callable[..., Queen], seen: str | None, dead_pid: int
) -> None:
    hive = opened()
    outside(dead_pid, "zoe", seen)
    outside(os.getpid(), "iza", seen)
    assert living(hive) == {"iza": "idle"}


def enter(hive: Queen, one: Sister, name: str = "iza") -> sisters.Sister:
    seen = processes.look(one.pid)
    assert seen is not None
    identity = entering.enter(hive, sisters.Body(hive.origin, seen.pid, seen.ticks), "claude", name)
    assert identity.sister is not None
    return identity.sister


def test_a_reused_pid_never_makes_a_dead_sister_alive(
    opened: Callable[..., Queen], sister: Callable[..., Sister]
) -> None:
    hive = opened()
    enter(hive, sister("iza"))
    assert living(hive) == {"iza": "unknown"}
    hive.db.execute("UPDATE sessions SET ticks = ticks - 1")
    assert living(hive) == {}


@pytest.mark.parametrize("origin", ["other:boot:1", "machine:before:1"])
def test_a_foreign_row_is_unknown_whatever_runs_under_its_pid(
    origin: str, opened: Callable[..., Queen], sister: Callable[..., Sister]
) -> None:
    hive = opened()
    enter(hive, sister("iza"))
    hive.db.execute("UPDATE sessions SET origin = ?", (origin,))
    hive.db.execute("UPDATE sisters SET status = 'working'")
    assert living(hive) == {"iza": "unknown"}
    hive.now = NOW + timedelta(seconds=600)
    assert living(hive) == {}


def test_a_name_that_fell_silent_elsewhere_goes_to_who_asks_for_it(
    opened: Callable[..., Queen], sister: Callable[..., Sister], clock: Clock
) -> None:
    hive = opened()
    enter(hive, sister("iza"))
    hive.db.execute("UPDATE sessions SET origin = 'other:boot:1'")
    second = sister("iza")
    assert enter(hive, second).name == "iza-2"
    hive.db.execute("DELETE FROM sisters WHERE name = 'iza-2'")
    hive.now = NOW + timedelta(seconds=600)
    assert enter(hive, second).name == "iza"
    assert [row.pid for row in sisters_table.named(hive.db, "iza")] == [second.pid]


def test_a_clock_that_jumps_back_changes_neither_who_lives_nor_who_she_is(
    opened: Callable[..., Queen], sister: Callable[..., Sister], clock: Clock, dead_pid: int
) -> None:
    one = sister("iza")
    pid = str(one.pid)
    first = identifying.identify(opened(GITQUEEN_PID=pid, GITQUEEN_NAME="iza"))
    outside(dead_pid, "zoe", NOW)
    clock.now = NOW - timedelta(days=400)
    back = opened(GITQUEEN_PID=pid, GITQUEEN_NAME="iza")
    again = identifying.identify(back)
    assert (first.address, again.address) == ("iza", "iza")
    assert first.sister is not None and again.sister is not None
    assert first.sister.body == again.sister.body
    assert living(back) == {"iza": "unknown", "zoe": "unknown"}
    assert tending.notice(back, again.sister).name == "iza"
    clock.now = NOW + timedelta(days=400)
    assert living(opened()) == {"iza": "unknown"}


def test_looking_never_waits_for_a_database_that_another_program_holds(
    opened: Callable[..., Queen], sister: Callable[..., Sister], repo: Callable[..., Repo], home: Path
) -> None:
    known = enter(opened(), sister("iza"))
    app = repo()
    with sqlite3.connect(home / "queen.db", isolation_level=None) as db:
        db.execute("BEGIN IMMEDIATE")
        moved = tending.notice(opened(app.path), known)
        db.execute("ROLLBACK")
    db.close()
    assert (moved.repo, moved.branch) == (str(app.path), "main")
    settled = tending.notice(opened(app.path), known)
    assert settled == moved
    assert [row.repo for row in sisters_table.named(opened().db, "iza")] == [str(app.path)]


def test_the_hive_stands_on_psutil_too(sister: Callable[..., Sister], home: Path) -> None:
    astray = "import sys; from gitqueen.senses import processes as p; p.PROC = '/nowhere';"
    # A scan beside it would look at /proc, and see other beginnings of the same processes.
    astray += "from gitqueen.services import watching as w; w.start_detached = lambda queen: None;"
    astray += "from gitqueen.cli import main; sys.exit(main.run(sys.argv[1:]))"
    queen = f'{sys.executable} -c "{astray}"'
    iza, zoe = sister("iza"), sister("", program="claude", declared=False)
    assert iza.sh(f"{queen} iam one") == (0, "📌 iza: one\n", "")
    assert iza.sh(f"{queen} whoami").out.startswith(f"iza  pid {iza.pid}  ")
    assert zoe.sh(f"{queen} whoami").out.startswith(f"keeper-1  pid {zoe.pid}  claude")
    iza.kill()
    assert zoe.sh(f"{queen} scan").rc == 0
    shown = zoe.sh(f"{queen} status").out
    assert "keeper-1" in shown and "iza" not in shown
