"""Notes: nothing is ever lost, whoever writes at once, however git laid them out, and whatever others wrote there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen import errors
from gitqueen.git import markers, notes, packs, process, refs
from tests.git import kinds
from tests.git.contract import here
from tests.hive import Repo, Runner

LINE = '{"what": "commit", "sister": "iza-1", "task": "the relay"}'


def shown(repo: Repo, oid: str) -> str:
    """The note as git shows it, in every fan-out."""
    return repo.git("notes", "--ref=gitqueen", "show", oid)


def add(repo: Repo, oid: str, *lines: str) -> set[str]:
    return notes.add(here(repo.path), {oid: lines})


KINDS = "plain linked bare of_bare sha256 reftable reftable_linked partial shallow submodule odd_folder".split()


@pytest.mark.parametrize(
    "kind", [pytest.param(one, marks=pytest.mark.needs_newer_git) if "reftable" in one else one for one in KINDS]
)
def test_a_note_stands_in_every_kind_of_repository(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if "reftable" in kind:
        request.getfixturevalue("newer_git")
    repo = Repo(kinds.BUILDERS[kind](tmp_path).top)
    oid = repo.head
    assert add(repo, oid, LINE) == {oid}
    assert add(repo, oid, LINE) == set()
    add(repo, oid, "second")
    assert shown(repo, oid) == f"{LINE}\nsecond"
    assert notes.read(here(repo.path), [oid]) == {oid: f"{LINE}\nsecond\n"}
    repo.git("fsck", "--strict")
    # A commit without a parent: one line in every log of everything, and no other ref beside it.
    assert repo.git("log", "--format=%P|%s", "refs/notes/gitqueen") == "|notes"
    assert repo.git("for-each-ref", "--format=%(refname)", "refs/notes", "refs/gitqueen") == "refs/notes/gitqueen"
    assert repo.git("log", "-1", "--format=%N", "--notes=gitqueen").rstrip() == f"{LINE}\nsecond"


@pytest.mark.parametrize("count", [1, notes.FEW, notes.FEW + 1])
def test_many_notes_are_one_commit(count: int, repo: Callable[..., Repo]) -> None:
    """Up to a few dozen as one pack of ours, more by git's own importer: the same comes of it."""
    app = repo()
    oids = [refs.object_id("blob", str(number).encode(), "0" * 40) for number in range(count)]
    place = here(app.path)
    for text in ("one", "two"):
        assert notes.add(place, {oid: [f"{text} of {oid}"] for oid in oids}) == set(oids)
        assert app.git("rev-list", "--count", "refs/notes/gitqueen") == "1"
    assert notes.read(place, oids) == {oid: f"one of {oid}\ntwo of {oid}\n" for oid in oids}
    listed = app.git("notes", "--ref=gitqueen", "list").splitlines()
    assert sorted(line.split()[1] for line in listed) == sorted(oids)
    paths = app.git("ls-tree", "-r", "--name-only", "refs/notes/gitqueen").splitlines()
    assert sorted(paths) == sorted(f"{oid[:2]}/{oid[2:]}" for oid in oids)
    app.git("fsck", "--strict")


def lay_out(repo: Repo, note: dict[str, str]) -> None:
    """Make the ref of notes by hand: path -> text."""
    lines = []
    for path, text in note.items():
        blob = subprocess.run(
            ["git", "hash-object", "-w", "--stdin"], cwd=repo, input=text.encode("utf-8", "surrogateescape"),
            capture_output=True, check=True,
        ).stdout.decode().strip()  # fmt: skip
        lines.append(f"100644 {blob} 0\t{path}")
    index = {**os.environ, "GIT_INDEX_FILE": os.fspath(repo.path / ".git/by-hand")}
    feed = "".join(f"{line}\n" for line in lines)
    subprocess.run(["git", "update-index", "--index-info"], cwd=repo, env=index, input=feed, text=True, check=True)
    tree = subprocess.run(["git", "write-tree"], cwd=repo, env=index, capture_output=True, text=True, check=True)
    commit = repo.git("commit-tree", "-m", "by hand", tree.stdout.strip())
    repo.git("update-ref", "refs/notes/gitqueen", commit)


@pytest.mark.parametrize("few", [notes.FEW, 0])
def test_notes_in_other_fan_outs_are_read_and_brought_into_ours(
    few: int, repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "FEW", few)
    app = repo()
    flat, deep, deeper, twice = (refs.object_id("blob", text, "0" * 40) for text in (b"1", b"2", b"3", b"4"))
    lay_out(
        app,
        {
            flat: "flat\n",
            f"{deep[:2]}/{deep[2:4]}/{deep[4:]}": "deep\n",
            f"{deeper[:2]}/{deeper[2:4]}/{deeper[4:6]}/{deeper[6:]}": "deeper",
            twice: "here\n",
            f"{twice[:2]}/{twice[2:]}": "and there\n",
            "README": "somebody's\n",
        },
    )
    place = here(app.path)
    assert notes.read(place, [flat, deep, deeper, twice, "0" * 40]) == {
        flat: "flat\n",
        deep: "deep\n",
        deeper: "deeper\n",
        twice: "here\nand there\n",
    }
    notes.add(place, {oid: [LINE] for oid in (flat, deep, deeper, twice)})
    standing = app.git("ls-tree", "-r", "--name-only", "refs/notes/gitqueen").splitlines()
    assert sorted(standing) == sorted([*(f"{oid[:2]}/{oid[2:]}" for oid in (flat, deep, deeper, twice)), "README"])
    assert shown(app, deeper) == f"deeper\n{LINE}"
    assert shown(app, twice) == f"here\nand there\n{LINE}"
    app.git("fsck", "--strict")


