"""The briefing a session wakes up with: at most 2,000 characters, the most pressing first."""

from __future__ import annotations

from datetime import datetime

from gitqueen.model.sisters import Sister
from gitqueen.services.onboarding import LONGEST, Briefing
from gitqueen.views.text import Palette, clean, cut, pad

FEWEST, MOST = 3, 12
"""Sisters, claims, conflicts or letters that a list names: as many as fit, never more."""


def brief(report: Briefing, now: datetime, colour: Palette) -> str:
    """The briefing, with as much of each list as fits into 2,000 characters."""
    for most in range(MOST, -1, -1):
        text = "\n".join(_sections(report, now, colour, most))
        if len(text) <= LONGEST:
            return text
    return text[: LONGEST - 1] + "…"


def _sections(report: Briefing, now: datetime, colour: Palette, most: int) -> list[str]:
    lines = [f"🐝 {colour.bold('gitqueen onboarding')} for {colour.name(clean(report.address))}"]
    if report.sister is not None and report.sister.task:
        lines.append(f"  Your task: {cut(report.sister.task, 90)}")
    lines += _shared(report, colour) + ["", *_others(report, colour, most)]
    lines += _list("Claims held:", [_claim(report, i) for i in range(len(report.claims))], most)
    lines += _list("Open conflicts:", [f"{clean(c.type)}: {cut(c.detail or '', 110)}" for c in report.conflicts], most)
    lines += _list(
        f"📬 {len(report.mail)} unread (read it: gitqueen inbox):",
        [
            f"#{m.id} from {clean(m.sender or '?')}{' ⚡URGENT' if m.urgent else ''}: {cut(m.body, 60)}"
            for m in report.mail
        ],
        min(most, 5),
    )
    lines += ["", *_commands(report)]
    return lines


def _shared(report: Briefing, colour: Palette) -> list[str]:
    if not report.roommates:
        return []
    names = ", ".join(clean(name) for name in report.roommates[:5])
    return [
        colour.warning(f"  ⚠ You share this worktree with {names}: a branch switch, stash or reset hits them too."),
        f"    Apart: {cut(report.apart or '', 200)}",
    ]


def _others(report: Briefing, colour: Palette, most: int) -> list[str]:
    if not report.sisters:
        return ["  No other sister is working right now."]
    shown = report.sisters[: max(most, 1)]
    names = max(len(clean(sister.name)) for sister in shown)
    rows = [f"    {colour.name(pad(clean(s.name), names))}  {pad(clean(s.status), 7)}{_doing(s)}" for s in shown]
    if len(report.sisters) > len(shown):
        rows.append(f"    and {len(report.sisters) - len(shown)} more: gitqueen status")
    return ["  Other sisters working right now:", *rows]


def _doing(sister: Sister) -> str:
    task = f"  {cut(sister.task, 60)}" if sister.task else ""
    branch = f"  [{cut(sister.branch, 40)}]" if sister.branch else ""
    return task + branch


def _claim(report: Briefing, index: int) -> str:
    claim = report.claims[index]
    paths = f" [{cut(', '.join(claim.paths), 60)}]" if claim.paths else ""
    why = f": {cut(claim.description, 60)}" if claim.description else ""
    return f"{clean(claim.id)} by {clean(claim.owner)}{paths}{why}"


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


def letters(name: str, colour: Palette) -> str:
    """`name` in purple block letters, as the original's sessions wake up; plain where the font cannot."""
    try:
        import pyfiglet  # a small library's font, only on a terminal

        drawn = pyfiglet.figlet_format(clean(name), font="standard", width=100).rstrip()
    except Exception:
        drawn = clean(name)
    return "\n".join(colour.purple(line) for line in drawn.split("\n"))
