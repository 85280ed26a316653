"""Commands that destroy, sweep or disarm: which of them a line of shell holds, on what, and what to type instead.

Pure: whether another sister's work is there is asked by `attending`. Whatever is not surely understood is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitqueen.model import shelltext
from gitqueen.model.shelltext import Folders, Simple, Word

DISCARDS, STASHES, SWEEPS, SWITCHES, PUSHES, DISARMS = "discards", "stashes", "sweeps", "switches", "pushes", "disarms"


@dataclass(frozen=True, slots=True)
class Threat:
    """What one command would do. `folders`: where, each relative to the one before, from the working folder."""

    kind: str
    what: str
    """The command in short: `git stash`."""
    folders: tuple[str, ...]
    paths: tuple[str, ...] | None = None
    """What it reaches, relative to the folder; None: all of the worktree. A folder stands for all below."""
    tracked: bool = True
    untracked: bool = False
    """Whether it reaches files that git knows, and files that git does not know."""


def threats(text: str) -> list[Threat]:
    """All that `text` would do, in order; empty where it is not understood."""
    if not any(word in text for word in ("git", "rm", "GITQUEEN")):
        return []
    try:
        found = [threat for simple in shelltext.commands(text) for threat in _of(simple)]
    except shelltext.Unclear:
        return []
    return list(dict.fromkeys(found))


def _of(simple: Simple) -> Iterator[Threat]:
    words, folders = simple.words, simple.folders
    if folders is None:
        return
    exported = [word for word in words[1:] if word] if words and words[0] == "export" else []
    if any(one.startswith("GITQUEEN_SKIP=") and one != "GITQUEEN_SKIP=" for one in (*simple.sets, *exported)):
        yield Threat(DISARMS, "GITQUEEN_SKIP", folders)
    if words and words[0] == "git":
        yield from _git(words[1:], folders)
    elif words and words[0] == "rm":
        yield from _rm(words[1:], folders)


def _rm(words: Sequence[Word], folders: tuple[str, ...]) -> Iterator[Threat]:
    options, arguments = _split(words)
    if any(_in_hooks(path) for path in arguments):
        yield Threat(DISARMS, "rm of git hooks", folders)
    if paths := _paths(arguments):
        recursive = any(_has(option, "rR", "--recursive") for option in options)
        yield Threat(DISCARDS, "rm -r" if recursive else "rm", folders, paths, True, True)


def _in_hooks(path: str | None) -> bool:
    parts = (path or "").split("/")
    return ".git" in parts and "hooks" in parts[parts.index(".git") :]


_GIT_WITH_VALUE = ("-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--super-prefix", "--config-env")


def _git(words: Sequence[Word], folders: tuple[str, ...]) -> Iterator[Threat]:
    rest = list(words)
    disarmed = False
    where: Folders = folders
    while rest and (word := rest[0]) is not None and word.startswith("-"):
        taken = 2 if word in (*_GIT_WITH_VALUE, "-C") else 1
        value = rest[1] if len(rest) > 1 else None
        if word == "-C":
            where = None if where is None or value is None else (*where, value)
        elif word == "-c":
            disarmed = disarmed or _disarms(value)
        elif word.startswith(("--git-dir", "--work-tree")):
            where = None
        rest = rest[taken:]
    if disarmed:
        yield Threat(DISARMS, "core.hooksPath", folders)
    if where is None or not rest or rest[0] is None:
        return
    if (of := _GIT.get(rest[0])) is not None:
        yield from of(rest[1:], where)


def _disarms(setting: str | None) -> bool:
    name, _, value = (setting or "").partition("=")
    return name.lower() == "core.hookspath" or (name.lower() == "gitqueen.enabled" and value.lower() in _FALSE)


_FALSE = ("false", "no", "off", "0")


def _checkout(words: Sequence[Word], folders: tuple[str, ...]) -> Iterator[Threat]:
    options, arguments = _split(words, ("-b", "-B", "--orphan", "--conflict", "--pathspec-from-file"))
    dashes = "--" in words
    behind = list(words[words.index("--") + 1 :]) if dashes else []
    forced = any(_has(option, "f", "--force") for option in options)
    creates = any(_has(option, "bB", "--orphan") for option in options)
    if dashes:
        if paths := _paths(behind):
            yield Threat(DISCARDS, "git checkout -- FILES", folders, paths)
    elif creates:
        if forced:
            yield Threat(DISCARDS, "git checkout -f", folders)
        yield Threat(SWITCHES, "git checkout -b", folders)
    elif len(arguments) == 1 and not _is_path(arguments[0]):
        if forced:
            yield Threat(DISCARDS, "git checkout -f", folders)
        elif arguments[0] is not None:
            # A branch, or a file: nobody knows but the repository.
            yield Threat(SWITCHES, "git checkout", folders, (arguments[0],))
    elif arguments:
        if paths := _paths(arguments):
            yield Threat(DISCARDS, "git checkout FILES", folders, paths)
    elif forced:
        yield Threat(DISCARDS, "git checkout -f", folders)


def _is_path(word: str | None) -> bool:
    return word is not None and (word in (".", "..", "*") or word.startswith(("./", "../", ":")) or word.endswith("/"))


def _switch(words: Sequence[Word], folders: tuple[str, ...]) -> Iterator[Threat]:
    options, arguments = _split(words, ("-c", "-C", "--create", "--force-create", "--orphan", "--conflict"))
    if any(_has(option, "f", "--force", "--discard-changes") for option in options):
        yield Threat(DISCARDS, "git switch -f", folders)
    if arguments or any(
        _has(option, "cCd", "--create", "--force-create", "--orphan", "--detach") for option in options
    ):
        yield Threat(SWITCHES, "git switch", folders)


def _restore(words: Sequence[Word], folders: tuple[str, ...]) -> Iterator[Threat]:
    options, arguments = _split(words, ("-s", "--source", "--conflict", "--pathspec-from-file"))
    staged = any(_has(option, "S", "--staged") for option in options)
    worktree = any(_has(option, "W", "--worktree") for option in options)
    if (worktree or not staged) and (paths := _paths(arguments)):
        yield Threat(DISCARDS, "git restore", folders, paths)


def _reset(words: Sequence[Word], folders: tuple[str, ...]) -> Iterator[Threat]:
    options, _ = _split(words)
    for option in options:
        if option in ("--hard", "--merge"):
            yield Threat(DISCARDS, f"git reset {option}", folders)


def _stash(words: Sequence[Word], folders: tuple[str, ...]) -> Iterator[Threat]:
    verb = words[0] if words else "push"
    if verb is None or (verb not in ("push", "save") and not verb.startswith("-")):
        return
    options, arguments = _split(words[1:] if verb in ("push", "save") else words, ("-m", "--message"))
    untracked = any(_has(option, "ua", "--include-untracked", "--all") for option in options)
    paths = _paths(arguments) if verb != "save" and arguments else None
    if paths != ():
        yield Threat(STASHES, "git stash", folders, paths, True, untracked)


def _clean(words: Sequence[Word], folders: tuple[str, ...]) -> Iterator[Threat]:
    options, arguments = _split(words, ("-e", "--exclude"))
    if any(_has(option, "n", "--dry-run") for option in options):
        return
    if any(_has(option, "f", "--force") for option in options):
        # Without paths: from the folder it runs in.
        paths = _paths(arguments) if arguments else (".",)
        if paths:
            yield Threat(DISCARDS, "git clean", folders, paths, False, True)


def _add(words: Sequence[Word], folders: tuple[str, ...]) -> Iterator[Threat]:
    options, arguments = _split(words, ("--chmod", "--pathspec-from-file"))
    if any(_has(option, "np", "--dry-run", "--patch", "--refresh") for option in options):
        return
    known = any(_has(option, "u", "--update") for option in options)
    every = known or any(_has(option, "A", "--all", "--no-ignore-removal") for option in options)
    paths = _paths(arguments) if arguments else None if every else ()
    if paths != ():
        what = "git add -u" if known else "git add -A" if every else "git add"
        yield Threat(SWEEPS, what, folders, paths, True, not known)


def _commit(words: Sequence[Word], folders: tuple[str, ...]) -> Iterator[Threat]:
    valued = (
        "-m",
        "-F",
        "-C",
        "-c",
        "-t",
        "--message",
        "--file",
        "--author",
        "--date",
        "--reuse-message",
        "--template",
    )
    options, arguments = _split(words, (*valued, "--reedit-message", "--fixup", "--squash", "--trailer", "--cleanup"))
    if any(_has(option, "n", "--no-verify") for option in options):
        yield Threat(DISARMS, "git commit --no-verify", folders)
    if any(option == "--dry-run" for option in options):
        return
    if any(_has(option, "a", "--all") for option in options):
        yield Threat(SWEEPS, "git commit -a", folders)
    elif paths := _paths(arguments):
        yield Threat(SWEEPS, "git commit FILES", folders, paths)


def _worktree(words: Sequence[Word], folders: tuple[str, ...]) -> Iterator[Threat]:
    if words[:1] != ["remove"]:
        return
    _, arguments = _split(words[1:])
    for path in arguments:
        if path is not None:
            yield Threat(DISCARDS, "git worktree remove", (*folders, path), None, True, True)


def _push(words: Sequence[Word], folders: tuple[str, ...]) -> Iterator[Threat]:
    options, arguments = _split(words, ("-o", "--push-option", "--repo", "--receive-pack", "--exec"))
    if any(_has(option, "n", "--dry-run") for option in options):
        return
    forced = any(_has(option, "f", "--force") for option in options)
    if forced or any(word is not None and word.startswith("+") for word in arguments[1:]):
        yield Threat(PUSHES, "git push --force", folders)


def _remove(words: Sequence[Word], folders: tuple[str, ...]) -> Iterator[Threat]:
    options, arguments = _split(words)
    forced = any(_has(option, "f", "--force") for option in options)
    if forced and "--cached" not in options and (paths := _paths(arguments)):
        yield Threat(DISCARDS, "git rm -f", folders, paths)


def _config(words: Sequence[Word], folders: tuple[str, ...]) -> Iterator[Threat]:
    options, arguments = _split(words, ("-f", "--file", "--blob", "--type", "--default"))
    said = [word for word in arguments if word not in ("set", "unset")]
    asks = any(option.startswith(("--get", "--list", "-l")) for option in options)
    unsets = "unset" in arguments or any(option.startswith("--unset") for option in options)
    if not said or said[0] is None or asks or said[0] in ("get", "list"):
        return
    if _disarms(f"{said[0]}={said[1] if len(said) > 1 else ''}") and (len(said) > 1 or unsets):
        yield Threat(DISARMS, f"git config {said[0]}", folders)


_GIT = {
    "checkout": _checkout,
    "switch": _switch,
    "restore": _restore,
    "reset": _reset,
    "stash": _stash,
    "clean": _clean,
    "add": _add,
    "stage": _add,
    "commit": _commit,
    "worktree": _worktree,
    "push": _push,
    "rm": _remove,
    "config": _config,
}


def _split(words: Sequence[Word], valued: Sequence[str] = ()) -> tuple[list[str], list[Word]]:
    """Options (single letters apart: `-am` is `-a`, `-m`) and arguments, the values of options left out."""
    short = "".join(option[1] for option in valued if len(option) == 2)
    options: list[str] = []
    arguments: list[Word] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            arguments += rest
        elif word is None or not word.startswith("-") or word == "-":
            arguments.append(word)
        elif word.startswith("--"):
            options.append(word.partition("=")[0])
            if word in valued:
                next(rest, None)
        else:
            for at, letter in enumerate(word[1:], 2):
                options.append(f"-{letter}")
                if letter in short:
                    if at == len(word):
                        next(rest, None)
                    break
    return options, arguments


def _has(option: str, letters: str, *longs: str) -> bool:
    return option in longs or (len(option) == 2 and option[1] in letters)


def _paths(arguments: Sequence[Word]) -> tuple[str, ...]:
    """The paths that are surely meant; what the shell would make of the others nobody knows."""
    return tuple("." if word in ("*", "./*", ":/", ":") else word for word in arguments if word and word != "-")
