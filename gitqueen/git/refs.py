"""Refs of ours in a managed repository: `refs/gitqueen/...`, each to a blob, so that no log and no graph shows them.

Changed by compare-and-swap in one transaction of git's own: who loses a race reads again. What such a ref points at is
data: somebody else may have pushed it, and it may be anything of any size.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from gitqueen import errors
from gitqueen.git import process
from gitqueen.git.places import Place

PREFIX = "refs/gitqueen"
LARGEST = 64 * 1024
"""Bytes of a blob that is read: ours have a few hundred."""
SETTLED = 0.1
"""Seconds after which a file's time tells it from a later change: file systems count in steps."""

# Short waits for a lock that somebody holds, and no reflog, which would keep every version of a note for months.
QUICK = (
    "-c", "core.filesRefLockTimeout=100", "-c", "core.packedRefsTimeout=200", "-c", "core.logAllRefUpdates=false",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """Set `ref` to a blob of `text` (None: remove it), if it still is `old` (None: it must not exist)."""

    ref: str
    old: str | None
    text: bytes | None


def listed(place: Place) -> dict[str, str]:
    """Ref -> object id of all of ours and whatever others put beside them."""
    asked = process.run("for-each-ref", "--format=%(objectname) %(refname)", PREFIX, cwd=place.folder)
    lines = os.fsdecode(asked.out).split("\n")[:-1]
    return {ref: oid for oid, _, ref in (line.partition(" ") for line in lines)}


@dataclass(frozen=True, slots=True)
class Object:
    """One object as git keeps it; `kind`: blob, tree, commit, tag."""

    oid: str
    kind: str
    content: bytes
    whole: bool = True
    """False where it is too large to be read, and `content` is empty."""


def objects(place: Place, names: Sequence[str], largest: int = LARGEST) -> dict[str, Object]:
    """Name (of any form that git knows) -> object, of those that are there; in one process, but for large ones."""
    found: dict[str, Object] = {}
    at = 0
    while at < len(names):
        at += _read(place, names[at:], largest, found)
    return found


def _read(place: Place, names: Sequence[str], largest: int, found: dict[str, Object]) -> int:
    """Read up to the first that is too large: to skip its content would mean to read it. How many were dealt with."""
    stdin = os.fsencode("".join(f"{name}\n" for name in names))
    with process.reading("cat-file", "--batch", cwd=place.folder, stdin=stdin) as out:
        for at, name in enumerate(names):
            words = out.readline().split()
            if len(words) != 3 or not words[2].isdigit():
                continue  # missing, ambiguous
            oid, kind, size = words[0].decode("ascii"), words[1].decode("ascii"), int(words[2])
            if size > largest:
                found[name] = Object(oid, kind, b"", whole=False)
                return at + 1
            found[name] = Object(oid, kind, out.read(size))
            out.read(1)
    return len(names)


def object_id(kind: str, content: bytes, like: str) -> str:
    """The id that git gives an object, in the hash that the id `like` is of."""
    import hashlib  # only where refs are compared

    digest = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return digest(f"{kind} {len(content)}\0".encode() + content).hexdigest()


def apply(place: Place, changes: Sequence[Change]) -> str | None:
    """Make all of `changes` or none; None when done, else git's words: a ref was not as it should be, or is locked.

    Raises `errors.GitFailed` where no object can be written.
    """
    oids = iter(_written(place, [change.text for change in changes if change.text is not None]))
    lines = b"".join(_line(change, None if change.text is None else next(oids)) for change in changes)
    return update(place, lines)


def update(place: Place, lines: bytes) -> str | None:
    """Give `lines` to `git update-ref -z --stdin`; None when done, else git's words."""
    done = process.run(*QUICK, "update-ref", "-z", "--stdin", cwd=place.folder, stdin=lines, check=False)
    return None if done.code == 0 else done.err or "git update-ref failed"


def _line(change: Change, oid: str | None) -> bytes:
    # Never through a symbolic ref: what it leads to is not ours.
    if oid is None:
        return os.fsencode(f"option no-deref\0delete {change.ref}\0{change.old or ''}\0")
    return os.fsencode(f"option no-deref\0update {change.ref}\0{oid}\0{change.old or '0' * len(oid)}\0")


def _written(place: Place, texts: Sequence[bytes]) -> list[str]:
    """The ids of blobs of `texts`, which are written."""
    if not texts:
        return []
    if len(texts) == 1:
        said = process.run("hash-object", "-w", "-t", "blob", "--stdin", cwd=place.folder, stdin=texts[0])
        return said.out.decode("ascii").split()
    import tempfile  # several at once: a repository that is mirrored for the first time

    with tempfile.TemporaryDirectory() as box:
        paths = [os.path.join(box, str(number)) for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            with open(path, "wb") as file:
                file.write(text)
        stdin = os.fsencode("".join(f"{path}\n" for path in paths))
        args = ("hash-object", "-w", "-t", "blob", "--no-filters", "--stdin-paths")
        return process.run(*args, cwd=place.folder, stdin=stdin).out.decode("ascii").split()


def is_lock(words: str) -> bool:
    """Whether git said that somebody holds a lock, or left one behind."""
    return ".lock'" in words and "exists" in words.lower()


def ignores_case(place: Place) -> bool:
    """Whether two refs that differ only in case are one file there."""
    asked = process.run("config", "--type=bool", "core.ignoreCase", cwd=place.folder, check=False)
    return asked.out.strip() == b"true"


def stamp(common_dir: str, now: float) -> str | None:
    """What shows by a few stats whether refs of ours changed; None where a change may still hide in a file's time."""
    parts = ("refs/gitqueen", "refs/gitqueen/tasks", "refs/gitqueen/claims", "packed-refs", "reftable/tables.list")
    said = []
    for part in parts:
        try:
            stat = os.stat(os.path.join(common_dir, part))
        except OSError:
            said.append("-")
            continue
        if abs(now - stat.st_mtime) < SETTLED:
            return None
        said.append(f"{stat.st_ino:x}.{stat.st_mtime_ns:x}.{stat.st_size:x}")
    return " ".join(said)


def head(place: Place) -> str | None:
    """The commit that HEAD of a worktree is, None on an unborn branch: from its file, where there is one."""
    parts = (place.common_dir, "refs", "heads", place.branch) if place.branch else (place.git_dir, "HEAD")
    try:
        with open(os.path.join(*parts), "rb") as file:
            said = file.read(100).strip().decode("ascii", "replace")
    except OSError:
        said = ""
    if len(said) in (40, 64) and not said.strip("0123456789abcdef"):
        return said
    from gitqueen.git import commits

    try:
        return commits.head(place)
    except errors.GitFailed:
        return None
