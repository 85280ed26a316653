"""The hive on one screen: `status`, sister by sister."""

from __future__ import annotations

from datetime import datetime

from gitqueen.model.claims import Claim
from gitqueen.model.sisters import Sister
from gitqueen.services.reporting import Mail, Status
from gitqueen.views import windows
from gitqueen.views.text import Palette, ago, clean, cut, cut_front, folder, pad, width

NAMES = 7
"""Columns of the names at least, so that most hives look the same."""
NAME, TASK, BRANCH, FOLDER, SENTENCE = 64, 100, 40, 200, 110
"""Columns at most; a terminal may have fewer."""
MOST = 10
"""Claims and inboxes that one line names."""


def status(report: Status, colour: Palette) -> str:
    """The colony: who works where on what, then claims, conflicts, cron jobs and mail in one line each."""
    blocks = [f"🐝 {colour.bold('gitqueen')} — colony status", ""]
    blocks += _sisters(report.sisters, report.at, colour) or [
        "  no sisters yet",
        f"  {colour.dim('Become one:  iam ' + chr(34) + 'what you are doing' + chr(34))}",
    ]
    blocks += ["", _summary(report, colour)]
    blocks += [f"    {_conflict(report, index, colour)}" for index in range(min(3, len(report.conflicts)))]
    if report.mail:
        blocks.append(_line("  📬 Pending mail: ", [_mail(one) for one in report.mail], "", colour))
    return "\n".join(blocks)


def _sisters(sisters: tuple[Sister, ...], now: datetime, colour: Palette) -> list[str]:
    if not sisters:
        return []
    names = max(NAMES, *(width(cut(s.name, NAME)) for s in sisters))
    pids = max(len(str(s.pid)) for s in sisters)
    branches, folders = _columns(sisters, now, names + pids + 26, colour)
    rows = []
    for sister in sisters:
        row = [
            f"  {colour.name(pad(cut(sister.name, NAME), names))}",
            f"pid {sister.pid:<{pids}}",
            _status(sister, colour),
            "📌 " if sister.declared else "   ",
            pad(_branch(sister, branches), branches),
            pad(cut_front(folder(sister.worktree), folders), folders),
            colour.dim(_tail(sister, now)),
        ]
        rows.append("  ".join(row).rstrip())
        if sister.task:
            rows.append(" " * (names + 4) + cut(sister.task, colour.room(TASK, names + 4)))
    return rows


def _columns(sisters: tuple[Sister, ...], now: datetime, fixed: int, colour: Palette) -> tuple[int, int]:
    """How wide branches and folders may be, so that rows fit the terminal: folders give way first, to a half."""
    branches = max(width(_branch(sister, BRANCH)) for sister in sisters)
    folders = min(FOLDER, max(width(folder(sister.worktree)) for sister in sisters))
    seen = max(width(_tail(sister, now)) for sister in sisters)
    room = colour.room(BRANCH + FOLDER, fixed + (seen + 2 if seen else 0))
    if branches + folders > room:
        folders = max(room - branches, min(folders, room // 2))
        branches = max(8, min(branches, room - folders))
    return branches, folders


def _branch(sister: Sister, most: int) -> str:
    if sister.worktree is None and sister.branch is None:
        return ""
    star = "*" if sister.dirty else ""
    return f"[{cut(sister.branch or '(detached)', most - 2 - len(star))}{star}]"


def _status(sister: Sister, colour: Palette) -> str:
    word = pad(clean(sister.status), 7)
    return colour.good(word) if sister.status == "working" else colour.dim(word)


def _tail(sister: Sister, now: datetime) -> str:
    return "  ".join(word for word in (windows.label(sister.terminal), _seen(sister, now)) if word)


def _seen(sister: Sister, now: datetime) -> str:
    since = ago(sister.last_seen, now)
    return "" if since in ("", "now") else f"{since} ago"


def _summary(report: Status, colour: Palette) -> str:
    count = str(len(report.conflicts))
    rest = f"   Conflicts: {count}   Cron jobs tracked: {report.cron_jobs}"
    line = _line("  Claims: ", [claim(one, report.at) for one in report.claims] or ["none"], rest, colour)
    painted = f"Conflicts: {colour.warning(count) if report.conflicts else count} "
    return line.removesuffix(rest) + rest.replace(f"Conflicts: {count} ", painted)


def _line(head: str, words: list[str], rest: str, colour: Palette) -> str:
    """`head`, as many of the words as fit beside `rest`, and how many more there are; else only their number."""
    for shown in range(min(MOST, len(words)), 0, -1):
        more = f" and {len(words) - shown} more" if shown < len(words) else ""
        line = head + ", ".join(words[:shown]) + more + rest
        if colour.columns is None or width(line) <= colour.columns:
            return line
    return f"{head}{len(words)}{rest}"


def claim(one: Claim, now: datetime) -> str:
    held = ago(one.claimed_at, now)
    return f"{cut(one.id, 40)} ({cut(one.owner, NAME)}{', ' + held if held else ''})"


def _mail(one: Mail) -> str:
    return f"{cut(one.sister, NAME)} {one.unread} unread{' ⚡' + str(one.urgent) if one.urgent else ''}"


def _conflict(report: Status, index: int, colour: Palette) -> str:
    conflict = report.conflicts[index]
    if index == 2 and len(report.conflicts) > 3:
        return colour.dim(f"and {len(report.conflicts) - 2} more: gitqueen conflicts")
    words = f"{conflict.type}: {conflict.detail or ', '.join(conflict.sisters)}"
    return colour.severity(conflict.severity, cut(words, colour.room(SENTENCE, 4)))
