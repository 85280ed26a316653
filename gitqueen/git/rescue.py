"""The rescue repository `<git-common-dir>/gitqueen/rescue.git`: bare and our own, so that the user's is never touched.

A snapshot is a parentless commit there, `refs/rescue/<worktree>/<time>`: meta.json, and under `worktree/` and `index/`
the changed paths only, as raw bytes. Its form is the contract's; what goes in and for how long is decided elsewhere.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gitqueen.git import loose, packs, process, turns
from gitqueen.git.places import Place
from gitqueen.git.process import Result
from gitqueen.git.uncommitted import FILE, LINK, Content
from gitqueen.model import names, times
from gitqueen.model.rescues import Kept, Rescue

REFS = "refs/rescue/"
WORKTREE, INDEX, META = "worktree", "index", "meta.json"
PLAIN = (0o644, 0o755)
"""Permission bits that git's own mode says."""


@dataclass(slots=True)
class Draft:
    """What is about to be kept."""

    worktree: dict[str, Content] = field(default_factory=dict)
    index: dict[str, bytes] = field(default_factory=dict)
    index_modes: dict[str, int] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def _git(where: str, *args: str, stdin: bytes | None = None, check: bool = True, timeout: float = 120.0) -> Result:
    # Named, not found from the folder: a careful user forbids that for bare repositories (safe.bareRepository).
    return process.run(f"--git-dir={where}", *args, stdin=stdin, check=check, timeout=timeout)


def name(place: Place) -> str:
    """What a worktree is called in refs: its folder's name, and enough of a hash to tell it from others."""
    import hashlib

    top = place.worktree or ""
    word = names.dashed(os.path.basename(top), "_-").strip("-")[:40] or "worktree"
    return f"{word}-{hashlib.sha256(os.fsencode(top)).hexdigest()[:8]}"


def write(place: Place, draft: Draft, meta: Mapping[str, object], at: datetime) -> str:
    """Keep `draft`; the id of the snapshot. Raises `errors.GitqueenError` where it cannot be written."""
    where = turns.prepare(place)
    while os.path.lexists(os.path.join(where, REFS, identity := f"{name(place)}/{_moment(at)}")):
        at += timedelta(microseconds=1)  # two in one moment are two
    modes = {path: one.mode for path, one in draft.worktree.items() if one.kind == FILE and one.mode not in PLAIN}
    modules = {path: one.data.decode("ascii") for path, one in draft.worktree.items() if one.kind not in (FILE, LINK)}
    said = {
        **meta,
        "at": times.iso(at),
        "deleted": draft.deleted,
        "left_out": draft.left_out,
        "modules": modules,
        "modes": modes,
        "lines": sum(one.data.count(b"\n") for one in draft.worktree.values() if one.kind == FILE),
    }
    batch = loose.Batch(where)
    files = [(META, 0o100644, batch.add("blob", json.dumps(said).encode("ascii")))]
    for path, one in draft.worktree.items():
        if one.kind in (FILE, LINK):
            files.append((f"{WORKTREE}/{path}", _git_mode(one), batch.add("blob", one.data)))
    for path, data in draft.index.items():
        files.append((f"{INDEX}/{path}", draft.index_modes[path], batch.add("blob", data)))
    oid = batch.commit(batch.tree(files), int(at.timestamp()), "rescue")
    batch.write()
    loose.point(where, f"{REFS}{identity}", oid)
    return identity


def _moment(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%S}.{at.microsecond:06d}Z"


def when(identity: str) -> float:
    """Unix time of the snapshot of this id; 0.0 for what is none."""
    try:
        return _parsed(identity).timestamp()
    except ValueError:
        return 0.0


def _parsed(identity: str) -> datetime:
    return datetime.strptime(f"{identity.rpartition('/')[2]}+0000", "%Y%m%dT%H%M%S.%fZ%z")


def _git_mode(one: Content) -> int:
    return 0o120000 if one.kind == LINK else 0o100755 if one.mode & 0o111 else 0o100644


def held(draft: Draft) -> list[Kept]:
    """What a snapshot of `draft` holds, as `contents` will say it."""
    found = [
        Kept(path, WORKTREE, loose.blob_id(one.data), f"{_git_mode(one):o}")
        for path, one in draft.worktree.items()
        if one.kind in (FILE, LINK)
    ]
    index = draft.index_modes
    return found + [Kept(path, INDEX, loose.blob_id(data), f"{index[path]:o}") for path, data in draft.index.items()]


def listed(place: Place) -> list[Rescue]:
    """All snapshots of all worktrees of this repository, the newest first; what is torn is left out."""
    found = _read(turns.folder(place), loose.refs(turns.folder(place), REFS))
    return sorted(found, key=lambda one: (one.at, one.id), reverse=True)


def named(place: Place, word: str) -> list[str]:
    """The ids that are `word`, or else all that have it in them."""
    ids = loose.names(turns.folder(place), REFS)
    return [word] if word in ids else [one for one in ids if word and word in one]


def one(place: Place, identity: str) -> Rescue | None:
    """The snapshot of exactly this id; None where there is none, or it is torn."""
    where = turns.folder(place)
    oid = loose.ref(where, REFS + identity)
    return next(iter(_read(where, {identity: oid})), None) if oid else None


def latest(place: Place) -> str:
    """The id of the newest snapshot of this worktree, empty for none."""
    mine = f"{name(place)}/"
    return max((mine + moment for moment in loose.names(turns.folder(place), REFS + mine)), default="")


