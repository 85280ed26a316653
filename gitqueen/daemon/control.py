"""Being the daemon of a home, and starting, ending and looking at the one there is.

Who holds `daemon.lock` is the daemon: the lock dies with its process. `daemon.pid` says who that is, for people and for
git's hooks, and is believed only while the lock is held.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from gitqueen import errors, settings
from gitqueen.daemon.journal import Journal

PATIENCE = 10.0
"""Seconds for a daemon to come or to go."""
KEPT = (
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "GITQUEEN_HOME", "GITQUEEN_DEBUG", "PYTHONPATH",
    "DBUS_SESSION_BUS_ADDRESS", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM",
)  # fmt: skip
"""What a daemon takes over of the environment it is started from: no sister's name, no terminal, no secrets."""


@dataclass(frozen=True, slots=True)
class State:
    """The daemon of a home."""

    pid: int | None
    """None where there is none."""
    since: datetime | None = None
    log: str = ""
    last: str = ""
    """The last line of its log."""

    @property
    def running(self) -> bool:
        return self.pid is not None


def _now() -> datetime:
    return datetime.now(UTC)


def state(env: Mapping[str, str]) -> State:
    """How it is; nothing is made where there is no home."""
    home = settings.read(env).home
    journal = Journal(home, _now)
    deadline = time.monotonic() + 1.0
    while True:
        held, (pid, since) = _held(home), _pid(home)
        if not held or (pid is not None and _lives(pid)) or time.monotonic() > deadline:
            break
        time.sleep(0.02)  # it has just come: what the file says is of one that was killed
    return State(pid if held else None, since, journal.path, journal.last())


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _held(home: str) -> bool:
    path = os.path.join(home, "daemon.lock")
    if not os.path.exists(path):
        return False
    from gitqueen.services import alone

    return alone.taken(path)


def _pid(home: str) -> tuple[int | None, datetime | None]:
    path = os.path.join(home, "daemon.pid")
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            said = file.read(32).strip()
        return int(said), datetime.fromtimestamp(os.stat(path).st_mtime, UTC)
    except (OSError, ValueError):
        return None, None


def run(env: Mapping[str, str], interval: float, aloud: Callable[[str], None] | None = None) -> bool:
    """Be the daemon until somebody ends it; False where there is one already."""
    from gitqueen.services import alone

    home = settings.read(env).home
    os.makedirs(home, mode=0o700, exist_ok=True)
    journal = Journal(home, _now, aloud)
    with alone.only(os.path.join(home, "daemon.lock"), 0.0) as free:
        if not free:
            return False
        stopping = _listen()
        mark = _sign(home)
        journal.write(f"started, process {os.getpid()}, a look around every {interval:g} s")
        try:
            journal.write(f"ended: {_tick(env, interval, journal, stopping, lambda: _mark(home) == mark)}")
        finally:
            if _mark(home) == mark:
                os.unlink(os.path.join(home, "daemon.pid"))
    return True


def _tick(
    env: Mapping[str, str],
    interval: float,
    journal: Journal,
    stopping: Callable[[], bool],
    still_ours: Callable[[], bool],
) -> str:
    from gitqueen.daemon import clock
    from gitqueen.services import queen

    os.chdir("/")  # no folder is kept from being removed or unmounted
    try:
        queen.open(env, _now, "/").db.close()  # its faults are said now, not only by the first child
    except errors.GitqueenError as fault:
        journal.write(fault.message)
    clock.prepare()
    return clock.go(clock.Clock(env, interval, journal), stopping, still_ours)


def _listen() -> Callable[[], bool]:
    """From now on signals end us in order; whether one came."""
    came: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda got, _: came.append(got))
    return lambda: bool(came)


def _sign(home: str) -> tuple[int, int] | None:
    """Write who the daemon is; never half a line, hooks read it."""
    path = os.path.join(home, "daemon.pid")
    with open(f"{path}.new", "w", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")
    os.replace(f"{path}.new", path)
    return _mark(home)


def _mark(home: str) -> tuple[int, int] | None:
    """What makes this file this file: another one means another daemon, none that the home is gone."""
    try:
        found = os.stat(os.path.join(home, "daemon.pid"))
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def start(env: Mapping[str, str], interval: float | None) -> State:
    """Have one run in the background, and wait until it does. Raises `errors.CannotWork` where none comes."""
    before, stale = state(env), _mark(settings.read(env).home)
    if before.running:
        return before
    from gitqueen.services import watching

    kept = {key: value for key, value in env.items() if key in KEPT or key.startswith(("LC_", "XDG_"))}
    watching.start_daemon(kept, interval)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        now = state(env)
        if now.running and _mark(settings.read(env).home) != stale:
            return now
        time.sleep(0.05)
    last = Journal(settings.read(env).home, _now).last()
    raise errors.CannotWork(
        f"the daemon did not start{': ' + last if last else ''}", hint="see why: gitqueen daemon run"
    )


def stop(env: Mapping[str, str]) -> State | None:
    """End it and wait until it is gone; how it was, None where there is none. Raises `errors.Busy` where it stays."""
    found = state(env)
    if found.pid is None:
        return None
    home = settings.read(env).home
    try:
        os.kill(found.pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
    deadline = time.monotonic() + PATIENCE
    while _held(home):
        if time.monotonic() > deadline:
            raise errors.Busy(f"the daemon (process {found.pid}) does not end", hint=f"kill -9 {found.pid}")
        time.sleep(0.05)
    return found


def python() -> list[str]:
    """The command line that runs the daemon of this installation."""
    # -P: the working folder may be a stranger's repository with a gitqueen.py of its own.
    return [sys.executable, "-P", "-m", "gitqueen", "daemon", "run"]


def settle(env: Mapping[str, str]) -> str:
    """Have one run now and, where systemd of this user can see to it, at each login; by which file."""
    from gitqueen.services import settling

    stop(env)  # one that runs without the unit would keep the unit's out
    if (unit := settling.write_unit(env, python())) is not None:
        return unit
    return start(env, None).log


def leave(env: Mapping[str, str]) -> list[str]:
    """End it for good; the files that told of it."""
    from gitqueen.services import settling

    unit = settling.remove_unit(env)
    ended = stop(env)
    return [path for path in (unit, ended.log if ended else None) if path]
