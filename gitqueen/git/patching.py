"""Patching: the difference between two sets of contents, as git itself writes it, in a repository that lives as long.

So it can be applied by `git apply`: new files, modes, links, odd names, binary content, no newline at the end. Nothing
of the user's repository is asked or changed: its filters would make other bytes of what we kept raw.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

from gitqueen.git import loose, process


@dataclass(frozen=True, slots=True)
class Side:
    """What stands at one path: the bytes of a file or the target of a link, and git's mode for it (0o100644...)."""

    mode: int
    data: bytes


def patch(now: Mapping[str, Side], then: Mapping[str, Side], as_data: bool = True) -> bytes:
    """What makes `then` of `now`. `as_data`: complete and in one form for all; else as the user likes to read it."""
    with tempfile.TemporaryDirectory(prefix="gitqueen-patch-") as box:
        where = os.path.join(box, "git")
        loose.make(where)
        now_tree, then_tree = _tree(where, now), _tree(where, then)
        # An external program would get temporary files of ours, and might draw whatever it likes on a terminal.
        plain = ("--no-ext-diff", "--no-textconv", "--no-color", "--src-prefix=a/", "--dst-prefix=b/")
        whole = ("--binary", "--full-index", "--no-renames", "--unified=3", "--inter-hunk-context=0") if as_data else ()
        return process.run(f"--git-dir={where}", "diff", *plain, *whole, now_tree, then_tree, timeout=120.0).out


def _tree(where: str, sides: Mapping[str, Side]) -> str:
    return loose.tree(where, [(path, one.mode, loose.write(where, "blob", one.data)) for path, one in sides.items()])


def stands(top: str, path: str) -> Side | None:
    """What stands at `path` below the folder `top`; None where nothing does, a folder, or what cannot be read."""
    whole = os.path.join(top, path)
    try:
        if os.path.islink(whole):
            return Side(0o120000, os.fsencode(os.readlink(whole)))
        if not os.path.isfile(whole):
            return None
        with open(whole, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            return Side(0o100755 if mode & 0o111 else 0o100644, file.read())
    except OSError:
        return None
