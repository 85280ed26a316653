"""Notes on commits, `refs/notes/gitqueen`: one JSON object a line, many at once, and none is ever lost.

`git notes add` loses updates when several write. Here one fast-import writes a parentless commit with a fan-out of two
digits, and the ref moves by compare-and-swap; who loses reads again. Notes that git itself rewrote (amend, rebase) may
stand in another layout: they are read in every one and written in ours.
"""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from gitqueen import errors
from gitqueen.git import process, refs
from gitqueen.git.places import Place

REF = "refs/notes/gitqueen"
_PART = "refs/gitqueen/notes-part"
"""Where fast-import puts its commit until the ref is moved to it, by the transaction that removes this one."""

PATIENCE = 10.0
"""Seconds for which a lost race is run again."""
MOST = 20_000
"""Notes of one fast-import: a lost race writes no more than so many again."""


def add(place: Place, lines: Mapping[str, Sequence[str]]) -> None:
    """Add `lines` to the notes of commits, object id -> JSON texts; a line that is there is not doubled.

    Raises `errors.Busy` when others were faster for too long, `errors.GitFailed` where nothing can be written.
    """
    oids = list(lines)
    for start in range(0, len(oids), MOST):
        _add(place, {oid: lines[oid] for oid in oids[start : start + MOST]})


def _add(place: Place, lines: Mapping[str, Sequence[str]]) -> None:
    deadline = time.monotonic() + PATIENCE
    with _turn(place, PATIENCE):
        while True:
            book = _read(place, list(lines))
            merged = {oid: _merged(book.notes.get(oid, ""), new) for oid, new in lines.items()}
            changed = {oid: text for oid, text in merged.items() if text != book.notes.get(oid)}
            if not changed or _swap(place, book, changed):
                return
            if time.monotonic() > deadline:
                raise _busy(place)
            time.sleep(random.uniform(0.005, 0.05))


@contextmanager
def _turn(place: Place, patience: float) -> Iterator[None]:
    """One of ours at a time: git itself may still write in between, which the compare-and-swap sees."""
    deadline = time.monotonic() + patience
    with open(os.path.join(place.common_dir, "gitqueen", "notes.lock"), "ab") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise _busy(place) from None
                time.sleep(random.uniform(0.005, 0.05))
        yield


def _busy(place: Place) -> errors.Busy:
    return errors.Busy(f"{REF} of {place.repo} is being written by others", hint="it is tried again later")


@dataclass(frozen=True, slots=True)
class _Book:
    """The notes as they stand: commit and tree of the ref (None: there is none), and the notes that were asked for."""

    tip: str | None
    tree: str | None
    notes: Mapping[str, str]


def read(place: Place, oids: Sequence[str]) -> dict[str, str]:
    """The notes of those commits that have one, as text from outside."""
    return dict(_read(place, oids).notes)


def _read(place: Place, oids: Sequence[str]) -> _Book:
    names = {f"{REF}:{path}": oid for oid in oids for path in _paths(oid)}
    found = refs.objects(place, [REF, *names])
    tip = found.pop(REF, None)
    if tip is None or tip.kind != "commit":
        return _Book(None, None, {})
    notes: dict[str, str] = {}
    for name, blob in found.items():
        if blob.kind == "blob":
            lines = blob.content.decode("utf-8", "replace").splitlines()
            notes[names[name]] = _merged(notes.get(names[name], ""), lines)
    tree = tip.content.partition(b"\n")[0].removeprefix(b"tree ").decode("ascii")
    return _Book(tip.oid, tree, notes)


def _paths(oid: str) -> tuple[str, ...]:
    """Where the note of a commit may stand: git fans out as it likes."""
    return f"{oid[:2]}/{oid[2:]}", oid, f"{oid[:2]}/{oid[2:4]}/{oid[4:]}"


def _merged(text: str, new: Sequence[str]) -> str:
    lines = dict.fromkeys([*text.splitlines(), *new])
    return "".join(f"{line}\n" for line in lines if line.strip())


def _swap(place: Place, book: _Book, notes: Mapping[str, str]) -> bool:
    """Write `notes` over those of `book`; False when the ref has moved since."""
    where = place.worktree or place.git_dir
    stream = b"".join((_head(book), *(_note(oid, text) for oid, text in notes.items()), b"get-mark :1\ndone\n"))
    args = ("fast-import", "--quiet", "--force", "--done", "--date-format=raw")
    part = process.run(*args, cwd=where, stdin=stream, timeout=120.0).out.decode("ascii").strip()
    moves = f"update {REF}\0{part}\0{book.tip or '0' * len(part)}\0delete {_PART}\0{part}\0"
    return process.run("update-ref", "-z", "--stdin", cwd=where, stdin=moves.encode(), check=False).code == 0


def _head(book: _Book) -> bytes:
    """A parentless commit whose tree begins as that of `book`: one line in `log --all`, no history that grows."""
    root = f'M 040000 {book.tree} ""\n' if book.tree else ""
    return f"commit {_PART}\nmark :1\ncommitter gitqueen <gitqueen@localhost> 0 +0000\ndata 5\nnotes\n{root}".encode()


def _note(oid: str, text: str) -> bytes:
    body = text.encode("utf-8", "replace")
    ours, *others = _paths(oid)
    gone = "".join(f"D {path}\n" for path in others)
    return f"{gone}M 100644 inline {ours}\ndata {len(body)}\n".encode() + body + b"\n"
