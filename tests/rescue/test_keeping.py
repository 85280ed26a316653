"""What a snapshot holds, in every kind of worktree; what it leaves alone; and what happens where it cannot be made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitqueen import errors
from gitqueen.git import markers, rescue, turns, uncommitted
from gitqueen.git.places import Place
from gitqueen.model import rescues
from gitqueen.model.rescues import Rescue
from gitqueen.services import losing, queen, rescuing, restoring, salvaging
from gitqueen.services.queen import Queen
from gitqueen.store import database, repos
from tests.git import kinds
from tests.hive import Repo, Runner, Sister


def managed(top: str | os.PathLike[str]) -> Queen:
    """The queen in a worktree that she manages."""
    opened = queen.open(dict(os.environ), lambda: datetime.now(UTC), os.fspath(top))
    place = opened.here()
    with database.transaction(opened.db):
        repos.save(opened.db, place.common_dir, place.repo, managed=repos.BY_NAME)
    assert markers.prepare(place.common_dir)
    return opened


def look(opened: Queen) -> str | None:
    opened.now += timedelta(seconds=1)
    return losing.look(opened, opened.here(), "test")


def dirty(top: Path) -> dict[str, tuple[int, bytes]]:
    """Path -> mode and bytes of everything that git calls uncommitted and that stands in the worktree."""
    args = ["git", "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignore-submodules=all"]
    said = subprocess.run(args, cwd=top, capture_output=True, check=True).stdout
    found = {}
    for entry in filter(None, said.split(b"\0")):
        path = os.path.join(os.fsencode(top), entry[3:])
        if os.path.islink(path):
            found[os.fsdecode(entry[3:])] = (0o120000, os.readlink(path))
        elif os.path.isfile(path):
            with open(path, "rb") as file:
                found[os.fsdecode(entry[3:])] = (os.stat(path).st_mode & 0o777, file.read())
    return found


STIRRED = [
    "plain", "unborn", "linked", "inside", "of_bare", "separate", "submodule", "superproject", "sha256", "sparse_cone",
    "sparse_patterns", "sparse_index", "partial", "filtered", "filtered_privately", "crlf", "autocrlf", "encoded",
    "split_index", "index_v4", "hidden_bits", "modeless", "core_worktree", "merging", "odd_paths", "odd_folder",
    pytest.param("reftable", marks=pytest.mark.needs_newer_git),
]  # fmt: skip


@pytest.mark.parametrize("name", STIRRED)
def test_everything_uncommitted_is_kept_raw_and_comes_back(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if name in kinds.NEWER:
        request.getfixturevalue("newer_git")
    top = kinds.BUILDERS[name](tmp_path).top
    if name not in ("unborn", "superproject", "merging", "odd_paths"):
        kinds.stir(top)
    opened = managed(top)
    place = opened.here()
    top = Path(place.worktree or "")
    index = Path(place.git_dir, "index")
    Path(place.git_dir, "index.lock").touch()  # somebody holds it, for ever
    wanted, before = dirty(top), index.read_bytes()
    identity = look(opened)
    assert identity is not None
    assert (index.read_bytes(), dirty(top)) == (before, wanted)
    found = rescuing.find(place, identity)
    assert found.left_out == {}
    kept = restoring.chosen(place, found, ())
    done = restoring.restore(opened, place, found, kept, into=str(tmp_path / "back"))
    assert (set(done.written), dict(done.refused)) == ({one.path for one in kept}, {})
    for path, (mode, content) in wanted.items():
        back = os.path.join(os.fsencode(tmp_path), b"back", os.fsencode(path))
        assert (os.readlink(back) if mode == 0o120000 else Path(os.fsdecode(back)).read_bytes()) == content
        assert mode == 0o120000 or os.stat(back).st_mode & 0o777 == mode
    assert look(opened) is None  # nothing changed


def test_staged_and_unstaged_and_deleted_are_told_apart(repo: Callable[..., Repo]) -> None:
    app = repo("app", {"both": "1\n", "gone": "1\n", "kept": "1\n"})
    app.write("both", "staged\n")
    app.git("add", "both")
    app.write("both", "edited\n")
    (app.path / "gone").unlink()
    opened = managed(app)
    found = salvaging.shown(opened, look(opened) or "")
    assert [(one.path, one.part) for one in found.kept] == [("both", "index"), ("both", "worktree")]
    assert rescue.data(opened.here(), [one.oid for one in found.kept]) == [b"staged\n", b"edited\n"]
    assert (found.rescue.deleted, found.files, found.rescue.lines) == (("gone",), ("both",), 1)


def test_ignored_files_are_never_kept_and_large_ones_are_named(repo: Callable[..., Repo]) -> None:
    app = repo("app", {".gitignore": "*.secret\n"})
    app.git("config", "gitqueen.rescue.maxFileSize", "1k")
    app.git("config", "gitqueen.rescue.maxTotalSize", "2k")
    app.write("x.secret", "no\n")
    app.write("large", "x" * 1025)
    for name in ("a", "b", "c"):
        app.write(name, "x" * 900)
    opened = managed(app)
    found = salvaging.shown(opened, look(opened) or "")
    assert [one.path for one in found.kept] == ["a", "b"]
    assert found.rescue.left_out == {
        "large": "1025 bytes, at most 1024 are kept",
        "c": "the snapshot would have more than 2048 bytes",
    }
    told = Runner(app.path)("gitqueen", "rescue", "show", found.rescue.id.rpartition("/")[2], check=True).stdout
    assert "left out          large: 1025 bytes, at most 1024 are kept\n" in told


@pytest.mark.timeout(1200)
def test_a_hundred_thousand_untracked_files(repo: Callable[..., Repo]) -> None:
    app = repo()
    for folder in range(100):
        (app.path / f"d{folder}").mkdir()
        for number in range(1000 if os.environ.get("GITQUEEN_LONG") else 50):
            (app.path / f"d{folder}" / str(number)).write_bytes(b"%d" % number)
    opened = managed(app)
    found = salvaging.shown(opened, look(opened) or "")
    assert len(found.kept) == 100 * (1000 if os.environ.get("GITQUEEN_LONG") else 50)
    assert look(opened) is None


def test_sixty_four_at_once_keep_each_content_once(repo: Callable[..., Repo]) -> None:
    app = repo()
    app.write("new", "1\n")
    managed(app)
    line = "import os,sys; from datetime import *; from gitqueen.services import queen, losing; "
    line += "q = queen.open(os.environ, lambda: datetime.now(UTC), sys.argv[1]); "
    line += "losing.look(q, q.here(), 'race', patience=300)"
    racers = [subprocess.Popen([sys.executable, "-c", line, app.path]) for _ in range(64)]
    assert {racer.wait(300) for racer in racers} == {0}
    assert len(rescue.listed(managed(app).here())) == 1


def test_off_means_off_and_unmanaged_is_never_touched(repo: Callable[..., Repo]) -> None:
    app = repo()
    app.write("new", "1\n")
    opened = queen.open(dict(os.environ), lambda: datetime.now(UTC), str(app.path))
    assert not rescuing.on(opened, opened.here())
    app.git("config", "gitqueen.rescue.enabled", "false")
    opened = managed(app)
    assert losing.scanned(opened, opened.here(), app.head, ("new",)) is None
    assert not os.path.exists(turns.folder(opened.here()))


def test_a_damaged_snapshot_leaves_the_others_readable(repo: Callable[..., Repo]) -> None:
    app = repo()
    opened = managed(app)
    made = []
    for number in range(3):
        app.write("new", f"{number}\n")
        made.append(look(opened) or "")
    place = opened.here()
    where = Path(turns.folder(place))
    for name in (rescue.one(place, made[1]),):
        assert name is not None
        file = where / "objects" / name.commit[:2] / name.commit[2:]
        file.chmod(0o600)
        file.write_bytes(b"damaged")
    assert [one.id for one in rescue.listed(place)] == [made[2], made[0]]
    app.write("new", "3\n")
    assert look(opened) is not None


def test_a_repository_that_cannot_be_written_says_so_and_keeps_nothing_half(
    repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = repo()
    app.write("new", "1\n")
    opened = managed(app)
    folder = os.path.dirname(turns.folder(opened.here()))
    os.rename(folder, f"{folder}.away")
    Path(folder).write_text("in the way\n")
    with pytest.raises(errors.CannotWork, match="cannot be made"):
        look(opened)
    os.unlink(folder)
    os.symlink(f"{folder}.away", folder)
    with pytest.raises(errors.CannotWork, match="a link is none of ours"):
        look(opened)


def test_a_full_disk_keeps_what_was_kept_and_the_next_look_works(repo: Callable[..., Repo]) -> None:
    app = repo()
    opened = managed(app)
    app.write("new", "1\n")
    first = look(opened)
    app.write("new", "x" * 200_000 + os.urandom(100_000).hex())
    line = "import os,sys,resource; from datetime import *; from gitqueen.services import queen, losing; "
    line += "q = queen.open(os.environ, lambda: datetime.now(UTC), sys.argv[1]); "
    line += "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)); losing.look(q, q.here(), 'full')"
    done = subprocess.run([sys.executable, "-c", line, app.path], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "cannot be written: File too large" in done.stderr
    assert [one.id for one in rescue.listed(opened.here())] == [first]
    assert look(opened) is not None


def test_what_is_kept_how_long() -> None:
    now = datetime(2026, 3, 31, 12, tzinfo=UTC)
    ages = [timedelta(minutes=10 * n) for n in range(6 * 24 * 40)]
    kept = rescues.keeping([Rescue(str(age), "", "/w", now - age, "scan") for age in ages], now, {str(ages[-1])})
    by_day = [sum(1 for age in ages if age.days == day and str(age) in kept) for day in range(40)]
    assert by_day[:7] == [144, 25, *[24] * 5]  # the very moment a day ago is in the last day still
    assert set(by_day[8:30]) == {1} and by_day[31:39] == [0] * 8 and by_day[39] == 1


def test_pruning_drops_and_packs_but_never_what_is_lost(repo: Callable[..., Repo]) -> None:
    app = repo()
    opened = managed(app)
    opened.now -= timedelta(days=60)
    made = []
    for number in range(5):
        app.write("new", f"{number}\n")
        made.append(look(opened) or "")
    opened.now = opened.clock()
    assert sorted(rescuing.tend(opened, opened.here(), {made[1]}, dry_run=True)) == [made[0], *made[2:4]]
    assert len(rescue.listed(opened.here())) == 5
    rescuing.tend(opened, opened.here(), {made[1]})
    assert [one.id for one in rescue.listed(opened.here())] == [made[4], made[1]]
    assert list(Path(turns.folder(opened.here()), "objects/pack").glob("*.pack"))
    [data] = rescue.data(opened.here(), [one.oid for one in rescue.contents(opened.here(), made[1])])
    assert data == b"1\n"


def test_uninstalling_with_purge_takes_all_of_it_away(repo: Callable[..., Repo], run: Runner) -> None:
    app = repo()
    run("gitqueen", "hooks", "install", cwd=app, check=True)
    app.write("new", "1\n")
    assert json.loads(run("gitqueen", "rescue", "now", "--json", cwd=app, check=True).stdout)["id"]
    assert "1 snapshot of uncommitted work take" in run("gitqueen", "doctor", cwd=app).stdout
    run("gitqueen", "hooks", "uninstall", cwd=app, check=True)
    assert (app.path / ".git/gitqueen/rescue.git").is_dir()
    run("gitqueen", "hooks", "uninstall", "--purge", cwd=app, check=True)
    assert not (app.path / ".git/gitqueen/rescue.git").exists()


def test_a_look_that_costs_no_process(repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch) -> None:
    app = repo()
    app.write("new", "1\n")
    opened = managed(app)
    place = opened.here()
    assert losing.scanned(opened, place, app.head, ("new",)) is not None
    started: list[object] = []
    monkeypatch.setattr(os, "posix_spawn", lambda *args, **_: started.append(args))
    assert losing.scanned(opened, place, uncommitted_head(app), ("new",)) is None
    assert started == []


def uncommitted_head(app: Repo) -> str:
    return (app.path / ".git/refs/heads/main").read_text().strip()


def test_a_command_that_comes_between_is_seen_whole(
    repo: Callable[..., Repo], sister: Callable[..., Sister], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of what a reset does would be told in two letters, or be kept as if somebody had written it."""
    app = repo("app", {"a": "1\n", "b": "1\n"})
    opened = managed(app)
    sister("iza", app).sh("gitqueen iam parsing")
    sister("ada", app).sh("gitqueen iam translating")
    app.write("a", "hers\n")
    app.write("b", "hers\n")
    assert look(opened)
    app.write("b", "hers, and more\n")
    real, before = uncommitted.look, Runner(app.path)

    def slow(place: Place) -> uncommitted.Look:
        seen = real(place)
        before("git", "reset", "-q", "--hard")
        return seen

    monkeypatch.setattr(uncommitted, "look", slow)
    found = salvaging.shown(opened, look(opened) or "")
    assert (found.kept, found.rescue.deleted) == ((), ())
    assert {one.facts for one in losing.open_ones(opened)} == {("a", "b")}
