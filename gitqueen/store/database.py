"""Opening the queen's database, and transactions on it.

Write-ahead log, one short BEGIN IMMEDIATE a doing, migrations inside the lock, and SQLite's faults turned into
sentences. What is in the tables is the business of the modules beside this one.
"""

from __future__ import annotations

import builtins
import os
import sqlite3
import stat
import time

from gitqueen import errors
from gitqueen.store import schema
from gitqueen.tracing import step

PATIENCE = 10.0
"""Seconds to wait for another writer; 64 writers in a row need about one."""

NETWORK_FILESYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "fuse.rclone", "virtiofs", "glusterfs"}
)


class Database(sqlite3.Connection):
    """A connection that knows how long its owner is ready to wait."""

    patience = PATIENCE
    durable: bool | None = None
    """What `PRAGMA synchronous` stands at: said again only when it changes."""


def open(home: str, patience: float | None = None) -> Database:
    """The queen's database in the folder `home`, made when missing, migrated when older.

    `patience`: seconds to wait for other writers. Raises `errors.CannotWork` (newer than this program, corrupt,
    read-only, full) or `errors.Busy`.
    """
    path = os.path.join(home, "queen.db")
    with step("store", f"open {path}"), faults(path):
        _furnish(home, path)
        db = _connect(path, PATIENCE if patience is None else patience)
        try:
            if version(db) != schema.VERSION:
                _upgrade(db, home, path)
        except BaseException:
            db.close()
            raise
        return db


def look(home: str, patience: float = 2.0) -> Database:
    """The database as it is, for who only wants to see: nothing is made, migrated or tightened."""
    from pathlib import Path  # only for the doctor

    path = os.path.join(home, "queen.db")
    with faults(path):
        return _connect(f"{Path(path).as_uri()}?mode=ro", patience, uri=True)


def _connect(target: str, patience: float, uri: bool = False) -> Database:
    db = sqlite3.connect(target, timeout=patience, isolation_level=None, factory=Database, uri=uri)
    db.patience = patience
    # Other programs may have written bytes that are no UTF-8: shown, never a crash.
    db.text_factory = lambda raw: raw.decode("utf-8", "backslashreplace")
    return db


def _furnish(home: str, path: str) -> None:
    """The folder is 0700 and the file 0600, whoever made them and whatever the umask."""
    try:
        if not os.path.exists(path):
            os.makedirs(home, mode=0o700, exist_ok=True)
            # Made by us, not by SQLite: 0600 from its first moment on; -wal and -shm inherit it.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        _tighten(home, 0o700)
        if _tighten(path, 0o600):
            for beside in (f"{path}-wal", f"{path}-shm", f"{path}-journal"):
                if os.path.exists(beside):
                    _tighten(beside, 0o600)
    except OSError as fault:
        raise _unwritable(path, fault.strerror or str(fault)) from None


def _tighten(path: str, mode: int) -> bool:
    found = os.stat(path)
    # Never a folder that all share (GITQUEEN_HOME=/tmp), nor another user's: the doctor says so.
    if not found.st_mode & 0o077 or found.st_mode & stat.S_ISVTX or found.st_uid != os.geteuid():
        return False
    try:
        os.chmod(path, mode)
    except OSError:
        return False  # a read-only file system: whether that matters is for SQLite to say
    return True


def version(db: Database) -> int:
    found: int = db.execute("PRAGMA user_version").fetchone()[0]
    return found


def journal(db: Database) -> str:
    """`wal`, `delete`..."""
    return str(db.execute("PRAGMA journal_mode").fetchone()[0])


def damage(db: Database) -> list[str]:
    """What SQLite finds broken, up to five sentences; it reads the whole file."""
    found = [str(row[0]) for row in db.execute("PRAGMA quick_check(5)")]
    return [] if found == ["ok"] else found


def _upgrade(db: Database, home: str, path: str) -> None:
    if version(db) < schema.VERSION:
        if (wrong := schema.misfit(db)) is not None:
            raise _foreign(path, wrong)
        _set_journal(db, "DELETE" if on_network(home) else "WAL")
        with transaction(db, durable=True):
            _migrate(db, path)
    if (found := version(db)) > schema.VERSION:
        raise errors.CannotWork(
            f"the queen's database has version {found}, this gitqueen knows {schema.VERSION}: nothing was changed",
            hint="upgrade gitqueen, or point GITQUEEN_HOME at another folder",
        )


def _migrate(db: Database, path: str) -> None:
    # The version is read again under the lock: another process may have migrated while this one waited.
    for number, migration in enumerate(schema.MIGRATIONS[version(db) :], version(db) + 1):
        for statement in migration.split(";"):
            try:
                db.execute(statement)
            except sqlite3.OperationalError as fault:
                if _primary(fault) != sqlite3.SQLITE_ERROR:
                    raise
                raise _foreign(path, str(fault)) from fault  # a table of somebody else's has the name of one of ours
        db.execute(f"PRAGMA user_version = {number}")


