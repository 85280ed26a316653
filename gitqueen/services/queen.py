"""The composition root: settings, database and place, opened once and handed first to every doing."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from gitqueen import errors, settings
from gitqueen.git import places
from gitqueen.git.places import Place
from gitqueen.model import names
from gitqueen.senses import processes
from gitqueen.store import database
from gitqueen.store.database import Database


@dataclass(slots=True)
class Queen:
    """What one command or hook works with."""

    settings: settings.Settings
    env: Mapping[str, str]
    db: Database
    origin: str
    """Machine, boot and pid namespace of this process, in one word."""
    clock: Callable[[], datetime]
    now: datetime
    """The moment of this doing; one that waits takes it from the clock again."""
    cwd: str
    place: Place | None
    """Where the command stands; None outside any repository."""
    _config: dict[str, str] | None = field(default=None, repr=False)

    @property
    def config(self) -> dict[str, str]:
        """git's `gitqueen.*` settings here, asked of git on first use."""
        if self._config is None:
            from gitqueen.git import config

            self._config = config.ours(self.place, self.env)
        return self._config

    def duration(self, key: str, default: float) -> float:
        """Seconds of the setting `key`; the default where it is not set or makes no sense."""
        if (said := self.config.get(key)) is None:
            return default
        try:
            return settings.duration(said)
        except errors.Usage:
            return default

    @property
    def login(self) -> str:
        """What a person at an undeclared shell is called."""
        return names.slug(self.settings.login) or "human"

    def at(self, place: Place, now: datetime | None = None) -> Queen:
        """The same queen, standing in another repository, at another moment."""
        from gitqueen.git import process  # scans and drains alone move

        env = process.without_local(self.env)
        folder = place.folder
        return replace(self, place=place, cwd=folder, env=env, now=now or self.now, _config=None)

    def here(self) -> Place:
        """The place, where one is needed."""
        if self.place is None:
            home, here = (os.path.join(os.path.realpath(path), "") for path in (self.env.get("HOME") or "/", self.cwd))
            # A repository of one's whole home is rarely what anybody wants.
            hint = "cd into the one you work in" if home.startswith(here) else "cd into one, or: git init"
            raise errors.CannotWork(f"{ascii(self.cwd)} is in no git repository", hint=hint)
        return self.place

    def from_top(self, top: str, path: str) -> str:
        """`path` (relative to the working folder) from the top of the worktree; empty for the top itself."""
        if not path:
            raise errors.Usage("an empty path names nothing", hint="`.` is all of this folder")
        whole = os.path.join(self.cwd, path).rstrip("/") or "/"
        # The folder is resolved, the last part is not: a link in the repository is meant as the link it is.
        folder, name = os.path.split(whole)
        whole = os.path.realpath(whole) if name in ("", ".", "..") else os.path.join(os.path.realpath(folder), name)
        inside = top.rstrip("/") + "/"
        if not f"{whole}/".startswith(inside):
            raise errors.Usage(f"{ascii(path)} lies outside {top}", hint="name paths of this worktree")
        return whole[len(inside) :]


def open(
    env: Mapping[str, str], clock: Callable[[], datetime], cwd: str | None = None, patience: float | None = None
) -> Queen:
    """Open the queen of `env`; `clock` tells the time in UTC; `patience`: seconds to wait for other writers."""
    read = settings.read(env)
    if cwd is None:
        cwd = current_folder()
    return Queen(
        settings=read,
        env=dict(env),  # os.environ decodes each variable whenever it is asked: a scan asks for each worktree
        db=database.open(read.home, patience),
        origin=processes.origin(),
        clock=clock,
        now=clock(),
        cwd=cwd,
        place=places.find(cwd, env),
    )


def current_folder() -> str:
    """The working folder; `/` when somebody deleted it under us (a removed worktree)."""
    try:
        return os.getcwd()
    except OSError:
        return "/"
