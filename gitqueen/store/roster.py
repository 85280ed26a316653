"""The managed repositories as a plain list, `$GITQUEEN_HOME/repositories`: what is known when the database is lost.

One path a line; one that could be taken for two is written as JSON. A hint and no truth: whoever reads it looks.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

_NAME = "repositories"
_LARGEST = 1 << 20


def read(home: str) -> list[str]:
    """Paths of main worktrees and bare repositories, each once."""
    try:
        with open(os.path.join(home, _NAME), "rb") as file:
            lines = os.fsdecode(file.read(_LARGEST)).split("\n")
    except OSError:
        return []
    return list(dict.fromkeys(path for line in lines if (path := _path(line))))


def _path(line: str) -> str:
    if not line.startswith('"'):
        return line
    try:
        said = json.loads(line)
    except ValueError:
        return ""
    return said if isinstance(said, str) else ""


def add(home: str, paths: Iterable[str]) -> None:
    """Put those behind it that it has not. A home that cannot be written is no reason to fail."""
    known = set(read(home))
    lines = "".join(f"{_line(path)}\n" for path in paths if path not in known)
    if not lines:
        return
    try:
        # One write at the end of the file: two at once make a path twice at worst.
        target = os.open(os.path.join(home, _NAME), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(target, os.fsencode(lines))
        finally:
            os.close(target)
    except OSError:
        pass


def _line(path: str) -> str:
    return json.dumps(path) if "\n" in path or path.startswith('"') else path
