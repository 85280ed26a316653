"""Refs of ours in a managed repository: `refs/gitqueen/...`, each to a blob, so that no log and no graph shows them.

Changed by compare-and-swap in one transaction of git's own: who loses a race reads again. What such a ref points at is
data: somebody else may have pushed it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from gitqueen.git import process
from gitqueen.git.places import Place

PREFIX = "refs/gitqueen/"
LARGEST = 64 * 1024
"""Bytes of a blob that is read: ours have a few hundred."""


@dataclass(frozen=True, slots=True)
class Change:
    """Set `ref` to a blob of `text` (None: remove it), if it still is `old` (None: it must not exist)."""

    ref: str
    old: str | None
    text: bytes | None


def listed(place: Place, prefix: str = PREFIX) -> dict[str, str]:
    """Ref -> object id of all below `prefix`."""
    asked = process.run("for-each-ref", "--format=%(objectname) %(refname)", prefix, cwd=_where(place))
    lines = os.fsdecode(asked.out).splitlines()
    return {ref: oid for oid, _, ref in (line.partition(" ") for line in lines)}


@dataclass(frozen=True, slots=True)
class Object:
    """One object as git keeps it; `kind`: blob, tree, commit, tag."""

    oid: str
    kind: str
    content: bytes


def objects(place: Place, names: Sequence[str]) -> dict[str, Object]:
    """Name (of any form that git knows) -> object, of those that are there and of a sane size; in one process."""
    stdin = os.fsencode("".join(f"{name}\n" for name in names))
    said = process.run("cat-file", "--batch", cwd=_where(place), stdin=stdin, check=False).out
    found: dict[str, Object] = {}
    at = 0
    for name in names:
        head, newline, _ = said[at : at + 4096].partition(b"\n")
        if not newline:
            break
        at += len(head) + 1
        words = head.split()
        if len(words) != 3 or not words[2].isdigit():
            continue  # missing, ambiguous
        size = int(words[2])
        if size <= LARGEST:
            found[name] = Object(words[0].decode("ascii"), words[1].decode("ascii"), said[at : at + size])
        at += size + 1
    return found


def blob_id(text: bytes, like: str) -> str:
    """The id that git gives a blob of `text`, in the hash that the id `like` is of."""
    import hashlib  # only where refs are compared

    digest = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return digest(b"blob %d\0" % len(text) + text).hexdigest()


def empty_id(place: Place) -> str:
    """The id of the empty blob in the repository's hash."""
    asked = process.run("hash-object", "-t", "blob", "--stdin", cwd=_where(place), stdin=b"")
    return asked.out.decode("ascii").strip()


def apply(place: Place, changes: Sequence[Change]) -> bool:
    """Make all of `changes` or none; False when a ref was not as it should be, or could not be locked."""
    if not changes:
        return True
    lines = b"".join(_line(place, change) for change in changes)
    return process.run("update-ref", "-z", "--stdin", cwd=_where(place), stdin=lines, check=False).code == 0


def _line(place: Place, change: Change) -> bytes:
    if change.text is None:
        return os.fsencode(f"delete {change.ref}\0{change.old or ''}\0")
    oid = _written(place, change.text)
    return os.fsencode(f"update {change.ref}\0{oid}\0{change.old or '0' * len(oid)}\0")


def _written(place: Place, text: bytes) -> str:
    said = process.run("hash-object", "-w", "-t", "blob", "--stdin", cwd=_where(place), stdin=text)
    return said.out.decode("ascii").strip()


def _where(place: Place) -> str:
    return place.worktree or place.git_dir
