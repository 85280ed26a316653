"""The hive on one screen: `status`, sister by sister."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from gitqueen.model import conflicts
from gitqueen.model.claims import Claim
from gitqueen.model.sisters import Sister
from gitqueen.services.reporting import Mail, Status, Work
from gitqueen.views import windows
from gitqueen.views.text import Palette, ago, clean, cut, cut_front, folder, homely, pad, width

if TYPE_CHECKING:
    from gitqueen.model.jobs import Job

NAMES = 7
"""Columns of the names at least, so that most hives look the same."""
NAME, TASK, BRANCH, FOLDER, SENTENCE = 64, 100, 40, 200, 110
"""Columns at most; a terminal may have fewer."""
MOST = 10
"""Claims and inboxes that one line names."""
CROWD = 10
"""Sisters up to which each has a line of her own for her task."""
SOON, MOST_OTHERS = 3, 20
"""Jobs and repositories without a sister that are named."""


def status(report: Status, colour: Palette, rows: int | None = None) -> str:
    """The colony: who works where on what, then claims, conflicts, cron jobs and mail in one line each.

    Of a crowd, what is most pressing comes first, and everybody has one line; beyond the `rows` of the terminal they
    are only counted, so that what comes first is seen.
    """
    blocks = [f"🐝 {colour.bold('gitqueen')} — colony status", ""]
    crowd = len(report.sisters) > CROWD
    if crowd:
        blocks += [*_pressing(report, colour), ""]
        blocks += _fitting(_crowd(report, colour), None if rows is None else rows - len(blocks), colour)
    else:
        blocks += _sisters(report, colour) or [
            "  no sisters yet",
            f"  {colour.dim('Become one:  iam ' + chr(34) + 'what you are doing' + chr(34))}",
        ]
    if others := _others(report, colour):
        blocks += ["", *others]
    return "\n".join(blocks if crowd else [*blocks, "", *_pressing(report, colour)])


def _pressing(report: Status, colour: Palette) -> list[str]:
    lines = [_summary(report, colour)]
    lines += [f"    {_conflict(report, index, colour)}" for index in range(min(3, len(report.conflicts)))]
    if report.mail:
        letters = sorted(report.mail, key=lambda one: not one.urgent)
        lines.append(_line("  📬 Pending mail: ", [_mail(one) for one in letters], "", colour))
    for job in report.soon[:SOON]:
        lines.append(colour.warning(cut(_soon(job, report), colour.room(FOLDER))))
    return lines


def _soon(job: Job, report: Status) -> str:
    there = [cut(one.name, NAME) for one in report.sisters if one.worktree == job.repo and one.dirty]
    minutes = max(0, int(((job.next_run or report.at) - report.at).total_seconds() // 60))
    who = f"{', '.join(there)} work{'s' if len(there) == 1 else ''}"
    return f"  ⏰ in {minutes} min: {cut(job.command, 40)} in {folder(job.repo)}, where {who} uncommitted"


def _groups(report: Status) -> list[tuple[str | None, list[Sister]]]:
    """The sisters by repository: conflicts first, then urgent mail, then who works."""
    found: dict[str | None, list[Sister]] = {}
    for sister in report.sisters:
        found.setdefault(sister.repo, []).append(sister)
    urgent = {one.sister for one in report.mail if one.urgent}

    def pressing(repo: str | None) -> tuple[int, int, int, bool, str]:
        worst = min((conflicts.weight(one.severity) for one in report.conflicts if one.repo == repo), default=99)
        here = found[repo]
        working = sum(1 for one in here if one.status == "working")
        return worst, -sum(1 for one in here if one.name in urgent), -working, repo is None, repo or ""

    return [(repo, found[repo]) for repo in sorted(found, key=pressing)]


def _sisters(report: Status, colour: Palette) -> list[str]:
    groups = _groups(report)
    if len({repo for repo, _ in groups} - {None}) < 2:
        return [line for rows in _rows(report.sisters, report, colour, None) for line in rows]
    lines = []
    for repo, sisters in groups:
        lines.append(f"  {colour.bold(cut_front(folder(repo) or 'in no repository', colour.room(FOLDER, 2)))}")
        lines += [f"  {line}" for rows in _rows(sisters, report, colour, repo) for line in rows]
    return lines


def _rows(sisters: Sequence[Sister], report: Status, colour: Palette, repo: str | None) -> Iterator[list[str]]:
    """The lines of each; `repo`: what stands above them, and need not be said again."""
    if not sisters:
        return
    everybody = report.sisters  # columns are the same in all groups
    indent = 4 if repo is None and sisters is everybody else 6
    names = max(NAMES, *(width(cut(s.name, NAME)) for s in everybody))
    pids = max(len(str(s.pid)) for s in everybody)
    branches, folders = _columns(report, repo if indent == 6 else None, names + pids + 22 + indent, colour)
    for sister in sisters:
        row = [
            f"  {colour.name(pad(cut(sister.name, NAME), names))}",
            f"pid {sister.pid:<{pids}}",
            _status(sister, colour),
            "📌 " if sister.declared else "   ",
            pad(_branch(sister, report, branches), branches),
            pad(cut_front(_folder(sister, repo), folders), folders),
            colour.dim(_tail(sister, report.at)),
        ]
        rows = ["  ".join(row).rstrip()]
        if sister.task:
            rows.append(" " * (names + 4) + cut(sister.task, colour.room(TASK, names + indent)))
        yield rows


def _folder(sister: Sister, repo: str | None) -> str:
    return "" if repo is not None and sister.worktree == repo else folder(sister.worktree)


def _crowd(report: Status, colour: Palette) -> list[str]:
    """One line each, those of one repository one below the other."""
    columns, plain = _crowd_columns(report, colour), Palette(False)
    lines = []
    for repo, sisters in _groups(report):
        for index, sister in enumerate(sisters):
            place = folder(repo) if index == 0 else ""
            line = _in_crowd(sister, place, report, columns, plain)
            if colour.columns is not None and width(line) > colour.columns:
                lines.append(cut(line, colour.columns))  # a terminal so narrow that only this fits
            else:
                lines.append(_in_crowd(sister, place, report, columns, colour))
    return lines


@dataclass(frozen=True, slots=True)
class _Columns:
    """How wide the parts of a crowd's lines are; 0: there is no room for it."""

    place: int
    name: int
    pid: int
    branch: int
    seen: int
    task: int


