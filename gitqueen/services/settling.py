"""Settling in: hooks everywhere, agents and daemon in one step, after showing what it touches; and out again.

The daemon itself is above the services: here is only its unit, and what whoever starts it must know.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitqueen import errors
from gitqueen.git import drafts, hooks, probes
from gitqueen.senses import systemd
from gitqueen.services import arming, enrolling, healing
from gitqueen.services.queen import Queen
from gitqueen.store import database, repos

FOLDERS = ("spool", "damaged")
FILES = (
    "queen.db", "queen.db-wal", "queen.db-shm", "queen.db-journal", "scan.lock", "next-scan", "now", "daemon.lock",
    "daemon.pid", "daemon.log", "daemon.log.1", "crash.log", "crash.log.1", "agents.json",
    "agents.lock", "repositories",
)  # fmt: skip
"""All that `--purge` removes: the queen's folder may be one that others use too."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is touched: where, and how."""

    what: str
    path: str
    words: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was, or would be, done; and a sentence for what could not be."""

    parts: tuple[Part, ...]
    faults: tuple[str, ...] = ()


def coming(queen: Queen) -> Outcome:
    """What `install` will touch; nothing is changed."""
    parts, faults = list[Part](), list[str]()
    if hooks.numbers(hooks.version()) >= hooks.CONFIG_HOOKS:
        parts.append(Part("hooks", "git config --global", "hooks of every repository, beside all others"))
    else:
        parts.append(Part("hooks", "every other repository", "armed when a sister first works in it"))
    known = _known(queen)
    there = probes.find(known.values())
    for path in known.values():
        faults += [] if path in there else [probes.silence(path)]
        place = there.get(path)
        if place is not None and repos.managed_by(queen.db, place.common_dir) != repos.DECLINED:
            report = arming.install(queen, place, dry_run=True)
            if report.steps:
                parts.append(Part("hooks", path, ", ".join(dict.fromkeys(step.event for step in report.steps))))
            faults += [f"{path}: {report.fault}"] if report.fault else []
    for kind in enrolling.present(queen.env):
        said = enrolling.install(queen.env, kind, dry_run=True)
        parts += [Part(kind, change.path, change.words) for change in said.changes]
        faults += [f"{kind}: {said.fault}"] if said.fault else []
    if systemd.running(queen.env):
        parts.append(Part("daemon", systemd.unit_path(queen.env), "a unit of this user, started now and at login"))
    else:
        parts.append(Part("daemon", queen.settings.home, "a process in the background (no systemd of this user here)"))
    return Outcome(tuple(parts), tuple(faults))


def _known(queen: Queen) -> dict[str, str]:
    with database.faults(queen.settings.database):
        return repos.known(queen.db)


def install(queen: Queen) -> Outcome:
    """Hooks everywhere and agents; each part that fails leaves the others alone."""
    parts, faults = list[Part](), list[str]()
    for report in healing.install_everywhere(queen):
        parts.append(Part("hooks", report.path, f"{len(report.steps)} changed" if report.steps else "as they were"))
        faults += [f"{report.path}: {report.fault}"] if report.fault else []
    for kind in enrolling.present(queen.env):
        said = enrolling.install(queen.env, kind)
        parts.append(Part(kind, said.path, said.state))
        faults += [f"{kind}: {said.fault}"] if said.fault else []
    return Outcome(tuple(parts), tuple(faults))


def leaving(queen: Queen, dry_run: bool = False, purge: bool = False) -> Outcome:
    """Agents and hooks out again, of repositories armed by name too; `purge`: also what stands in every repository that
    was ever known, notes and snapshots."""
    parts, faults = list[Part](), list[str]()
    for kind in enrolling.KINDS:
        said = enrolling.uninstall(queen.env, kind, dry_run)
        parts += [Part(kind, change.path, change.words) for change in said.changes]
        faults += [f"{kind}: {said.fault}"] if said.fault else []
    with database.faults(queen.settings.database):
        managed = repos.all_managed(queen.db)
        left = {key: path for key, path in repos.known(queen.db).items() if purge and key not in managed}
    if not dry_run:
        healing.uninstall_everywhere(queen, purge)
    there = probes.find([*managed.values(), *left.values()])
    for common_dir, path in managed.items():
        place = there.get(path)
        if place is None or place.common_dir != common_dir:
            faults.append(f"{path}: it is gone" if path in there else probes.silence(path))
            continue
        report = arming.uninstall(queen, place, dry_run, purge)
        parts.append(Part("hooks", path, "; ".join(report.notes) or "out"))
        faults += [f"{path}: {report.fault}"] if report.fault else []
    for common_dir, path in {} if dry_run else left.items():
        place = there.get(path)
        if place is not None and place.common_dir == common_dir and (gone := arming.written_history(place, purge)):
            parts.append(Part("hooks", path, "; ".join(gone)))
    return Outcome(tuple(parts), tuple(faults))


_OURS = "[Unit]\nDescription=gitqueen:"


def write_unit(env: Mapping[str, str], command: Sequence[str]) -> str | None:
    """Write our unit and have systemd run it, now and at login; its path, None where no systemd of this user runs.

    Raises `errors.CannotWork` where the unit is somebody else's or systemd refuses.
    """
    if not systemd.running(env):
        return None
    path = systemd.unit_path(env)
    if (there := _text(path)) is not None and not there.startswith(_OURS):
        raise errors.CannotWork(f"{path} is not gitqueen's", hint="move it away and try again")
    kept = {key: env[key] for key in ("PATH", "GITQUEEN_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME") if env.get(key)}
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.new", "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(systemd.unit_text(command, kept))
    os.replace(f"{path}.new", path)
    _systemctl(env, "daemon-reload")
    _systemctl(env, "enable", systemd.UNIT)
    _systemctl(env, "restart", systemd.UNIT)
    return path


def remove_unit(env: Mapping[str, str]) -> str | None:
    """Take our unit away; its path, None where there was none of ours."""
    path = systemd.unit_path(env)
    if not (_text(path) or "").startswith(_OURS):
        return None
    if systemd.running(env):
        systemd.ask(env, "disable", "--now", systemd.UNIT, patience=20.0)
    for one in (os.path.join(os.path.dirname(path), "default.target.wants", systemd.UNIT), path):
        if os.path.lexists(one):
            os.unlink(one)
    if systemd.running(env):
        systemd.ask(env, "daemon-reload", patience=20.0)
    return path


def _systemctl(env: Mapping[str, str], *args: str) -> None:
    code, said = systemd.ask(env, *args, patience=20.0)
    if code:
        raise errors.CannotWork(
            f"systemctl --user {' '.join(args)}: {said or code}", hint="gitqueen daemon start runs it without systemd"
        )


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return None


def purge(home: str) -> list[str]:
    """Remove the queen's own files, and her folder if nothing else is in it; what stays."""
    import shutil

    drafts.drop_cached()
    for name in FOLDERS:
        shutil.rmtree(os.path.join(home, name), ignore_errors=True)
    for name in FILES:
        try:
            os.unlink(os.path.join(home, name))
        except OSError:
            pass
    try:
        os.rmdir(home)
    except OSError:
        pass
    return sorted(os.listdir(home)) if os.path.isdir(home) else []
