"""Objects that we write ourselves are git's own: the same ids, accepted by fsck, found when packed; and never torn."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gitqueen import errors
from gitqueen.git import loose

FILES = {
    "meta.json": (0o100644, b"{}"),
    "worktree/a": (0o100644, b"1\n"),
    "worktree/a.b": (0o100755, b"2\n"),
    "worktree/a/b/c": (0o100644, b""),
    "worktree/ab": (0o120000, b"a.b"),
    'worktree/\udcff\n"\\': (0o100644, b"odd\0"),
    "index/a": (0o100644, os.urandom(100_000)),
}
del FILES["worktree/a"]  # a folder stands there


@pytest.fixture
def where(tmp_path: Path) -> str:
    loose.make(str(tmp_path / "own.git"))
    return str(tmp_path / "own.git")


def git(where: str, *args: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(["git", f"--git-dir={where}", *args], input=stdin, capture_output=True, check=True)
    assert all(line.startswith(b"notice: ") for line in done.stderr.splitlines()), done.stderr
    return done.stdout


def filled(where: str) -> tuple[str, str]:
    """The ids of a commit of `FILES`, to which a ref leads, and of its tree."""
    batch = loose.Batch(where)
    top = batch.tree([(path, mode, batch.add("blob", data)) for path, (mode, data) in FILES.items()])
    oid = batch.commit(top, 1_700_000_000, "rescue")
    batch.write()
    loose.point(where, "refs/rescue/app-1/now", oid)
    return oid, top


def test_git_makes_and_reads_the_same(where: str) -> None:
    oid, top = filled(where)
    git(where, "fsck", "--strict", "--no-dangling")
    for path, (_, data) in FILES.items():
        assert git(where, "cat-file", "blob", f"refs/rescue/app-1/now:{path}") == data
        assert loose.blob_id(data) == git(where, "hash-object", "--stdin", stdin=data).decode().strip()
    env = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in PERSON.items()}
    said = subprocess.run(
        ["git", f"--git-dir={where}", "commit-tree", "-m", "rescue", top],
        env={**os.environ, **env}, capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert said.decode().strip() == oid


PERSON = {"NAME": "gitqueen", "EMAIL": "gitqueen@localhost", "DATE": "1700000000 +0000"}


def test_what_is_packed_is_found_as_what_is_loose(where: str) -> None:
    oid, top = filled(where)
    files = loose.walk(where, top)
    assert {path: mode for path, mode, _ in files or ()} == {path: mode for path, (mode, _) in FILES.items()}
    known = {"app-1/now": oid}
    assert (loose.refs(where, "refs/rescue/"), loose.refs(where, "refs/rescue/app-1/")) == (known, {"now": oid})
    git(where, "gc", "--quiet", "--prune=now")
    assert not (Path(where) / "refs/rescue/app-1/now").exists()
    assert (loose.refs(where, "refs/rescue/"), loose.refs(where, "refs/rescue/app-1/")) == (known, {"now": oid})
    assert (loose.tree_of(where, oid), loose.walk(where, top)) == (None, None)
    assert loose.ask(where, [f"{oid}:{path}" for path in ("meta.json", "nothing", "index/a")]) == [
        b"{}",
        None,
        FILES["index/a"][1],
    ]


def test_a_damaged_object_is_none_until_it_is_written_again(where: str) -> None:
    oid = loose.write(where, "blob", b"hers\n")
    file = Path(where, "objects", oid[:2], oid[2:])
    other = loose.write(where, "blob", b"another\n")
    for damage in (b"", b"damaged", file.read_bytes()[:-1], Path(where, "objects", other[:2], other[2:]).read_bytes()):
        file.chmod(0o600)
        file.write_bytes(damage)
        assert (loose.read(where, oid), loose.ask(where, [oid, other])[1]) == (None, b"another\n")
        assert loose.write(where, "blob", b"hers\n") == oid
        assert loose.read(where, oid) == b"hers\n"


def test_what_is_written_again_is_not_taken_for_old(where: str) -> None:
    """Between the object and the ref that leads to it, `git gc` may run."""
    oid = loose.write(where, "blob", b"hers\n")
    file = Path(where, "objects", oid[:2], oid[2:])
    os.utime(file, (1, 1))
    assert loose.write(where, "blob", b"hers\n") == oid
    git(where, "gc", "--quiet", "--prune=1.hour.ago")
    assert loose.read(where, oid) == b"hers\n"


def test_many_at_once_are_one_pack_of_what_is_not_there_yet(where: str) -> None:
    def written(*numbers: range) -> str:
        batch = loose.Batch(where)
        ids = [batch.add("blob", b"%d\n" % number) for some in numbers for number in some]
        top = batch.tree([(f"d{at % 7}/{at}", 0o100644, oid) for at, oid in enumerate(ids)])
        batch.write()
        return top

    few = loose.MANY // 2
    written(range(few))
    packs = Path(where, "objects", "pack")
    assert list(packs.iterdir()) == []
    top = written(range(few), range(1000, 1000 + loose.MANY))
    [pack] = packs.glob("*.pack")
    assert len(git(where, "show-index", stdin=pack.with_suffix(".idx").read_bytes()).splitlines()) == loose.MANY + 8
    assert len(git(where, "ls-tree", "-r", top).splitlines()) == few + loose.MANY
    os.utime(pack, (1, 1))
    assert written(range(few), range(1000, 1000 + loose.MANY)) == top
    assert list(packs.glob("*.pack")) == [pack] and pack.stat().st_mtime > 1
    git(where, "fsck", "--strict", "--no-dangling")


def test_what_a_kill_leaves_behind_is_cleared_away(where: str) -> None:
    filled(where)
    left = Path(where, "objects", "tmp_obj_0123456789abcdef")
    left.write_bytes(b"half")
    git(where, "fsck", "--strict")
    git(where, "gc", "--quiet", "--prune=now")
    assert not left.exists()


def test_what_cannot_be_written_says_so_and_leaves_nothing(where: str) -> None:
    oid = loose.blob_id(b"hers\n")
    Path(where, "objects", oid[:2]).write_text("in the way")
    with pytest.raises(errors.CannotWork, match="cannot be written: Not a directory"):
        loose.write(where, "blob", b"hers\n")
    assert [one for one in os.listdir(Path(where, "objects")) if one.startswith("tmp")] == []
