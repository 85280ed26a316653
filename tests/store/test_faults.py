"""The database is locked, damaged, read-only, missing or out of space: a clear sentence, nothing overwritten."""

from __future__ import annotations

import json
import select
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitqueen.store import database
from gitqueen.store.database import Database
from tests.hive import Repo, Runner, Sister, gitqueen

Opener = Callable[..., Database]
Plain = Callable[..., sqlite3.Connection]

LOOKS = ("status", "claims", "conflicts", "history", "inbox --peek", "onboard", "whoami", "iam", "doctor", "check a.py")
WRITES = ("iam busy", "tell iza-1 hello", "claim deploy", "inbox", "scan")

IMPATIENT = """
import sys
from gitqueen.store import database
database.PATIENCE = 0.2
from gitqueen.cli.main import run
sys.exit(run(sys.argv[1:]))
"""
"""gitqueen, as one who waits for other writers for 0.2 seconds."""


@pytest.fixture
def iza(sister: Callable[..., Sister], repo: Callable[..., Repo]) -> Sister:
    """A sister in a repository, with a letter and a claim, whose database stands in one file."""
    one = sister("iza-1", repo(), env={"PYTHON": sys.executable, "IMPATIENT": IMPATIENT})
    assert one.sh("queen tell iza-1 hello && gitqueen claim deploy && gitqueen scan").rc == 0
    return one


def settle(home: Path) -> bytes:
    """Everything into the one file, and what it holds now; what a command left running behind it has ended then."""
    deadline = time.monotonic() + 30
    while True:
        db = sqlite3.connect(home / "queen.db", timeout=30)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        if not (home / "queen.db-wal").exists():
            break
        assert time.monotonic() < deadline, "somebody keeps the database open"
        time.sleep(0.05)
    return (home / "queen.db").read_bytes()


@pytest.fixture
def held(iza: Sister, home: Path) -> Iterator[None]:
    """Another process holds the database for writing."""
    script = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('BEGIN IMMEDIATE')"
    script += "; print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script, home / "queen.db"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"\n"
        yield
        holder.communicate(b"\n")


