"""Graphs: git's commit-graph of a long history, made by us beside the drafts where the user has none.

To find a merge base without one, git opens commit after commit: among 80,000 that is nine tenths of a merge (170 of 190
ms), and a merge before a commit has no time to lose. A fresh clone has none until its first `gc`.
"""

from __future__ import annotations

import os

from gitqueen.git import drafts, process

LONG = 1 << 20
"""Bytes of pack indexes from which on a history is long: 35,000 objects."""
PATIENCE = 600.0
_THEIRS = ("commit-graph", "commit-graphs")


def path(common_dir: str) -> str:
    """Where ours is: git reads it with the drafts, and no git of the user's does."""
    return os.path.join(drafts.folder(common_dir), "info", "commit-graph")


def ask(common_dir: str) -> bool:
    """Whether one should be made: true once in the life of a folder of drafts, for whoever asks first."""
    objects, mark = os.path.join(common_dir, "objects"), asked(common_dir)
    if not os.path.isdir(drafts.folder(common_dir)) or os.path.exists(mark):
        return False
    has_one = any(os.path.exists(os.path.join(objects, "info", name)) for name in _THEIRS)
    managed = mark.startswith(common_dir + os.sep)  # only there somebody makes one
    if has_one or not managed or _indexes(objects) < LONG:
        return False
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError:
        return False
    return True


def write(common_dir: str) -> None:
    """Make what was asked for: a second for 80,000 commits. Where git makes none (shallow, replaced), it is left."""
    if not os.path.exists(asked(common_dir)) or os.path.exists(path(common_dir)):
        return
    args = ("commit-graph", "write", "--reachable", "--no-progress")
    env = drafts.environment(common_dir)
    process.run(*drafts.QUIETLY, *args, cwd=common_dir, env=env, check=False, timeout=PATIENCE)


def asked(common_dir: str) -> str:
    """A file that is there when somebody asked."""
    return os.path.join(drafts.top(common_dir), "graph-asked")


def _indexes(objects: str) -> int:
    """Bytes of all pack indexes here and where this borrows from."""
    total = 0
    for folder in (objects, *_alternates(objects)):
        try:
            with os.scandir(os.path.join(folder, "pack")) as entries:
                total += sum(entry.stat().st_size for entry in entries if entry.name.endswith(".idx"))
        except OSError:
            continue
    return total


def _alternates(objects: str) -> list[str]:
    try:
        with open(os.path.join(objects, "info", "alternates"), encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return []
    return [os.path.join(objects, line) for line in lines if line and not line.startswith(("#", '"'))]
