"""Merging: what git would say if it merged one commit into another now, for many pairs at once; nothing is touched.

`git merge-tree` is git's own merge. It runs where the attributes and merge drivers of our side hold, in as few
processes as there are such places, and not at all for pairs that are proven to be clean (`disjoint`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitqueen import errors
from gitqueen.git import bases, blobs, disjoint, drafts, process
from gitqueen.git.bases import Pair
from gitqueen.git.places import Place
from gitqueen.git.process import Result
from gitqueen.model import merges
from gitqueen.model.merges import APART, Clash, Merge

OLDEST = "2.39"
"""The git that has `merge-tree --stdin`."""
_USAGE = 129
"""How git ends that does not know an option."""
BATCH = 100
"""Merges of one process: one that takes too long spoils no more than these."""
FEW = 8
"""Pairs that are merged without asking first which of them need it: as many as a commit may meet."""
MOST_FAILURES = 20
"""Merges that may make git die before the rest is given up."""
MOST_TEXT = 2 * 1024 * 1024
"""Bytes of a file above which its lines in conflict are not looked for."""

_EMPTY = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
"""The empty tree, by the length of ids (SHA-1, SHA-256)."""

VERDICTS = {
    "CONFLICT (contents)": merges.CONTENT,
    "CONFLICT (binary)": merges.BINARY,
    "CONFLICT (file/directory)": merges.DIRECTORY_FILE,
    "CONFLICT (distinct modes)": merges.KINDS,
    "CONFLICT (modify/delete)": merges.MODIFY_DELETE,
    "CONFLICT (rename/rename)": merges.RENAME_RENAME,
    "CONFLICT (rename involved in collision)": merges.RENAME_ADD,
    "CONFLICT (rename/delete)": merges.RENAME_DELETE,
    "CONFLICT (directory rename suggested)": merges.FOLDER_MOVED,
    "CONFLICT (file in way of directory rename)": merges.FOLDER_MOVED,
    "CONFLICT(directory rename collision)": merges.FOLDER_MOVED,
    "CONFLICT(directory rename unclear split)": merges.FOLDER_MOVED,
}
"""What git calls each kind with `-z`, which scripts may rely on; all that begin with `CONFLICT (submodule` beside."""
_WEIGHT = (
    merges.SUBMODULE, merges.RENAME_RENAME, merges.RENAME_ADD, merges.RENAME_DELETE, merges.DIRECTORY_FILE,
    merges.FOLDER_MOVED, merges.KINDS, merges.MODIFY_DELETE, merges.BINARY, merges.CONTENT,
)  # fmt: skip
"""Which of several words for one file says most."""


def predict(
    here: Place,
    pairs: Iterable[Pair],
    *,
    beside: Collection[str] = (),
    worktrees: Mapping[str, str] | None = None,
    lines: bool = True,
    patience: float = 600.0,
    hint: Callable[[Place, Mapping[str, str], Pair], Merge] | None = None,
) -> dict[Pair, Merge]:
    """(ours, theirs) -> what git would say if she who has `ours` merged `theirs`; both are commit ids.

    `here`: the repository whose settings hold. `beside`: common dirs of its clones on this machine, where git may find
    commits, too. `worktrees`: commit -> the worktree in which exactly that stands, where it is known: its attributes
    and merge drivers are used; without one, the attributes that the commit has. `lines`: whether to tell the lines of
    text conflicts. `patience`: seconds for all of it. `hint`: whom to ask where git is older
    than 2.39 (`libgit.merge`). What cannot be told is `UNKNOWN`, and says why.
    """
    wanted = list(dict.fromkeys(pairs))
    try:
        look = _Look(here, drafts.environment(here.common_dir, beside), time.monotonic() + patience, hint)
        found = _at_once(look, wanted, worktrees or {})
        if left := [pair for pair in wanted if pair not in found]:
            found.update(_without_merging(look, left))
        left = [pair for pair in wanted if pair not in found]
        for folder, some in _seats(look, left, worktrees or {}).items():
            found.update(_merged(look, folder, some))
        return {pair: found[pair] for pair in wanted} if not lines else _with_lines(look, {p: found[p] for p in wanted})
    except errors.GitFailed as fault:
        return {pair: Merge(merges.UNKNOWN, why=fault.message) for pair in wanted}


@dataclass(slots=True)
class _Look:
    """The repository that is looked into."""

    place: Place
    env: Mapping[str, str]
    until: float
    """When the time is over (monotonic)."""
    hint: Callable[[Place, Mapping[str, str], Pair], Merge] | None = None
    trees: dict[str, str] = field(default_factory=dict)
    """Commit -> tree."""
    results: dict[Pair, str] = field(default_factory=dict)
    """Pair -> tree of its merge, where git left conflicts in it."""
    stages: dict[Pair, dict[str, dict[str, str]]] = field(default_factory=dict)
    """Pair -> path -> stage (1 base, 2 ours, 3 theirs) -> object."""

    @property
    def patience(self) -> float:
        return max(0.01, self.until - time.monotonic())

    def git(self, *args: str, stdin: bytes | None = None, check: bool = True) -> Result:
        where = self.place.folder
        return process.run(
            *drafts.QUIETLY, *args, cwd=where, env=self.env, stdin=stdin, check=check, timeout=self.patience
        )


def _at_once(look: _Look, pairs: Sequence[Pair], worktrees: Mapping[str, str]) -> dict[Pair, Merge]:
    """A few pairs, where it is known in which worktree to merge them: to look for their merge bases first would take as
    long as the merges, most of which goes into finding just these. What git cannot tell here is looked at closer."""
    folders = {worktrees.get(ours) for ours, _ in pairs}
    if not 0 < len(pairs) <= FEW or len(folders) > 1 or (folder := folders.pop()) is None:
        return {}
    found = _merged(look, folder, pairs)
    over = time.monotonic() > look.until
    return {pair: merge for pair, merge in found.items() if merge.verdict != merges.UNKNOWN or over}


def _without_merging(look: _Look, pairs: Sequence[Pair]) -> dict[Pair, Merge]:
    """The pairs of which it is known, or is known not to be known, without a merge."""
    common = bases.find(look.git, pairs)
    look.trees.update(common.trees)
    found, single = dict[Pair, Merge](), dict[Pair, str]()
    for pair in pairs:
        if gone := common.missing.intersection(pair):
            found[pair] = Merge(merges.UNKNOWN, why=f"{min(gone)[:10]} is not to be had here")
        elif not (of := common.of[pair]):
            shallow = os.path.exists(os.path.join(look.place.common_dir, "shallow"))
            cut = ", as far as this shallow clone goes" if shallow else ""
            found[pair] = Merge(merges.UNKNOWN, why=f"they have no commit in common{cut}")
        elif len(of) == 1 and of[0] in pair:
            found[pair] = APART  # one has all that the other has
        elif len(of) == 1:
            single[pair] = of[0]
    tree = look.trees
    sides = {pair: [(tree[base], tree[side]) for side in pair] for pair, base in single.items()}
    changed = disjoint.changes(look.git, [side for both in sides.values() for side in both])
    found.update((pair, APART) for pair, (one, other) in sides.items() if disjoint.apart(changed[one], changed[other]))
    return found


def _seats(look: _Look, pairs: Sequence[Pair], worktrees: Mapping[str, str]) -> dict[str, list[Pair]]:
    """Folder to merge in -> pairs. Pairs whose sides have the same attributes share one, where no driver is set up
    that might look around in it."""
    ours = list(dict.fromkeys(one for one, _ in pairs))
    if len(folders := {worktrees.get(commit) for commit in ours}) == 1 and (only := folders.pop()) is not None:
        return {only: list(pairs)}
    known = _attributes(look, ours) if ours else {}
    drivers = bool(ours) and look.git("config", "--get-regexp", r"^merge\..*\.driver$", check=False).code == 0
    shared: dict[frozenset[tuple[str, str]], str] = {}
    for commit in ours if not drivers else ():
        if commit in worktrees:
            shared.setdefault(known[commit], worktrees[commit])
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        attributes = known[pair[0]]
        folder = (worktrees.get(pair[0]) if drivers else None) or shared.get(attributes)
        if folder is None:
            folder = shared[attributes] = _made_of(look, attributes)
        found.setdefault(folder, []).append(pair)
    return found


def _attributes(look: _Look, commits: Sequence[str]) -> dict[str, frozenset[tuple[str, str]]]:
    """Commit -> (path, object) of each .gitattributes that it has."""
    trees = [look.trees[commit] for commit in commits]
    against = [
        (_EMPTY[len(trees[0])], trees[0]),
        *((trees[0], tree) for tree in dict.fromkeys(trees[1:]) if tree != trees[0]),
    ]
    args = ("diff-tree", "--stdin", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff", "--")
    stdin = "".join(f"{one} {other}\n" for one, other in against).encode()
    found: dict[str, dict[str, str]] = {tree: {} for tree in trees}
    changed: dict[str, dict[str, str]] = {tree: {} for tree in trees}
    current, words = "", iter(look.git(*args, ":(glob)**/.gitattributes", stdin=stdin).out.split(b"\0"))
    for word in words:
        head, _, facts = word.rpartition(b"\n")
        if head:
            current = head.rpartition(b" ")[2].decode("ascii")
        if facts:
            changed[current][os.fsdecode(next(words))] = facts.split()[3].decode("ascii")
    first = changed[trees[0]]
    for tree in trees:
        found[tree] = first if tree == trees[0] else {**first, **changed[tree]}
    return {
        commit: frozenset((path, oid) for path, oid in found[tree].items() if oid.strip("0"))
        for commit, tree in zip(commits, trees, strict=True)
    }


def _made_of(look: _Look, attributes: frozenset[tuple[str, str]]) -> str:
    """A folder with these .gitattributes and nothing else, to stand in for a worktree."""
    import hashlib

    words = "\0".join(f"{path}\0{oid}" for path, oid in sorted(attributes))
    name = hashlib.sha256(words.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    folder = os.path.join(drafts.top(look.place.common_dir), "attributes", name)
    if os.path.isdir(folder):
        return folder
    part = f"{folder}.{os.getpid()}"
    for path, oid in attributes:
        if ".." in path.split("/"):
            continue  # a tree may be made by anybody
        os.makedirs(os.path.dirname(os.path.join(part, path)), exist_ok=True)
        with open(os.path.join(part, path), "wb") as file:
            file.write(look.git("cat-file", "blob", oid).out)
    os.makedirs(part, exist_ok=True)
    try:
        os.rename(part, folder)
    except OSError:  # somebody else made it meanwhile
        import shutil

        shutil.rmtree(part, ignore_errors=True)
    return folder


def _merged(look: _Look, folder: str, pairs: Sequence[Pair]) -> dict[Pair, Merge]:
    """What git says, in batches. Where it dies, what it had not yet written is lost, too: the pair that made it
    die is found by halves, and is unknown."""
    env = dict(look.env)
    if folder.startswith(os.path.join(drafts.top(look.place.common_dir), "attributes") + os.sep):
        # No index: git would take attributes from there that our side has not.
        env |= {"GIT_DIR": look.place.git_dir, "GIT_WORK_TREE": folder, "GIT_INDEX_FILE": os.path.join(folder, "none")}
    found, failures = dict[Pair, Merge](), 0
    batches = [pairs[start : start + BATCH] for start in range(0, len(pairs), BATCH)]
    while batches:
        batch = batches.pop(0)
        stdin = "".join(f"{ours} {theirs}\n" for ours, theirs in batch).encode()
        args = ("merge-tree", "--write-tree", "--stdin", "-z", "--messages")
        try:
            said = process.run(
                *drafts.QUIETLY, *args, cwd=folder, env=env, stdin=stdin, check=False, timeout=look.patience
            )
        except errors.GitFailed as fault:
            found.update((pair, Merge(merges.UNKNOWN, why=fault.message)) for pair in batch)
            continue
        if said.code == _USAGE and not said.out:
            found.update((pair, _hinted(look, pair)) for some in (batch, *batches) for pair in some)
            break
        done = list(_parsed(look, batch, said.out))
        found.update(done)
        rest = batch[len(done) :]
        if len(batch) > 1 and rest:
            half = (len(rest) + 1) // 2
            batches[:0] = [some for some in (rest[:half], rest[half:]) if some]
        elif rest:
            why = said.err.rpartition("\n")[2].removeprefix("fatal: ") or f"git merge-tree ended with {said.code}"
            failures += 1
            given_up = [rest, *batches] if failures > MOST_FAILURES else [rest]
            found.update((pair, Merge(merges.UNKNOWN, why=why)) for some in given_up for pair in some)
            batches = [] if failures > MOST_FAILURES else batches
    return found


def _hinted(look: _Look, pair: Pair) -> Merge:
    if look.hint is None:
        return Merge(merges.UNKNOWN, why=f"git {OLDEST} or newer is needed to tell")
    return look.hint(look.place, look.env, pair)


def _parsed(look: _Look, pairs: Sequence[Pair], output: bytes) -> Iterator[tuple[Pair, Merge]]:
    """`1 TREE [MODE OID STAGE<tab>PATH]... '' [COUNT PATH... KIND TEXT]... ''` for each pair, all ended by NUL; 0 for
    one with conflicts."""
    words = iter(output.split(b"\0")[:-1])
    for pair in pairs:
        plain = _plain(pair)
        try:
            clean, tree = next(words) == b"1", next(words).decode("ascii")
            stages: dict[str, dict[str, str]] = {}
            while line := next(words):
                facts, _, path = line.partition(b"\t")
                _, oid, stage = facts.decode("ascii").split()
                stages.setdefault(plain(path), {})[stage] = oid
            said = list[tuple[str, list[str]]]()
            # After a conflict of submodules git 2.39 prints advice to people in the place of the last ''.
            while (count := next(words)).isdigit():
                paths = list(dict.fromkeys(plain(next(words)) for _ in range(int(count))))
                said.append((next(words).decode("utf-8", "replace"), paths))
                next(words)  # the same for people
        except StopIteration:
            return
        if not clean:
            look.results[pair], look.stages[pair] = tree, stages
        yield pair, _verdict(clean, stages, said)


def _plain(pair: Pair) -> Callable[[bytes], str]:
    """Paths without the `~COMMIT` by which git tells two things apart that want one name."""
    marks = tuple(f"~{oid}".encode() for oid in pair)

    def plain(path: bytes) -> str:
        for mark in marks:
            if mark in path:
                name, _, rest = path.rpartition(mark)
                path = name if not rest or (rest[:1] == b"_" and rest[1:].isdigit()) else path
        return os.fsdecode(path)

    return plain


def _verdict(clean: bool, stages: Mapping[str, Mapping[str, str]], said: Iterable[tuple[str, list[str]]]) -> Merge:
    kinds: dict[str, set[str]] = {path: set() for path in stages}
    also: dict[str, list[str]] = {}
    merged = list[str]()
    for kind, paths in said:
        if kind == "Auto-merging":
            merged += paths[:1]
        elif verdict := VERDICTS.get(kind, merges.SUBMODULE if kind.startswith("CONFLICT (submodule") else None):
            kinds.setdefault(paths[0], set())
            for path in [one for one in paths if one in kinds]:
                kinds[path].add(verdict)
                also.setdefault(path, []).extend(one for one in paths if one != path)
    if clean:
        return Merge(merges.CLEAN, merged=tuple(dict.fromkeys(merged)))
    clashes = tuple(
        Clash(path, _word(kinds[path], stages.get(path, {})), also=tuple(dict.fromkeys(also.get(path, ()))))
        for path in sorted(kinds)
    )
    return Merge(merges.CONFLICT, clashes, tuple(path for path in dict.fromkeys(merged) if path not in kinds))


def _word(kinds: Collection[str], stages: Mapping[str, str]) -> str:
    word = next((word for word in _WEIGHT if word in kinds), merges.CONTENT)
    return merges.ADDED_TWICE if word == merges.CONTENT and stages and "1" not in stages else word


def _with_lines(look: _Look, found: dict[Pair, Merge]) -> dict[Pair, Merge]:
    """The lines of each text conflict, by what git left between its markers."""
    wanted = [
        (pair, clash)
        for pair, merge in found.items()
        for clash in merge.clashes
        if pair in look.stages
        and clash.verdict not in (merges.BINARY, merges.SUBMODULE)
        and {"2", "3"} <= look.stages[pair].get(clash.path, {}).keys()
    ]
    if not wanted:
        return found
    from gitqueen.git import hunks  # only where something is in conflict

    names = [_objects(look, pair, clash.path) for pair, clash in wanted]
    contents = blobs.read(look.git, [name for three in names for name in three], MOST_TEXT)
    told: dict[Pair, dict[str, Clash]] = {}
    for (pair, clash), three in zip(wanted, names, strict=True):
        merged, ours, theirs = (contents.get(name) for name in three)
        if merged is not None and ours is not None and theirs is not None:
            lines, others = hunks.regions(merged, ours, theirs, pair)
            also = dict.fromkeys([*clash.also, *(name for name in others if name != clash.path)])
            told.setdefault(pair, {})[clash.path] = replace(clash, lines=lines, also=tuple(also))
    for pair, by_path in told.items():
        clashes = tuple(by_path.get(clash.path, clash) for clash in found[pair].clashes)
        found[pair] = replace(found[pair], clashes=clashes)
    return found


def _objects(look: _Look, pair: Pair, path: str) -> tuple[str, str, str]:
    """Merged, ours, theirs."""
    stages = look.stages[pair][path]
    return f"{look.results[pair]}:{path}", stages["2"], stages["3"]
