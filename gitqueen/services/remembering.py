"""Remembering: what was seen to collide is kept once, told once, and closed when it no longer holds.

What collides is found by `colliding`; here it goes into the book, to those concerned by mail, and out again. What was
resolved by hand stays so until its facts change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitqueen import errors
from gitqueen.model import conflicts
from gitqueen.model.claims import Claim
from gitqueen.model.conflicts import Conflict, Finding
from gitqueen.model.events import Event
from gitqueen.model.messages import NORMAL, URGENT
from gitqueen.model.names import QUEEN
from gitqueen.model.sisters import Sister
from gitqueen.services import colliding, relating
from gitqueen.services.queen import Queen
from gitqueen.store import conflicts as conflicts_table
from gitqueen.store import database, events, trees
from gitqueen.store import messages as messages_table

TYPE_CHECKING = False  # importing typing costs a hook 4 ms
if TYPE_CHECKING:
    from gitqueen.git.pushes import Push


def remember(
    queen: Queen, found: Iterable[Finding], aware: str | None = None, letters: Mapping[str, str] | None = None
) -> None:
    """Write findings into the book, inside a transaction: new ones are mailed once to those concerned, known ones
    updated, muted ones left alone until their facts change.

    `aware`: the one who is shown it at this moment and needs no mail; `letters`: sister -> text, in place of ours.
    """
    for finding in found:
        if conflicts.policy(queen.config, finding.type) == conflicts.OFF:
            continue
        known = conflicts_table.get(queen.db, finding.id)
        if _is_muted(known, finding):
            continue
        is_open = known is not None and known.resolved_at is None
        since = known.detected_at if known is not None and is_open and known.detected_at else queen.now
        if known is not None and is_open and finding.type == conflicts.FILE_COLLISION:
            # The next commit brings other paths; those of the last one collide until the scan sees that they do not.
            finding = _with_what_was(finding, known)
        conflicts_table.save(queen.db, finding, since)
        if not is_open or (known is not None and _worse(known, finding)):
            _announce(queen, finding, aware, letters or {})


def muted(queen: Queen, finding: Finding) -> bool:
    """Whether somebody said by hand that these facts are no matter."""
    with database.faults(queen.settings.database):
        return _is_muted(conflicts_table.get(queen.db, finding.id), finding)


def _with_what_was(finding: Finding, known: Conflict) -> Finding:
    """With the paths that were known before; and as severe as they were, where they are not looked at anew."""
    facts = tuple(sorted({*known.facts, *finding.facts}))
    if conflicts.weight(known.severity) < conflicts.weight(finding.severity) and not set(known.facts) <= {
        *finding.facts
    }:
        return replace(
            finding, facts=facts, severity=known.severity or finding.severity, detail=known.detail or finding.detail
        )
    return replace(finding, facts=facts)


def _worse(known: Conflict, finding: Finding) -> bool:
    """Whether what was nobody's trouble has become one."""
    return known.severity == conflicts.INFO and conflicts.alarming([finding.severity])


def _is_muted(known: Conflict | None, finding: Finding) -> bool:
    if known is None or not known.muted or _worse(known, finding):  # nobody waved a conflict through that was none yet
        return False
    return set(finding.facts) <= set(known.facts)


def _announce(queen: Queen, finding: Finding, aware: str | None, letters: Mapping[str, str]) -> None:
    detail = {"id": finding.id, "type": finding.type, "sisters": list(finding.sisters), "severity": finding.severity}
    events.record(queen.db, queen.now, Event("conflict-seen", finding.sisters[0], finding.repo, detail))
    if finding.severity == conflicts.INFO:
        return  # shown in status; mail is for what wants doing
    told = _aware(queen, finding)
    priority = URGENT if finding.type == conflicts.BRANCH_SWITCHED else NORMAL
    for name in letters or finding.sisters:
        if name != aware and name not in told:
            text = letters.get(name) or _letter(finding, name)
            messages_table.add(queen.db, QUEEN, name, text, priority, queen.now, None)


def _aware(queen: Queen, finding: Finding) -> set[str]:
    """Those who were told already that they share this branch: who joins or leaves makes it no news for them."""
    if finding.type != conflicts.SHARED_BRANCH:
        return set()
    alike = (finding.type, finding.common_dir, finding.subject, finding.severity)
    book = conflicts_table.open_ones(queen.db)
    known = [one for one in book if (one.type, one.common_dir, one.subject, one.severity) == alike]
    return {name for one in known if one.id != finding.id for name in one.sisters}


