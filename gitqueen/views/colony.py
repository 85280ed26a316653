"""The hive on one screen: `status`, sister by sister."""

from __future__ import annotations

from datetime import datetime

from gitqueen.model.claims import Claim
from gitqueen.model.sisters import Sister
from gitqueen.services.reporting import Status
from gitqueen.views.text import Palette, ago, clean, cut, folder, pad, width

INDENT = "           "
TASK_COLUMNS = 100


def status(report: Status, colour: Palette) -> str:
    """The colony: who works where on what, then claims, conflicts, cron jobs and mail in one line each."""
    blocks = [f"🐝 {colour.bold('gitqueen')} — colony status", ""]
    blocks += _sisters(report.sisters, report.at, colour) or [
        "  no sisters yet",
        f"  {colour.dim('Become one:  iam ' + chr(34) + 'what you are doing' + chr(34))}",
    ]
    blocks += ["", "  " + "   ".join(_summary(report, colour))]
    blocks += [f"    {_conflict(report, index, colour)}" for index in range(min(3, len(report.conflicts)))]
    if report.mail:
        mail = ", ".join(
            f"{clean(one.sister)} {one.unread} unread{' ⚡' + str(one.urgent) if one.urgent else ''}"
            for one in report.mail
        )
        blocks.append(f"  📬 Pending mail: {mail}")
    return "\n".join(blocks)


def _sisters(sisters: tuple[Sister, ...], now: datetime, colour: Palette) -> list[str]:
    names = max((width(clean(s.name)) for s in sisters), default=0)
    pids = max((len(str(s.pid)) for s in sisters), default=0)
    branches = max((width(_branch(s)) for s in sisters), default=0)
    rows = []
    for sister in sisters:
        row = [
            f"  {colour.name(pad(clean(sister.name), names))}",
            f"pid {sister.pid:<{pids}}",
            _status(sister, colour),
            "📌" if sister.declared else "  ",
            pad(_branch(sister), min(branches, 40)),
            folder(sister.worktree),
            colour.dim(_seen(sister, now)),
        ]
        rows.append("  ".join(row).rstrip())
        if sister.task:
            rows.append(INDENT + cut(sister.task, TASK_COLUMNS))
    return rows


def _branch(sister: Sister) -> str:
    if sister.worktree is None and sister.branch is None:
        return ""
    return f"[{clean(sister.branch) if sister.branch else '(detached)'}{'*' if sister.dirty else ''}]"


def _status(sister: Sister, colour: Palette) -> str:
    word = pad(clean(sister.status), 7)
    return colour.good(word) if sister.status == "working" else colour.dim(word)


def _seen(sister: Sister, now: datetime) -> str:
    since = ago(sister.last_seen, now)
    return "" if since in ("", "now") else f"seen {since} ago"


def _summary(report: Status, colour: Palette) -> list[str]:
    claims = ", ".join(claim(one, report.at) for one in report.claims[:5]) or "none"
    if len(report.claims) > 5:
        claims += f" and {len(report.claims) - 5} more"
    count = str(len(report.conflicts))
    return [
        f"Claims: {claims}",
        f"Conflicts: {colour.warning(count) if report.conflicts else count}",
        f"Cron jobs tracked: {report.cron_jobs}",
    ]


def claim(one: Claim, now: datetime) -> str:
    held = ago(one.claimed_at, now)
    return f"{clean(one.id)} ({clean(one.owner)}{', ' + held if held else ''})"


def _conflict(report: Status, index: int, colour: Palette) -> str:
    conflict = report.conflicts[index]
    if index == 2 and len(report.conflicts) > 3:
        return colour.dim(f"and {len(report.conflicts) - 2} more: gitqueen conflicts")
    words = f"{clean(conflict.type)}: {cut(conflict.detail or ', '.join(conflict.sisters), 110)}"
    return colour.severity(conflict.severity, words)
