"""The public table of claims, and `holds`: paths, lifetime and nonce of those that gitqueen took.

A hold counts only while it names the owner and the moment of the public row: another program may replace that row.
"""

from __future__ import annotations

import json
from datetime import datetime

from gitqueen.model import times
from gitqueen.model.claims import Claim
from gitqueen.model.sisters import Body
from gitqueen.store import rows
from gitqueen.store.database import Database

_SELECT = """SELECT CAST(c.id AS BLOB), c.owner, c.description, c.claimed_at, c.released_at, h.paths, h.repo,
                    h.common_dir, h.expires_at, h.nonce, h.origin, h.pid, h.ticks
             FROM claims c
             LEFT JOIN holds h ON h.id = c.id AND h.owner = c.owner AND h.claimed_at = c.claimed_at"""


def held(db: Database) -> list[Claim]:
    """All claims that nobody gave back, the oldest first; expired ones too: judge them by `Claim.expired`."""
    found = db.execute(f"{_SELECT} WHERE c.released_at IS NULL ORDER BY c.claimed_at, c.id")
    return [_from_row(row) for row in found]


def everything(db: Database) -> list[Claim]:
    return [_from_row(row) for row in db.execute(f"{_SELECT} ORDER BY c.claimed_at, c.id")]


def get(db: Database, claim_id: str) -> Claim | None:
    row = db.execute(f"{_SELECT} WHERE c.id IN (CAST(:id AS TEXT), :id)", {"id": rows.key(claim_id)}).fetchone()
    return None if row is None else _from_row(row)


def _from_row(row: tuple[object, ...]) -> Claim:
    (name, owner, description, claimed, released, paths, repo, common_dir, expires, nonce, origin, pid, ticks) = row
    command = None
    if isinstance(origin, str) and isinstance(pid, int) and isinstance(ticks, int):
        command = Body(origin, pid, ticks)
    return Claim(
        id=rows.as_key(name),
        owner=rows.as_text(owner) or "",
        description=rows.as_text(description),
        claimed_at=times.parse(claimed),
        released_at=times.parse(released),
        paths=tuple(json.loads(paths)) if isinstance(paths, str) else (),
        repo=rows.as_path(repo),
        common_dir=rows.as_path(common_dir),
        expires_at=times.parse(expires),
        nonce=rows.as_text(nonce) or "",
        command=command,
    )


def save(db: Database, claim: Claim) -> None:
    """Write `claim` as held, in place of whatever its id stood for before."""
    values = {
        "id": rows.key(claim.id),
        "owner": claim.owner,
        "description": rows.text(claim.description),
        "claimed": rows.moment(claim.claimed_at),
        "paths": json.dumps(claim.paths),
        "repo": rows.path(claim.repo),
        "common_dir": rows.path(claim.common_dir),
        "expires": rows.moment(claim.expires_at),
        "nonce": claim.nonce,
        "origin": claim.command and claim.command.origin,
        "pid": claim.command and claim.command.pid,
        "ticks": claim.command and claim.command.ticks,
    }
    db.execute(
        """INSERT OR REPLACE INTO claims (id, owner, description, claimed_at, released_at)
           VALUES (CAST(:id AS TEXT), :owner, :description, :claimed, NULL)""",
        values,
    )
    db.execute(
        """INSERT OR REPLACE INTO holds
               (id, owner, claimed_at, paths, repo, common_dir, expires_at, nonce, origin, pid, ticks)
           VALUES (CAST(:id AS TEXT), :owner, :claimed, :paths, :repo, :common_dir, :expires, :nonce, :origin, :pid,
               :ticks)""",
        values,
    )


def set_command(db: Database, claim_id: str, nonce: str, command: Body) -> None:
    """From now on the claim lives as long as `command`."""
    db.execute(
        "UPDATE holds SET origin = :origin, pid = :pid, ticks = :ticks WHERE id = :id AND nonce = :nonce",
        {"id": claim_id, "nonce": nonce, "origin": command.origin, "pid": command.pid, "ticks": command.ticks},
    )


def release(db: Database, claim_id: str, now: datetime) -> bool:
    """Give it back; False when it was not held."""
    gone = db.execute(
        "UPDATE claims SET released_at = :at WHERE id IN (CAST(:id AS TEXT), :id) AND released_at IS NULL",
        {"at": times.iso(now), "id": rows.key(claim_id)},
    )
    return gone.rowcount > 0


def rename_owner(db: Database, old: str, new: str) -> None:
    for table in ("claims", "holds"):
        db.execute(f"UPDATE {table} SET owner = :new WHERE owner = :old", {"old": old, "new": new})


def forget(db: Database, before: datetime) -> int:
    """Drop claims that were given back before `before`; how many went."""
    gone = db.execute(
        "DELETE FROM claims WHERE released_at IS NOT NULL AND substr(released_at, 1, 10) < ?", (rows.day(before),)
    ).rowcount
    db.execute("DELETE FROM holds WHERE NOT EXISTS (SELECT 1 FROM claims c WHERE c.id = holds.id)")
    return gone
