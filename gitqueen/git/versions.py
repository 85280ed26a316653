"""Versions of a path: what commits and the index made of it, and whether one of them takes another one back.

By the git command, one process a question. What a path is, is one word: `MODE ID`, empty where there is nothing.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from gitqueen.git import blobs, process
from gitqueen.git.places import Place

MOST = 500
"""Changes that one look into history lists."""
LARGEST = 1 << 20
"""Bytes of a file of which it is looked at whether part of a change was taken back."""
_RAW = ("--raw", "-z", "--no-abbrev", "--ignore-submodules=none")


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one path. `commit`: by which one; empty for what is staged."""

    path: str
    before: str
    after: str
    commit: str = ""


def staged(place: Place, env: Mapping[str, str], paths: Sequence[str]) -> dict[str, Change]:
    """What the index makes of `paths`, against HEAD. Of one that went elsewhere, what it is there: it was moved."""
    return _moved(place, env, paths, "diff-index", "--cached", *_RAW, tail=("HEAD",))


def committed(place: Place, env: Mapping[str, str], oid: str, paths: Sequence[str]) -> dict[str, Change]:
    """What a commit with one parent made of `paths`; nothing of any other commit."""
    return _moved(place, env, paths, "diff-tree", "-r", "--no-commit-id", *_RAW, tail=(oid,))


def _moved(
    place: Place, env: Mapping[str, str], paths: Sequence[str], *args: str, tail: tuple[str, ...]
) -> dict[str, Change]:
    named = ("--", *paths)
    found = {one.path: one for one in _raw(_ask(place, env, *args, "--no-renames", *tail, *named))}
    if any(one.before and not one.after for one in found.values()):
        # A path alone does not say where it went: all of the change is asked.
        whole = _raw(_ask(place, env, *args, "--find-renames", "--diff-filter=R", *tail, "--"))
        found |= {one.path: one for one in whole if one.path in found and not found[one.path].after}
    return found


def since(place: Place, env: Mapping[str, str], base: str, head: str, paths: Sequence[str]) -> dict[str, list[Change]]:
    """Path -> what commits made of it that `head` has and `base` has not, the latest first. Merges are left out."""
    asked = ("log", *_RAW, "--no-renames", "--topo-order", "--format=%x01%H", f"--max-count={MOST}")
    return _by_path(_raw(_ask(place, env, *asked, f"{base}..{head}", "--", *paths)))


def made_by(
    place: Place, env: Mapping[str, str], oids: Collection[str], paths: Sequence[str]
) -> dict[str, list[Change]]:
    """Path -> what the commits `oids` made of it; those that are not here are left out."""
    asked = ("log", *_RAW, "--no-renames", "--no-walk=unsorted", "--ignore-missing", "--format=%x01%H")
    return _by_path(_raw(_ask(place, env, *asked, *oids, "--", *paths)))


