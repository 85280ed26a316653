"""Retaining: what a settings file was before us, as a copy beside it and by checksum in `$GITQUEEN_HOME/agents.json`.

So that leaving can give it back byte for byte, and can tell whether somebody else has written it since. Also what the
user was asked already.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from gitqueen import errors, settings
from gitqueen.senses import settingsfiles

_Book = dict[str, dict[str, object]]


def untouched(env: Mapping[str, str], path: str, text: bytes | None) -> bool:
    """Whether the file is, with `text`, as we wrote it."""
    record = _read(env)["files"].get(path)
    return isinstance(record, dict) and text is not None and record.get("after") == _sum(text)


def known(env: Mapping[str, str], path: str) -> bool:
    """Whether we ever wrote it."""
    return path in _read(env)["files"]


def whole(env: Mapping[str, str], path: str) -> bool:
    """Whether we still have what the file was before us; also when there was none."""
    record = _read(env)["files"].get(path)
    return isinstance(record, dict) and "before" in record and record["before"] == _sum(kept(path))


def kept(path: str) -> bytes | None:
    """The copy of what it was before us."""
    return settingsfiles.read(_copy(path))


def _copy(path: str) -> str:
    return f"{path}.before-gitqueen"


@contextmanager
def aside(env: Mapping[str, str], path: str, before: bytes | None, after: bytes) -> Iterator[None]:
    """Put `before` aside, then let the file be written as `after`; where that fails nothing has happened."""
    was, folder = kept(path), os.path.dirname(os.path.realpath(path))
    made = _made(env, path) or not os.path.isdir(folder)
    _put(path, before)
    try:
        yield
    except errors.GitqueenError:
        _put(path, was)
        raise
    _record(env, path, {"before": _sum(before), "after": _sum(after), **({"folder": folder} if made else {})})


def _made(env: Mapping[str, str], path: str) -> bool:
    """Whether there was no folder for it before us."""
    record = _read(env)["files"].get(path)
    return isinstance(record, dict) and "folder" in record


def _put(path: str, text: bytes | None) -> None:
    if text is None:
        settingsfiles.remove(_copy(path))
    else:
        settingsfiles.write(_copy(path), text, like=path)


def renew(env: Mapping[str, str], path: str, after: bytes) -> None:
    """We wrote the file once more, and nobody else had: what it was before us stays what it was."""
    record = _read(env)["files"].get(path)
    _record(env, path, {**(record if isinstance(record, dict) else {}), "after": _sum(after)})


def forget(env: Mapping[str, str], kind: str, paths: set[str]) -> None:
    """Nothing in the files `paths` of the agent `kind` is ours any more."""
    if paths.isdisjoint(_read(env)["files"]):
        return
    with alone(env):
        book = _read(env)
        ours = paths & book["files"].keys()
        for path in ours:
            settingsfiles.remove(_copy(path))
        gone = [book["files"].pop(path) for path in ours]
        book["asked"].pop(kind, None)
        _write(env, book)
    for record in gone:
        if isinstance(record, dict) and isinstance(folder := record.get("folder"), str):
            settingsfiles.remove_folder(folder)


def asked(env: Mapping[str, str], kind: str) -> list[object]:
    """What the user was asked about the agent `kind`, whatever the answer."""
    said = _read(env)["asked"].get(kind)
    return said if isinstance(said, list) else []


def remember_asked(env: Mapping[str, str], kind: str, extra: str) -> None:
    with alone(env):
        book = _read(env)
        book["asked"][kind] = [*asked(env, kind), extra]
        _write(env, book)


@contextmanager
def alone(env: Mapping[str, str]) -> Iterator[None]:
    """Nobody else enrolls meanwhile."""
    import fcntl

    home = settings.read(env).home
    try:
        os.makedirs(home, mode=0o700, exist_ok=True)
        lock = os.open(os.path.join(home, "agents.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as fault:
        raise errors.Unwritable(f"{home} cannot be written: {fault.strerror}", hint="look at its rights") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _sum(text: bytes | None) -> str | None:
    return None if text is None else hashlib.sha256(text).hexdigest()


def _path(env: Mapping[str, str]) -> str:
    return os.path.join(settings.read(env).home, "agents.json")


def _read(env: Mapping[str, str]) -> _Book:
    """What we wrote where; empty where there is none or it makes no sense."""
    try:
        said = json.loads(settingsfiles.read(_path(env)) or b"{}")
    except (ValueError, RecursionError):
        said = {}
    book = said if isinstance(said, dict) else {}
    return {part: dict(book[part]) if isinstance(book.get(part), dict) else {} for part in ("files", "asked")}


def _record(env: Mapping[str, str], path: str, record: Mapping[str, object]) -> None:
    book = _read(env)
    book["files"][path] = dict(record)
    _write(env, book)


def _write(env: Mapping[str, str], book: _Book) -> None:
    settingsfiles.write(_path(env), json.dumps(book, indent=1).encode() + b"\n")
