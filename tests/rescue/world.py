"""A repository with two sisters in one worktree or two, and what a careful onlooker says of it: the model."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

from gitqueen.git import loose, markers, rescue, turns
from gitqueen.git.places import Place
from gitqueen.model.commands import DISCARDS, Threat
from gitqueen.model.sisters import Identity
from gitqueen.services import attributing, bracing, identifying, losing, queen, tending
from gitqueen.services.queen import Queen
from gitqueen.store import database, repos, touches
from gitqueen.store.touches import Touch

FILES = ("a", "b", "d/c")
NAMES = ("iza", "ada")
Lost = dict[tuple[str, str], set[str]]
"""(snapshot, whose) -> paths."""


@dataclass
class Held:
    """What stood uncommitted at a snapshot's moment. `mode` None: only the index had it."""

    path: str
    content: bytes
    mode: int | None
    owners: tuple[str, ...]


@dataclass
class Tree:
    """One worktree. `last`: what was uncommitted at the last snapshot, `id`; `ventures`: who ran what since."""

    top: Path
    queen: Queen
    living: tuple[str, ...]
    counter: int = 0
    last: dict[str, Held] = field(default_factory=dict)
    head: str = ""
    id: str | None = None
    ventures: list[tuple[str, datetime]] = field(default_factory=list)
    looked: datetime | None = None
    stashes: frozenset[str] = frozenset()
    """Those that there were at the last look."""
    written: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Path -> who wrote it by a tool that tells us, and how it stood then."""

    @property
    def place(self) -> Place:
        return self.queen.here()

    def git(self, *args: str) -> bytes:
        done = subprocess.run(["git", *args], cwd=self.top, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        return done.stdout

    def write(self, path: str, content: bytes, by: str | None) -> None:
        file = self.top / path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        if by is not None:
            stamp = attributing.stamp(str(self.top), path)
            self.written[path] = (by, stamp)
            with database.transaction(self.queen.db):
                touches.save(self.queen.db, str(self.top), [Touch(path, by, self.queen.now.timestamp(), stamp)])

    def owners(self, path: str) -> tuple[str, ...]:
        by, stamp = self.written.get(path, ("", "?"))
        left = bool(by) and attributing.as_left(str(self.top), Touch(path, by, 0.0, stamp))
        return (by,) if left else tuple(sorted(self.living))

    def dirty(self) -> dict[str, Held]:
        """Everything uncommitted: what stands in the worktree, else what only the index has."""
        said = self.git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
        found = {}
        for entry in filter(None, said.split(b"\0")):
            path, file = os.fsdecode(entry[3:]), self.top / os.fsdecode(entry[3:])
            if file.is_file():
                mode = file.stat().st_mode & 0o777
                found[path] = Held(path, file.read_bytes(), mode, self.owners(path))
            elif entry[:1] in b"AM":
                found[path] = Held(path, self.git("show", f":{path}"), None, self.owners(path))
        return found

    def files(self) -> dict[str, bytes]:
        found = {}
        for folder, folders, names in os.walk(self.top):
            folders[:] = [one for one in folders if one != ".git"]
            found.update({os.path.join(folder, one): Path(folder, one).read_bytes() for one in names if one != ".git"})
        return found

    def state(self) -> object:
        """All that a snapshot must leave as it was: files, HEAD, index, refs, reflogs and stash, as bytes."""
        common, own = Path(self.place.common_dir), Path(self.place.git_dir)
        kept = {own / "HEAD", own / "index", own / "logs/HEAD", common / "packed-refs", common / "config"}
        for part in ("refs", "logs", "hooks"):
            kept |= {Path(top, name) for top, _, names in os.walk(common / part) for name in names}
        return self.files(), {path: path.read_bytes() for path in kept if path.exists()}

    def committed(self) -> set[str]:
        """The paths that a commit changed since the last snapshot: what stood there went on into it."""
        args = ("log", "--diff-merges=1", "--no-renames", "--format=", "--name-only", "-z")
        return set(os.fsdecode(self.git(*args, f"{self.head.strip()}..HEAD")).replace("\n", "").split("\0"))

    def stashed(self) -> frozenset[str]:
        return frozenset(self.git("stash", "list", "--format=%H").decode().split())

    def hidden(self, content: bytes, stashes: frozenset[str]) -> bool:
        """Whether one of these stashes has it, and nothing else."""
        parts = [part for one in stashes for part in self.git("rev-parse", f"{one}^@", one).decode().split()[1:]]
        blobs = self.git("rev-list", "--objects", "--no-walk", *parts).decode() if parts else ""
        return loose.blob_id(content) in blobs and self.nowhere(content)

    def nowhere(self, content: bytes) -> bool:
        """Whether neither disk nor index nor any commit made since has this content, but for those of a stash."""
        if content in self.files().values():
            return False
        oid = loose.blob_id(content)
        if oid in self.git("ls-files", "-s").decode().split():
            return False
        parts = set(self.git("log", "-g", "--format=%H %P", "refs/stash", "--").decode().split())
        made = set(self.git("rev-list", "--all", "--reflog").decode().split())
        # A stash stands on commits that were made before it: only what it added is its own.
        parents = {line.split()[1] for line in self.git("stash", "list", "--format=%H %P").decode().splitlines()}
        tips = sorted(made - (parts - parents))
        blobs = self.git("rev-list", "--objects", "--no-walk", *tips).decode() if tips else ""
        return oid not in {line.split()[0] for line in blobs.splitlines()}


@dataclass
class World:
    """`kept`: snapshot -> what it must still have; `lost`: what an onlooker calls lost, until it is back."""

    trees: list[Tree]
    kept: dict[str, dict[str, Held]] = field(default_factory=dict)
    lost: Lost = field(default_factory=dict)
    counter: int = 0
    held: ExitStack = field(default_factory=ExitStack)

    @property
    def queen(self) -> Queen:
        return self.trees[0].queen

    def fresh(self) -> bytes:
        """A content that never was before."""
        self.counter += 1
        return b"content %d\n" % self.counter

    def later(self) -> None:
        for tree in self.trees:
            tree.queen.now += timedelta(seconds=7)

    def venture(self, tree: Tree, name: str) -> None:
        """An agent's door hears that `name` is about to run something that destroys."""
        self.look(tree, lambda: self._brace(tree, name))
        tree.ventures.append((name, tree.queen.now))

    def _brace(self, tree: Tree, name: str) -> str | None:
        was = rescue.remembered(tree.place).id
        me = next(one for one in tending.living(tree.queen) if one.name == name)
        bracing.before(tree.queen, Identity(me, name), [Threat(DISCARDS, "git reset", ())])
        now = rescue.remembered(tree.place).id
        return now if now != was else None

    def look(self, tree: Tree, how: Callable[[], str | None] | None = None) -> None:
        """Take a snapshot as a scan does, and see by the model what must have come of it."""
        self.later()
        now, before = tree.dirty(), tree.state()
        made = how() if how else losing.look(tree.queen, tree.place, "scan")
        assert tree.state() == before, "a snapshot changed something of the user's"
        fresh, tree.stashes = tree.stashed() - tree.stashes, tree.stashed()
        if made is None:
            same = {path: (one.content, one.mode) for path, one in tree.last.items()}
            assert {path: (one.content, one.mode) for path, one in now.items()} == same, "nothing was kept of a change"
            return
        self.kept[made] = now
        actor, committed = self._actor(tree), tree.committed() if tree.last else set()
        for path, one in tree.last.items():
            if path in committed or one.content in [other.content for other in now.values()]:
                continue
            hers = [n for n in one.owners if (n != actor if actor else set(tree.living) - {n})]
            # Who edits has made another content and lost none; who writes anew on what a stash left has not hers.
            if hers and tree.id and (tree.hidden(one.content, fresh) if path in now else tree.nowhere(one.content)):
                for name in hers:
                    self.lost.setdefault((tree.id, name), set()).add(path)
        tree.last, tree.id, tree.looked, tree.head = now, made, tree.queen.now, tree.git("rev-parse", "HEAD").decode()

    def _actor(self, tree: Tree) -> str | None:
        """The only one who was about to do something since the last snapshot, or half a minute ago."""
        names = {
            name
            for name, at in tree.ventures
            if (tree.looked is not None and at >= tree.looked) or (tree.queen.now - at).total_seconds() <= 30
        }
        return names.pop() if len(names) == 1 else None

    def die(self, tree: Tree, calls: int) -> None:
        """The same look, killed at its `calls`th call of a function; then once more, to its end."""
        self.later()
        before = tree.state()
        child = os.fork()
        if child == 0:
            try:
                _doomed(tree, calls)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert tree.state() == before, "a look that was killed changed something of the user's"
        was = tree.id

        def again() -> str | None:
            made = losing.look(tree.queen, tree.place, "scan")
            known = rescue.remembered(tree.place).id
            return made or (known if known != (was or "") else None)

        self.look(tree, again)

    def told(self) -> Lost:
        """The open lost work."""
        found: Lost = {}
        for one in losing.open_ones(self.queen):
            found[(losing.snapshot_of(one), one.subject.partition(" ")[0])] = set(one.facts)
        return found

    def settle(self) -> None:
        """What is back on the disk, all that was lost together, is lost no longer; the product must see it too."""
        losing.settle(self.queen)
        self.lost = {key: paths for key, paths in self.lost.items() if not self._back(key[0], paths)}

    def _back(self, identity: str, paths: set[str]) -> bool:
        tree = next(one for one in self.trees if identity.startswith(rescue.name(one.place) + "/"))
        return all(losing.on_disk(str(tree.top), path) == self.kept[identity][path].content for path in paths)

    def check_kept(self) -> None:
        """Whatever stood there at a snapshot's moment can be had again, byte for byte, with its mode."""
        found = {one.id: one for one in rescue.listed(self.trees[0].place)}
        for identity, things in self.kept.items():
            place = self.trees[0].place
            held = {one.path: one for one in losing.latest(rescue.contents(place, identity))}
            assert held.keys() == things.keys()
            data = rescue.data(place, [held[path].oid for path in things])
            for one, raw in zip(things.values(), data, strict=True):
                plain = 0o755 if held[one.path].mode == "100755" else 0o644
                assert raw == one.content
                assert one.mode in (None, found[identity].modes.get(one.path, plain))
                assert set(found[identity].owners[one.path]) == set(one.owners)


