"""What the hive may cost: its everyday commands, its races, and its mail by the million.

Each function of `BENCHMARKS` is one benchmark and gives its rows. A fresh scan stands in for the daemon; the
repositories have no hooks.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial

from benchmarks import crowds, measuring
from benchmarks.crowds import Part
from benchmarks.measuring import Command, Pairs, Row
from benchmarks.stage import GITQUEEN, LONG_AGO, Stage
from gitqueen.model.sisters import Identity
from gitqueen.services import claiming, identifying, mailing, queen
from gitqueen.services.queen import Queen
from gitqueen.store import database

IMPORT = 'python -c "import sqlite3"'
ME, SHE = "iza-1", "iza-2"
CROWD, RACES, LETTERS, MILLION = 64, 100, 100, 1_000_000

_INSERT = """INSERT INTO messages (from_sister, to_sister, body, priority, sent_at, read_at)
             VALUES (?, ?, ?, ?, ?, ?)"""


def iam() -> Iterator[Row]:
    with _three_sisters() as (stage, place):
        # A task nobody else has: looking for twins costs the same, finding one would not.
        yield _everyday("iam TASK", stage, place, lambda number: ["iam", f"rewriting the parser, part {number}"])


def tell() -> Iterator[Row]:
    with _three_sisters() as (stage, place):
        yield _everyday("tell NAME MESSAGE", stage, place, lambda number: ["tell", SHE, f"green, run {number}"])


def inbox() -> Iterator[Row]:
    with _three_sisters() as (stage, place):
        yield _everyday("inbox, 1 unread", stage, place, lambda _: ["inbox"], lambda: _send(stage, 1))


def ack() -> Iterator[Row]:
    with _three_sisters() as (stage, place):
        _send(stage, 100)
        # The queen writes letters too.
        ids = stage.sql(f"SELECT id FROM messages WHERE to_sister = '{ME}' AND from_sister = '{SHE}' ORDER BY id")
        yield _everyday("ack ID", stage, place, lambda number: ["ack", str(ids[number][0])])


def status() -> Iterator[Row]:
    with Stage() as stage:
        places = [stage.repository(f"repository-{number}") for number in range(20)]
        names = [f"iza-{number}" for number in range(1, 31)]
        for number, name in enumerate(names):
            stage.sister(name, places[number % 20], f"{_WORK[number % 10]} of module {number}")
        stage.sql(_INSERT, rows=[_letter(number, names, number % 11 > 0) for number in range(1000)])
        stage.run("scan")
        what = "status: 30 sisters, 20 repositories, 1,000 messages"
        yield _everyday(what, stage, places[0], lambda _: ["status"], budget=6)


_WORK = ("tests", "docs", "types", "speed", "errors", "names", "colours", "locks", "events", "help")


@contextmanager
def _three_sisters() -> Iterator[tuple[Stage, str]]:
    with Stage() as stage:
        place = stage.repository("app")
        tasks = ("writing the manual", "hunting the mp3 trigger", "measuring the relay")
        for number, task in enumerate(tasks, 1):
            stage.sister(f"iza-{number}", place, task)
        yield stage, place


def _send(stage: Stage, count: int) -> None:
    letter = (SHE, ME, "the tests are green, go on", "normal", LONG_AGO, None)
    stage.sql(_INSERT, rows=[letter] * count)


def _letter(number: int, names: Sequence[str], read: bool) -> tuple[object, ...]:
    sender, to = names[number % len(names)], names[(number * 7 + 1) % len(names)]
    body = f"letter {number}: the migration is through, please look at the three open questions"
    return sender, to, body, "normal", LONG_AGO, LONG_AGO if read else None


def _everyday(
    what: str,
    stage: Stage,
    place: str,
    argv: Callable[[int], Sequence[str]],
    before: Callable[[], None] = lambda: None,
    budget: float = 4,
) -> Row:
    floor = Command(lambda _: [sys.executable, "-c", "import sqlite3"], stage.env(), place)
    pairs = measuring.in_turn(_command(stage, place, argv, before), floor, rounds=40)
    return measuring.compared(what, IMPORT, pairs, budget)


def _command(
    stage: Stage, place: str, argv: Callable[[int], Sequence[str]], before: Callable[[], None] = lambda: None
) -> Command:
    """`gitqueen ARGV` of `ME`, who was last seen a while ago: a command within a second saves a write."""

    def prepare(_: int) -> None:
        stage.freshen()
        stage.sql(f"UPDATE sisters SET last_seen = '{LONG_AGO}' WHERE name = '{ME}'")
        before()

    return Command(lambda number: [GITQUEEN, *argv(number)], stage.env(ME), place, prepare)


def race() -> Iterator[Row]:
    """64 services of 64 sisters, all at the same instant."""
    with Stage() as stage:
        place = stage.repository("app")

        def enter(index: int) -> Part:
            opened, me = _enter(stage, place, index)
            sister = me.sister
            assert sister is not None

            def act(_: int) -> int:
                opened.now = opened.clock()
                wanted = claiming.wanted(opened, sister, "deploy", "rolling out", (), None)
                return 0 if claiming.take(opened, sister, wanted).refused else 1

            def after(won: int) -> None:
                if won:
                    claiming.release(opened, me, "deploy")

            return Part(act, after)

        rounds = crowds.together(CROWD, RACES, enter)
        right = sum(sum(one.answers) == 1 for one in rounds)
        # What was written must say the same as what the winners were told.
        claimed = stage.count("events WHERE kind = 'claimed'")
        seconds = [one.seconds for one in rounds]
        found = right if claimed == RACES else min(right, RACES - 1)
        yield measuring.counted(
            f"{CROWD} processes race for one claim, a round", "rounds with one winner", seconds, found, RACES
        )


def race_commands() -> Iterator[Row]:
    """The same with whole commands, which arrive as the machine lets them."""
    with Stage() as stage:
        place = stage.repository("app")
        bodies = [subprocess.Popen(["sleep", "900"], env=stage.env()) for _ in range(CROWD)]
        stage.bodies.update({f"w-{number}": body for number, body in enumerate(bodies)})
        seconds, right = [], 0
        for _ in range(3):
            stage.freshen()
            started = time.perf_counter()
            running = {name: _claim(stage, place, name) for name in stage.bodies}
            codes = {name: process.wait() for name, process in running.items()}
            seconds.append(time.perf_counter() - started)
            winners = [name for name, code in codes.items() if code == 0]
            right += len(winners) == 1 and sorted(codes.values()) == [0] + [1] * (CROWD - 1)
            for name in winners:
                stage.run("release", "deploy", cwd=place, name=name)
        yield measuring.counted(
            f"{CROWD} commands `gitqueen claim`, a round", "rounds with one winner", seconds, right, 3
        )


def _claim(stage: Stage, place: str, name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [GITQUEEN, "claim", "deploy"], env=stage.env(name), cwd=place, close_fds=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def mail() -> Iterator[Row]:
    """64 processes that write at once: is all of it there, and how much dearer than SQLite's own price?"""
    times, there = [], []
    for _ in range(3):
        with Stage() as stage:
            place = stage.repository("app")
            ours = crowds.together(CROWD, 1, partial(_sender, stage, place))[0]
            there.append(stage.count("messages"))
            floor = os.path.join(stage.root, "floor.db")
            _make_floor(floor)
            plain = crowds.together(CROWD, 1, partial(_inserter, floor))[0]
            times.append((ours.seconds, plain.seconds))
    pairs = Pairs(*zip(*times, strict=True))
    total = CROWD * LETTERS
    yield measuring.compared(f"{CROWD} processes send {LETTERS} messages each", "as many single-row INSERTs", pairs, 5)
    wrong = [count for count in there if count != total]
    yield measuring.counted("... of which are there afterwards", "messages", (), [*wrong, total][0], total)


