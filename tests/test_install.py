"""Two commands on a fresh machine: `install.sh` under small shells, without root, interrupted, updated, removed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import rooms

SHELLS = [
    pytest.param("dash", marks=pytest.mark.needs_dash),
    pytest.param("bash", marks=pytest.mark.needs_bash),
    pytest.param("busybox", marks=pytest.mark.needs_busybox),
]
CLONED = ("gitqueen", "hooks", "install.sh", "pyproject.toml", "README.md", "LICENSE")
START_FILES = {".profile": "umask 022\n", ".bashrc": "alias ll='ls -l'\n", ".zshrc": "setopt autocd\n"}
NOBODY = 65534


class Machine(NamedTuple):
    """A machine on which nobody ever installed anything: a home with start files, and a clone nobody may write to."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def clone(self) -> Path:
        return self.root / "clone"

    @property
    def bin(self) -> Path:
        return self.home / ".local" / "bin"

    @property
    def venv(self) -> Path:
        return self.home / ".local" / "share" / "gitqueen" / "venv"

    def env(self, over: Mapping[str, str] | None = None) -> dict[str, str]:
        """Nothing of ours but where packages come from."""
        where = {key: value for key, value in os.environ.items() if key.startswith(("PIP_", "SSL_"))}
        fresh = {"HOME": os.fspath(self.home), "PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": str(self.root / "tmp")}
        return {**where, **fresh, **(over or {})}

    def start(self, shell: str, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        words = ["busybox", "sh"] if shell == "busybox" else [shell]
        root = os.getuid() == 0
        return subprocess.Popen(
            [*words, os.fspath(self.clone / "install.sh"), *arguments],
            cwd=self.root,
            env=self.env(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            user=NOBODY if root else None,
            group=NOBODY if root else None,
            extra_groups=[] if root else None,
            start_new_session=True,
        )

    def install(self, shell: str, *arguments: str, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
        """Exit code and both outputs."""
        with self.start(shell, *arguments, env=env) as process:
            out, err = process.communicate(timeout=100)
            return process.returncode, out, err

    def run(self, *words: str) -> str:
        """What a command prints there, found as its user would find it: by the PATH that install.sh tells."""
        env = self.env({"PATH": f"{self.bin}:/usr/local/bin:/usr/bin:/bin"})
        return subprocess.run(words, env=env, cwd=self.home, capture_output=True, check=True, encoding="utf-8").stdout

    def left(self) -> dict[str, str]:
        """Every file in the home, but for pip's cache."""
        return {
            os.fspath(path.relative_to(self.home)): path.read_text("utf-8")
            for path in sorted(self.home.rglob("*"))
            if path.is_file() and path.relative_to(self.home).parts[0] != ".cache"
        }


@pytest.fixture
def machine() -> Iterator[Machine]:
    # Not tmp_path: pytest's folder is closed to everybody else, and `nobody` installs here.
    with tempfile.TemporaryDirectory(prefix="gitqueen-fresh-", ignore_cleanup_errors=True) as folder:
        fresh = Machine(Path(folder))
        fresh.root.chmod(0o755)
        for path in (fresh.clone, fresh.home, fresh.root / "tmp"):
            path.mkdir()
        for name in CLONED:
            if (source := rooms.CHECKOUT / name).is_dir():
                shutil.copytree(source, fresh.clone / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, fresh.clone)
        for name, text in START_FILES.items():
            (fresh.home / name).write_text(text)
        if os.getuid() == 0:
            for path in (fresh.root / "tmp", fresh.home, *fresh.home.iterdir()):
                os.chown(path, NOBODY, NOBODY)
        yield fresh


def ready(process: subprocess.Popen[str], condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds, or until it is too late for it."""
    deadline = time.monotonic() + 100
    while not condition() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def kill(process: subprocess.Popen[str]) -> None:
    """As a power cut: the installation and everything it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.communicate(timeout=60)


REMOVED = "gitqueen is removed. Its git hooks that are still in repositories do nothing from now on.\n"
NOT_ON_PATH = """\
{bin} is not on your PATH. Add this line to your shell's start file (~/.profile, ~/.zshrc ...):
  export PATH="$HOME/.local/bin:$PATH"
"""


@pytest.mark.needs_pypi
@pytest.mark.needs_nobody
@pytest.mark.needs_dash
@pytest.mark.timeout(300)
def test_it_installs_shows_itself_and_is_removed_without_root_and_without_a_trace(machine: Machine) -> None:
    code, out, err = machine.install("dash", "--demo")
    assert (code, err) == (0, ""), out
    assert out.startswith(f"Making an environment in {machine.venv} ...\nInstalling gitqueen ...\ngitqueen, version ")
    assert NOT_ON_PATH.format(bin=machine.bin) in out
    assert out.endswith("or in one repository: gitqueen hooks install .\n"), "the last word is what to do next"
    assert "✓ every step was seen to work" in out
    assert list((machine.root / "tmp").iterdir()) == []
    assert {path.name: os.readlink(path) for path in machine.bin.iterdir()} == {
        name: f"{machine.venv}/bin/{name}" for name in ("gitqueen", "queen", "iam")
    }
    assert not (machine.home / ".claude").exists(), "the demo has a home of its own"

    again = machine.install("dash", env={"PATH": f"{machine.bin}:/usr/bin:/bin"})
    assert again == (0, "gitqueen is up to date\n", "")

    shutil.rmtree(machine.clone / "gitqueen")
    assert machine.run("gitqueen", "--version") == machine.run("queen", "--version") != ""
    assert "--done" in machine.run("iam", "--help")

    (machine.bin / "other").write_text("somebody else's\n")
    assert machine.install("dash", "--uninstall") == (0, REMOVED, "")
    assert machine.left() == {**START_FILES, ".local/bin/other": "somebody else's\n"}
    assert not machine.venv.parent.exists()
    assert machine.install("dash", "--uninstall") == (0, "gitqueen is not installed here\n", "")


@pytest.mark.needs_pypi
@pytest.mark.needs_nobody
@pytest.mark.parametrize("shell", SHELLS[1:])
@pytest.mark.timeout(300)
def test_an_interrupted_installation_mends_itself_and_a_newer_checkout_is_taken_in(
    machine: Machine, shell: str
) -> None:
    with machine.start(shell) as process:
        ready(process, lambda: (machine.venv / "bin" / "python").exists())
        kill(process)
    with machine.start(shell) as process:
        # pip has begun to write what we need, and is not done.
        ready(process, lambda: any(machine.venv.glob("lib/python*/site-packages/c[lf]*")))
        kill(process)
    (machine.bin / "iam").write_text("somebody else's\n")
    code, out, err = machine.install(shell)
    assert (code, err) == (0, "")
    assert f"{machine.bin}/iam is there already and not from here: left alone. Ours is {machine.venv}/bin/iam\n" in out
    assert machine.run("gitqueen", "scan") == "✓ 0 sisters in 0 worktrees\n"

    (machine.clone / "gitqueen" / "__init__.py").write_text('"""Newer."""\n\n__version__ = "7.8.9"\n')
    code, out, err = machine.install(shell)
    assert (code, err) == (0, "")
    assert "gitqueen, version 7.8.9\n" in out
    assert machine.run("queen", "--version") == "gitqueen, version 7.8.9\n"

    kept = f"The queen's database (mail, claims, history) is still in {machine.home}/.claude/queen\n"
    assert machine.install(shell, "--uninstall") == (0, REMOVED + kept, "")
    assert (machine.bin / "iam").read_text() == "somebody else's\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_it_takes_nothing_that_is_not_its_own(machine: Machine, shell: str) -> None:
    machine.bin.mkdir(parents=True)
    (machine.bin / "gitqueen").write_text("somebody else's\n")
    before = machine.left()
    code, out, err = machine.install(shell)
    assert (code, out) == (1, "")
    assert err == (
        f"install.sh: {machine.bin}/gitqueen is there already and not from here: nothing was changed. "
        "Remove it, then run this again\n"
    )
    assert machine.install(shell, "--uninstall") == (0, "gitqueen is not installed here\n", "")
    assert machine.left() == before


@pytest.mark.parametrize("shell", SHELLS)
def test_it_says_what_is_missing_and_changes_nothing(machine: Machine, shell: str) -> None:
    tools = machine.root / "tools"
    tools.mkdir()
    for name in ("cat", "cksum", "dirname", "find", "mkdir", "rm", "sort", "busybox", "bash", "dash"):
        if found := shutil.which(name):
            (tools / name).symlink_to(os.path.realpath(found))
    env = {"PATH": os.fspath(tools)}
    stop = "install.sh: "
    assert machine.install(shell, env=env)[2] == f"{stop}git is missing: install it, then run this again\n"
    _write(tools / "git", "#!/bin/sh\nexit 0\n")
    wanted = f"{stop}needs Python 3.11 or newer: put python3 on PATH, then run this again\n"
    assert machine.install(shell, env=env)[::2] == (1, wanted)
    _write(tools / "python3", "#!/bin/sh\nexit 1\n")
    assert machine.install(shell, env=env)[::2] == (1, wanted), "an old Python, or a version manager's stand-in"
    _write(tools / "python3.12", "#!/bin/sh\ncase $2 in *ensurepip*) exit 1 ;; esac\nexit 0\n")
    assert machine.install(shell, env=env)[2] == (
        f"{stop}{tools}/python3.12 cannot make environments. On Debian and Ubuntu: sudo apt install python3-venv, "
        "then run this again\n"
    )
    lost = {"HOME": "", "GITQUEEN_HOME": os.fspath(machine.root / "queen")}
    assert machine.install(shell, env=lost)[::2] == (1, f"{stop}HOME is not set: where should it go?\n")
    assert machine.left() == START_FILES


@pytest.mark.parametrize("shell", SHELLS)
def test_it_explains_itself(machine: Machine, shell: str) -> None:
    code, usage, err = machine.install(shell, "--help")
    assert (code, err) == (0, "")
    assert usage.startswith("./install.sh              install gitqueen, or bring it up to date with this checkout\n")
    assert machine.install(shell, "--unistall") == (2, "", usage)
    assert machine.left() == START_FILES


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
