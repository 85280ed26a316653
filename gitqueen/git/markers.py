"""Markers: how a hook knows, by builtins of a shell, that somebody else may live in its repository.

Files `<git-common-dir>/gitqueen/live/<pid>`, and `claims` while somebody without such a marker holds paths there. One
too many costs milliseconds, one too few a warning: written before the commit that makes a sister live. What cannot be
written is told by False and never stops a command: the next scan mends it.
"""

from __future__ import annotations

import os

FOLDER, _LIVE, _CLAIMS = "gitqueen", "live", "claims"


def write(common_dir: str, pid: int, text: str) -> bool:
    """Say that `pid` lives here; `text`: who that is, which no hook reads."""
    folder = open_folder(common_dir, FOLDER, _LIVE)
    return folder is not None and _put(folder, str(pid), text)


def read(common_dir: str, pid: int) -> str:
    """What its marker says; nothing where there is none that can be read. From outside, as all of `.git`."""
    folder = open_folder(common_dir, FOLDER, _LIVE, make=False)
    if folder is None:
        return ""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with open(os.open(str(pid), flags, dir_fd=folder), "rb") as file:
            return os.fsdecode(file.read(16 * 1024))
    except OSError:
        return ""
    finally:
        os.close(folder)


def drop(common_dir: str, pid: int) -> bool:
    """False when there was none."""
    folder = open_folder(common_dir, FOLDER, _LIVE, make=False)
    return folder is not None and _remove(folder, str(pid))


def listed(common_dir: str) -> list[int]:
    folder = open_folder(common_dir, FOLDER, _LIVE, make=False)
    if folder is None:
        return []
    try:
        return sorted(int(name) for name in os.listdir(folder) if name.isascii() and name.isdigit())
    finally:
        os.close(folder)


def set_claims(common_dir: str, standing: bool) -> bool:
    """Say whether somebody without a marker of her own holds paths here."""
    folder = open_folder(common_dir, FOLDER, make=standing)
    if folder is None:
        return not standing
    return _put(folder, _CLAIMS, "") if standing else _remove(folder, _CLAIMS) or True


def prepare(common_dir: str) -> bool:
    """Make the folder by which a hook sees that this repository is managed."""
    folder = open_folder(common_dir, FOLDER)
    if folder is None:
        return False
    os.close(folder)
    return True


def clear(common_dir: str) -> None:
    """Take all markers away: the repository is managed no more."""
    for pid in listed(common_dir):
        drop(common_dir, pid)
    set_claims(common_dir, False)
    for parts in ((FOLDER, _LIVE), (FOLDER,)):
        if (above := open_folder(common_dir, *parts[:-1], make=False)) is not None:
            try:
                os.rmdir(parts[-1], dir_fd=above)
            except OSError:
                pass  # not there, or somebody else's files in it
            finally:
                os.close(above)


def open_folder(common_dir: str, *parts: str, make: bool = True) -> int | None:
    """A descriptor of the folder below `common_dir`, made when missing; None where it cannot be had.

    Step by step and without following links: a repository that came as an archive may have a link in its place, and
    nothing of ours may land where it leads.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    try:
        folder = os.open(common_dir, flags)
    except OSError:
        return None
    for part in parts:
        try:
            if make:
                try:
                    os.mkdir(part, dir_fd=folder)
                except FileExistsError:
                    pass
            below = os.open(part, flags | os.O_NOFOLLOW, dir_fd=folder)
        except OSError:
            return None
        finally:
            os.close(folder)
        folder = below
    return folder


def _put(folder: int, name: str, text: str) -> bool:
    try:
        file = os.open(
            name, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644, dir_fd=folder
        )
        try:
            # Never empty in between: cut off behind what is written.
            os.truncate(file, os.write(file, os.fsencode(f"{text}\n" if text else "")))
        finally:
            os.close(file)
        return True
    except OSError:
        return False
    finally:
        os.close(folder)


def _remove(folder: int, name: str) -> bool:
    try:
        os.unlink(name, dir_fd=folder)
        return True
    except OSError:
        return False
    finally:
        os.close(folder)
