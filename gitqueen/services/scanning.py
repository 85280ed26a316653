"""Scanning: one look around, and everything that follows from it.

Who lives, where, on what branch, with what uncommitted; then claims of the dead, conflicts that are over, markers
nobody needs, mail and history past their time. Reading comes first and without a lock, writing is one transaction.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from gitqueen import errors
from gitqueen.git import commits as git_commits
from gitqueen.git import markers
from gitqueen.git.places import LENT, Place
from gitqueen.git.probes import QUICK
from gitqueen.model import sisters
from gitqueen.model.claims import Claim
from gitqueen.model.conflicts import Conflict
from gitqueen.model.events import Event
from gitqueen.model.sisters import Body, Sister
from gitqueen.senses import processes
from gitqueen.services import (
    alone,
    asking,
    claiming,
    colliding,
    draining,
    healing,
    keeping,
    losing,
    marking,
    mirroring,
    predicting,
    recording,
    relating,
    remembering,
    sighting,
    surveying,
    tending,
    timing,
    watching,
)
from gitqueen.services.queen import Queen
from gitqueen.services.surveying import Survey, Watch
from gitqueen.settings import DAY, RETENTION
from gitqueen.store import claims as claims_table
from gitqueen.store import commits as commits_table
from gitqueen.store import conflicts as conflicts_table
from gitqueen.store import database, events, repos, touches, trees
from gitqueen.store import messages as messages_table
from gitqueen.store import sisters as sisters_table
from gitqueen.store.trees import Tree
from gitqueen.tracing import step

HOOKS_TAKE = 5.0
"""Seconds within which a post-checkout hook has told of the move, or will not."""


DATABASE = 30.0
"""Seconds to wait for the database at most."""
MANY = 50
"""New worktrees that make a scan long as it is."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What one look around saw and did."""

    sisters: int
    worktrees: int
    """Those with a sister in them."""
    gone: tuple[str, ...] = ()
    given_back: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    """One sentence for each part that could not be looked at; the rest was."""
    wanted: frozenset[str] = frozenset()
    """All worktrees that a scan looks at."""
    looked: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    """Worktrees that were read, and the folders to watch if nothing is to be missed in them (None: in vain)."""


@dataclass(slots=True)
class _View:
    """Who was there before anything is written."""

    alive: list[Sister] = field(default_factory=list)
    dead: list[Sister] = field(default_factory=list)


def locked(
    queen: Queen,
    patience: float = 30.0,
    stale_only: bool = False,
    progress: Callable[[str], None] = lambda _: None,
    watch: Watch | None = None,
) -> Scan | None:
    """`scan`, one at a time on this home; raises `errors.Busy` when another takes longer than `patience` seconds."""
    path = os.path.join(queen.settings.home, "scan.lock")
    with alone.only(path, patience) as free:
        if not free:
            raise errors.Busy(f"another scan has been going on for {patience:g} s", hint="try again")
        queen.now = queen.clock()  # before we waited, the look of the other was still to come
        if stale_only and watching.fresh(queen):
            return None
        return scan(queen, progress, patience, watch, sparing=stale_only)


