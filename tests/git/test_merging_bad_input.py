"""Merges foretold of what people really have: held against a real `git merge` of the same work made right afterwards.

Whatever stands there, the user's objects, index, refs and files are byte for byte as before; what cannot be known is
said to be unknown, with why.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitqueen import errors
from gitqueen.git import merging, places, states
from gitqueen.model import merges
from gitqueen.model.merges import Merge
from tests.hive import Repo, Runner, Sister, new_repo

LINES = "".join(f"line {number}\n" for number in range(20))


@dataclass(frozen=True)
class Desk:
    """One repository, two worktrees: `ours` on main, `theirs` on topic."""

    ours: Repo
    theirs: Repo

    def foretold(self) -> Merge:
        """What is foretold of merging theirs into ours, each with all uncommitted work: at once, and as many pairs are,
        which must come to the same."""
        here, there = places.find(os.fspath(self.ours)), places.find(os.fspath(self.theirs))
        assert here is not None and there is not None
        mine, hers = states.take(here), states.take(there)
        pair = (mine.commit, hers.commit)
        said = merging.predict(here, [pair], worktrees={mine.commit: os.fspath(self.ours)})
        assert merging.predict(here, [pair]) == said
        return said[pair]

    def really(self) -> set[str]:
        """The paths that conflict when both commit all that they have and ours merges theirs."""
        for side in (self.theirs, self.ours):
            side.git("add", "-A")
            side.commit("all of it")
        merged = self._run("merge", "--quiet", "--no-commit", "topic")
        assert merged.returncode in (0, 1), merged.stderr
        lines = os.fsencode(self._run("ls-files", "--unmerged", "-z").stdout).split(b"\0")[:-1]
        return {os.fsdecode(line.partition(b"\t")[2]) for line in lines}

    def _run(self, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *args], cwd=self.ours, capture_output=True, encoding="utf-8", errors="surrogateescape", check=False
        )


def desk(box: Path, files: dict[str, str] | None = None) -> Desk:
    ours = new_repo(box / "app", {"README": LINES} if files is None else files)
    return Desk(ours, ours.worktree("topic"))


def pictured(*folders: Path) -> dict[str, str]:
    """Every file below, with what it holds and when it was written; ours (`.git/gitqueen`) left out. An object that git
    has need of once more gets a new time (which keeps `gc` from it) and stays what it is."""
    found = {}
    for folder in folders:
        for top, names, files in os.walk(folder):
            if os.path.basename(top) == ".git":
                names[:] = [name for name in names if name != "gitqueen"]
            for name in files:
                path = os.path.join(top, name)
                seen = os.lstat(path)
                said = os.readlink(path).encode() if os.path.islink(path) else _bytes(path)
                written = 0 if f"{os.sep}objects{os.sep}" in path else seen.st_mtime_ns
                found[path] = f"{hashlib.sha256(said).hexdigest()} {seen.st_mode:o} {written}"
    return found


def _bytes(path: str) -> bytes:
    if os.stat(path).st_size > 50_000_000:
        return b"large"
    with open(path, "rb") as file:
        return file.read()


@contextmanager
def untouched(*folders: Path) -> Iterator[None]:
    """Nothing below `folders` is written while this lasts."""
    before = pictured(*folders)
    yield
    assert pictured(*folders) == before


def both(at: Desk, path: str, ours: str, theirs: str) -> None:
    at.ours.write(path, ours)
    at.theirs.write(path, theirs)


def bytes_into(repo: Repo, path: str, content: bytes) -> None:
    file = repo.path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


Case = Callable[[Path], tuple[Desk, dict[str, str]]]
"""Builds a desk; what becomes of merging: path -> verdict."""


def nothing_uncommitted(box: Path) -> tuple[Desk, dict[str, str]]:
    at = desk(box)
    at.ours.commit("mine", {"README": "mine\n"})
    at.theirs.commit("hers", {"README": "hers\n"})
    return at, {"README": merges.CONTENT}


def untracked_both(box: Path) -> tuple[Desk, dict[str, str]]:
    at = desk(box)
    both(at, "new/ü.txt", "mine\n", "hers\n")
    both(at, "same.txt", "same\n", "same\n")
    return at, {"new/ü.txt": merges.ADDED_TWICE}


def criss_cross(box: Path) -> tuple[Desk, dict[str, str]]:
    """Two merge bases, each side having resolved the same conflict in its own way."""
    at = desk(box)
    at.ours.commit("mine", {"README": "mine\n" + LINES})
    at.theirs.commit("hers", {"README": LINES + "hers\n"})
    mine, hers = at.ours.head, at.theirs.head
    at.ours.git("merge", "--quiet", "--no-edit", hers)
    at.theirs.git("merge", "--quiet", "--no-edit", mine)
    at.ours.write("README", "mine again\n" + LINES + "hers\n")
    at.theirs.write("README", "mine by her\n" + LINES + "hers\n")
    assert len(at.ours.git("merge-base", "--all", "main", "topic").split()) == 2
    return at, {"README": merges.CONTENT}


def criss_cross_clean(box: Path) -> tuple[Desk, dict[str, str]]:
    at, _ = criss_cross(box)
    both(at, "README", "mine\n" + LINES + "hers\nmore\n", "more\nmine\n" + LINES + "hers\n")
    return at, {}


def renamed_and_edited(box: Path) -> tuple[Desk, dict[str, str]]:
    """No path is changed on both sides, and yet the same lines are."""
    at = desk(box)
    at.ours.git("mv", "README", "MANUAL")
    at.ours.write("MANUAL", LINES.replace("line 3\n", "mine\n"))
    at.theirs.write("README", LINES.replace("line 3\n", "hers\n"))
    return at, {"MANUAL": merges.CONTENT}


def symlinks(box: Path) -> tuple[Desk, dict[str, str]]:
    at = desk(box, {"README": LINES, "kept": "kept\n"})
    (at.ours.path / "link").symlink_to("README")
    at.ours.commit("a link", {})
    at.ours.git("add", "link")
    at.ours.commit("a link")
    at.theirs.git("merge", "--quiet", "main")
    for side, target in ((at.ours, "mine"), (at.theirs, "hers")):
        (side.path / "link").unlink()
        (side.path / "link").symlink_to(target)
    # A link to nowhere, and one to a folder, are links; they are not followed.
    (at.ours.path / "out").symlink_to("/nowhere")
    (at.theirs.path / "up").symlink_to("..")
    return at, {"link": merges.CONTENT}


def modes(box: Path) -> tuple[Desk, dict[str, str]]:
    """A mode on one side, an edit on the other: no conflict."""
    at = desk(box, {"README": LINES, "run.sh": LINES, "same.sh": LINES})
    (at.ours.path / "run.sh").chmod(0o755)
    at.theirs.write("run.sh", LINES + "more\n")
    for side in (at.ours, at.theirs):
        (side.path / "same.sh").chmod(0o755)
    return at, {}


def line_ends(box: Path) -> tuple[Desk, dict[str, str]]:
    """The files have CRLF on disk and LF in git: an edit of one line is one line."""
    at = desk(box, {".gitattributes": "*.txt text eol=crlf\n", "a.txt": LINES, "b.txt": LINES})
    crlf = LINES.replace("\n", "\r\n")
    both(at, "a.txt", crlf.replace("line 1\r", "mine\r"), crlf.replace("line 15\r", "hers\r"))
    both(at, "b.txt", crlf.replace("line 1\r", "mine\r"), crlf.replace("line 1\r", "hers\r"))
    return at, {"b.txt": merges.CONTENT}


def automatic_line_ends(box: Path) -> tuple[Desk, dict[str, str]]:
    at = desk(box)
    at.ours.git("config", "core.autocrlf", "true")
    both(at, "README", LINES.replace("\n", "\r\n") + "mine\r\n", "hers\r\n" + LINES.replace("\n", "\r\n"))
    return at, {}


def case_only(box: Path) -> tuple[Desk, dict[str, str]]:
    """README becomes readme here, and gets a line there."""
    at = desk(box)
    at.ours.git("mv", "README", "readme")
    at.theirs.write("README", LINES + "hers\n")
    return at, {}


def case_only_twice(box: Path) -> tuple[Desk, dict[str, str]]:
    at = desk(box)
    at.ours.git("mv", "README", "readme")
    at.theirs.git("mv", "README", "Readme")
    return at, dict.fromkeys(("README", "readme", "Readme"), merges.RENAME_RENAME)


def binary(box: Path) -> tuple[Desk, dict[str, str]]:
    at = desk(box)
    bytes_into(at.ours, "logo", bytes(range(256)))
    at.ours.git("add", "logo")
    at.ours.commit("a picture")
    at.theirs.git("merge", "--quiet", "main")
    bytes_into(at.ours, "logo", b"\0mine" + bytes(range(256)))
    bytes_into(at.theirs, "logo", bytes(range(256)) + b"\0hers")
    return at, {"logo": merges.BINARY}


def wide(box: Path) -> tuple[Desk, dict[str, str]]:
    """UTF-16 that git keeps as it is has NULs: binary. Where git keeps UTF-8, its lines are merged."""
    at = desk(box, {".gitattributes": "*.utf16 text working-tree-encoding=UTF-16\n"})
    for name in ("told.utf16", "raw.txt"):
        bytes_into(at.ours, name, LINES.encode("utf-16"))
        at.ours.git("add", name)
    at.ours.commit("wide")
    at.theirs.git("merge", "--quiet", "main")
    for name in ("told.utf16", "raw.txt"):
        bytes_into(at.ours, name, LINES.replace("line 1\n", "mine\n").encode("utf-16"))
        bytes_into(at.theirs, name, LINES.replace("line 18\n", "hers\n").encode("utf-16"))
    return at, {"raw.txt": merges.BINARY}


def latin(box: Path) -> tuple[Desk, dict[str, str]]:
    """Names and contents that are no UTF-8, and names that would upset a parser."""
    at = desk(box)
    names = [b"na\xefve.txt", b"two\nlines", b"tab\there", b'"quoted"', b" spaced ", b"-dash", b":(top)x", b"a:b"]
    for name in map(os.fsdecode, names):
        bytes_into(at.ours, name, b"caf\xe9 mine\n")
        bytes_into(at.theirs, name, b"caf\xe9 hers\n")
    return at, {os.fsdecode(name): merges.ADDED_TWICE for name in names}


def folder_and_file(box: Path) -> tuple[Desk, dict[str, str]]:
    at = desk(box)
    at.ours.write("thing", "a file\n")
    at.theirs.write("thing/inside", "in a folder\n")
    return at, {"thing": merges.DIRECTORY_FILE}


def deleted_and_edited(box: Path) -> tuple[Desk, dict[str, str]]:
    at = desk(box)
    (at.ours.path / "README").unlink()
    at.theirs.write("README", LINES + "hers\n")
    return at, {"README": merges.MODIFY_DELETE}


CASES: list[Case] = [
    nothing_uncommitted, untracked_both, criss_cross, criss_cross_clean, renamed_and_edited, symlinks, modes, line_ends,
    automatic_line_ends, case_only, case_only_twice, binary, wide, latin, folder_and_file, deleted_and_edited,
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_what_is_foretold_is_what_git_then_does(case: Case, tmp_path: Path) -> None:
    at, expected = case(tmp_path)

    with untouched(at.ours.path, at.theirs.path):
        said = at.foretold()

    assert {clash.path: clash.verdict for clash in said.clashes} == expected
    assert said.verdict == (merges.CONFLICT if expected else merges.CLEAN)
    told = {name for clash in said.clashes for name in clash.names}
    # A file in a folder's place git sets aside as `file~HEAD`.
    assert {path.removesuffix("~HEAD") for path in at.really()} <= told


def test_submodules_that_went_apart_conflict_and_one_that_moved_alone_does_not(tmp_path: Path) -> None:
    inner, ours = new_repo(tmp_path / "inner"), new_repo(tmp_path / "app", {"README": LINES})
    for name in ("apart", "alone"):
        ours.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.path, name)
    ours.commit("submodules")
    at = Desk(ours, ours.worktree("topic"))
    at.theirs.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init")
    Repo(at.ours.path / "apart").commit("mine")
    Repo(at.ours.path / "alone").commit("mine")
    Repo(at.theirs.path / "apart").commit("hers")

    with untouched(at.ours.path, at.theirs.path):
        said = at.foretold()

    assert {clash.path: clash.verdict for clash in said.clashes} == {"apart": merges.SUBMODULE}
    assert at.really() == {"apart"}


def test_histories_with_nothing_in_common_are_unknown_as_git_refuses_them(tmp_path: Path) -> None:
    at = desk(tmp_path)
    at.theirs.git("checkout", "--quiet", "--orphan", "new")
    at.theirs.commit("another beginning", {"README": "hers\n"})

    with untouched(at.ours.path, at.theirs.path):
        said = at.foretold()

    assert said == Merge(merges.UNKNOWN, why="they have no commit in common")
    assert "refusing to merge unrelated histories" in at._run("merge", "new").stderr


def test_an_unborn_branch_is_unknown(tmp_path: Path) -> None:
    at = desk(tmp_path)
    at.theirs.git("checkout", "--quiet", "--orphan", "new")

    assert at.foretold() == Merge(merges.UNKNOWN, why="they have no commit in common")


def _apart(box: Path) -> Repo:
    """A repository whose branches `main` and `topic` conflict in README, three commits after they parted."""
    at = desk(box)
    for side, name in ((at.ours, "mine"), (at.theirs, "hers")):
        for number in range(3):
            side.commit(
                f"{name} {number}", {"README": LINES.replace("line 3\n", f"{name} {number}\n"), name: str(number)}
            )
    at.ours.git("config", "uploadpack.allowFilter", "true")
    return at.ours


def _clone(source: Repo, box: Path, *options: str) -> Desk:
    where = Repo(box / "clone")
    source.git("clone", "--quiet", "--no-single-branch", *options, f"file://{source.path}", where.path)
    where.git("worktree", "add", "--quiet", "-b", "topic", box / "clone-topic", "origin/topic")
    return Desk(where, Repo(box / "clone-topic"))


def test_a_shallow_clone_knows_what_it_has_and_says_what_it_has_not(tmp_path: Path) -> None:
    source = _apart(tmp_path)
    at = _clone(source, tmp_path, "--depth=2")

    with untouched(at.ours.path, at.theirs.path):
        said = at.foretold()
    assert said == Merge(merges.UNKNOWN, why="they have no commit in common, as far as this shallow clone goes")

    at.ours.git("fetch", "--quiet", "--deepen=4")
    assert {clash.path: clash.verdict for clash in at.foretold().clashes} == {"README": merges.CONTENT}


def test_a_partial_clone_fetches_nothing_for_a_look_ahead(tmp_path: Path) -> None:
    """Both tips are checked out, so that their files are here; what the base had is not, and git would fetch it."""
    source = _apart(tmp_path)
    at = _clone(source, tmp_path, "--filter=blob:none")

    with untouched(at.ours.path, at.theirs.path):
        said = at.foretold()
    assert said.verdict == merges.UNKNOWN and said.why != ""

    assert at.really() == {"README"}  # git has fetched what it needs
    at.ours.git("merge", "--abort")
    assert {clash.path: clash.verdict for clash in at.foretold().clashes} == {"README": merges.CONTENT}


def test_a_file_over_the_cap_is_left_out_and_named(tmp_path: Path) -> None:
    at = desk(tmp_path)
    for side in (at.ours, at.theirs):
        with (side.path / "disk.img").open("wb") as file:
            file.truncate(100 * 1024 * 1024)
    both(at, "README", "mine\n", "hers\n")
    there = places.find(os.fspath(at.theirs))
    assert there is not None

    with untouched(at.ours.path, at.theirs.path):
        state, said = states.take(there), at.foretold()

    assert state.left_out == ("disk.img",)
    assert {clash.path: clash.verdict for clash in said.clashes} == {"README": merges.CONTENT}
    drafts = os.path.join(there.common_dir, "gitqueen")
    stored = sum(os.stat(os.path.join(top, name)).st_size for top, _, names in os.walk(drafts) for name in names)
    assert stored < 1_000_000


def test_of_a_file_of_100_mb_that_both_changed_the_command_says_that_it_does_not_know(
    tmp_path: Path, sister: Callable[..., Sister]
) -> None:
    at = desk(tmp_path, {"README": LINES, "disk.img": "small\n"})
    for side, mark in ((at.ours, b"mine"), (at.theirs, b"hers")):
        with (side.path / "disk.img").open("wb") as file:
            file.write(mark)
            file.truncate(100 * 1024 * 1024)
    iza, ada = sister("iza", at.ours), sister("ada", at.theirs)
    assert [one.sh(f"iam 'part of {one.name}'").rc for one in (iza, ada)] == [0, 0]

    done = iza.sh("gitqueen conflicts --predict --json")

    (pair,) = json.loads(done.out)["pairs"]
    assert pair["files"] == [{"path": "disk.img", "verdict": merges.UNKNOWN, "lines": None}]
    told = iza.sh("gitqueen conflicts --predict").out
    assert "not looked at (large, unreadable or not merged yet): disk.img" in told
    assert "no conflict is known" in told


def test_ten_thousand_changed_files_of_each(tmp_path: Path) -> None:
    ours = new_repo(tmp_path / "app")
    streams = [
        _ten_thousand("base", ""),
        _ten_thousand("mine", "from refs/heads/base\n"),
        _ten_thousand("hers", "from refs/heads/base\n"),
    ]
    subprocess.run(["git", "fast-import", "--quiet"], cwd=ours, input="".join(streams), text=True, check=True)
    ours.git("checkout", "--quiet", "-B", "main", "base")
    at = Desk(ours, ours.worktree("topic"))
    for side, branch in ((at.ours, "mine"), (at.theirs, "hers")):
        side.git("reset", "--quiet", "--hard", branch)
        side.git("reset", "--quiet", "--mixed", "base")

    said = at.foretold()

    assert {clash.path: clash.verdict for clash in said.clashes} == {"d77/f777": merges.CONTENT}
    assert at.really() == {"d77/f777"}


def _ten_thousand(branch: str, parent: str) -> str:
    """A commit for fast-import that changes 10,000 files, all but one in the same way whatever the branch."""
    word = "base" if branch == "base" else "both"
    texts = {f"d{number % 100}/f{number}": f"{word} {number}" for number in range(10_000)} | {"d77/f777": branch}
    files = "".join(f"M 644 inline {path}\ndata {len(text)}\n{text}\n" for path, text in texts.items())
    return f"commit refs/heads/{branch}\ncommitter a <a@x> 1700000000 +0000\ndata 4\nmany\n{parent}{files}\n"


def test_in_the_middle_of_a_rebase_what_is_not_resolved_is_named(tmp_path: Path) -> None:
    at = desk(tmp_path, {"README": LINES, "other": LINES})
    at.ours.commit("mine", {"README": "mine\n"})
    at.theirs.commit("hers", {"README": "hers\n"})
    at.theirs.commit("more", {"more": "more\n"})
    assert at.theirs.path.joinpath(".git").is_file()
    stopped = subprocess.run(["git", "rebase", "main"], cwd=at.theirs, capture_output=True, check=False)
    assert stopped.returncode == 1 and "<<<<<<<" in at.theirs.path.joinpath("README").read_text()
    both(at, "other", "mine\n", "hers\n")
    there = places.find(os.fspath(at.theirs))
    assert there is not None and there.busy == "rebase"

    with untouched(at.ours.path, at.theirs.path):
        state, said = states.take(there), at.foretold()

    assert state.left_out == ("README",)
    assert {clash.path: clash.verdict for clash in said.clashes} == {"other": merges.CONTENT}


def test_an_unfinished_merge_is_foretold_as_what_it_will_be(tmp_path: Path) -> None:
    """Hers merges ours, with both sides' lines kept in the one conflict: afterwards, ours can take all of it."""
    at = desk(tmp_path)
    at.ours.commit("mine", {"README": "mine\n" + LINES})
    at.theirs.commit("hers", {"README": "hers\n" + LINES})
    assert at.foretold().verdict == merges.CONFLICT
    stopped = subprocess.run(["git", "merge", "--quiet", "main"], cwd=at.theirs, capture_output=True, check=False)
    assert stopped.returncode == 1
    at.theirs.write("README", "mine\nhers\n" + LINES)
    at.theirs.git("add", "README")

    with untouched(at.ours.path, at.theirs.path):
        said = at.foretold()

    assert said.verdict == merges.CLEAN
    at.theirs.git("commit", "--quiet", "--no-edit")
    at.ours.git("merge", "--quiet", "--ff-only", "topic")


