"""States of worktrees as commits, and what merges of them would give: kept because git need not be asked twice.

All of it can be found again, so that it is forgotten freely; what it means is `model/merges`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitqueen.model.merges import Clash, Lines, Merge
from gitqueen.store import rows
from gitqueen.store.database import Database

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Kept:
    """A worktree's state, good while its `mark` stays what it was."""

    mark: str
    commit: str
    head: str | None
    left_out: tuple[str, ...] = ()


def states(db: Database) -> dict[str, Kept]:
    """Worktree -> its state as it was taken last."""
    found = db.execute("SELECT worktree, mark, oid, head, left_out FROM states")
    return {
        rows.as_path(worktree) or "": Kept(mark, oid, head, tuple(json.loads(left_out)))
        for worktree, mark, oid, head, left_out in found
    }


def save_state(db: Database, worktree: str, kept: Kept, at: float) -> None:
    db.execute(
        "INSERT OR REPLACE INTO states (worktree, mark, oid, head, left_out, at) VALUES (?, ?, ?, ?, ?, ?)",
        (rows.path(worktree), kept.mark, kept.commit, kept.head, json.dumps(kept.left_out), at),
    )


def known(db: Database, settings: str, pairs: Iterable[Pair]) -> dict[Pair, Merge]:
    """Those of `pairs` (ours, theirs) that were merged under these `settings`."""
    query = "SELECT answer FROM merges WHERE ours = ? AND theirs = ? AND settings = ?"
    found = {pair: db.execute(query, (*pair, settings)).fetchone() for pair in pairs}
    return {pair: _merge(row[0]) for pair, row in found.items() if row is not None}


def save(db: Database, settings: str, found: Mapping[Pair, Merge], at: float) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO merges (ours, theirs, settings, answer, at) VALUES (?, ?, ?, ?, ?)",
        [(*pair, settings, _text(merge), at) for pair, merge in found.items()],
    )


def forget(db: Database, before: float) -> None:
    """Drop what was found before this moment (Unix time)."""
    db.execute("DELETE FROM merges WHERE at < ?", (before,))
    db.execute("DELETE FROM states WHERE at < ?", (before,))


def _text(merge: Merge) -> str:
    clashes = [
        [clash.path, clash.verdict, [[*one.ours, *one.theirs] for one in clash.lines], clash.also]
        for clash in merge.clashes
    ]
    return json.dumps([merge.verdict, clashes, merge.merged, merge.why, merge.hint])


def _merge(text: str) -> Merge:
    verdict, clashes, merged, why, hint = json.loads(text)
    return Merge(
        verdict,
        tuple(
            Clash(path, word, tuple(Lines((a, b), (c, d)) for a, b, c, d in lines), tuple(also))
            for path, word, lines, also in clashes
        ),
        tuple(merged),
        why,
        hint,
    )
