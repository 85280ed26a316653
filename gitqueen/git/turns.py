"""Turns: who keeps the work of a worktree at this moment, and who shall: files and locks beside the snapshots.

On the path of every edit that an agent's hook records, so that what writes snapshots (`rescue`) is not imported here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from gitqueen import errors
from gitqueen.git.places import Place


def folder(place: Place) -> str:
    return os.path.join(place.common_dir, "gitqueen", "rescue.git")


def prepare(place: Place) -> str:
    """The repository, made when missing: whole or not at all, whoever else makes it at this moment."""
    where = folder(place)
    if os.path.islink(where) or os.path.islink(os.path.dirname(where)):
        raise errors.CannotWork(f"{where} is reached by a link, and a link is none of ours", hint="remove the link")
    if os.path.isdir(os.path.join(where, "refs")):
        return where
    from gitqueen.git import loose  # few calls make one

    part = f"{where}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(where), exist_ok=True)
        loose.make(part)
        os.rename(part, where)
    except OSError as fault:
        import shutil

        shutil.rmtree(part, ignore_errors=True)
        if not os.path.isdir(os.path.join(where, "refs")):  # nobody else made it meanwhile either
            raise errors.CannotWork(f"{where} cannot be made: {fault.strerror}", hint="gitqueen doctor") from None
    return where


def ask(place: Place, until: float = 0.0) -> bool:
    """Ask that this worktree be looked at, and again until then (unix time); whether nobody is there who will."""
    path = os.path.join(folder(place), f"asked-{_key(place)}")
    if not os.path.isdir(folder(place)):
        return True
    try:
        with open(path, "ab") as file:
            if os.fstat(file.fileno()).st_mtime < until:
                os.utime(path, (until, until))
            elif not until:
                os.utime(path)
    except OSError:
        return False  # what cannot be written keeps nothing either
    with keeper(place) as free:
        return free


def asked(place: Place, since: float) -> bool:
    """Whether somebody asked after `since`."""
    try:
        return os.stat(os.path.join(folder(place), f"asked-{_key(place)}")).st_mtime > since
    except OSError:
        return False


@contextmanager
def keeper(place: Place, patience: float = 0.0) -> Iterator[bool]:
    """Be the one who looks at this worktree for those who ask; False where somebody is."""
    with _locked(f"keeper-{_key(place)}", prepare(place), patience) as mine:
        yield mine


@contextmanager
def alone(place: Place, patience: float) -> Iterator[None]:
    """Be the only one who keeps work of this worktree. Raises `errors.Busy` after `patience` seconds."""
    with _locked(f"lock-{_key(place)}", prepare(place), patience) as mine:
        if not mine:
            raise errors.Busy(f"{place.worktree} is being kept by somebody else", hint="try again")
        yield


@contextmanager
def _locked(lock: str, where: str, patience: float) -> Iterator[bool]:
    """A kill lets go of it."""
    import fcntl
    import time

    deadline = time.monotonic() + patience
    path = os.path.join(where, lock)
    try:
        held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as fault:
        raise errors.CannotWork(f"{path} cannot be written: {fault.strerror}", hint="gitqueen doctor") from None
    try:
        mine = False
        while not mine:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                mine = True
            except OSError:
                if time.monotonic() >= deadline:
                    break
                time.sleep(0.01)
        yield mine
    finally:
        os.close(held)


def _key(place: Place) -> str:
    """A word for a worktree, by a sum that costs no import; two with the same one would take turns."""
    from binascii import crc32

    return f"{crc32(os.fsencode(place.worktree or '')):08x}"
