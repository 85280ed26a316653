"""A process, as the table of processes shows it: which two sightings are the same one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Process:
    """A living process; a zombie is none."""

    pid: int
    ticks: int
    """Its start in clock ticks since boot (field 22 of /proc/PID/stat): with the pid, what it is known by."""
    ppid: int
    session: int
    tty: int
    """0: no terminal controls it."""
    comm: str
    """The first 15 bytes of its program's name; it may call itself anything."""
    forked: bool = False
    """Whether it still runs what its parent ran: a subshell, a worker, a command about to be started."""
