"""The lean door of the status line, run by path with `python -I -S`: the agent's JSON in, one line out.

It is run every few seconds: no click, pygit2, psutil or filelock. It never fails, never waits and never says what is
wrong: an agent would show that, again and again. What is wrong is what `doctor` is for.
"""

from __future__ import annotations

import os
import sys

LIMIT = 1.0
"""Seconds; a status line that comes late is not shown."""
LARGEST = 1 << 20
_PATIENCE = 0.2
"""Seconds to wait for the JSON, and for another writer."""

if __name__ == "__main__":
    # -I and -S leave the package's own folder out of the path: nothing else than it and the standard library is in.
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def main() -> int:
    try:
        from gitqueen.cli import standins

        standins.install()
        from gitqueen.cli import limit  # what this imports is a stand-in now

        with limit.within(LIMIT):
            words = _line()
            # Bytes: a pipe without UTF-8 must not stop a line.
            sys.stdout.buffer.write(words.encode("utf-8", "backslashreplace") + b"\n")
            sys.stdout.flush()
    except BaseException:
        pass
    return 0


def _line() -> str:
    from gitqueen import settings

    if not os.path.exists(settings.read(os.environ).database):
        return "🐝"  # who only looks makes no hive
    from datetime import UTC, datetime

    from gitqueen.services import identifying, queen, summing
    from gitqueen.views import statusline

    opened = queen.open(os.environ, lambda: datetime.now(UTC), cwd=_folder(), patience=_PATIENCE)
    return statusline.line(summing.up(opened, identifying.glance(opened)))


def _folder() -> str | None:
    """Where the agent says that it works; None where it says nothing."""
    import json

    try:
        said = json.loads(_stdin())
        workspace = said.get("workspace") or {}
        folder = workspace.get("current_dir") or said.get("cwd")
    except (ValueError, AttributeError, RecursionError):
        return None
    return folder if isinstance(folder, str) and os.path.isdir(folder) else None


def _stdin() -> bytes:
    import select

    said = b""
    if sys.stdin is None or os.isatty(0):
        return said
    while len(said) < LARGEST and select.select([0], [], [], _PATIENCE)[0]:
        more = os.read(0, 65536)
        if not more:
            break
        said += more
    return said


if __name__ == "__main__":
    # Nothing is left to be tidied up, and taking the interpreter down would cost milliseconds.
    os._exit(main())
