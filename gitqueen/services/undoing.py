"""Undoing: a commit that takes back what another sister committed, because its maker never saw that.

Not seen is what came to her worktree after her session began and after she last went to another commit by checkout; or
what her file or index is surely older than. Imported by a hook only where others committed to the paths of a commit.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gitqueen.git import reflog, versions
from gitqueen.git.places import Place
from gitqueen.git.reflog import Move
from gitqueen.git.versions import Change
from gitqueen.model import conflicts
from gitqueen.model.conflicts import Collision, Conflict, Finding
from gitqueen.model.events import Event
from gitqueen.model.sisters import Sister
from gitqueen.services import colliding, remembering, tending
from gitqueen.services.queen import Queen
from gitqueen.store import commits as commits_table
from gitqueen.store import conflicts as conflicts_table
from gitqueen.store import database, events
from gitqueen.store.commits import Touch

SLACK = 2.0
"""Seconds: what came so shortly before her session began, she may not have seen."""
MOST_COMMITS, MOST_PARTS = 100, 20
"""Commits of others that one look is about, and changes of which it is looked whether part of them was taken back."""
REVERTING, LASTS = "reverting", 600.0
"""The event that tells of a revert, and the seconds after it within which its commit is made."""
WHOLE, PART, GONE = "whole", "part", "gone"
TOOK = "took"
"""What the subject of a conflict begins with when the commit is made."""
BRINGS = ("merge", "pull", "rebase", "cherry-pick", "am")
"""What brings files together with commits, as the reflog calls it."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What of others' commits is taken back in one path."""

    path: str
    commits: tuple[Touch, ...]
    """The latest first."""
    how: str
    """WHOLE: it is what it was before them; PART: it is, but for other changes beside; GONE: the path is deleted."""
    open: bool
    """Whether the file on disk is something else than what is committed: a checkout would destroy that."""
    module: bool = False


@dataclass(frozen=True, slots=True)
class _Work:
    """What is looked at: the commit that is being made, or one that was made. `head`: what it stands on."""

    queen: Queen
    head: str
    changes: Mapping[str, Change]
    touched: Mapping[str, Mapping[str, Touch]]
    """Path -> commit -> that another sister made it."""
    kin: Collection[str]

    @property
    def place(self) -> Place:
        return self.queen.here()

    @property
    def env(self) -> Mapping[str, str]:
        return self.queen.env


def staged(queen: Queen, me: Sister | None, touched: Sequence[Touch], kin: Collection[str]) -> list[Undone]:
    """What the commit that is being made would take back of the commits `touched`, which others made."""
    if queen.here().busy in ("merge", "rebase", "cherry-pick", "revert"):
        return []  # of what git is in the middle of, the index was made for this very HEAD; a revert is meant
    by_path = _by_path(touched)
    changes = versions.staged(queen.here(), queen.env, list(by_path))
    return _undone(_Work(queen, "HEAD", changes, by_path, kin), me, reflog.moves(queen.here()))


def made(queen: Queen, me: Sister, oid: str, touched: Sequence[Touch], kin: Collection[str]) -> list[Undone]:
    """What the commit `oid` took back."""
    by_path = _by_path([touch for touch in touched if touch.oid != oid])
    changes = versions.committed(queen.here(), queen.env, oid, list(by_path)) if by_path else {}
    moves = reflog.moves(queen.here())
    at = next((number for number, move in enumerate(moves) if move.new == oid), len(moves))
    if at < len(moves) and moves[at].why.startswith("revert"):
        return []
    found = _undone(_Work(queen, f"{oid}^", changes, by_path, kin), me, moves[:at])
    return [] if found and (_says_so(queen, oid) or _was_reverting(queen, me)) else found


def _says_so(queen: Queen, oid: str) -> bool:
    return "This reverts commit " in versions.message(queen.here(), oid)


def reverting(queen: Queen, me: Sister) -> None:
    """A revert is being committed, and no reflog will tell of it. Call it inside a transaction."""
    detail = {"worktree": queen.here().worktree}
    events.record(queen.db, queen.now, Event(REVERTING, me.name, queen.here().repo, detail))


