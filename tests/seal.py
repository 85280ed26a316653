"""The seal: no test reaches the real home, the real git configuration or the real queen; one that tries fails loudly.

Two halves. The environment that every test and its children get leads into a temporary folder. An audit hook sees what
code in this process opens and starts, raises, and keeps a record, so that no `except` can hush it up (INCIDENTS 20).
What may not live here: anything a test could switch off by importing something else first.
"""

from __future__ import annotations

import os
import pwd
import sys
import time
from collections.abc import Mapping
from typing import Any

BIN = os.path.dirname(sys.executable)
OUTER = dict(os.environ)
"""The environment as it was before the seal."""

DATE = "2026-01-02T03:04:05Z"
"""When every commit of the tests is made, so that their hashes are known."""

GITCONFIG = """\
[user]
\tname = Keeper
\temail = keeper@example.org
[init]
\tdefaultBranch = main
[gc]
\tauto = 0
"""

CRON = (
    "bwrap", "--dev-bind", "/", "/", "--tmpfs", "/var/spool/cron", "--dir", "/var/spool/cron/crontabs",
    "--tmpfs", "/etc/cron.d",
)  # fmt: skip
"""What a command begins with that may ask the real crontab: it finds none, and nothing that it saves outlives it."""

FOREIGN = ("GIT_", "GITQUEEN_", "CLAUDE", "CODEX", "GEMINI", "OPENCODE", "AIDER", "TMUX", "KITTY", "XDG_", "LC_")
"""Variables that begin with these say who and where we are: none of it is a test's business."""
ALSO_FOREIGN = {"EDITOR", "VISUAL", "PAGER", "LESS", "LANGUAGE", "NO_COLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "COLUMNS"}
LONG = "GITQUEEN_LONG"
"""Set by whoever wants the long profile: it says how much is tested, and comes through."""

HOMES = tuple({os.path.realpath(home) for home in (pwd.getpwuid(os.getuid()).pw_dir, OUTER.get("HOME")) if home})
"""The real home: where the user database says it is, and where HOME said."""
FORBIDDEN = tuple(
    sorted(
        {os.path.join(home, *path.split("/")) for home in HOMES for path in (".claude", ".gitconfig", ".config/git")}
        | {os.path.join(home, ".local", "share", "gitqueen") for home in HOMES}
        | {
            os.path.abspath(OUTER[key])
            for key in ("GITQUEEN_HOME", "CLAUDE_CONFIG_DIR", "GIT_CONFIG_GLOBAL")
            if OUTER.get(key)
        }
        - {os.devnull}
    )
)

PATHS = {
    "open": (0,),
    "sqlite3.connect": (0,),
    "os.chmod": (0,),
    "os.chown": (0,),
    "os.link": (0, 1),
    "os.listdir": (0,),
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.scandir": (0,),
    "os.symlink": (0, 1),
    "os.truncate": (0,),
    "os.utime": (0,),
}
"""Audit events, and which of their arguments are paths. Reading the real home is as unhermetic as writing there."""
STARTS = {"subprocess.Popen": 3, "os.posix_spawn": 2, "os.exec": 2}
"""Audit events that start a program, and which argument is its environment."""

broken: list[str] = []
"""What was tried since somebody last looked."""
_armed = False


class SealBroken(BaseException):
    """Raised where the real home is reached. No Exception, so that code under test does not take it for its own."""


def environment(root: str) -> dict[str, str]:
    """The sealed environment whose home is the folder `root`."""
    foreign = {k for k in OUTER if k.startswith(FOREIGN) and k != LONG} | ALSO_FOREIGN
    kept = {k: v for k, v in OUTER.items() if k not in foreign}
    stubs = os.path.join(root, ".stubs")
    path = [BIN, stubs, *(part for part in OUTER.get("PATH", os.defpath).split(os.pathsep) if part != BIN)]
    return {**kept, **_homes(root), **_FIXED, "PATH": os.pathsep.join(path)}


_FIXED = {
    "GIT_AUTHOR_DATE": DATE,
    "GIT_COMMITTER_DATE": DATE,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_EDITOR": "false",
    "GIT_TERMINAL_PROMPT": "0",
    "GITQUEEN_HOOK_LIMIT": "30",  # a machine that runs many tests at once is slow
    "LANG": "C.UTF-8",
    "LOGNAME": "keeper",
    "TZ": "UTC",
    "USER": "keeper",
}


def _homes(root: str) -> dict[str, str]:
    """Each variable leads where its default would under this HOME: a test may drop any of them and stays inside."""
    return {
        "HOME": root,
        "GIT_CONFIG_GLOBAL": os.path.join(root, ".gitconfig"),
        "CLAUDE_CONFIG_DIR": os.path.join(root, ".claude"),
        "GITQUEEN_HOME": os.path.join(root, ".claude", "queen"),
        "XDG_CACHE_HOME": os.path.join(root, ".cache"),
        "XDG_CONFIG_HOME": os.path.join(root, ".config"),
        "XDG_DATA_HOME": os.path.join(root, ".local", "share"),
        "XDG_RUNTIME_DIR": os.path.join(root, ".run"),
        "XDG_STATE_HOME": os.path.join(root, ".local", "state"),
    }


def furnish(root: str) -> None:
    """Make `root` a home: git's configuration, the runtime folder, and a crontab that is not this user's own."""
    with open(os.path.join(root, ".gitconfig"), "w", encoding="utf-8") as file:
        file.write(GITCONFIG)
    os.mkdir(os.path.join(root, ".run"), 0o700)
    os.mkdir(os.path.join(root, ".stubs"))
    # `crontab -l` asks by user, not by HOME.
    stub = os.path.join(root, ".stubs", "crontab")
    with open(stub, "w", encoding="utf-8") as file:
        file.write('#!/bin/sh\ncat "$HOME/.crontab" 2>/dev/null || { echo "no crontab for keeper" >&2; exit 1; }\n')
    os.chmod(stub, 0o755)


def enter(root: str) -> None:
    """Seal this process, for good: before anything is collected, because libgit2 reads HOME when it is imported."""
    global _armed
    furnish(root)
    os.environ.clear()
    os.environ.update(environment(root))
    time.tzset()
    if not _armed:
        _armed = True
        sys.addaudithook(_audit)


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event in PATHS:
        for at in PATHS[event]:
            if (path := _forbidden(args[at])) is not None:
                _break(f"{event} reached {path}")
    elif event in STARTS and (why := _leads_home(args[STARTS[event]])) is not None:
        _break(f"{event} of {args[0]!r}: {why}")


def _forbidden(path: object) -> str | None:
    """`path` made absolute if it lies in the real home, else None."""
    if not isinstance(path, (str, bytes, os.PathLike)):
        return None
    text = os.fsdecode(path)
    if text.startswith("file:"):
        text = text[len("file:") :].partition("?")[0]
    absolute = os.path.abspath(text)
    for root in FORBIDDEN:
        if absolute == root or absolute.startswith(root + os.sep):
            return absolute
    return None


def _leads_home(env: Mapping[Any, Any] | None) -> str | None:
    """Why a program started with `env` would find the real home, or None."""
    given = {os.fsdecode(k): os.fsdecode(v) for k, v in (os.environ if env is None else env).items()}
    if not given.get("HOME"):
        return (
            None if given.get("GITQUEEN_HOME") else "without HOME it asks the user database, which knows the real one"
        )
    return "its HOME is the real one" if os.path.realpath(given["HOME"]) in HOMES else None


def _break(what: str) -> None:
    broken.append(what)
    raise SealBroken(f"the seal: {what}")
