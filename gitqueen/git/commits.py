"""Commits that are made already: what each of them changed, and which ones came to a branch.

By the git command, one process a question: only drains and scans ask, never a hook that somebody waits for.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence

from gitqueen.git import process, staging
from gitqueen.git.places import Place

MOST = 1000
"""New commits that one look lists; a fetch may bring more, and those are nobody's here."""

MOST_AHEAD = 5000
"""Commits ahead of ours in which others' are looked for."""

MOST_NAMED = 500
"""Paths that one command names."""


def head(place: Place) -> str | None:
    """The commit that HEAD of a worktree is; None on an unborn branch."""
    asked = process.run("rev-parse", "--verify", "-q", "HEAD^{commit}", cwd=place.folder, check=False)
    return asked.out.decode("ascii", "replace").strip() or None


def beyond(place: Place, oids: Sequence[str]) -> set[str]:
    """Those of the commits `oids` that HEAD does not have in its history; all, where one is gone altogether."""
    args = ("rev-list", "--no-walk=unsorted", *oids, "--not", "HEAD", "--")
    asked = process.run(*args, cwd=place.folder, check=False)
    return set(asked.out.decode("ascii", "replace").split()) if asked.code == 0 else set(oids)


def named(place: Place, word: str) -> str | None:
    """The commit that somebody calls `word`: a branch, a tag, `HEAD~2`...; None where there is none."""
    args = ("rev-parse", "--verify", "--quiet", "--end-of-options", word + "^{commit}")
    asked = process.run(*args, cwd=place.folder, check=False)
    return asked.out.decode("ascii", "replace").strip() or None if asked.code == 0 else None


def changed(place: Place, oid: str) -> list[str]:
    """Paths from the top that `oid` changed; of a merge only those that differ from every parent (INCIDENTS 12)."""
    args = ("diff-tree", "-r", "-c", "--root", "--no-commit-id", "--name-only", "--no-renames", "-z", oid, "--")
    asked = process.run(*args, cwd=place.folder, check=False)
    return sorted(set(staging.paths(asked.out))) if asked.code == 0 else []


def parents(place: Place, oid: str) -> int:
    asked = process.run("rev-list", "--no-walk", "--parents", oid, "--", cwd=place.folder, check=False)
    return max(0, len(asked.out.split()) - 1)