def _letter(finding: Finding, name: str) -> str:
    lines = [f"{finding.type}: {finding.detail}"]
    if finding.type == conflicts.SHARED_BRANCH:
        lines.append(f"Apart: {colliding.apart_command(finding.repo, name, None)}")
    lines.append(f"See: gitqueen conflicts   Done with: gitqueen resolve {finding.id}")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Asked:
    """What git was asked before the transaction (`asking`): it is slow, and others wait for the database."""

    unpushed: Mapping[str, Push] = field(default_factory=dict)
    """Worktree -> what a push of it would be, of those on one branch in several clones."""
    unmerged: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Conflict -> those of its paths that her commits still change and his branch has not."""
    undone: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Conflict -> those of its paths from which a commit took something that is not back."""
    weighed: Mapping[str, Finding] = field(default_factory=dict)
    """Conflict -> what it comes to now, where the work of either has changed since."""


def reconcile(
    queen: Queen,
    living: Sequence[Sister],
    standing: Sequence[Claim],
    asked: Asked,
    unread: Collection[str] = (),
) -> list[Conflict]:
    """Open what holds now, close what no longer holds, inside the scan's transaction; returns what was closed.

    Of the worktrees `unread` nothing is known: what was seen to collide there neither holds nor is over.
    """
    from gitqueen.services import pushing  # scans alone reconcile

    holding = colliding.duplicate_tasks(queen, living) + colliding.shared_branches(living)
    holding += pushing.findings(queen, living, asked.unpushed)
    book = [*conflicts_table.open_ones(queen.db), *conflicts_table.muted(queen.db)]
    unsure = {conflict.id: conflict for conflict in book if _is_unsure(conflict, living, unread)}
    holding = [finding for finding in holding if not _is_part(finding, unsure.values())]
    remember(queen, holding)
    now_true = {finding.id: finding for finding in holding} | unsure
    closed = []
    for conflict in book:
        if conflict.id in now_true or (not conflict.subject and not conflict.severity):
            continue  # still true, or another program's own business
        if (facts := _still(queen, conflict, living, standing, asked)) is None:
            close(queen, conflict)
            closed += [conflict] if conflict.resolved_at is None else []
        elif facts != conflict.facts:
            conflicts_table.set_facts(queen.db, conflict.id, facts)
        if facts is not None and conflict.resolved_at is None and (finding := asked.weighed.get(conflict.id)):
            conflicts_table.weigh(queen.db, conflict.id, finding.severity, finding.detail)
            if _worse(conflict, finding):
                _announce(queen, finding, None, {})
    return closed


def _is_unsure(conflict: Conflict, living: Sequence[Sister], unread: Collection[str]) -> bool:
    """Whether it is about a worktree that nobody could look into, and all whom it is about live."""
    if conflict.type == conflicts.DUPLICATE_TASK:
        return False
    there = {sister.name: sister.worktree for sister in living}
    concerned = {conflict.worktree, *(there.get(name) for name in conflict.sisters)}
    return there.keys() >= set(conflict.sisters) and not concerned.isdisjoint(unread)


def _is_part(finding: Finding, unsure: Iterable[Conflict]) -> bool:
    """Whether `finding` is what is left to be seen of a shared branch, some of whose sisters could not be looked at."""
    return any(
        (finding.type, finding.common_dir, finding.subject) == (one.type, one.common_dir, one.subject)
        and set(finding.sisters) < set(one.sisters)
        for one in unsure
        if one.type == conflicts.SHARED_BRANCH
    )


def share(queen: Queen, living: Sequence[Sister], common_dir: str, aware: str | None = None) -> None:
    """A branch was checked out: open what says that it is shared now, close what was shared and no longer is. Call it
    inside a transaction."""
    groups = [finding for finding in colliding.shared_branches(living) if finding.common_dir == common_dir]
    remember(queen, groups, aware)
    now_true = {finding.id for finding in groups}
    for conflict in conflicts_table.open_ones(queen.db):
        here = conflict.type == conflicts.SHARED_BRANCH and conflict.common_dir == common_dir
        if here and conflict.worktree is not None and conflict.id not in now_true:
            close(queen, conflict)


