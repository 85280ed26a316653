"""Predicting: what becomes of merging what stands in one worktree with what stands in another, each pair merged once.

States of worktrees and merges are kept in the database; who asks, and what follows, is the business of others.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gitqueen import errors
from gitqueen.git import drafts, merging, places, states, uncommitted
from gitqueen.git.places import Place
from gitqueen.git.states import State
from gitqueen.model import merges
from gitqueen.model.merges import Merge
from gitqueen.services.queen import Queen
from gitqueen.settings import DAY
from gitqueen.store import database, trees
from gitqueen.store import merges as merges_table
from gitqueen.store.merges import Kept

SHORT = 10.0
"""Seconds that git may take for one worktree while a scan waits."""
KEPT = 7 * DAY
"""Seconds that nobody need ask for a merge before it is forgotten."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one has who may merge, or be merged: a commit, perhaps a draft of what stands in a worktree."""

    place: Place
    """The repository it is in, and the worktree that it was taken from or is checked out in."""
    commit: str
    head: str | None = None
    """HEAD of that worktree: what of it is committed."""
    left_out: tuple[str, ...] = ()
    """Paths of which it does not say what stands there."""
    seated: bool = True
    """Whether exactly this stands in the worktree of `place`."""


def of_worktree(
    queen: Queen,
    worktree: str,
    suspects: Collection[str] = (),
    patience: float = 60.0,
    fresh: bool = False,
    seen: Collection[str] | None = None,
) -> Side:
    """All that stands in a worktree. By what the last scan saw there and what was taken then, where no file of it has
    been written since; `seen`: what a scan that goes on saw changed; `suspects`: paths that were written since;
    `fresh`: git looks at every file.

    Raises `errors.GitFailed` where git cannot tell.
    """
    with database.faults(queen.settings.database):
        tree = trees.worktrees(queen.db).get(worktree)
        changed = set(seen) if seen is not None else trees.changed(queen.db, worktree) if tree is not None else set()
        kept = merges_table.states(queen.db).get(worktree)
    if tree is None or not tree.git_dir or fresh:
        place = places.find(worktree)
        if place is None or place.worktree != worktree:
            raise errors.GitFailed(f"no worktree is at {worktree} any more")
        return _side(place, states.take(place, None, patience))
    place = Place(tree.git_dir, tree.common_dir, worktree, worktree, tree.branch)
    missed = set(suspects) - changed
    mark = _mark(place, changed)
    if kept is not None and kept.mark == mark and not missed:
        if not kept.commit:
            raise errors.GitFailed(f"git could not tell what stands in {worktree}")
        return Side(place, kept.commit, kept.head, kept.left_out)
    return _side(place, states.take(place, changed | missed, patience))


def _side(place: Place, state: State) -> Side:
    return Side(place, state.commit, state.head, state.left_out)


def _mark(place: Place, changed: Iterable[str]) -> str:
    """Stays the same while neither HEAD, nor the index, nor one of the changed files is written, nor drafts go."""
    moved = uncommitted.mark(place, drafts.birth(place.common_dir), sorted(changed))
    try:
        log = os.stat(os.path.join(place.git_dir, "logs", "HEAD")).st_mtime_ns
    except OSError:
        log = 0  # no reflog: HEAD itself is written when it is detached, and the index when a branch moves
    return f"{moved}.{log}"


def refresh(queen: Queen, worktrees: Iterable[Place], changed: Mapping[str, Sequence[str]]) -> None:
    """Take the states of these worktrees where they are not what they were; a scan has just looked at them.

    `changed`: worktree -> the paths that it saw, of those that were read now."""
    with database.faults(queen.settings.database):
        known = merges_table.states(queen.db)
    taken: dict[str, Kept] = {}
    worktrees = list(worktrees)
    for place in worktrees:
        worktree = place.worktree or ""
        paths = changed[worktree] if worktree in changed else trees.changed(queen.db, worktree)
        kept = known.get(worktree)
        if kept is not None and kept.mark == _mark(place, paths):
            continue
        try:
            if paths:
                drafts.prune(place.common_dir, queen.now.timestamp())
                drafts.make(place.common_dir)
            mark = _mark(place, paths)
            state = states.take(place, paths, SHORT)
        except errors.GitFailed:
            # Broken, or behind a filter that hangs: not asked again before something has changed.
            taken[worktree] = Kept(_mark(place, paths), "", None)
            continue
        taken[worktree] = Kept(mark, state.commit, state.head, state.left_out)
    _help_git(queen, {place.common_dir for place in worktrees})
    if taken:
        with database.transaction(queen.db):
            for worktree, kept in taken.items():
                merges_table.save_state(queen.db, worktree, kept, queen.now.timestamp())


