"""Watches: which worktrees nobody has touched since they were read, as the kernel tells (inotify, on Linux).

A status of 300 files costs a stat each; a watched worktree in which nothing happens costs nothing. Only for a process
that lives long. What cannot be watched (network mounts, submodules, no watches left) is simply never calm.
"""

from __future__ import annotations

from collections.abc import Collection

from gitqueen.git import inotify

_MASK = inotify.CREATE | inotify.DELETE | inotify.MODIFY | inotify.ATTRIB | inotify.MOVED | inotify.SELF

MOST = 50_000
"""Folders watched altogether: the kernel keeps about 1 KB for each, and has 8,192 to 1,048,576 of them a user."""


class Watches:
    """`read` what happened, look at what is not `calm`, `learn` what the look saw, and again."""

    def __init__(self) -> None:
        self.calm: set[str] = set()
        """Worktrees in which nothing happened since the last look at them, as of the last `read`."""
        self._folders: dict[str, dict[str, int]] = {}
        self._owners: dict[int, set[str]] = {}
        self._gits: set[int] = set()
        """Those of git's own folders."""
        self._kernel = inotify.open()

    def read(self) -> None:
        """Take in what happened since the last time."""
        if self._kernel is None:
            return
        for number, mask, name in self._kernel.read():
            if number in self._gits and name.endswith(b".lock"):
                continue  # every `git status` takes one and lets it go; what changes is renamed to what it is
            if mask & inotify.OVERFLOW:
                self.calm.clear()
            self.calm -= self._owners.get(number, set())
            if mask & inotify.IGNORED:
                self._forget(number)

    def learn(self, worktree: str, folders: Collection[str] | None) -> None:
        """`worktree` was read, and depends on `folders`. It is calm once all of them were watched before the look."""
        self.calm.discard(worktree)
        known = self._folders.setdefault(worktree, {})
        if folders is None or not self._watch(worktree, known, set(folders)):
            self.drop(worktree)

    def _watch(self, worktree: str, known: dict[str, int], wanted: set[str]) -> bool:
        """False where they cannot all be watched."""
        if self._kernel is None or len(self._owners) + len(wanted - known.keys()) > MOST:
            return False
        gone = {known.pop(folder) for folder in known.keys() - wanted}
        new = wanted - known.keys()
        for folder in new:
            try:
                number = self._kernel.add(folder, _MASK)
            except (FileNotFoundError, NotADirectoryError):
                continue  # removed meanwhile: it is not asked for the next time
            except OSError:
                return False  # no watches left, no right to read it
            known[folder] = number
            self._owners.setdefault(number, set()).add(worktree)
            if _is_gits(folder, worktree):
                self._gits.add(number)
        self._release(worktree, gone - set(known.values()))
        if not new:
            self.calm.add(worktree)
        return True

    def drop(self, worktree: str) -> None:
        """Watch it no more."""
        self.calm.discard(worktree)
        self._release(worktree, set(self._folders.pop(worktree, {}).values()))

    def keep(self, worktrees: Collection[str]) -> None:
        """Watch no others than these."""
        for worktree in self._folders.keys() - set(worktrees):
            self.drop(worktree)

    def _release(self, worktree: str, numbers: Collection[int]) -> None:
        for number in numbers:
            owners = self._owners.get(number, set())
            owners.discard(worktree)
            if not owners and self._owners.pop(number, None) is not None and self._kernel is not None:
                self._gits.discard(number)
                try:
                    self._kernel.remove(number)
                except OSError:
                    pass  # the folder is gone, and the watch with it

    def _forget(self, number: int) -> None:
        """The folder of a watch is gone."""
        self._gits.discard(number)
        for worktree in self._owners.pop(number, set()):
            known = self._folders.get(worktree, {})
            for folder in [folder for folder, its in known.items() if its == number]:
                del known[folder]

    def __len__(self) -> int:
        return len(self._owners)


def _is_gits(folder: str, worktree: str) -> bool:
    """Whether the folder is git's: it is not the worktree's own, or below its `.git`."""
    return f"{folder}/".startswith(f"{worktree}/.git/") or not f"{folder}/".startswith(f"{worktree}/")