_BESIDE = 2 + 2 + 7 + 2 + 2 + 2
"""Columns of a crowd's line that are status, pin and the space around them."""
_TASK = 24
"""Columns that tasks have at least, before repository and name are cut to less than the half."""


def _crowd_columns(report: Status, colour: Palette) -> _Columns:
    """Repositories give way first, then names and branches; pid and last seen are shown where nobody has to."""
    place = min(32, max(width(folder(s.repo)) for s in report.sisters))
    name = min(24, max(width(cut(s.name, NAME)) for s in report.sisters))
    branch = min(28, max(width(_branch(s, report, 28)) for s in report.sisters))
    pid = max(len(f"pid {s.pid}") for s in report.sisters)
    seen = max(width(_seen(s, report.at)) for s in report.sisters)
    if colour.columns is None:
        return _Columns(place, name, pid, branch, seen, SENTENCE)
    room = colour.columns - _BESIDE - (2 + _TASK if any(sister.task for sister in report.sisters) else 0)
    over = place + name + branch - room
    wide = [place, name, branch]
    for index, least in enumerate((14, 12, 12)):
        given = max(0, min(over, wide[index] - least))
        wide[index] -= given
        over -= given
    extra = [pid if over + pid + 2 <= 0 else 0, 0]
    extra[1] = seen if over + sum(extra) + seen + 4 <= 0 else 0
    used = sum(wide) + sum(part + 2 for part in extra if part)
    return _Columns(wide[0], wide[1], extra[0], wide[2], extra[1], colour.columns - _BESIDE - used - 2)


