"""The briefing a session wakes up with: at most 2,000 characters, the most pressing first."""

from __future__ import annotations

from datetime import datetime

from gitqueen.model.claims import Claim
from gitqueen.model.conflicts import Conflict
from gitqueen.model.messages import Message
from gitqueen.model.sisters import Sister
from gitqueen.services.onboarding import LONGEST, Briefing
from gitqueen.views.text import Palette, clean, cut, homely, pad, width

MOST, LETTERS = 12, 5
"""Sisters, claims or conflicts, and letters, that a list names: as many as fit, never more."""
NAME, SENTENCE, TASK = 64, 110, 60
"""Columns at most."""


def brief(report: Briefing, now: datetime, colour: Palette) -> str:
    """The briefing, with as much of each list as fits into 2,000 characters."""
    end = "\n".join(["", "", *_commands(report)])
    for most in range(MOST, -1, -1):
        text = "\n".join(_sections(report, colour, most))
        if len(text) + len(end) <= LONGEST:
            return text + end
    return text[: LONGEST - len(end) - 1] + "…" + end


def _sections(report: Briefing, colour: Palette, most: int) -> list[str]:
    lines = [f"🐝 {colour.bold('gitqueen onboarding')} for {colour.name(cut(report.address, NAME))}"]
    if report.sister is not None and report.sister.task:
        lines.append(f"  Your task: {cut(report.sister.task, colour.room(90, 13))}")
    lines += _shared(report, colour) + ["", *_others(report, colour, most)]
    lines += _list("Claims held:", [_claim(one, colour) for one in report.claims], most)
    lines += _list("Open conflicts:", [_conflict(one, colour) for one in report.conflicts], most)
    title = f"📬 {len(report.mail)} unread (read it: gitqueen inbox):"
    return lines + _list(title, [_letter(one, colour) for one in report.mail], min(most, LETTERS))


def _shared(report: Briefing, colour: Palette) -> list[str]:
    if not report.roommates:
        return []
    names = ", ".join(cut(name, NAME) for name in report.roommates[:4])
    if len(report.roommates) > 4:
        names += f" and {len(report.roommates) - 4} more"
    apart = homely(clean(report.apart or ""))
    return [
        colour.warning(f"  ⚠ You share this worktree with {names}:"),
        colour.warning("    a branch switch, stash or reset hits them too."),
        # Half a command is worse than none.
        f"    Apart: {apart if len(apart) <= 200 else 'git worktree add <folder>'}",
    ]


def _others(report: Briefing, colour: Palette, most: int) -> list[str]:
    if not report.sisters:
        return ["  No other sister is working right now."]
    shown = report.sisters[: max(most, 1)]
    names = max(7, *(width(cut(sister.name, NAME)) for sister in shown))
    states = max(width(clean(sister.status)) for sister in shown)
    rows = []
    for sister in shown:
        head = f"{pad(clean(sister.status), states)}   {_doing(sister, colour.room(2 * TASK, names + states + 9))}"
        rows.append(f"    {colour.name(pad(cut(sister.name, NAME), names))}  {head}".rstrip())
    if len(report.sisters) > len(shown):
        rows.append(f"    and {len(report.sisters) - len(shown)} more: gitqueen status")
    return ["  Other sisters working right now:", *rows]


def _doing(sister: Sister, room: int) -> str:
    branch = f"[{cut(sister.branch, min(40, room // 2))}]" if sister.branch else ""
    if not sister.task:
        return branch
    task = cut(sister.task, max(8, min(TASK, room - width(branch) - 2)))
    return f"{task}  {branch}".rstrip()


def _claim(one: Claim, colour: Palette) -> str:
    paths = f" [{cut(', '.join(one.paths), 60)}]" if one.paths else ""
    why = f": {one.description}" if one.description else ""
    return cut(f"{one.id} by {one.owner}{paths}{why}", colour.room(SENTENCE, 4))


def _conflict(one: Conflict, colour: Palette) -> str:
    words = cut(f"{one.type}: {homely(one.detail or ', '.join(one.sisters))}", colour.room(SENTENCE, 4))
    return colour.severity(one.severity, words)


def _letter(one: Message, colour: Palette) -> str:
    urgent = " ⚡URGENT" if one.urgent else ""
    first, *more = one.body.strip().split("\n")
    return cut(
        f"#{one.id} from {one.sender or '?'}{urgent}: {homely(first)}{' …' if more else ''}", colour.room(SENTENCE, 4)
    )


def _list(title: str, rows: list[str], most: int) -> list[str]:
    if not rows:
        return []
    shown = [f"    {row}" for row in rows[:most]]
    return ["", f"  {title}", *shown, *([f"    and {len(rows) - most} more"] if len(rows) > most else [])]


def _commands(report: Briefing) -> list[str]:
    declared = report.sister is not None and report.sister.declared
    rows = [] if declared else ['  Declare your task with:   iam "<what you\'re doing>"']
    rows += [
        '  Send mail to a sister:    queen tell <name> "<msg>"',
        "  Before editing a file:    queen check <path>",
        '  Hold it for yourself:     queen claim <id> --path <glob> -m "<why>"',
    ]
    if report.repo is not None and not report.managed:
        rows.append("  Warn at collisions here:  queen hooks install .")
    return rows
