"""Guarding: what git's own hooks ask at the moment it happens, a commit or a checkout.

Answers are plain reports; the lean door prints them and maps a refusal. Everything imported from here is paid by every
commit that somebody else may collide with: no pygit2, click, psutil or filelock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from gitqueen import errors
from gitqueen.git import commits, staging
from gitqueen.git.places import LENT, Place
from gitqueen.model import conflicts
from gitqueen.model.claims import Claim
from gitqueen.model.conflicts import Collision, Conflict
from gitqueen.model.sisters import Identity, Sister
from gitqueen.services import attributing, claiming, colliding, identifying, meeting, relating, remembering, tending
from gitqueen.services.queen import Queen
from gitqueen.store import commits as commits_table
from gitqueen.store import conflicts as conflicts_table
from gitqueen.store import database, repos, trees
from gitqueen.store import sisters as sisters_table

TYPE_CHECKING = False  # importing typing costs a hook 4 ms
if TYPE_CHECKING:
    from gitqueen.services.undoing import Undone


@dataclass(frozen=True, slots=True)
class CommitReport:
    """What a commit runs into. `refused`: policy says block, and a sister is committing."""

    collisions: tuple[Collision, ...] = ()
    others: Mapping[str, Sister] | None = None
    claims: tuple[Claim, ...] = ()
    """The claims of others that stand in this repository."""
    refused: bool = False
    unkept: str = ""
    """Why none of it could be written into the book."""
    own: tuple[str, ...] = ()
    """What the commit takes that no other sister wrote in this worktree."""
    below: bool = False
    """Whether git was called in a folder below the top, where paths from the top are written `:/PATH`."""
    undone: tuple[Undone, ...] = ()
    """What it takes back of others' commits."""


@dataclass(frozen=True, slots=True)
class CheckoutReport:
    """What a checkout did to others: `moved` from under whom, `back` under whom, `shared` with whom."""

    branch: str | None = None
    moved: tuple[Sister, ...] = ()
    """Each with the branch that she was on and is not any more."""
    back: tuple[Sister, ...] = ()
    shared: tuple[Sister, ...] = ()
    busy: str | None = None
    unkept: str = ""

    @property
    def lent(self) -> bool:
        """Whether HEAD was only lent, to a rebase or a bisect, and comes back by itself."""
        return self.busy in LENT


def on_duty(queen: Queen) -> bool:
    """Whether this repository is one whose hooks we are: managed, and not switched off by its owner."""
    if queen.place is None:
        return False
    with database.faults(queen.settings.database):
        if not repos.managed(queen.db, queen.place.common_dir):
            return False
    return queen.config.get("gitqueen.enabled", "true").lower() not in ("false", "no", "off", "0")


def actor(queen: Queen) -> Identity:
    """Who commits; a newcomer whom the queen cannot take in now is nobody, and warned all the same."""
    try:
        return identifying.identify(queen)
    except (errors.Busy, errors.CannotWork):
        return Identity(None, queen.login)


