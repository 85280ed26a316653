"""The lean door, run by path with `python -I -S`: `hook.py git EVENT [ARGUMENT...]` for git's hooks, and `hook.py drain`.

Without click, rich, pygit2, psutil or filelock, because every import is paid by a commit. Fails open: our own fault, a
timeout or a missing database says one line, is logged, and lets git go on. Only a refusal by policy says no.
"""

from __future__ import annotations

import os
import signal
import sys

LIMIT = 2.0
"""Seconds a hook may take; a slower guard gets switched off by those it guards (INCIDENTS 14)."""
PATIENCE = 1.0
"""Seconds it waits for another writer."""
DRAINS_WAIT = 10.0
"""Seconds that a drain waits for another one, which may have had its last look already."""
REFUSED = 77
"""Exit code of a refusal by policy: one that no crash of Python ends with (1, 2, 120, 128 and more)."""

if __name__ == "__main__":
    # -I and -S leave the package's own folder out of the path: nothing else than it and the standard library is in.
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


class TooSlow(BaseException):
    """The limit is over. No Exception, so that nothing on the way takes it for its own."""


def main(argv: list[str]) -> int:
    if argv == ["drain"]:
        return _drain()
    try:
        signal.signal(signal.SIGALRM, _too_slow)
        signal.setitimer(signal.ITIMER_REAL, LIMIT)
        return _answer(argv)
    except TooSlow:
        return _open(f"no answer within {LIMIT:g} s")
    except KeyboardInterrupt:
        return 130
    except BaseException as fault:
        return _open(_words(fault), fault)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _too_slow(*_: object) -> None:
    raise TooSlow


def _answer(argv: list[str]) -> int:
    if len(argv) < 2 or argv[0] != "git" or os.environ.get("GITQUEEN_SKIP") == "1" or "GITQUEEN_CHILD" in os.environ:
        return 0
    from datetime import UTC, datetime

    from gitqueen.services import guarding, identifying, queen
    from gitqueen.views import warnings

    event, arguments = argv[1], argv[2:]
    opened = queen.open(os.environ, lambda: datetime.now(UTC), patience=PATIENCE)
    if opened.place is None or opened.config.get("gitqueen.enabled", "true").lower() in ("false", "no", "off", "0"):
        return 0
    me = identifying.identify(opened)
    if event == "pre-commit":
        commit = guarding.before_commit(opened, me)
        _say(warnings.commit(commit, opened.now, _colour()))
        return REFUSED if commit.refused else 0
    if event == "post-checkout" and len(arguments) == 3:
        checkout = guarding.after_checkout(opened, me, arguments[2])
        _say(warnings.checkout(checkout, opened.now, _colour()))
    return 0


def _drain() -> int:
    """Take what the hooks spooled into the book: in a session of its own, so that nobody waits for it."""
    try:
        if os.getpid() != os.getsid(0):
            os.setsid()
        os.closerange(3, 256)  # a pipe that git's caller reads to its end may have come down to us
        os.chdir("/")
        os.nice(10)  # whoever commits comes first
        os.environ["GITQUEEN_CHILD"] = "1"
        from datetime import UTC, datetime

        from gitqueen.services import draining, queen

        opened = queen.open(os.environ, lambda: datetime.now(UTC), "/")
        draining.drain(opened, DRAINS_WAIT, draining.LINGER)
    except BaseException as fault:
        from gitqueen import crashes

        crashes.log(os.environ, fault)
    return 0


def _colour() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")


def _say(text: str) -> None:
    if text:
        # What git prints between its own lines must not die on a terminal without UTF-8.
        sys.stderr.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
        sys.stderr.flush()


def _words(fault: BaseException) -> str:
    return str(getattr(fault, "message", "")) or f"{type(fault).__name__}: {fault}"


def _open(reason: str, fault: BaseException | None = None) -> int:
    """Fail open: one line, and the whole story in the log."""
    line = " ".join(ascii(reason)[1:-1].split())[:200]
    _say(f"gitqueen: {line}; git goes on without us")
    if fault is not None:
        from gitqueen import crashes

        crashes.log(os.environ, fault)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
