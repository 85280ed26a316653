"""States: all that stands in a worktree as one commit on its HEAD, what `git add -A` and `git commit` would make of it.

By a copy of the index, so that the real one and whoever holds its lock are left alone, and into drafts, so that the
repository gets nothing. Right with filters, sparse and split indexes, SHA-256 and in the middle of a merge.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from gitqueen import errors
from gitqueen.git import drafts, process, staging
from gitqueen.git.places import Place

LARGEST = 20 * 1024 * 1024
"""Bytes of a file above which its content is left out: hashing and packing 100 MB takes seconds."""

MOST = 10 * LARGEST
"""Bytes of all files together: data that somebody has not ignored yet may be gigabytes."""
_MOST_FOLDERS = 500
"""Folders that one command names."""


@dataclass(frozen=True, slots=True)
class State:
    """What a worktree would be, were all of it committed now."""

    commit: str
    """HEAD itself where nothing is uncommitted; else a draft, always the same for the same content on the same HEAD."""
    head: str | None
    """None on an unborn branch, and of what is staged."""
    left_out: tuple[str, ...] = ()
    """Paths of which it does not say what stands there: too large, not readable, or not merged yet."""

    @property
    def clean(self) -> bool:
        return self.commit == self.head


def take(place: Place, changed: Collection[str] | None = None, patience: float = 60.0) -> State:
    """The state of a worktree, tracked and untracked. `changed`: the paths that alone may differ from HEAD, where
    somebody has just looked; none of them: HEAD. Raises `errors.GitFailed` where git cannot tell."""
    head = _head(place, process.without_local(os.environ))
    if changed is not None and not changed and head is not None and not place.busy:
        return State(head.oid, head.oid)
    env = drafts.environment(place.common_dir)
    with _index(place, os.path.join(place.git_dir, "index")) as index:
        env["GIT_INDEX_FILE"] = index
        unmerged = _unmerged(place, env) if place.busy else []
        if changed is None:
            asked = _git(place, env, "ls-files", "-m", "-d", "-o", "--exclude-standard", "-z", patience=patience)
            changed = staging.paths(asked.out)
        left_out = _add(place, env, [*dict.fromkeys((*changed, *unmerged))], patience)
        return _commit(place, env, head, {*left_out, *unmerged})


def staged(place: Place, env: Mapping[str, str]) -> State:
    """What the commit that is being made will be; `env`: of its hook, which names the index that git uses for it."""
    full = drafts.environment(place.common_dir, env=place.environment(env))
    named = env.get("GIT_INDEX_FILE") or os.path.join(place.git_dir, "index")
    with _index(place, os.path.join(place.worktree or "", named)) as index:
        full["GIT_INDEX_FILE"] = index
        tree = _git(place, full, "write-tree").out.decode("ascii").strip()
        # Of no age in particular, and HEAD by name: nobody asks for it twice, and somebody waits.
        parents = [word for name in ("HEAD", *staging.merged(place)) for word in ("-p", name)]
        made = _git(place, {**full, **_signed("")}, "commit-tree", *parents, tree, stdin=_MESSAGE, check=False)
        if made.code == 0:
            return State(made.out.decode("ascii").strip(), None)
        return _commit(place, full, _head(place, full), ())  # an unborn branch


@dataclass(frozen=True, slots=True)
class _Head:
    oid: str
    tree: str
    at: str
    """When it was committed (Unix time)."""


def _head(place: Place, env: Mapping[str, str]) -> _Head | None:
    asked = _git(place, env, "rev-list", "--no-walk", "--format=%H %T %ct", "HEAD", "--", check=False)
    words = asked.out.decode("ascii", "replace").rpartition("\n")[0].rpartition("\n")[2].split()
    if len(words) == 3:
        return _Head(*words)
    born = _git(place, env, "rev-parse", "--verify", "--quiet", "HEAD", check=False)
    if born.code == 0:
        raise errors.GitFailed(f"the commit of HEAD cannot be read in {place.worktree}: {asked.err}")
    return None


def _git(place: Place, env: Mapping[str, str], *args: str, stdin: bytes | None = None, patience: float = 30.0,
         check: bool = True) -> process.Result:  # fmt: skip
    own = ("-c", f"lfs.storage={drafts.top(place.common_dir)}/lfs")  # where git-lfs puts a copy of what it is shown
    return process.run(
        *drafts.QUIETLY, *own, *args, cwd=place.worktree, env=env, stdin=stdin, timeout=patience, check=check
    )


@contextmanager
def _index(place: Place, real: str) -> Iterator[str]:
    """A copy of the index, among the drafts, so that a crash leaves nothing in the git folder; gone afterwards."""
    copy = os.path.join(drafts.top(place.common_dir), f"index.{os.getpid()}")
    try:
        try:
            # With its time: git takes a file that was written later than the index for one that may have changed.
            _copy(real, copy)
        except FileNotFoundError:
            pass  # nothing was ever added
        except OSError as fault:
            raise errors.GitFailed(f"{real} cannot be copied: {fault.strerror or fault}") from None
        yield copy
    finally:
        for left in (copy, f"{copy}.lock"):
            try:
                os.unlink(left)
            except OSError:
                pass


def _copy(real: str, copy: str) -> None:
    # By hand: importing shutil costs a hook 4 ms.
    with open(real, "rb") as file, open(copy, "wb") as to:
        seen = os.fstat(file.fileno())
        to.write(file.read())
    os.utime(copy, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def _unmerged(place: Place, env: Mapping[str, str]) -> list[str]:
    asked = _git(place, env, "ls-files", "-u", "-z")
    return list(dict.fromkeys(os.fsdecode(line.partition(b"\t")[2]) for line in asked.out.split(b"\0") if line))


def _add(place: Place, env: Mapping[str, str], paths: Sequence[str], patience: float) -> list[str]:
    """Put what stands at `paths` into the index of `env`; returns those that it was not done for."""
    left_out, fits, folders, total = list[str](), list[str](), list[str](), 0
    for path in paths:
        try:
            found = os.lstat(os.path.join(place.worktree or "", path))
        except OSError:
            fits.append(path)  # deleted
            continue
        if stat.S_ISDIR(found.st_mode):
            folders.append(path.rstrip("/"))
        elif found.st_size <= LARGEST and total + found.st_size <= MOST:
            fits.append(path)
            total += found.st_size
        else:
            left_out.append(path)
    if folders:
        modules, files = _known(place, env, folders)
        fits += modules
        if files:  # a folder stands where a file was, and what is in it comes by itself
            stdin = b"".join(os.fsencode(path) + b"\0" for path in files)
            _git(place, env, "update-index", "--force-remove", "-z", "--stdin", stdin=stdin, patience=patience)
    if not fits:
        return left_out
    asked = _update(place, env, fits, patience)
    if asked.code:
        blocked = [path for path in fits if not _readable(os.path.join(place.worktree or "", path))]
        left_out += blocked
        fits = [path for path in fits if path not in set(blocked)]
        if (asked := _update(place, env, fits, patience)).code:
            raise errors.GitFailed(f"what stands in {place.worktree} cannot be told: {asked.err}", stderr=asked.err)
    return left_out


def _known(place: Place, env: Mapping[str, str], folders: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those of `folders` that the index has as submodules, and as files; a repository inside this one is neither."""
    args = ("--literal-pathspecs", "ls-files", "--stage", "-z", "--", *folders[:_MOST_FOLDERS])
    entries = [entry.partition(b"\t") for entry in _git(place, env, *args).out.split(b"\0") if entry]
    found = {os.fsdecode(path): facts[:6] == b"160000" for facts, _, path in entries}
    there = [path for path in folders if path in found]
    return [path for path in there if found[path]], [path for path in there if not found[path]]


