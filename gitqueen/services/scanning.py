"""Scanning: one look around, and everything that follows from it.

Who lives, where, on what branch, with what uncommitted; then claims of the dead, conflicts that are over, markers
nobody needs, mail and history past their time. Reading comes first and without a lock, writing is one transaction.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

from gitqueen import errors
from gitqueen.git import commits as git_commits
from gitqueen.git import markers, places
from gitqueen.git.places import Place
from gitqueen.model import sisters
from gitqueen.model.claims import Claim
from gitqueen.model.conflicts import Conflict
from gitqueen.model.events import Event
from gitqueen.model.sisters import Body, Sister
from gitqueen.senses import processes
from gitqueen.services import (
    claiming,
    colliding,
    draining,
    healing,
    marking,
    mirroring,
    recording,
    relating,
    remembering,
    tending,
    watching,
)
from gitqueen.services.queen import Queen
from gitqueen.settings import DAY, RETENTION
from gitqueen.store import claims as claims_table
from gitqueen.store import commits as commits_table
from gitqueen.store import conflicts as conflicts_table
from gitqueen.store import database, events, repos, trees
from gitqueen.store import messages as messages_table
from gitqueen.store import sisters as sisters_table
from gitqueen.store.trees import Tree
from gitqueen.tracing import step

HOOKS_TAKE = 5.0
"""Seconds within which a post-checkout hook has told of the move, or will not."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What one look around saw and did."""

    sisters: int
    worktrees: int
    gone: tuple[str, ...] = ()
    given_back: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    """One sentence for each part that could not be looked at; the rest was."""


