"""Notes on commits, `refs/notes/gitqueen`: one JSON object a line, many at once, and none is ever lost.

`git notes add` loses updates when several write. Here a parentless commit is written beside the ref, which moves to it
by compare-and-swap; who loses reads again. Notes that git laid out (amend, rebase) are read in every fan-out and
written in ours, two digits. What others wrote into a note stays as it is.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from gitqueen import errors
from gitqueen.git import markers, packs, process, refs
from gitqueen.git.places import Place

REF = "refs/notes/gitqueen"
PATIENCE = 10.0
"""Seconds for which a lost race is run again."""
MOST = 20_000
"""Notes of one commit: a lost race writes no more than so many again."""
FEW = 64
"""Notes up to which they are read and written in one small pack; git's own importer is for more."""
LARGEST_TREE, LARGEST = 64 << 20, 1 << 20
"""Bytes of a folder of notes, and of a note: a longer one is somebody else's, and left alone."""
# A pattern that fits this one ref: of a name without one, git warns at every amend until the first note is there.
REWRITE, STRATEGY = ("notes.rewriteRef", "refs/notes/gitquee[n]"), ("notes.gitqueen.mergeStrategy", "cat_sort_uniq")
_SIGNED = b"author gitqueen <gitqueen@localhost> 0 +0000\ncommitter gitqueen <gitqueen@localhost> 0 +0000\n\nnotes\n"


def add(
    place: Place,
    lines: Mapping[str, Sequence[str]],
    essence: Callable[[str], Hashable] = str,
    patience: float = PATIENCE,
) -> set[str]:
    """Add `lines` to the notes of commits, object id -> texts; one whose `essence` is there already is not doubled.

    Returns the commits whose notes were not so before. git itself may still overwrite them with what it read a moment
    ago: who must be sure looks again. Raises `errors.Busy` when others were faster for too long, and
    `errors.GitqueenError` where nothing can be written.
    """
    oids, written = list(lines), set()
    for start in range(0, len(oids), MOST):
        written |= _add(place, {oid: lines[oid] for oid in oids[start : start + MOST]}, essence, patience)
    return written


def _add(
    place: Place, lines: Mapping[str, Sequence[str]], essence: Callable[[str], Hashable], patience: float
) -> set[str]:
    deadline = time.monotonic() + patience
    with _turn(place, deadline):
        while True:
            book = _read(place, list(lines))
            changed = {
                oid: text
                for oid, new in lines.items()
                if oid not in book.closed and (text := _longer(book.notes.get(oid, ""), new, essence)) is not None
            }
            why = _swap(place, book, changed) if changed else None
            if why is None:
                return set(changed)
            if time.monotonic() > deadline:
                raise _busy(place, why)
            _pause()


@contextmanager
def _turn(place: Place, deadline: float) -> Iterator[None]:
    """One of ours at a time: git itself may still write in between, which the compare-and-swap sees."""
    folder = markers.open_folder(place.common_dir, markers.FOLDER, "live")
    try:
        while folder is not None:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise _busy(place, "another gitqueen writes") from None
                _pause()
            except OSError:
                break  # a file system without locks: the compare-and-swap alone has to do
        yield
    finally:
        if folder is not None:
            os.close(folder)


def _pause() -> None:
    # Uneven, so that two who collide do not collide again; `random` costs 4 ms to import.
    time.sleep(0.002 + time.perf_counter_ns() % 9973 / 3e5)


def _busy(place: Place, why: str) -> errors.Busy:
    return errors.Busy(f"{REF} of {place.repo} cannot be written now: {why}", hint="it is tried again later")


def _longer(text: str, new: Sequence[str], essence: Callable[[str], Hashable]) -> str | None:
    """`text` with those lines of `new` behind it that it has not; None when it has them all."""
    if not text and len(new) == 1:
        return f"{new[0]}\n"
    there = {essence(line) for line in text.split("\n")}
    more = {key: line for line in reversed(new) if (key := essence(line)) not in there}
    if not more:
        return None
    first = text if not text or text.endswith("\n") else f"{text}\n"
    return first + "".join(f"{line}\n" for line in reversed(more.values()))