def _was_reverting(queen: Queen, me: Sister) -> bool:
    """Whether her hook told of a revert just before."""
    place = queen.here()
    with database.faults(queen.settings.database):
        told = events.of_kind(queen.db, REVERTING, place.repo, 5)
    mine = [one.at for one in told if one.sister == me.name and one.detail.get("worktree") == place.worktree and one.at]
    return any(0 <= (queen.now - at).total_seconds() + 1 < LASTS for at in mine)


def _by_path(touched: Iterable[Touch]) -> dict[str, dict[str, Touch]]:
    """By path, of the latest commits alone."""
    made = {touch.oid: touch.at.timestamp() if touch.at else 0.0 for touch in touched}
    latest = set(sorted(made, key=made.__getitem__)[-MOST_COMMITS:])
    found: dict[str, dict[str, Touch]] = {}
    for touch in touched:
        if touch.oid in latest and (touch.path in found or len(found) < versions.MOST):
            found.setdefault(touch.path, {})[touch.oid] = touch
    return found


def _undone(work: _Work, me: Sister | None, moves: Sequence[Move]) -> list[Undone]:
    if not work.changes:
        return []
    found = _unseen(work, me, moves) if me is not None else {}
    rest = [path for path in work.changes if path not in found]
    found |= _surely(work, rest) if rest else {}
    if not found:
        return []
    disk = versions.on_disk(work.place, work.env, list(found))
    return [
        replace(one, open=_open(work, path, disk), module=work.changes[path].after.startswith("160000"))
        for path, one in sorted(found.items())
    ]


def _open(work: _Work, path: str, disk: Mapping[str, str]) -> bool:
    there = os.path.lexists(os.path.join(work.place.worktree or "", path))
    after = work.changes[path].after
    return there if not after else disk.get(path) != _id(after)


def _unseen(work: _Work, me: Sister, moves: Sequence[Move]) -> dict[str, Undone]:
    """By what came to the worktree since she could have seen it."""
    base, fresh = _known_to(work, me, moves)
    if not base:
        return {}
    paths = list(work.changes)
    history = versions.since(work.place, work.env, base, work.head, paths)
    found, parts = dict[str, Undone](), dict[str, list[Change]]()
    for path, later in history.items():
        later = _until_hers(work, me, later)
        count = _behind(work.changes[path].after, later)
        if not count and later:
            parts[path] = later
        found |= _of(work, path, later[:count], WHOLE)
    return found | _parts(work, base, fresh, parts)


def _known_to(work: _Work, me: Sister, moves: Sequence[Move]) -> tuple[str, str]:
    """The last commit whose files she surely saw, and the last one whose files were put there since; empty where
    nothing is known."""
    if me.started_at is None or not moves:
        return "", ""
    start = me.started_at.timestamp() - SLACK
    old = [move.new for move in moves if move.at <= start]
    with database.faults(work.queen.settings.database):
        # Who commits with a date of her own has it in the reflog, too.
        when = {oid: at.timestamp() for oid, at in commits_table.when(work.queen.db, work.kin, old).items()}
    base = moves[0].new if moves[0].first else moves[0].old
    fresh = base
    for move in moves:
        if not move.why or move.why.startswith("push"):
            continue  # HEAD moved under index and files
        went = move.why.startswith("checkout") and move.old != move.new
        if went or max(move.at, when.get(move.new, 0.0)) <= start:
            base = fresh = move.new
        elif move.why.startswith((*BRINGS, "commit (merge)")):
            fresh = move.new
    return base, fresh


def _until_hers(work: _Work, me: Sister, later: Sequence[Change]) -> list[Change]:
    """Only what came after her own last commit of the path: she knew it when she made that."""
    found = []
    with database.faults(work.queen.settings.database):
        for one in later:
            if one.commit not in work.touched[one.path] and _maker(work, one.commit) == me.name:
                break
            found.append(one)
    return found


def _maker(work: _Work, oid: str) -> str | None:
    known = (commits_table.maker(work.queen.db, common_dir, oid) for common_dir in work.kin)
    return next((name for name in known if name), None)


