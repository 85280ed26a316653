"""Attribution: whose is an uncommitted change in a worktree that sisters share.

The last touch; else the only sister there; else the one whose claim covers it; else one of them, and never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Owner:
    """Of one change: whose it is, or of whom it may be when there are several names; none: nobody's who is known."""

    names: tuple[str, ...]

    @property
    def sure(self) -> str | None:
        return self.names[0] if len(self.names) == 1 else None

    def may_be(self, name: str) -> bool:
        return name in self.names


def owner(touches: Sequence[str], as_left: bool, there: Iterable[str], claimant: str | None) -> Owner:
    """The owner of a change. `touches`: who wrote the file, the latest last; `as_left`: whether it stands as she left
    it; `there`: who lives in the worktree; `claimant`: whose claim covers the path."""
    if touches and as_left:
        return Owner((touches[-1],))
    # Nobody who tells us wrote it as it is now: a shell command, an editor, or a sister without a door.
    living = sorted(set(there))
    if len(living) == 1:
        return Owner((living[0],))
    if claimant is not None:
        return Owner((claimant,))
    hands = [sister for sister in reversed(touches) if sister in living]
    return Owner(tuple(dict.fromkeys((*hands, *living))))
