"""Examining: what is wrong with what stands in the repositories themselves: mirrors, notes, what strangers put beside
them, and a remote to which all of it would go. For the doctor; nothing is changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from shlex import quote

from gitqueen import errors
from gitqueen.git import notes, process, refs, rescue, turns
from gitqueen.git.places import Place
from gitqueen.model import mirror
from gitqueen.senses import processes
from gitqueen.services import mirroring
from gitqueen.store import mirrors, repos, unnoted
from gitqueen.store.database import Database

Found = tuple[str, bool, str, str]
"""name, ok, detail, mend: the fields of a check."""
MOST = 50
"""Repositories that are asked, two processes each."""


def look(db: Database, home: str, apart: Collection[str] = ()) -> Iterator[Found]:
    """A check for each thing that is wrong in a managed repository; one in all where nothing is. Those `apart`, by
    path, may hang and are not touched."""
    managed, book, waiting = repos.all_managed(db), mirrors.everything(db), unnoted.count(db)
    well = 0
    for common_dir, path in [one for one in managed.items() if one[1] not in apart][:MOST]:
        place = mirroring.find(path, common_dir)
        if place is None:
            continue  # gone: said elsewhere
        wrong = list(_repository(place, book.get(common_dir), waiting.get(common_dir, 0), home))
        well += not any(not ok for _, ok, _, _ in wrong)
        yield from wrong
    if well:
        yield "mirrors", True, f"{well} {'repository tells' if well == 1 else 'repositories tell'} tasks and claims", ""


def _repository(place: Place, known: mirrors.Mirror | None, waiting: int, home: str) -> Iterator[Found]:
    try:
        if known is not None and known.fault:
            yield "mirror", False, known.fault, "gitqueen scan tries again; whose lock or right is missing, says git"
        yield from _strangers(place, known, mirroring.sign(home, processes.origin()).queen)
        if (foreign := _no_notes(place)) is not None:
            yield "notes", False, foreign.message, f"{foreign.hint}; gitqueen hooks install {quote(place.repo)}"
        elif waiting:
            yield "notes", True, f"{waiting} lines are yet to be written into {place.repo}", ""
        yield from _kept(place)
        if (remote := _mirror_remote(place)) is not None:
            said = f"{place.repo}: a push to {remote} takes tasks, claims and notes along (remote.{remote}.mirror)"
            yield "mirror remote", True, said, ""
    except errors.GitqueenError as fault:
        yield "mirror", False, f"{place.repo}: {fault.message}", fault.hint


def _strangers(place: Place, known: mirrors.Mirror | None, mine: str) -> Iterator[Found]:
    """What stands below our refs and is not this queen's."""
    there = refs.listed(place)
    contents = refs.objects(place, list(dict.fromkeys(there.values())))
    others, lost = 0, 0
    for ref, oid in there.items():
        one = contents.get(oid)
        text = one.content if one is not None and one.kind == "blob" else b""
        if mirror.read_task(ref, text) is None and mirror.read_claim(ref, text) is None:
            kind = "a missing object" if one is None else "no task or claim" if one.kind == "blob" else f"a {one.kind}"
            mend = f"if nobody needs it: git -C {quote(place.repo)} update-ref -d {quote(ref)}"
            yield "stranger", False, f"{place.repo}: {ref} is {kind}, left alone", mend
        elif mirror.queen_of(text) != mine:
            others += 1
        else:
            lost += known is None
    if others:
        said = f"{others} ref{'s' if others > 1 else ''} of another queen"
        yield "other queens", True, f"{place.repo}: {said}, left alone", ""
    if lost:
        said = f"{place.repo} tells of {lost} tasks or claims that the database does not know"
        yield "lost", False, said, "gitqueen doctor --rebuild"


def _kept(place: Place) -> Iterator[Found]:
    """How much the snapshots of uncommitted work take, and whether they can be read."""
    if not (size := rescue.size(place)):
        return
    try:
        count = len(rescue.listed(place))
        said = f"{place.repo}: {count} snapshot{'' if count == 1 else 's'} of uncommitted work take {_bytes(size)}"
        yield "rescue", True, said, ""
    except errors.GitqueenError as fault:
        yield "rescue", False, f"{place.repo}: {fault.message}", f"look at {quote(turns.folder(place))}"


def _bytes(count: int) -> str:
    return f"{count / 1024:.0f} KiB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MiB"


def _no_notes(place: Place) -> notes.Foreign | None:
    try:
        notes.check(place)
    except notes.Foreign as fault:
        return fault
    return None


def _mirror_remote(place: Place) -> str | None:
    asked = process.run("config", "--get-regexp", r"^remote\..*\.mirror$", "true", cwd=place.folder, check=False)
    name = asked.out.decode("utf-8", "replace").partition(".mirror ")[0].removeprefix("remote.")
    return name or None
