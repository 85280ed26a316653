"""What tests of the hooks are played with: a managed repository, the book as commands tell it, processes traced."""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from pathlib import Path
from typing import Any

from gitqueen.git import hooks
from gitqueen.git.hooktext import block, tool
from tests import hive
from tests.hive import Repo, Runner, Sister

until = hive.until


def install(repo: Repo) -> Repo:
    """Manage `repo`; no scan is due for the next hours, so that nothing but what a test does starts processes."""
    Runner(repo.path)("gitqueen", "hooks", "install", check=True)
    no_scan_due()
    return repo


def no_scan_due() -> None:
    """Whatever was started before has ended, and no hook starts a scan for the next hours."""
    alone()
    due = Path(os.environ["GITQUEEN_HOME"], "next-scan")
    due.touch()
    os.utime(due, (time.time() + 10_000,) * 2)


def spool() -> list[str]:
    """What waits to be drained."""
    return sorted(os.listdir(Path(os.environ["GITQUEEN_HOME"], "spool")))


def drained() -> None:
    """Wait until no hook's record waits and nobody drains."""
    until(lambda: not [name for name in spool() if name != "lock"] and _nobody_drains(), "the spool is drained")


def _nobody_drains() -> bool:
    """Whether the lock is free: a drain has it through its last look, when nothing waits any more."""
    lock = Path(os.environ["GITQUEEN_HOME"], "spool", "lock")
    if not lock.exists():
        return True
    with lock.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def alone() -> None:
    """Wait until nothing goes on behind the commands of this test: no scan and no drain that one of them started."""
    until(lambda: not _behind(), "all that was started is over")


def _behind() -> list[str]:
    """The processes of this test's home that work in the background."""
    home, child = os.fsencode(f"GITQUEEN_HOME={os.environ['GITQUEEN_HOME']}"), b"GITQUEEN_CHILD=1"
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            env = Path("/proc", pid, "environ").read_bytes().split(b"\0")
            # What a hook starts says so by its name alone.
            words = Path("/proc", pid, "cmdline").read_bytes().split(b"\0") if home in env else []
        except OSError:
            continue  # over, or not ours
        if words and (child in env or {b"drain", b"look", b"keep", b"pack"} & set(words)):
            found.append(pid)
    return found


def events(repo: Repo, *kinds: str) -> list[dict[str, Any]]:
    """The history of these kinds, the oldest first."""
    drained()
    said = Runner(repo.path)("gitqueen", "history", "--json", "-n", "10000", check=True).stdout
    return [one for one in json.loads(said)["events"] if one["kind"] in kinds]


def committed(repo: Repo) -> list[tuple[str, str | None]]:
    """(subject, sister) of each commit that history tells of, in the order it does."""
    told = [(one["detail"]["oid"], one["sister"]) for one in events(repo, "committed")]
    return [(repo.git("show", "-s", "--format=%s", oid), sister) for oid, sister in told]


def open_conflicts(repo: Repo) -> list[dict[str, Any]]:
    said = Runner(repo.path)("gitqueen", "conflicts", "--json", check=True).stdout
    return list(json.loads(said)["conflicts"])


def mail(sister: Sister) -> list[dict[str, Any]]:
    return list(json.loads(sister.sh("gitqueen inbox --all --peek --json").out)["messages"])


def stub(repo: Repo, event: str, shebang: str, after: str = "") -> Path:
    """A hook of ours as it is installed, run by another shell, with somebody's lines behind our block."""
    path = Path(repo.git("rev-parse", "--path-format=absolute", "--git-path", "hooks"), event)
    path.write_bytes(shebang.encode() + b"\n" + block(tool(), event) + b"\n" + after.encode())
    path.chmod(0o755)
    return path


STRACE = "strace -ff -ttt -e trace=process -o"
"""Followed by a prefix: one file a process, so that no line is cut by another process."""


def calls(trace: Path) -> list[tuple[str, str]]:
    """(pid, call) of all that was traced under this prefix, in the order of time."""
    found = []
    for file in trace.parent.glob(f"{trace.name}.*"):
        for line in file.read_text("utf-8", "replace").splitlines():
            at, _, call = line.partition(" ")
            found.append((at, file.suffix[1:], call))
    return [(pid, call) for _, pid, call in sorted(found)]


def programs(trace: Path) -> list[str]:
    """The names of all programs that were started."""
    found = [re.match(r'execve\("([^"]*)", .*\) = 0$', call) for _, call in calls(trace)]
    return [os.path.basename(started[1]) for started in found if started]


EVENTS = hooks.EVENTS


def sisters(repo: Repo) -> list[dict[str, Any]]:
    said = Runner(repo.path)("gitqueen", "status", "--json", check=True).stdout
    return list(json.loads(said)["sisters"])


def crashes() -> str:
    """What our programs wrote into their log."""
    log = Path(os.environ["GITQUEEN_HOME"], "crash.log")
    return log.read_text("utf-8", "replace") if log.exists() else ""
