"""Drafts: objects that gitqueen makes to look ahead (what a worktree would be if it were committed, what a merge would
give), in `<git-common-dir>/gitqueen/merges` of a managed repository, else in the user's cache.

Never in the user's own objects: git reads those, and those of clones, as alternates. All of it can be made again, so
that it is thrown away whole when it is old or large.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from gitqueen import errors
from gitqueen.git import process

LARGEST = 256 * 1024 * 1024
"""Bytes that a folder of drafts may have."""
OLDEST = 24 * 3600.0
"""Seconds that it may live."""

QUIETLY = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.splitIndex=false"),
    *("-c", "core.looseCompression=1"),
    *("-c", "gc.auto=0"),
)
"""Settings of commands that make drafts: nobody's hooks run, a copied index leaves no second file behind, and what
lives an hour need not be small."""


def top(common_dir: str) -> str:
    """The folder of all that is made to look ahead in one repository."""
    ours = os.path.join(common_dir, "gitqueen")
    if os.path.isdir(ours) and not os.path.islink(ours) and os.access(ours, os.W_OK):
        return os.path.join(ours, "merges")
    import hashlib  # no hook comes here

    # Where nobody asked us in, nothing is written; a sandbox may forbid it, too.
    return os.path.join(_cache(), hashlib.sha256(os.fsencode(common_dir)).hexdigest()[:16])


def _cache() -> str:
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "gitqueen", "merges")


def folder(common_dir: str) -> str:
    return os.path.join(top(common_dir), "objects")


def make(common_dir: str) -> str:
    """The folder of objects, made when missing."""
    where = folder(common_dir)
    try:
        if not os.path.isdir(where):
            os.makedirs(where, mode=0o700, exist_ok=True)
            with open(_born(common_dir), "w", encoding="ascii"):
                pass
    except OSError as fault:
        raise errors.GitFailed(f"{where} cannot be made: {fault.strerror or fault}") from None
    return where


def _born(common_dir: str) -> str:
    """A file as old as the folder, which is written again and again."""
    return os.path.join(top(common_dir), "born")


def environment(common_dir: str, beside: Iterable[str] = (), env: Mapping[str, str] | None = None) -> dict[str, str]:
    """`env` (None: ours without git's local variables) for a git that writes drafts of the repository `common_dir` and
    reads its objects, its drafts, and those of the clones `beside` (common dirs). Makes the folder."""
    where = make(common_dir)
    clones = [other for other in dict.fromkeys(beside) if other != common_dir]
    read = [os.path.join(common_dir, "objects")]
    for other in clones:
        read += [os.path.join(other, "objects"), folder(other)]
    full = {**(process.without_local(os.environ) if env is None else env), **process.OFFLINE}
    if known := full.get("GIT_OBJECT_DIRECTORY"):
        read.append(known)  # somebody looks ahead already: a push that is being received
    return {**process.borrowing(full, read), "GIT_OBJECT_DIRECTORY": where}


def birth(common_dir: str) -> str:
    """One word that changes whenever the drafts were thrown away: what was made of them before is gone."""
    try:
        found = os.stat(_born(common_dir))
    except OSError:
        return ""
    return f"{found.st_ino}.{found.st_mtime_ns}"


def prune(common_dir: str, now: float, largest: int = LARGEST, oldest: float = OLDEST) -> bool:
    """Throw all drafts away where they are older than `oldest` seconds at `now` or have more than `largest` bytes;
    whether that was done. Who reads them at this moment finds nothing, and says that it is unknown."""
    try:
        age = now - os.stat(_born(common_dir)).st_mtime
    except OSError:
        return False
    if -oldest <= age <= oldest and _size(folder(common_dir), largest) <= largest:
        return False
    return drop(common_dir)


def drop(common_dir: str) -> bool:
    """Throw all drafts of a repository away; whether there were any."""
    import shutil

    where = top(common_dir)
    trash = f"{where}.{os.getpid()}"
    try:
        os.rename(where, trash)
    except OSError:
        return False
    shutil.rmtree(trash, ignore_errors=True)
    return True


def drop_cached() -> None:
    """Throw away what is in the user's cache."""
    import shutil

    shutil.rmtree(_cache(), ignore_errors=True)
    try:
        os.rmdir(os.path.dirname(_cache()))
    except OSError:
        pass


def _size(where: str, enough: int) -> int:
    """Bytes of all files below, counted until they are more than `enough`."""
    total, folders = 0, [where]
    while folders and total <= enough:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return total
