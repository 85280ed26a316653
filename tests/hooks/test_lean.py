"""The lean door: what it imports, who it takes somebody for, and that a commit goes on whatever becomes of it."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gitqueen.git.hooktext import block, tool
from tests.hive import PATIENCE, Repo, Runner, Sister, laid_over
from tests.hooks import kit

MAY_IMPORT = set(
    """
    collections contextlib copyreg dataclasses datetime difflib encodings enum errno fcntl functools gc genericpath
    gitqueen hashlib heapq itertools json keyword locale math operator os posixpath pwd re reprlib select selectors
    shlex signal sqlite3 stat subprocess threading types warnings weakref
    """.split()
)
"""Packages and modules at the top that an answer may import, beside those that Python starts with. Each is paid by
every commit that somebody else may collide with: `-X importtime` shows what a new one costs."""


@pytest.fixture
def app(repo: Callable[..., Repo]) -> Repo:
    return kit.install(repo(files={"a": "1\n", "b": "1\n"}))


@pytest.fixture
def pair(app: Repo, sister: Callable[..., Sister]) -> tuple[Sister, Sister]:
    """bea in the repository, iza in another worktree where `a` is deleted: whatever bea makes of it is a conflict."""
    bea, iza = sister("bea", app), sister("iza", app.worktree("feat"))
    bea.sh("iam 'her work'")
    iza.sh("iam 'his work'; rm a; gitqueen scan")
    kit.no_scan_due()
    return bea, iza


WARNED = (
    "🐝 ⚠ gitqueen: this commit collides with iza\n"
    '  iza [feat] conflicts in a (modify/delete), uncommitted, on "his work"\n'
    '  Ask: gitqueen tell iza "..."   Look: gitqueen check\n'
)


def test_what_an_answer_imports(app: Repo, pair: tuple[Sister, Sister], tmp_path: Path) -> None:
    bea, iza = pair
    of = tool()
    bare = Runner(tmp_path)(of.python, "-I", "-S", "-c", "import sys; print(*sys.modules)", check=True).stdout.split()
    # As hook.py runs it, and then what is loaded.
    look = (
        "import sys, os\n"
        f"sys.argv = [{of.door!r}, 'git', 'pre-commit']\n"
        # dataclasses: a module of ours that stands in for it.
        "real = lambda: ['dataclasses!'] if hasattr(sys.modules['dataclasses'], '__file__') else []\n"
        "os._exit = lambda code: print(*sys.modules, *real())\n"
        f"exec(open({of.door!r}).read(), {{'__name__': '__main__', '__file__': {of.door!r}}})\n"
    )
    (tmp_path / "look.py").write_text(look)
    iza.sh("echo hers >a; gitqueen scan")
    done = bea.sh(f"echo mine >a; git add a; {of.python} -I -S {tmp_path}/look.py")
    assert (done.rc, done.err) == (0, WARNED.replace("(modify/delete)", "line 1 (hers 1)"))
    loaded = {name.partition(".")[0] for name in done.out.split() if name not in bare}
    heavy = {
        "dataclasses!",
        "inspect",
        "click",
        "rich",
        "pygit2",
        "psutil",
        "filelock",
        "pyfiglet",
        "wcwidth",
        "typing",
        "pathlib",
        "tempfile",
    }
    assert loaded & heavy == set()
    assert {name for name in loaded if not name.startswith("_")} <= MAY_IMPORT


def test_in_every_form_of_a_commit_exactly_what_is_staged_is_asked(app: Repo, pair: tuple[Sister, Sister]) -> None:
    bea, _ = pair
    for command, said in {
        "echo 3 >b; git commit -qm b b": "",
        "echo 3 >a; echo 4 >b; git add b; git commit -qm 'b staged, a not'": "",
        "git commit -qm a a": WARNED,
        "echo 4 >a; git commit -qam all": WARNED,
        "git commit -q --amend --allow-empty -m 'amended: what was committed is no news'": "",
        "echo 5 >a; git commit -qa --amend -m 'amended, and more'": WARNED,
        "mkdir -p sub; cd sub; echo 6 >../a; git commit -qm below ../a; cd ..": WARNED,
        f"echo 7 >a; cd /; git -C {app.path} commit -qam from-root; cd -": WARNED,
        f"echo 8 >a; cd /; git --git-dir={app.path}/.git --work-tree={app.path} commit -qam by-dir; cd -": WARNED,
        "echo 9 >a; git commit --no-verify -qam bypassed": "",
    }.items():
        done = bea.sh(command)
        assert (done.rc, done.err) == (0, said), (command, done)


def test_in_a_linked_worktree(app: Repo, pair: tuple[Sister, Sister]) -> None:
    bea, _ = pair
    bea.sh("git worktree add -q ../third -b third; cd ../third; iam 'her work'")
    assert bea.sh("echo 3 >a; git commit -qam linked") == (0, "", WARNED)
    assert (
        bea.sh(f"cd /; echo 4 >{app.path}-feat/../third/a; git -C {app.path}/../third commit -qam from-root").err
        == WARNED
    )


def test_in_a_submodule(app: Repo, repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    outer = repo("outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", app.path, "inner")
    inner = kit.install(Repo(outer.path / "inner"))
    bea, iza = sister("bea", inner), sister("iza", inner)
    iza.sh("iam 'his work'; gitqueen claim a --path a")
    bea.sh("iam 'her work'")
    said = bea.sh("echo 2 >a; git commit -qam inner")
    assert (said.rc, said.err.splitlines()[1]) == (0, '  iza [main] claimed a just now (a), on "his work"')
    assert kit.committed(inner) == [("inner", "bea")]


def test_our_own_git_runs_no_hook_of_ours(app: Repo, pair: tuple[Sister, Sister]) -> None:
    bea, _ = pair
    assert bea.sh("echo 2 >a; GITQUEEN_CHILD=1 git commit -qam ours") == (0, "", "")
    bea.sh("gitqueen scan; gitqueen check; gitqueen hooks status; gitqueen doctor")
    assert kit.crashes() == ""


def test_policies(app: Repo, pair: tuple[Sister, Sister]) -> None:
    bea, _ = pair
    refused = WARNED.replace("⚠ gitqueen: this commit collides", "✗ gitqueen: commit refused, it collides").replace(
        "Look: gitqueen check", "In spite of it: GITQUEEN_SKIP=1 git commit ..."
    )
    config = (app.path / ".git/config").read_bytes()
    for policy, kind, code, said in (
        ("warn", None, 0, WARNED),
        ("off", None, 0, ""),
        ("block", None, 1, refused),
        ("block", "warn", 0, WARNED),
        ("off", "block", 1, refused),
        ("nonsense", None, 0, WARNED),
    ):
        app.git("config", "gitqueen.policy", policy)
        if kind:
            app.git("config", "gitqueen.file-collision.policy", kind)
        done = bea.sh("echo x >>a; git commit -qam policy")
        assert (done.rc, done.err) == (code, said), (policy, kind)
        (app.path / ".git/config").write_bytes(config)
    # Nobody known commits: warned, and never refused.
    app.git("config", "gitqueen.policy", "block")
    nobody = laid_over({"GITQUEEN_NAME": None, "GITQUEEN_PID": None})
    bea.sh("echo y >>a; git add a")
    by_nobody = subprocess.run(
        ["setsid", "git", "commit", "-qm", "nobody"], cwd=app, env=nobody, capture_output=True, check=False
    )
    assert (by_nobody.returncode, by_nobody.stderr.decode()) == (0, WARNED)
    app.git("config", "gitqueen.enabled", "false")
    assert bea.sh("echo z >>a; git commit -qam disabled") == (0, "", "")


GOES_ON = "git goes on without us\n"


def test_a_queen_that_is_locked_warns_and_refuses_all_the_same(
    app: Repo, pair: tuple[Sister, Sister], home: Path
) -> None:
    bea, _ = pair
    other = sqlite3.connect(home / "queen.db", isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        done = bea.sh("echo 2 >a; git commit -qam locked")
        assert (done.rc, done.err.splitlines()[:3]) == (0, WARNED.splitlines())
        assert done.err.splitlines()[3:] == [
            f"  Nobody else was told: {home}/queen.db is held by another program"
        ] or done.err.splitlines()[3:] == ["  Nobody else was told: the queen's database is held by another program"]
        app.git("config", "gitqueen.policy", "block")
        assert bea.sh("echo 3 >a; git commit -qam refused").rc == 1
    finally:
        other.close()


@pytest.mark.parametrize("fate", ["damaged", "newer", "gone", "home gone", "folder"])
def test_a_queen_that_is_out_of_order_stops_nothing(
    fate: str, app: Repo, pair: tuple[Sister, Sister], home: Path
) -> None:
    bea, _ = pair
    if fate == "newer":
        db = sqlite3.connect(home / "queen.db")
        db.execute("PRAGMA user_version = 9999")
        db.close()
    elif fate == "home gone":
        shutil.rmtree(home)
    else:
        for file in home.glob("queen.db*"):
            file.unlink()
        if fate == "damaged":
            (home / "queen.db").write_bytes(b"no database" * 1000)
        if fate == "folder":
            (home / "queen.db").mkdir()
    done = bea.sh("echo 2 >a; git commit -qam on")
    assert done.rc == 0 and done.err.endswith(GOES_ON) and done.err.count("\n") == 1, done.err
    assert fate not in ("gone", "home gone") or not (home / "queen.db").exists()


@pytest.mark.parametrize("part", ["interpreter", "package", "shell text", "start-up", "standard library"])
def test_an_installation_that_is_gone_or_broken_stops_nothing(
    part: str, app: Repo, pair: tuple[Sister, Sister], tmp_path: Path
) -> None:
    bea, _ = pair
    of = tool()
    root = tmp_path / "installed"
    shutil.copytree(Path(of.door).parents[1], root / "gitqueen", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(of.folder, root / "hooks")
    python = root / "python"
    python.symlink_to(of.python)
    copy = type(of)(str(python), str(root / "gitqueen/cli/hook.py"), str(root / "hooks"))
    for event in kit.EVENTS:
        path = app.path / ".git/hooks" / event
        path.write_bytes(b"#!/bin/sh\n" + block(copy, event) + b"\n")
    assert bea.sh("echo 2 >a; git commit -qam works").err == WARNED
    if part == "interpreter":
        python.unlink()
    elif part == "package":
        shutil.rmtree(root / "gitqueen")
    elif part == "shell text":
        shutil.rmtree(root / "hooks")
    elif part == "start-up":
        (root / "gitqueen/services/guarding.py").write_text("what is this\n")
    else:
        python.unlink()
        python.write_text("#!/bin/sh\nexit 1\n")
        python.chmod(0o755)
    done = bea.sh("echo 3 >a; git commit -qam on")
    assert done.rc == 0
    lines = done.err.splitlines()
    if part in ("interpreter", "package"):
        gone = "gitqueen: its installation is gone, this hook does nothing (gitqueen hooks uninstall removes it)"
        assert set(lines) == {gone}
    elif part == "start-up":
        assert len(lines) == 1 and lines[0].endswith(GOES_ON.strip())
    else:
        assert lines == []


def test_a_hook_that_takes_too_long_lets_git_go_on(app: Repo, pair: tuple[Sister, Sister], tmp_path: Path) -> None:
    bea, iza = pair
    bea.sh("echo 2 >a; git add a")
    iza.sh("echo 3 >a")  # of the same size: only its content tells
    # A filter of the repository's own: what git starts for us is ended with it.
    app.git("config", "filter.slow.clean", f"echo $$ >{tmp_path}/pid; exec sleep 1000")
    Path(f"{app.path}-feat", ".gitattributes").write_text("a filter=slow\n")
    done = bea.sh("GITQUEEN_HOOK_LIMIT=1 git commit -qm on")
    assert (done.rc, done.err) == (0, "gitqueen: no answer within 1 s; git goes on without us\n")
    pid = int((tmp_path / "pid").read_text())
    kit.until(lambda: not os.path.exists(f"/proc/{pid}"), "the slow filter is ended")
    assert "TooSlow" in kit.crashes()


def test_a_hook_killed_half_way_lets_git_go_on(app: Repo, pair: tuple[Sister, Sister], home: Path) -> None:
    bea, _ = pair
    of = tool()
    other = sqlite3.connect(home / "queen.db", isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")  # it waits a second for this
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            bea.begin("echo x >>a; git commit -qam on")
            pid = kit.until(lambda: answering(of.door, home), "the hook runs")
            os.kill(pid, number)
            done = bea.end(PATIENCE)
            assert done.rc == 0, done
    finally:
        other.close()


def answering(path: str, home: Path) -> int | None:
    """The pid of the answer that is being given in this test's home."""
    for entry in os.listdir("/proc"):
        try:
            words = Path("/proc", entry, "cmdline").read_bytes().split(b"\0")
            env = Path("/proc", entry, "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[3:6] == [os.fsencode(path), b"git", b"pre-commit"] and os.fsencode(f"GITQUEEN_HOME={home}") in env:
            return int(entry)
    return None


def test_nobody_listens(app: Repo, pair: tuple[Sister, Sister]) -> None:
    bea, _ = pair
    assert bea.sh("echo 2 >a; git commit -qam deaf 2>&-").rc == 0
    assert bea.sh("echo 3 >a; git commit -qam full 2>/dev/full").rc == 0
    app.git("config", "gitqueen.policy", "block")
    assert bea.sh("echo 4 >a; git commit -qam deaf 2>&-").rc == 1
    assert bea.sh("echo 5 >a; git commit -qam full 2>/dev/full").rc == 1


def test_hostile_paths_and_texts_are_shown_harmless(app: Repo, sister: Callable[..., Sister]) -> None:
    bea, iza = sister("bea", app), sister("iza", app.worktree("feat"))
    bea.sh("iam 'her work'")
    everything = bytes(byte for byte in range(1, 256) if byte != ord("/"))
    name = os.fsdecode(everything[:127] + b"/" + everything[127:])
    for tree in (app.path, Path(f"{app.path}-feat")):
        (tree / name).parent.mkdir()
        (tree / name).write_text(f"hostile {tree}\n")
        (tree / "-rf").write_text(f"dash {tree}\n")
    iza.sh("iam \"$(printf 'red \\033[31m and \\303\\251\\345\\220\\215')\"")
    done = bea.sh("git add -A; git commit -qm hostile")
    assert done.rc == 0
    assert "\x1b" not in done.err and all(char.isprintable() or char == "\n" for char in done.err)
    assert len(done.err.splitlines()) <= 6
    assert done.err.splitlines()[1].startswith("  iza [feat] conflicts in ")
    assert kit.committed(app) == [("hostile", "bea")]


def test_a_commit_of_100_000_files(app: Repo, sister: Callable[..., Sister]) -> None:
    bea, iza = sister("bea", app), sister("iza", app.worktree("feat"))
    bea.sh("iam 'her work'")
    iza.sh("iam 'his work'; gitqueen claim many --path 'd7/**' --path '*.c'")
    blob = app.git("rev-parse", "HEAD:a")
    lines = "".join(f"100644 {blob}\td{n % 100}/f{n}\n" for n in range(100_000))
    Runner(app.path)("git", "update-index", "--index-info", input=lines, check=True)
    done = bea.sh("git commit -qm many")
    assert done.rc == 0
    assert (
        done.err.splitlines()[1]
        == '  iza [feat] claimed d7/f10007, d7/f1007 and 998 more just now (many), on "his work"'
    )
