"""Aside: work in a forked child that can be given up, so that what hangs or crashes there costs its own time alone.

A dead network mount blocks whoever looks at it, in the kernel, where no time limit reaches; libgit2 may crash on a
corrupt repository. Nobody below `cli` and `daemon` has threads, so forking is safe here.
"""

from __future__ import annotations

import gc
import os
import pickle
import select
import signal
import struct
import time
from collections.abc import Callable
from typing import Any, NoReturn

from gitqueen import tracing

_LENGTH = struct.Struct("!Q")
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

Send = Callable[[object], None]


class Aside:
    """A child at work; use it in `with`, which gives up what is not done by then."""

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid, self._pipe, self._read = pid, pipe, bytearray()
        self.code: int | None = None
        """How it ended, as `os.waitstatus_to_exitcode` tells it; None while it may still run."""

    def fileno(self) -> int:
        """For `select`: readable when something was sent, or when it ended."""
        return self._pipe

    def receive(self, patience: float) -> Any:
        """What the child sent next. Raises `TimeoutError` when nothing came, `EOFError` when it ended."""
        deadline = time.monotonic() + patience
        while True:
            if (said := self._next()) is not None:
                return said[0]
            ready, _, _ = select.select([self._pipe], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            more = os.read(self._pipe, 1 << 16)
            if not more:
                self._end()
                raise EOFError
            self._read += more

    def _next(self) -> tuple[Any] | None:
        if len(self._read) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._read)
        if len(self._read) < _LENGTH.size + length:
            return None
        said = pickle.loads(memoryview(self._read)[_LENGTH.size : _LENGTH.size + length])
        del self._read[: _LENGTH.size + length]
        return (said,)

    def give_up(self) -> None:
        """Kill it where it still runs. One that hangs in the kernel dies when the kernel lets go of it."""
        if self._pipe < 0:
            return
        if self.code is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            _abandoned.append(self.pid)
            bury()
        os.close(self._pipe)
        self._pipe = -1

    def _end(self) -> None:
        if self.code is None:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def __enter__(self) -> Aside:
        return self

    def __exit__(self, *_: object) -> None:
        self.give_up()


_abandoned: list[int] = []


def bury() -> None:
    """Take leave of given-up children that have died by now."""
    for pid in list(_abandoned):
        try:
            died, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            died = pid
        if died:
            _abandoned.remove(pid)


def start(work: Callable[[Send], None]) -> Aside:
    """Run `work` in a child; what it gives to its argument comes out of `receive`."""
    bury()
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(theirs, work)
    os.close(theirs)
    return Aside(pid, ours)


def _child(pipe: int, work: Callable[[Send], None]) -> NoReturn:
    # What the parent has is not looked through for garbage here: that would copy its memory.
    gc.freeze()
    code = 1
    try:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        _let_go(pipe)
        work(_send)
        code = 0
    except BaseException:
        if tracing.ON:
            import traceback

            traceback.print_exc()
    finally:
        os._exit(code)


_PIPE = 3


def _let_go(pipe: int) -> None:
    """Hold nothing of the parent's: not its locks, which must be free when it dies, and no pipe that somebody reads."""
    if pipe != _PIPE:
        os.dup2(pipe, _PIPE)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1) if tracing.ON else (0, 1, 2):
        os.dup2(null, descriptor)
    os.closerange(_PIPE + 1, os.sysconf("SC_OPEN_MAX"))


def _send(said: object) -> None:
    raw = pickle.dumps(said)
    view = memoryview(_LENGTH.pack(len(raw)) + raw)
    while view:
        view = view[os.write(_PIPE, view) :]
