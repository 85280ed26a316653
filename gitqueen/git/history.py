"""History as git tells it: one commit, the lines of a file, and git's own log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from gitqueen import errors
from gitqueen.git import process
from gitqueen.git.places import Place


@dataclass(frozen=True, slots=True)
class Commit:
    oid: str
    subject: str
    author: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file, and the commit that it came with (all zeros: not committed yet)."""

    oid: str
    number: int
    """From 1 on, in the file as it is."""
    author: str
    at: int
    """Unix time at which its author wrote it."""
    text: str


def commit(place: Place, revision: str) -> Commit | None:
    """The commit that `revision` names, or None."""
    args = ("log", "-1", "--no-walk", "--no-show-signature", "--format=%H%x00%s%x00%an", "--end-of-options")
    asked = process.run(*args, revision, "--", cwd=place.folder, check=False)
    fields = os.fsdecode(asked.out).rstrip("\n").split("\0")
    return Commit(*fields) if asked.code == 0 and len(fields) == 3 else None


def blame(place: Place, path: str, revision: str | None) -> list[Line]:
    """git's own blame of the file at `path` (absolute; from the top in a bare repository), as of `revision` or the
    working tree."""
    args = ["blame", "--porcelain", *([revision] if revision else []), "--", path]
    asked = process.run(*args, cwd=place.folder, check=False, timeout=600.0)
    if asked.code:
        raise errors.Refused(f"git cannot blame it: {asked.err}", hint="is it committed? git log -- FILE")
    return _lines(os.fsdecode(asked.out))


def _lines(porcelain: str) -> list[Line]:
    """What is told of a commit stands with its first line alone."""
    found: list[Line] = []
    authors: dict[str, str] = {}
    times: dict[str, int] = {}
    oid, number, fresh = "", 0, True
    for line in porcelain.split("\n"):
        if line.startswith("\t"):
            found.append(Line(oid, number, authors.get(oid, ""), times.get(oid, 0), line[1:]))
            fresh = True
        elif fresh:
            words = line.split(" ")
            if len(words) >= 3:
                oid, number, fresh = words[0], int(words[2]), False
        elif line.startswith("author "):
            authors[oid] = line[7:]
        elif line.startswith("author-time "):
            times[oid] = int(line[12:])
    return found


@dataclass(frozen=True, slots=True)
class Entry:
    """One commit of a log."""

    oid: str
    author: str
    at: int
    """Unix time at which its author wrote it."""
    subject: str


def entries(place: Place, args: list[str]) -> Iterator[Entry]:
    """The commits that `git log ARGS` lists, whatever form `args` want; raises `errors.GitFailed` as `log` does."""
    forms = ("--oneline", "--graph", "--format", "--pretty")
    others = [word for word in args if word.partition("=")[0] not in forms]
    with process.reading("log", "--no-color", "--format=%x00%H%x00%an%x00%at%x00%s", *others, cwd=place.folder) as out:
        for line in out:
            if line.startswith(b"\0"):  # and not a patch, a statistic
                oid, author, at, subject = os.fsdecode(line[1:].rstrip(b"\n")).split("\0", 3)
                yield Entry(oid, author, int(at or 0), subject)


def log(place: Place, args: list[str], coloured: bool) -> Iterator[str]:
    """git's own log with our notes, line by line as it prints them; `args` as the user gave them to `git log`.

    Raises `errors.GitFailed` with git's words when it refuses them.
    """
    colour = "always" if coloured else "never"
    with process.reading("log", "--notes=gitqueen", f"--color={colour}", *args, cwd=place.folder) as out:
        for line in out:
            yield line.decode("utf-8", "surrogateescape").removesuffix("\n")