def test_a_locked_index_is_read_all_the_same(tmp_path: Path) -> None:
    at = desk(tmp_path)
    both(at, "README", "mine\n", "hers\n")
    locks = [
        Path(side.git("rev-parse", "--path-format=absolute", "--git-path", "index.lock"))
        for side in (at.ours, at.theirs)
    ]
    for lock in locks:
        lock.write_bytes(b"somebody else's")

    with untouched(at.ours.path, at.theirs.path):
        said = at.foretold()

    assert {clash.path: clash.verdict for clash in said.clashes} == {"README": merges.CONTENT}
    for lock in locks:
        lock.unlink()
    assert at.really() == {"README"}


@contextmanager
def _coming_and_going(repo: Repo, branch: str, tip: str) -> Iterator[None]:
    """Somebody deletes the branch and makes it again, as fast as git can."""
    script = 'while :; do git update-ref -d "$1"; git update-ref "$1" "$2"; done'
    argv = ["sh", "-c", script, "sh", f"refs/heads/{branch}", tip]
    with subprocess.Popen(argv, cwd=repo, start_new_session=True) as other:
        try:
            yield
        finally:
            os.killpg(other.pid, signal.SIGKILL)


def test_a_branch_that_is_deleted_while_it_is_read_is_told_or_unknown(tmp_path: Path) -> None:
    at = desk(tmp_path)
    at.ours.commit("mine", {"README": "mine\n"})
    tip = at.theirs.commit("hers", {"README": "hers\n"})
    seen = list[Merge]()
    with _coming_and_going(at.ours, "topic", tip):
        for _ in range(10):
            try:
                seen.append(at.foretold())
            except errors.GitFailed as fault:
                seen.append(Merge(merges.UNKNOWN, why=fault.message))

    for said in seen:
        assert said.verdict == merges.CONFLICT or (said.verdict == merges.UNKNOWN and said.why != "")


