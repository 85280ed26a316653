"""Versions of paths: what the index and commits made of them, and whether one takes another back."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitqueen.git import places, reflog, versions
from gitqueen.git.places import Place
from gitqueen.git.versions import Change
from tests import hive
from tests.hive import Repo

LINES = [f"line {number}\n" for number in range(1, 21)]
BEFORE = "".join(LINES)


def here(repo: Repo) -> Place:
    place = places.find(os.fspath(repo))
    assert place is not None
    return place


def blob(repo: Repo, text: str) -> str:
    file = repo.path / ".git" / "blob"
    file.write_text(text, newline="")
    return f"100644 {repo.git('hash-object', '-w', '--no-filters', file)}"


def edited(*changes: tuple[int, str]) -> str:
    lines = list(LINES)
    for number, text in sorted(changes, reverse=True):
        lines[number - 1 : number] = [text] if text else []
    return "".join(lines)


HERS = edited((5, "hers\n"), (15, "hers too\n"))


@pytest.mark.parametrize(
    ("after", "now", "taken"),
    [
        (HERS, BEFORE, True),
        (HERS, HERS, False),
        (HERS, edited((10, "mine\n")), True),
        (HERS, edited((5, "hers\n")), False),  # half of it is there
        (HERS, edited((5, "hers\n"), (10, "mine\n"), (15, "hers too\n")), False),
        (HERS, edited((5, "mine\n")), False),  # what stands there is neither the one nor the other
        (HERS, "".join(LINES[:4] + LINES[5:]), False),
        (BEFORE + "at the end\n", BEFORE, True),
        (BEFORE + "at the end\n", BEFORE + "mine\n", False),  # written in its place, by somebody who may have seen it
        (BEFORE + "at the end\n", BEFORE + "at the end\nmine\n", False),
        ("at the start\n" + BEFORE, edited((10, "mine\n")), True),
        ("at the start\n" + BEFORE, "mine\nat the start\n" + BEFORE, False),
        (edited((7, "")), edited((12, "mine\n")), True),  # a line that she took out is in again
        (edited((7, "")), edited((7, ""), (12, "mine\n")), False),
        (BEFORE.replace("\n", "\r\n"), BEFORE, True),
        (BEFORE.replace("\n", "\r\n"), BEFORE.replace("\n", "\r\n"), False),
        (BEFORE.removesuffix("\n"), BEFORE, True),
        ("", BEFORE, True),
        (BEFORE, BEFORE, False),
    ],
)
def test_whether_a_change_is_taken_back(after: str, now: str, taken: bool, repo: Callable[..., Repo]) -> None:
    app = repo()
    change = Change("a", blob(app, BEFORE), blob(app, after))
    assert versions.takes_back(here(app), os.environ, change, blob(app, now)) is taken


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.sets(st.integers(1, 8)), st.sets(st.integers(10, 18)))
def test_of_changes_apart_the_one_is_taken_back_and_the_other_stays(hers: set[int], mine: set[int]) -> None:
    def text(*changed: int) -> str:
        return "".join(f"{number} changed\n" if number in changed else f"{number}\n" for number in range(1, 20))

    app = _shared_repo()
    change = Change("a", blob(app, text()), blob(app, text(*hers)))
    kept, gone = blob(app, text(*hers, *mine)), blob(app, text(*mine))
    assert versions.takes_back(here(app), os.environ, change, gone) is bool(hers)
    assert versions.takes_back(here(app), os.environ, change, kept) is False


def _shared_repo() -> Repo:
    path = Path(os.environ["HOME"], "versions")
    return Repo(path) if path.exists() else hive.new_repo(path)


def test_what_is_no_text_to_be_merged_is_never_taken_back_in_part(repo: Callable[..., Repo]) -> None:
    app = repo()
    plain = blob(app, BEFORE), blob(app, HERS), blob(app, edited((10, "mine\n")))

    def taken(before: str, after: str, now: str) -> bool:
        return versions.takes_back(here(app), os.environ, Change("a", before, after), now)

    assert taken(*plain) is True
    assert taken(*(word.replace("100644", "120000") for word in plain)) is False  # links
    assert taken(*(f"160000 {app.head}" for _ in plain)) is False  # modules
    assert taken(*(blob(app, f"\0{number}" + text) for number, text in enumerate((BEFORE, HERS, BEFORE)))) is False
    assert taken(plain[0], plain[1], "100644 " + "1" * 40) is False  # nobody has it here
    assert taken(plain[0], plain[1], "") is False
    large = "x\n" * versions.LARGEST
    assert taken(*(blob(app, text + large) for text in (BEFORE, HERS, edited((10, "mine\n"))))) is False


def words(app: Repo, found: Mapping[str, Change]) -> dict[str, tuple[str, str]]:
    """Path -> what it was and is: modes and contents."""

    def word(state: str) -> str:
        mode, _, oid = state.partition(" ")
        return f"{mode} {app.git('cat-file', 'blob', oid)}" if state else ""

    return {path: (word(one.before), word(one.after)) for path, one in found.items()}


def test_what_is_staged_and_what_was_committed(repo: Callable[..., Repo]) -> None:
    odd = os.fsdecode(b"caf\xe9 *.py")
    app = repo(files={"a": "1\n", "gone": "2\n", "moved": "a\nb\nc\nd\ne\n", odd: "3\n", "run": "4\n"})
    app.git("mv", "moved", "there")
    app.write("there", "a\nb\nc\nd\ne\nf\n")
    app.git("rm", "-q", "gone")
    app.write("a", "1 more\n")
    app.write(odd, "3 more\n")
    app.write("new", "5\n")
    app.git("add", ".")
    app.git("update-index", "--chmod=+x", "run")
    told = {
        "a": ("100644 1", "100644 1 more"),
        "gone": ("100644 2", ""),
        "moved": ("100644 a\nb\nc\nd\ne", "100644 a\nb\nc\nd\ne\nf"),  # it is there, only elsewhere
        odd: ("100644 3", "100644 3 more"),
        "new": ("", "100644 5"),
        "run": ("100644 4", "100755 4"),
    }
    paths = [*told, "README", "caf*"]
    assert words(app, versions.staged(here(app), os.environ, paths)) == told
    app.git("commit", "-qm", "all")
    assert words(app, versions.committed(here(app), os.environ, app.head, paths)) == told
    assert versions.committed(here(app), os.environ, app.git("rev-list", "--max-parents=0", "HEAD"), paths) == {}
    by_log = versions.since(here(app), os.environ, "HEAD~1", "HEAD", ["a", "new"])
    assert words(app, {path: one for path, [one] in by_log.items()}) == {path: told[path] for path in ("a", "new")}
    assert versions.made_by(here(app), os.environ, [app.head, "2" * 40], ["a"]) == {"a": by_log["a"]}
    assert versions.at(here(app), os.environ, "HEAD", ["a", "gone"]) == {"a": by_log["a"][0].after}
    assert versions.at(here(app), os.environ, "nowhere", ["a"]) is None
    assert versions.latest(here(app), os.environ, "HEAD", "a") == app.head


def test_of_a_merge_only_its_sides_are_told(repo: Callable[..., Repo]) -> None:
    app = repo(files={"a": "1\n", "b": "1\n"})
    app.git("switch", "-qc", "side")
    one = app.commit("side", {"a": "2\n"})
    app.git("switch", "-q", "main")
    other = app.commit("main", {"b": "2\n"})
    app.git("merge", "-q", "--no-edit", "side")
    found = versions.since(here(app), os.environ, "HEAD~2", "HEAD", ["a", "b"])
    assert {path: [change.commit for change in changes] for path, changes in found.items()} == {
        "a": [one],
        "b": [other],
    }
    assert versions.committed(here(app), os.environ, app.head, ["a", "b"]) == {}


def test_what_the_disk_has_goes_through_the_filters_of_its_path(repo: Callable[..., Repo]) -> None:
    app = repo(files={"a": "1\n", ".gitattributes": "*.txt text\n", "b.txt": "1\n"})
    app.write("b.txt", "1\r\n")
    (app.path / "link").symlink_to("a")
    same = app.git("rev-parse", "HEAD:a")
    found = versions.on_disk(here(app), os.environ, ["a", "b.txt", "link", "missing", 'quo"ted'])
    assert found == {"a": same, "b.txt": same}


def test_the_reflog_tells_how_head_moved(repo: Callable[..., Repo]) -> None:
    app = repo()
    first = app.head
    second = app.commit("second")
    app.git("switch", "-qc", "feat", first)
    app.git("update-ref", "refs/heads/feat", second)
    told = reflog.moves(here(app))
    assert [(one.new, one.why, one.first) for one in told] == [
        (first, "commit (initial): first", True),
        (second, "commit: second", False),
        (first, "checkout: moving from main to feat", False),
        (second, "", False),
    ]
    assert {one.at for one in told} == {1767323045.0}
    (app.path / ".git" / "logs" / "HEAD").write_text("half a line\n" + "\t\n" + "x" * 100)
    assert reflog.moves(here(app)) == []
    (app.path / ".git" / "logs" / "HEAD").unlink()
    assert reflog.moves(here(app)) == []


@pytest.mark.needs_newer_git
def test_where_refs_are_no_files_git_is_asked(
    newer_git: str, repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DEFAULT_REF_FORMAT", "reftable")
    app = repo()
    first = app.head
    second = app.commit("second")
    app.git("switch", "-q", "--detach", first)
    assert [(one.old, one.new, one.why) for one in reflog.moves(here(app))] == [
        ("", first, "commit (initial): first"),
        (first, second, "commit: second"),
        (second, first, f"checkout: moving from main to {first}"),
    ]


def test_of_a_partial_clone_nothing_is_fetched(repo: Callable[..., Repo]) -> None:
    app = repo(files={"a": BEFORE})
    app.commit("hers", {"a": HERS})
    app.git("config", "uploadpack.allowFilter", "true")
    app.git("config", "uploadpack.allowAnySHA1InWant", "true")
    part = Repo(app.path.with_name("part"))
    app.git("clone", "--quiet", "--filter=blob:none", f"file://{app.path}", part.path)
    part.write("a", edited((10, "mine\n")))
    part.git("add", "a")
    before = part.git("count-objects", "-v")
    change = versions.since(here(part), os.environ, "HEAD~1", "HEAD", ["a"])["a"][0]
    now = versions.staged(here(part), os.environ, ["a"])["a"].after
    # What it was before her is not here: nothing can be said of it, and nobody waits for the remote.
    assert versions.takes_back(here(part), os.environ, change, now) is False
    assert part.git("count-objects", "-v") == before
    part.git("cat-file", "-e", change.before.split()[1])
    assert versions.takes_back(here(part), os.environ, change, now) is True
