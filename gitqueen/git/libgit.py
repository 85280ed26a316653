"""pygit2, and nothing of it anywhere else: reading repositories in processes that live long enough to import it.

What libgit2 cannot open (reftable, SHA-256, sparse and split indexes) or may be wrong about (what is left out of a
sparse tree looks deleted, filtered files look changed) is read by the git command.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pygit2
from pygit2.enums import DeltaStatus, DiffOption, FileStatus

from gitqueen.git import process, staging
from gitqueen.git.places import Place
from gitqueen.model import merges
from gitqueen.model.merges import Clash, Merge
from gitqueen.tracing import step

_CALM = (FileStatus.CURRENT, FileStatus.IGNORED)
_UNKNOWN = ("filter", "working-tree-encoding")
"""Attributes by which git makes other content, and libgit2 does not."""
_MOST_ASKED = 50
"""Attributes cost 0.06 ms a path: beyond this, git's own status (3 ms) is the shorter way."""


@dataclass(frozen=True, slots=True)
class Follows:
    """The branch that a branch follows, and how many commits it is ahead of it and behind it (None: it is gone)."""

    name: str
    ahead: int | None
    behind: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A worktree at one moment."""

    head: str | None
    """Commit id; None on an unborn branch."""
    changed: tuple[str, ...]
    """Paths from the top that are changed, staged or untracked (not ignored)."""
    untracked: int = field(default=0, compare=False)
    """How many of them are untracked."""
    follows: Follows | None = field(default=None, compare=False)


def look(worktree: str) -> Seen:
    """HEAD and changed paths of `worktree`; raises `errors.GitFailed` where neither pygit2 nor git can tell."""
    with step("git", f"status of {worktree}"):
        try:
            seen = by_libgit(worktree)
        except (pygit2.GitError, KeyError, ValueError):
            seen = None  # unknown extension, broken index, foreign owner: git itself says what it is
        return seen or by_git(worktree)


def by_libgit(worktree: str) -> Seen | None:
    """What libgit2 sees; None where that may be wrong."""
    repository = pygit2.Repository(worktree)
    if _other_settings(repository):
        return None
    head = None if repository.head_is_unborn else repository.head
    flags = _unstaged(repository, head) if head is not None else None
    if flags is None:
        flags = repository.status(untracked_files="all", ignored=False)
    if _doubtful(repository, flags):
        return None
    return Seen(
        None if head is None else str(head.target),
        tuple(sorted(path.rstrip("/") for path, flag in flags.items() if flag not in _CALM)),
        sum(1 for flag in flags.values() if flag & FileStatus.WT_NEW),
        _follows(repository, head) if head is not None else None,
    )


_UNSTAGED = {DeltaStatus.UNTRACKED: FileStatus.WT_NEW, DeltaStatus.MODIFIED: FileStatus.WT_MODIFIED}
_LIKE_STATUS = DiffOption.INCLUDE_UNTRACKED | DiffOption.RECURSE_UNTRACKED_DIRS | DiffOption.INCLUDE_TYPECHANGE


def _unstaged(repository: pygit2.Repository, head: pygit2.Reference) -> dict[str, int] | None:
    """What a status says where nothing is staged, without comparing HEAD with the index: a third of a status.

    None where that is not sure, or where there is more to be seen than edits and new files.
    """
    if _index_tree(repository.path) != head.peel(pygit2.Commit).tree_id.raw:
        return None
    flags = dict[str, int]()
    for delta in repository.index.diff_to_workdir(_LIKE_STATUS).deltas:
        if delta.status not in _UNSTAGED:
            return None
        flags[delta.new_file.path] = _UNSTAGED[delta.status]
    return flags


_ID = 20
"""Bytes of a SHA-1; a repository with longer ones is not libgit2's."""