def _help_git(queen: Queen, common_dirs: Collection[str]) -> None:
    """Have a graph made of each long history that has none, behind our back."""
    from gitqueen.git import graphs  # no hook comes here
    from gitqueen.services import watching

    if [common_dir for common_dir in common_dirs if graphs.ask(common_dir)]:
        watching.start_packer(queen)


def predict(
    queen: Queen,
    pairs: Sequence[tuple[Side, Side]],
    patience: float = 600.0,
    keep: bool = True,
    hint: Callable[[Place, Mapping[str, str], tuple[str, str]], Merge] | None = None,
) -> list[Merge]:
    """What becomes of each pair when she who has the first merges the second, in the order of `pairs`.

    `keep`: what was found out is kept, in a transaction of its own; what was kept is used. `hint`: see
    `merging.predict`.
    """
    until = time.monotonic() + patience
    found: dict[tuple[str, str, str], Merge] = {}
    for common_dir in dict.fromkeys(ours.place.common_dir for ours, _ in pairs):
        some = [pair for pair in pairs if pair[0].place.common_dir == common_dir]
        here = some[0][0].place
        wanted = list(dict.fromkeys((ours.commit, theirs.commit) for ours, theirs in some))
        settings = _settings(queen, here) if keep else ""
        with database.faults(queen.settings.database):
            known = merges_table.known(queen.db, settings, wanted) if keep else {}
        new = merging.predict(
            here,
            [pair for pair in wanted if pair not in known],
            beside={theirs.place.common_dir for _, theirs in some},
            worktrees={ours.commit: ours.place.worktree for ours, _ in some if ours.seated and ours.place.worktree},
            patience=max(0.01, until - time.monotonic()),
            hint=hint,
        )
        # What is unknown now may be known in a moment.
        sure = {pair: merge for pair, merge in new.items() if merge.verdict != merges.UNKNOWN and not merge.hint}
        if keep and sure:
            _keep(queen, settings, sure)
        found.update(((common_dir, *pair), merge) for pair, merge in {**known, **new}.items())
    return [found[ours.place.common_dir, ours.commit, theirs.commit] for ours, theirs in pairs]


def _keep(queen: Queen, settings: str, found: Mapping[tuple[str, str], Merge]) -> None:
    try:
        with database.transaction(queen.db, patience=0.2):
            merges_table.save(queen.db, settings, found, queen.now.timestamp())
    except (errors.Busy, errors.CannotWork):
        pass  # found out anew the next time


def _settings(queen: Queen, place: Place) -> str:
    """One word that changes when a file is written that says how git merges here. Attributes that are committed belong
    to the commits."""
    home, xdg = queen.env.get("HOME", ""), queen.env.get("XDG_CONFIG_HOME", "")
    user = [os.path.join(xdg or os.path.join(home, ".config"), "git", name) for name in ("config", "attributes")]
    files = [
        os.path.join(place.common_dir, "config"),
        os.path.join(place.common_dir, "info", "attributes"),
        os.path.join(place.git_dir, "config.worktree"),
        queen.env.get("GIT_CONFIG_GLOBAL") or os.path.join(home, ".gitconfig"),
        "/etc/gitconfig",
        "/etc/gitattributes",
        *user,
    ]
    import hashlib

    words = [place.common_dir, *(f"{path} {_written(path)}" for path in files)]
    return hashlib.sha256("\0".join(words).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _written(path: str) -> str:
    try:
        found = os.stat(path)
    except OSError:
        return "-"
    return f"{found.st_mtime_ns}.{found.st_size}"


def forget(queen: Queen) -> None:
    """Drop what nobody has found out anew for long. Call it inside a transaction."""
    merges_table.forget(queen.db, queen.now.timestamp() - KEPT)
