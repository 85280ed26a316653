"""Hook files as bytes: read, replaced whole, removed. What they hold is `hooktext`, which of them count is `hooks`.

A repository that came as an archive may have anything in their place, a FIFO, a device, a file without end: none of it
is waited for or taken in.
"""

from __future__ import annotations

import os
import stat

from gitqueen import errors

_LARGEST = 1 << 20


def read(path: str) -> bytes | None:
    """The text of a hook file; None where there is none, nothing where it is no readable file of a sane size."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return b""
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            text = file.read(_LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return b"" if os.path.islink(path) else None  # a link to nowhere is there all the same
    except OSError:
        return b""
    return text if len(text) <= _LARGEST else b""


def write(path: str, text: bytes, runs: bool) -> None:
    """Replace the hook file `path` whole, or make it with its folder; it keeps its rights. `runs`: executable."""
    executable = 0o111 & ~_umask()
    try:
        mode = os.stat(path).st_mode & 0o7777 | (executable if runs else 0)
    except OSError:  # not there, or not to be had: writing will say it
        mode = 0o666 & ~_umask() | executable
    part = f"{path}.gitqueen-{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o700)
        with open(descriptor, "wb") as file:
            file.write(text)
            os.fchmod(file.fileno(), mode)
        os.replace(part, path)
    except OSError as fault:
        try:
            os.unlink(part)
        except OSError:
            pass
        raise _unwritable(path, fault) from None


def remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as fault:
        raise _unwritable(path, fault) from None


def _unwritable(path: str, fault: OSError) -> errors.CannotWork:
    folder = os.path.dirname(path)
    return errors.CannotWork(f"{path} cannot be written: {fault.strerror}", hint=f"look at the rights of {folder}")


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