def scan(
    queen: Queen,
    progress: Callable[[str], None] = lambda _: None,
    patience: float = 30.0,
    watch: Watch | None = None,
    sparing: bool = False,
) -> Scan:
    """Look around once, whatever the last scan's age; `progress` hears each worktree's path before it is read.

    `watch`: of a daemon, which knows what cannot have changed; `sparing`: somebody waits for the answer, see
    `surveying.plan`. Slow worktrees come last and keep nothing else waiting; for them it waits `patience` seconds.
    """
    draining.drain(queen)
    unseen = sighting.sight(queen)
    with database.faults(queen.settings.database):
        before = repos.last(queen.db, "scan")
    with step("services", "look at every sister and worktree"):
        view = _look(queen)
        if view.dead:
            draining.settle(queen)  # what they committed last: without their rows nobody knows whose it was
        survey = surveying.plan(queen, view.alive, watch, sparing)
        surveying.look(survey, progress)
    # Where many are read for the first time, that is enough for once.
    others = relating.AT_ONCE if survey.new < MANY else 0
    relating.relate(queen, _common_dirs(view), survey.apart, others)
    _record_unseen(queen, view, survey)
    asked = asking.ask(queen, view.alive, survey.places, survey.changed)
    with step("services", "write what was seen"), database.transaction(queen.db, patience=min(patience, DATABASE)):
        _bury(queen, view, survey.apart)
        _write_trees(queen, view, survey)
        trees.keep_worktrees(queen.db, survey.wanted)
        known = sisters_table.everyone(queen.db)
        living = [_adopt(queen, sister) for sister in known if tending.life(queen, sister) != sisters.DEAD]
        given_back = claiming.give_back(queen)
        standing = claiming.held(queen)
        resolved = remembering.reconcile(queen, living, standing, asked, survey.unread)
        _prune(queen)
        if repos.last(queen.db, "scan") == before:  # else somebody came meanwhile: the next look sees her
            repos.set_last(queen.db, "scan", queen.now.timestamp())
    watching.announce(queen)
    _look_late(queen, view, survey, min(patience, surveying.PATIENCE))
    marking.mend(queen, living, standing, survey.apart)
    survey.faults += unseen
    survey.faults += healing.heal(queen, survey.places.values(), survey.apart)
    survey.faults += mirroring.mend(queen, survey.apart)
    survey.faults += timing.refresh(queen, survey.apart)
    _keep(queen, survey, survey)
    _keep_gone(queen, survey)
    return _report(view, survey, given_back, resolved)


def _look_late(queen: Queen, view: _View, survey: Survey, patience: float) -> None:
    """Those that take long, one by one as they come; the rest of the hive is written already."""
    for one in surveying.late(survey, patience):
        _record_unseen(queen, view, one)
        with database.transaction(queen.db):
            _write_trees(queen, view, one)
        _keep(queen, one, survey)


def _keep(queen: Queen, read: Survey, survey: Survey) -> None:
    """What is uncommitted is kept, and what is lost is told: of those that were just read."""
    with step("services", "keep what is uncommitted"):
        for worktree, changed in read.changed.items():
            place, tree = read.places[worktree], read.trees[worktree]
            try:
                if losing.scanned(queen.at(place), place, tree.head, changed):
                    keeping.pack_when_many(queen, place)
            except errors.GitqueenError as fault:
                survey.faults.append(f"{worktree}: {fault.message}")


def _keep_gone(queen: Queen, survey: Survey) -> None:
    """Worktrees that are gone with all that stood in them."""
    names = repos.known(queen.db)
    for worktree, common_dir in survey.common_dirs.items():
        if worktree not in survey.unread or survey.unread[worktree].took > QUICK:
            continue  # read, or so slow to say no that a look from here may hang
        if not os.path.isdir(common_dir) or os.path.lexists(worktree):
            continue
        place = Place(common_dir, common_dir, worktree, names.get(common_dir, worktree), None)
        try:
            losing.removed(replace(queen, place=replace(place, worktree=None), _config=None), place)
        except errors.GitqueenError as fault:
            survey.faults.append(f"{worktree}: {fault.message}")


def _common_dirs(view: _View) -> dict[str, str]:
    """Of the repositories that sisters are in, with their paths."""
    return {one.common_dir: one.repo for one in view.alive if one.common_dir and one.repo}


def _record_unseen(queen: Queen, view: _View, survey: Survey) -> None:
    for place, commits in _unseen_commits(queen, survey):
        for oid in commits:
            recording.commit(queen, place, oid, _only_one(view, place), "scan")


def _report(view: _View, survey: Survey, given_back: Iterable[Claim], resolved: Iterable[Conflict]) -> Scan:
    return Scan(
        sisters=len(view.alive),
        worktrees=len({sister.worktree for sister in view.alive} & survey.trees.keys()),
        gone=tuple(sister.name for sister in view.dead),
        given_back=tuple(claim.id for claim in given_back),
        resolved=tuple(conflict.id for conflict in resolved),
        faults=tuple(survey.faults),
        wanted=frozenset(survey.wanted),
        looked=survey.folders,
    )


