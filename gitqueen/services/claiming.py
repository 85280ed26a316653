"""Claiming: exactly one sister holds a domain or a path at a time, and nobody holds it for ever.

Taking is one transaction: give back what ran out, look for what excludes, write. Whatever looks at claims gives back
what ran out first, so that nothing depends on a daemon.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from gitqueen import errors
from gitqueen.git import markers
from gitqueen.model import claims, globs
from gitqueen.model.claims import Claim
from gitqueen.model.events import Event
from gitqueen.model.messages import NORMAL
from gitqueen.model.names import QUEEN, ClaimId
from gitqueen.model.sisters import Body, Sister
from gitqueen.senses import processes
from gitqueen.services import tending
from gitqueen.services.queen import Queen
from gitqueen.settings import GRACE
from gitqueen.store import claims as claims_table
from gitqueen.store import database, events, repos
from gitqueen.store import messages as messages_table

GLANCE = 0.05
"""Seconds between two tries of `claim --wait`."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to a claim: mine, or the one that stands in the way."""

    claim: Claim
    held_by: Claim | None = None
    renewed: bool = False

    @property
    def refused(self) -> bool:
        return self.held_by is not None


def wanted(
    queen: Queen, me: Sister, claim_id: str, description: str | None, paths: Sequence[str], ttl: float | None
) -> Claim:
    """The claim as she wants it, checked; raises `errors.Usage` or `errors.CannotWork` (paths outside a repository)."""
    name = ClaimId(claim_id)
    place = queen.here() if paths else queen.place
    globbed = tuple(dict.fromkeys(_glob(pattern, place.prefix if place else "") for pattern in paths))
    return Claim(
        id=name,
        owner=me.name,
        description=description,
        claimed_at=queen.now,
        paths=globbed,
        repo=place.repo if place else None,
        common_dir=place.common_dir if place else None,
        expires_at=None if ttl is None else queen.now + timedelta(seconds=ttl),
        # Random, so that no two claimants ever make the same object in a repository.
        nonce=os.urandom(16).hex(),
    )


def _glob(pattern: str, prefix: str) -> str:
    if (fault := globs.valid(pattern)) is not None:
        raise errors.Usage(fault, hint="paths are globs as in .gitignore: 'src/**', '*.sql'")
    try:
        return globs.anchor(pattern, prefix)
    except ValueError as fault:
        raise errors.Usage(str(fault), hint="paths lie inside this repository") from None


def take(queen: Queen, me: Sister, claim: Claim, wait: float | None = None) -> Taken:
    """Take `claim`, waiting up to `wait` seconds for whoever holds it."""
    deadline = time.monotonic() + (wait or 0)
    while True:
        taken = _try(queen, me, claim)
        if not taken.refused or time.monotonic() >= deadline:
            return taken
        time.sleep(GLANCE)
        queen.now = queen.clock()
        ttl = claim.expires_at and claim.claimed_at and claim.expires_at - claim.claimed_at
        claim = replace(claim, claimed_at=queen.now, expires_at=queen.now + ttl if ttl else None)


def _try(queen: Queen, me: Sister, claim: Claim) -> Taken:
    # A look without the lock first: with 64 waiting, only those who may win queue for it.
    if (other := claims.excluding(claim, held(queen))) is not None and not _run_out(queen, other):
        return Taken(claim, other)
    with database.transaction(queen.db, durable=True):
        give_back(queen)
        standing = claims_table.held(queen.db)
        if (other := claims.excluding(claim, standing)) is not None:
            return Taken(claim, other)
        mine = next((one for one in standing if one.id == claim.id), None)
        if mine is not None:
            claim = _renewed(mine, claim)
        claims_table.save(queen.db, claim)
        detail = {"id": claim.id, "description": claim.description, "paths": list(claim.paths)}
        events.record(queen.db, queen.now, Event("renewed" if mine else "claimed", me.name, claim.repo, detail))
        tending.settle(queen, me)
        _mark(queen, claim.common_dir)
    return Taken(claim, renewed=mine is not None)


