"""Noting: which sister made a commit and for which task, written into the notes of the repository itself.

What is to be written is first a row, in the transaction of what it tells of; the rows of a repository go into its notes
together, and only then away. A repository that cannot be written keeps its rows until it can.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from gitqueen import errors
from gitqueen.git import places
from gitqueen.git.places import Place
from gitqueen.model import mirror
from gitqueen.model.mirror import Note
from gitqueen.model.names import SisterName
from gitqueen.model.sisters import Sister
from gitqueen.senses import processes
from gitqueen.services.queen import Queen
from gitqueen.store import database, repos, unnoted
from gitqueen.store.unnoted import Entry, Waiting


def note(queen: Queen, common_dir: str, oid: str, what: str, sister: Sister, task: str | None, at: datetime) -> None:
    """`sister` did `what` at the commit `oid`. Call it inside the transaction that writes the same into history."""
    if SisterName.fault(sister.name) is None and repos.managed(queen.db, common_dir):
        line = Note(what, sister.name, task, sister.agent, processes.machine(), at)
        unnoted.add(queen.db, common_dir, oid, mirror.note(line))


def head(queen: Queen) -> str | None:
    """The commit that a task is begun or finished at here; None where none is, or nothing is to be noted."""
    place = queen.place
    if place is None or place.worktree is None:
        return None
    with database.faults(queen.settings.database):
        if not repos.managed(queen.db, place.common_dir):
            return None
    from gitqueen.git import refs

    return refs.head(place)


def flush(queen: Queen, patience: float = 0.5) -> list[str]:
    """Write all that waits; the sentences that say what could not be written now. Others are waited for `patience`
    seconds a repository."""
    with database.faults(queen.settings.database):
        waiting = unnoted.repositories(queen.db)
    faults = []
    for common_dir in waiting:
        try:
            while not _flush(queen, common_dir, patience):
                pass
        except (errors.GitqueenError, OSError) as fault:
            faults.append(f"notes of {common_dir}: {fault}")
    return faults


def _flush(queen: Queen, common_dir: str, patience: float) -> bool:
    """Whether that was all."""
    at = queen.clock().timestamp()
    with database.faults(queen.settings.database):
        waiting = unnoted.waiting(queen.db, common_dir, at)
        managed = repos.managed(queen.db, common_dir)
    place = places.find(common_dir)
    if place is None or place.common_dir != common_dir or not managed:
        with database.transaction(queen.db):
            unnoted.forget(queen.db, common_dir)
        return True
    written = _write(place, waiting, patience) if waiting.lines or waiting.carried else set()
    with database.transaction(queen.db):
        unnoted.told(queen.db, waiting, written, queen.clock().timestamp())
    return not waiting.more


def _write(place: Place, waiting: Waiting, patience: float) -> set[str]:
    from gitqueen.git import notes  # `iam` writes rows and no notes

    try:
        written = notes.add(place, _grouped(waiting.lines), mirror.essence, patience)
        # After the lines: what was made during a rebase may have been rewritten by its end.
        return written | _carry(place, waiting.carried, patience)
    except notes.Foreign:
        notes.unfollow(place)  # git would die of it, at every amend
        raise


def _grouped(entries: Iterable[Entry]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for entry in entries:
        found.setdefault(entry.first, []).append(entry.second)
    return found


def _carry(place: Place, pairs: Sequence[Entry], patience: float) -> set[str]:
    """The notes of rewritten commits go on to the new ones, chains of them too: the pairs come in order."""
    from gitqueen.git import notes

    known = notes.read(place, list(dict.fromkeys(oid for pair in pairs for oid in (pair.first, pair.second))))
    gained: dict[str, list[str]] = {}
    for pair in pairs:
        lines = [*known.get(pair.first, "").split("\n"), *gained.get(pair.first, ())]
        if told := [line for line in lines if line.strip()]:
            gained.setdefault(pair.second, []).extend(told)
    return notes.add(place, gained, mirror.essence, patience)
