"""The settings files of agents: where they stand, read as they are, replaced whole.

The only writer in another program's folder. A link is followed and stays one; rights stay; what is not a plain file, or
says by its rights that nobody is to write it, is refused.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from gitqueen import errors

LARGEST = 16 << 20
"""Bytes; what is larger is nobody's settings."""

_FOLDERS = {"claude": ("CLAUDE_CONFIG_DIR", "", ".claude"), "codex": ("CODEX_HOME", "", ".codex")}
_FOLDERS["gemini"] = ("GEMINI_CLI_HOME", ".gemini", ".gemini")


def folder(kind: str, env: Mapping[str, str]) -> str:
    """The agent's own folder, as the agent itself finds it."""
    variable, inside, usual = _FOLDERS[kind]
    if env.get(variable):
        return os.path.abspath(os.path.join(env[variable], inside)).rstrip("/")
    return os.path.join(env.get("HOME") or os.path.expanduser("~"), usual)


def installed(kind: str, env: Mapping[str, str], ours: str) -> bool:
    """Whether the agent is on this machine: its program is on the PATH, or its folder holds more than `ours`."""
    import shutil

    if shutil.which(kind, path=env.get("PATH")) is not None:
        return True
    there = folder(kind, env)
    try:
        return any(os.path.join(there, name) != ours for name in os.listdir(there))
    except OSError:
        return False


def read(path: str) -> bytes | None:
    """What stands in the file; None where there is none. Raises `errors.CannotWork`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as fault:
        raise errors.CannotWork(f"{path} cannot be read: {fault.strerror}", hint="look at its rights") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise errors.CannotWork(f"{path} is no plain file", hint="put one in its place")
    with open(descriptor, "rb") as file:
        text = file.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise errors.CannotWork(f"{path} has more than {LARGEST >> 20} MB", hint="look at what is in it")
    return text


def write(path: str, text: bytes, like: str | None = None) -> None:
    """Replace the file whole, or make it with its folder. `like`: it gets the rights of that file."""
    real = os.path.realpath(path)
    model = _stat(os.path.realpath(like) if like else real)
    if model is not None and not model.st_mode & stat.S_IWUSR and like is None:
        raise errors.CannotWork(f"{path} is read-only", hint=f"chmod u+w {path}   (and run it again)")
    part = f"{real}.gitqueen-{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(real), mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(part, flags, 0o600), "wb") as file:
            file.write(text)
            file.flush()
            if model is not None:
                if model.st_uid != os.geteuid():
                    os.fchown(file.fileno(), model.st_uid, model.st_gid)  # under sudo it stays the user's
                os.fchmod(file.fileno(), stat.S_IMODE(model.st_mode))
            os.fsync(file.fileno())
        os.replace(part, real)
    except OSError as fault:
        try:
            os.unlink(part)
        except OSError:
            pass
        raise _unwritable(path, real, fault) from None


def remove(path: str) -> None:
    """The file goes; a link to it stays."""
    try:
        os.unlink(os.path.realpath(path))
    except FileNotFoundError:
        pass
    except OSError as fault:
        raise _unwritable(path, os.path.realpath(path), fault) from None


def remove_folder(path: str) -> None:
    """The folder goes if nothing is in it."""
    try:
        os.rmdir(path)
    except OSError:
        pass


def _stat(real: str) -> os.stat_result | None:
    try:
        return os.stat(real)
    except OSError:
        return None


def _unwritable(path: str, real: str, fault: OSError) -> errors.CannotWork:
    return errors.CannotWork(
        f"{path} cannot be written: {fault.strerror}",
        hint=f"look at the rights of {os.path.dirname(real)}; inside an agent's sandbox: run this outside it",
    )