@dataclass(slots=True)
class _Book:
    """The notes as they stand."""

    tip: str | None = None
    """The commit that the ref is; None: there is none."""
    tree: str = ""
    trees: dict[str, packs.Entries] = field(default_factory=dict)
    """Folder ("" is the top) -> its entries, of all folders where what was asked for may be."""
    spots: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Commit -> where its note stands: (path, blob). git takes several together."""
    notes: dict[str, str] = field(default_factory=dict)
    """Commit -> text from outside."""
    closed: set[str] = field(default_factory=set)
    """Commits whose note is nothing that may be added to."""


def read(place: Place, oids: Sequence[str]) -> dict[str, str]:
    """The notes of those commits that have one, as text from outside; empty where the ref is no ref of notes."""
    try:
        return _read(place, oids).notes
    except Foreign:
        return {}


class Foreign(errors.CannotWork):
    """`refs/notes/gitqueen` is something else than notes: somebody made or pushed it."""

    def __init__(self, place: Place, kind: str) -> None:
        where = place.folder
        super().__init__(
            f"{REF} of {place.repo} is a {kind}, no notes: nothing is written there",
            hint=f"if nobody needs it: git -C {where} update-ref -d {REF}",
        )


def _read(place: Place, oids: Sequence[str]) -> _Book:
    folders = list(dict.fromkeys(oid[:2] for oid in oids))
    guessed = [f"{REF}:{_path(oid)}" for oid in oids] if len(oids) <= FEW else []
    asked = [REF, f"{REF}^{{tree}}", *(f"{REF}:{folder}" for folder in folders), *guessed]
    # The tip comes first: what is read after it belongs to it, or the compare-and-swap fails.
    found = refs.objects(place, asked, LARGEST_TREE)
    tip, top = found.get(REF), found.get(f"{REF}^{{tree}}")
    if tip is None:
        return _Book()
    if tip.kind != "commit" or top is None:
        raise Foreign(place, tip.kind if tip.kind != "commit" else "commit without a tree")
    book, known = _Book(tip.oid, top.oid), {one.oid: one for one in found.values()}
    _look_through(place, book, known, oids)
    missing = {blob for spots in book.spots.values() for _, blob in spots if blob not in known}
    known |= {one.oid: one for one in refs.objects(place, list(missing), LARGEST).values()}
    for oid, spots in book.spots.items():
        blobs = [known.get(blob) for _, blob in spots]
        if all(one is not None and one.kind == "blob" and len(one.content) <= LARGEST and one.whole for one in blobs):
            texts = [one.content.decode("utf-8", "surrogateescape") for one in blobs if one is not None]
            book.notes[oid] = "".join(text if text.endswith("\n") else f"{text}\n" for text in texts if text)
        else:
            book.closed.add(oid)
    return book


def _look_through(place: Place, book: _Book, known: dict[str, refs.Object], oids: Sequence[str]) -> None:
    """Find where the notes of `oids` stand, folder by folder, as deep as git went."""
    level = [("", book.tree, oids)]
    digits = 0
    while level:
        missing = [tree for _, tree, _ in level if tree not in known]
        known |= {one.oid: one for one in refs.objects(place, missing, LARGEST_TREE).values()} if missing else {}
        below: dict[str, tuple[str, list[str]]] = {}
        for folder, tree, wanted in level:
            if tree not in known or known[tree].kind != "tree" or not known[tree].whole:
                raise errors.GitFailed(f"the notes of {place.repo} cannot be read: their folder {tree} is broken")
            inside = book.trees[folder] = packs.entries(known[tree].content, tree)
            for oid in wanted:
                rest = oid[digits:]
                if rest in inside and inside[rest][0] != packs.FOLDER:
                    book.spots.setdefault(oid, []).append((folder + rest, inside[rest][1]))
                if (part := inside.get(rest[:2])) is not None and part[0] == packs.FOLDER:
                    below.setdefault(f"{folder}{rest[:2]}/", (part[1], []))[1].append(oid)
        level = [(folder, tree, wanted) for folder, (tree, wanted) in below.items()]
        digits += 2


def _path(oid: str) -> str:
    return f"{oid[:2]}/{oid[2:]}"


def _swap(place: Place, book: _Book, notes: Mapping[str, str]) -> str | None:
    """Write `notes` over those of `book`; None when done, else git's words: the ref has moved, or is locked."""
    commit = _packed(place, book, notes) if len(notes) <= FEW else _imported(place, book, notes)
    line = f"option no-deref\0update {REF}\0{commit}\0{book.tip or '0' * len(commit)}\0"
    return refs.update(place, line.encode())


