"""The daemon's log: `$GITQUEEN_HOME/daemon.log`, a line each, kept small, and never a reason to end."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime

LARGEST = 256 * 1024
"""Bytes after which it starts anew, keeping the one before as daemon.log.1."""


class Journal:
    def __init__(self, home: str, clock: Callable[[], datetime], aloud: Callable[[str], None] | None = None) -> None:
        self.path = os.path.join(home, "daemon.log")
        self.clock, self.aloud = clock, aloud

    def write(self, words: str) -> None:
        """One line; lost where the disk is full."""
        line = f"{self.clock():%Y-%m-%dT%H:%M:%SZ} {ascii(words)[1:-1]}"
        if self.aloud is not None:
            self.aloud(line)
        try:
            if os.path.exists(self.path) and os.path.getsize(self.path) > LARGEST:
                os.replace(self.path, f"{self.path}.1")
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "a", encoding="ascii") as file:
                file.write(f"{line}\n")
        except OSError:
            pass

    def last(self) -> str:
        """The last line, without its time; empty where there is none."""
        try:
            with open(self.path, encoding="ascii", errors="replace") as file:
                return file.readlines()[-1].partition(" ")[2].strip()
        except (OSError, IndexError):
            return ""
