"""The limit of a door: how long it may take, and what is raised in it when that is over."""

from __future__ import annotations

import os
import signal

LIMIT = 2.0
"""Seconds that a door may take (GITQUEEN_HOOK_LIMIT: whole seconds); a slower guard gets switched off by those it
guards (INCIDENTS 14)."""


class TooSlow(BaseException):
    """The limit is over. No Exception, so that nothing on the way takes it for its own."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.message = f"no answer within {seconds:g} s"


def hurry(limit: float = LIMIT) -> None:
    """Have `TooSlow` raised in this process once the limit is over, unless it has rested by then."""
    said = os.environ.get("GITQUEEN_HOOK_LIMIT", "")
    seconds = float(said) if said.isdecimal() and said != "0" else limit

    def over(*_: object) -> None:
        raise TooSlow(seconds)

    signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def rest() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
