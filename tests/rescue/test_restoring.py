"""Bringing work back by the command: what it writes, what it refuses, the patch that git applies, and the words."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen.git import config
from gitqueen.git.config import Taste
from tests.hive import Repo, Runner, gitqueen, on_a_terminal


@pytest.fixture
def app(repo: Callable[..., Repo]) -> Repo:
    """A managed repository with every sort of uncommitted work, kept, and then all of it gone."""
    made = repo("app", {"a.txt": "1\n2\n3\n", "run.sh": "#!/bin/sh\n", "was": "file\n", "end": "no newline"})
    Runner(made.path)("gitqueen", "hooks", "install", check=True)
    fill(made)
    keep(made)
    made.git("add", "-A")
    made.git("reset", "--hard")
    return made


def fill(app: Repo) -> None:
    app.write("a.txt", "1\ntwo\r\n3\n")
    (app.path / "run.sh").chmod(0o755)
    app.write("end", "still no newline")
    app.write('new dir/ü "quoted".txt', "new\n")
    app.write("-dash", "x\n")
    (app.path / "link").symlink_to("a.txt")
    (app.path / "bytes.bin").write_bytes(bytes(range(256)))
    (app.path / "secret").write_text("mine\n")
    (app.path / "secret").chmod(0o600)


def keep(app: Repo) -> str:
    said = json.loads(Runner(app.path)("gitqueen", "rescue", "now", "--json", check=True).stdout)["id"]
    # A scan that was started by the way may have kept it a moment ago.
    return str(said or listed(app)[0]["id"]).rpartition("/")[2]


def listed(app: Repo) -> list[dict[str, object]]:
    return list(json.loads(Runner(app.path)("gitqueen", "rescue", "list", "--json", check=True).stdout)["rescues"])


def content(app: Repo, identity: str, path: str) -> bytes | None:
    box = app.path.parent / f"of-{identity.replace('/', '-')}"
    Runner(app.path)("gitqueen", "rescue", "restore", identity, "--to", box)
    return (box / path).read_bytes() if (box / path).is_file() else None


def first(app: Repo) -> str:
    return str(listed(app)[-1]["id"]).rpartition("/")[2]


def tree(top: Path) -> dict[str, tuple[int, bytes]]:
    found = {}
    for path in sorted(top.rglob("*")):
        name = str(path.relative_to(top))
        if name.startswith(".git/") or name == ".git" or (path.is_dir() and not path.is_symlink()):
            continue
        if path.is_symlink():
            found[name] = (0, os.fsencode(os.readlink(path)))
        else:
            found[name] = (path.stat().st_mode & 0o777, path.read_bytes())
    return found


def test_everything_comes_back_as_it_was(app: Repo, tmp_path: Path) -> None:
    twin = Repo(tmp_path / "twin")
    app.git("clone", "-q", ".", str(twin.path))
    fill(twin)
    done = Runner(app.path)("gitqueen", "rescue", "restore", first(app))
    assert (done.returncode, done.stderr) == (0, "")
    assert tree(app.path) == tree(twin.path)


def test_the_patch_is_one_that_git_applies(app: Repo, tmp_path: Path) -> None:
    patch = subprocess.run(
        [gitqueen(), "rescue", "restore", first(app), "--patch"],
        cwd=app.path, capture_output=True, check=True,
    ).stdout  # fmt: skip
    (tmp_path / "patch").write_bytes(patch)
    app.git("apply", "--whitespace=nowarn", str(tmp_path / "patch"))
    by_patch = {path: content for path, (_, content) in tree(app.path).items()}
    modes = {path: mode & 0o111 for path, (mode, _) in tree(app.path).items()}
    Runner(app.path)("gitqueen", "rescue", "restore", first(app), "--to", "../beside", check=True)
    beside = tree(app.path.parent / "beside")
    assert {path: content for path, (_, content) in beside.items()} == {path: by_patch[path] for path in beside}
    assert {path: mode & 0o111 for path, (mode, _) in beside.items()} == {path: modes[path] for path in beside}


def test_newer_work_is_refused_without_force_and_kept_with_it(app: Repo) -> None:
    app.write("a.txt", "newer\n")
    done = Runner(app.path)("gitqueen", "rescue", "restore", first(app), "a.txt", "secret")
    assert done.returncode == 1
    assert "a.txt left alone: it has newer uncommitted work (--force, or --to DIR)\n" in done.stdout
    assert ((app.path / "a.txt").read_text(), (app.path / "secret").read_text()) == ("newer\n", "mine\n")
    Runner(app.path)("gitqueen", "rescue", "restore", first(app), "a.txt", "--force", check=True)
    assert (app.path / "a.txt").read_bytes() == b"1\ntwo\r\n3\n"
    # Whoever comes first keeps it: the restoring itself, or who was asked to look after the one before.
    identity = str(next(one["id"] for one in listed(app) if content(app, str(one["id"]), "a.txt") == b"newer\n"))
    Runner(app.path)("gitqueen", "rescue", "restore", identity, "a.txt", "--force", check=True)
    assert (app.path / "a.txt").read_text() == "newer\n"


def test_what_is_in_the_way_stays(app: Repo, tmp_path: Path) -> None:
    (app.path / "secret").mkdir()
    app.write("secret/inside", "x\n")
    (tmp_path / "outside").mkdir()
    (app.path / "new dir").symlink_to(tmp_path / "outside")
    (app.path / ".git/info/exclude").write_text("-dash\n")
    app.write("-dash", "ignored\n")
    done = Runner(app.path)("gitqueen", "rescue", "restore", first(app), "--force", "--json")
    assert done.returncode == 1
    [report] = json.loads(done.stdout)["restored"]
    assert report["reasons"] == {
        "-dash": "git ignores what stands there, so it was not kept (--to DIR)",
        "secret": "a folder stands there (--to DIR)",
        'new dir/ü "quoted".txt': "'new dir' leads through a link now (--to DIR)",
    }
    assert (list((tmp_path / "outside").iterdir()), (app.path / "-dash").read_text()) == ([], "ignored\n")
    assert (app.path / "bytes.bin").read_bytes() == bytes(range(256))


def test_the_list_says_what_whose_when_and_how_much(app: Repo) -> None:
    out = Runner(app.path)("gitqueen", "rescue", "list", check=True).stdout
    head = out.split("\n")[-3]
    assert re.fullmatch(r"  app-\w+/\S+Z  (now|\d+ s ago)  nobody known  \[main\]  8 files, \d+ lines  asked for", head)
    names = "-dash, a.txt, bytes.bin, end and 4 more"
    assert out.split("\n")[-2].strip() == names


def test_on_a_terminal_the_list_comes_in_the_users_pager(app: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    app.git("config", "--global", "core.pager", "sed 's/^/paged: /'")
    monkeypatch.chdir(app.path)
    rc, out = on_a_terminal("", "gitqueen", "rescue", "list")
    head, names = out.split("\n")[-3:-1]
    assert rc == 0 and re.fullmatch(r"paged:   \S+Z  \S.*  nobody known  \[main\]  8 files, .* asked for", head), out
    assert names == "paged:       -dash, a.txt, bytes.bin, end and 4 more"


def test_the_difference_is_gits_own_and_harmless(app: Repo) -> None:
    out = Runner(app.path)("gitqueen", "rescue", "diff", first(app), "a.txt", check=True).stdout
    assert out.split("\n")[2:] == ["--- a/a.txt", "+++ b/a.txt", "@@ -1,3 +1,3 @@", " 1", "-2", "+two\\r", " 3", ""]


def test_the_difference_is_shown_as_the_user_likes_it(
    app: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the settings and attributes of the repository, and in the user's own pager for differences."""
    app.git("config", "diff.noprefix", "true")
    app.git("config", "diff.context", "0")
    app.git("config", "diff.external", "false")  # no program of a repository's choice
    app.write(".git/info/attributes", "*.py diff=python\n")
    app.write("a.py", "def first():\n" + "    pass\n" * 5)
    app.git("add", "a.py")
    app.git("commit", "-qm", "more")
    app.write("a.py", "def first():\n" + "    pass\n" * 4 + "    return 1\n")
    kept = keep(app)
    app.git("checkout", "-q", "a.py")
    before = app.git("count-objects", "-v")
    shown = Runner(app.path)("gitqueen", "rescue", "diff", kept, "a.py", check=True).stdout
    assert shown.split("\n")[2:] == [
        "--- a.py",
        "+++ a.py",
        "@@ -6 +6 @@ def first():",
        "-    pass",
        "+    return 1",
        "",
    ]
    assert app.git("count-objects", "-v") == before
    (tmp_path / "pager").write_text(f"#!/bin/sh\ncat >{tmp_path}/paged\n")
    (tmp_path / "pager").chmod(0o755)
    app.git("config", "--global", "pager.diff", f"{tmp_path}/pager")
    monkeypatch.chdir(app.path)
    assert on_a_terminal("", "gitqueen", "rescue", "diff", kept, "a.py") == (0, "")
    assert (tmp_path / "paged").read_text() == shown
    app.git("config", "--global", "pager.diff", "false")
    assert on_a_terminal("", "gitqueen", "rescue", "diff", kept, "a.py") == (0, shown)