def _behind(now: str, later: Sequence[Change]) -> int:
    """How many of the latest changes of a path are gone when it is `now` just what it was before them."""
    return next((number + 1 for number, one in enumerate(later) if one.before == now), 0)


def _of(work: _Work, path: str, gone: Sequence[Change], how: str) -> dict[str, Undone]:
    theirs = tuple(work.touched[path][one.commit] for one in gone if one.commit in work.touched[path])
    return {path: Undone(path, theirs, how, False)} if theirs else {}


def _parts(work: _Work, base: str, fresh: str, parts: Mapping[str, list[Change]]) -> dict[str, Undone]:
    """Paths that have others' changes no more, but changes of her own, or that she deletes. That is meant, where the
    files were brought together with the commits; else it was done by somebody who did not see these."""
    paths = [path for path, later in parts.items() if any(one.commit in work.touched[path] for one in later)]
    if paths and fresh != base:
        kept = versions.since(work.place, work.env, fresh, work.head, paths)
        late = {path: {one.commit for one in changes} for path, changes in kept.items()}
        parts = {path: [one for one in parts[path] if one.commit in late.get(path, ())] for path in paths}
    found, left = dict[str, Undone](), MOST_PARTS
    for path in paths:
        if not work.changes[path].after:
            found |= _of(work, path, parts[path], GONE)
            continue
        gone: list[Change] = []
        for one in parts[path]:
            left -= 1
            if left < 0 or not versions.takes_back(work.place, work.env, one, work.changes[path].after):
                break  # she worked on top of this one, so that she saw those before it
            gone.append(one)
        found |= _of(work, path, gone, PART)
    return found


def _surely(work: _Work, paths: Sequence[str]) -> dict[str, Undone]:
    """Paths that are what they were before a commit, and that nobody wrote since: the file is older than the commit, or
    it is as HEAD has it and only the index is older."""
    oids = dict.fromkeys(oid for path in paths for oid in work.touched[path])
    history = versions.made_by(work.place, work.env, list(oids), paths)
    behind = {path: [one for one in history.get(path, ()) if one.before == work.changes[path].after] for path in paths}
    behind = {path: gone for path, gone in behind.items() if gone}
    if not behind:
        return {}
    found = dict[str, Undone]()
    disk = versions.on_disk(work.place, work.env, list(behind))
    for path, gone in behind.items():
        change = work.changes[path]
        index_alone = bool(change.before) and bool(change.after) and disk.get(path) == _id(change.before)
        for one in gone:
            touch = work.touched[path][one.commit]
            at = touch.at.timestamp() if touch.at is not None else None
            old = index_alone or (at is not None and not colliding.written(work.place.worktree or "", path, at))
            if old and versions.includes(work.place, work.env, work.head, one.commit):
                found |= _of(work, path, [one], WHOLE)
                break
    return found


def _id(word: str) -> str:
    return word.partition(" ")[2]


def findings(
    queen: Queen, me: Sister, oid: str, undone: Sequence[Undone]
) -> list[tuple[Finding, dict[str, str], Conflict | None]]:
    """What the commit `oid` of hers took back, for the book: one for each sister, with the letters to those who live,
    and the warning that she had before, which is over. Nothing where she said of it that it is no matter."""
    found, living = [], {sister.name for sister in tending.living(queen)}
    for warned in colliding.findings(queen, me.name, collisions(undone)):
        if remembering.muted(queen, warned):
            continue
        other = next(name for name in (*warned.sisters, me.name) if name != me.name)
        finding = _taken(queen, me, oid, other, [one for one in undone if _by(one, other)])
        letters = {name: _letter(queen, me, oid, other, finding, undone) for name in {other, me.name} & living}
        with database.faults(queen.settings.database):
            known = conflicts_table.get(queen.db, warned.id)
        warning = known if known is not None and known.resolved_at is None else None
        found.append((finding, letters or {me.name: ""}, warning))
    return found


def _by(one: Undone, sister: str) -> bool:
    return any(touch.sister == sister for touch in one.commits)