def _update(place: Place, env: Mapping[str, str], paths: Sequence[str], patience: float) -> process.Result:
    stdin = b"".join(os.fsencode(path) + b"\0" for path in paths)
    args = ("update-index", "--add", "--remove", "--replace", "-z", "--stdin")
    return _git(place, env, *args, stdin=stdin, patience=patience, check=False)


def _readable(path: str) -> bool:
    if not os.path.lexists(path) or os.path.islink(path):
        return True
    if os.path.isdir(path):
        return os.path.exists(os.path.join(path, ".git"))
    return os.access(path, os.R_OK)


def _commit(place: Place, env: Mapping[str, str], head: _Head | None, left_out: Collection[str]) -> State:
    tree = _git(place, env, "write-tree").out.decode("ascii").strip()
    merged, also = staging.merged(place), tuple(sorted(left_out))
    if head is not None and head.tree == tree and not merged:
        return State(head.oid, head.oid, also)
    # As old as its parent: git finds merge bases by dates, and the same content must give the same commit.
    signed = _signed(f"@{head.at if head else 0} +0000")
    parents = [word for oid in ([head.oid] if head else []) + merged for word in ("-p", oid)]
    made = _git(place, {**env, **signed}, "commit-tree", *parents, tree, stdin=_MESSAGE)
    return State(made.out.decode("ascii").strip(), head.oid if head else None, also)


_MESSAGE = b"what stands in a worktree\n"


def _signed(date: str) -> dict[str, str]:
    """Who made it; `date` empty: now."""
    who = {"NAME": "gitqueen", "EMAIL": "gitqueen@localhost", **({"DATE": date} if date else {})}
    return {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