def _by_path(changes: Sequence[Change]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for one in changes:
        found.setdefault(one.path, []).append(one)
    return found


def _ask(place: Place, env: Mapping[str, str], *args: str) -> bytes:
    where = place.folder
    asked = process.run("--literal-pathspecs", *args, cwd=where, env=_env(place, env), check=False)
    return asked.out if asked.code == 0 else b""


def _env(place: Place, env: Mapping[str, str]) -> dict[str, str]:
    return {**place.environment(env), **process.OFFLINE}


def _raw(output: bytes) -> list[Change]:
    """What git prints with `--raw -z`, with a line `\\x01COMMIT` before each commit's."""
    found, commit, words = list[Change](), "", iter(output.split(b"\0"))
    for word in words:
        word = word.lstrip(b"\n")
        if word.startswith(b"\x01"):
            commit = word[1:].decode("ascii", "replace").strip()
        elif word.startswith(b":"):  # :100644 100644 BEFORE AFTER M, then the path, of a rename both
            old, new, before, after, how = word[1:].split()
            path = os.fsdecode(next(words, b""))
            if how[:1] in (b"R", b"C"):
                next(words, b"")
            found.append(Change(path, _word(old, before), _word(new, after), commit))
    return found


def _word(mode: bytes, oid: bytes) -> str:
    return f"{mode.decode()} {oid.decode()}" if mode.strip(b"0") else ""


def on_disk(place: Place, env: Mapping[str, str], paths: Sequence[str]) -> dict[str, str]:
    """Path -> the id that git would give its file as it stands; those that are no plain files are left out."""
    top = place.worktree or ""
    plain = [path for path in paths if _plain(os.path.join(top, path)) and "\n" not in path and path[:1] != '"']
    if not plain:
        return {}
    feed = b"".join(os.fsencode(path) + b"\n" for path in plain)
    full = _env(place, env)
    asked = process.run("hash-object", "--stdin-paths", cwd=top, env=full, stdin=feed, check=False)
    ids = asked.out.decode("ascii", "replace").split()
    return dict(zip(plain, ids, strict=True)) if len(ids) == len(plain) else {}


def _plain(whole: str) -> bool:
    return os.path.isfile(whole) and not os.path.islink(whole)


def at(place: Place, env: Mapping[str, str], head: str, paths: Sequence[str]) -> dict[str, str] | None:
    """Path -> what it is in the commit `head`; None where there is no such commit."""
    where, full = place.folder, _env(place, env)
    asked = process.run(
        "--literal-pathspecs",
        "ls-tree",
        "-r",
        "-z",
        "--full-tree",
        head,
        "--",
        *paths,
        cwd=where,
        env=full,
        check=False,
    )
    if asked.code:
        return None
    entries = [entry.partition(b"\t") for entry in asked.out.split(b"\0") if entry]
    return {os.fsdecode(path): f"{facts.split()[0].decode()} {facts.split()[2].decode()}" for facts, _, path in entries}


def latest(place: Place, env: Mapping[str, str], head: str, path: str) -> str | None:
    """The last commit that changed `path`."""
    return _ask(place, env, "rev-list", "--max-count=1", head, "--", path).decode("ascii", "replace").strip() or None


def message(place: Place, oid: str) -> str:
    where = place.folder
    asked = process.run("show", "--no-patch", "--format=%B", oid, "--", cwd=where, check=False)
    return asked.out.decode("utf-8", "replace")


def includes(place: Place, env: Mapping[str, str], head: str, oid: str) -> bool:
    """Whether `head` has the commit `oid` in its history."""
    where, full = place.folder, _env(place, env)
    return process.run("merge-base", "--is-ancestor", oid, head, cwd=where, env=full, check=False).code == 0


def takes_back(place: Place, env: Mapping[str, str], change: Change, now: str) -> bool:
    """Whether `now` has nothing left of `change`, though it may have other changes beside: to revert the change on top
    of `now` is then no change at all."""
    states = (now, change.after, change.before)
    kinds = {word.partition(" ")[0][:3] for word in states}
    ids = [word.partition(" ")[2] for word in states]
    if kinds != {"100"} or ids[1] == ids[2]:
        return False
    contents = _contents(place, env, ids)
    if contents is None or _shows(*(set(content.splitlines()) for content in contents)):
        return False
    import tempfile  # only where two sisters changed the same file

    with tempfile.TemporaryDirectory(prefix="gitqueen-") as folder:
        files = [os.path.join(folder, name) for name in ("now", "after", "before")]
        for file, content in zip(files, contents, strict=True):
            with open(file, "wb") as out:
                out.write(content)
        merged = process.run("merge-file", "--stdout", "--quiet", *files, cwd=folder, check=False)
    return merged.code == 0 and merged.out == contents[0]


def _shows(now: set[bytes], after: set[bytes], before: set[bytes]) -> bool:
    """Whether lines say already that the change is still there: one that it brought is, or one that it took is not."""
    return not now.isdisjoint(after - before) or not before - after <= now


def _contents(place: Place, env: Mapping[str, str], ids: Sequence[str]) -> list[bytes] | None:
    """The contents of blobs; None where one is missing, or larger than is looked at."""
    full = _env(place, env)

    def git(*args: str, stdin: bytes | None = None, check: bool = False) -> process.Result:
        return process.run(*args, cwd=place.folder, env=full, stdin=stdin, check=check)

    found = blobs.read(git, ids, LARGEST)
    return [found[oid] for oid in ids] if set(ids) <= found.keys() else None