def before_commit(queen: Queen, me: Identity) -> CommitReport:
    """Look at what is staged. Nobody known to be committing is warned, never blocked, and leaves no trace."""
    place = queen.here()
    kinds = (conflicts.FILE_COLLISION, conflicts.SWEPT_WORK, conflicts.STALE_INDEX)
    policies = {one: conflicts.policy(queen.config, one) for one in kinds}
    if place.worktree is None or set(policies.values()) == {conflicts.OFF}:
        return CommitReport()
    mine = me.sister
    others = [sister for sister in tending.living(queen) if sister.name != me.address]
    kin = relating.kin(queen, place.common_dir)
    standing = [one for one in claiming.held(queen) if one.common_dir in kin and one.owner != me.address]
    changes = staging.changes(place, queen.env)
    paths = list(changes)
    found = colliding.paths_colliding(queen, mine.name if mine else None, paths, others, standing)
    found += attributing.swept(queen, mine.name if mine else None, paths, others)
    taken = undone(queen, mine, paths, kin) if policies[conflicts.STALE_INDEX] != conflicts.OFF else []
    if taken:
        from gitqueen.services import undoing  # few commits undo anything

        found = undoing.collisions(taken) + found
    elif mine is not None and place.busy == "revert":
        _kept(queen, lambda: _reverting(queen, mine))
    found = [one for one in found if policies[conflicts.kind(one)] != conflicts.OFF]
    if policies[conflicts.FILE_COLLISION] != conflicts.OFF:
        found = _weighed(queen, mine, found, others, changes)
    found = _unmuted(queen, mine, found) if mine else found
    blocked = [one.severity for one in found if policies[conflicts.kind(one)] == conflicts.BLOCK]
    foreign = {one.path for one in found if one.verdict == conflicts.SWEPT}
    unkept = _kept(queen, lambda: _remember(queen, mine, found)) if mine is not None else ""
    return CommitReport(
        collisions=tuple(one for one in found if one.severity != conflicts.INFO),
        others={sister.name: sister for sister in others},
        claims=tuple(standing),
        refused=mine is not None and conflicts.alarming(blocked),
        unkept=unkept if found else "",
        own=tuple(path for path in paths if path not in foreign),
        below=bool(queen.env.get("GIT_PREFIX")),
        undone=tuple(taken),
    )


def _weighed(
    queen: Queen,
    mine: Sister | None,
    found: list[Collision],
    others: Sequence[Sister],
    changes: Mapping[str, str],
) -> list[Collision]:
    """What of it git would merge by itself; and what collides though nobody else changed these very paths."""
    near = meeting.near(queen, mine.name if mine else None, others, changes)
    if not near and not any(one.verdict in colliding.WEIGHABLE for one in found):
        return found
    from gitqueen.services import weighing  # most commits meet nobody

    return weighing.staged(queen, found, others, changes, near)


def undone(queen: Queen, mine: Sister | None, paths: Sequence[str], kin: Mapping[str, str]) -> list[Undone]:
    """What it takes back of others' commits; most commits are of paths that nobody else committed to."""
    with database.faults(queen.settings.database):
        touched = commits_table.touching(queen.db, kin, paths, mine.name if mine else None)
    if not touched:
        return []
    from gitqueen.services import undoing

    return undoing.staged(queen, mine, touched, kin)


def _reverting(queen: Queen, mine: Sister) -> None:
    """When the commit is looked at that is made of it, nothing else may tell that it was meant."""
    from gitqueen.services import undoing

    undoing.reverting(queen, mine)


def _unmuted(queen: Queen, mine: Sister, found: Sequence[Collision]) -> list[Collision]:
    """What nobody said of that it is no matter (`gitqueen resolve`)."""
    muted = [one for one in colliding.findings(queen, mine.name, found) if remembering.muted(queen, one)]
    quiet = {(one.subject, *one.sisters, path) for one in muted for path in one.facts}
    return [one for one in found if (colliding.subject(one), *sorted((mine.name, one.sister)), one.path) not in quiet]


def _remember(queen: Queen, mine: Sister, found: Sequence[Collision]) -> None:
    tending.settle(queen, mine)
    seen = colliding.findings(queen, mine.name, found)
    stale = [one for one in seen if one.type == conflicts.STALE_INDEX]
    remembering.remember(queen, [one for one in seen if one not in stale], aware=mine.name)
    # She whose commit it would undo is told when it is done.
    remembering.remember(queen, stale, aware=mine.name, letters={mine.name: ""})


def _kept(queen: Queen, write: Callable[[], None]) -> str:
    """`write`, all of it or nothing; why not, where the queen cannot be written now: what was seen is said all the
    same."""
    try:
        with database.transaction(queen.db):
            write()
    except (errors.Busy, errors.CannotWork) as fault:
        return fault.message
    return ""


