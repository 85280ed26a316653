"""Colliding: what stands against a change, and who is in whose way: found, and returned as plain data.

Which facts collide is decided here and in `model/conflicts`; reading worktrees is `git/`, keeping and telling what was
found is `remembering`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from itertools import combinations

from gitqueen import errors
from gitqueen.model import conflicts, times
from gitqueen.model.conflicts import Collision, Finding
from gitqueen.model.sisters import Sister
from gitqueen.services import relating
from gitqueen.services.queen import Queen
from gitqueen.store import commits as commits_table
from gitqueen.store import database, trees

TYPE_CHECKING = False  # importing typing costs a hook 4 ms
if TYPE_CHECKING:
    from gitqueen.git.places import Place
    from gitqueen.model.claims import Claim
    from gitqueen.store.commits import Touch
    from gitqueen.store.trees import Tree

COMMITTED, UNCOMMITTED = "committed", "uncommitted"
WEIGHABLE = (COMMITTED, UNCOMMITTED)
"""What git may merge, so that it is a danger or none (`weighing`)."""
SHOWN = 5
"""Paths that a sentence names before it counts the rest."""


def duplicate_tasks(queen: Queen, living: Sequence[Sister], only: str | None = None) -> list[Finding]:
    """Pairs of living sisters whose declared tasks look the same; `only`: pairs with her."""
    from gitqueen.services import resembling  # no hook asks this

    found = []
    for a, b in combinations(sorted((s for s in living if s.declared), key=lambda s: s.name), 2):
        if only is not None and only not in (a.name, b.name):
            continue
        if why := resembling.twins(queen, a, b):
            detail = f"{a.name} ({_quoted(a.task)}) and {b.name} ({_quoted(b.task)}): {why}"
            # The words are the subject: a task changed is another conflict, not this one muted.
            subject = "\0".join(sorted((a.task or "", b.task or "")))
            found.append(Finding(conflicts.DUPLICATE_TASK, (a.name, b.name), conflicts.WARNING, detail, subject))
    return found


def _quoted(text: str | None) -> str:
    return f'"{text}"'


def shared_branches(living: Iterable[Sister]) -> list[Finding]:
    """One finding per group on one branch of one repository: a warning in the same worktree, an info elsewhere."""
    groups: dict[tuple[str, str], list[Sister]] = {}
    for sister in living:
        if sister.common_dir is not None and sister.branch is not None:
            groups.setdefault((sister.common_dir, sister.branch), []).append(sister)
    return [_shared(group, branch) for (_, branch), group in sorted(groups.items()) if len(group) > 1]


def _shared(group: list[Sister], branch: str) -> Finding:
    sisters = tuple(sorted(sister.name for sister in group))
    folders = [sister.worktree for sister in group]
    same = next((folder for folder in folders if folders.count(folder) > 1), None)
    where = "in one worktree" if same else "in worktrees of their own"
    return Finding(
        type=conflicts.SHARED_BRANCH,
        sisters=sisters,
        severity=conflicts.WARNING if same else conflicts.INFO,
        detail=f"{all_of(sisters)} are on {branch} {where}",
        subject=branch,
        repo=group[0].repo,
        common_dir=group[0].common_dir,
        worktree=same,
    )


def all_of(words: Sequence[str]) -> str:
    """`ada, bea and iza`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def paths_colliding(
    queen: Queen, me: str | None, paths: Sequence[str], living: Sequence[Sister], standing: Iterable[Claim]
) -> list[Collision]:
    """What stands against changing `paths` (from the top of the repository here): claims of others on them, others'
    uncommitted work on them in other worktrees, and what was committed to them on others' branches and is not merged
    here. Clones of the repository on this machine count as worktrees of it."""
    kin = relating.kin(queen, queen.here().common_dir)
    found = []
    for claim in standing:
        if claim.owner != me and claim.common_dir in kin:
            # Globs, not paths, are asked one by one: 50 claims against 5,000 paths stay a matter of milliseconds.
            found += [_claimed(path, claim) for path in paths if claim.covers(path)]
    beside = _beside(queen, me, living, kin)
    with database.faults(queen.settings.database):
        seen = trees.worktrees(queen.db) if beside and paths else {}
    for worktree, sisters in beside.items() if paths else ():
        for path in sorted(_uncommitted(queen, worktree, paths, seen.get(worktree))):
            found += [_dirty(path, sister) for sister in sisters]
    return found + _committed(queen, me, paths, beside)


def _beside(queen: Queen, me: str | None, living: Iterable[Sister], kin: Collection[str]) -> dict[str, list[Sister]]:
    """Worktree -> the others in it, of all worktrees beside this one."""
    found: dict[str, list[Sister]] = {}
    for sister in living:
        if sister.name != me and sister.common_dir in kin and sister.worktree not in (None, queen.here().worktree):
            found.setdefault(sister.worktree or "", []).append(sister)
    return dict(sorted(found.items()))