def _in_crowd(sister: Sister, place: str, report: Status, columns: _Columns, colour: Palette) -> str:
    task = columns.task
    row = [
        f"  {pad(cut_front(place, columns.place), columns.place)}",
        colour.name(pad(cut(sister.name, columns.name), columns.name)),
        *([f"pid {sister.pid}".ljust(columns.pid)] if columns.pid else []),
        _status(sister, colour),
        "📌" if sister.declared else "  ",
        pad(_branch(sister, report, columns.branch), columns.branch),
        *([colour.dim(pad(_seen(sister, report.at), columns.seen))] if columns.seen else []),
        cut(sister.task, min(TASK, task)) if sister.task and task > 8 else "",
    ]
    return "  ".join(row).rstrip()


def _fitting(lines: list[str], rows: int | None, colour: Palette) -> list[str]:
    """As many as fit into `rows`, but never less than a few, and how many more there are."""
    # One for that sentence, one for the prompt that comes next.
    most = len(lines) if rows is None else max(CROWD, rows - 2)
    if len(lines) <= most + 1:
        return lines
    return [*lines[:most], colour.dim(f"  and {len(lines) - most} more sisters: gitqueen status --all")]


def _others(report: Status, colour: Palette) -> list[str]:
    """Repositories without a sister, where they were asked for: those first in which something waits."""
    lonely = [one for one in report.repos if not one.sisters]
    if not lonely:
        return []
    at_work = [one for one in lonely if (work := report.work.get(one.path)) is not None and not work.calm]
    lines = [f"  {colour.bold('Without a sister:')}"]
    for one in at_work[:MOST_OTHERS]:
        work = report.work[one.path]
        star = "*" if work.dirty else ""
        words = f"[{cut(work.branch or '(detached)', BRANCH)}{star}]{facts(work)}"
        lines.append(f"    {cut_front(folder(one.path), colour.room(FOLDER, 6 + width(words)))}  {words}")
    if more := len(at_work) - MOST_OTHERS if len(at_work) > MOST_OTHERS else 0:
        lines.append(colour.dim(f"    and {more} more with something to commit, push or pull: gitqueen repos list"))
    if calm := len(lonely) - len(at_work):
        lines.append(colour.dim(f"    {calm} {'repository' if calm == 1 else 'repositories'} with nothing to do"))
    return lines


def _columns(report: Status, repo: str | None, fixed: int, colour: Palette) -> tuple[int, int]:
    """How wide branches and folders may be, so that rows fit the terminal: folders give way first, to a half."""
    sisters = report.sisters
    branches = max(width(_branch(sister, report, BRANCH)) for sister in sisters)
    here = [sister for sister in sisters if repo is None or sister.repo == repo]
    folders = min(FOLDER, max(width(_folder(sister, repo)) for sister in here))
    seen = max(width(_tail(sister, report.at)) for sister in sisters)
    room = colour.room(BRANCH + FOLDER, fixed + (seen + 2 if seen else 0))
    if branches + folders > room:
        folders = max(room - branches, min(folders, room // 2))
        branches = min(branches, max(8, room - folders))
    return branches, folders


def _branch(sister: Sister, report: Status, most: int) -> str:
    if sister.worktree is None and sister.branch is None:
        return ""
    star = "*" if sister.dirty else ""
    work = report.work.get(sister.worktree or "")
    said = facts(work) if work is not None else ""
    branch = sister.branch or "(detached)"
    if most - width(said) < min(12, width(cut(branch, most)) + 2 + len(star)):
        said = ""  # no room for both
    return f"[{cut(branch, most - 2 - len(star) - width(said))}{star}]{said}"


def facts(work: Work) -> str:
    """` ↑2 ↓1 rebase`: to push, to pull, and what git is in the middle of."""
    said = [f"↑{work.ahead}" if work.ahead else "", f"↓{work.behind}" if work.behind else "", clean(work.busy or "")]
    return "".join(f" {word}" for word in said if word)


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
    words = f"{conflict.type}: {homely(conflict.detail or ', '.join(conflict.sisters))}"
    return colour.severity(conflict.severity, cut(words, colour.room(SENTENCE, 4)))
