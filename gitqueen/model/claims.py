"""Claims: the exclusive hold of one sister on a domain ("deploy") or on paths of a repository.

The rules of who excludes whom and until when. Taking one is `services/claiming`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gitqueen.model import globs
from gitqueen.model.sisters import Body


@dataclass(frozen=True, slots=True)
class Claim:
    """One hold. Without `paths` it is a domain, the same in every repository."""

    id: str
    owner: str
    description: str | None = None
    claimed_at: datetime | None = None
    released_at: datetime | None = None
    paths: tuple[str, ...] = ()
    """Globs from the top of the repository (git wildmatch)."""
    repo: str | None = None
    """Main worktree of the repository where it was taken."""
    common_dir: str | None = None
    expires_at: datetime | None = None
    nonce: str = ""
    command: Body | None = None
    """The process that the claim lives as long as (`claim ID -- COMMAND`)."""

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at

    def covers(self, path: str) -> bool:
        return any(globs.matches(pattern, path) for pattern in self.paths)


def excluding(wanted: Claim, held: Iterable[Claim]) -> Claim | None:
    """The held claim of somebody else that `wanted` runs into: the same id, or overlapping paths of one repository."""
    for other in held:
        # My own claim excludes me only while a command of mine runs under it: `claim ID -- COMMAND` is a lock.
        if other.id == wanted.id and (other.owner != wanted.owner or other.command is not None):
            return other
        if other.owner != wanted.owner and _overlap(wanted, other):
            return other
    return None


def _overlap(a: Claim, b: Claim) -> bool:
    return (
        a.common_dir is not None
        and a.common_dir == b.common_dir
        and any(globs.overlap(one, two) for one in a.paths for two in b.paths)
    )
