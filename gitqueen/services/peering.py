"""Peering: what keeps us from seeing the windows that agents are in, worktrees, and jobs of the clock. For the doctor;
nothing is changed.

Only kittys of this home are asked: what runs under another one is somebody else's business. Worktrees are told as the
last scan found them: one that hangs would hang the doctor as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from shlex import quote

from gitqueen.git import probes
from gitqueen.model.processes import Process
from gitqueen.senses import agents, kitty, processes, sessions
from gitqueen.services import timing
from gitqueen.store import jobs, repos, trees
from gitqueen.store.database import Database

Found = tuple[str, bool, str, str]
"""name, ok, detail, mend: the fields of a check."""

MEND = f"put into kitty.conf, and restart kitty: {' and '.join(kitty.CONF)}"

_LISTS = {"crontab": "crontab -l", "systemd timers": "systemctl --user list-timers"}


def look(env: Mapping[str, str]) -> Iterator[Found]:
    """A check for each agent whose registry is not understood, and for each kitty that cannot be asked; one for all
    kittys that can, none where none runs."""
    table = processes.everyone()
    yield from _registries(table, env)
    running = [one.pid for one in kitty.instances(table) if _is_of_this_home(one.pid, env)]
    addresses = kitty.addresses(running)
    answers = {answer.address: answer for answer in kitty.ask(sorted(addresses))}
    for pid in running:
        if pid not in addresses.values():
            yield "kitty", False, f"kitty {pid} listens at no socket: its windows are known by number only", MEND
    for address, pid in sorted(addresses.items()):
        answer = answers.get(address)
        if answer is None:
            yield "kitty", False, f"kitty {pid} listens at {address}, which somebody removed", "restart kitty"
        elif answer.fault is not None:
            mend = MEND if answer.refused else f"restart kitty {pid}, or end what else listens there"
            yield "kitty", False, f"kitty {pid} at {address}: {answer.fault}", mend
    well = [answer for answer in answers.values() if answer.fault is None]
    if well:
        windows = sum(len(answer.windows) for answer in well)
        yield "kitty", True, f"{_count(windows, 'window')} in {_count(len(well), 'instance')}", ""


def _registries(table: dict[int, Process], env: Mapping[str, str]) -> Iterator[Found]:
    for one in sessions.find(table):
        fault = agents.unreadable(one.process.pid, one.process.ticks, one.env) if one.agent == "claude" else None
        if fault is not None and _is_of_this_home(one.process.pid, env):
            mend = "her status comes from her hooks: gitqueen agents install claude"
            yield "agents", False, f"claude {one.process.pid}: {fault}", mend


def hanging(db: Database) -> set[str]:
    """Worktrees that took so long to say no that a look from here may hang."""
    return {path for path, unread in trees.unread(db).items() if unread.took > probes.QUICK}


def worktrees(db: Database) -> Iterator[Found]:
    """A check for each worktree that the last scan could not look at."""
    watched, known, managed = repos.watched(db), repos.known(db), set(repos.all_managed(db).values())
    added = {path for common_dir, path in known.items() if common_dir in watched}
    for path, unread in trees.unread(db).items():
        gone = "no worktree is there" in unread.fault
        if not (gone and path in managed):  # else said elsewhere
            yield "worktree", False, f"{path}: {unread.fault}", _mend(path, unread.fault, gone, path in added)


def _mend(path: str, fault: str, gone: bool, added: bool) -> str:
    forget = f"gitqueen repos remove {quote(path)}"
    if "dubious ownership" in fault:
        return f"if you trust its owner: git config --global --add safe.directory {quote(path)}"
    if gone:
        return forget if added else "it is forgotten when no sister is there any more"
    if "nothing was heard" in fault:
        return "see that its disk or network mount answers" + (f", or: {forget}" if added else "")
    return f"git -C {quote(path)} fsck"


def clock(db: Database, env: Mapping[str, str]) -> Iterator[Found]:
    """A check for each place of jobs that cannot be read, and for each job that will never run."""
    unread = trees.unread(db)
    for fault in timing.sources(env, [path for path in trees.worktrees(db) if path not in unread]).faults:
        source = fault.partition(":")[0]
        yield "cron", False, fault, _LISTS.get(source, f"mend or remove {quote(source)}")
    for job in jobs.everything(db):
        if job.fault:
            line = " ".join(part for part in (job.schedule, job.command) if part)
            mend = "crontab -e" if job.source == "crontab" else f"mend that line in {quote(job.source)}"
            yield "cron", False, f"{job.source}: {line}: {job.fault}", mend


def _is_of_this_home(pid: int, env: Mapping[str, str]) -> bool:
    theirs = processes.environment(pid, ("HOME",)).get("HOME")
    return bool(theirs) and os.path.realpath(theirs or "") == os.path.realpath(env.get("HOME") or "/nonexistent")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
