"""Rescuing: snapshots of uncommitted work, made whenever something changed, so that nothing written is ever lost.

The user's index, files, HEAD, refs and stash are only read; what is kept goes into a repository of our own. What was
lost is told by `losing`, bringing it back is `restoring`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gitqueen import errors
from gitqueen.git import rescue, uncommitted
from gitqueen.git.places import Place
from gitqueen.git.rescue import Draft, Memory
from gitqueen.git.uncommitted import MODULE, Entry
from gitqueen.model import rescues
from gitqueen.model.rescues import Kept, Rescue
from gitqueen.services import attributing, claiming, tending
from gitqueen.services.queen import Queen
from gitqueen.store import database, repos

MANY_LOOSE = 2000
"""Loose objects after which the rescue repository is packed."""

LOOKS = 3
"""How often a worktree is looked at, at most, while commands of git's write it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of one file and of all of one snapshot."""

    file: int
    total: int


def limits(queen: Queen) -> Limits:
    """As `gitqueen.rescue.maxFileSize` and `.maxTotalSize` say (`10m`, `200m`, or bytes)."""
    config = queen.config
    return Limits(
        _size(config.get("gitqueen.rescue.maxfilesize"), rescues.LARGEST_FILE),
        _size(config.get("gitqueen.rescue.maxtotalsize"), rescues.LARGEST_ALL),
    )


def _size(said: str | None, default: int) -> int:
    text = (said or "").strip().lower()
    factor = {"k": 1024, "m": rescues.MIB, "g": 1024 * rescues.MIB}.get(text[-1:], 1)
    digits = text.rstrip("kmg")
    return int(digits) * factor if digits.isdecimal() else default


def on(queen: Queen, place: Place) -> bool:
    """Whether this worktree's work is kept: in managed repositories, unless `gitqueen.rescue.enabled` is false."""
    with database.faults(queen.settings.database):
        if place.worktree is None or not repos.managed(queen.db, place.common_dir):
            return False
    return queen.config.get("gitqueen.rescue.enabled", "true").lower() not in ("false", "no", "off", "0")


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot that was just made; `dirty`: every path that carries uncommitted work."""

    id: str
    kept: tuple[Kept, ...]
    dirty: frozenset[str]
    memory: Memory


def take(queen: Queen, place: Place, reason: str, before: Memory) -> Taken | Memory | None:
    """Keep what is uncommitted in a worktree now; call it while `turns.alone`. Only the new memory where the content
    is the same as `before`; None where nothing changed at all.

    A worktree that became clean is kept as an empty snapshot once: what was there before is then known to be gone.
    Nothing is remembered here: who compares does that when it is done. Raises `errors.GitqueenError`.
    """
    most = limits(queen)
    for left in reversed(range(LOOKS)):
        pace, stashes = uncommitted.wait(place), " ".join(uncommitted.stashes(place))
        seen = uncommitted.look(place)
        if not seen.entries and not before.id:
            return None
        signature = uncommitted.signature(place, seen.entries)
        mark = uncommitted.mark(place, seen.head, (entry.path for entry in seen.entries))
        if signature == before.signature:
            return replace(before, mark=mark, stashes=stashes) if mark != before.mark else None
        draft = drafted(place, seen.entries, most)
        if not left or uncommitted.pace(place) == pace:
            break  # no command of git's came between
    kept = rescue.held(draft)
    digest = _digest(draft, kept)
    if digest == before.digest:
        return replace(before, signature=signature, mark=mark, stashes=stashes)
    paths = frozenset(entry.path for entry in seen.entries)
    identity = rescue.write(place, draft, _meta(queen, place, reason, seen.head, paths), queen.now)
    content = frozenset({one.path for one in kept} | draft.left_out.keys() | draft.worktree.keys())
    known = json.dumps(sorted(content))
    paths_known = known if len(known) <= rescue.MOST_REMEMBERED else ""
    return Taken(identity, tuple(kept), content, Memory(identity, signature, digest, mark, paths_known, stashes))


def _digest(draft: Draft, kept: Iterable[Kept]) -> str:
    """One word for all that a snapshot would hold."""
    import hashlib

    modes = [
        (path, one.mode, one.kind, one.data if one.kind == MODULE else b"") for path, one in draft.worktree.items()
    ]
    words = repr(([(one.path, one.part, one.oid, one.mode) for one in kept], modes, draft.deleted, draft.left_out))
    return hashlib.sha256(words.encode("utf-8", "surrogateescape")).hexdigest()


def drafted(place: Place, entries: Sequence[Entry], most: Limits) -> Draft:
    """Read what is to be kept; what is over a limit or cannot be read is named, never silently missing."""
    draft, room = Draft(), most.total
    for entry in entries:
        try:
            content = uncommitted.read(place, entry, most.file)
        except uncommitted.TooLarge as fault:
            draft.left_out[entry.path] = f"{fault.size} bytes, at most {most.file} are kept"
            continue
        except (OSError, errors.GitqueenError) as fault:
            draft.left_out[entry.path] = getattr(fault, "strerror", None) or str(fault)
            continue
        if content is None:
            draft.deleted.append(entry.path)
        elif len(content.data) > room:
            draft.left_out[entry.path] = f"the snapshot would have more than {most.total} bytes"
        else:
            draft.worktree[entry.path] = content
            room -= len(content.data)
    staged = [entry for entry in entries if entry.staged]
    for path, data in uncommitted.staged(place, staged, most.file).items():
        if len(data) <= room:
            draft.index[path] = data
            room -= len(data)
        else:
            draft.left_out.setdefault(path, f"the snapshot would have more than {most.total} bytes")
    draft.index_modes = {entry.path: entry.index_mode for entry in staged if entry.path in draft.index}
    return draft


def _meta(queen: Queen, place: Place, reason: str, head: str | None, paths: Iterable[str]) -> dict[str, object]:
    living = tending.living(queen)
    here = [sister.name for sister in living if sister.worktree == place.worktree]
    claims = [one for one in claiming.held(queen) if one.common_dir == place.common_dir]
    owners = attributing.owners(queen, place.worktree or "", sorted(paths), living, claims)
    return {
        "sister": here[0] if len(here) == 1 else None,
        "sisters": here,
        "owners": {path: owner.names for path, owner in owners.items()},
        "worktree": place.worktree,
        "branch": place.branch,
        "head": head,
        "reason": reason,
    }


def tend(queen: Queen, place: Place, needed: Iterable[str], dry_run: bool = False) -> list[str]:
    """Drop what is kept no longer, pack what is loose; the ids that went. `needed`: those of open lost work."""
    found = rescue.listed(place)
    keep = rescues.keeping(found, queen.now, set(needed))
    gone = [one.id for one in found if one.id not in keep]
    if not dry_run:
        rescue.drop(place, gone)
        if gone or rescue.unpacked(place) > MANY_LOOSE:
            rescue.pack(place)
    return gone


def find(place: Place, identity: str) -> Rescue:
    """The snapshot of this id, or of the only one that has it in its own; raises `errors.Refused` for none."""
    fits = rescue.named(place, identity)
    found = rescue.one(place, fits[0]) if len(fits) == 1 else None
    if found is None:
        many = f"{len(fits)} snapshots fit" if len(fits) > 1 else "it is damaged:" if fits else "there is no snapshot"
        raise errors.Refused(f"{many} {ascii(identity)}", hint="gitqueen rescue list")
    return found
