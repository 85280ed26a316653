"""Disjoint: pairs of which it is proven, without a merge, that git merges them cleanly.

Most pairs are such, and a difference of two trees costs a hundredth of a merge. That no path is changed on both sides
is no proof: renames. The whole proof stands below, and Hypothesis holds it against git.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

TYPE_CHECKING = False  # importing typing costs a hook 4 ms
if TYPE_CHECKING:
    from gitqueen.git.bases import Git


@dataclass(slots=True)
class Changes:
    """What one side changed since the base, as paths from the top; a rename is a path gone and another one added."""

    paths: set[bytes] = field(default_factory=set)
    added: set[bytes] = field(default_factory=set)
    gone: set[bytes] = field(default_factory=set)
    _folders: dict[str, set[bytes]] = field(default_factory=dict)

    def folders(self, of: str) -> set[bytes]:
        """All folders above the paths `of` a kind."""
        if of not in self._folders:
            self._folders[of] = _above(getattr(self, of))
        return self._folders[of]

    @property
    def may_rename(self) -> bool:
        return bool(self.added and self.gone)


def _above(paths: Iterable[bytes]) -> set[bytes]:
    found = set[bytes]()
    for path in paths:
        while (path := path.rpartition(b"/")[0]) and path not in found:
            found.add(path)
    return found


# Let B be the only merge base, and X and Y what the sides changed since. `apart` says that git merges X and Y cleanly
# when all of this holds:
#
# 1. No path is in both. So of every path at least one side has what B has, and git takes what the other side has: no
#    contents are merged and no merge driver is asked.
# 2. No path of one side is a folder above a path of the other. A file and a folder of one name can only meet where one
#    side made the file and the other something below: if the other side had it from B, this side had to take it out,
#    which is a change below the file's path.
# 3. Renames. git finds them on a side between a path that is gone there and one that was added there (it looks for no
#    copies and breaks no pairs).
#    a) Of one file, p to q on side X: by 1, Y has p as B has it, so that q gets X's content; and Y has no q.
#    b) Of a folder, d to e on side X, which git concludes from renamed files when X has nothing left in d: it moves, or
#       asks about, what Y added or renamed into d or below. Such a path is among those that Y added, and X took all
#       that B has in d out, at least one of which was renamed: d is above a path that is gone on X. Hence no folder
#       above what one side added may be above what is gone on the other, if that other side also added something. The
#       top of the repository is no such folder: git never takes it for renamed. Two sides that rename the same folder
#       both took its files out, which 1 excludes.
#    This holds whatever `merge.renames`, `merge.directoryRenames` and rename limits say: each only finds less.
def apart(one: Changes, other: Changes) -> bool:
    """Whether two sides with a single merge base surely merge cleanly, each taking nothing of the other's."""
    if not one.paths.isdisjoint(other.paths):
        return False
    if not one.paths.isdisjoint(other.folders("paths")) or not other.paths.isdisjoint(one.folders("paths")):
        return False
    return not (_moves_under(one, other) or _moves_under(other, one))


def _moves_under(mover: Changes, adder: Changes) -> bool:
    return mover.may_rename and not mover.folders("gone").isdisjoint(adder.folders("added"))


def changes(git: Git, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Changes]:
    """(tree of a base, tree of a side) -> what was changed in between; one process for all."""
    wanted = [pair for pair in dict.fromkeys(pairs) if pair[0] != pair[1]]
    found: dict[tuple[str, str], Changes] = {(one, one): Changes() for pair in pairs for one in pair}
    if not wanted:
        return found
    found.update((pair, Changes()) for pair in wanted)
    stdin = "".join(f"{base} {side}\n" for base, side in wanted).encode()
    args = (
        "diff-tree",
        "--stdin",
        "-r",
        "-z",
        "--name-status",
        "--no-renames",
        "--no-ext-diff",
        "--ignore-submodules=none",
    )
    current = Changes()
    words = iter(git(*args, stdin=stdin).out.split(b"\0"))
    for word in words:
        head, _, status = word.rpartition(b"\n")
        if head:  # `TREE TREE` on a line before the first path; those without a difference may stand before it
            base, _, side = head.rpartition(b"\n")[2].decode("ascii").partition(" ")
            current = found[base, side]
        if not status:
            continue
        path = next(words)
        current.paths.add(path)
        if status == b"A":
            current.added.add(path)
        elif status == b"D":
            current.gone.add(path)
    return found