def _packed(place: Place, book: _Book, notes: Mapping[str, str]) -> str:
    """A commit of `book` with `notes`, of which only what is new is written."""
    like, made = next(iter(notes)), []
    trees = {folder: dict(inside) for folder, inside in book.trees.items()} or {"": {}}

    def new(kind: str, content: bytes) -> str:
        made.append((kind, content))
        return refs.object_id(kind, content, like)

    for oid, text in notes.items():
        for path, _ in book.spots.get(oid, ()):
            folder, _, name = path.rpartition("/")
            del trees[f"{folder}/" if folder else ""][name]
        blob = new("blob", text.encode("utf-8", "surrogateescape"))
        trees.setdefault(f"{oid[:2]}/", {})[oid[2:]] = (packs.FILE, blob)
    for folder in sorted(trees, key=len, reverse=True):
        if folder:
            above, _, name = folder[:-1].rpartition("/")
            inside = trees[f"{above}/" if above else ""]
            inside.pop(name, None)
            if trees[folder]:
                inside[name] = (packs.FOLDER, new("tree", packs.tree(trees[folder])))
    top = new("tree", packs.tree(trees[""]))
    commit = new("commit", f"tree {top}\n".encode() + _SIGNED)
    packs.write(place, made, like)
    return commit


def _imported(place: Place, book: _Book, notes: Mapping[str, str]) -> str:
    """The same by git's own importer: thousands of notes become one pack in which they share what is alike."""
    ref, zeros = "refs/gitqueen/part", "0" * len(next(iter(notes)))
    root = f'M 040000 {book.tree} ""\n' if book.tip else ""
    head = f"commit {ref}\nmark :1\ncommitter gitqueen <gitqueen@localhost> 0 +0000\ndata 6\nnotes\n\n{root}".encode()
    # `from` nothing: the ref that the importer wants is never made.
    tail = f"get-mark :1\nreset {ref}\nfrom {zeros}\ndone\n".encode()
    stream = b"".join((head, *(_note(book, oid, text) for oid, text in notes.items()), tail))
    args = ("fast-import", "--quiet", "--force", "--done", "--date-format=raw")
    return process.run(*args, cwd=place.folder, stdin=stream, timeout=120.0).out.decode("ascii").strip()


def _note(book: _Book, oid: str, text: str) -> bytes:
    body = text.encode("utf-8", "surrogateescape")
    gone = "".join(f"D {path}\n" for path, _ in book.spots.get(oid, ()) if path != _path(oid))
    return f"{gone}M 100644 inline {_path(oid)}\ndata {len(body)}\n".encode() + body + b"\n"


def there(place: Place) -> bool:
    """Whether the repository has notes of ours."""
    return process.run("show-ref", "--verify", "--quiet", REF, cwd=place.folder, check=False).code == 0


def check(place: Place) -> None:
    """Raise `Foreign` where the ref is something else than notes."""
    if there(place):
        _read(place, [])


def remove(place: Place) -> bool:
    """Take all notes out of the repository; False when there were none of ours."""
    tip = refs.objects(place, [REF]).get(REF)
    if tip is None or tip.kind != "commit":
        return False
    return refs.update(place, f"option no-deref\0delete {REF}\0{tip.oid}\0".encode()) is None


def follow(place: Place) -> bool:
    """Have git carry our notes along when it rewrites commits; False when the repository says so already.

    Where the ref is no notes, git must not be told of it: every amend and rebase would die.
    """
    if there(place) and f"{REF}^{{tree}}" not in refs.objects(place, [f"{REF}^{{tree}}"], 0):
        unfollow(place)
        return False
    missing = [(key, value) for key, value in (REWRITE, STRATEGY) if value not in _set(place, key)]
    for key, value in missing:
        process.run("config", "--local", "--add", key, value, cwd=place.folder)
    return bool(missing)


def unfollow(place: Place) -> None:
    """Take that out of the repository's configuration again, and nothing else."""
    for key, value in (REWRITE, STRATEGY):
        if value in _set(place, key):
            section = key.rpartition(".")[0]
            _config(place, "--fixed-value", "--unset-all", key, value)
            # After a comment of the user's git leaves the head of a section that is empty now.
            if not _config(place, "--get-regexp", rf"^{section}\.[^.]+$"):
                _config(place, "--remove-section", section)


def _set(place: Place, key: str) -> list[str]:
    return os.fsdecode(_config(place, "--get-all", key)).splitlines()


def _config(place: Place, *args: str) -> bytes:
    return process.run("config", "--local", *args, cwd=place.folder, check=False).out
