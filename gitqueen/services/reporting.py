"""Reporting: the whole hive at one moment, for people and programs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from gitqueen.git import places
from gitqueen.model import conflicts, names
from gitqueen.model.claims import Claim
from gitqueen.model.conflicts import Conflict
from gitqueen.model.sisters import Sister
from gitqueen.senses import processes
from gitqueen.services import attributing, claiming, glancing, remembering, tending
from gitqueen.services.queen import Queen
from gitqueen.store import database, repos, trees
from gitqueen.store import jobs as jobs_table
from gitqueen.store import messages as messages_table

if TYPE_CHECKING:
    from gitqueen.model.jobs import Job


@dataclass(frozen=True, slots=True)
class Mail:
    sister: str
    unread: int
    urgent: int


@dataclass(frozen=True, slots=True)
class RepoReport:
    """One repository: its main worktree, the worktrees known of, the main one's branch, the sisters in it."""

    path: str
    worktrees: tuple[str, ...]
    branch: str | None
    sisters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """How a worktree stands, as the scan saw it."""

    branch: str | None
    dirty: int
    ahead: int | None = None
    behind: int | None = None
    busy: str | None = None
    """rebase, merge..., where one is going on."""

    @property
    def calm(self) -> bool:
        """Whether nothing in it waits for anybody."""
        return not (self.dirty or self.ahead or self.behind or self.busy)


@dataclass(frozen=True, slots=True)
class Status:
    at: datetime
    machine: str
    sisters: tuple[Sister, ...]
    claims: tuple[Claim, ...]
    conflicts: tuple[Conflict, ...]
    mail: tuple[Mail, ...]
    repos: tuple[RepoReport, ...]
    cron_jobs: int = 0
    work: Mapping[str, Work] = field(default_factory=dict)
    """By worktree, as far as it was seen."""
    soon: tuple[Job, ...] = ()
    """Jobs about to run where somebody works uncommitted."""


def status(queen: Queen, repo: str | None = None, every: bool = False) -> Status:
    """The hive now, after a look around if the last one is stale. `repo`: only what concerns that repository;
    `every`: repositories without a living sister too.

    Raises `errors.CannotWork` when `repo` is in no repository.
    """
    glancing.ensure(queen)
    living = tending.living(queen)
    wanted = None if repo is None else _repository(queen, repo)
    if wanted is not None:
        living = [sister for sister in living if sister.common_dir == wanted]
    living = attributing.shares(queen, living, claiming.held(queen))
    claims = [c for c in claiming.held(queen) if wanted is None or c.common_dir in (wanted, None) or not c.paths]
    book = [c for c in remembering.book(queen) if wanted is None or c.common_dir in (wanted, None)]
    book.sort(key=lambda conflict: conflicts.weight(conflict.severity))
    with database.faults(queen.settings.database):
        mail = [Mail(*entry) for entry in messages_table.pending(queen.db)]
        found = _repos(queen, living, wanted, every)
        seen = trees.worktrees(queen.db)
        tracked = jobs_table.some(queen.db)
    uncommitted = {sister.worktree for sister in living if sister.dirty and sister.worktree}
    jobs, soon = _jobs(queen, uncommitted) if tracked else ([], [])
    return Status(
        at=queen.now,
        machine=processes.machine(),
        sisters=tuple(sorted(living, key=lambda sister: names.natural(sister.name))),
        claims=tuple(claims),
        conflicts=tuple(book),
        mail=tuple(mail),
        repos=tuple(found),
        cron_jobs=len(jobs),
        work={path: work(tree) for path, tree in seen.items()},
        soon=tuple(soon),
    )


def work(tree: trees.Tree) -> Work:
    return Work(tree.branch, tree.dirty, tree.ahead, tree.behind, tree.busy)


def _jobs(queen: Queen, uncommitted: set[str]) -> tuple[list[Job], list[Job]]:
    """All that is tracked, and what is about to run where somebody works uncommitted."""
    from gitqueen.services import timing  # only where a job is tracked

    jobs = timing.tracked(queen)
    return jobs, timing.soon(jobs, uncommitted, queen.now)


def _repository(queen: Queen, path: str) -> str:
    from gitqueen import errors

    place = places.find(os.path.join(queen.cwd, os.path.expanduser(path)))
    if place is None:
        raise errors.CannotWork(f"{ascii(path)} is in no git repository", hint="name a folder inside one")
    return place.common_dir


def _repos(queen: Queen, living: list[Sister], wanted: str | None, every: bool) -> list[RepoReport]:
    known = trees.worktrees(queen.db)
    paths: dict[str, str] = {s.common_dir: s.repo for s in living if s.common_dir and s.repo}
    if every or wanted:
        stored = repos.known(queen.db)
        paths = {**{c: p for c, p in stored.items() if wanted in (None, c)}, **paths}
    return sorted(
        (_repo(common_dir, path, living, known) for common_dir, path in paths.items()), key=lambda report: report.path
    )


def _repo(common_dir: str, path: str, living: list[Sister], known: dict[str, trees.Tree]) -> RepoReport:
    here = [sister for sister in living if sister.common_dir == common_dir]
    worktrees = {tree.path for tree in known.values() if tree.common_dir == common_dir}
    worktrees |= {sister.worktree for sister in here if sister.worktree}
    main = known.get(path)
    branch = main.branch if main else next((s.branch for s in here if s.worktree == path), None)
    return RepoReport(path, tuple(sorted(worktrees)), branch, tuple(sorted(sister.name for sister in here)))
