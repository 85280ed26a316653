"""The crash log: `$GITQUEEN_HOME/crash.log`, where a traceback goes so that people see one line instead."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from gitqueen import __version__, settings

LARGEST = 512 * 1024
"""Bytes after which the log starts anew, keeping the one before as crash.log.1."""


def log(env: Mapping[str, str], fault: BaseException) -> str | None:
    """Append the traceback of `fault`; the path, or None where nothing can be written. Never raises."""
    import traceback  # only after a crash

    try:
        home = settings.read(env).home
        os.makedirs(home, mode=0o700, exist_ok=True)
        path = os.path.join(home, "crash.log")
        if os.path.exists(path) and os.path.getsize(path) > LARGEST:
            os.replace(path, path + ".1")
        # Source lines and the fault's own words, never values of variables or of the environment: people paste this.
        text = f"gitqueen {__version__}, Python {sys.version.split()[0]}, {sys.platform}\n"
        text += "".join(traceback.format_exception(fault))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write(text.encode("utf-8", "backslashreplace") + b"\n")
        return path
    except Exception:
        return None
