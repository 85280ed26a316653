"""Running a command under a claim: held exactly while the command runs, whatever becomes of us.

The claim is bound to the command's own process, so that a killed gitqueen neither frees it too early nor keeps it.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gitqueen import errors
from gitqueen.model.claims import Claim
from gitqueen.model.sisters import Body, Sister
from gitqueen.senses import processes
from gitqueen.services import claiming
from gitqueen.services.claiming import Taken
from gitqueen.services.queen import Queen

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


@dataclass(frozen=True, slots=True)
class Ran:
    """`code`: the command's exit code as a shell tells it (128 + signal), None when it never ran."""

    taken: Taken
    code: int | None = None


def under_claim(queen: Queen, me: Sister, claim: Claim, command: Sequence[str], wait: float | None) -> Ran:
    """Take the claim, run `command`, give the claim back. It stays when it was hers before."""
    own = processes.look(os.getpid())
    assert own is not None
    taken = claiming.take(queen, me, replace(claim, command=Body(queen.origin, own.pid, own.ticks)), wait)
    if taken.refused:
        return Ran(taken)
    try:
        return Ran(taken, _run(queen, taken, command))
    finally:
        if not taken.renewed:
            _free(queen, me, claim)


def _run(queen: Queen, taken: Taken, command: Sequence[str]) -> int:
    try:
        child = subprocess.Popen(command)
    except OSError as fault:
        # As a shell: 127 not found, 126 not to be executed.
        code = 127 if isinstance(fault, FileNotFoundError) else 126
        raise CommandFailed(f"{ascii(command[0])} could not be started: {fault.strerror}", code) from None
    before = {number: signal.signal(number, lambda got, _: _pass_on(child, got)) for number in PASSED_ON}
    try:
        running = processes.look(child.pid)
        if running is not None and not taken.renewed:
            claiming.bind(queen, taken.claim, Body(queen.origin, running.pid, running.ticks))
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _pass_on(child: subprocess.Popen[bytes], number: int) -> None:
    # A terminal's Ctrl-C reached the whole group already; a second one does no harm to a child that ends.
    if child.poll() is None:
        child.send_signal(number)


def _free(queen: Queen, me: Sister, claim: Claim) -> None:
    queen.now = queen.clock()
    try:
        claiming.release(queen, me.name, claim.id)
    except errors.Refused:
        pass  # somebody released it with --force, or its time was over


class CommandFailed(errors.GitqueenError):
    """The claimed command could not be started; its exit code is a shell's."""

    code = "command"

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message, hint="the claim was given back")
        self.exit_code = exit_code