def _sender(stage: Stage, place: str, index: int) -> Part:
    opened, me = _enter(stage, place, index)
    to = f"w-{(index + 1) % CROWD}"

    def act(_: int) -> int:
        for number in range(LETTERS):
            opened.now = opened.clock()
            mailing.send(opened, me, to, f"letter {number} of {me.address}")
        return LETTERS

    return Part(act)


def _enter(stage: Stage, place: str, index: int) -> tuple[Queen, Identity]:
    """This process becomes the sister `w-INDEX`."""
    sealed = stage.env(f"w-{index}", os.getpid())
    os.environ.clear()
    os.environ.update(sealed)
    opened = queen.open(sealed, lambda: datetime.now(UTC), place)
    return opened, identifying.identify(opened, declare=True)


def _make_floor(path: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(
            """CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, from_sister TEXT,
               to_sister TEXT NOT NULL, body TEXT NOT NULL, priority TEXT DEFAULT 'normal',
               sent_at TEXT NOT NULL, read_at TEXT, acked_at TEXT)"""
        )


def _inserter(path: str, index: int) -> Part:
    db = sqlite3.connect(path, timeout=database.PATIENCE, isolation_level=None)
    db.execute("PRAGMA synchronous = FULL")
    name, to = f"w-{index}", f"w-{(index + 1) % CROWD}"

    def act(_: int) -> int:
        for number in range(LETTERS):
            letter = (name, to, f"letter {number} of {name}", "normal", LONG_AGO, None)
            db.execute(_INSERT, letter)
        return LETTERS

    return Part(act)


def million() -> Iterator[Row]:
    """Mail of years must not slow down the mail of today."""
    with _three_sisters() as (full, there), _three_sisters() as (empty, here):
        names = [ME, SHE, "iza-3", *(f"old-{number}" for number in range(47))]
        letters = (_letter(number, names, number % 97 > 0) for number in range(MILLION))
        full.sql(_INSERT, rows=letters)
        full.sql(f"UPDATE messages SET read_at = '{LONG_AGO}' WHERE to_sister = '{ME}'")
        for unread in (0, 5):  # she reads them: the empty one is at least empty for the first

            def arrive(stage: Stage, unread: int = unread) -> Callable[[], None]:
                return lambda: _send(stage, unread)

            many = _command(full, there, lambda _: ["inbox"], arrive(full))
            none = _command(empty, here, lambda _: ["inbox"], arrive(empty))
            pairs = measuring.in_turn(many, none, rounds=60)
            yield measuring.compared(
                f"inbox among 1,000,000 messages, {unread} unread", "the same in an empty one", pairs, 1.2
            )


BENCHMARKS: dict[str, Callable[[], Iterator[Row]]] = {
    "iam": iam,
    "tell": tell,
    "inbox": inbox,
    "ack": ack,
    "status": status,
    "race": race,
    "race-commands": race_commands,
    "mail": mail,
    "million": million,
}