def _committed(queen: Queen, me: str | None, paths: Sequence[str], beside: dict[str, list[Sister]]) -> list[Collision]:
    """Which of `paths` commits changed that the branch of a living sister has and HEAD here has not."""
    place = queen.here()
    with database.faults(queen.settings.database):
        kin = {sister.common_dir or "" for sisters in beside.values() for sister in sisters}
        touched = commits_table.touching(queen.db, kin, paths, me) if paths else []
    if not touched:
        return []
    from gitqueen.git import commits, places  # only where somebody committed to the same path

    within: dict[str, dict[str, list[Touch]]] = {}
    for touch in touched:
        within.setdefault(touch.common_dir, {}).setdefault(touch.oid, []).append(touch)
    there: dict[str, list[Place]] = {}
    for worktree in beside:
        if (other := places.find(worktree)) is not None and other.common_dir in within:
            there.setdefault(other.common_dir, []).append(other)
    found: dict[tuple[str, str, str], list[Sister]] = {}
    for common_dir, worktrees in there.items():
        ahead = commits.unmerged(place, queen.env, worktrees, within[common_dir])
        changed = {oid: [touch.path for touch in within[common_dir][oid]] for oid in ahead}
        for other in worktrees if ahead else ():
            for path, oid in commits.brought(place, queen.env, other, changed).items():
                found.setdefault((path, common_dir, oid), []).extend(beside[other.worktree or ""])
    return [
        collision
        for (path, common_dir, oid), sisters in sorted(found.items())
        for collision in _ahead(path, within[common_dir][oid][0], sisters)
    ]


def brought(queen: Queen, me: str, paths: Sequence[str], living: Sequence[Sister], other: str) -> set[str]:
    """Which of `paths` the branch of the sister `other` changed by commits that are not merged here."""
    beside = _beside(queen, me, living, relating.kin(queen, queen.here().common_dir))
    return {one.path for one in _committed(queen, me, paths, beside) if one.sister == other}


def _ahead(path: str, touch: Touch, sisters: Sequence[Sister]) -> list[Collision]:
    """She who made it, where she lives and has it on her branch; else those who have it on theirs."""
    those = [sister for sister in sisters if sister.name == touch.sister] or sisters
    found = []
    for sister in those:
        where = f"{_where(sister)}{_on_task(sister)}"
        detail = f"changed by {touch.sister} in {touch.oid[:10]} ({where})"
        hers = f"what {touch.sister} changed in {touch.oid[:10]}"
        found.append(Collision(path, sister.name, COMMITTED, conflicts.WARNING, detail, touch.at, hers, where))
    return found


def _where(sister: Sister) -> str:
    return f"on {sister.branch}" if sister.branch else "on a detached HEAD"


def _on_task(sister: Sister) -> str:
    return f", {_quoted(sister.task)}" if sister.task else ""


def _claimed(path: str, claim: Claim) -> Collision:
    why = f": {claim.description}" if claim.description else ""
    since = f" since {times.iso(claim.claimed_at)}" if claim.claimed_at else ""
    detail = f"claimed by {claim.owner} ({claim.id}{why}){since}"
    return Collision(path, claim.owner, "claimed", conflicts.DANGER, detail)


def _dirty(path: str, sister: Sister) -> Collision:
    where = at(sister)
    detail, hers = f"uncommitted at {sister.name} ({where})", f"{sister.name}'s uncommitted work"
    return Collision(path, sister.name, UNCOMMITTED, conflicts.WARNING, detail, hers=hers, where=where)


def at(sister: Sister) -> str:
    """Where she works and on what, in words."""
    return f"{_where(sister)} in {sister.worktree}{_on_task(sister)}"


def _uncommitted(queen: Queen, worktree: str, paths: Sequence[str], tree: Tree | None) -> set[str]:
    """Which of `paths` carry uncommitted work in another worktree at this moment.

    What the scan saw in `tree` may be 30 s old: a stat each says which paths may have changed since, and only for those
    git is asked (4 ms a worktree). Without a scan of that worktree every path is suspect.
    """
    with database.faults(queen.settings.database):
        changed = trees.changed(queen.db, worktree, paths) if tree else set()
    # Nothing was added or committed there since: what was changed then is changed now.
    quiet = tree is not None and bool(tree.git_dir) and not written(tree.git_dir, "index", tree.scanned_at)
    suspects = {path for path in paths if tree is None or written(worktree, path, tree.scanned_at)}
    # A submodule counts when it is bumped, not when something is edited inside of it: the scan saw either.
    suspects |= {path for path in changed if not quiet or os.path.isdir(os.path.join(worktree, path))}
    sure = changed - suspects
    if not suspects:
        return sure
    from gitqueen.git import staging  # `iam` asks for twins here and needs no git for that

    try:
        return sure | staging.uncommitted(worktree, suspects, inside=False)
    except errors.GitFailed:
        return changed  # the worktree is gone or broken: what was seen last is the best we have


