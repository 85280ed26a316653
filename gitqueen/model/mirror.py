"""The mirror: what of the hive is repeated inside a repository, as refs to JSON and as notes on commits.

Written for whoever has git and not the queen; read back it is data from outside, and only what is wholly in form comes
in. The forms are the contract's; putting them into a repository is `git/refs` and `git/notes`.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime

from gitqueen import errors
from gitqueen.model import globs, tasks, times
from gitqueen.model.claims import Claim
from gitqueen.model.names import ClaimId, SisterName
from gitqueen.model.sisters import Sister

PREFIX, TASKS, CLAIMS = "refs/gitqueen/", "refs/gitqueen/tasks/", "refs/gitqueen/claims/"

STARTED, COMMIT, DONE = "started", "commit", "done"
"""What a note says of a commit: a task was begun at it, it was made for a task, a task was finished at it."""


@dataclass(frozen=True, slots=True)
class Task:
    """A declared task as a repository tells it."""

    sister: str
    task: str
    branch: str | None
    worktree: str | None
    machine: str | None
    started_at: datetime | None
    queen: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """One line of the note of a commit."""

    what: str
    sister: str
    task: str | None
    agent: str | None
    machine: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Voice:
    """Who tells it: `queen` is the hive, since several may share a machine and each repeats only her own."""

    machine: str
    queen: str


def task(sister: Sister, voice: Voice, since: datetime | None) -> tuple[str, bytes] | None:
    """Ref and content of a declared task; None where there is none, or her name is no name (another program's row)."""
    if not sister.declared or SisterName.fault(sister.name) is not None:
        return None
    return f"{TASKS}{sister.name}", _json(
        sister=sister.name,
        task=sister.task,
        branch=sister.branch,
        worktree=sister.worktree,
        machine=voice.machine,
        started_at=_iso(since),
        queen=voice.queen,
    )


def claim(held: Claim, voice: Voice) -> tuple[str, bytes] | None:
    """Ref and content of a held claim; None where its id or owner is none of ours to write."""
    if ClaimId.fault(held.id) is not None or SisterName.fault(held.owner) is not None:
        return None
    return f"{CLAIMS}{held.id}", _json(
        id=held.id,
        owner=held.owner,
        description=held.description,
        paths=list(held.paths),
        machine=voice.machine,
        claimed_at=_iso(held.claimed_at),
        expires_at=_iso(held.expires_at),
        nonce=held.nonce,
        queen=voice.queen,
    )


def note(line: Note) -> str:
    """One line of JSON, so that git's `cat_sort_uniq` merges notes."""
    return _json(
        what=line.what,
        sister=line.sister,
        task=line.task,
        agent=line.agent,
        machine=line.machine,
        at=_iso(line.at),
    ).decode()


def _json(**fields: object) -> bytes:
    # ASCII: bytes of a path that are no UTF-8 go in as escapes, and no terminal is ever told anything.
    return json.dumps(fields).encode("ascii")


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else times.iso(moment)


def queen_of(content: bytes) -> str | None:
    """Whose a ref says it is."""
    return _text(_object(content), "queen")


def read_task(ref: str, content: bytes) -> Task | None:
    """The task that a ref tells, or None for anything that is not wholly in form."""
    said = _object(content)
    name, words = _text(said, "sister"), _text(said, "task")
    if not name or ref != f"{TASKS}{name}" or SisterName.fault(name) is not None:
        return None
    try:
        words = tasks.checked(words or "")
    except errors.Usage:
        return None
    place = (_text(said, "branch"), _text(said, "worktree"), _text(said, "machine"))
    return Task(name, words, *place, times.parse(said.get("started_at")), _text(said, "queen"))


@dataclass(frozen=True, slots=True)
class Hold:
    """A claim as a repository tells it."""

    claim: Claim
    machine: str | None
    queen: str | None


def read_claim(ref: str, content: bytes) -> Hold | None:
    """The claim that a ref tells, or None for anything that is not wholly in form."""
    said = _object(content)
    name, owner, paths = _text(said, "id"), _text(said, "owner"), said.get("paths", [])
    claimed_at = times.parse(said.get("claimed_at"))
    if not name or not owner or claimed_at is None or ref != f"{CLAIMS}{name}" or not isinstance(paths, list):
        return None
    if ClaimId.fault(name) is not None or SisterName.fault(owner) is not None:
        return None
    if not all(isinstance(path, str) and globs.valid(path) is None for path in paths):
        return None
    claim = Claim(
        id=name,
        owner=owner,
        description=_text(said, "description"),
        claimed_at=claimed_at,
        paths=tuple(paths),
        expires_at=times.parse(said.get("expires_at")),
        nonce=_text(said, "nonce") or "",
    )
    return Hold(claim, _text(said, "machine"), _text(said, "queen"))


def essence(line: str) -> Hashable:
    """What a line of a note tells but for the time: who amends a commit three times made it once."""
    said = _object(line.encode("utf-8", "replace")) if line.startswith("{") else {}
    told = tuple(_text(said, key) for key in ("what", "sister", "task", "agent", "machine"))
    return told if told[0] and told[1] else line


def read_notes(text: str) -> list[Note]:
    """The lines of a note that are ours, the oldest first; what somebody else wrote into it is passed over."""
    found = []
    for line in text.split("\n"):
        said = _object(line.encode("utf-8", "replace"))
        what, sister = _text(said, "what"), _text(said, "sister")
        if what in (STARTED, COMMIT, DONE) and sister:
            rest = (_text(said, "task"), _text(said, "agent"), _text(said, "machine"))
            found.append(Note(what, sister, *rest, times.parse(said.get("at"))))
    order = (STARTED, COMMIT, DONE)  # within one second, as it happens
    return sorted(found, key=lambda one: (times.iso(one.at) if one.at else "~", order.index(one.what)))


def _object(content: bytes) -> dict[str, object]:
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return {}  # no JSON, or a number of more digits than Python reads
    return said if isinstance(said, dict) else {}


def _text(said: dict[str, object], key: str) -> str | None:
    value = said.get(key)
    return value if isinstance(value, str) else None