@dataclass(slots=True)
class _View:
    """What was read before anything is written."""

    alive: list[Sister] = field(default_factory=list)
    dead: list[Sister] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    trees: dict[str, tuple[Tree, tuple[str, ...]]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    """Worktrees with a sister in them that could not be read."""
    faults: list[str] = field(default_factory=list)


def locked(
    queen: Queen, patience: float = 30.0, stale_only: bool = False, progress: Callable[[str], None] = lambda _: None
) -> Scan | None:
    """`scan`, one at a time on this home; raises `errors.Busy` when another takes longer than `patience` seconds."""
    from filelock import FileLock, Timeout  # 45 ms that only a scanning process pays

    lock = FileLock(os.path.join(queen.settings.home, "scan.lock"), mode=0o600)
    try:
        with lock.acquire(timeout=patience, poll_interval=0.02):
            return None if stale_only and watching.fresh(queen) else scan(queen, progress, patience)
    except Timeout:
        raise errors.Busy(f"another scan has been going on for {patience:g} s", hint="try again") from None
    except OSError as fault:
        raise errors.CannotWork(f"the lock of the scan cannot be taken: {fault}", hint="gitqueen doctor") from None


def scan(queen: Queen, progress: Callable[[str], None] = lambda _: None, patience: float = 30.0) -> Scan:
    """Look around once, whatever the last scan's age; `progress` hears each worktree's path before it is read."""
    patience = min(patience, queen.db.patience)
    draining.drain(queen)
    with step("services", "look at every sister and worktree"):
        view = _look(queen, progress)
    for place, commits in _unseen_commits(queen, view):
        for oid in commits:
            recording.commit(queen, place, oid, _only_one(view, place), "scan")
    relating.relate(queen)
    asked = remembering.ask(queen, view.alive)
    with step("services", "write what was seen"), database.transaction(queen.db, patience=patience):
        _bury(queen, view)
        _write_trees(queen, view)
        known = sisters_table.everyone(queen.db)
        living = [_adopt(queen, sister) for sister in known if tending.life(queen, sister) != sisters.DEAD]
        given_back = claiming.give_back(queen)
        standing = claiming.held(queen)
        resolved = remembering.reconcile(queen, living, standing, asked)
        _prune(queen)
        repos.set_last(queen.db, "scan", queen.now.timestamp())
    marking.mend(queen, living, standing)
    view.faults += healing.heal(queen, view.places.values())
    with step("services", "repeat tasks and claims in the repositories"):
        view.faults += mirroring.mend(queen)
    watching.announce(queen)
    return _report(view, given_back, resolved)


def _report(view: _View, given_back: Iterable[Claim], resolved: Iterable[Conflict]) -> Scan:
    return Scan(
        sisters=len(view.alive),
        worktrees=len(view.trees),
        gone=tuple(sister.name for sister in view.dead),
        given_back=tuple(claim.id for claim in given_back),
        resolved=tuple(conflict.id for conflict in resolved),
        faults=tuple(view.faults),
    )


def _look(queen: Queen, progress: Callable[[str], None]) -> _View:
    view = _View()
    _ = queen.config  # asked of git now, not while others wait for the database
    with database.faults(queen.settings.database):
        everybody = sisters_table.everyone(queen.db)
    for sister in everybody:
        if tending.gone(queen, sister):
            view.dead.append(sister)
        elif tending.life(queen, sister) != sisters.DEAD:
            view.alive.append(sister)
        # Else she is silent where we cannot look: not shown, and not buried either.
    for worktree in sorted({sister.worktree for sister in view.alive if sister.worktree}):
        progress(worktree)
        try:
            _look_into(queen, view, worktree)
        except (errors.GitqueenError, OSError) as fault:
            if any(_of_here(queen, sister) for sister in view.alive if sister.worktree == worktree):
                view.lost.add(worktree)
                view.faults.append(f"{worktree}: {fault}")
    return view


def _of_here(queen: Queen, sister: Sister) -> bool:
    """Whether her paths are ours: another machine or container that shares this home has files of its own."""
    return sister.body is None or sister.body.origin == queen.origin


def _look_into(queen: Queen, view: _View, worktree: str) -> None:
    from gitqueen.git import libgit  # pygit2 costs 90 ms: only a process that scans pays it

    place = places.find(worktree)
    if place is None or place.worktree != worktree:
        raise errors.CannotWork("no worktree is there any more")
    started = queen.clock().timestamp()
    seen = libgit.look(worktree)
    view.places[worktree] = place
    view.trees[worktree] = (Tree(worktree, place.common_dir, place.branch, seen.head, started), seen.changed)


def _bury(queen: Queen, view: _View) -> None:
    """Rows of the dead go; mail, claims (until the grace is over) and history stay with their names."""
    # Who wrote her row anew since we looked is not the one we saw dead.
    there = set(sisters_table.everyone(queen.db))
    view.dead = [sister for sister in view.dead if sister in there]
    sisters_table.forget(queen.db, [sister.row for sister in view.dead])
    living = {sister.name for sister in view.alive}
    seen_alive = [sister for sister in view.dead if sister.body is not None]
    events.mark_dead(queen.db, [sister.name for sister in seen_alive if sister.name not in living], queen.now)
    events.record(
        queen.db, queen.now, *(Event("died", sister.name, sister.repo, {"pid": sister.pid}) for sister in seen_alive)
    )
    for sister in view.dead:
        if sister.body is not None and sister.common_dir is not None:
            markers.drop(sister.common_dir, sister.body.pid)


def _adopt(queen: Queen, sister: Sister) -> Sister:
    """An outside row whose process lives: from now on we know which process it was."""
    if sister.body is not None or tending.life(queen, sister) != sisters.ALIVE:
        return sister
    process = processes.look(sister.row)
    if process is None:
        return sister
    body = Body(queen.origin, process.pid, process.ticks)
    adopted = replace(sister, body=body, started_at=processes.started_at(process))
    sisters_table.save(queen.db, adopted)
    events.remember_name(queen.db, sister.name, queen.now)
    return adopted


def _write_trees(queen: Queen, view: _View) -> None:
    known = trees.worktrees(queen.db)
    for worktree, (tree, changed) in view.trees.items():
        before = known.get(worktree)
        if before is not None and before.branch != tree.branch:
            if _hook_will_tell(queen, view.places[worktree]):
                continue
            _moved_unseen(queen, view, before, tree)
        repos.save(queen.db, tree.common_dir, view.places[worktree].repo)
        trees.save_worktree(queen.db, tree, changed)
        sisters_table.set_tree(queen.db, worktree, tree.branch, tree.head, len(changed))
    for worktree in view.lost:
        sisters_table.set_tree(queen.db, worktree, None, None, None)
    trees.keep_worktrees(queen.db, view.trees)


def _unseen_commits(queen: Queen, view: _View) -> Iterator[tuple[Place, list[str]]]:
    """Commits that came to managed worktrees since the last scan and that no hook told of (am, libgit2)."""
    with database.faults(queen.settings.database):
        known, managed = trees.worktrees(queen.db), repos.all_managed(queen.db)
    for worktree, (tree, _) in view.trees.items():
        before, place = known.get(worktree), view.places[worktree]
        moved = before is not None and before.head not in (None, tree.head) and before.branch == tree.branch
        if before is None or not moved or tree.head is None or place.busy or tree.common_dir not in managed:
            continue
        made = git_commits.new(place, before.head or "", tree.head)
        seen = commits_table.known(queen.db, tree.common_dir, made)
        if fresh := [oid for oid in made if oid not in seen]:
            yield place, fresh


def _only_one(view: _View, place: Place) -> Sister | None:
    """Whoever is alone in a worktree made what was made there; of several nobody is named."""
    there = [sister for sister in view.alive if sister.worktree == place.worktree]
    return there[0] if len(there) == 1 else None


def _hook_will_tell(queen: Queen, place: Place) -> bool:
    """Whether HEAD moved so recently that the hook, which knows who did it, is still to come: the next scan sees."""
    if not repos.managed(queen.db, place.common_dir):
        return False
    try:
        moved = os.stat(os.path.join(place.git_dir, "HEAD")).st_mtime
    except OSError:
        return False
    return 0 <= queen.clock().timestamp() - moved < HOOKS_TAKE


def _moved_unseen(queen: Queen, view: _View, before: Tree, tree: Tree) -> None:
    """HEAD moved and no hook told us. Whoever knew the new branch by a command of hers did it, or has seen it."""
    there = [sister for sister in view.alive if sister.worktree == tree.path]
    if len(there) < 2:
        return  # alone in her worktree she moved it herself
    busy = view.places[tree.path].busy
    for victim in (sister for sister in there if sister.branch == before.branch):
        finding, mail = colliding.switched(queen, victim, before.branch, tree.branch, None, busy)
        remembering.remember(queen, [finding], letters=mail)


def _prune(queen: Queen) -> None:
    """Once a day: it reads all the mail there is. What is unread, open or held stays, however old."""
    if 0 <= queen.now.timestamp() - repos.last(queen.db, "prune") < DAY:
        return
    repos.set_last(queen.db, "prune", queen.now.timestamp())
    before = queen.now - timedelta(seconds=queen.duration("gitqueen.retention", RETENTION))
    events.forget(queen.db, before)
    messages_table.forget(queen.db, before)
    claims_table.forget(queen.db, before)
    conflicts_table.forget(queen.db, before)
    commits_table.forget(queen.db, before)
