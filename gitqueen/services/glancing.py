"""Glancing: a look around first, when the last one is too old to answer from.

Apart from `scanning`, whose imports (18 ms, and pygit2 and filelock on top) only a command that looks should pay.
"""

from __future__ import annotations

from gitqueen import errors
from gitqueen.services import watching
from gitqueen.services.queen import Queen
from gitqueen.tracing import step

PATIENCE = 2.0
"""Seconds to wait for somebody else's look around, and for the database."""


def ensure(queen: Queen) -> None:
    """Scan if the last look around is too old and another scan does not take too long."""
    if watching.fresh(queen):
        return
    from gitqueen.services import scanning

    try:
        with step("services", "the last look around is old: a new one"):
            scanning.locked(queen, PATIENCE, stale_only=True)
    except (errors.Busy, errors.CannotWork):
        pass  # answer from what is known: looking never fails because the queen cannot be written