def _index_tree(git_dir: str) -> bytes | None:
    """The tree that the index would be committed as, where git has written that beside its entries (gitformat-index:
    extensions, each a signature, a length and its bytes, between the entries and the checksum)."""
    try:
        with open(os.path.join(git_dir, "index"), "rb") as file:
            raw = file.read()
    except OSError:
        return None
    end = len(raw) - _ID
    at = start = raw.rfind(b"TREE", 0, end)
    while 0 <= at < end:
        at += 8 + int.from_bytes(raw[at + 4 : at + 8], "big")
    if start < 0 or at != end:
        return None  # none, or four letters of something else
    # Its root: no name, how many entries it covers (-1: it is no longer true), how many trees below, its id.
    root = _ROOT.match(raw, start + 8)
    return root[1] if root else None


_ROOT = re.compile(rb"\0\d+ \d+\n(.{20})", re.DOTALL)


def _follows(repository: pygit2.Repository, head: pygit2.Reference) -> Follows | None:
    if repository.head_is_detached:
        return None
    try:
        branch = repository.branches.local[head.shorthand]
        name = branch.upstream_name.removeprefix("refs/remotes/").removeprefix("refs/heads/")
    except (KeyError, ValueError):  # ValueError: a name that is no UTF-8
        return None
    theirs: pygit2.Branch | None = branch.upstream  # its types do not know that it may be gone
    if theirs is None:
        return Follows(name, None, None)
    if theirs.target == branch.target:
        return Follows(name, 0, 0)
    return Follows(name, *repository.ahead_behind(branch.target, theirs.target))


def by_git(worktree: str, quickly: bool = False, patience: float = 30.0) -> Seen:
    """What git sees, at the price of two processes.

    `quickly`: with the file system monitor, where the user has one running for this worktree.
    """
    asked = process.run("rev-parse", "--verify", "--quiet", "HEAD", cwd=worktree, check=False)
    # Only git's own: a repository's configuration may name any program here.
    monitor = ("-c", "core.fsmonitor=true") if quickly and _monitored(worktree) else ()
    status = process.run(*monitor, *staging.STATUS, "--branch", cwd=worktree, timeout=patience)
    first, _, rest = status.out.partition(b"\0")
    untracked = sum(1 for entry in rest.split(b"\0") if entry.startswith(b"?? "))
    head = asked.out.decode("ascii").strip() or None
    return Seen(head, tuple(sorted(staging.changed(rest))), untracked, _header(os.fsdecode(first)))


def _monitored(worktree: str) -> bool:
    asked = process.run("rev-parse", "--git-path", "fsmonitor--daemon.ipc", cwd=worktree, check=False)
    return os.path.exists(os.path.join(worktree, os.fsdecode(asked.out).rstrip("\n")))


_HEADER = re.compile(r"## .+?\.\.\.(?P<name>\S+)(?: \[(?:gone|(?:ahead (\d+))?(?:, )?(?:behind (\d+))?)\])?")


def _header(line: str) -> Follows | None:
    """`## main...origin/main [ahead 1, behind 2]`"""
    found = _HEADER.fullmatch(line)
    if found is None:
        return None
    if line.endswith(" [gone]"):
        return Follows(found["name"], None, None)
    return Follows(found["name"], int(found[2] or 0), int(found[3] or 0))


MOST_FOLDERS = 20_000
"""Folders of one worktree beyond which nobody watches them."""


def folders(place: Place) -> tuple[str, ...] | None:
    """The folders where something must change before `look` sees anything else; None where that cannot be told.

    Those of the worktree that git does not ignore, and those of the git folder where HEAD, index and branches are.
    """
    assert place.worktree is not None
    try:
        repository = pygit2.Repository(place.worktree)
        found = None if _other_settings(repository) else _worktree_folders(repository, place.worktree)
    except (pygit2.GitError, KeyError, ValueError, OSError):
        return None
    if found is None:
        return None
    found += {place.git_dir, place.common_dir, *(os.path.join(place.common_dir, one) for one in ("info", "refs"))}
    for kind in ("heads", "remotes"):
        found += [top for top, _, _ in os.walk(os.path.join(place.common_dir, "refs", kind))]
    return tuple(found) if len(found) <= MOST_FOLDERS else None