def written(folder: str, path: str, since: float) -> bool:
    """Whether `path` was written, made or deleted `since` then. ctime too: a file moved into place keeps its mtime."""
    while True:
        try:
            found = os.lstat(os.path.join(folder, path))
        except OSError:
            if not path:
                return False
            # Deleted, or never there: a folder changes when an entry goes.
            path = os.path.dirname(path)
            continue
        # Two seconds for file systems that count in whole ones.
        return max(found.st_mtime, found.st_ctime) >= since - 2


def findings(queen: Queen, me: str, collisions: Iterable[Collision]) -> list[Finding]:
    """Collisions grouped into conflicts: one per sister and verdict, with the paths as its facts."""
    groups: dict[tuple[str, str], list[Collision]] = {}
    for collision in collisions:
        groups.setdefault((collision.sister, collision.verdict), []).append(collision)
    place = queen.here()
    kin = relating.kin(queen, place.common_dir) if groups else {}
    found = []
    for (sister, verdict), group in sorted(groups.items()):
        group.sort(key=lambda one: conflicts.weight(one.severity))
        worst = [one for one in group if one.severity == group[0].severity]
        if worst[0].words and len(worst) > 1:  # each conflicts in lines of its own
            also = _listed([f"{one.path} ({one.words})" for one in worst[1:]])
            detail = f"{me} {_does(worst[0])} {worst[0].path}, {worst[0].detail}; also {also}"
        else:
            detail = f"{me} {_does(worst[0])} {_listed([one.path for one in worst])}, {worst[0].detail}"
        if rest := [one.path for one in group if one.severity == conflicts.INFO and one not in worst]:
            detail += f"; {_listed(rest)} {'merges' if len(rest) == 1 else 'merge'} cleanly"
        found.append(
            Finding(
                type=conflicts.kind(group[0]),
                sisters=tuple(sorted((me, sister))),
                severity=group[0].severity,
                detail=detail,
                subject=subject(group[0]),
                repo=place.repo,
                common_dir=min(kin) if verdict == COMMITTED else place.common_dir,
                worktree=place.worktree,
                facts=tuple(sorted({one.path for one in group})),
            )
        )
    return found


def _does(collision: Collision) -> str:
    does = {conflicts.SWEPT: "commits", conflicts.UNDONE: "is about to commit"}
    return does.get(collision.verdict, "has")


def subject(collision: Collision) -> str:
    """What the conflict is about: who is in the way, and how. That both committed to a path is one fact, whoever of
    them sees it."""
    return COMMITTED if collision.verdict == COMMITTED else f"{collision.verdict} {collision.sister}"


def _listed(paths: Sequence[str]) -> str:
    shown = ", ".join(paths[:SHOWN])
    return shown if len(paths) <= SHOWN else f"{shown} and {len(paths) - SHOWN} more"


def switched(
    queen: Queen,
    victim: Sister,
    was: str | None,
    to: str | None,
    by: str | None,
    busy: str | None,
) -> tuple[Finding, dict[str, str]]:
    """The finding that HEAD moved under `victim`, and the mail that tells her how to get back."""
    who = by or "somebody unknown"
    old, new = was or "a detached HEAD", to or "a detached HEAD"
    finding = Finding(
        type=conflicts.BRANCH_SWITCHED,
        sisters=tuple(dict.fromkeys((victim.name, *([by] if by else [])))),
        severity=conflicts.INFO if busy else conflicts.WARNING,
        detail=f"{who} moved {victim.worktree} from {old} to {new} under {victim.name}"
        + (f" ({busy} in progress)" if busy else ""),
        subject=f"{victim.name} {was or ''}",
        repo=victim.repo,
        common_dir=victim.common_dir,
        worktree=victim.worktree,
        facts=(to or "",),
    )
    import shlex  # a branch may be called anything; what is pasted into a shell is quoted

    way_back = f"git switch {shlex.quote(was)}" if was else "git switch --detach <your commit>"
    mail = (
        f"{who} switched the branch under you at {times.iso(queen.now)}: "
        f"{victim.worktree} was on {old}, is on {new} now.\n"
        f'Back:  {way_back}   (ask first: gitqueen tell {by or "@repo"} "...")\n'
        f"Apart: {apart_command(victim.repo, victim.name, was)}"
    )
    return finding, {victim.name: mail}


def apart_command(repo: str | None, name: str, branch: str | None) -> str:
    """The command that gives the sister `name` a worktree of her own: on `branch`, or on a new branch of her name."""
    import shlex

    folder = shlex.quote(f"{repo or 'repo'}-{name}")
    return (
        f"git worktree add {folder} {shlex.quote(branch)}"
        if branch
        else f"git worktree add -b {shlex.quote(name)} {folder}"
    )