def after_checkout(queen: Queen, me: Identity, arguments: Sequence[str]) -> CheckoutReport:
    """HEAD may have moved: tell those under whom it did, and who else is on the new branch.

    `arguments`: what git gives post-checkout, the old and the new commit and whether a branch was checked out.
    """
    place, mine = queen.here(), me.sister
    if arguments[2] != "1" or place.worktree is None:
        return CheckoutReport()
    others = [sister for sister in tending.living(queen) if sister.name != me.address]
    open_ones = _switches(queen, place.worktree)
    there = [_as_she_believes(s, open_ones) for s in others if s.worktree == place.worktree]
    told = conflicts.policy(queen.config, conflicts.BRANCH_SWITCHED) != conflicts.OFF
    shown = conflicts.policy(queen.config, conflicts.SHARED_BRANCH) != conflicts.OFF and _came(mine, place)
    report = CheckoutReport(
        branch=place.branch,
        moved=tuple(sister for sister in there if told and sister.branch != place.branch),
        back=tuple(s for s in there if told and s.branch == place.branch and _hers(s, open_ones)),
        shared=tuple(
            sister
            for sister in others
            if shown
            and sister.common_dir == place.common_dir
            and place.branch is not None
            and sister.branch == place.branch
        ),
        busy=place.busy or ("rebase" if place.branch is None and commits.rebasing(place) else None),
    )
    # `worktree add` and `clone` check out too, from nothing, in a folder where nobody is yet.
    entering = mine if mine is not None and arguments[0].strip("0") else None
    return replace(report, unkept=_kept(queen, lambda: _switched(queen, mine, entering, report, open_ones)))


def _came(mine: Sister | None, place: Place) -> bool:
    """Whether she is on a branch where she was not before."""
    return mine is None or mine.branch != place.branch or mine.common_dir != place.common_dir


def _switches(queen: Queen, worktree: str) -> list[Conflict]:
    """The open conflicts about who was moved in this worktree."""
    with database.faults(queen.settings.database):
        found = conflicts_table.open_ones(queen.db)
    return [one for one in found if one.type == conflicts.BRANCH_SWITCHED and one.worktree == worktree]


def _hers(sister: Sister, open_ones: Sequence[Conflict]) -> list[Conflict]:
    return [one for one in open_ones if one.subject.partition(" ")[0] == sister.name]


def _as_she_believes(sister: Sister, open_ones: Sequence[Conflict]) -> Sister:
    """She, on the branch that she was on before anybody moved her: that is where she wants back to."""
    mine = _hers(sister, open_ones)
    return replace(sister, branch=mine[0].subject.partition(" ")[2] or None) if mine else sister


def _switched(
    queen: Queen, mine: Sister | None, entering: Sister | None, report: CheckoutReport, open_ones: Sequence[Conflict]
) -> None:
    place = queen.here()
    if entering is not None:
        tending.settle(queen, entering)
    over = [one for sister in report.back for one in _hers(sister, open_ones)]
    # Who switches herself knows where she is.
    over += _hers(mine, open_ones) if mine is not None else []
    for conflict in over:
        remembering.close(queen, conflict)
    for victim in report.moved:
        by = mine.name if mine else None
        finding, mail = colliding.switched(queen, victim, victim.branch, place.branch, by, report.busy)
        remembering.remember(queen, [finding], letters=mail)
    if report.lent or place.worktree is None:
        return
    _follow(queen, place.worktree, place.branch)
    remembering.share(queen, tending.living(queen), place.common_dir, aware=mine.name if mine else None)


def _follow(queen: Queen, worktree: str, branch: str | None) -> None:
    """Everybody in the worktree is on the new branch now, willing or not: the scan must not see it move again."""
    trees.set_branch(queen.db, worktree, branch)
    for sister in tending.living(queen):
        if sister.worktree == worktree:
            sisters_table.set_branch(queen.db, sister.row, branch)
