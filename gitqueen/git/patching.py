"""Patching: the difference between two sets of contents, as git itself writes it, in a repository that lives as long.

So it can be applied by `git apply`: new files, modes, links, odd names, binary content, no newline at the end. Nothing
of the user's repository is changed. No program is run that settings name: it would get temporary files of ours, draw
whatever it likes on a terminal, and keep what it made as notes in the user's repository.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitqueen.git import loose, process
from gitqueen.git.places import Place


@dataclass(frozen=True, slots=True)
class Side:
    """What stands at one path: the bytes of a file or the target of a link, and git's mode for it (0o100644...)."""

    mode: int
    data: bytes


PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color")
WHOLE = (
    "--binary", "--full-index", "--no-renames", "--unified=3", "--inter-hunk-context=0", "--src-prefix=a/",
    "--dst-prefix=b/",
)  # fmt: skip


def patch(now: Mapping[str, Side], then: Mapping[str, Side], shown: Place | None = None) -> bytes:
    """What makes `then` of `now`: complete and in one form for all; or as the user likes to read it in `shown`."""
    with tempfile.TemporaryDirectory(prefix="gitqueen-patch-") as box:
        where = os.path.join(box, "git")
        loose.make(where)
        batch = loose.Batch(where)
        both = (_tree(batch, now), _tree(batch, then))
        batch.write()
        if shown is not None and (said := _in(shown, where, both)) is not None:
            return said
        form = WHOLE if shown is None else ()
        return process.run(f"--git-dir={where}", "diff", *PLAIN, *form, *both, timeout=120.0).out


def _in(place: Place, where: str, both: Sequence[str]) -> bytes | None:
    """By the settings and attributes of that repository, which borrows our objects for a moment; None where it cannot
    (other hashes)."""
    env = process.borrowing(process.without_local(os.environ), [os.path.join(where, "objects")])
    asked = process.run("diff", *PLAIN, *both, cwd=place.worktree, env=env, check=False, timeout=120.0)
    return asked.out if not asked.code else None


def _tree(batch: loose.Batch, sides: Mapping[str, Side]) -> str:
    return batch.tree([(path, one.mode, batch.add("blob", one.data)) for path, one in sides.items()])


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
