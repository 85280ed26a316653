"""The seal holds and is loud: INCIDENTS 20, tests that wrote into the real queen's database."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import hive, seal
from tests.hive import Repo, Runner

CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REAL = seal.HOMES[0]

# None of these could do harm if the seal did not hold: the folder they name does not exist.
ATTEMPTS: dict[str, Callable[[str], object]] = {
    "write": lambda path: open(path, "w").close(),
    "read": lambda path: open(path).close(),
    "sqlite": lambda path: sqlite3.connect(path),
    "sqlite uri": lambda path: sqlite3.connect(f"file:{path}?mode=rw", uri=True),
    "mkdir": lambda path: os.mkdir(path),
    "rename": lambda path: os.replace("no-such-file", path),
    "remove": lambda path: os.remove(path),
    "symlink": lambda path: os.symlink("elsewhere", path),
    "chmod": lambda path: os.chmod(path, 0o700),
    "Path": lambda path: Path(path).write_text(""),
    "bytes": lambda path: os.open(os.fsencode(path), os.O_RDWR | os.O_CREAT),
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_reaching_the_real_home_raises_and_is_recorded(attempt: Callable[[str], object]) -> None:
    for place in (".claude", ".claude/queen", ".gitconfig", ".config/git", ".local/share/gitqueen"):
        path = os.path.join(REAL, place, "no-such-folder", "file")
        with pytest.raises(seal.SealBroken, match="the seal: "):
            attempt(path)
        assert seal.broken.pop().endswith(path)


@pytest.mark.parametrize("env", [{"HOME": REAL}, {"PATH": os.defpath}, {"HOME": ""}], ids=["real", "none", "empty"])
def test_starting_a_program_that_would_find_the_real_home_raises(env: dict[str, str]) -> None:
    with pytest.raises(seal.SealBroken, match=r"the seal: subprocess\.Popen"):
        subprocess.run(["true"], env=env, check=False)
    assert len(seal.broken) == 1
    seal.broken.clear()


def test_one_that_hushes_it_up_fails_all_the_same(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "test_hushed.py").write_text(
        "import os, pwd\n"
        "def test_hushed():\n"
        "    try:\n"
        "        os.mkdir(os.path.join(pwd.getpwuid(os.getuid()).pw_dir, '.claude', 'queen'))\n"
        "    except BaseException:\n"
        "        pass\n"
    )
    done = _pytest(run, tmp_path)
    assert done.returncode == 1
    assert "this test broke the seal: os.mkdir reached " in done.stdout


@pytest.mark.parametrize(("ci", "code"), [("true", 1), (None, 0)], ids=["in CI", "elsewhere"])
def test_a_skipped_test_is_a_failure_in_ci(run: Runner, tmp_path: Path, ci: str | None, code: int) -> None:
    (tmp_path / "test_skipped.py").write_text(
        "import pytest\ndef test_done(): pass\n@pytest.mark.skip\ndef test_skipped(): pass\n"
    )
    for more in ("-n0", "-n1"):
        done = _pytest(run, tmp_path, more, ci=ci)
        assert done.returncode == code, done.stdout
        assert "1 passed, 1 skipped" in done.stdout
        assert ("CI: a skipped test is a failure" in done.stdout) is bool(ci)


def _pytest(run: Runner, folder: Path, *more: str, ci: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the tests in `folder` under our conftest, as if they were ours."""
    config = os.path.join(CHECKOUT, "pyproject.toml")
    words = (sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-c", config, *more)
    return run(*words, f"--rootdir={folder}", f"--basetemp={folder}/tmp", folder, cwd=CHECKOUT, env={"CI": ci})


def test_a_child_sees_the_sealed_home_alone(run: Runner, sealed: Path) -> None:
    script = "import os.path; print(os.path.expanduser('~'))"
    assert run(sys.executable, "-c", script).stdout == f"{sealed}\n"
    assert run("sh", "-c", "echo ~ $GITQUEEN_HOME").stdout == f"{sealed} {sealed}/.claude/queen\n"
    assert run("git", "config", "--list", "--show-origin").stdout.splitlines() == [
        f"file:{sealed}/.gitconfig\t{line}"
        for line in ("user.name=Keeper", "user.email=keeper@example.org", "init.defaultbranch=main", "gc.auto=0")
    ]


def test_nothing_of_the_outer_environment_says_who_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    outer = ("GITQUEEN_NAME", "GITQUEEN_PID", "GIT_DIR", "CLAUDE_PID", "CLAUDECODE", "CODEX_THREAD_ID", "TMUX_PANE")
    for key in (*outer, "KITTY_LISTEN_ON", "LC_ALL", "EDITOR"):
        monkeypatch.setitem(seal.OUTER, key, "outer")
    assert "outer" not in seal.environment("/somewhere").values()


def test_no_test_shares_its_home_with_another(sealed: Path, home: Path) -> None:
    assert os.environ["HOME"] == str(sealed)
    assert home == sealed / ".claude" / "queen"
    assert not home.exists()
    assert sorted(file.name for file in sealed.iterdir()) == [".gitconfig", ".run", ".stubs"]


def test_commits_have_known_hashes(repo: Callable[..., Repo]) -> None:
    assert repo().head == "c1b208e2d2f52fbd534b050ea5468f91f27fad75"
    assert repo("one").head != repo("other").head
    assert hive.new_repo(repo("again").path / "one").head == repo("here/one").head
