"""The lean door, run by path with `python -I -S`: `hook.py git EVENT [ARGUMENT...]`, or drain, look, keep, pack.

Without click, rich, pygit2, psutil or filelock, because every import is paid by a commit. Fails open: our own fault, a
timeout or a missing database says one line, is logged, and lets git go on. Only a refusal by policy says no.
"""

from __future__ import annotations

import gc
import os
import sys

gc.disable()  # a hook is over before there is garbage worth looking for


PATIENCE = 1.0
"""Seconds it waits for another writer."""
REFUSED = 77
"""Exit code of a refusal by policy: one that no crash of Python ends with (1, 2, 120, 128 and more)."""


if __name__ == "__main__":
    # -I and -S leave the package's own folder out of the path: nothing else than it and the standard library is in.
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def main(argv: list[str]) -> int:
    if argv[:1] in (["drain"], ["look"], ["keep"], ["pack"]):
        return _behind(*argv)
    if argv[:1] == ["agent"]:
        from gitqueen.cli import door

        return door.main(argv[1:])
    try:
        from gitqueen.cli import standins

        standins.install()
        from gitqueen.cli import limit  # what this imports is a stand-in now

        with limit.within():
            return _answer(argv)
    except KeyboardInterrupt:
        return 130
    except BaseException as fault:
        return _open(_words(fault), fault)


def _answer(argv: list[str]) -> int:
    if len(argv) < 2 or argv[0] != "git" or os.environ.get("GITQUEEN_SKIP") == "1" or "GITQUEEN_CHILD" in os.environ:
        return 0
    from gitqueen import settings

    home = settings.read(os.environ).home
    if not os.path.exists(os.path.join(home, "queen.db")):
        # A hook makes no hive: what the markers say was written by one that is gone, or under another home.
        return _open(f"there is no queen in {home} (gitqueen doctor)")
    from datetime import UTC, datetime

    from gitqueen.services import guarding, queen
    from gitqueen.views import warnings

    event, arguments = argv[1], argv[2:]
    opened = queen.open(os.environ, lambda: datetime.now(UTC), patience=PATIENCE)
    if not guarding.on_duty(opened):
        return 0
    me = guarding.actor(opened)
    if event == "pre-commit":
        commit = guarding.before_commit(opened, me)
        _say(warnings.commit(commit, opened.now, _colour()))
        return REFUSED if commit.refused else 0
    if event == "post-checkout" and len(arguments) == 3:
        checkout = guarding.after_checkout(opened, me, arguments)
        _say(warnings.checkout(checkout, opened.now, _colour()))
        _keep_soon(opened, me)
    return 0


def _keep_soon(queen: Queen, me: Identity) -> None:
    """What the checkout took away from others is found by somebody whom nobody waits for."""
    from gitqueen.services import keeping

    keeping.moved(queen, me.sister.name if me.sister else None, "git checkout")


def _behind(task: str, worktree: str = "/") -> int:
    """What nobody waits for, in a session of its own: the spool goes into the book (drain), a scan looks around, or
    what is uncommitted in a worktree is kept, or what is kept is packed."""
    try:
        if os.getpid() != os.getsid(0):
            os.setsid()
        # A pipe that git's caller reads to its end, or a lock, may have come down to us.
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.chdir("/")
        os.nice(10)  # whoever commits comes first
        os.environ["GITQUEEN_CHILD"] = "1"
        if task == "look":
            os.execv(sys.executable, [sys.executable, "-P", "-m", "gitqueen", "scan", "--stale"])
        from datetime import UTC, datetime

        if task in ("keep", "pack"):
            from gitqueen.services import keeping, queen

            opened = queen.open(os.environ, lambda: datetime.now(UTC), worktree)
            keeping.keep(opened) if task == "keep" else keeping.pack(opened)
            return 0
        from gitqueen.services import draining

        draining.detached(os.environ, lambda: datetime.now(UTC))
    except BaseException as fault:
        from gitqueen import crashes

        crashes.log(os.environ, fault)
    return 0


def _colour() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")


def _say(text: str) -> None:
    if text:
        try:
            # What git prints between its own lines must not die on a terminal without UTF-8.
            sys.stderr.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
            sys.stderr.flush()
        except (OSError, ValueError, AttributeError):
            pass  # nobody listens: what policy says holds all the same


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


TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    from gitqueen.model.sisters import Identity
    from gitqueen.services.queen import Queen


if __name__ == "__main__":
    # Nothing is left to be tidied up, and taking the interpreter down would cost milliseconds.
    os._exit(main(sys.argv[1:]))