def _worktree_folders(repository: pygit2.Repository, worktree: str) -> list[str] | None:
    found, left = list[str](), [""]
    tracked: set[str] | None = None
    while left and len(found) <= MOST_FOLDERS:
        folder = left.pop()
        path = os.path.join(worktree, folder) if folder else worktree
        found.append(path)
        with os.scandir(path) as entries:
            inside = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        if folder and any(name == ".git" for name, _ in inside):
            return None  # what happens inside a submodule changes the status here
        for name in (name for name, is_dir in inside if is_dir and name != ".git"):
            one = os.path.join(folder, name)
            if repository.path_is_ignored(one + "/"):
                # Read only where something is ignored: an index of 300 files costs 2 ms. Files in an ignored folder
                # may have been added by force.
                tracked = _tracked_folders(repository) if tracked is None else tracked
                if one not in tracked:
                    continue
            left.append(one)
    return found


def _tracked_folders(repository: pygit2.Repository) -> set[str]:
    known = {""}
    for entry in repository.index:
        folder = os.path.dirname(entry.path)
        while folder not in known:
            known.add(folder)
            folder = os.path.dirname(folder)
    return known


def _other_settings(repository: pygit2.Repository) -> bool:
    """Whether git's configuration says more than libgit2 reads of it."""
    own = os.environ.get("GIT_CONFIG_GLOBAL")
    if own is not None and own != os.path.expanduser("~/.gitconfig"):
        return True
    return any(entry.name.startswith("includeif.hasconfig:") for entry in repository.config)


def _doubtful(repository: pygit2.Repository, flags: Mapping[str, int]) -> bool:
    # Deleted, or left out of a sparse tree: libgit2 does not tell. What it calls clean is clean.
    if any(flag & FileStatus.WT_DELETED for flag in flags.values()):
        return True
    modified = [path for path, flag in flags.items() if flag & FileStatus.WT_MODIFIED]
    if len(modified) > _MOST_ASKED:
        return True
    return any(repository.get_attr(path, name) for path in modified for name in _UNKNOWN)


def merge(place: Place, env: Mapping[str, str], pair: tuple[str, str]) -> Merge:
    """A hint at what a merge would give, where git is too old to say it: libgit2 knows fewer renames and none of the
    drivers (over 3,600 real merges it named 80 to 100 % of the conflicted files, and 0 to 33 % too many).

    `env`: of drafts, into which libgit2 writes what it merges."""
    try:
        repository = pygit2.Repository(place.git_dir)
        objects = pygit2.Odb(env["GIT_OBJECT_DIRECTORY"])
        for other in re.findall(r'"((?:[^"\\]|\\.)*)"', env["GIT_ALTERNATE_OBJECT_DIRECTORIES"]):
            objects.add_disk_alternate(re.sub(r"\\(.)", r"\1", other))
        repository.set_odb(objects)
        ours, theirs = (repository[oid].peel(pygit2.Commit) for oid in pair)
        index = repository.merge_commits(ours, theirs)
    except (pygit2.GitError, KeyError, ValueError) as fault:
        return Merge(merges.UNKNOWN, why=f"libgit2 cannot tell: {fault}", hint=True)
    sides = {
        next(entry.path for entry in three if entry is not None): [entry is not None for entry in three]
        for three in index.conflicts or ()
    }
    clashes = tuple(Clash(path, _kind(*there)) for path, there in sorted(sides.items()))
    return Merge(merges.CONFLICT if clashes else merges.CLEAN, clashes, hint=True)


def _kind(base: bool, ours: bool, theirs: bool) -> str:
    if not base:
        return merges.ADDED_TWICE
    return merges.CONTENT if ours and theirs else merges.MODIFY_DELETE