def close(queen: Queen, conflict: Conflict) -> None:
    """It no longer holds. Call it inside a transaction."""
    conflicts_table.resolve(queen.db, conflict.id, queen.now, muted=False)
    if conflict.resolved_at is None:
        events.record(queen.db, queen.now, Event("conflict-over", None, conflict.repo, {"id": conflict.id}))


def _still(
    queen: Queen, conflict: Conflict, living: Sequence[Sister], standing: Sequence[Claim], asked: Asked
) -> tuple[str, ...] | None:
    """The facts of `conflict` that still hold, or None when it is over."""
    if conflict.type == conflicts.LOST_WORK:
        return conflict.facts  # until it is back, whoever still lives
    there = {sister.name: sister for sister in living}
    if conflict.type == conflicts.STALE_INDEX and (words := conflict.subject.split("\0"))[1:]:
        # Until it is back, or she whose it was lives no more; whoever took it may be gone.
        return (asked.undone.get(conflict.id, conflict.facts) or None) if words[1] in there else None
    if not all(name in there for name in conflict.sisters):
        return None
    if conflict.type == conflicts.FILE_COLLISION:
        if conflict.subject == colliding.COMMITTED:
            return asked.unmerged.get(conflict.id, conflict.facts) or None
        return _still_colliding(queen, conflict, there, standing) or None
    if conflict.type == conflicts.SWEPT_WORK and _unread(queen, conflict):
        return conflict.facts  # committed or not, she whose it was does not know of it yet
    if conflict.type in (conflicts.SWEPT_WORK, conflicts.STALE_INDEX):
        changed = trees.changed(queen.db, conflict.worktree or "")
        return tuple(path for path in conflict.facts if path in changed) or None
    if conflict.type == conflicts.BRANCH_SWITCHED:
        return _still_switched(queen, conflict, there)
    return None


def _unread(queen: Queen, conflict: Conflict) -> bool:
    """Whether she whose work it was has a letter about it that she did not read."""
    whose = conflict.subject.partition(" ")[2]
    return any(conflict.id in letter.body for letter in messages_table.unread(queen.db, whose))


def _still_colliding(
    queen: Queen, conflict: Conflict, there: Mapping[str, Sister], standing: Sequence[Claim]
) -> tuple[str, ...]:
    verdict, _, other = conflict.subject.partition(" ")
    if verdict == "claimed":
        kin = relating.kin(queen, conflict.common_dir or "")
        claims = [one for one in standing if one.owner == other and one.common_dir in kin]
        return tuple(path for path in conflict.facts if any(claim.covers(path) for claim in claims))
    worktree = there[other].worktree
    changed = trees.changed(queen.db, worktree) if worktree else set()
    return tuple(path for path in conflict.facts if path in changed)


def _still_switched(queen: Queen, conflict: Conflict, there: Mapping[str, Sister]) -> tuple[str, ...] | None:
    """A switch is over when the worktree is back on the branch, or she who was moved has left it."""
    victim, _, was = conflict.subject.partition(" ")
    sister = there.get(victim)
    if sister is None or sister.worktree != conflict.worktree or (sister.branch or "") == was:
        return None
    return conflict.facts


def resolve(queen: Queen, conflict_id: str, me: str) -> Conflict:
    """Close a conflict by hand; it stays closed until its facts change. Raises `errors.Refused` for no such one."""
    with database.transaction(queen.db):
        conflict = conflicts_table.get(queen.db, conflict_id)
        if conflict is None:
            raise errors.Refused(f"there is no conflict {ascii(conflict_id)[1:-1]}", hint="gitqueen conflicts --all")
        if conflict.resolved_at is None:
            conflicts_table.resolve(queen.db, conflict_id, queen.now, muted=True)
            events.record(queen.db, queen.now, Event("resolved", me, conflict.repo, {"id": conflict_id}))
    return replace(conflict, resolved_at=conflict.resolved_at or queen.now)


def book(queen: Queen, every: bool = False) -> list[Conflict]:
    """Open conflicts, or all that ever were."""
    with database.faults(queen.settings.database):
        return conflicts_table.everything(queen.db) if every else conflicts_table.open_ones(queen.db)