def rebasing(place: Place) -> bool:
    """Whether what moved HEAD last was a rebase that begins: at its checkout only the reflog knows of it."""
    try:
        with open(os.path.join(place.git_dir, "logs", "HEAD"), "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            words = file.read().rstrip(b"\n").rpartition(b"\n")[2].partition(b"\t")[2]
    except OSError:
        return False
    return words.startswith(b"rebase") or b" (start): checkout " in words


def reached(place: Place, oid: str) -> bool:
    """Whether HEAD of a worktree has `oid` in its history; not when nobody here has ever seen it."""
    return process.run("merge-base", "--is-ancestor", oid, "HEAD", cwd=place.folder, check=False).code == 0


def new(place: Place, before: str, after: str) -> list[str]:
    """The commits that `after` has and neither `before` nor any other branch had, the oldest first: what a merge or a
    fast-forward brought from another branch was not made here."""
    others = [f"--exclude={place.branch}"] if place.branch else []
    args = ("rev-list", "--reverse", f"--max-count={MOST}", after, "--not", before, "--remotes", *others, "--branches")
    asked = process.run(*args, "--", cwd=place.folder, check=False)
    return asked.out.decode("ascii", "replace").split() if asked.code == 0 else []


def tip(here: Place, there: Place) -> str | None:
    """What git `here` may call HEAD of another worktree of the same repository or of a clone; None on an unborn branch.

    Asked anew each time: what the scan saw may be 30 s old."""
    if there.common_dir != here.common_dir:
        return head(there)
    return "main-worktree/HEAD" if there.git_dir == there.common_dir else f"worktrees/{_name(there)}/HEAD"


def _name(linked: Place) -> str:
    return os.path.basename(linked.git_dir)


def unmerged(here: Place, env: Mapping[str, str], there: Sequence[Place], within: Collection[str]) -> set[str]:
    """Those of the commits `within` that HEAD of one of the worktrees has, and neither HEAD here nor what is just being
    merged; one process for all worktrees of one repository, so that it can be asked at every commit."""
    tips = [found for found in (tip(here, one) for one in there) if found]
    if not tips:
        return set()
    most = f"--max-count={MOST_AHEAD}"
    ours = ("--not", "HEAD", *staging.merged(here))
    ahead = _beside(here, env, there[0], "rev-list", "--ignore-missing", most, *tips, *ours, "--")
    return set(ahead.decode("ascii", "replace").split()) & set(within)


def brought(
    here: Place, env: Mapping[str, str], there: Place, touched: Mapping[str, Collection[str]]
) -> dict[str, str]:
    """path -> the latest commit that makes HEAD of another worktree differ in it from what both began with.

    `touched`: commit -> paths to ask about. Left out: what our side has too, by a cherry-pick, a rebase, a squash or
    because the same was staged; and what that side took back itself."""
    other = tip(here, there)
    paths = sorted({path for changed in touched.values() for path in changed})
    if other is None or not paths:
        return {}
    sides, also = f"HEAD...{other}", [f"^{oid}" for oid in staging.merged(here)]
    picks = (
        "rev-list",
        "--cherry-pick",
        "--right-only",
        f"--max-count={MOST_AHEAD}",
        sides,
        *also,
        "--",
        *_named(paths),
    )
    picked = _first_word(os.path.join(here.git_dir, "CHERRY_PICK_HEAD"))
    oids = [oid for oid in _beside(here, env, there, *picks).decode("ascii", "replace").split() if oid != picked]
    latest = {path: oid for oid in reversed(oids) for path in touched.get(oid, ())}
    if not latest:
        return {}
    hers = _raw(_beside(here, env, there, "diff", *_RAW, sides, "--", *_named(latest)))
    ours = _raw(_beside(here, env, there, "log", *_RAW, "--format=", f"{other}..HEAD", "--", *_named(latest)))
    # That both sides deleted a path says nothing of where each of them moved it.
    had = {(path, content) for path, content in (*ours, *_index(here, env, latest)) if content}
    differing = {path for path, content in hers if (path, content) not in had}
    return {path: oid for path, oid in latest.items() if path in differing}


_RAW = ("--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--ignore-submodules=none")


def _raw(output: bytes) -> list[tuple[str, str]]:
    """(path, id of its new content) in what git prints with `--raw -z`."""
    words = iter(output.split(b"\0"))
    # `:100644 100644 OLD NEW M`, then the path. Between two commits `log` leaves an empty line.
    heads = (word.lstrip(b"\n") for word in words)
    return [(os.fsdecode(next(words)), _id(one.split()[3])) for one in heads if one.startswith(b":")]


def _index(place: Place, env: Mapping[str, str], paths: Collection[str]) -> list[tuple[str, str]]:
    """(path, id of the content in the index) of those of `paths` that are in it."""
    args = ("--literal-pathspecs", "ls-files", "--stage", "-z", "--full-name", "--", *_named(paths))
    asked = process.run(*args, cwd=place.worktree, env=place.environment(env), check=False)
    entries = [entry.partition(b"\t") for entry in asked.out.split(b"\0") if entry]
    return [(os.fsdecode(path), _id(facts.split()[1])) for facts, _, path in entries]


def _named(paths: Collection[str]) -> Collection[str]:
    """`paths`, or nothing (all that there is) where they are too many for one command."""
    return paths if len(paths) <= MOST_NAMED else ()


def _id(word: bytes) -> str:
    """An object's id; empty where there is none (all zeros)."""
    return word.decode() if word.strip(b"0") else ""


def _first_word(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return "".join(file.read().split()[:1])
    except OSError:
        return ""


def _beside(here: Place, env: Mapping[str, str], there: Place, *args: str) -> bytes:
    """What git prints here; in a clone of ours is what we have not fetched, and git may look for it there."""
    full = here.environment(env)
    if there.common_dir != here.common_dir:
        full = process.borrowing(full, [os.path.join(there.common_dir, "objects")])
    asked = process.run("--literal-pathspecs", *args, cwd=here.folder, env=full, check=False)
    return asked.out if asked.code == 0 else b""


def origin(place: Place) -> tuple[str, str]:
    """The first commit of the history here and where it was cloned from, in one form; each empty where there is none.

    The first commit alone tells clones of one project; a shallow clone does not have it.
    """
    where = place.folder
    remote = process.run("config", "--get", "remote.origin.url", cwd=where, check=False)
    if os.path.exists(os.path.join(place.common_dir, "shallow")):
        return "", plain(os.fsdecode(remote.out).strip())
    first = process.run("rev-list", "--max-parents=0", "HEAD", "--", cwd=where, check=False, timeout=60.0)
    roots = sorted(first.out.decode("ascii", "replace").split()) if first.code == 0 else []
    return (roots[0] if roots else ""), plain(os.fsdecode(remote.out).strip())


def plain(url: str) -> str:
    """`git@host:team/app.git` and `https://user@host/team/app` alike as `host/team/app`."""
    rest = url.partition("://")[2] or url.replace(":", "/", 1)
    host, slash, path = rest.partition("/")
    return f"{host.rpartition('@')[2].lower()}{slash}{path}".rstrip("/").removesuffix(".git")