def test_what_others_wrote_into_a_note_stays_to_the_byte(repo: Callable[..., Repo]) -> None:
    app = repo()
    oid = app.head
    odd = 'mine: "x\n\n\ttab \x0c form \u2028 line\n{"what": broken\n{"what": broken\n\udcff no text'
    lay_out(app, {oid: odd})
    add(app, oid, LINE)
    blob = app.git("notes", "--ref=gitqueen", "list", oid)
    raw = subprocess.run(["git", "cat-file", "blob", blob], cwd=app, capture_output=True, check=True).stdout
    assert raw == f"{odd}\n{LINE}\n".encode("utf-8", "surrogateescape")


def test_a_note_edited_by_the_user_keeps_what_she_wrote(repo: Callable[..., Repo], run: Runner) -> None:
    app = repo()
    oid = app.head
    add(app, oid, LINE)
    editor = {"GIT_EDITOR": "sed -i -e '1i\\before' -e '$a\\after'"}
    run("git", "notes", "--ref=gitqueen", "edit", oid, cwd=app, env=editor, check=True)
    add(app, oid, LINE, "second")
    assert shown(app, oid) == f"before\n{LINE}\n\nafter\nsecond"


def test_a_note_that_is_no_text_is_left_alone(repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, a link or gigabytes in its place: not read, not replaced, and no reason not to write the others."""
    monkeypatch.setattr(notes, "LARGEST", 100)
    app = repo()
    other = app.commit("second")
    first = app.git("rev-parse", "HEAD~1")
    lay_out(app, {first: "x" * 101, other: "short\n"})
    before = app.git("notes", "--ref=gitqueen", "list", first)
    assert notes.add(here(app.path), {first: [LINE], other: [LINE]}) == {other}
    assert app.git("notes", "--ref=gitqueen", "list", first) == before
    assert shown(app, other) == f"short\n{LINE}"


@pytest.mark.parametrize("what", ["blob", "tree", "tag"])
def test_a_ref_that_is_no_notes_is_said_and_left_alone(what: str, repo: Callable[..., Repo]) -> None:
    app = repo()
    app.git("tag", "-am", "x", "v1")
    oid = {"blob": "HEAD:README", "tree": "HEAD^{tree}", "tag": "v1"}[what]
    app.git("update-ref", "refs/notes/gitqueen", app.git("rev-parse", oid))
    with pytest.raises(notes.Foreign, match=f"refs/notes/gitqueen of .*app is a {what}, no notes"):
        add(app, app.head, LINE)
    assert app.git("rev-parse", "refs/notes/gitqueen") == app.git("rev-parse", oid)
    assert notes.read(here(app.path), [app.head]) == {}


def test_a_symbolic_ref_leads_nobody_astray(repo: Callable[..., Repo]) -> None:
    """A `.git` from an archive may say that the notes are a branch: the branch stays what it is."""
    app = repo()
    app.git("symbolic-ref", "refs/notes/gitqueen", "refs/heads/main")
    add(app, app.head, LINE)
    assert app.git("log", "--format=%s", "main") == "first"
    assert shown(app, app.head) == LINE


def test_a_lock_is_waited_for_and_then_said(repo: Callable[..., Repo]) -> None:
    app = repo()
    lock = app.write(".git/refs/notes/gitqueen.lock", "")
    with pytest.raises(errors.Busy, match="cannot be written now"):
        notes.add(here(app.path), {app.head: [LINE]}, patience=0.1)
    lock.unlink()
    add(app, app.head, LINE)
    assert shown(app, app.head) == LINE


def test_the_turn_of_another_writer_is_waited_for_and_then_said(repo: Callable[..., Repo]) -> None:
    import fcntl

    app = repo()
    folder = markers.open_folder(os.fspath(app.path / ".git"), markers.FOLDER, "live")
    assert folder is not None
    fcntl.flock(folder, fcntl.LOCK_EX)
    with pytest.raises(errors.Busy, match="another gitqueen writes"):
        notes.add(here(app.path), {app.head: [LINE]}, patience=0.1)
    os.close(folder)
    assert add(app, app.head, LINE) == {app.head}


@pytest.mark.timeout(300)
def test_sixteen_at_once_lose_nothing_though_some_are_killed(repo: Callable[..., Repo], run: Runner) -> None:
    app = repo()
    for number in range(5):
        app.commit(f"commit {number}")
    done = run(sys.executable, os.path.join(os.path.dirname(__file__), "noters.py"), "16", "4", cwd=app, timeout=200)
    assert (done.returncode, done.stderr) == (0, "")
    told = (app.path / "log").read_text().splitlines()
    assert len(told) >= 11 * 4
    there = {f"{oid} {line}" for oid in app.git("rev-list", "HEAD").split() for line in _lines(app, oid)}
    assert [line for line in told if line not in there] == []
    assert app.git("for-each-ref", "--format=%(refname)") == "refs/heads/main\nrefs/notes/gitqueen"
    assert app.git("log", "--all", "--format=%s").splitlines().count("notes") == 1
    app.git("fsck", "--strict")


def _lines(app: Repo, oid: str) -> list[str]:
    return notes.read(here(app.path), [oid]).get(oid, "").splitlines()


def test_a_ref_that_moves_in_between_is_read_again(repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch) -> None:
    """git itself writes the ref too, when it carries notes along: it knows nothing of turns."""
    app = repo()
    plain = notes._swap
    moved: list[str] = []

    def late(*args: object) -> str | None:
        if not moved:
            moved.append(app.git("notes", "--ref=gitqueen", "append", "-m", "git was faster"))
        return plain(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(notes, "_swap", late)
    add(app, app.head, LINE)
    assert shown(app, app.head) == f"git was faster\n{LINE}"


def test_no_reflog_keeps_every_version_of_a_note(repo: Callable[..., Repo]) -> None:
    app = repo()
    add(app, app.head, LINE)
    assert not (app.path / ".git/logs/refs/notes").exists()


def config(app: Repo) -> bytes:
    return (app.path / ".git/config").read_bytes()


@pytest.mark.parametrize(
    "before",
    [
        "",
        "[notes]\n\trewriteRef = refs/notes/commits\n",
        '[notes "other"]\n\tmergeStrategy = union\n[user]\n\tname = x\n',
        "[notes]\n\tdisplayRef = refs/notes/*\n; the end\n",
    ],
)
def test_git_is_told_to_carry_notes_along_and_untold_to_the_byte(before: str, repo: Callable[..., Repo]) -> None:
    app = repo()
    with (app.path / ".git/config").open("a") as file:
        file.write(before)
    was, place = config(app), here(app.path)
    assert notes.follow(place)
    assert not notes.follow(place)
    assert app.git("config", "--get-all", "notes.rewriteRef").splitlines()[-1] == "refs/notes/gitquee[n]"
    assert app.git("config", "notes.gitqueen.mergeStrategy") == "cat_sort_uniq"
    notes.unfollow(place)
    assert config(app) == was
    notes.unfollow(place)
    assert config(app) == was


def test_git_carries_notes_along_and_says_nothing_before_there_are_any(repo: Callable[..., Repo], run: Runner) -> None:
    app = repo()
    notes.follow(here(app.path))
    done = run("git", "commit", "--quiet", "--amend", "-m", "amended", cwd=app)
    assert (done.returncode, done.stderr) == (0, "")
    add(app, app.head, LINE)
    app.git("commit", "--quiet", "--amend", "-m", "again")
    assert shown(app, app.head) == LINE


def test_git_is_not_told_of_what_would_make_it_die(repo: Callable[..., Repo]) -> None:
    app = repo()
    place = here(app.path)
    notes.follow(place)
    app.git("update-ref", "refs/notes/gitqueen", app.git("rev-parse", "HEAD:README"))
    assert not notes.follow(place)
    app.git("commit", "--quiet", "--amend", "--message", "amended")  # dies where git reads notes that are none
    assert app.git("log", "--format=%s") == "amended"


def test_notes_go_when_they_are_asked_to(repo: Callable[..., Repo]) -> None:
    app = repo()
    place = here(app.path)
    assert not notes.there(place)
    assert not notes.remove(place)
    add(app, app.head, LINE)
    assert notes.there(place)
    assert notes.remove(place)
    assert not notes.there(place)


def test_trees_are_read_and_written_as_git_does(repo: Callable[..., Repo]) -> None:
    app = repo(files={"a": "1\n", "a.b": "1\n", "a-b": "1\n", "ab/c": "1\n", "ä": "1\n", "z": "1\n"})
    app.git("update-index", "--add", "--cacheinfo", f"100644,{app.git('rev-parse', 'HEAD:a')},a-b")
    app.git("mv", "a", "x")
    app.commit("a folder sorts as if it ended in a slash", {"a/b": "1\n"})
    place = here(app.path)
    tree = refs.objects(place, ["HEAD^{tree}"])["HEAD^{tree}"]
    found = packs.entries(tree.content, tree.oid)
    assert [name for name, (mode, _) in found.items() if mode == packs.FOLDER] == ["a", "ab"]
    assert packs.tree(dict(reversed(found.items()))) == tree.content


@pytest.mark.parametrize("size", [0, 1, 15, 16, 2047, 2048, 300_000])
def test_a_pack_of_objects_of_any_size_is_one_that_git_takes(size: int, repo: Callable[..., Repo]) -> None:
    app = repo()
    content = b"x" * size
    packs.write(here(app.path), [("blob", content)], app.head)
    oid = refs.object_id("blob", content, app.head)
    assert process.run("cat-file", "blob", oid, cwd=os.fspath(app.path)).out == content
