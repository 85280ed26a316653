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


class within:
    """`with within():` there `TooSlow` is raised after `seconds`, or as many as GITQUEEN_HOOK_LIMIT says."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float = LIMIT) -> None:
        said = os.environ.get("GITQUEEN_HOOK_LIMIT", "")
        self.seconds = float(said) if said.isdecimal() and said != "0" else seconds

    def __enter__(self) -> None:
        signal.signal(signal.SIGALRM, self._over)
        signal.setitimer(signal.ITIMER_REAL, self.seconds)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _over(self, *_: object) -> None:
        raise TooSlow(self.seconds)
