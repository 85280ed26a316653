"""What was written into a repository's hooks, by checksum: how uninstalling knows that it restored byte for byte.

`<git-common-dir>/gitqueen/hooks.json`. Only ever compared with, and read without following links: a repository that
came as an archive may bring one. Whoever changes hooks holds its lock, so that two at once do not mix.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from gitqueen.git import markers

_NAME = "hooks.json"
_LARGEST = 256 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """SHA-256 of a file before our change (None: there was none) and after it."""

    before: str | None
    after: str


def checksum(text: bytes | None) -> str | None:
    import hashlib  # only where hooks are written or looked at

    return None if text is None else hashlib.sha256(text).hexdigest()


@contextmanager
def locked(common_dir: str) -> Iterator[None]:
    """Nobody else who holds this changes hooks meanwhile. Without our folder, or locks, it holds nothing."""
    import fcntl

    folder = markers.open_folder(common_dir, markers.FOLDER, make=False)
    try:
        if folder is not None:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX)
            except OSError:
                pass  # a file system without locks: files are still replaced whole, and looked at before
        yield
    finally:
        if folder is not None:
            os.close(folder)


def read(common_dir: str) -> dict[str, Record]:
    """Path -> record; empty where there is none or it makes no sense."""
    folder = markers.open_folder(common_dir, markers.FOLDER, make=False)
    if folder is None:
        return {}
    try:
        said = json.loads(_bytes(folder))
        files = said["files"].items()
        return {str(path): Record(_sum(one["before"]), str(one["after"])) for path, one in files}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    finally:
        os.close(folder)


def _bytes(folder: int) -> bytes:
    with open(os.open(_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder), "rb") as file:
        return file.read(_LARGEST) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""


def _sum(value: object) -> str | None:
    return value if isinstance(value, str) else None


def write(common_dir: str, records: Mapping[str, Record]) -> None:
    """Replace it whole; without records it goes. A folder that cannot be written is no reason to fail."""
    folder = markers.open_folder(common_dir, markers.FOLDER, make=bool(records))
    if folder is None:
        return
    shape = {"files": {name: {"before": one.before, "after": one.after} for name, one in sorted(records.items())}}
    part = f"{_NAME}.{os.getpid()}"
    try:
        if not records:
            os.unlink(_NAME, dir_fd=folder)
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(part, flags, 0o644, dir_fd=folder), "w", encoding="ascii") as file:
            json.dump(shape, file, indent=1)
        os.replace(part, _NAME, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        pass
    finally:
        os.close(folder)