def _read(where: str, ids: Mapping[str, str]) -> list[Rescue]:
    texts = {oid: _loose_meta(where, oid) for oid in ids.values()}
    packed = [oid for oid, text in texts.items() if text is None]
    texts.update(zip(packed, loose.ask(where, [f"{oid}:{META}" for oid in packed]), strict=True))
    found = [_rescue(oid, identity, texts[oid]) for identity, oid in ids.items()]
    return [one for one in found if one is not None]


def _loose_meta(where: str, oid: str) -> bytes | None:
    top = loose.tree_of(where, oid)
    content = loose.read(where, top) if top else None
    _, meta = packs.entries(content, oid).get(META, (b"", "")) if content is not None else (b"", "")
    return loose.read(where, meta) if meta else None


def _rescue(oid: str, identity: str, text: bytes | None) -> Rescue | None:
    try:
        said = json.loads(text or b"")
        moment = _parsed(identity)
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
            owners={path: tuple(names) for path, names in said.get("owners", {}).items()},
            lines=int(said.get("lines", 0)),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # not ours, or torn


def contents(place: Place, identity: str) -> list[Kept]:
    """What the snapshot of this id holds; raises `errors.GitFailed` where it is gone or torn."""
    where = turns.folder(place)
    oid = loose.ref(where, REFS + identity)
    top = loose.tree_of(where, oid) if oid else None
    files = loose.walk(where, top) if top else None
    found = []
    for path, mode, blob in _packed_files(where, identity) if files is None else files:
        part, _, below = path.partition("/")
        if below and part in (WORKTREE, INDEX):
            found.append(Kept(below, part, blob, f"{mode:o}"))
    return found


def _packed_files(where: str, identity: str) -> Iterator[tuple[str, int, str]]:
    said = _git(where, "ls-tree", "-r", "-z", "--full-tree", f"{REFS}{identity}").out
    for record in filter(None, said.split(b"\0")):
        head, _, raw = record.partition(b"\t")
        mode, _, oid = head.decode("ascii").split(" ")
        yield os.fsdecode(raw), int(mode, 8), oid


def data(place: Place, oids: Sequence[str]) -> list[bytes | None]:
    """The raw bytes of each object, None for what is missing or damaged."""
    where = turns.folder(place)
    found = {oid: loose.read(where, oid) for oid in oids}
    elsewhere = [oid for oid, raw in found.items() if raw is None]
    found.update(zip(elsewhere, loose.ask(where, elsewhere), strict=True))
    return [found[oid] for oid in oids]


def drop(place: Place, ids: Iterable[str]) -> None:
    """Forget snapshots; their objects go with the next `pack`."""
    lines = "".join(f"delete {REFS}{one}\n" for one in ids)
    if lines:
        _git(turns.folder(place), "update-ref", "--stdin", stdin=lines.encode())


def pack(place: Place) -> None:
    """Pack what is loose and drop what nobody needs: the user's own maintenance never sees this repository."""
    _git(turns.folder(place), "gc", "--quiet", "--prune=1.hour.ago", timeout=600.0)


def unpacked(place: Place) -> int:
    """About how many objects are loose, by looking into one of 256 folders."""
    one = os.path.join(turns.folder(place), "objects", "17")
    return 256 * len(os.listdir(one)) if os.path.isdir(one) else 0


def size(place: Place) -> int:
    """Bytes that the repository takes on disk."""
    total = 0
    for top, _, files in os.walk(turns.folder(place)):
        for file in files:
            try:
                total += os.lstat(os.path.join(top, file)).st_size
            except OSError:
                pass  # packed meanwhile
    return total


MOST_REMEMBERED = 100_000
"""Characters of paths in a memory."""


@dataclass(frozen=True, slots=True)
class Memory:
    """How a worktree stood when it was last compared: `id` of the snapshot, `signature` and `digest` of what was
    uncommitted (by stats, by content), `mark`: `uncommitted.mark`. All empty where nothing is known."""

    id: str = ""
    signature: str = ""
    digest: str = ""
    mark: str = ""
    paths: str = ""
    """The paths that carried content, as JSON; empty where they are too many to be kept here."""
    stashes: str = ""
    """The last few stashes that there were."""
    followed: str = ""
    """`SNAPSHOT:COMMIT ...`: commits that took in what these snapshots have."""


def remembered(place: Place) -> Memory:
    try:
        with open(_memory(place), encoding="ascii") as file:
            words = file.read(MOST_REMEMBERED + 4096).split("\n")
        return Memory(*words[:-1]) if len(words) in (7, 8) else Memory()  # 7: of an earlier version
    except (OSError, ValueError):
        return Memory()


def remember(place: Place, memory: Memory) -> None:
    part = f"{_memory(place)}.{os.getpid()}"
    try:
        with open(part, "w", encoding="ascii") as file:
            words = (memory.id, memory.signature, memory.digest, memory.mark, memory.paths, memory.stashes)
            file.write("".join(f"{word}\n" for word in (*words, memory.followed)))
        os.replace(part, _memory(place))
    except OSError:
        pass  # then the next look reads the files once more


def _memory(place: Place) -> str:
    return os.path.join(turns.folder(place), f"last-{name(place)}")


def purge(place: Place) -> bool:
    """Remove the whole repository; whether there was one."""
    import shutil

    there = os.path.isdir(turns.folder(place)) and not os.path.islink(turns.folder(place))
    if there:
        shutil.rmtree(turns.folder(place), ignore_errors=True)
    return there