def _doomed(tree: Tree, calls: int) -> None:
    """In a child: what a scan does, until death comes."""
    left = calls

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal left
        left -= event in ("call", "c_call")
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    opened = queen.open(tree.queen.env, lambda: tree.queen.now, str(tree.top))
    sys.setprofile(count)
    losing.look(opened, opened.here(), "scan")


def make(top: Path, bodies: Sequence[subprocess.Popen[bytes]], apart: bool) -> World:
    """A managed repository with one commit, in the hive of this test's home; the sisters in one worktree, or two."""
    top.mkdir(parents=True)
    for path in FILES:
        (top / path).parent.mkdir(exist_ok=True)
        (top / path).write_bytes(b"first\n")
    for args in (("init", "-q"), ("add", "."), ("commit", "-qm", "first")):
        subprocess.run(["git", *args], cwd=top, check=True)
    tops = [top, top.with_name(f"{top.name}-side")]
    subprocess.run(["git", "worktree", "add", "-q", "-b", "side", tops[1]], cwd=top, check=True, capture_output=True)
    homes = [tops[0], tops[1] if apart else tops[0]]
    moment = datetime.now(UTC)
    opened = [queen.open(dict(os.environ), lambda: datetime.now(UTC), str(one)) for one in tops]
    place = opened[0].here()
    with database.transaction(opened[0].db):
        repos.save(opened[0].db, place.common_dir, place.repo, managed=repos.BY_NAME)
    assert markers.prepare(place.common_dir)
    for name, body, home in zip(NAMES, bodies, homes, strict=True):
        _inhabit(name, body, str(home))
    lives = [tuple(name for name, home in zip(NAMES, homes, strict=True) if home == one) for one in tops]
    for one in opened:
        one.now = moment
    world = World([Tree(*parts) for parts in zip(tops, opened, lives, strict=True)])
    for tree in world.trees:  # nobody else looks meanwhile
        world.held.enter_context(turns.keeper(tree.place))
    return world


def _inhabit(name: str, body: subprocess.Popen[bytes], folder: str) -> None:
    env = {**os.environ, "GITQUEEN_NAME": name, "GITQUEEN_PID": str(body.pid)}
    opened = queen.open(env, lambda: datetime.now(UTC), folder)
    me = identifying.identify(opened, declare=True)
    assert me.sister is not None
    with database.transaction(opened.db):
        tending.settle(opened, me.sister)
    opened.db.close()
