"""What git's hooks print: at most six lines, who, where, on what, since when, what to type.

On the path of every commit that may collide: nothing heavy is imported here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gitqueen.model.conflicts import SWEPT, UNDONE, Collision
from gitqueen.model.merges import CLEAN, UNKNOWN
from gitqueen.model.sisters import Sister
from gitqueen.services.guarding import CheckoutReport, CommitReport
from gitqueen.views.text import Palette, ago, clean, cut, cut_front, folder

MOST_LINES = 6
_LONGEST = 160
"""Characters of a command that is worth printing whole."""
_SHOWN = 2
"""Paths that a line names before it counts the rest."""


def commit(report: CommitReport, now: datetime, coloured: bool) -> str:
    """The warning or refusal of a commit; empty when nothing collides."""
    if not report.collisions:
        return ""
    colour = Palette(coloured)
    groups: dict[tuple[str, str, bool, str], list[Collision]] = {}
    open_ones = {(one.sister, one.path, one.words) for one in report.collisions if one.verdict == "uncommitted"}
    for one in report.collisions:
        # What she committed is in her uncommitted work too: the same lines need not be named twice.
        if one.verdict != "committed" or not _conflicts(one) or (one.sister, one.path, one.words) not in open_ones:
            groups.setdefault((one.sister, one.verdict, _conflicts(one), _doubt(one)), []).append(one)
    names = list(dict.fromkeys(one.sister for one in report.collisions))
    with_whom = _and([clean(name) for name in names[:2]], len(names))
    undoes = all(one.verdict == UNDONE for one in report.collisions)
    does = f"undoes what {with_whom} committed" if undoes else f"collides with {with_whom}"
    head = (
        colour.danger(f"✗ gitqueen: commit refused, it {does}")
        if report.refused
        else colour.warning(f"⚠ gitqueen: this commit {does}")
    )
    last = [*_keeping(report), *_without(report), _way_out(report)] + (
        [f"  Nobody else was told: {clean(report.unkept)}"] if report.unkept else []
    )
    rows = [_group(group, report, now, colour) for group in groups.values()]
    return "\n".join([f"🐝 {head}", *_at_most(rows, max(1, MOST_LINES - 1 - len(last)), "gitqueen check"), *last])


def _group(group: Sequence[Collision], report: CommitReport, now: datetime, colour: Palette) -> str:
    """One line for what one sister holds or changed."""
    first = group[0]
    sister = (report.others or {}).get(first.sister)
    who = f"  {colour.name(clean(first.sister))}{_branch(sister)}"
    paths = _and([_coloured(one, colour) for one in group[:_SHOWN]], len(group))
    if _conflicts(first):
        how = "uncommitted" if first.verdict == "uncommitted" else f"changed{_before(first.since, now)}"
        places = _and([f"{_coloured(one, colour)} {_words(one)}" for one in group[:_SHOWN]], len(group))
        return f"{who} conflicts in {places}, {how}{_task(sister)}"
    if first.verdict == "committed":
        return f"{who} changed {paths}{_before(first.since, now)}{_task(sister)}{_doubt(first)}"
    if first.verdict == UNDONE:
        return f"{who} changed {paths}{_before(first.since, now)}{_undone(first, len(group), report)}"
    if first.verdict == SWEPT:
        return f"{who} wrote {paths} in this worktree{_before(first.since, now)}, uncommitted{_task(sister)}"
    if first.verdict != "claimed":
        return f"{who} has {paths} uncommitted{_task(sister)}{_seen(sister, now)}{_doubt(first)}"
    claim = next((c for c in report.claims if c.owner == first.sister and c.covers(first.path)), None)
    why = f" ({cut(claim.id, 30)}{': ' + cut(claim.description, 30) if claim.description else ''})" if claim else ""
    return f"{who} claimed {paths} {_when(claim.claimed_at if claim else None, now)}{why}{_task(sister)}"


def _conflicts(one: Collision) -> bool:
    """Whether git could not merge it."""
    return one.merge not in ("", CLEAN, UNKNOWN)


def _doubt(one: Collision) -> str:
    """Why it is not known whether git could merge it."""
    return f"; whether it merges is unknown: {cut(one.words, 60)}" if one.merge == UNKNOWN else ""


def _coloured(one: Collision, colour: Palette) -> str:
    return colour.severity(one.severity, cut_front(clean(one.path), 40))


def _words(one: Collision) -> str:
    """`lines 10-14 (hers 12-15)`, or `(modify/delete)`."""
    return one.words if one.words.startswith("line") else f"({one.words})"


def _undone(first: Collision, count: int, report: CommitReport) -> str:
    """In which commit, for which task, and what this one makes of it."""
    one = next(one for one in report.undone if one.path == first.path)
    touch = next(touch for touch in one.commits if touch.sister == first.sister)
    task = f', on "{cut(touch.task, 40)}"' if touch.task else ""
    does = {"whole": "your version is older", "part": "your version lacks that", "gone": "you delete it"}[one.how]
    return f" ({touch.oid[:10]}){task}{f': {does}' if count == 1 else ''}"


def _keeping(report: CommitReport) -> list[str]:
    """The commands by which what others committed stays, and nothing is lost that stands in a file alone."""
    shown = {one.path for one in report.collisions if one.verdict == UNDONE}
    undone = [one for one in report.undone if one.path in shown]
    modules = [one.path for one in undone if one.module]
    aside = [one.path for one in undone if one.open and not one.module]
    back = [one.path for one in undone if not one.open and not one.module and one.how != "part"]
    parts = [one for one in undone if not one.open and one.how == "part"]
    top = "cd ./$(git rev-parse --show-cdup) && " if report.below else ""  # these two know no `:/PATH`
    commands = []
    if aside:
        commands.append(("theirs", f"git restore --staged -- {_pathspecs(aside, report)}"))
    if back:
        commands.append(("theirs", f"git checkout HEAD -- {_pathspecs(back, report)}"))
    if modules:
        paths = _words_of(modules)
        commands.append(("theirs", f"{top}git restore --staged -- {paths} && git submodule update -- {paths}"))
    if parts:
        oids = dict.fromkeys(touch.oid[:10] for one in parts for touch in reversed(one.commits))
        paths = _words_of([one.path for one in parts])
        commands.append(("both", f"{top}git show {' '.join(oids)} -- {paths} | git apply && git add -- {paths}"))
    short = "git restore --staged -- <their files>"
    return [f"  Keep {what}: {command if len(command) <= _LONGEST else short}" for what, command in commands]


def _without(report: CommitReport) -> list[str]:
    """The command that leaves out what other sisters wrote in this worktree."""
    hers = list(dict.fromkeys(one.path for one in report.collisions if one.verdict == SWEPT))
    if not hers:
        return []
    only = f"git commit --only -- {_pathspecs(report.own, report)}"
    unstage = f"git restore --staged -- {_pathspecs(hers, report)}"
    fits = [command for command in (unstage, only if report.own else unstage) if len(command) <= _LONGEST]
    return [f"  Without hers: {'   or: '.join(dict.fromkeys(fits)) or 'git commit --only -- <your own files>'}"]


def _pathspecs(paths: Sequence[str], report: CommitReport) -> str:
    return " ".join(_quoted(f":/{path}" if report.below else path) for path in paths)


def _words_of(paths: Sequence[str]) -> str:
    return " ".join(_quoted(path) for path in paths)


def _way_out(report: CommitReport) -> str:
    ask = f'  Ask: gitqueen tell {_quoted(report.collisions[0].sister)} "..."'
    if report.refused:
        return f"{ask}   In spite of it: GITQUEEN_SKIP=1 git commit ..."
    return f"{ask}   Look: gitqueen check"


def checkout(report: CheckoutReport, now: datetime, coloured: bool) -> str:
    """Whose branch was moved, and who else is on the new one; empty when nobody."""
    if report.lent:
        return ""  # HEAD comes back by itself; it is in the book as an info
    colour = Palette(coloured)
    unkept = [f"  They were not told: {clean(report.unkept)}"] if report.unkept else []
    if report.moved:
        others = _and([clean(sister.name) for sister in report.moved[:2]], len(report.moved))
        head = colour.warning(f"⚠ gitqueen: you switched the branch under {others}")
        rows = [f"  {_worker(s, colour)} was on {_on(s.branch)}{_seen(s, now)}" for s in report.moved]
        told = "" if unkept else f"   {'She was' if len(rows) == 1 else 'They were'} told by mail."
        last = [f"  Back: {_way_back(report.moved[0])}{told}", *unkept]
        return "\n".join([f"🐝 {head}", *_at_most(rows, MOST_LINES - 1 - len(last), "gitqueen status"), *last])
    if report.back:
        back = _and([colour.name(clean(sister.name)) for sister in report.back[:2]], len(report.back))
        return f"🐝 gitqueen: {back} {'is' if len(report.back) == 1 else 'are'} back on {_on(report.branch)}"
    rows = [f"  {_worker(sister, colour)} in {folder(sister.worktree)}" for sister in report.shared]
    if rows:
        head = f"🐝 gitqueen: you share {_on(report.branch)} with"
        return "\n".join([head, *_at_most(rows, MOST_LINES - 1, "gitqueen status")])
    return ""


def _worker(sister: Sister, colour: Palette) -> str:
    return f"{colour.name(clean(sister.name))} works{_task(sister, ' on') or ' here'},"


def _way_back(victim: Sister) -> str:
    return f"git switch {_quoted(victim.branch)}" if victim.branch else "git switch -"


def _quoted(word: str) -> str:
    import shlex  # only where there is something to say

    return shlex.quote(clean(word))


def _on(branch: str | None) -> str:
    return cut(branch, 60) if branch else "a detached HEAD"


def _branch(sister: Sister | None) -> str:
    return f" [{cut(sister.branch, 30)}]" if sister is not None and sister.branch else ""


def _task(sister: Sister | None, before: str = ", on") -> str:
    return f'{before} "{cut(sister.task, 40)}"' if sister is not None and sister.task else ""


def _seen(sister: Sister | None, now: datetime) -> str:
    said = ago(sister.last_seen, now) if sister is not None else ""
    return f", seen {said} ago" if said not in ("", "now") else ""


def _before(moment: datetime | None, now: datetime) -> str:
    said = ago(moment, now)
    return f" {said} ago" if said not in ("", "now") else " just now" if said else ""


def _when(moment: datetime | None, now: datetime) -> str:
    said = ago(moment, now)
    return "just now" if said == "now" else f"{said} ago" if said else "at an unknown time"


def _and(words: Sequence[str], count: int) -> str:
    """`a`, `a and b`, `a, b and 3 more`: the first words of `count`."""
    if count > len(words):
        return f"{', '.join(words)} and {count - len(words)} more"
    return " and ".join(words)


def _at_most(rows: list[str], room: int, see: str) -> list[str]:
    return rows if len(rows) <= room else [*rows[: room - 1], f"  and {len(rows) - room + 1} more: {see}"]
