"""The file and its folder: rights, every earlier schema, racing migrators, newer and foreign databases, networks."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen import errors
from gitqueen.store import database, schema
from gitqueen.store.database import Database
from tests.hive import Runner, Sister

Opener = Callable[..., Database]
Plain = Callable[..., sqlite3.Connection]

ORIGINAL = """
CREATE TABLE sisters (pid INTEGER PRIMARY KEY, name TEXT NOT NULL, git_branch TEXT, current_task TEXT,
    task_source TEXT DEFAULT 'auto', status TEXT, last_seen TEXT);
CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, from_sister TEXT, to_sister TEXT NOT NULL,
    body TEXT NOT NULL, priority TEXT DEFAULT 'normal', sent_at TEXT NOT NULL, read_at TEXT, acked_at TEXT);
CREATE TABLE claims (id TEXT PRIMARY KEY, owner TEXT NOT NULL, description TEXT, claimed_at TEXT NOT NULL,
    released_at TEXT);
CREATE TABLE conflicts (id TEXT PRIMARY KEY, type TEXT NOT NULL, sisters TEXT NOT NULL, detail TEXT,
    detected_at TEXT NOT NULL, resolved_at TEXT);
"""
"""What the original queen made, as the contract has it."""

ROWS = """
INSERT INTO messages VALUES (159, 'izabael', 'iza-2', 'QUEEN DISPATCH', 'urgent', '2026-04-11T05:29:02Z', NULL, NULL);
INSERT INTO claims VALUES ('deploy', 'iza-1', 'rolling out', '2026-04-11T05:29:02.123456+02:00', NULL);
INSERT INTO conflicts VALUES ('c1', 'file-collision', '["iza-1", "iza-2"]', 'a.py', '2026-04-11 05:29:02', NULL);
INSERT INTO sisters VALUES (4194304, 'iza-1', 'main', 'shipping', 'declared', 'working', '2999-01-01T00:00:00');
"""


def earlier(home: Path, number: int) -> Path:
    """The database as version `number` of the schema left it, with rows in it; 0: as the original queen made it."""
    home.mkdir(parents=True)
    path = home / "queen.db"
    db = sqlite3.connect(path)
    for migration in schema.MIGRATIONS[:number] or (ORIGINAL,):
        db.executescript(migration)
    db.executescript(ROWS)
    db.execute(f"PRAGMA user_version = {number}")
    db.close()
    return path


def shape(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table's columns and every index."""
    db = sqlite3.connect(path)
    names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    found = {name: db.execute(f"PRAGMA table_info({name})").fetchall() for name in names}
    found["indexes"] = db.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
    ).fetchall()
    db.close()
    return found


def modes(folder: Path) -> dict[str, str]:
    return {path.name: f"{stat.S_IMODE(path.stat().st_mode):o}" for path in (folder, *sorted(folder.iterdir()))}


def test_the_public_tables_are_those_of_the_contract(
    home: Path, tmp_path: Path, queen_db: Opener, plain_db: Plain
) -> None:
    queen_db()
    plain_db(tmp_path / "contract.db").executescript(ORIGINAL)
    ours, contract = shape(home / "queen.db"), shape(tmp_path / "contract.db")
    assert {table: ours[table] for table in contract if table != "indexes"} == {
        table: columns for table, columns in contract.items() if table != "indexes"
    }
    for table, columns in schema.PUBLIC.items():
        assert [column[1] for column in ours[table]] == columns


@pytest.mark.parametrize("number", range(schema.VERSION))
def test_every_earlier_schema_is_upgraded_and_its_rows_stay(
    number: int, home: Path, run: Runner, queen_db: Opener
) -> None:
    path = earlier(home, number)
    said = json.loads(run("gitqueen", "status", "--json", check=True).stdout)
    assert [(one["name"], one["status"], one["task"]) for one in said["sisters"]] == [("iza-1", "unknown", "shipping")]
    assert [(one["id"], one["owner"], one["claimed_at"]) for one in said["claims"]] == [
        ("deploy", "iza-1", "2026-04-11T03:29:02Z")
    ]
    assert [(one["id"], one["sisters"]) for one in said["conflicts"]] == [("c1", ["iza-1", "iza-2"])]
    assert said["mail"] == [{"sister": "iza-2", "unread": 1, "urgent": 1}]
    assert database.version(queen_db()) == schema.VERSION
    queen_db(home / "new")
    assert shape(path) == shape(home / "new" / "queen.db")


