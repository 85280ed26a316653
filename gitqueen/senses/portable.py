"""The table of processes where there is no /proc: psutil, loaded by `processes` there and nowhere else.

The same answers as in `processes`. psutil's create_time moves with the wall clock on some systems, so a process is told
apart by what psutil itself tells it apart by.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gitqueen.model.processes import Process

if TYPE_CHECKING:
    import psutil


def origin() -> str:
    """The machine's and the boot's own ids where sysctl tells them (macOS, BSD). There is one pid namespace."""
    machine_id = _sysctl("kern.uuid") or _sysctl("kern.hostuuid") or os.uname().nodename
    return f"{machine_id}:{_sysctl('kern.bootsessionuuid') or _sysctl('kern.boot_id')}:0"


def _sysctl(name: str) -> str:
    import ctypes

    try:
        call = ctypes.CDLL(None).sysctlbyname
    except (OSError, AttributeError):
        return ""
    value, size = ctypes.create_string_buffer(128), ctypes.c_size_t(128)
    if call(name.encode(), value, ctypes.byref(size), None, 0) != 0:
        return ""
    return value.value.decode("ascii", "replace")


def look(pid: int) -> Process | None:
    import psutil

    try:
        found = psutil.Process(pid)
        with found.oneshot():
            if found.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
                return None
            return Process(pid, _ticks(found), found.ppid(), _session(pid), int(_has_terminal(found)), found.name())
    except (psutil.Error, OSError, ValueError, OverflowError):
        return None


def everyone() -> dict[int, Process]:
    import psutil

    found = (look(pid) for pid in psutil.pids())
    return {process.pid: process for process in found if process is not None}


def _ticks(process: psutil.Process) -> int:
    """Hundredths of a second, by a clock that is not set where psutil has one (its identity since 7.1)."""
    ident: tuple[int, float | None] = getattr(process, "_ident", (0, None))
    return round(100 * (ident[1] or process.create_time()))


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def _has_terminal(process: psutil.Process) -> bool:
    import psutil

    try:
        return process.terminal() is not None
    except psutil.AccessDenied:
        return False


def started_at(process: Process) -> datetime | None:
    import psutil

    try:
        return datetime.fromtimestamp(psutil.Process(process.pid).create_time(), UTC)
    except psutil.Error:
        return None


def executable(pid: int) -> str | None:
    import psutil

    try:
        return psutil.Process(pid).exe()
    except psutil.AccessDenied:
        return ""
    except (psutil.Error, OSError):
        return None


def arguments(pid: int) -> list[str]:
    import psutil

    try:
        return psutil.Process(pid).cmdline() or [""]
    except (psutil.Error, OSError):
        return [""]


def folder(pid: int) -> str | None:
    import psutil

    try:
        found = psutil.Process(pid).cwd()
    except (psutil.Error, OSError):
        return None
    return found if os.path.isdir(found) else None


def ours(pid: int) -> bool:
    import psutil

    try:
        uids = psutil.Process(pid).uids()
    except (psutil.Error, OSError):
        return False
    return uids.real == uids.effective == os.getuid()


def environment(pid: int, keys: tuple[str, ...]) -> dict[str, str]:
    import psutil

    try:
        found = psutil.Process(pid).environ()
    except (psutil.Error, OSError):
        return {}
    return {key: found[key] for key in keys if key in found}
