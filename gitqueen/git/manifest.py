"""What was written into a repository's hooks, by checksum: how uninstalling knows that it restored byte for byte.

`<git-common-dir>/gitqueen/hooks.json`. Only ever compared with: a repository that came as an archive may bring one.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

_LARGEST = 256 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """SHA-256 of a file before our change (None: there was none) and after it."""

    before: str | None
    after: str


def checksum(text: bytes | None) -> str | None:
    import hashlib  # only where hooks are written or looked at

    return None if text is None else hashlib.sha256(text).hexdigest()


def read(common_dir: str) -> dict[str, Record]:
    """Path -> record; empty where there is none or it makes no sense."""
    try:
        with open(_path(common_dir), "rb") as file:
            said = json.loads(file.read(_LARGEST))
        files = said["files"].items()
        return {str(path): Record(_sum(one["before"]), str(one["after"])) for path, one in files}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _sum(value: object) -> str | None:
    return value if isinstance(value, str) else None


def write(common_dir: str, records: dict[str, Record]) -> None:
    """Replace it whole; without records it goes. A folder that cannot be written is no reason to fail."""
    path = _path(common_dir)
    shape = {"files": {name: {"before": one.before, "after": one.after} for name, one in sorted(records.items())}}
    try:
        if not records:
            os.unlink(path)
            return
        part = f"{path}.{os.getpid()}"
        with open(part, "w", encoding="ascii") as file:
            json.dump(shape, file, indent=1)
        os.replace(part, path)
    except OSError:
        pass


def _path(common_dir: str) -> str:
    return os.path.join(common_dir, "gitqueen", "hooks.json")
