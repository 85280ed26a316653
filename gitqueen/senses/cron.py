"""Where the clock's jobs are written: crontabs, and the tasks that Claude Code keeps in a project.

Files and commands of others: bounded in size and time, and one that cannot be read is told, not fatal. Timers of
systemd are in `systemd`.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Iterable, Mapping

from gitqueen.model import jobs
from gitqueen.model.jobs import Entry

PATIENCE = 3.0
LARGEST = 256 * 1024
"""Bytes of one file that are read, as cron does."""
SYSTEM = ("/etc/crontab", "/etc/cron.d")
TASKS = os.path.join(".claude", "scheduled_tasks.json")


def own(env: Mapping[str, str]) -> tuple[list[Entry], list[str]]:
    """This user's crontab, and a sentence where it cannot be read."""
    try:
        done = subprocess.run(
            ["crontab", "-l"], env={**env, "LC_ALL": "C"}, capture_output=True, timeout=PATIENCE,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        return [], []
    except (OSError, subprocess.TimeoutExpired) as fault:
        return [], [f"crontab: {fault}"]
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        return [], [] if "no crontab" in said else [f"crontab: {said or done.returncode}"]
    return jobs.crontab("crontab", _text(done.stdout[:LARGEST]), with_user=False), []


def system(places: Iterable[str] = SYSTEM) -> tuple[list[Entry], list[str]]:
    """The files of the system that this user may read."""
    entries, faults = list[Entry](), list[str]()
    for place in places:
        for path in _files(place):
            try:
                entries += jobs.crontab(path, _text(_read(path)), with_user=True)
            except PermissionError:
                pass  # not for us
            except OSError as fault:
                faults.append(f"{path}: {fault.strerror or fault}")
    return entries, faults


def _files(place: str) -> list[str]:
    try:
        names = sorted(os.listdir(place))
    except NotADirectoryError:
        return [place]
    except OSError:
        return []
    # As cron reads the folder: no editor's copies, nothing a package left behind.
    return [os.path.join(place, name) for name in names if not set(name) & set(".~#")]


def claude(worktrees: Iterable[str]) -> tuple[list[Entry], list[str]]:
    """The tasks that Claude Code keeps in projects. Undocumented: what is not understood is left out."""
    entries, faults = list[Entry](), list[str]()
    for worktree in worktrees:
        path = os.path.join(worktree, TASKS)
        try:
            said = json.loads(_read(path))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, RecursionError) as fault:
            faults.append(f"{path}: {getattr(fault, 'strerror', None) or 'is not understood'}")
            continue
        tasks = said.get("tasks") if isinstance(said, dict) else None
        for task in tasks[: jobs.MOST] if isinstance(tasks, list) else ():
            if isinstance(task, dict) and isinstance(task.get("cron"), str) and isinstance(task.get("prompt"), str):
                entries.append(Entry("claude", " ".join(task["cron"].split()), task["prompt"], folder=worktree))
    return entries, faults


def _read(path: str) -> bytes:
    # A pipe or device of that name would keep us waiting.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("is no regular file")
        return file.read(LARGEST)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\0", "")
