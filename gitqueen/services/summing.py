"""Summing up: one sister's state in a few numbers, for a line that an agent shows all the time.

Only what is known is read, nothing is looked around for: this runs every few seconds and must cost next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from gitqueen.model.sisters import Identity, Sister
from gitqueen.services.queen import Queen
from gitqueen.store import conflicts as conflicts_table
from gitqueen.store import database
from gitqueen.store import messages as messages_table
from gitqueen.store import sisters as sisters_table


@dataclass(frozen=True, slots=True)
class Sum:
    """`conflicts`: open ones that she is part of."""

    address: str
    task: str | None
    unread: int
    urgent: int
    conflicts: int
    others: int
    """Other sisters in her repository."""


def up(queen: Queen, me: Identity) -> Sum:
    here = queen.place.common_dir if queen.place else None
    with database.faults(queen.settings.database):
        mail = messages_table.unread(queen.db, me.address)
        book = conflicts_table.open_ones(queen.db)
        others = [one for one in sisters_table.everyone(queen.db) if _beside(one, me, here)]
    return Sum(
        address=me.address,
        task=me.sister.task if me.sister else None,
        unread=len(mail),
        urgent=sum(letter.urgent for letter in mail),
        conflicts=sum(me.address in one.sisters for one in book),
        others=len(others),
    )


def _beside(other: Sister, me: Identity, here: str | None) -> bool:
    return here is not None and other.common_dir == here and other.name != me.address