def _look(queen: Queen) -> _View:
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
    return view


def _bury(queen: Queen, view: _View, apart: Collection[str]) -> None:
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
        if sister.body is not None and sister.common_dir is not None and sister.common_dir not in apart:
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


def _write_trees(queen: Queen, view: _View, survey: Survey) -> None:
    known, put_off = trees.worktrees(queen.db) if survey.changed else {}, set[str]()
    for worktree, changed in survey.changed.items():
        tree, before = survey.trees[worktree], known.get(worktree)
        if before is not None and tree.branch is None and tree.busy in LENT:
            tree = survey.trees[worktree] = replace(tree, branch=before.branch)
        lent = before is not None and before.branch is None and before.busy in LENT
        if before is not None and before.branch != tree.branch and not lent:
            if _hook_will_tell(queen, survey.places[worktree]):
                put_off.add(worktree)
                survey.folders.pop(worktree, None)  # looked at again by the next scan, whatever happens there
                continue
            _moved_unseen(queen, view, survey.places[worktree], before, tree)
        repos.save(queen.db, tree.common_dir, survey.places[worktree].repo)
        trees.save_worktree(queen.db, tree, changed)
    for worktree, unread in survey.unread.items():
        trees.save_unread(queen.db, worktree, unread)
        sisters_table.set_tree(queen.db, worktree, None, None, None)
    peopled = {sister.worktree for sister in view.alive}
    for tree in survey.trees.values():
        if tree.path in peopled and tree.path not in put_off:
            sisters_table.set_tree(queen.db, tree.path, tree.branch, tree.head, tree.dirty)


def _unseen_commits(queen: Queen, survey: Survey) -> Iterator[tuple[Place, list[str]]]:
    """Commits that came to managed worktrees since the last scan and that no hook told of (am, libgit2)."""
    if not survey.changed:
        return
    with database.faults(queen.settings.database):
        known, managed = trees.worktrees(queen.db), repos.all_managed(queen.db)
    for worktree in survey.changed:
        before, tree, place = known.get(worktree), survey.trees[worktree], survey.places[worktree]
        moved = before is not None and before.head not in (None, tree.head) and before.branch == tree.branch
        if before is None or not moved or tree.head is None or tree.busy or tree.common_dir not in managed:
            continue
        made = git_commits.new(place, before.head or "", tree.head)
        # A rebase that ended while we looked told of its commits before its folder went: by now that is to be read.
        if not made or place.busy == "rebase":
            continue
        draining.settle(queen)
        # A pull from a clone of ours brings what was made there.
        kin = relating.kin(queen, tree.common_dir)
        seen = {oid for one in kin for oid in commits_table.known(queen.db, one, made)}
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


def _moved_unseen(queen: Queen, view: _View, place: Place, before: Tree, tree: Tree) -> None:
    """HEAD moved and no hook told us. Whoever knew the new branch by a command of hers did it, or has seen it."""
    there = [sister for sister in view.alive if sister.worktree == tree.path]
    if len(there) < 2:
        return  # alone in her worktree she moved it herself
    for victim in (sister for sister in there if sister.branch == before.branch):
        finding, mail = colliding.switched(queen, victim, before.branch, tree.branch, None, tree.busy)
        remembering.remember(queen, [finding], letters=mail)


def _prune(queen: Queen) -> None:
    """Once a day: it reads all the mail there is. What is unread, open or held stays, however old."""
    if 0 <= queen.now.timestamp() - repos.last(queen.db, "prune") < DAY:
        return
    repos.set_last(queen.db, "prune", queen.now.timestamp())
    before = queen.now - timedelta(seconds=queen.duration("gitqueen.retention", RETENTION))
    events.forget(queen.db, before)
    messages_table.forget(queen.db, before)
    predicting.forget(queen)
    claims_table.forget(queen.db, before)
    conflicts_table.forget(queen.db, before)
    commits_table.forget(queen.db, before)
    watching.start_packer(queen)
    touches.forget(queen.db, before)