def _renewed(mine: Claim, claim: Claim) -> Claim:
    """My own claim, taken again: what was not said again stays."""
    return replace(
        claim,
        description=claim.description or mine.description,
        paths=claim.paths or mine.paths,
        repo=claim.repo if claim.paths else mine.repo,
        common_dir=claim.common_dir if claim.paths else mine.common_dir,
        claimed_at=mine.claimed_at,
        expires_at=claim.expires_at or mine.expires_at,
        nonce=mine.nonce or claim.nonce,
        command=None,  # it stood before the command and stands after it
    )


def bind(queen: Queen, claim: Claim, body: Body) -> None:
    """From now on the claim lives exactly as long as the process `body`."""
    with database.transaction(queen.db, durable=True):
        claims_table.set_command(queen.db, claim.id, claim.nonce, body)


def held(queen: Queen) -> list[Claim]:
    """What stands now; what ran out is left out, and given back by the next transaction that looks."""
    with database.faults(queen.settings.database):
        return [claim for claim in claims_table.held(queen.db) if not _run_out(queen, claim)]


def listed(queen: Queen, every: bool = False) -> list[Claim]:
    """The claims that stand, or all that ever were."""
    if not every:
        return held(queen)
    with database.faults(queen.settings.database):
        return claims_table.everything(queen.db)


def _run_out(queen: Queen, claim: Claim) -> bool:
    return claim.expired(queen.now) or _command_ended(queen, claim)


def _command_ended(queen: Queen, claim: Claim) -> bool:
    command = claim.command
    return command is not None and command.origin == queen.origin and not processes.alive(command.pid, command.ticks)


def give_back(queen: Queen, grace: float | None = None) -> list[Claim]:
    """Release what ran out, whose command ended, or (given `grace`, seconds) whose owner is dead for so long.

    Call it inside a transaction. A claim whose owner was never seen alive stays.
    """
    dead = events.died(queen.db) if grace is not None else {}
    gone = []
    for claim in claims_table.held(queen.db):
        died = dead.get(claim.owner)
        if claim.expired(queen.now):
            why = "expired"
        elif _command_ended(queen, claim):
            why = "its command ended"
        elif died is not None and grace is not None and (queen.now - died).total_seconds() >= grace:
            why = "its owner died"
        else:
            continue
        claims_table.release(queen.db, claim.id, queen.now)
        events.record(queen.db, queen.now, Event("given-back", claim.owner, claim.repo, {"id": claim.id, "why": why}))
        gone.append(claim)
    return gone


def grace(queen: Queen) -> float:
    return queen.duration("gitqueen.grace", GRACE)


def release(queen: Queen, me: str, claim_id: str, force: bool = False) -> Claim:
    """Give `claim_id` back; `force` takes another's and tells her by mail.

    Raises `errors.Refused` when it is not held, or another's.
    """
    name = ClaimId(claim_id) if ClaimId.fault(claim_id) is None else claim_id
    with database.transaction(queen.db, durable=True):
        claim = claims_table.get(queen.db, name)
        if claim is None or claim.released_at is not None or _run_out(queen, claim):
            give_back(queen)
            missing = f"nobody holds {ascii(claim_id)[1:-1]}"
        else:
            missing = None
            if claim.owner != me and not force:
                raise errors.Refused(
                    f"{claim.id} is held by {claim.owner}, not by {me}",
                    hint=f'ask her: gitqueen tell {claim.owner} "..."; or take it from her: gitqueen release {claim.id} --force',
                )
            _let_go(queen, claim, me)
    if missing or claim is None:
        raise errors.Refused(missing or "", hint="gitqueen claims")
    return claim


def _let_go(queen: Queen, claim: Claim, me: str) -> None:
    claims_table.release(queen.db, claim.id, queen.now)
    kind = "released" if claim.owner == me else "taken-away"
    events.record(queen.db, queen.now, Event(kind, me, claim.repo, {"id": claim.id, "owner": claim.owner}))
    if claim.owner != me:
        text = f"{me} released your claim {claim.id} with --force."
        messages_table.add(queen.db, QUEEN, claim.owner, text, NORMAL, queen.now, None)
    _mark(queen, claim.common_dir)


def _mark(queen: Queen, common_dir: str | None) -> None:
    """The marker `claims` tells the hooks of a managed repository that path claims concern it."""
    if common_dir is not None and repos.managed(queen.db, common_dir):
        standing = any(claim.paths and claim.common_dir == common_dir for claim in claims_table.held(queen.db))
        markers.set_claims(common_dir, standing)
