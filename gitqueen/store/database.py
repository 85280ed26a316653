"""Opening the queen's database, and transactions on it.

Write-ahead log, one short BEGIN IMMEDIATE a doing, migrations inside the lock, and SQLite's faults turned into
sentences. What is in the tables is the business of the modules beside this one.
"""

from __future__ import annotations

import builtins
import os
import sqlite3
import time
from typing import TypeAlias

from gitqueen import errors
from gitqueen.store import schema
from gitqueen.tracing import step

Database: TypeAlias = sqlite3.Connection

PATIENCE = 10.0
"""Seconds to wait for another writer; 64 writers in a row need about one."""

NETWORK_FILESYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "fuse.rclone", "virtiofs", "glusterfs"}
)


def open(home: str, patience: float = PATIENCE) -> Database:
    """The queen's database in the folder `home`, made when missing, migrated when older.

    Raises `errors.CannotWork` (newer than this program, corrupt, read-only, full) or `errors.Busy`.
    """
    path = os.path.join(home, "queen.db")
    with step("store", f"open {path}"), faults(path):
        if not os.path.exists(path):
            _create(home, path)
        db = sqlite3.connect(path, timeout=patience, isolation_level=None)
        # Other programs may have written bytes that are no UTF-8: shown, never a crash.
        db.text_factory = lambda raw: raw.decode("utf-8", "backslashreplace")
        try:
            _upgrade(db, home, path)
        except BaseException:
            db.close()
            raise
        return db


def _create(home: str, path: str) -> None:
    try:
        os.makedirs(home, mode=0o700, exist_ok=True)
        os.chmod(home, 0o700)
        # Made by us, not by SQLite: 0600 from its first moment on; -wal and -shm inherit it.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as fault:
        raise _unwritable(path, fault.strerror or str(fault)) from None


def version(db: Database) -> int:
    found: int = db.execute("PRAGMA user_version").fetchone()[0]
    return found


def _upgrade(db: Database, home: str, path: str) -> None:
    if version(db) < schema.VERSION:
        _set_journal(db, home)
        with transaction(db, durable=True):
            # Read again under the lock: another process may have migrated while this one waited.
            for number, migration in enumerate(schema.MIGRATIONS[version(db) :], version(db) + 1):
                for statement in migration.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {number}")
        os.chmod(path, 0o600)
    if (found := version(db)) > schema.VERSION:
        raise errors.CannotWork(
            f"the queen's database has version {found}, this gitqueen knows {schema.VERSION}: nothing was changed",
            hint="upgrade gitqueen, or point GITQUEEN_HOME at another folder",
        )


def _set_journal(db: Database, home: str) -> None:
    wanted = "DELETE" if on_network(home) else "WAL"
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            db.execute(f"PRAGMA journal_mode = {wanted}")
            return
        except sqlite3.OperationalError as fault:
            # Changing the journal needs the file alone and SQLite does not wait for that: several first commands race.
            if time.monotonic() > deadline or not _is_busy(fault):
                raise
            time.sleep(0.01)


def on_network(home: str) -> bool:
    """Whether `home` lies on a network file system, where shared memory (so WAL) does not work."""
    try:
        with builtins.open("/proc/mounts") as mounts:
            lines = [line.split() for line in mounts]
    except OSError:
        return False
    real = os.path.realpath(home)
    under = [(len(words[1]), words[2]) for words in lines if len(words) > 2 and _within(real, words[1])]
    return bool(under) and max(under)[1] in NETWORK_FILESYSTEMS


def _within(path: str, mount: str) -> bool:
    return path == mount or path.startswith(mount.rstrip("/") + "/")


class transaction:
    """`with transaction(db, durable=True):` all of it or nothing; durable survives power loss, else a kill."""

    __slots__ = ("db", "durable", "guard")

    def __init__(self, db: Database, durable: bool = False) -> None:
        self.db, self.durable, self.guard = db, durable, faults()

    def __enter__(self) -> None:
        with self.guard:
            self.db.execute(f"PRAGMA synchronous = {'FULL' if self.durable else 'NORMAL'}")
            self.db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, _: object) -> None:
        if kind is None:
            with self.guard:
                try:
                    self.db.execute("COMMIT")
                    return
                except BaseException:
                    self._roll_back()
                    raise
        self._roll_back()
        if isinstance(fault, sqlite3.Error):
            raise explain(fault) from fault

    def _roll_back(self) -> None:
        # SQLite ends the transaction by itself on a full disk or an I/O error.
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")


class faults:
    """Turns what SQLite says into one of our errors: `with faults():` around any reading."""

    __slots__ = ("path",)

    def __init__(self, path: str = "the queen's database") -> None:
        self.path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, _: object) -> None:
        if isinstance(fault, sqlite3.Error):
            raise explain(fault, self.path) from fault


def _is_busy(fault: sqlite3.Error) -> bool:
    return _primary(fault) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _primary(fault: sqlite3.Error) -> int:
    return getattr(fault, "sqlite_errorcode", 0) & 0xFF


def explain(fault: sqlite3.Error, path: str = "the queen's database") -> Exception:
    """The error to raise for `fault`; `fault` itself where it is our own bug (wrong SQL)."""
    match _primary(fault):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return errors.Busy(f"{path} is held by another program", hint="try again in a moment")
        case sqlite3.SQLITE_FULL:
            return errors.CannotWork(f"the disk is full: {path} was left as it was", hint="make room and try again")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return errors.CannotWork(
                f"{path} is damaged, nothing was changed in it",
                hint="gitqueen doctor; or move the file away: a new one is made",
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_IOERR:
            return _unwritable(path, str(fault))
        case _:
            return fault


def _unwritable(path: str, reason: str) -> errors.CannotWork:
    folder = os.path.dirname(path)
    return errors.CannotWork(
        f"{path} cannot be written: {reason}",
        hint=f"allow this folder in the sandbox settings of the agent, or mend its rights: {folder or 'GITQUEEN_HOME'}",
    )
