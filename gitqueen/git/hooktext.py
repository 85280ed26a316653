"""What stands in a hook file or in `hook.*` configuration: ours written into it, seen in it, and taken out again.

Pure text; where such files are is `hooks`. Our part is a marked block directly after the shebang of a shell script, so
that nobody's hook is renamed, wrapped or run by another name; a file of our own is a shebang and that block.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from dataclasses import dataclass

BEGIN, END = b"# >>> gitqueen >>>", b"# <<< gitqueen <<<"
SHEBANG = b"#!/bin/sh\n"

ABSENT, OURS, BLOCK, SHELL, OTHER = "absent", "ours", "block", "shell", "other"
"""Kinds of hook files: none; one that is ours alone; a shell script with our block; without it; no shell script."""

_SHELLS = frozenset("sh bash dash ash ksh mksh zsh".split())
_READ_AGAIN = re.compile(rb"""exec["']?\s[^\n]*\s["']?\$\{?0\}?["']?(\s|$)""")
"""`exec python3 "$0"`: another program reads the file again, to which our block is nonsense, or a second one."""


@dataclass(frozen=True, slots=True)
class Tool:
    """The installation that hooks call: all paths absolute."""

    python: str
    door: str
    folder: str
    """Where the shell text stands: beside the package in a checkout, inside it when installed."""


def tool() -> Tool:
    """The installation that runs this."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    inside = os.path.join(package, "hooks")
    folder = inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "hooks")
    return Tool(sys.executable, os.path.join(package, "cli", "hook.py"), folder)


def block(of: Tool, event: str) -> bytes:
    """Our block for `event`, without a newline at its end."""
    lines = (
        f"{BEGIN.decode()} {event}: added by `gitqueen hooks install`, removed by `gitqueen hooks uninstall`",
        f"if [ -r {shlex.quote(of.folder)}/git-hook.sh ]; then",
        f"  gitqueen_hooks={shlex.quote(of.folder)}",
        '  . "$gitqueen_hooks/git-hook.sh"',
        f'  gitqueen_hook {shlex.quote(of.python)} {shlex.quote(of.door)} {event} "$@" || exit 1',
        "fi",
        END.decode(),
    )
    return os.fsencode("\n".join(lines))


def command(of: Tool, event: str) -> str:
    """The value of `hook.<name>.command`: git runs it by a shell with `"$@"` put behind it."""
    folder, python, door = (shlex.quote(path) for path in (of.folder, of.python, of.door))
    return (
        f"gitqueen() {{ [ -r {folder}/git-hook.sh ] || return 0; gitqueen_hooks={folder}; "
        f'. "$gitqueen_hooks/git-hook.sh"; gitqueen_hook {python} {door} {event} "$@"; }}; gitqueen'
    )


def added(text: bytes | None, block: bytes) -> bytes:
    """The shell script `text` (None: no file) with `block` in it; an older block of ours goes."""
    head, newline, rest = removed(SHEBANG if text is None else text).partition(b"\n")
    return head + b"\n" + block + newline + rest


def removed(text: bytes) -> bytes:
    """`text` without our block, byte for byte what it was before `added`."""
    while mine := ours(text):  # two, where somebody put two files together
        start = text.find(mine)
        stop = start + len(mine)
        if text[stop : stop + 1] == b"\n":
            text = text[:start] + text[stop + 1 :]
        else:
            # The shebang was the whole file and had no newline: the one before our block is ours too.
            text = text[: max(0, start - 1)] + text[stop:]
    return text


def kind(text: bytes | None) -> str:
    """What kind of hook file this is."""
    if text is None:
        return ABSENT
    if not _is_shell(text):
        return OTHER
    if not ours(text):
        return SHELL
    return OURS if removed(text) == SHEBANG else BLOCK


def _is_shell(text: bytes) -> bool:
    """Whether the first line names a shell, directly or by env, and a shell is all that ever reads this."""
    first = text.partition(b"\n")[0]
    # A shebang that ends in CR names a program that is not there.
    if not first.startswith(b"#!") or first.endswith(b"\r") or b"\0" in text or _READ_AGAIN.search(text):
        return False
    words = os.fsdecode(first[2:]).split()
    if words and os.path.basename(words[0]) == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    if words and os.path.basename(words[0]) == "busybox":
        words = words[1:]
    return bool(words) and os.path.basename(words[0]) in _SHELLS


def ours(text: bytes) -> bytes:
    """Our block in `text`, without a newline at its end; nothing where there is none."""
    start = text.find(BEGIN)
    stop = text.find(END, start)
    return text[start : stop + len(END)] if 0 <= start < stop else b""


def calls(ours: str) -> str | None:
    """The shell text that our block or command calls, as a path; None where it calls none."""
    found = re.search(r"\[ -r (.+?/git-hook\.sh) \]", ours, re.DOTALL)
    try:
        return shlex.split(found[1])[0] if found else None
    except (ValueError, IndexError):
        return None


_LFS = rb'#!/bin/sh\ncommand -v git-lfs [^\n]*\ngit lfs %s "\$@"\n?'
_ANNEX = {
    "pre-commit": b"git annex pre-commit .\n",
    "post-checkout": b"git annex smudge --update\n",
    "post-merge": b"git annex smudge --update\n",
}


def guest(event: str, text: bytes, pre_push: bytes | None, annexed: bool) -> tuple[str, bytes | None] | None:
    """Who cannot come because a file of our own is there, and the hook's text; or cannot go, and then None.

    git-lfs and git-annex put no hook where any file is, and take away none that is not theirs to the byte. `text`: the
    file, with our part; `pre_push`: the hook that git-lfs always installs and we never own, of which its others differ
    in the event alone.
    """
    alone, rest = kind(text) == OURS, removed(text)
    if event in ("post-checkout", "post-commit", "post-merge"):
        if alone and pre_push and re.fullmatch(_LFS % b"pre-push", pre_push):
            return "git-lfs", pre_push.replace(b"pre-push", event.encode())
        if pre_push is None and re.fullmatch(_LFS % event.encode(), rest):
            return "git-lfs", None
    if event in _ANNEX:
        theirs = SHEBANG + b"# automatically configured by git-annex\n" + _ANNEX[event]
        if annexed and alone:
            return "git-annex", theirs
        if not annexed and rest == theirs:
            return "git-annex", None
    return None