def _oids(undone: Iterable[Undone], sister: str) -> list[str]:
    """Her commits, the oldest first."""
    return list(dict.fromkeys(touch.oid for one in undone for touch in reversed(one.commits) if touch.sister == sister))


def _taken(queen: Queen, me: Sister, oid: str, other: str, undone: Sequence[Undone]) -> Finding:
    place, oids = queen.here(), _oids(undone, other)
    paths = [one.path for one in undone]
    shown = ", ".join(paths[: colliding.SHOWN]) + (
        f" and {len(paths) - colliding.SHOWN} more" if len(paths) > colliding.SHOWN else ""
    )
    commits = ", ".join(one[:10] for one in oids[-3:])
    return Finding(
        type=conflicts.STALE_INDEX,
        sisters=tuple(sorted((me.name, other))),
        severity=conflicts.DANGER,
        detail=f"{me.name}'s commit {oid[:10]} took back what {other} committed in {commits}: {shown}",
        subject="\0".join((TOOK, other, place.branch or "", *oids[-MOST_PARTS:])),
        repo=place.repo,
        common_dir=place.common_dir,
        worktree=place.worktree,
        facts=tuple(paths),
    )


def _letter(queen: Queen, me: Sister, oid: str, name: str, finding: Finding, undone: Sequence[Undone]) -> str:
    place = queen.here()
    theirs = [one for one in undone if _by(one, name)]
    whole = [one.path for one in theirs if one.how != PART]
    parts = [one.path for one in theirs if one.how == PART]
    rows = [f"stale-index: {finding.detail}", f"Where: {place.worktree} ({place.branch or 'a detached HEAD'})"]
    if whole:
        rows.append(f"Back:  git checkout {oid[:10]}^ -- {shlex.join(whole)}")
    if parts:
        oids = " ".join(one[:10] for one in _oids([one for one in theirs if one.how == PART], name))
        rows.append(f"Back:  git show {oids} -- {shlex.join(parts)} | git apply")
    rows.append(f"See: gitqueen conflicts   Done with: gitqueen resolve {finding.id}")
    return "\n".join(rows)


def still(queen: Queen, conflict: Conflict) -> tuple[str, ...]:
    """The paths of a commit that took something back which are still without it; none where she whose it was has
    committed to them since."""
    _, other, branch, *oids = conflict.subject.split("\0")
    place, env = queen.here(), queen.env
    head = f"refs/heads/{branch}" if branch else "HEAD"
    now = versions.at(place, env, head, conflict.facts)
    if now is None:
        return ()  # the branch is gone
    changes = versions.made_by(place, env, oids, conflict.facts)
    return tuple(
        path
        for path in conflict.facts
        if any(_lacks(place, env, change, now.get(path, "")) for change in changes.get(path, ()))
        and not _since_by(queen, head, path, other)
    )


def _lacks(place: Place, env: Mapping[str, str], change: Change, now: str) -> bool:
    return now == change.before or (not now and bool(change.after)) or versions.takes_back(place, env, change, now)


def _since_by(queen: Queen, head: str, path: str, sister: str) -> bool:
    latest = versions.latest(queen.here(), queen.env, head, path)
    with database.faults(queen.settings.database):
        return latest is not None and commits_table.maker(queen.db, queen.here().common_dir, latest) == sister


def collisions(undone: Iterable[Undone]) -> list[Collision]:
    """One for each path and sister."""
    return [
        Collision(one.path, touch.sister, conflicts.UNDONE, conflicts.DANGER, _detail(one, touch), touch.at)
        for one in undone
        for touch in {touch.sister: touch for touch in reversed(one.commits)}.values()
    ]


def _detail(one: Undone, touch: Touch) -> str:
    task = f' ("{touch.task}")' if touch.task else ""
    how = {
        WHOLE: f"as it was before {touch.sister} changed it in",
        PART: f"without what {touch.sister} changed in",
        GONE: f"deleted, though {touch.sister} changed it in",
    }[one.how]
    return f"{how} {touch.oid[:10]}{task}"
