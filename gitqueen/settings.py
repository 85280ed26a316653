"""What the environment and git's configuration say about how gitqueen behaves.

The only reader of GITQUEEN_* variables and the only place that knows a setting's name and default. Git configuration
comes in as plain text pairs: reading it from git is `git/config`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from gitqueen import errors

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

GRACE = 10 * MINUTE
"""Seconds after which the claims of a dead sister are given back (`gitqueen.grace`)."""

RETENTION = 90 * DAY
"""Seconds that events and read mail are kept (`gitqueen.retention`)."""

STALE_SCAN = 30.0
"""Seconds after which a look around is too old to answer from."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of one command."""

    home: str
    """The queen's folder, absolute."""
    name: str | None
    """GITQUEEN_NAME: what the sister of these processes is called; unchecked text."""
    pid: str | None
    """GITQUEEN_PID: the process whose life is the session's life; unchecked text."""
    login: str
    """Who is logged in: the first half of a name nobody chose."""

    @property
    def database(self) -> str:
        return os.path.join(self.home, "queen.db")


def read(env: Mapping[str, str]) -> Settings:
    home = env.get("GITQUEEN_HOME") or os.path.join(_user_home(env), ".claude", "queen")
    return Settings(
        home=os.path.abspath(home),
        name=env.get("GITQUEEN_NAME") or None,
        pid=env.get("GITQUEEN_PID") or None,
        login=_login(env),
    )


def _user_home(env: Mapping[str, str]) -> str:
    if env.get("HOME"):
        return env["HOME"]
    import pwd  # only without HOME: cron jobs, stripped environments

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        raise errors.CannotWork(
            "neither GITQUEEN_HOME nor HOME is set", hint="export GITQUEEN_HOME=/path/of/a/folder"
        ) from None


def _login(env: Mapping[str, str]) -> str:
    for key in ("LOGNAME", "USER"):
        if env.get(key):
            return env[key]
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return "user"


_UNITS = {"s": 1.0, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}


def duration(text: str) -> float:
    """Seconds of `90`, `90s`, `10m`, `2h`, `1d`, `1w` or a sequence such as `1h30m`.

    Raises `errors.Usage` for anything else, for nothing, and for more than ten years.
    """
    total, digits, rest = 0.0, "", text.strip()
    for char in rest:
        if char in "0123456789.":
            digits += char
        elif char in _UNITS and digits:
            total, digits = total + _number(digits, text) * _UNITS[char], ""
        else:
            raise _no_duration(text)
    if digits:
        total += _number(digits, text)
    if not rest or not 0 <= total <= 3650 * DAY:
        raise _no_duration(text)
    return total


def _number(digits: str, text: str) -> float:
    try:
        return float(digits)
    except ValueError:
        raise _no_duration(text) from None


def _no_duration(text: str) -> errors.Usage:
    return errors.Usage(f"{ascii(text)} is no duration", hint="write it like 90s, 10m, 2h, 1d or 1h30m")
