"""A pack made in memory: new objects that go into a repository by one git process.

`git hash-object`, `mktree` and `commit-tree` are a process each, and `fast-import` takes as long as eight of them.
Objects are whole here, never deltas: those are for whoever packs at leisure.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping

from gitqueen.git import process
from gitqueen.git.places import Place

Entries = dict[str, tuple[bytes, str]]
"""The entries of a tree: name -> (mode as git writes it, object id)."""
FOLDER, FILE = b"40000", b"100644"
_KINDS = {"commit": 1, "tree": 2, "blob": 3}


def entries(content: bytes, like: str) -> Entries:
    """A tree as git keeps it, in the hash that the id `like` is of."""
    found: Entries = {}
    at, size = 0, len(like) // 2
    while at < len(content):
        space = content.index(b" ", at)
        end = content.index(b"\0", space)
        name = content[space + 1 : end].decode("utf-8", "surrogateescape")
        found[name] = (content[at:space], content[end + 1 : end + 1 + size].hex())
        at = end + 1 + size
    return found


def tree(found: Mapping[str, tuple[bytes, str]]) -> bytes:
    """The content of a tree, in git's order: folders as if their names ended in a slash."""

    def order(entry: tuple[bytes, bytes, str]) -> bytes:
        return entry[0] + (b"/" if entry[1] == FOLDER else b"")

    named = [(name.encode("utf-8", "surrogateescape"), mode, oid) for name, (mode, oid) in found.items()]
    return b"".join(mode + b" " + name + b"\0" + bytes.fromhex(oid) for name, mode, oid in sorted(named, key=order))


def write(place: Place, objects: Iterable[tuple[str, bytes]], like: str) -> None:
    """Put (kind, content) into the repository. Raises `errors.GitFailed` where it cannot be written."""
    digest = "sha256" if len(like) == 64 else "sha1"
    process.run("unpack-objects", "-q", cwd=place.folder, stdin=_pack(objects, digest))


def add(where: str, objects: Iterable[tuple[str, bytes]]) -> None:
    """The same for the git folder of a SHA-1 repository of our own, which keeps the pack as it is."""
    process.run(f"--git-dir={where}", "index-pack", "--stdin", stdin=_pack(objects, "sha1"), timeout=300.0)


def _pack(objects: Iterable[tuple[str, bytes]], digest: str) -> bytes:
    import hashlib  # 2.5 ms, which a look at a clean worktree need not pay

    parts = [_header(_KINDS[kind], len(content)) + zlib.compress(content, 1) for kind, content in objects]
    pack = b"PACK" + (2).to_bytes(4, "big") + len(parts).to_bytes(4, "big") + b"".join(parts)
    return pack + hashlib.new(digest, pack, usedforsecurity=False).digest()


def _header(kind: int, size: int) -> bytes:
    """Kind and size: four bits of the size beside the kind, then seven a byte, the lowest first."""
    said, rest = [kind << 4 | size & 15], size >> 4
    while rest:
        said[-1] |= 128
        said.append(rest & 127)
        rest >>= 7
    return bytes(said)
