"""What a worktree holds that no commit has: path by path, as git sees it, and the raw bytes on disk.

By `git status`, which alone is right with filters, sparse and split indexes, SHA-256 and an index that somebody has
locked; nothing of the repository is changed by looking.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gitqueen.git import places, process
from gitqueen.git.places import Place

_ARGS = (
    "status", "--porcelain=v2", "--branch", "--no-ahead-behind", "-z", "--no-renames", "--untracked-files=all",
    "--ignore-submodules=none",
)  # fmt: skip

FILE, LINK, MODULE = "file", "link", "module"


@dataclass(frozen=True, slots=True)
class Entry:
    """One path that differs from HEAD, is staged, or is untracked and not ignored."""

    path: str
    staged: bool
    """Whether the index has something else than HEAD."""
    changed: bool
    """Whether the file is something else than the index has."""
    tracked: bool
    index_id: str | None
    """The index's object; None where the index has no such path, or several (an unfinished merge)."""
    index_mode: int
    module: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """What stands at a path on disk. `data`: the bytes, the target of a link, or the commit of a submodule."""

    kind: str
    mode: int
    """Permission bits."""
    data: bytes


@dataclass(frozen=True, slots=True)
class Look:
    """A worktree at one moment: the commit of HEAD (None: unborn) and its entries, sorted by path."""

    head: str | None
    entries: tuple[Entry, ...]


MOST_NAMED = 500
"""Paths that fit into one command line."""


def look(place: Place, paths: Sequence[str] = ()) -> Look:
    """Every path with uncommitted work (`paths`: of those at least); raises `errors.GitFailed` if git cannot tell."""
    named = ("--", *paths) if 0 < len(paths) <= MOST_NAMED else ()
    said = process.run("--literal-pathspecs", *_ARGS, *named, cwd=place.worktree, timeout=120.0).out
    head = said.partition(b"# branch.oid ")[2].partition(b"\0")[0].decode("ascii", "replace")
    entries = tuple(sorted(_parsed(said), key=lambda entry: entry.path))
    return Look(head if head and head != "(initial)" else None, entries)


CALM = 0.5
"""Seconds to wait at most for a command that is at it; a lock may have been left behind."""


def wait(place: Place) -> str:
    """Wait a moment while a command of git's writes the worktree: half of what it does tells nothing. A word for how
    the index stands then: another one after looking means that a command came between."""
    deadline = time.monotonic() + CALM
    while os.path.lexists(os.path.join(place.git_dir, "index.lock")) and time.monotonic() < deadline:
        time.sleep(0.02)
    return pace(place)


def pace(place: Place) -> str:
    return f"{_stat(place.git_dir, 'index')} {_stat(place.git_dir, 'index.lock')}"


MOST_STASHES = 20


def stashes(place: Place) -> tuple[str, ...]:
    """The last few stashes, as git's own log of them says, without a process; none where it is kept otherwise."""
    try:
        with open(os.path.join(place.common_dir, "logs", "refs", "stash"), "rb") as file:
            lines = file.read().splitlines()[-MOST_STASHES:]
    except OSError:
        return ()
    return tuple(line.split(b" ", 2)[1].decode("ascii", "replace") for line in lines if line.count(b" ") > 1)


def tracked(place: Place, paths: Sequence[str]) -> set[str]:
    """Those of `paths` that the index has."""
    if not paths:
        return set()
    named = paths if len(paths) <= MOST_NAMED else ()
    said = process.run("--literal-pathspecs", "ls-files", "-z", "--", *named, cwd=place.worktree, timeout=120.0).out
    return {os.fsdecode(path) for path in said.split(b"\0")} & set(paths)


def _parsed(output: bytes) -> Iterable[Entry]:
    for record in output.split(b"\0"):
        match record[:2]:
            case b"1 ":  # 1 XY sub mH mI mW hH hI path
                _, xy, sub, _, mode, _, _, oid, path = record.split(b" ", 8)
                there = mode != b"000000"
                yield Entry(
                    os.fsdecode(path),
                    xy[:1] != b".",
                    xy[1:] != b".",
                    there,
                    oid.decode() if there else None,
                    int(mode, 8),
                    sub[:1] == b"S",
                )
            case b"u ":  # u XY sub m1 m2 m3 mW h1 h2 h3 path
                yield Entry(os.fsdecode(record.split(b" ", 10)[10]), False, True, True, None, 0)
            case b"? ":
                yield Entry(os.fsdecode(record[2:].rstrip(b"/")), False, True, False, None, 0)
            case _:
                pass


