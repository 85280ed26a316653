"""Restoring: work out of a snapshot, back into a worktree or beside it; never over something newer, unless forced."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gitqueen import errors
from gitqueen.git import rescue, uncommitted
from gitqueen.git.places import Place
from gitqueen.model.events import Event
from gitqueen.model.rescues import Kept, Rescue
from gitqueen.services import losing
from gitqueen.services.queen import Queen
from gitqueen.store import database, events


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of each path: `written`, `same` (it was there already), `refused` with the reason."""

    rescue: Rescue
    into: str
    written: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


class InTheWay(Exception):
    """Why a file cannot be put into its place; the others can."""


def chosen(place: Place, found: Rescue, named: Sequence[str]) -> list[Kept]:
    """What to bring back: one content a path, the worktree's, else the index's; of the paths `named`, or all.

    Raises `errors.Refused` when the snapshot has none of a named path.
    """
    kept = losing.latest(rescue.contents(place, found.id))
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
    queen: Queen,
    place: Place,
    found: Rescue,
    kept: Sequence[Kept],
    *,
    force: bool = False,
    into: str | None = None,
    me: str | None = None,
) -> Restored:
    """Write `kept` into the worktree (or the folder `into`); `me`: who does it.

    Uncommitted work that would be overwritten is kept first; where that cannot be, nothing is: raises `GitqueenError`.
    """
    top = place.worktree if into is None else into
    if top is None:
        raise errors.CannotWork("a bare repository has no files", hint="gitqueen rescue restore ID --to DIR")
    wanted = [
        (one, raw, found.modes.get(one.path, 0o755 if one.mode == "100755" else 0o644))
        for one, raw in zip(kept, rescue.data(place, [one.oid for one in kept]), strict=True)
    ]
    same = [one.path for one, raw, mode in wanted if raw is not None and _there(top, one, raw, mode)]
    stood = {one.path: uncommitted.stand(top, one.path) for one in kept}
    there = [one.path for one in kept if one.path not in same and _is_file(os.path.join(top, one.path))]
    refused = dict.fromkeys(there, _BESIDE) if into is not None else _unsafe(queen, place, there, force)
    written = []
    for one, raw, mode in wanted:
        if raw is None:
            refused[one.path] = "its object is damaged"
        elif one.path in same or one.path in refused:
            continue
        elif uncommitted.stand(top, one.path) != stood[one.path]:
            refused[one.path] = _NEWER  # written at this very moment
        else:
            try:
                _write(top, one, raw, mode)
                written.append(one.path)
            except InTheWay as fault:
                refused[one.path] = str(fault)
    if into is None and written:
        _record(queen, place, found, written, me)
        if force:  # what it took from others is known to be by whom
            losing.look(queen, place, "restored", losing.Actor(me, "gitqueen rescue restore") if me else None)
        losing.settle(queen)
    return Restored(found, top, tuple(written), tuple(same), refused)


def _record(queen: Queen, place: Place, found: Rescue, written: Sequence[str], me: str | None) -> None:
    detail = {"rescue": found.id, "paths": written[:20], "count": len(written)}
    with database.transaction(queen.db):
        events.record(queen.db, queen.now, Event("restored", me, place.repo, detail))


_BESIDE = "something stands there"
_NEWER = "it has newer uncommitted work (--force, or --to DIR)"


def _unsafe(queen: Queen, place: Place, there: Sequence[str], force: bool) -> dict[str, str]:
    """Path -> why what stands there must not be overwritten; with `force` all that is uncommitted was kept then."""
    if not there:
        return {}
    if force:
        losing.look(queen, place, "before restore")
    entries = {entry.path: entry for entry in uncommitted.look(place, there).entries}
    tracked = uncommitted.tracked(place, [path for path in there if path not in entries])
    last = rescue.remembered(place).id if force else ""
    kept = {one.path for one in rescue.contents(place, last) if one.part == rescue.WORKTREE} if last else set()
    found = {}
    for path in there:
        entry = entries.get(path)
        if entry is None and path not in tracked:
            found[path] = "git ignores what stands there, so it was not kept (--to DIR)"
        elif entry is None or (entry.tracked and entry.staged and not entry.changed):
            continue  # HEAD or the index has it
        elif not force:
            found[path] = _NEWER
        elif path not in kept:
            found[path] = "what stands there was too large to be kept (--to DIR)"
    return found


def _is_file(whole: str) -> bool:
    """Or a link: anything that writing would overwrite."""
    return os.path.lexists(whole) and (os.path.islink(whole) or not os.path.isdir(whole))


def _there(top: str, one: Kept, raw: bytes, mode: int) -> bool:
    """Whether it stands there already, with its mode."""
    whole = os.path.join(top, one.path)
    if one.mode == "120000":
        return os.path.islink(whole) and losing.on_disk(top, one.path) == raw
    if os.path.islink(whole) or losing.on_disk(top, one.path) != raw:
        return False
    return one.part == rescue.INDEX or stat.S_IMODE(os.lstat(whole).st_mode) == mode


def _write(top: str, one: Kept, raw: bytes, mode: int) -> None:
    """Put one content in its place, whole or not at all; never through a link that leads out of `top`."""
    try:
        folder = _folder(top, os.path.dirname(one.path))
        target = os.path.join(folder, os.path.basename(one.path))
        if os.path.isdir(target) and not os.path.islink(target):
            os.rmdir(target)  # an empty one is nothing to git
        descriptor, part = tempfile.mkstemp(prefix=".gitqueen-", dir=folder)
        try:
            with open(descriptor, "wb") as file:
                file.write(raw)
            if one.mode == "120000":
                os.unlink(part)
                os.symlink(os.fsdecode(raw), part)
            else:
                os.chmod(part, mode)
            os.replace(part, target)
        except OSError:
            if os.path.lexists(part):
                os.unlink(part)
            raise
    except OSError as fault:
        why = "a folder stands there" if fault.errno == errno.ENOTEMPTY else fault.strerror
        raise InTheWay(f"{why} (--to DIR)") from None


def _folder(top: str, below: str) -> str:
    """The folder `below` of `top`, made where it is missing; what is no folder is in the way."""
    os.makedirs(top, exist_ok=True)
    folder = os.path.realpath(top)
    for part in filter(None, below.split("/")):
        folder = os.path.join(folder, part)
        if os.path.islink(folder):
            raise InTheWay(f"{ascii(below)} leads through a link now (--to DIR)")
        if os.path.lexists(folder) and not os.path.isdir(folder):
            raise InTheWay(f"a file stands in the place of the folder {ascii(below)} (--to DIR)")
        os.makedirs(folder, exist_ok=True)
    return folder
