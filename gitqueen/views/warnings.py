"""What git's hooks print: at most six lines, who, where, on what, since when, what to type.

On the path of every commit that may collide: nothing heavy is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from gitqueen.model.conflicts import Collision
from gitqueen.model.sisters import Sister
from gitqueen.services.guarding import CheckoutReport, CommitReport
from gitqueen.views.text import Palette, ago, clean, cut, folder

MOST_LINES = 6


def commit(report: CommitReport, now: datetime, coloured: bool) -> str:
    """The warning or refusal of a commit; empty when nothing collides."""
    if not report.collisions:
        return ""
    colour = Palette(coloured)
    head = (
        colour.danger("✗ gitqueen: commit refused (gitqueen.policy = block)")
        if report.refused
        else colour.warning("⚠ gitqueen: this commit collides")
    )
    rows = [_collision(one, report.others or {}, now, colour) for one in report.collisions]
    room = MOST_LINES - 2
    if len(rows) > room:
        rows = [*rows[: room - 1], f"  and {len(rows) - room + 1} more: gitqueen check"]
    return "\n".join([f"🐝 {head}", *rows, _way_out(report)])


def _collision(one: Collision, others: Mapping[str, Sister], now: datetime, colour: Palette) -> str:
    sister = others.get(one.sister)
    task = f' "{cut(sister.task, 50)}"' if sister is not None and sister.task else ""
    branch = f" [{cut(sister.branch, 40)}]" if sister is not None and sister.branch else ""
    detail = (
        cut(one.detail.removeprefix(f"claimed by {one.sister} "), 120)
        if one.verdict == "claimed"
        else "uncommitted there"
    )
    return f"  {colour.severity(one.severity, cut(one.path, 80))}: {one.verdict} by {colour.name(clean(one.sister))}{branch}{task}, {detail}"


def _way_out(report: CommitReport) -> str:
    name = clean(report.collisions[0].sister)
    ask = f'gitqueen tell {name} "..."'
    if report.refused:
        return f"  Ask her: {ask}   Commit all the same: GITQUEEN_SKIP=1 git commit ..."
    return f"  Ask her: {ask}   Look: gitqueen check"


def checkout(report: CheckoutReport, now: datetime, coloured: bool) -> str:
    """Whose branch was moved, and who else is on the new one; empty when nobody."""
    colour = Palette(coloured)
    rows = [
        f"  {colour.name(clean(sister.name))} works here"
        + (f' on "{cut(sister.task, 60)}"' if sister.task else "")
        + f" and was on {clean(sister.branch or 'a detached HEAD')}"
        + (f", seen {ago(sister.last_seen, now)} ago" if ago(sister.last_seen, now) not in ("", "now") else "")
        for sister in report.moved
    ]
    if rows:
        if report.busy:
            return ""  # a rebase or bisect moves HEAD by itself; it is in the book as an info
        head = colour.warning(
            f"⚠ gitqueen: you switched the branch under {len(rows)} other{'s' if len(rows) > 1 else ''}"
        )
        back = f"  Back: git switch {clean(report.was)}" if report.was else "  Back: git switch -"
        return "\n".join([f"🐝 {head}", *_at_most(rows, MOST_LINES - 2), f"{back}   They were told by mail."])
    rows = [
        f"  {colour.name(clean(sister.name))}"
        + (f' "{cut(sister.task, 60)}"' if sister.task else "")
        + f"  in {folder(sister.worktree)}"
        for sister in report.shared
    ]
    if rows and not report.busy:
        return "\n".join([f"🐝 gitqueen: you share {clean(report.branch or '')} with", *_at_most(rows, MOST_LINES - 1)])
    return ""


def _at_most(rows: list[str], room: int) -> list[str]:
    return rows if len(rows) <= room else [*rows[: room - 1], f"  and {len(rows) - room + 1} more: gitqueen status"]
