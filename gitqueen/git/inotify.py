"""The kernel's inotify, by ctypes: Python has no call for it, and libraries for it start processes or threads.

Linux only; `open` returns None elsewhere and where this user has no instance left.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterator

CREATE, DELETE, MODIFY, ATTRIB, MOVED = 0x100, 0x200, 0x2, 0x4, 0xC0
SELF = 0x400 | 0x800
"""The folder itself was removed or renamed."""
OVERFLOW, IGNORED = 0x4000, 0x8000
"""Events were lost; a watch is gone."""
_ONLY_FOLDERS = 0x01000000 | 0x02000000 | 0x04000000  # no links, nothing of files that are unlinked already
_EVENT = struct.Struct("iIII")


class Inotify:
    """One instance, which never waits."""

    def __init__(self, libc: ctypes.CDLL, descriptor: int) -> None:
        self._libc, self._descriptor = libc, descriptor

    def add(self, folder: str, mask: int) -> int:
        """The number of a watch on `folder`; the same for the same folder. Raises `OSError`."""
        number = self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), mask | _ONLY_FOLDERS)
        return _checked(number, folder)

    def remove(self, number: int) -> None:
        """Raises `OSError` where it is gone already."""
        _checked(self._libc.inotify_rm_watch(self._descriptor, number), "")

    def read(self) -> Iterator[tuple[int, int, bytes]]:
        """(number of the watch, what happened, to what in the folder) since the last time."""
        while True:
            try:
                raw = os.read(self._descriptor, 1 << 16)
            except BlockingIOError:
                return
            at = 0
            while at < len(raw):
                number, mask, _, length = _EVENT.unpack_from(raw, at)
                start, at = at + _EVENT.size, at + _EVENT.size + length
                yield number, mask, raw[start:at].rstrip(b"\0")


def _checked(result: int, path: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), path)
    return result


def open() -> Inotify | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    return Inotify(libc, descriptor) if descriptor >= 0 else None