def _foreign(path: str, why: str) -> errors.CannotWork:
    return errors.CannotWork(
        f"{path} is another program's: {why}; nothing was changed in it", hint="point GITQUEEN_HOME at another folder"
    )


def _set_journal(db: Database, wanted: str) -> None:
    deadline = time.monotonic() + db.patience
    while True:
        try:
            db.execute(f"PRAGMA journal_mode = {wanted}")
            return
        except sqlite3.OperationalError as fault:
            # Changing the journal needs the file alone and SQLite does not wait for that: several first commands race.
            if time.monotonic() > deadline or not _is_busy(fault):
                raise
        time.sleep(0.01)


def on_network(home: str, mounts: str = "/proc/mounts") -> bool:
    """Whether `home` lies on a network file system, where shared memory (so WAL) does not work."""
    try:
        with builtins.open(mounts, encoding="utf-8", errors="surrogateescape") as file:
            lines = [line.split(" ") for line in file]
    except OSError:
        return False
    real, deepest, kind = os.path.realpath(home), -1, ""
    for words in lines:
        point = _unescape(words[1]) if len(words) > 2 else ""
        # Of two mounts on one point the later lies on top.
        if point and len(point) >= deepest and (real + "/").startswith(point.rstrip("/") + "/"):
            deepest, kind = len(point), words[2]
    return kind in NETWORK_FILESYSTEMS


def _unescape(word: str) -> str:
    """The kernel writes blanks in a mount's path as octal numbers."""
    for code, char in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        word = word.replace(code, char)
    return word


class transaction:
    """`with transaction(db, durable=True):` all of it or nothing; durable survives power loss, else a kill.

    `patience`: seconds to wait for other writers, where it is not that of the connection.
    """

    __slots__ = ("db", "durable", "guard", "patience")

    def __init__(self, db: Database, durable: bool = False, patience: float | None = None) -> None:
        self.db, self.durable, self.guard = db, durable, faults()
        self.patience = db.patience if patience is None else patience

    def __enter__(self) -> None:
        with self.guard:
            if self.db.durable is not self.durable:
                self.db.execute(f"PRAGMA synchronous = {'FULL' if self.durable else 'NORMAL'}")
                self.db.durable = self.durable
            _begin(self.db, self.patience)

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, _: object) -> None:
        with self.guard:
            try:
                if kind is None:
                    self.db.execute("COMMIT")
            finally:
                # SQLite ends the transaction by itself on a full disk or an I/O error.
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
        self.guard.__exit__(kind, fault, _)


def _begin(db: Database, patience: float) -> None:
    # SQLite's own waiting sleeps up to 100 ms between two looks, so that whoever came last wins: of 64 writers with
    # commits of 4 ms, 29 times in 3,840 one starved for 10 s. Here whoever waits longer looks more often, at uneven
    # times: the longest wait was a third of that, at the same throughput.
    started = time.monotonic()
    db.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                db.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as fault:
                waited = time.monotonic() - started
                if waited >= patience or not _is_busy(fault):
                    raise
            # Not ever more often: on a busy machine the looking itself would keep the one who holds it from its end.
            time.sleep((0.001 + time.perf_counter_ns() % 9973 / 500_000) / (1 + min(waited, 3) ** 2))
    finally:
        db.execute(f"PRAGMA busy_timeout = {int(db.patience * 1000)}")


class faults:
    """Turns what SQLite says into one of our errors: `with faults():` around any reading."""

    __slots__ = ("path",)

    def __init__(self, path: str = "the queen's database") -> None:
        self.path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, _: object) -> None:
        if isinstance(fault, sqlite3.Error) and (said := explain(fault, self.path)) is not None:
            raise said from fault


def _is_busy(fault: sqlite3.Error) -> bool:
    return _primary(fault) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _primary(fault: sqlite3.Error) -> int:
    return getattr(fault, "sqlite_errorcode", 0) & 0xFF


def explain(fault: sqlite3.Error, path: str = "the queen's database") -> errors.GitqueenError | None:
    """The error to raise in place of `fault`; None where it is our own bug (wrong SQL)."""
    match _primary(fault):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return errors.Busy(f"{path} is held by another program", hint="try again in a moment")
        case sqlite3.SQLITE_FULL:
            return errors.CannotWork(f"the disk is full: {path} was left as it was", hint="make room and try again")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return errors.Damaged(f"{path} is damaged, nothing was changed in it", hint="gitqueen doctor")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_IOERR:
            return _unwritable(path, str(fault))
        case _:
            return None


def _unwritable(path: str, reason: str) -> errors.Unwritable:
    folder = os.path.dirname(path)
    return errors.Unwritable(
        f"{path} cannot be written: {reason}",
        hint=f"allow this folder in the sandbox settings of the agent, or mend its rights: {folder or 'GITQUEEN_HOME'}",
    )