def signature(place: Place, entries: Iterable[Entry]) -> str:
    """One word that stays the same while nothing uncommitted changes: by stats, no file is read."""
    top = place.worktree or ""
    return _digest(
        word
        for entry in entries
        for word in (entry.path, str(entry.staged), str(entry.index_id), str(entry.index_mode), stand(top, entry.path))
    )


def mark(place: Place, head: str | None, changed: Iterable[str]) -> str:
    """Like `signature`, from what somebody else saw: HEAD and the changed paths. No process; stays the same while
    neither HEAD, nor the index, nor any of these files is written."""
    top = place.worktree or ""
    words = (word for path in changed for word in (path, stand(top, path)))
    return _digest((head or "", _stat(place.git_dir, "index"), _stat(place.common_dir, "refs/stash"), *words))


def stand(top: str, path: str) -> str:
    """How a path stands; of a submodule, or a repository that somebody put inside, also where its HEAD is."""
    word = _stat(top, path)
    if not word.endswith(FOLDER):
        return word
    inside = places.find(os.path.join(top, path))
    return " ".join((word, *(_stat(inside.git_dir, name) for name in ("HEAD", "logs/HEAD")))) if inside else word


FOLDER = " folder"


def _stat(folder: str, path: str) -> str:
    try:
        seen = os.lstat(os.path.join(folder, path))
    except (OSError, ValueError):
        return "-"
    kind = FOLDER if stat.S_ISDIR(seen.st_mode) else ""
    return f"{seen.st_ino}.{seen.st_mtime_ns}.{seen.st_ctime_ns}.{seen.st_size}.{seen.st_mode}{kind}"


def _digest(words: Iterable[str]) -> str:
    import hashlib

    return hashlib.sha256("\0".join(words).encode("utf-8", "surrogateescape")).hexdigest()


def read(place: Place, entry: Entry, largest: int) -> Content | None:
    """What stands on disk, None where nothing does; raises OSError for what cannot be read, and `TooLarge`."""
    path = os.path.join(place.worktree or "", entry.path)
    try:
        seen = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISLNK(seen.st_mode):
        return Content(LINK, 0o777, os.fsencode(os.readlink(path)))
    if stat.S_ISDIR(seen.st_mode):
        return _module(path, entry)
    if not stat.S_ISREG(seen.st_mode):
        raise OSError("it is no file")
    if seen.st_size > largest:
        raise TooLarge(seen.st_size)
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise TooLarge(len(data))
    return Content(FILE, stat.S_IMODE(seen.st_mode), data)


class TooLarge(OSError):
    """A file over the limit; `size` in bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"it has {size} bytes")
        self.size = size


def _module(path: str, entry: Entry) -> Content | None:
    """The commit of a submodule, or of a repository that somebody put inside."""
    if not entry.module and entry.tracked:
        return None  # a folder stands where a file was
    said = process.run("rev-parse", "--verify", "-q", "HEAD", cwd=path, check=False)
    if said.code:
        raise OSError("it is a repository without a commit")
    return Content(MODULE, 0, said.out.strip())


def staged(place: Place, entries: Iterable[Entry], largest: int) -> dict[str, bytes]:
    """Path -> what the index holds, of those entries that are staged; larger ones are left out."""
    wanted = {one.path: one.index_id for one in entries if one.staged and one.index_id and not one.module}
    if not wanted:
        return {}
    from gitqueen.git import blobs  # mostly nothing is staged

    def git(*args: str, stdin: bytes | None = None, check: bool = True) -> process.Result:
        return process.run(*args, cwd=place.worktree, stdin=stdin, check=check, timeout=120.0)

    found = blobs.read(git, wanted.values(), largest)
    return {path: found[oid] for path, oid in wanted.items() if oid in found}
