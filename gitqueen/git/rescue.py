"""The rescue repository `<git-common-dir>/gitqueen/rescue.git`: bare and our own, so that the user's is never touched.

A snapshot is a parentless commit there, `refs/rescue/<worktree>/<time>`: meta.json, and under `worktree/` and `index/`
the changed paths only, as raw bytes. Its form is the contract's; what goes in and for how long is decided elsewhere.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gitqueen import errors
from gitqueen.git import process
from gitqueen.git.places import Place
from gitqueen.git.uncommitted import FILE, LINK, Content
from gitqueen.model import times
from gitqueen.model.rescues import Kept, Rescue

REFS = "refs/rescue/"
WORKTREE, INDEX, META = "worktree", "index", "meta.json"
PLAIN = (0o644, 0o755, 0o664, 0o775)
"""Permission bits that the executable bit alone says well enough."""


@dataclass(slots=True)
class Draft:
    """What is about to be kept."""

    worktree: dict[str, Content] = field(default_factory=dict)
    index: dict[str, bytes] = field(default_factory=dict)
    index_modes: dict[str, int] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def folder(place: Place) -> str:
    return os.path.join(place.common_dir, "gitqueen", "rescue.git")


def name(place: Place) -> str:
    """What a worktree is called in refs: its folder's name, and enough of a hash to tell it from others."""
    import hashlib
    import re

    top = place.worktree or ""
    word = re.sub(r"[^A-Za-z0-9_-]+", "-", os.path.basename(top)).strip("-")[:40] or "worktree"
    return f"{word}-{hashlib.sha256(os.fsencode(top)).hexdigest()[:8]}"


def prepare(place: Place) -> str:
    """The repository, made when missing: whole or not at all, whoever else makes it at this moment."""
    where = folder(place)
    if os.path.isdir(os.path.join(where, "refs")):
        return where
    part = f"{where}.{os.getpid()}"
    process.run("init", "--quiet", "--bare", "--template=", "--object-format=sha1", part, cwd=place.common_dir)
    for key, value in (("gc.auto", "0"), ("maintenance.auto", "false"), ("core.logAllRefUpdates", "false")):
        process.run("config", key, value, cwd=part)
    try:
        os.chmod(part, 0o700)
        os.rename(part, where)
    except OSError as fault:
        import shutil

        shutil.rmtree(part, ignore_errors=True)
        if not os.path.isdir(os.path.join(where, "refs")):
            raise errors.CannotWork(f"{where} cannot be made: {fault.strerror}", hint="gitqueen doctor") from None
    return where


def write(place: Place, draft: Draft, meta: Mapping[str, object], at: datetime) -> str:
    """Keep `draft`; the id of the snapshot. Raises `errors.GitqueenError` where it cannot be written."""
    where = prepare(place)
    moment = f"{at:%Y%m%dT%H%M%S}.{at.microsecond:06d}Z"
    identity = f"{name(place)}/{moment}"
    modes = {path: one.mode for path, one in draft.worktree.items() if one.kind == FILE and one.mode not in PLAIN}
    modules = {path: one.data.decode("ascii") for path, one in draft.worktree.items() if one.kind not in (FILE, LINK)}
    said = {
        **meta,
        "at": times.iso(at),
        "deleted": draft.deleted,
        "left_out": draft.left_out,
        "modules": modules,
        "modes": modes,
    }
    who = f"gitqueen <gitqueen@localhost> {int(at.timestamp())} +0000"
    stream = [
        f"commit {REFS}{identity}\ncommitter {who}\ndata 6\nrescue\n".encode(),
        _file(META, 0o100644, json.dumps(said).encode("ascii")),
    ]
    for path, one in draft.worktree.items():
        if one.kind in (FILE, LINK):
            mode = 0o120000 if one.kind == LINK else 0o100755 if one.mode & 0o111 else 0o100644
            stream.append(_file(f"{WORKTREE}/{path}", mode, one.data))
    stream += [_file(f"{INDEX}/{path}", draft.index_modes[path], data) for path, data in draft.index.items()]
    stream.append(b"done\n")
    args = ("fast-import", "--quiet", "--done", "--date-format=raw")
    process.run(*args, cwd=where, stdin=b"".join(stream), timeout=300.0)
    return identity


def _file(path: str, mode: int, data: bytes) -> bytes:
    quoted = os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'M %o inline "%s"\ndata %d\n' % (mode, quoted, len(data)) + data + b"\n"


