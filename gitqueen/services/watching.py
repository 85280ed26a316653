"""Watching: is the last look around recent enough, and having somebody else do what nobody waits for.

Apart from `scanning`, because every command asks this and few can afford what a scan imports.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from gitqueen import children
from gitqueen.services.queen import Queen
from gitqueen.settings import STALE_SCAN
from gitqueen.store import database, repos

BEGINNING = 3.0
"""Seconds in which a look around that was started should have begun."""


def fresh(queen: Queen) -> bool:
    """Whether the last look around is recent enough to answer from."""
    with database.faults(queen.settings.database):
        age = queen.now.timestamp() - repos.last(queen.db, "scan")
    return 0 <= age < STALE_SCAN  # a scan from the future: the clock was set back


def announce(queen: Queen, until: float = STALE_SCAN) -> None:
    """Tell the hooks, which know no clock, for how many seconds from now no look around is due: the time of a file is
    in the future."""
    due = queen.now.timestamp() + until
    try:
        os.close(os.open(_due(queen), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        os.utime(_due(queen), (due, due))
    except OSError:
        pass  # then they start one too many


def start_detached(queen: Queen) -> None:
    """Have somebody else look around: a process of its own that outlives this command and holds none of its files."""
    if fresh(queen) or _begun(queen):
        return
    # Of 64 commands at once each would start its own, which costs more than the commands.
    announce(queen, BEGINNING)
    # -P: the working folder may be a stranger's repository with a gitqueen.py of its own.
    _start(queen, ["-P", "-m", "gitqueen", "scan", "--stale"])


def _begun(queen: Queen) -> bool:
    """Whether another has started one a moment ago."""
    try:
        left = os.stat(_due(queen)).st_mtime - queen.now.timestamp()
    except OSError:
        return False
    return 0 < left <= BEGINNING


def _due(queen: Queen) -> str:
    return os.path.join(queen.settings.home, "next-scan")


def start_drain(queen: Queen) -> None:
    """Have somebody else write what waits to be written, unless somebody is at it, who will look once more."""
    if not _draining(os.path.join(queen.settings.home, "spool", "draining")):
        _start(queen, ["-I", "-S", _door(), "drain"])


def start_keeper(queen: Queen, worktree: str) -> None:
    """Have somebody else keep what is uncommitted in a worktree, now and while it is written."""
    _start(queen, ["-I", "-S", _door(), "keep", worktree])


def start_packer(queen: Queen) -> None:
    """Have somebody else drop and pack what is kept in all managed repositories."""
    _start(queen, ["-I", "-S", _door(), "pack"])


def _door() -> str:
    return os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "cli", "hook.py")


def _draining(path: str) -> bool:
    try:
        with open(path, encoding="ascii") as file:
            os.kill(int(file.read(20)), 0)
    except (OSError, ValueError):
        return False
    return True


def start_daemon(env: Mapping[str, str], interval: float | None) -> None:
    """Have a daemon run in the background, with `env` as its environment."""
    every = [] if interval is None else ["--interval", f"{interval:g}"]
    _spawn(env, ["-P", "-m", "gitqueen", "daemon", "run", *every])


def _start(queen: Queen, arguments: list[str]) -> None:
    _spawn({**queen.env, "GITQUEEN_CHILD": "1"}, arguments)


def _spawn(env: Mapping[str, str], arguments: list[str]) -> None:
    try:
        children.leave([sys.executable, *arguments], env)
    except (OSError, NotImplementedError):
        pass  # the next command that answers from a scan makes one itself
