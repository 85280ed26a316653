"""Diagnosing: everything that could be wrong, each with its mend; it looks and changes nothing."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from shlex import quote

from gitqueen import errors, settings
from gitqueen.git import process
from gitqueen.model import times
from gitqueen.senses import agents
from gitqueen.store import armed, database, repos, schema

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
    for look in (_home, _database, _git, _commands, _terminals, _crashes):
        name = look.__name__.strip("_")
        try:
            checks += look(read, env, cwd)
        except errors.GitqueenError as fault:
            # What every command says of a damaged database is "gitqueen doctor": here one is at the doctor's.
            mend = _move_away(read) if isinstance(fault, errors.Damaged) else fault.hint
            checks.append(Check(name, False, fault.message, mend))
        except OSError as fault:
            checks.append(Check(name, False, str(fault)))
    return checks


_Look = Callable[[settings.Settings, Mapping[str, str], str], Iterator[Check]]


def _move_away(read: settings.Settings) -> str:
    # All of them: the -wal of the old file would be taken for that of the new one.
    return f"cd {quote(read.home)} && mkdir -p damaged && mv queen.db* damaged/ && gitqueen doctor --rebuild"


def _home(read: settings.Settings, env: Mapping[str, str], cwd: str) -> Iterator[Check]:
    if not os.path.isdir(read.home):
        wrong = os.path.lexists(read.home)
        detail = "is no folder" if wrong else "is made by the first command"
        yield Check("home", not wrong, f"{read.home} {detail}", "point GITQUEEN_HOME at a folder")
        return
    mode = stat.S_IMODE(os.stat(read.home).st_mode)
    yield Check("home", mode & 0o077 == 0, f"{read.home} has mode {mode:04o}", f"chmod 700 {quote(read.home)}")
    writable = os.access(read.home, os.W_OK | os.X_OK)
    yield Check(
        "home writable",
        writable,
        "yes" if writable else f"{read.home} cannot be written",
        agents.writable_line(env, read.home)
        or f"allow writing to {quote(read.home)} in the sandbox settings of the agent, or mend its rights",
    )


def _database(read: settings.Settings, env: Mapping[str, str], cwd: str) -> Iterator[Check]:
    if not os.path.lexists(read.database):
        yield Check("database", True, "not made yet")
        return
    loose = [
        path
        for path in (read.database, f"{read.database}-wal", f"{read.database}-shm")
        if os.path.exists(path) and os.stat(path).st_mode & 0o077
    ]
    detail = f"others may read {', '.join(loose)}" if loose else "nobody else may read it"
    yield Check("database rights", not loose, detail, f"chmod 600 {quote(read.database)}*")
    db = database.look(read.home)
    with database.faults(read.database):
        try:
            yield from _inside(read, env, db)
        finally:
            db.close()


def _inside(read: settings.Settings, env: Mapping[str, str], db: database.Database) -> Iterator[Check]:
    broken = database.damage(db)
    yield Check("database", not broken, "; ".join(broken) or "whole", _move_away(read))
    found = database.version(db)
    older = found < schema.VERSION
    detail = f"version {found} of {schema.VERSION}" + (": the next command upgrades it" if older else "")
    yield Check("schema", found <= schema.VERSION, detail, "upgrade gitqueen, or point GITQUEEN_HOME at another folder")
    if (wrong := schema.misfit(db)) is not None:
        yield Check("tables", False, wrong, "point GITQUEEN_HOME at another folder")
    yield _journal(read, database.journal(db))
    if found == schema.VERSION and not broken:
        from gitqueen.services import examining, peering

        hanging = peering.hanging(db)
        for common_dir, path in repos.all_managed(db).items():
            if path not in hanging and not os.path.isdir(common_dir):
                yield Check("repository", False, f"{path} is gone", f"gitqueen hooks uninstall {quote(path)}")
        yield from _hooks(db)
        yield from (Check(*found) for found in examining.look(db, read.home, hanging))
        yield from (Check(*found) for found in (*peering.worktrees(db), *peering.clock(db, env)))


def _hooks(db: database.Database) -> Iterator[Check]:
    """As the last scan found them: asking git of every repository here would take seconds."""
    known = armed.everything(db)
    for one in known.values():
        if one.fault:
            since = f" (since {times.iso(one.since)})" if one.since else ""
            mend = f"gitqueen hooks status {quote(one.worktree)}"
            yield Check("hooks", False, f"{one.worktree}: {one.fault}{since}", mend)
    if known and not any(one.fault for one in known.values()):
        yield Check("hooks", True, f"armed in {len(known)} worktree{'' if len(known) == 1 else 's'}")


def _journal(read: settings.Settings, mode: str) -> Check:
    network = database.on_network(read.home)
    how = "write-ahead log" if mode == "wal" else "no write-ahead log, writers wait longer"
    detail = f"{'a network file system' if network else 'local disk'}: {how}"
    return Check("journal", not network, detail, "point GITQUEEN_HOME at a folder on a local disk")


def _git(read: settings.Settings, env: Mapping[str, str], cwd: str) -> Iterator[Check]:
    words = process.run("--version").out.decode().split()
    said = words[2] if len(words) > 2 else "0"
    numbers = tuple(int(part) for part in said.split(".")[:2] if part.isdigit())
    oldest = ".".join(map(str, OLDEST_GIT))
    yield Check("git", numbers >= OLDEST_GIT, f"version {said}", f"install git {oldest} or newer")


def _commands(read: settings.Settings, env: Mapping[str, str], cwd: str) -> Iterator[Check]:
    import shutil

    missing = [name for name in ("gitqueen", "queen", "iam") if shutil.which(name, path=env.get("PATH")) is None]
    folder = os.path.dirname(sys.executable)
    yield Check(
        "commands",
        not missing,
        f"not on the PATH: {', '.join(missing)}" if missing else "gitqueen, queen and iam are on the PATH",
        f'export PATH="$HOME/.local/bin:$PATH"   # they stand in {folder}',
    )


def _terminals(read: settings.Settings, env: Mapping[str, str], cwd: str) -> Iterator[Check]:
    from gitqueen.services import peering

    yield from (Check(*found) for found in peering.look(env))


def _crashes(read: settings.Settings, env: Mapping[str, str], cwd: str) -> Iterator[Check]:
    path = os.path.join(read.home, "crash.log")
    there = os.path.exists(path) and os.path.getsize(path) > 0
    yield Check(
        "crashes",
        not there,
        f"{path} holds what went wrong" if there else "none",
        f"less {quote(path)}   # report it, then remove it",
    )
