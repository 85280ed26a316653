"""Children: other programs, started in a session of their own, and heard out or left alone.

Not by `subprocess`: importing that takes 0.7 times what Python takes to start, and every commit and every edit of an
agent that asks git something would pay it. Who needs more than this (a pipe both ways, output without end) takes it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

_AT_ONCE = 1 << 16


def leave(argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Start what outlives us and holds none of our files. Raises `OSError` or `NotImplementedError`."""
    _start(argv, env, [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)])


def ask(argv: Sequence[str], env: Mapping[str, str], stdin: bytes | None, timeout: float) -> tuple[int, bytes, bytes]:
    """What the program `argv[0]` on the PATH of `env` says: its exit code (below 0: the signal), stdout and stderr.

    Raises `TimeoutError` after `timeout` seconds, `OSError` and `ValueError` where it cannot be started. Whatever is
    raised, it is ended by then, with all that it started in its session.
    """
    import select

    _fill()
    deadline = time.monotonic() + timeout
    pipes = _Pipes()
    try:
        said, complained = pipes.make(1), pipes.make(2)
        feed = -1 if stdin is None else pipes.make(0)
        null = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)] if stdin is None else []
        pid = _start([_found(argv[0], env), *argv[1:]], env, [*null, *pipes.theirs()])
        try:
            pipes.close_theirs()
            heard: dict[int, list[bytes]] = {said: [], complained: []}
            left = memoryview(stdin or b"")
            poll = select.poll()
            for pipe in heard:
                poll.register(pipe, select.POLLIN)
            if feed >= 0:
                os.set_blocking(feed, False)
                poll.register(feed, select.POLLOUT)
            while pipes.ours:
                for pipe, _ in poll.poll(_left(deadline) * 1000):
                    if pipe == feed:
                        left = left[_written(feed, left) :]
                        done = not left
                    else:
                        more = os.read(pipe, _AT_ONCE)
                        heard[pipe].append(more)
                        done = not more
                    if done:
                        poll.unregister(pipe)
                        pipes.close(pipe)
            return _ended(pid, deadline), b"".join(heard[said]), b"".join(heard[complained])
        except BaseException:  # too slow, or the limit of a hook came between
            _end(pid)
            raise
    finally:
        pipes.close_all()


class _Pipes:
    """Pipes to a child; `ours` are our ends that are still open."""

    def __init__(self) -> None:
        self.ours: list[int] = []
        self._theirs: list[tuple[int, int]] = []

    def make(self, number: int) -> int:
        """A pipe to the child's descriptor `number`; our end."""
        read, write = os.pipe()
        ours, theirs = (write, read) if number == 0 else (read, write)
        self.ours.append(ours)
        self._theirs.append((theirs, number))
        return ours

    def theirs(self) -> list[tuple[int, int, int]]:
        return [(os.POSIX_SPAWN_DUP2, pipe, number) for pipe, number in self._theirs]

    def close(self, pipe: int) -> None:
        self.ours.remove(pipe)
        os.close(pipe)

    def close_theirs(self) -> None:
        while self._theirs:
            os.close(self._theirs.pop()[0])

    def close_all(self) -> None:
        self.close_theirs()
        while self.ours:
            os.close(self.ours.pop())


def _start(argv: Sequence[str], env: Mapping[str, str], actions: Sequence[tuple[object, ...]]) -> int:
    import signal

    shut = [(os.POSIX_SPAWN_CLOSE, number) for number in _handed_down()]
    # Python ignores these two signals; whoever reads of them in a shell expects that a program ends by them.
    return os.posix_spawn(
        argv[0], [*argv], env, file_actions=[*actions, *shut], setsid=True, setsigdef=[signal.SIGPIPE, signal.SIGXFSZ]
    )


def _found(program: str, env: Mapping[str, str]) -> str:
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, program)
        # A folder that is not absolute is one of the repository that we look at.
        if os.path.isabs(path) and os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    raise FileNotFoundError(f"no {program} on the PATH")


def _fill() -> None:
    """Have descriptors 0 to 2 be something: a pipe that got one of their numbers would be in the child's way."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _handed_down() -> list[int]:
    """Descriptors that whoever started us left open for us: a pipe among them would wait for the child."""
    found = []
    try:
        for number in map(int, os.listdir("/dev/fd")):
            if number > 2 and _inheritable(number):
                found.append(number)
    except OSError:
        pass
    return found


def _inheritable(number: int) -> bool:
    try:
        return os.get_inheritable(number)
    except OSError:
        return False  # the one that listed them


def _written(pipe: int, text: memoryview) -> int:
    try:
        return os.write(pipe, text)
    except BlockingIOError:
        return 0
    except BrokenPipeError:
        return len(text)  # it wants no more


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _ended(pid: int, deadline: float) -> int:
    pause = 0.0005
    while True:
        try:
            died, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            return 0  # whoever started us has the kernel forget children: how it ended nobody knows
        if died:
            return os.waitstatus_to_exitcode(status)
        time.sleep(min(pause, _left(deadline)))
        pause = min(pause * 2, 0.05)


def _end(pid: int) -> None:
    kill(pid)
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        pass


def kill(pid: int) -> None:
    """Kill a child that leads a session, with all that it started there."""
    import signal

    try:
        os.killpg(pid, signal.SIGKILL)
    except OSError:
        pass  # it is gone; macOS says of one that is dying that it is not ours
