"""Surveying: which worktrees a scan reads, and what it saw in them.

Those of living sisters, and of known repositories without one. What a daemon has watched and nobody touched is taken
from the last time; what is slow or hangs is told apart, so that nobody else touches it and hangs too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gitqueen.git import sights
from gitqueen.git.places import Place
from gitqueen.git.sights import Fault, Sight
from gitqueen.model.sisters import Sister
from gitqueen.services.queen import Queen
from gitqueen.settings import MINUTE
from gitqueen.store import database, repos, trees
from gitqueen.store.trees import Tree, Unread

PATIENCE = 12.0
"""Seconds for all that is slow, at most: time enough for libgit2 and git to fail on a dead mount."""
SPARE = 5 * MINUTE
"""Seconds that a look at a repository without a sister stays good enough for somebody who waits for an answer."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What a daemon knows of the worktrees it watches."""

    calm: Collection[str]
    """Worktrees in which nothing has changed since they were read."""


@dataclass(slots=True)
class Survey:
    """What was read, by worktree; nothing of it is written yet."""

    at: float
    wanted: set[str] = field(default_factory=set)
    """All that there are, read this time or not."""
    due: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    new: int = 0
    """How many of them were never read before."""
    folders_too: bool = False
    trees: dict[str, Tree] = field(default_factory=dict)
    """Of those read now, and of the calm ones as they were."""
    places: dict[str, Place] = field(default_factory=dict)
    changed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The changed paths, of those read now alone."""
    folders: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    unread: dict[str, Unread] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    common_dirs: dict[str, str] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    """Worktrees that are another machine's or container's: that they are not here is no fault."""

    @property
    def apart(self) -> set[str]:
        """Common dirs of what hangs or cannot be read: whoever touches them may hang as well."""
        return {self.common_dirs[one] for one in (*self.slow, *self.unread) if one in self.common_dirs}


def plan(queen: Queen, alive: Iterable[Sister], watch: Watch | None, sparing: bool) -> Survey:
    """What is to be read. `sparing`: not what was read in the last `SPARE` seconds and nobody works in."""
    with database.faults(queen.settings.database):
        known, unread = trees.worktrees(queen.db), trees.unread(queen.db)
        after, names = repos.looked_after(queen.db), repos.known(queen.db)
    survey = Survey(queen.clock().timestamp(), folders_too=watch is not None)
    peopled = set[str]()
    for sister in alive:
        if sister.worktree:
            peopled.add(sister.worktree)
            survey.common_dirs[sister.worktree] = sister.common_dir or ""
    # A bare repository has no files to look at: its folder is its common dir.
    lonely = {path: common_dir for common_dir, path in after.items() if path != common_dir and path not in peopled}
    survey.common_dirs |= {**lonely, **{path: tree.common_dir for path, tree in known.items()}}
    survey.wanted = peopled | lonely.keys()
    ours = {sister.worktree for sister in alive if sister.body is None or sister.body.origin == queen.origin}
    survey.elsewhere = peopled - ours
    survey.new = len(survey.wanted - known.keys())
    for worktree in sorted(survey.wanted):
        tree, cost = known.get(worktree), _cost(worktree, known, unread)
        if tree is not None and tree.git_dir and _good(queen, tree, worktree in peopled, watch, sparing):
            survey.trees[worktree] = tree
            repo = names.get(tree.common_dir, worktree)
            survey.places[worktree] = Place(tree.git_dir, tree.common_dir, worktree, repo, tree.branch)
        elif cost > sights.SLOW:
            survey.slow.append(worktree)
        else:
            survey.due.append(worktree)
    survey.slow.sort(key=lambda one: _cost(one, known, unread))
    return survey


def _cost(worktree: str, known: Mapping[str, Tree], unread: Mapping[str, Unread]) -> float:
    """Seconds that it took the last time."""
    return max(known[worktree].took if worktree in known else 0.0, unread[worktree].took if worktree in unread else 0.0)


def _good(queen: Queen, tree: Tree, peopled: bool, watch: Watch | None, sparing: bool) -> bool:
    """Whether what was seen the last time is good enough."""
    if watch is not None and tree.path in watch.calm:
        return True
    return sparing and not peopled and 0 <= queen.now.timestamp() - tree.scanned_at < SPARE


def look(survey: Survey, progress: Callable[[str], None]) -> None:
    """Read what is quick; what turns out to be slow goes to the slow ones."""
    for worktree, sight in sights.quick(survey.due, survey.folders_too, progress):
        if sight is None:
            survey.slow.append(worktree)
        else:
            _take_in(survey, survey, worktree, sight)


def late(survey: Survey, patience: float) -> Iterator[Survey]:
    """Read the slow ones: each comes as a survey of its own, and is in `survey` too by then. Those for which the time
    does not suffice keep what was seen of them, and stay apart."""
    for worktree, sight in sights.late(list(survey.slow), survey.folders_too, patience):
        survey.slow.remove(worktree)
        one = Survey(survey.at)
        _take_in(one, survey, worktree, sight)
        survey.trees |= one.trees
        survey.places |= one.places
        survey.unread |= one.unread
        survey.faults += one.faults
        yield one
        survey.folders |= one.folders
    survey.faults += [f"{worktree}: there was no time to look at it" for worktree in survey.slow]


def _take_in(survey: Survey, whole: Survey, worktree: str, sight: Sight | Fault) -> None:
    if isinstance(sight, Fault):
        if worktree not in whole.elsewhere:
            survey.unread[worktree] = Unread(sight.words, sight.took)
            survey.faults.append(f"{worktree}: {sight.words}")
        return
    place, seen = sight.place, sight.seen
    follows = seen.follows
    survey.places[worktree] = place
    survey.changed[worktree] = seen.changed
    survey.folders[worktree] = sight.folders
    survey.trees[worktree] = Tree(
        path=worktree,
        common_dir=place.common_dir,
        branch=place.branch,
        head=seen.head,
        scanned_at=whole.at,
        git_dir=place.git_dir,
        upstream=follows.name if follows else None,
        ahead=follows.ahead if follows else None,
        behind=follows.behind if follows else None,
        busy=sight.busy,
        dirty=len(seen.changed),
        untracked=seen.untracked,
        took=sight.took,
    )
