"""A bare repository of our own, its loose objects and refs written and read without a git process.

A snapshot of ten files is some twenty small objects: `git fast-import` takes longer for them than `git status` for the
whole worktree. An object stands whole before anything names it, so a kill at any moment tears nothing. Many at once
are a pack. What is packed is read by git. Never for a user's repository, which may have another format.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Sequence

from gitqueen import errors
from gitqueen.git import packs, process

CONFIG = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
[gc]
\tauto = 0
[maintenance]
\tauto = false
"""
MANY = 300
"""Objects of a batch above which they become one pack: a file each would take longer, and a block of the disk each."""
TRIES = 5
"""How often a folder is made that `git gc` takes away again, because it was empty."""
HEX = frozenset(b"0123456789abcdef")


def make(where: str) -> None:
    """An empty repository in the new folder `where`; raises OSError. Not by `git init`, to which the user's settings
    say what formats and templates he likes."""
    os.mkdir(where, 0o700)
    for name in ("objects/info", "objects/pack", "refs/heads"):
        os.makedirs(os.path.join(where, name))
    for name, text in (("HEAD", "ref: refs/heads/main\n"), ("config", CONFIG)):
        with open(os.path.join(where, name), "w", encoding="ascii") as file:
            file.write(text)


def blob_id(content: bytes) -> str:
    return _sha1(b"blob %d\0" % len(content), content)


def _sha1(raw: bytes, more: bytes = b"") -> str:
    import hashlib  # 2.5 ms, which a look at a clean worktree need not pay

    digest = hashlib.sha1(raw, usedforsecurity=False)
    digest.update(more)
    return digest.hexdigest()


def write(where: str, kind: str, content: bytes) -> str:
    """Put an object into the repository, whole or not at all; its id. Raises `errors.CannotWork`.

    One that stands there already is read: a damaged one is replaced, and a whole one made young, because `git gc`
    deletes what is old and not named by anything yet.
    """
    raw = b"%s %d\0" % (kind.encode("ascii"), len(content)) + content
    oid = _sha1(raw)
    path = _path(where, oid)
    if not _stands(path, raw):
        _put(where, path, zlib.compress(raw, 1))
    return oid


def _path(where: str, oid: str) -> str:
    return os.path.join(where, "objects", oid[:2], oid[2:])


def _stands(path: str, raw: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            whole = zlib.decompress(file.read()) == raw
        os.utime(path)
    except (OSError, zlib.error):
        return False
    return whole


def _put(where: str, path: str, data: bytes) -> None:
    """Under a name that `git gc` takes for left behind, and clears away, until it is whole."""
    part = os.path.join(where, "objects", f"tmp_obj_{os.urandom(8).hex()}")
    try:
        with open(part, "xb", opener=_read_only) as file:
            file.write(data)
        for left in reversed(range(TRIES)):
            try:
                os.replace(part, path)
                return
            except FileNotFoundError:
                if not left:
                    raise
                os.makedirs(os.path.dirname(path), exist_ok=True)
    except OSError as fault:
        if os.path.lexists(part):
            os.unlink(part)
        raise errors.CannotWork(f"{path} cannot be written: {fault.strerror}", hint="gitqueen doctor") from None


def _read_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o444)


class Batch:
    """Objects that are known by their ids already, and stand in the repository after `write`."""

    __slots__ = ("objects", "where")

    def __init__(self, where: str) -> None:
        self.where = where
        self.objects: dict[str, tuple[str, bytes]] = {}

    def add(self, kind: str, content: bytes) -> str:
        oid = _sha1(b"%s %d\0" % (kind.encode("ascii"), len(content)), content)
        self.objects[oid] = (kind, content)
        return oid

    def tree(self, files: Iterable[tuple[str, int, str]]) -> str:
        """The trees of (path, mode, object id); the id of the top."""
        folders: dict[str, packs.Entries] = {"": {}}
        for path, mode, oid in files:
            folder, _, name = path.rpartition("/")
            folders.setdefault(folder, {})[name] = (b"%o" % mode, oid)
        for folder in list(folders):
            while folder:
                folder = folder.rpartition("/")[0]
                folders.setdefault(folder, {})
        for folder in sorted(filter(None, folders), key=lambda one: one.count("/"), reverse=True):
            above, _, name = folder.rpartition("/")
            folders[above][name] = (packs.FOLDER, self.add("tree", packs.tree(folders[folder])))
        return self.add("tree", packs.tree(folders[""]))

    def commit(self, top: str, seconds: int, message: str) -> str:
        """A parentless commit of the tree `top`."""
        who = f"gitqueen <gitqueen@localhost> {seconds} +0000"
        return self.add("commit", f"tree {top}\nauthor {who}\ncommitter {who}\n\n{message}\n".encode())

    def write(self) -> None:
        """Raises `errors.CannotWork`."""
        if len(self.objects) <= MANY:
            for kind, content in self.objects.values():
                write(self.where, kind, content)
            return
        known = _known(self.where, list(self.objects))
        if missing := [one for oid, one in self.objects.items() if oid not in known]:
            packs.add(self.where, missing)