def listed(place: Place) -> list[Rescue]:
    """All snapshots of all worktrees of this repository, the newest first."""
    where = folder(place)
    if not os.path.isdir(where):
        return []
    refs = process.run("for-each-ref", "--sort=-refname", "--format=%(objectname) %(refname)", REFS, cwd=where).out
    pairs = [line.partition(" ")[::2] for line in os.fsdecode(refs).splitlines()]
    metas = _blobs(where, [f"{oid}:{META}" for oid, _ in pairs])
    found = [_rescue(oid, ref.removeprefix(REFS), text) for (oid, ref), text in zip(pairs, metas, strict=True)]
    return sorted((one for one in found if one is not None), key=lambda one: (one.at, one.id), reverse=True)


def _rescue(oid: str, identity: str, text: bytes | None) -> Rescue | None:
    try:
        said = json.loads(text or b"")
        moment = datetime.strptime(f"{identity.rpartition('/')[2]}+0000", "%Y%m%dT%H%M%S.%fZ%z")
        return Rescue(
            id=identity,
            commit=oid,
            worktree=str(said["worktree"]),
            at=moment,
            reason=str(said["reason"]),
            sisters=tuple(map(str, said["sisters"])),
            branch=said["branch"],
            head=said["head"],
            deleted=tuple(said["deleted"]),
            left_out=dict(said["left_out"]),
            modules=dict(said["modules"]),
            modes=dict(said["modes"]),
        )
    except (ValueError, KeyError, TypeError):
        return None  # not ours, or torn


def contents(place: Place, rescue: Rescue) -> list[Kept]:
    """What a snapshot holds."""
    said = process.run("ls-tree", "-r", "-z", "--full-tree", rescue.commit, cwd=folder(place)).out
    found = []
    for record in said.split(b"\0"):
        head, _, raw = record.partition(b"\t")
        part, _, path = os.fsdecode(raw).partition("/")
        if path and part in (WORKTREE, INDEX):
            mode, _, oid = head.decode("ascii").split(" ")
            found.append(Kept(path, part, oid, mode))
    return found


def data(place: Place, oids: Sequence[str]) -> list[bytes | None]:
    """The raw bytes of each object."""
    return _blobs(folder(place), oids)


def _blobs(where: str, names: Sequence[str]) -> list[bytes | None]:
    if not names:
        return []
    stdin = os.fsencode("".join(f"{one}\n" for one in names))
    said = process.run("cat-file", "--batch", cwd=where, stdin=stdin, timeout=120.0).out
    found: list[bytes | None] = []
    at = 0
    for _ in names:
        end = said.index(b"\n", at)
        words = said[at:end].split()
        at = end + 1
        if len(words) != 3 or not words[2].isdigit():
            found.append(None)
            continue
        size = int(words[2])
        found.append(said[at : at + size])
        at += size + 1
    return found


def blob_id(raw: bytes) -> str:
    """The id that the rescue repository gives these bytes."""
    import hashlib

    return hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()


def drop(place: Place, ids: Iterable[str]) -> None:
    """Forget snapshots; their objects go with the next `pack`."""
    lines = "".join(f"delete {REFS}{one}\n" for one in ids)
    if lines:
        process.run("update-ref", "--stdin", cwd=folder(place), stdin=lines.encode())


def pack(place: Place) -> None:
    """Pack what is loose and drop what nobody needs: the user's own maintenance never sees this repository."""
    process.run("gc", "--quiet", "--prune=1.hour.ago", cwd=folder(place), timeout=600.0)


def loose(place: Place) -> int:
    """About how many objects are loose, by looking into one of 256 folders."""
    try:
        return 256 * len(os.listdir(os.path.join(folder(place), "objects", "17")))
    except OSError:
        return 0


def remembered(place: Place) -> str:
    """The signature of what was kept last of this worktree; nothing where none was."""
    try:
        with open(_memory(place), encoding="ascii") as file:
            return file.read(256).strip()
    except (OSError, ValueError):
        return ""


def remember(place: Place, signature: str) -> None:
    part = f"{_memory(place)}.{os.getpid()}"
    try:
        with open(part, "w", encoding="ascii") as file:
            file.write(f"{signature}\n")
        os.replace(part, _memory(place))
    except OSError:
        pass  # then the next look reads the files once more


def _memory(place: Place) -> str:
    return os.path.join(folder(place), f"last-{name(place)}")


def purge(place: Place) -> None:
    """Remove the whole repository."""
    import shutil

    shutil.rmtree(folder(place), ignore_errors=True)
