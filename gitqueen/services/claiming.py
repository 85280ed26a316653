"""Claiming: exactly one sister holds a domain or a path at a time, and nobody holds it for ever.

Taking is one transaction: give back what ran out, look for what excludes, write. Whatever looks at claims gives back
what ran out first, so that nothing depends on a daemon.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gitqueen import errors
from gitqueen.model import claims, globs
from gitqueen.model.claims import Claim
from gitqueen.model.events import Event
from gitqueen.model.messages import NORMAL
from gitqueen.model.names import QUEEN, ClaimId
from gitqueen.model.sisters import Body, Identity, Sister
from gitqueen.senses import processes
from gitqueen.services import marking, tending
from gitqueen.services.queen import Queen
from gitqueen.settings import GRACE
from gitqueen.store import claims as claims_table
from gitqueen.store import database, events
from gitqueen.store import messages as messages_table
from gitqueen.store import sisters as sisters_table

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
    try:
        return globs.anchor(pattern, prefix)
    except ValueError as fault:
        raise errors.Usage(
            str(fault), hint="paths of this repository, as in .gitignore: 'src/**', '*.sql', ../docs/"
        ) from None


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
    if (other := claims.excluding(claim, held(queen))) is not None:
        _notice_death(queen, other.owner)
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
        marking.claims(queen, claim.common_dir)
    return Taken(claim, renewed=mine is not None)


def _renewed(mine: Claim, claim: Claim) -> Claim:
    """My own claim, taken again: what was not said again stays."""
    return replace(
        claim,
        description=mine.description if claim.description is None else claim.description,
        paths=claim.paths or mine.paths,
        repo=claim.repo if claim.paths else mine.repo,
        common_dir=claim.common_dir if claim.paths else mine.common_dir,
        claimed_at=mine.claimed_at or claim.claimed_at,  # another program may have written no time
        expires_at=claim.expires_at or mine.expires_at,
        nonce=mine.nonce or claim.nonce,
        command=None,  # it stood before the command and stands after it
    )


def bind(queen: Queen, claim: Claim, body: Body) -> None:
    """From now on the claim lives exactly as long as the process `body`."""
    with database.transaction(queen.db, durable=True):
        claims_table.set_command(queen.db, claim.id, claim.nonce, body)


def held(queen: Queen) -> list[Claim]:
    """What stands now; what is over is left out, and given back by the next transaction that looks."""
    with database.faults(queen.settings.database):
        dead = events.died(queen.db)
        return [claim for claim in claims_table.held(queen.db) if _over(queen, claim, dead) is None]


def listed(queen: Queen, every: bool = False) -> list[Claim]:
    """The claims that stand, or all that ever were."""
    standing = held(queen)
    if not every:
        return standing
    with database.faults(queen.settings.database):
        ever = claims_table.everything(queen.db)
    kept = {claim.id for claim in standing}
    # Over, and nobody has given it back yet: as if somebody had just now.
    return [claim if claim.released_at or claim.id in kept else replace(claim, released_at=queen.now) for claim in ever]


def give_back(queen: Queen) -> list[Claim]:
    """Release what is over. Call it inside a transaction."""
    dead = events.died(queen.db)
    gone = []
    for claim in claims_table.held(queen.db):
        if (why := _over(queen, claim, dead)) is not None:
            claims_table.release(queen.db, claim.id, queen.now)
            detail = {"id": claim.id, "why": why}
            events.record(queen.db, queen.now, Event("given-back", claim.owner, claim.repo, detail))
            gone.append(claim)
    return gone


def _over(queen: Queen, claim: Claim, dead: Mapping[str, datetime]) -> str | None:
    """Why a claim that nobody gave back holds no more, or None. One whose owner was never seen alive holds."""
    command, died = claim.command, dead.get(claim.owner)
    if claim.expired(queen.now):
        return "expired"
    if command is not None and command.origin == queen.origin:
        # As long as her command lives she is not gone, whatever became of her shell.
        return None if processes.alive(command.pid, command.ticks) else "its command ended"
    if died is not None and (queen.now - died).total_seconds() >= queen.duration("gitqueen.grace", GRACE):
        return "its owner died"
    return None


def _notice_death(queen: Queen, owner: str) -> None:
    """The grace of a dead owner begins when somebody sees that she is dead: whoever wants her claim need not wait
    for a scan to do so."""
    rows = [sister for sister in sisters_table.named(queen.db, owner) if sister.body is not None]
    if rows and owner not in events.died(queen.db) and all(tending.gone(queen, row) for row in rows):
        with database.transaction(queen.db):
            events.mark_dead(queen.db, [owner], queen.now)


def release(queen: Queen, me: Identity, claim_id: str, force: bool = False) -> Claim:
    """Give `claim_id` back; `force` takes another's and tells her by mail.

    Raises `errors.Refused` when it is not held, or another's.
    """
    with database.transaction(queen.db, durable=True):
        give_back(queen)
        claim = claims_table.get(queen.db, claim_id)
        if claim is not None and claim.released_at is None:
            if claim.owner != me.address and not force:
                raise errors.Refused(
                    f"{claim.id} is held by {claim.owner}, not by {me.address}",
                    hint=f'ask her: gitqueen tell {claim.owner} "..."; '
                    f"or take it from her: gitqueen release {claim.id} --force",
                )
            _let_go(queen, claim, me.address)
            if me.sister is not None:
                tending.settle(queen, me.sister)
            return claim
    # Another program may have claimed what is no id of ours, so the form is only asked where there is no such claim.
    raise errors.Refused(f"nobody holds {ClaimId(claim_id)}", hint="gitqueen claims")


def end(queen: Queen, claim: Claim) -> None:
    """Give back exactly this hold; nothing happens when it is over, or its id was taken anew."""
    with database.transaction(queen.db, durable=True):
        now = claims_table.get(queen.db, claim.id)
        if now is not None and now.released_at is None and now.nonce == claim.nonce:
            _let_go(queen, now, claim.owner)


def _let_go(queen: Queen, claim: Claim, me: str) -> None:
    claims_table.release(queen.db, claim.id, queen.now)
    kind = "released" if claim.owner == me else "taken-away"
    events.record(queen.db, queen.now, Event(kind, me, claim.repo, {"id": claim.id, "owner": claim.owner}))
    if claim.owner != me:
        text = f"{me} released your claim {claim.id} with --force."
        messages_table.add(queen.db, QUEEN, claim.owner, text, NORMAL, queen.now, None)
    marking.claims(queen, claim.common_dir)
    if claim.paths:
        tending.outdate(queen)  # what collided with it is over: the next look says so