@pytest.mark.usefixtures("held")
def test_a_newcomer_may_look_while_it_is_held(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    newcomer = sister("iza-2", repo("other"))
    for command in ("status", "onboard", "claims", "check README"):
        done = newcomer.sh(f"gitqueen {command}")
        assert (done.rc, done.err) == (0, ""), f"{command}: {done}"


@pytest.mark.usefixtures("held")
def test_held_by_another_for_longer_than_we_wait(iza: Sister) -> None:
    for command in LOOKS:
        done = iza.sh(f'"$PYTHON" -c "$IMPATIENT" {command}')
        assert (done.rc, done.err) == (0, ""), f"{command}: {done}"
    for command in WRITES:
        done = iza.sh(f'"$PYTHON" -c "$IMPATIENT" {command}')
        assert (done.rc, done.out) == (5, ""), f"{command}: {done}"
        assert done.err == "gitqueen: the queen's database is held by another program\n  → try again in a moment\n"
    done = iza.sh('"$PYTHON" -c "$IMPATIENT" tell iza-1 hello --json')
    assert (done.rc, json.loads(done.out), done.err) == (
        5,
        {
            "schema": 1,
            "error": {
                "code": "busy",
                "message": "the queen's database is held by another program",
                "hint": "try again in a moment",
            },
        },
        "",
    )


def test_whoever_waits_gets_it_as_soon_as_it_is_free(iza: Sister, plain_db: Plain) -> None:
    holder = plain_db()
    holder.execute("BEGIN EXCLUSIVE")
    iza.begin("gitqueen claim db")
    assert iza.process.stdout is not None
    assert select.select([iza.process.stdout], [], [], 0.5)[0] == []  # she waits, and does not give up
    holder.execute("COMMIT")
    assert iza.end().rc == 0


def damaged(home: Path) -> list[str]:
    """What a command says, with or without the path at hand."""
    names = (f"{home}/queen.db", "the queen's database")
    return [f"gitqueen: {name} is damaged, nothing was changed in it\n  → gitqueen doctor\n" for name in names]


def _garbage(whole: bytes) -> bytes:
    return b"no database, but quite long enough to be one" * 100 + whole[4400:]


def _truncated(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


@pytest.mark.parametrize("spoil", [_garbage, _truncated])
def test_a_damaged_file_is_said_and_left_as_it_is(
    spoil: Callable[[bytes], bytes], iza: Sister, home: Path, run: Runner
) -> None:
    spoiled = spoil(settle(home))
    (home / "queen.db").write_bytes(spoiled)
    for command in ("status", "claims", "inbox", "tell iza-1 hello", "iam x", "claim deploy", "scan"):
        done = iza.sh(f"gitqueen {command}")
        assert (done.rc, done.out) == (4, ""), f"{command}: {done}"
        assert done.err in damaged(home)
    said = json.loads(iza.sh("gitqueen claims --json").out)["error"]
    assert (said["code"], said["hint"]) == ("damaged", "gitqueen doctor")
    assert (home / "queen.db").read_bytes() == spoiled
    assert not (home / "crash.log").exists()
    # And what the doctor says mends it.
    (bad,) = [one for one in json.loads(iza.sh("gitqueen doctor --json").out)["checks"] if not one["ok"]]
    assert bad["name"] == "database"
    run("sh", "-c", bad["mend"], check=True)
    assert iza.sh("gitqueen doctor && queen tell iza-1 again && gitqueen inbox").rc == 0
    assert (home / "damaged" / "queen.db").read_bytes() == spoiled


def test_a_page_overwritten_never_looks_like_a_bug(iza: Sister, home: Path, plain_db: Plain) -> None:
    whole = settle(home)
    db = plain_db()
    size = db.execute("PRAGMA page_size").fetchone()[0]
    roots = dict(db.execute("SELECT name, rootpage FROM sqlite_master WHERE rootpage").fetchall())
    db.close()
    for table, command in (
        ("messages", "inbox --all"),
        ("claims", "claims"),
        ("events", "history"),
        ("sisters", "status"),
    ):
        at = (roots[table] - 1) * size
        spoiled = whole[:at] + b"\xa5" * size + whole[at + size :]
        for beside in home.glob("queen.db*"):
            beside.unlink()
        (home / "queen.db").write_bytes(spoiled)
        done = iza.sh(f"gitqueen {command}")
        assert (done.rc, done.out) == (4, ""), f"{table}: {done}"
        assert done.err in damaged(home)
        assert (home / "queen.db").read_bytes() == spoiled
        assert iza.sh("gitqueen doctor").rc == 1
    assert not (home / "crash.log").exists()


def test_a_folder_in_place_of_the_file(home: Path, run: Runner) -> None:
    (home / "queen.db").mkdir(parents=True)
    done = run("gitqueen", "status")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith(f"gitqueen: {home}/queen.db cannot be written: ")


@pytest.mark.parametrize("path", ["file", "file/below", "/proc/none/queen"])
def test_a_home_that_cannot_be_made(path: str, tmp_path: Path, run: Runner) -> None:
    (tmp_path / "file").write_text("")
    done = run("gitqueen", "status", env={"GITQUEEN_HOME": str(tmp_path / path)})
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith(f"gitqueen: {tmp_path / path}/queen.db cannot be written: ")
    assert str(tmp_path / path) in done.stderr.splitlines()[1]
    assert run("gitqueen", "doctor", env={"GITQUEEN_HOME": str(tmp_path / path)}).returncode in (0, 1)


@pytest.mark.needs_bwrap
def test_a_home_that_a_sandbox_keeps_from_us(iza: Sister, home: Path) -> None:
    """Agents' sandboxes mount the home read-only."""
    before = settle(home)
    for command in ("status", "tell iza-1 hello", "claim db", "iam x"):
        done = iza.sh(f"bwrap --ro-bind / / --dev /dev {gitqueen()} {command}")
        assert (done.rc, done.out) == (4, ""), f"{command}: {done}"
        what, hint = done.err.splitlines()
        assert what.startswith(f"gitqueen: {home}/queen.db cannot be written: ")
        assert hint == (f"  → allow this folder in the sandbox settings of the agent, or mend its rights: {home}")
    done = iza.sh(f"bwrap --ro-bind / / --dev /dev {gitqueen()} doctor --json")
    bad = {one["name"] for one in json.loads(done.out)["checks"] if not one["ok"]}
    assert done.rc == 1
    assert "home writable" in bad
    assert (home / "queen.db").read_bytes() == before
    assert not (home / "crash.log").exists()


FULL = """
n=0
while [ $n -lt 60 ]; do
    n=$((n + 1))
    queen tell iza-1 - <"$1" >>sent 2>said && echo $n >>acknowledged && continue
    echo "$? $(head -n 1 said)" >>refused
    [ "$(wc -l <refused)" -lt 3 ] || break
done
gitqueen inbox --all --peek --json >inbox; echo $? >looked
queen claim deploy >/dev/null 2>>refused || :
rm "$GITQUEEN_HOME/ballast"
queen tell iza-1 "room again" >>sent && echo room >>acknowledged
gitqueen inbox --all --peek --json >later
cp "$GITQUEEN_HOME/queen.db"* .
"""


@pytest.mark.needs_bwrap
def test_a_full_disk_refuses_and_loses_nothing(
    sister: Callable[..., Sister], home: Path, tmp_path: Path, plain_db: Plain
) -> None:
    """A file system of 2 MB, letters of 60 KB."""
    iza = sister("iza-1", tmp_path)
    home.mkdir(parents=True)
    (tmp_path / "letter").write_text("x" * 60_000)
    (tmp_path / "full.sh").write_text(f'head -c 400000 /dev/zero >"$GITQUEEN_HOME/ballast"\n{FULL}')
    done = iza.sh(f"bwrap --dev-bind / / --size 2000000 --tmpfs {home} sh full.sh letter")
    assert (done.rc, done.err) == (0, "")
    refused = (tmp_path / "refused").read_text().splitlines()
    assert len(refused) >= 3
    assert {line.partition(" ")[0] for line in refused[:3]} == {"4"}
    assert all("the disk is full" in line for line in refused[:3]), refused
    acknowledged = (tmp_path / "acknowledged").read_text().splitlines()
    assert len(acknowledged) > 5 and acknowledged[-1] == "room"
    assert (tmp_path / "looked").read_text() == "0\n"
    assert len(json.loads((tmp_path / "inbox").read_text())["messages"]) == len(acknowledged) - 1
    assert len(json.loads((tmp_path / "later").read_text())["messages"]) == len(acknowledged)
    assert plain_db(tmp_path / "queen.db").execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_explains_only_what_is_not_our_own_bug() -> None:
    db = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.OperationalError, match="no such table"), database.faults():
        db.execute("SELECT * FROM none_such")
    db.close()
