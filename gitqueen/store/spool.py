"""The spool: what hooks that only record left behind, one small file a hook, taken from there by a drain.

`$GITQUEEN_HOME/spool/<event>.<pid>`; the form is written by `hooks/git-hook-busy.sh`. `draining` tells the hooks that
somebody is at it, `full` that nobody has been for long, so that it never grows without bound.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

FIELDS = 11
MOST = 10_000
"""Files after which hooks stop writing until somebody drained."""
TORN = 60.0
"""Seconds after which a half-written record is given up: its hook was killed."""
_LARGEST = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """What one hook saw; all of it is data from outside."""

    event: str
    folder: str
    """The hook's working folder."""
    git_dir: str
    """As git said it, perhaps relative to the folder."""
    work_tree: str
    head: str
    """Commit id, or nothing where the hook could not read it."""
    busy: str
    above: tuple[tuple[int, int], ...]
    """(pid, start ticks) of the processes above the hook, the nearest first."""
    name: str
    """GITQUEEN_NAME."""
    session: str
    """Session id of an agent, from the environment."""
    arguments: str
    stdin: str
    at: float
    """Unix time at which it was written."""
    key: str = ""
    """The same whenever it is read again, and of no other record."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A file as it was read."""

    path: str
    size: int


def prepare(home: str) -> None:
    """Make the folder; without it hooks record nothing."""
    try:
        os.mkdir(os.path.join(home, "spool"), 0o700)
    except OSError:
        pass  # there already, or a home that cannot be written: then nothing else could be either


def waiting(home: str) -> set[str]:
    """The names of the files that wait."""
    return set(_names(home))


def take(home: str, now: datetime) -> Iterator[tuple[Taken, list[Record]]]:
    """Each file with its records, the oldest first; the caller removes it once they are in the book."""
    found = []
    for name in _names(home):
        path = os.path.join(home, "spool", name)
        try:
            found.append((os.stat(path).st_mtime_ns, path))
        except OSError:
            continue  # another drain was faster
    for written, path in sorted(found):
        records, size, whole = _read(path, written)
        if whole or abs(now.timestamp() - written / 1e9) > TORN:
            yield Taken(path, size), records


def _names(home: str) -> list[str]:
    try:
        entries = os.listdir(os.path.join(home, "spool"))
    except OSError:
        return []
    return [name for name in entries if name.startswith("post-") and name.rpartition(".")[2].isdigit()]


def _read(path: str, written: int) -> tuple[list[Record], int, bool]:
    """The whole records of a file (one hook, or several whose process had the same number), how many bytes that is,
    and whether that is all: a hook that has made its file and is yet to write it has nothing whole in it."""
    try:
        with open(path, "rb") as file:
            raw = file.read(_LARGEST)
    except OSError:
        return [], 0, False
    fields = os.fsdecode(raw).split("\0")
    whole = len(fields) - 1
    records = [
        _record(fields[start : start + FIELDS], written / 1e9, f"{os.path.basename(path)}:{start}:{written}")
        for start in range(0, whole, FIELDS + 1)
        if fields[start + FIELDS : start + FIELDS + 1] == ["end"]
    ]
    return records, len(raw), fields[-1] == "" and whole > 0 and whole % (FIELDS + 1) == 0


def _record(fields: list[str], at: float, key: str) -> Record:
    event, folder, git_dir, work_tree, head, busy, above, name, session, arguments, stdin = fields
    return Record(
        event, folder, git_dir, work_tree, head, busy, _bodies(above), name, session, arguments, stdin, at, key
    )


def _bodies(text: str) -> tuple[tuple[int, int], ...]:
    pairs = (word.partition(":")[::2] for word in text.split())
    return tuple((int(pid), int(ticks)) for pid, ticks in pairs if pid.isdecimal() and ticks.isdecimal())


def remove(taken: Taken) -> None:
    """Its records are in the book. A file that grew meanwhile holds one more: it stays, and is read again."""
    try:
        if os.stat(taken.path).st_size == taken.size:
            os.unlink(taken.path)
    except OSError:
        pass


@contextmanager
def drained_by_us(home: str, patience: float) -> Iterator[bool]:
    """Be the only one who drains; False when another is still at it after `patience` seconds, or stands in line for it
    already: who has not begun will see all that is there now."""
    folder = os.path.join(home, "spool")
    with open(os.path.join(folder, "lock"), "ab") as lock:
        mine = _locked(lock.fileno())
        if not mine and patience > 0:
            line = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                deadline = time.monotonic() + (patience if _locked(line) else 0)
                while not (mine := _locked(lock.fileno())) and time.monotonic() < deadline:
                    time.sleep(0.02)
            finally:
                os.close(line)
        yield mine


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def say_draining(home: str, draining: bool) -> None:
    """Tell the hooks that what they write is taken without their starting anybody; or that it no longer is."""
    path = os.path.join(home, "spool", "draining")
    if not draining:
        _gone(path)
        return
    part = f"{path}.{os.getpid()}"
    with open(part, "w", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")
    os.replace(part, path)


def bound(home: str) -> None:
    """Stop the hooks from writing while too much waits, and let them again when it does not."""
    path = os.path.join(home, "spool", "full")
    if len(_names(home)) > MOST:
        try:
            with open(path, "ab"):
                pass
        except OSError:
            pass  # a spool that cannot be written does not grow either
    else:
        _gone(path)


def _gone(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
