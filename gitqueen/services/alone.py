"""Alone: what only one process of this home may do at a time, a scan or being the daemon.

The lock dies with the process that holds it, however it ends. Apart, because filelock takes 45 ms to import.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from gitqueen import errors


@contextmanager
def only(path: str, patience: float) -> Iterator[bool]:
    """Hold the lock file `path`; False when another still holds it after `patience` seconds."""
    lock = FileLock(path, mode=0o600)
    try:
        lock.acquire(timeout=patience, poll_interval=0.02)
    except Timeout:
        yield False
        return
    except OSError as fault:
        raise errors.CannotWork(f"the lock {path} cannot be taken: {fault}", hint="gitqueen doctor") from None
    try:
        yield True
    finally:
        lock.release()


def taken(path: str) -> bool:
    """Whether somebody holds the lock file `path` now."""
    with only(path, 0.0) as free:
        return not free
