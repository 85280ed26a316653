"""Crediting: which sister and task stand behind a commit or a line, read from the notes of the repository alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitqueen import errors
from gitqueen.git import config, history, notes
from gitqueen.git.history import Entry, Line
from gitqueen.git.places import Place
from gitqueen.model import mirror
from gitqueen.model.conflicts import Conflict
from gitqueen.model.mirror import Note
from gitqueen.services.queen import Queen
from gitqueen.store import conflicts as conflicts_table
from gitqueen.store import database


@dataclass(frozen=True, slots=True)
class Provenance:
    """What stands behind one commit. `collided`: conflicts with others that were open when it was made."""

    oid: str
    subject: str
    author: str
    notes: tuple[Note, ...]
    collided: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True)
class Credit:
    """One line of a file: git's own blame, and who stands behind its commit."""

    line: Line
    note: Note | None


def provenance(queen: Queen, revision: str) -> Provenance:
    """Who made `revision`, for what, and with whom it collided; raises `errors.Refused` for what is no commit."""
    place = queen.here()
    found = history.commit(place, revision)
    if found is None:
        raise errors.Refused(f"{ascii(revision)} is no commit here", hint="git log --oneline")
    told = tuple(mirror.read_notes(notes.read(place, [found.oid]).get(found.oid, "")))
    return Provenance(found.oid, found.subject, found.author, told, _collided(queen, place, found.oid, told))


def _collided(queen: Queen, place: Place, oid: str, told: Sequence[Note]) -> tuple[Conflict, ...]:
    """File collisions of its makers that touch its paths and began before it was made."""
    from gitqueen.git import commits

    made = [one for one in told if one.what == mirror.COMMIT and one.at is not None]
    if not made:
        return ()
    makers, last = {one.sister for one in made}, max(one.at for one in made if one.at is not None)
    paths = set(commits.changed(place, oid))
    with database.faults(queen.settings.database):
        book = conflicts_table.everything(queen.db)
    return tuple(
        one
        for one in book
        if one.common_dir == place.common_dir
        and makers & set(one.sisters)
        and paths & set(one.facts)
        and one.detected_at is not None
        and one.detected_at <= last
        and (one.resolved_at is None or one.resolved_at >= last)
    )


def blame(queen: Queen, path: str, revision: str | None = None) -> list[Credit]:
    """git's blame of `path` (as seen from the working folder) with the note behind each line.

    Raises `errors.Refused` when git cannot blame it.
    """
    place = queen.here()
    lines = history.blame(place, os.path.join(queen.cwd, path) if place.worktree else path, revision)
    told = notes.read(place, list(dict.fromkeys(line.oid for line in lines)))
    makers = {oid: _maker(text) for oid, text in told.items()}
    return [Credit(line, makers.get(line.oid)) for line in lines]


def log(queen: Queen, options: list[str], coloured: bool) -> Iterator[str]:
    """git's own log, line by line, with our notes as they stand; raises `errors.GitFailed` where git says no."""
    return history.log(queen.here(), options, coloured)


@dataclass(frozen=True, slots=True)
class Told:
    """A commit of a log, and what its note tells."""

    entry: Entry
    notes: tuple[Note, ...]


def log_entries(queen: Queen, options: list[str]) -> list[Told]:
    """The commits that `git log` with these options lists, for programs."""
    place = queen.here()
    found = list(history.entries(place, options))
    told = notes.read(place, list(dict.fromkeys(one.oid for one in found)))
    return [Told(one, tuple(mirror.read_notes(told.get(one.oid, "")))) for one in found]


def pager(queen: Queen) -> str:
    """The command line of the user's pager."""
    return config.pager(queen.env)


def _maker(text: str) -> Note | None:
    """Whoever committed it last: a line that came through an amend is hers who wrote the commit as it is."""
    made = [one for one in mirror.read_notes(text) if one.what == mirror.COMMIT]
    return made[-1] if made else None