def _known(where: str, oids: Sequence[str]) -> set[str]:
    """Those that stand there already, loose or packed, and are made young."""
    stdin = "".join(f"{oid}\n" for oid in oids).encode("ascii")
    folder = os.path.join(where, "objects", "pack")
    for name in os.listdir(folder):
        _freshen(os.path.join(folder, name))
    asked = ("cat-file", "--batch-check=%(objectname)", "--buffer")
    said = process.run(f"--git-dir={where}", *asked, stdin=stdin, timeout=120.0).out
    known = {line for line in said.decode("ascii").split("\n") if line and not line.endswith(" missing")}
    for path in (_path(where, oid) for oid in known):
        _freshen(path)
    return known


def _freshen(path: str) -> None:
    try:
        os.utime(path)
    except OSError:
        pass  # it is packed, or was meanwhile


def point(where: str, ref: str, oid: str) -> None:
    """Make the new ref `ref`: the last thing done, after all that it leads to."""
    _put(where, os.path.join(where, ref), f"{oid}\n".encode("ascii"))


def read(where: str, oid: str) -> bytes | None:
    """The content of a loose object; None where it is none, or damaged: then git is asked."""
    try:
        with open(_path(where, oid), "rb") as file:
            raw = zlib.decompress(file.read())
    except (OSError, zlib.error):
        return None
    return raw[raw.index(b"\0") + 1 :] if _sha1(raw) == oid else None


def tree_of(where: str, oid: str) -> str | None:
    """The tree of a commit, where that is loose."""
    content = read(where, oid) or b""
    return content[5:45].decode("ascii", "replace") if content.startswith(b"tree ") else None


def walk(where: str, top: str) -> list[tuple[str, int, str]] | None:
    """(path, mode, object id) of every file below the tree `top`; None where not all of the trees are loose."""
    found, ahead = [], [("", top)]
    while ahead:
        prefix, oid = ahead.pop()
        content = read(where, oid)
        if content is None:
            return None
        for name, (mode, inside) in packs.entries(content, oid).items():
            if mode == packs.FOLDER:
                ahead.append((f"{prefix}{name}/", inside))
            else:
                found.append((prefix + name, int(mode, 8), inside))
    return sorted(found, key=lambda one: os.fsencode(one[0]))


def ask(where: str, names: Sequence[str]) -> list[bytes | None]:
    """The content of each, by git; None for what is missing or damaged, which ends git's own answer in the middle."""
    found: list[bytes | None] = []
    while len(found) < len(names):
        stdin = os.fsencode("".join(f"{one}\n" for one in names[len(found) :]))
        said = process.run(f"--git-dir={where}", "cat-file", "--batch", stdin=stdin, check=False, timeout=120.0).out
        at = 0
        while len(found) < len(names) and (end := said.find(b"\n", at)) >= 0:
            words = said[at:end].split()
            if len(words) != 3 or not words[2].isdigit():
                found.append(None)
                at = end + 1
                continue
            size = int(words[2])
            if len(said) < end + 1 + size + 1:
                break
            found.append(said[end + 1 : end + 1 + size])
            at = end + 1 + size + 1
        if len(found) < len(names):
            found.append(None)
    return found


def ref(where: str, name: str) -> str | None:
    """Where a ref leads; None where there is none."""
    return _said(os.path.join(where, name)) or dict(_packed(where)).get(name)


def refs(where: str, prefix: str) -> dict[str, str]:
    """What follows `prefix` (which ends in a slash) -> object id, of all refs below it."""
    # Loose ones first: `git gc` may pack one between the two looks.
    found = {name: oid for name in _files(where, prefix) if (oid := _said(os.path.join(where, name)))}
    found.update(_packed(where))
    return {name[len(prefix) :]: oid for name, oid in found.items() if name.startswith(prefix)}


def names(where: str, prefix: str) -> set[str]:
    """The same without the ids: no file is read for each of them."""
    found = {*_files(where, prefix), *(name for name, _ in _packed(where))}
    return {name[len(prefix) :] for name in found if name.startswith(prefix)}


def _files(where: str, prefix: str) -> list[str]:
    top = os.path.join(where, prefix)
    return [os.path.relpath(os.path.join(folder, name), where) for folder, _, names in os.walk(top) for name in names]


def _said(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            said = file.read(64).strip()
    except OSError:
        return None  # packed meanwhile
    return said.decode("ascii") if len(said) == 40 and HEX.issuperset(said) else None


def _packed(where: str) -> list[tuple[str, str]]:
    try:
        with open(os.path.join(where, "packed-refs"), "rb") as file:
            lines = [line.rstrip(b"\n").partition(b" ") for line in file]
    except OSError:
        return []  # nothing is packed
    return [(os.fsdecode(name), oid.decode("ascii")) for oid, _, name in lines if len(oid) == 40]