@pytest.mark.parametrize(
    ("said", "taste"),
    [
        ({}, Taste(None, True)),
        ({"color.ui": "never"}, Taste(None, False)),
        ({"color.ui": "never", "color.diff": "auto"}, Taste(None, True)),
        ({"color.diff": "false", "pager.diff": "true"}, Taste(None, False)),
        ({"pager.diff": "off"}, Taste("", True)),
        ({"pager.diff": "delta --dark"}, Taste("delta --dark", True)),
    ],
)
def test_the_users_taste(repo: Callable[..., Repo], said: dict[str, str], taste: Taste) -> None:
    app = repo()
    app.git("config", "pager.diff", "of a repository")
    for key, value in said.items():
        app.git("config", "--global", key, value)
    assert config.taste(dict(os.environ)) == taste


def test_the_difference_in_a_repository_of_other_hashes(tmp_path: Path, run: Runner) -> None:
    top = tmp_path / "app"
    run("git", "init", "-q", "--object-format=sha256", str(top), check=True)
    app = Repo(top)
    app.commit("first", {"a": "1\n"})
    run("gitqueen", "hooks", "install", cwd=app, check=True)
    app.write("a", "2\n")
    kept = keep(app)
    app.git("checkout", "-q", "a")
    out = run("gitqueen", "rescue", "diff", kept, cwd=app, check=True).stdout
    assert out.split("\n")[2:] == ["--- a/a", "+++ b/a", "@@ -1 +1 @@", "-1", "+2", ""]


def test_there_is_no_such_thing(app: Repo) -> None:
    for words, says in (
        (("show", "nothing"), "there is no snapshot"),
        (("restore", first(app), "nothing"), "it is not in this snapshot"),
        (("diff", "no-such"), "there is no snapshot"),
    ):
        done = Runner(app.path)("gitqueen", "rescue", *words)
        assert (done.returncode, says in done.stderr) == (1, True), done.stderr
