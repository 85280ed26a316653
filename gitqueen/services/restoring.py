"""Restoring: work out of a snapshot, back into a worktree or beside it; never over something newer, unless forced."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from gitqueen import errors
from gitqueen.git import rescue, uncommitted
from gitqueen.git.places import Place
from gitqueen.model.events import Event
from gitqueen.model.rescues import Kept, Rescue
from gitqueen.services import losing, rescuing
from gitqueen.services.queen import Queen
from gitqueen.store import database, events


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of each path: `written`, `same` (it was there already), `refused` (newer uncommitted work stands)."""

    rescue: Rescue
    into: str
    written: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def chosen(place: Place, found: Rescue, named: Sequence[str]) -> list[Kept]:
    """What to bring back: one content a path, the worktree's, else the index's; of the paths `named`, or all.

    Raises `errors.Refused` when the snapshot has none of a named path.
    """
    kept = losing.latest(rescue.contents(place, found))
    if not named:
        return kept
    wanted = [one for one in kept if any(one.path == path or one.path.startswith(f"{path}/") for path in named)]
    missing = [path for path in named if not any(one.path == path or one.path.startswith(f"{path}/") for one in wanted)]
    if missing:
        why = found.left_out.get(missing[0])
        words = f"it was left out: {why}" if why else "it is not in this snapshot"
        raise errors.Refused(f"{ascii(missing[0])}: {words}", hint=f"gitqueen rescue show {found.id}")
    return wanted


def restore(
    queen: Queen, place: Place, found: Rescue, kept: Sequence[Kept], *, force: bool = False, into: str | None = None
) -> Restored:
    """Write `kept` into the worktree (or the folder `into`), after a snapshot of what stands there."""
    top = place.worktree if into is None else into
    if top is None:
        raise errors.CannotWork("a bare repository has no files", hint="gitqueen rescue restore ID --to DIR")
    data = rescue.data(place, [one.oid for one in kept])
    if into is None:
        rescuing.snapshot(queen, place, "before restore")
        newer = {entry.path for entry in uncommitted.look(place) if not _only_index(place, entry)}
    else:
        newer = {one.path for one in kept if os.path.lexists(os.path.join(into, one.path))}
    written, same, refused = [], [], []
    for one, raw in zip(kept, data, strict=True):
        if raw is None:
            refused.append(one.path)
        elif losing.on_disk(top, one.path) == raw and os.path.lexists(os.path.join(top, one.path)):
            same.append(one.path)
        elif one.path in newer and not force and os.path.lexists(os.path.join(top, one.path)):
            refused.append(one.path)
        else:
            _write(top, one, raw, found.modes.get(one.path))
            written.append(one.path)
    if into is None and written:
        detail = {"rescue": found.id, "paths": written[:20], "count": len(written)}
        with database.transaction(queen.db):
            events.record(queen.db, queen.now, Event("restored", None, place.repo, detail))
        losing.settle(queen)
    return Restored(found, top, tuple(written), tuple(same), tuple(refused))


def _only_index(place: Place, entry: uncommitted.Entry) -> bool:
    """Whether the file is what the index has: overwriting it loses nothing that git does not have."""
    return entry.tracked and entry.staged and not entry.changed


def _write(top: str, one: Kept, raw: bytes, mode: int | None) -> None:
    """Put one content in its place, whole or not at all; never through a link that leads out of `top`."""
    folder = _folder(top, os.path.dirname(one.path))
    target = os.path.join(folder, os.path.basename(one.path))
    if os.path.isdir(target) and not os.path.islink(target):
        raise errors.Refused(f"a folder stands at {ascii(one.path)}", hint="move it away, or restore with --to DIR")
    try:
        descriptor, part = tempfile.mkstemp(prefix=".gitqueen-", dir=folder)
        os.close(descriptor)
        if one.mode == "120000":
            os.unlink(part)
            os.symlink(os.fsdecode(raw), part)
        else:
            with open(part, "wb") as file:
                file.write(raw)
            plain = 0o777 if one.mode == "100755" else 0o666
            os.chmod(part, mode if mode is not None else plain & ~_umask())
        os.replace(part, target)
    except OSError as fault:
        raise errors.CannotWork(f"{ascii(one.path)} cannot be written: {fault.strerror}", hint="--to DIR") from None


def _folder(top: str, below: str) -> str:
    """The folder `below` of `top`, made where it is missing; a link in the way is refused."""
    folder = os.path.realpath(top)
    for part in filter(None, below.split("/")):
        folder = os.path.join(folder, part)
        if os.path.islink(folder):
            raise errors.Refused(f"{ascii(below)} leads through a link now", hint="restore with --to DIR")
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as fault:
            raise errors.CannotWork(f"{ascii(below)} cannot be made: {fault.strerror}", hint="--to DIR") from None
    return folder


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
