"""Onboarding: what a session reads when it wakes, so that it knows the others before it does anything."""

from __future__ import annotations

from dataclasses import dataclass

from gitqueen.model import conflicts, names
from gitqueen.model.claims import Claim
from gitqueen.model.conflicts import Conflict
from gitqueen.model.messages import Message
from gitqueen.model.sisters import Identity, Sister
from gitqueen.services import claiming, colliding, remembering, tending
from gitqueen.services.queen import Queen
from gitqueen.store import database, repos
from gitqueen.store import messages as messages_table

LONGEST = 2000
"""Characters: it stands in an agent's context at every start."""


@dataclass(frozen=True, slots=True)
class Briefing:
    """`sisters`: the others, those in this repository first; `roommates`: those in this very worktree."""

    address: str
    sister: Sister | None
    sisters: tuple[Sister, ...]
    roommates: tuple[str, ...]
    apart: str | None
    """The command that gives her a worktree of her own, when she shares this one."""
    claims: tuple[Claim, ...]
    conflicts: tuple[Conflict, ...]
    mail: tuple[Message, ...]
    managed: bool
    repo: str | None


def brief(queen: Queen, me: Identity) -> Briefing:
    """Her briefing from what is known, the most pressing of each first; unread mail is shown, not marked read."""
    if me.sister is not None:
        tending.notice(queen, me.sister)
    here = queen.place.common_dir if queen.place else None
    worktree = queen.place.worktree if queen.place else None
    others = sorted(
        tending.others(queen, me.address), key=lambda s: (s.common_dir != here or here is None, names.natural(s.name))
    )
    roommates = tuple(sister.name for sister in others if worktree is not None and sister.worktree == worktree)
    with database.faults(queen.settings.database):
        mail = messages_table.unread(queen.db, me.address)
        managed = here is not None and repos.managed(queen.db, here)
    return Briefing(
        address=me.address,
        sister=me.sister,
        sisters=tuple(others),
        roommates=roommates,
        apart=_apart(queen, me) if roommates else None,
        claims=tuple(c for c in claiming.held(queen) if not c.paths or c.common_dir == here),
        conflicts=tuple(_concerning(queen, me.address, here)),
        mail=tuple(sorted(mail, key=lambda message: not message.urgent)),
        managed=managed,
        repo=queen.place.repo if queen.place else None,
    )


def _concerning(queen: Queen, me: str, here: str | None) -> list[Conflict]:
    """Conflicts of hers, of this repository, and of other programs, which do not say where."""
    book = [
        conflict
        for conflict in remembering.book(queen)
        if me in conflict.sisters
        or (conflict.common_dir == here if conflict.common_dir is not None else conflict.severity is None)
    ]
    return sorted(book, key=lambda conflict: (conflicts.weight(conflict.severity), me not in conflict.sisters))


def _apart(queen: Queen, me: Identity) -> str:
    place = queen.here()
    return colliding.apart_command(place.repo, me.address, None)