@pytest.mark.parametrize("start", [None, *range(schema.VERSION)])
def test_racing_migrators_migrate_once(start: int | None, home: Path, queen_db: Opener) -> None:
    if start is not None:
        earlier(home, start)
    gate, opener = os.pipe()
    script = "import os, sys; os.read(0, 1); from gitqueen.store import database; database.open(sys.argv[1])"
    racers = [
        subprocess.Popen([sys.executable, "-c", script, home], stdin=gate, stderr=subprocess.PIPE) for _ in range(12)
    ]
    os.close(gate)
    os.close(opener)  # and off they go
    ends = [(one.communicate(timeout=60)[1], one.returncode) for one in racers]
    assert ends == [(b"", 0)] * len(racers)
    db = queen_db()
    assert database.version(db) == schema.VERSION
    assert database.damage(db) == []
    assert database.journal(db) == "wal"
    assert db.execute("SELECT count(*) FROM messages").fetchone() == (0 if start is None else 1,)


def test_a_newer_database_is_refused_and_left_alone(home: Path, run: Runner) -> None:
    db = database.open(str(home))
    db.execute("PRAGMA user_version = 999")
    db.close()
    before = (home / "queen.db").read_bytes()
    said = f"the queen's database has version 999, this gitqueen knows {schema.VERSION}: nothing was changed"
    for command in (["status"], ["tell", "iza-1", "hello"], ["iam", "x"], ["claim", "deploy"], ["scan"]):
        done = run("gitqueen", *command)
        assert (done.returncode, done.stdout, done.stderr) == (
            4,
            "",
            f"gitqueen: {said}\n  → upgrade gitqueen, or point GITQUEEN_HOME at another folder\n",
        )
    assert json.loads(run("gitqueen", "claims", "--json").stdout) == {
        "schema": 1,
        "error": {
            "code": "cannot",
            "message": said,
            "hint": "upgrade gitqueen, or point GITQUEEN_HOME at another folder",
        },
    }
    assert (home / "queen.db").read_bytes() == before


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (
            "messages (id INTEGER PRIMARY KEY, text)",
            "its table messages has the columns id, text, not id, from_sister, ",
        ),
        ("events (id INTEGER PRIMARY KEY, what)", "table events already exists; nothing was changed in it"),
    ],
)
def test_another_programs_database_is_refused_and_left_alone(
    table: str, why: str, home: Path, run: Runner, plain_db: Plain
) -> None:
    db = plain_db()
    db.execute(f"CREATE TABLE {table}")
    before = shape(home / "queen.db")
    done = run("gitqueen", "status")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith(f"gitqueen: {home}/queen.db is another program's: {why}")
    assert shape(home / "queen.db") == before
    assert db.execute("PRAGMA user_version").fetchone() == (0,)


OURS_ALONE = {"queen.db": "600", "queen.db-shm": "600", "queen.db-wal": "600", "next-scan": "600"}


@pytest.mark.parametrize("umask", ["000", "022", "077"])
def test_nobody_else_may_read_it_whatever_the_umask(umask: str, home: Path, run: Runner) -> None:
    run("sh", "-c", f'umask {umask}; "$@"', "sh", _command(), "iam", check=True)
    assert modes(home) == {"queen": "700", **OURS_ALONE}


def test_loose_rights_are_tightened(home: Path, run: Runner, plain_db: Plain) -> None:
    db = plain_db()
    home.chmod(0o755)
    (home / "queen.db").chmod(0o644)
    db.executescript(f"PRAGMA journal_mode = WAL; {ORIGINAL}")  # stays open: the -wal and -shm beside it are loose too
    assert modes(home) == {"queen": "755", "queen.db": "644", "queen.db-shm": "644", "queen.db-wal": "644"}
    run("gitqueen", "iam", check=True)
    assert modes(home) == {"queen": "700", **OURS_ALONE}


def test_a_folder_that_all_share_keeps_its_rights(tmp_path: Path, run: Runner) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    run("gitqueen", "iam", env={"GITQUEEN_HOME": str(shared)}, check=True)
    assert modes(shared) == {"shared": "1777", **OURS_ALONE}


