"""Processes: who lives, since when, below whom. Never more of an environment than the keys asked for.

Where there is /proc it is read directly, because hooks run lean and psutil costs 26 ms; elsewhere `portable` asks
psutil. Start times are clock ticks since boot: a wall clock that is set moves none of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from gitqueen.model.processes import Process

PROC = "/proc"
"""Where the kernel shows its processes; tests lead it astray to see the other way work."""

_DEAD = (b"Z", b"X", b"x")
_FORKNOEXEC = 0x40
"""The kernel's flag of a process that has not run a program of its own yet."""


def native() -> bool:
    """Whether /proc is there to be read."""
    return os.path.exists(f"{PROC}/self/stat")


def own_pid() -> int:
    """This process as the table of processes numbers it: in a sandbox that kept the outer /proc, not `os.getpid()`."""
    try:
        return int(os.readlink(f"{PROC}/self"))
    except (OSError, ValueError):
        return os.getpid()


def machine() -> str:
    """What people call this machine."""
    return os.uname().nodename


def origin() -> str:
    """Machine, boot and pid namespace in one word: only rows of the same origin may be judged by their pid."""
    if not native():
        from gitqueen.senses import portable  # psutil

        return portable.origin()
    machine_id = _line("/etc/machine-id") or _line("/var/lib/dbus/machine-id") or machine()
    return f"{machine_id}:{_line(f'{PROC}/sys/kernel/random/boot_id')}:{_namespace()}"


def _namespace() -> str:
    """The number of the pid namespace whose processes /proc shows; `?` where it is an outer one that hides it."""
    try:
        own = os.readlink(f"{PROC}/self/ns/pid")
    except OSError:
        return "?"
    if own_pid() != os.getpid():
        own = _outer(own)
    return own.strip("pid:[]")


def _outer(own: str) -> str:
    for process in ancestors():
        try:
            found = os.readlink(f"{PROC}/{process.pid}/ns/pid")
        except OSError:
            continue
        if found != own:
            return found
    return "?"


def _line(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.readline(100).strip()
    except OSError:
        return ""


def look(pid: int) -> Process | None:
    """The process `pid` if it lives."""
    if not native():
        from gitqueen.senses import portable

        return portable.look(pid)
    return _process(pid, _read(pid, "stat"))


def _process(pid: int, raw: bytes) -> Process | None:
    # The name stands in parentheses and may hold any byte, `)` and newlines too: the last one ends it.
    start, end = raw.find(b"("), raw.rfind(b")")
    rest = raw[end + 1 :].split()
    if end < 0 or len(rest) < 20 or rest[0] in _DEAD:
        return None
    comm = raw[start + 1 : end].decode("utf-8", "backslashreplace")
    forked = bool(int(rest[6]) & _FORKNOEXEC)
    return Process(pid, int(rest[19]), int(rest[1]), int(rest[3]), int(rest[4]), comm, forked)


def everyone() -> dict[int, Process]:
    """All that lives, by pid; those that come and go meanwhile are there or not."""
    if not native():
        from gitqueen.senses import portable

        return portable.everyone()
    found = (look(int(name)) for name in os.listdir(PROC) if name.isdecimal())
    return {process.pid: process for process in found if process is not None}


def chain(table: dict[int, Process], process: Process) -> tuple[Process, ...]:
    """`process` and everybody above it, as `ancestors` has them, by a table that was read before."""
    found = [process]
    while (above := table.get(found[-1].ppid)) is not None and above.ticks <= found[-1].ticks and above not in found:
        found.append(above)
    return tuple(found)


def alive(pid: int, ticks: int) -> bool:
    """Whether the process that was `pid` when it started at `ticks` still lives: a reused pid is somebody else."""
    process = look(pid)
    return process is not None and process.ticks == ticks


def ancestors(pid: int | None = None) -> Iterator[Process]:
    """`pid` (default: this process) and everybody above it, init last, as far as they can be seen."""
    at = own_pid() if pid is None else pid
    below: Process | None = None
    while at > 0 and (process := look(at)) is not None:
        if below is not None and process.ticks > below.ticks:
            return  # younger than its child: the parent died while we walked, and its pid is somebody else's
        yield process
        below, at = process, process.ppid


def started_at(process: Process) -> datetime | None:
    """When it started, by the clock as it is set now; None when it is gone and nobody knows."""
    if not native():
        from gitqueen.senses import portable

        return portable.started_at(process)
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return datetime.fromtimestamp(boot + process.ticks / os.sysconf("SC_CLK_TCK"), UTC)


def executable(pid: int) -> str | None:
    """The file it runs; "" where that is hidden from us (another user's, or one that lets nobody look)."""
    if not native():
        from gitqueen.senses import portable

        return portable.executable(pid)
    try:
        # An agent that updated itself goes on running the file that is no more.
        return os.readlink(f"{PROC}/{pid}/exe").removesuffix(" (deleted)")
    except PermissionError:
        return ""
    except OSError:
        return None


def arguments(pid: int) -> list[str]:
    """Its command line, the first 16 KiB of it: prompts are longer, names are not."""
    if not native():
        from gitqueen.senses import portable

        return portable.arguments(pid)
    return [os.fsdecode(word) for word in _read(pid, "cmdline").rstrip(b"\0").split(b"\0")]


def folder(pid: int) -> str | None:
    """Where it stands; None where that is hidden from us, or is no more."""
    if not native():
        from gitqueen.senses import portable

        return portable.folder(pid)
    try:
        found = os.readlink(f"{PROC}/{pid}/cwd")
    except OSError:
        return None
    return None if found.endswith(" (deleted)") else found


def ours(pid: int) -> bool:
    """Whether it is of this user, and in no pid namespace of its own: a container's processes are the container's."""
    if not native():
        from gitqueen.senses import portable

        return portable.ours(pid)
    # Of those that hide themselves (codex) the folder belongs to root: only this file tells of all.
    lines = dict(line.partition(b":")[::2] for line in _read(pid, "status").splitlines())
    uids, numbers = lines.get(b"Uid", b"").split(), lines.get(b"NSpid", b"-").split()
    me = b"%d" % os.getuid()
    return uids[:2] == [me, me] and len(numbers) == 1


def terminal(process: Process) -> str | None:
    """The name of the terminal that controls it (`pts/3`), as `ps` has it; None where there is none."""
    major, minor = process.tty >> 8 & 0xFFF, process.tty & 0xFF | process.tty >> 12 & 0xFFF00
    if not native() or not process.tty:
        return None
    if 136 <= major <= 143:
        return f"pts/{((major - 136) << 8) + minor}"
    return f"tty{minor}" if major == 4 and minor < 64 else None


def environment(pid: int, keys: tuple[str, ...]) -> dict[str, str]:
    """Of the environment it started with, only `keys`: the rest holds secrets."""
    if not native():
        from gitqueen.senses import portable

        return portable.environment(pid, keys)
    try:
        with open(f"{PROC}/{pid}/environ", "rb") as file:
            pairs = [entry.partition(b"=") for entry in file.read().split(b"\0")]
    except OSError:
        return {}
    wanted = {os.fsencode(key): key for key in keys}
    return {wanted[key]: os.fsdecode(value) for key, _, value in pairs if key in wanted}


def _read(pid: int, file: str) -> bytes:
    try:
        with open(f"{PROC}/{pid}/{file}", "rb", buffering=0) as opened:
            return opened.read(16384)
    except OSError:
        return b""
