"""Running a command under a claim: held exactly while the command runs, whatever becomes of us.

The claim is bound to the command's own process before its first instruction, so that a killed gitqueen neither frees
it too early nor keeps it. Nothing stands between the command and its descriptors, its terminal and its exit code.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from gitqueen import errors
from gitqueen.model.claims import Claim
from gitqueen.model.sisters import Body, Sister
from gitqueen.senses import processes
from gitqueen.services import claiming, mirroring
from gitqueen.services.claiming import Taken
from gitqueen.services.queen import Queen

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
TYPED = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
"""What a terminal sends to all of its foreground processes, so to the command too."""


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
        mirroring.changed(queen)
        return Ran(taken, _run(queen, taken, command))
    finally:
        if not taken.renewed:
            queen.now = queen.clock()
            claiming.end(queen, taken.claim)
            mirroring.changed(queen)


def _run(queen: Queen, taken: Taken, command: Sequence[str]) -> int:
    passed_on = [number for number in PASSED_ON if signal.getsignal(number) != signal.SIG_IGN]
    # A signal that comes before the handlers stand waits for them: it must neither be lost nor end us alone.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, passed_on)
    child = _Child(command, before, passed_on)
    handlers = {number: signal.signal(number, lambda got, _: child.signal(got)) for number in passed_on}
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        running = processes.look(child.pid)
        if running is not None and not taken.renewed:
            claiming.bind(queen, taken.claim, Body(queen.origin, running.pid, running.ticks))
        return child.run()
    finally:
        child.end()
        for number, handler in handlers.items():
            signal.signal(number, handler)


class _Child:
    """A forked process that becomes `command` when told to `run`, and ends when we die before that.

    Not subprocess: it returns when the command runs already, and the claim is not yet bound to it.
    """

    def __init__(
        self, command: Sequence[str], mask: set[int | signal.Signals], passed_on: Sequence[signal.Signals]
    ) -> None:
        self.command, self.running = list(command), True
        hold, self.go = os.pipe()
        self.fault, report = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(self.go)
            self._become(hold, report, mask, passed_on)
        os.close(hold)
        os.close(report)

    def _become(
        self, hold: int, report: int, mask: set[int | signal.Signals], passed_on: Sequence[signal.Signals]
    ) -> NoReturn:
        code = errno.ECANCELED
        try:
            # As it would be without us: Python ignores SIGPIPE and SIGXFSZ, and its handlers are not the command's.
            for number in (*passed_on, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            if os.read(hold, 1):
                os.execvp(self.command[0], self.command)
        except OSError as fault:
            code = fault.errno or code
        finally:
            os.write(report, str(code).encode())
            os._exit(127)

    def run(self) -> int:
        """Let it become the command; its exit code. Raises `CommandFailed` when there is no such command."""
        try:
            os.write(self.go, b"!")
        except BrokenPipeError:
            pass  # a signal ended it already
        # Its end of this pipe is closed by the exec, or by its own end.
        said = os.read(self.fault, 16)
        if said:
            raise CommandFailed(self.command[0], int(said))
        code = self._wait()
        return code if code >= 0 else 128 - code

    def _wait(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        self.running = False
        return os.waitstatus_to_exitcode(status)

    def signal(self, number: int) -> None:
        if self.running and not (number in TYPED and _in_foreground()):
            os.kill(self.pid, number)

    def end(self) -> None:
        """It never became the command, or is over."""
        os.close(self.go)
        os.close(self.fault)
        if self.running:
            self._wait()


def _in_foreground() -> bool:
    """Whether what was typed at our terminal reached the command as well: a second Ctrl-C means "at once" to many."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


class CommandFailed(errors.GitqueenError):
    """The claimed command could not be started; its exit code is a shell's: 127 not found, 126 not to be executed."""

    code = "command"

    def __init__(self, command: str, number: int) -> None:
        super().__init__(f"{ascii(command)} could not be started: {os.strerror(number)}")
        self.exit_code = 127 if number == errno.ENOENT else 126
