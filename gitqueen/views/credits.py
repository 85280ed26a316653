"""Who made what: a commit, the lines of a file, and git's log with our notes as one line each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from gitqueen.model import mirror, times
from gitqueen.model.mirror import Note
from gitqueen.services.crediting import Credit, Provenance, Told
from gitqueen.views import structured
from gitqueen.views.text import Palette, clean, cut, pad, width

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
WHO, TASK = 14, 28
"""Columns of a name and of a task beside a line of code."""


def provenance(report: Provenance, colour: Palette) -> str:
    """The commit, and a line for everything its note tells."""
    rows = [f"{colour.warning(report.oid[:12])} {cut(report.subject, 100)}"]
    if not report.notes:
        rows.append(f"  no sister is known to have made it   (author: {clean(report.author)})")
    for one in report.notes:
        task = f'  "{cut(one.task, 120)}"' if one.task else ""
        where = ", ".join(clean(word) for word in (one.agent, one.machine) if word)
        rows.append(f"  {_WHAT[one.what]} by {colour.name(clean(one.sister))}{task}  {colour.dim(_when(one, where))}")
    rows += [f"  {colour.warning('collided:')} {cut(one.detail or one.type, 160)}" for one in report.collided]
    return "\n".join(rows)


_WHAT = {mirror.COMMIT: "made", mirror.STARTED: "a task was begun here", mirror.DONE: "a task was finished here"}


def _when(one: Note, where: str) -> str:
    return " ".join(word for word in (times.iso(one.at) if one.at else "", f"({where})" if where else "") if word)


def blame(credits: Sequence[Credit], colour: Palette) -> Iterator[str]:
    """A line of the file a line: commit, sister (else author), task, when, number, text."""
    who = {one.line.oid: _who(one) for one in credits}
    task = {one.line.oid: cut(one.note.task, TASK) for one in credits if one.note and one.note.task}
    wide, broad = max(map(width, who.values()), default=0), max(map(width, task.values()), default=0)
    digits = len(str(credits[-1].line.number)) if credits else 1
    heads: dict[str, str] = {}
    for one in credits:
        line = one.line
        if (head := heads.get(line.oid)) is None:
            name = pad(who[line.oid], wide)
            day = datetime.fromtimestamp(line.at, UTC).date().isoformat()
            what = f" {pad(task.get(line.oid, ''), broad)}" if broad else ""
            named = colour.name(name) if one.note else colour.dim(name)
            head = heads[line.oid] = f"{colour.warning(line.oid[:8])} {named}{what} {colour.dim(day)}"
        yield f"{head} {line.number:>{digits}}  {clean(line.text.replace(chr(9), '    '))}"


def _who(one: Credit) -> str:
    if not one.line.oid.strip("0"):
        return "(not yet)"
    return cut(one.note.sister, WHO) if one.note else cut(f"({one.line.author})", WHO)


# In front of our notes stands git's graph, if any. What a message says is indented by four: it may look like a note.
_GRAPH = r"(?P<graph>(?:[|/\\*_. -]*[|/\\*_.-])? {0,3})"
_HEAD = re.compile(_GRAPH + r"Notes \(gitqueen\):")
_INSIDE = re.compile(_GRAPH + r"    .*")
_NOTE = re.compile(_GRAPH + r'    (?P<json>\{"what": .*)')


def log(lines: Iterable[str], colour: Palette) -> Iterator[str]:
    """git's log as it is, but for our notes: each becomes one line for people."""
    told = False
    for line in lines:
        plain = _COLOUR.sub("", line)
        if _HEAD.fullmatch(plain):
            told = True
            continue
        found = _NOTE.fullmatch(plain) if told else None
        if found and (said := mirror.read_notes(found["json"])):
            one = said[0]
            task = f": {cut(one.task, 120)}" if one.task else ""
            yield f"{found['graph']}    🐝 {_WHAT[one.what]} by {colour.name(clean(one.sister))}{task}"
        else:
            told = told and _INSIDE.fullmatch(plain) is not None
            yield _shown(line)


def _shown(line: str) -> str:
    """What git printed, with its own colours and nothing else that a terminal would obey."""
    parts = re.split(r"(\x1b\[[0-9;]*m)", line)
    return "".join(part if at % 2 else clean(part.replace("\t", "        ")) for at, part in enumerate(parts))


def provenance_shape(report: Provenance) -> dict[str, object]:
    return {
        "commit": report.oid,
        "subject": report.subject,
        "author": report.author,
        "notes": [_note(one) for one in report.notes],
        "conflicts": [structured.conflict(one) for one in report.collided],
    }


def log_shape(found: Iterable[Told]) -> dict[str, object]:
    return {
        "commits": [
            {
                "commit": one.entry.oid,
                "author": one.entry.author,
                "at": times.iso(datetime.fromtimestamp(one.entry.at, UTC)),
                "subject": one.entry.subject,
                "notes": [_note(note) for note in one.notes],
            }
            for one in found
        ]
    }


def blame_shape(credits: Iterable[Credit]) -> dict[str, object]:
    return {
        "lines": [
            {
                "number": one.line.number,
                "commit": one.line.oid,
                "author": one.line.author,
                "at": times.iso(datetime.fromtimestamp(one.line.at, UTC)),
                "text": one.line.text,
                "sister": one.note.sister if one.note else None,
                "task": one.note.task if one.note else None,
            }
            for one in credits
        ]
    }


def _note(one: Note) -> dict[str, object]:
    return {
        "what": one.what,
        "sister": one.sister,
        "task": one.task,
        "agent": one.agent,
        "machine": one.machine,
        "at": times.iso(one.at) if one.at else None,
    }
