"""Claims, conflicts and checks as lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gitqueen.model import times
from gitqueen.model.claims import Claim
from gitqueen.model.conflicts import Conflict
from gitqueen.services.checking import Check
from gitqueen.services.claiming import Taken
from gitqueen.views.text import Palette, clean, cut, folder, held, homely, pad


def claims(standing: Sequence[Claim], now: datetime, colour: Palette) -> str:
    """One claim a line, its paths and reason below."""
    if not standing:
        return 'no claims   (take one: gitqueen claim deploy -m "why")'
    wide = max(len(clean(claim.id)) for claim in standing)
    return "\n".join(line for claim in standing for line in _claim(claim, wide, now, colour))


def _claim(claim: Claim, wide: int, now: datetime, colour: Palette) -> list[str]:
    words = [f"  {pad(clean(claim.id), wide)}", colour.name(clean(claim.owner)), held(claim.claimed_at, now)]
    if claim.released_at is not None:
        words.append(colour.dim(f"released {times.iso(claim.released_at)}"))
    elif claim.expires_at is not None:
        words.append(f"until {times.iso(claim.expires_at)}")
    rows = ["  ".join(word for word in words if word)]
    if claim.paths:
        rows.append(f"      {' '.join(clean(path) for path in claim.paths)}   in {folder(claim.repo)}")
    if claim.description:
        rows.append(f"      {cut(claim.description, 200)}")
    return rows


def taken(report: Taken, now: datetime) -> str:
    """What came of a claim: mine, or who has it, since when and why."""
    claim = report.claim
    until = f" until {times.iso(claim.expires_at)}" if claim.expires_at else ""
    paths = f" on {' '.join(clean(path) for path in claim.paths)}" if claim.paths else ""
    if report.held_by is None:
        return f"✓ {clean(claim.id)} is {'still ' if report.renewed else ''}yours{paths}{until}"
    return held_by(report.held_by, now)


def held_by(other: Claim, now: datetime) -> str:
    why = f": {cut(other.description, 200)}" if other.description else " (no reason given)"
    since = (
        f" since {times.iso(other.claimed_at)} ({held(other.claimed_at, now).removeprefix('for ')})"
        if other.claimed_at
        else ""
    )
    paths = f" on {' '.join(clean(path) for path in other.paths)}" if other.paths else ""
    return f"{clean(other.id)} is held by {clean(other.owner)}{paths}{since}{why}"


def conflicts(book: Sequence[Conflict], now: datetime, colour: Palette) -> str:
    """One conflict a block: what, who, since when, the id to resolve it by, and where, if not all is in one place."""
    if not book:
        return "no open conflicts"
    rows, places = [], {conflict.repo for conflict in book}
    for conflict in book:
        where = f"   in {folder(conflict.repo)}" if len(places) > 1 and conflict.repo else ""
        state = (
            f"resolved {times.iso(conflict.resolved_at)}" if conflict.resolved_at else held(conflict.detected_at, now)
        )
        kind = colour.severity(conflict.severity, clean(conflict.type))
        rows.append(f"  {kind}  {', '.join(clean(name) for name in conflict.sisters)}  {colour.dim(state)}")
        rows.append(f"      {cut(homely(conflict.detail or ''), 300)}")
        rows.append(colour.dim(f"      {clean(conflict.id)}{where}"))
    return "\n".join(rows)


def check(report: Check, colour: Palette) -> str:
    if not report.collisions:
        count = len(report.paths)
        return f"✓ {count} path{'' if count == 1 else 's'} free" if count else "✓ nothing is staged"
    return "\n".join(
        f"  {colour.severity(one.severity, clean(one.path))}  {cut(one.detail, 300)}" for one in report.collisions
    )