def test_the_command_tells_or_refuses_a_branch_that_is_deleted_while_it_is_read(
    tmp_path: Path, run: Runner, home: Path
) -> None:
    at = desk(tmp_path)
    at.ours.commit("mine", {"README": "mine\n"})
    tip = at.theirs.commit("hers", {"README": "hers\n"})
    at.theirs.git("checkout", "--quiet", "--detach")
    told = {"path": "README", "verdict": merges.CONTENT, "lines": [{"a": [1, 1], "b": [1, 1]}]}
    seen = set[int]()
    with _coming_and_going(at.ours, "topic", tip):
        for _ in range(6):
            done = run("gitqueen", "conflicts", "--predict", "--json", "main", "topic", cwd=at.ours)
            seen.add(done.returncode)
            said = json.loads(done.stdout)
            if done.returncode == 1:
                assert [pair["files"] for pair in said["pairs"]] == [[told], [told]]
            else:
                assert done.returncode == 2 and "'topic' is no sister" in said["error"]["message"]

    assert seen <= {1, 2}
    assert not (home / "crash.log").exists()


def test_a_commit_that_is_gone_is_unknown_and_spoils_nothing_else(tmp_path: Path) -> None:
    at = desk(tmp_path)
    mine, hers = at.ours.commit("mine", {"README": "mine\n"}), at.theirs.commit("hers", {"README": "hers\n"})
    at.theirs.git("checkout", "--quiet", "-b", "brief")
    brief = at.theirs.commit("brief", {"README": "brief\n"})
    at.theirs.git("checkout", "--quiet", "topic")
    at.ours.git("branch", "--quiet", "-D", "brief")
    at.ours.git("reflog", "expire", "--expire=now", "--all")
    at.ours.git("prune", "--expire=now")
    here = places.find(os.fspath(at.ours))
    assert here is not None

    said = merging.predict(here, [(mine, brief), (mine, hers)])

    assert said[mine, brief] == Merge(merges.UNKNOWN, why=f"{brief[:10]} is not to be had here")
    assert [clash.path for clash in said[mine, hers].clashes] == ["README"]
