"""Who made what: a commit, the lines of a file, and git's log with our notes as one line each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from gitqueen.model import mirror, times
from gitqueen.model.mirror import Note
from gitqueen.services.crediting import Credit, Provenance
from gitqueen.views import structured
from gitqueen.views.text import Palette, clean, cut, pad

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


def blame(credits: Iterable[Credit], colour: Palette) -> Iterator[str]:
    """A line of the file a line: commit, sister (else author), task, when, number, text."""
    for one in credits:
        line = one.line
        who = colour.name(pad(cut(one.note.sister, WHO), WHO)) if one.note else pad(cut(f"({line.author})", WHO), WHO)
        task = pad(cut(one.note.task or "", TASK), TASK) if one.note else " " * TASK
        day = datetime.fromtimestamp(line.at, UTC).date().isoformat()
        head = f"{colour.warning(line.oid[:8])} {who} {task} {day} {line.number:>4}"
        yield f"{head}  {clean(line.text.replace(chr(9), '    '))}"


def log(lines: Iterable[str], colour: Palette) -> Iterator[str]:
    """git's log as it is, but for our notes: each becomes one line for people."""
    for line in lines:
        plain = _COLOUR.sub("", line)
        if plain.strip() == "Notes (gitqueen):":
            continue
        found = mirror.read_notes(plain.strip()) if plain.lstrip().startswith('{"what": ') else []
        if found:
            one = found[0]
            task = f": {cut(one.task, 120)}" if one.task else ""
            yield f"    🐝 {_WHAT[one.what]} by {colour.name(clean(one.sister))}{task}"
        else:
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
