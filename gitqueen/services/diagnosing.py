"""Diagnosing: everything that could be wrong, each with its mend; it looks and never mends by itself."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from gitqueen import errors, settings
from gitqueen.git import hooks as git_hooks
from gitqueen.git import places, process
from gitqueen.store import database, repos, schema

OLDEST_GIT = (2, 30)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `mend`: the command or sentence that puts it right."""

    name: str
    ok: bool
    detail: str
    mend: str = ""


def diagnose(env: Mapping[str, str], cwd: str) -> list[Check]:
    """All checks; one that fails by itself is a check that failed, never the end of the others."""
    read = settings.read(env)
    checks: list[Check] = []
    for look in (_home, _database, _journal, _git, _hooks_folder, _commands, _repository, _crashes):
        try:
            checks += look(read, env, cwd)
        except (errors.GitqueenError, OSError, sqlite3.Error) as fault:
            checks.append(Check(look.__name__.strip("_"), False, str(fault), getattr(fault, "hint", "")))
    return checks


_Look = Callable[[settings.Settings, Mapping[str, str], str], Iterator[Check]]


def _home(read: settings.Settings, env: Mapping[str, str], cwd: str) -> Iterator[Check]:
    if not os.path.isdir(read.home):
        yield Check("home", True, f"{read.home} is made by the first command")
        return
    mode = stat.S_IMODE(os.stat(read.home).st_mode)
    yield Check("home", mode & 0o077 == 0, f"{read.home} has mode {mode:04o}", f"chmod 700 {read.home}")
    writable = os.access(read.home, os.W_OK)
    yield Check(
        "home writable",
        writable,
        "yes" if writable else f"{read.home} cannot be written",
        f"allow writing to {read.home} in the sandbox settings of the agent",
    )


def _database(read: settings.Settings, env: Mapping[str, str], cwd: str) -> Iterator[Check]:
    if not os.path.exists(read.database):
        yield Check("database", True, "not made yet")
        return
    mode = stat.S_IMODE(os.stat(read.database).st_mode)
    yield Check("database rights", mode & 0o077 == 0, f"mode {mode:04o}", f"chmod 600 {read.database}")
    db = database.open(read.home, patience=2.0)
    try:
        said = [str(row[0]) for row in db.execute("PRAGMA quick_check(5)")]
        mend = f"move {read.database} away: a new one is made, and tasks and claims are declared again"
        yield Check("database", said == ["ok"], "whole" if said == ["ok"] else "; ".join(said), mend)
        found = database.version(db)
        yield Check("schema", found == schema.VERSION, f"version {found} of {schema.VERSION}", "upgrade gitqueen")
        for common_dir, path in repos.all_managed(db).items():
            if not os.path.isdir(common_dir):
                yield Check("repository", False, f"{path} is gone", f"gitqueen hooks uninstall {path}")
    finally:
        db.close()


def _journal(read: settings.Settings, env: Mapping[str, str], cwd: str) -> Iterator[Check]:
    network = os.path.isdir(read.home) and database.on_network(read.home)
    detail = (
        "a network file system: no write-ahead log, writers wait longer" if network else "local disk, write-ahead log"
    )
    yield Check("journal", not network, detail, "point GITQUEEN_HOME at a folder on a local disk")


def _git(read: settings.Settings, env: Mapping[str, str], cwd: str) -> Iterator[Check]:
    words = process.run("--version").out.decode().split()
    said = words[2] if len(words) > 2 else "0"
    numbers = tuple(int(part) for part in said.split(".")[:2] if part.isdigit())
    oldest = ".".join(map(str, OLDEST_GIT))
    yield Check("git", numbers >= OLDEST_GIT, f"version {said}", f"install git {oldest} or newer")


def _hooks_folder(read: settings.Settings, env: Mapping[str, str], cwd: str) -> Iterator[Check]:
    folder = git_hooks.folder()
    there = os.path.isdir(folder)
    yield Check("hooks folder", there, folder, "install gitqueen again: its hooks are missing")


def _commands(read: settings.Settings, env: Mapping[str, str], cwd: str) -> Iterator[Check]:
    import shutil

    missing = [name for name in ("gitqueen", "queen", "iam") if shutil.which(name, path=env.get("PATH")) is None]
    folder = os.path.dirname(sys.executable)
    yield Check(
        "commands",
        not missing,
        f"not on the PATH: {', '.join(missing)}" if missing else "gitqueen, queen and iam are on the PATH",
        f'export PATH="$HOME/.local/bin:$PATH"   (they stand in {folder})',
    )


def _repository(read: settings.Settings, env: Mapping[str, str], cwd: str) -> Iterator[Check]:
    place = places.find(cwd, env)
    if place is None:
        return
    for state in git_hooks.status(place):
        yield Check(f"hook {state.event}", state.armed, state.detail, state.mend)


def _crashes(read: settings.Settings, env: Mapping[str, str], cwd: str) -> Iterator[Check]:
    path = os.path.join(read.home, "crash.log")
    there = os.path.exists(path) and os.path.getsize(path) > 0
    yield Check(
        "crashes",
        not there,
        f"{path} holds what went wrong" if there else "none",
        f"read it, report it, then rm {path}",
    )