def _command() -> str:
    return os.path.join(os.path.dirname(sys.executable), "gitqueen")


def test_a_missing_database_is_made_anew_and_takes_nothing_from_an_old_log(
    home: Path, sister: Callable[..., Sister], queen_db: Opener
) -> None:
    iza = sister("iza-1")
    assert iza.sh("gitqueen claim deploy").rc == 0
    assert (home / "queen.db-wal").stat().st_size > 0
    (home / "queen.db").unlink()
    assert iza.sh("gitqueen claims").out == 'no claims   (take one: gitqueen claim deploy -m "why")\n'
    assert database.damage(queen_db()) == []


MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
//nas/my\\040files /mnt/my\\040files cifs rw 0 0
/dev/vdb /home/local ext4 rw 0 0
sshfs#x /mnt/over fuse.sshfs rw 0 0
tmpfs /mnt/over tmpfs rw 0 0
"""


@pytest.mark.parametrize(
    ("home", "network"),
    [
        ("/root/.claude/queen", False),
        ("/home", True),
        ("/home/iza/.claude/queen", True),
        ("/homestead", False),
        ("/home/local/iza", False),
        ("/mnt/my files/queen", True),
        ("/mnt/my", False),
        ("/mnt/over/queen", False),
    ],
)
def test_a_network_home_is_known_by_its_mount(home: str, network: bool, tmp_path: Path) -> None:
    (tmp_path / "mounts").write_text(MOUNTS)
    assert database.on_network(home, str(tmp_path / "mounts")) is network


def test_without_a_list_of_mounts_a_home_is_local(tmp_path: Path) -> None:
    assert database.on_network("/home", str(tmp_path / "none")) is False


# Whatever this file system is, it is a network's now: the only way to have one in a test.
ON_NETWORK = """
import sys
from gitqueen.store import database
class Any(frozenset):
    def __contains__(self, kind): return True
database.NETWORK_FILESYSTEMS = Any()
from gitqueen.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def test_a_network_home_has_no_write_ahead_log_and_the_doctor_says_so(
    home: Path, run: Runner, sister: Callable[..., Sister], plain_db: Plain
) -> None:
    iza = sister("iza-1", env={"SCRIPT": ON_NETWORK, "PYTHON": sys.executable})
    assert iza.sh('"$PYTHON" -c "$SCRIPT" tell iza-1 "over the wire"').rc == 0
    assert plain_db().execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert not (home / "queen.db-wal").exists()
    assert "over the wire" in iza.sh("gitqueen inbox").out
    checks = json.loads(run(sys.executable, "-c", ON_NETWORK, "doctor", "--json").stdout)["checks"]
    assert [check for check in checks if check["name"] == "journal"] == [
        {
            "name": "journal",
            "ok": False,
            "detail": "a network file system: no write-ahead log, writers wait longer",
            "mend": "point GITQUEEN_HOME at a folder on a local disk",
        }
    ]


def test_patience_is_the_connections_own(queen_db: Opener) -> None:
    holder, other = queen_db(), queen_db(patience=0.05)
    with database.transaction(holder, durable=True), pytest.raises(errors.Busy) as raised:
        database.transaction(other).__enter__()
    assert raised.value.message == "the queen's database is held by another program"
    assert other.execute("PRAGMA busy_timeout").fetchone() == (50,)
    with database.transaction(other):
        pass


def test_a_transaction_is_all_or_nothing(queen_db: Opener) -> None:
    db = queen_db()

    def half() -> None:
        with database.transaction(db):
            db.execute("INSERT INTO messages (to_sister, body, sent_at) VALUES ('a', 'b', 'c')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert db.execute("SELECT count(*) FROM messages").fetchone() == (0,)
    assert not db.in_transaction


@pytest.mark.parametrize(("durable", "level"), [(True, 2), (False, 1)])
def test_what_is_durable_survives_power_loss(durable: bool, level: int, queen_db: Opener) -> None:
    db = queen_db()
    for _ in range(2):
        with database.transaction(db, durable=durable):
            assert db.execute("PRAGMA synchronous").fetchone() == (level,)
        with database.transaction(db, durable=not durable):
            assert db.execute("PRAGMA synchronous").fetchone() == (3 - level,)
