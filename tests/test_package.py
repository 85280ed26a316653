"""What installers get: a wheel, made from the source package, whose commands and hooks work wherever it is put."""

from __future__ import annotations

import os
import re
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import rooms
from tests.hive import Repo, Runner, Sister

CHECKOUT = rooms.CHECKOUT
HOOKS = sorted(path.name for path in (CHECKOUT / "hooks").iterdir() if path.is_file())


class Dist(NamedTuple):
    """The built packages."""

    wheel: Path
    sdist: Path


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Dist:
    """The source package, and the wheel that is built from it alone: what it leaves out, nobody can build or test."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", os.fspath(folder), os.fspath(CHECKOUT)]
    Runner(folder)(*build, check=True)
    [wheel], [sdist] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Dist(wheel, sdist)


@pytest.fixture
def venv(tmp_path: Path, run: Runner) -> Callable[..., Path]:
    """Make a fresh environment with these requirements; its folder of commands."""

    def make(*requirements: str | os.PathLike[str]) -> Path:
        run(sys.executable, "-m", "venv", "venv", check=True)
        folder = tmp_path / "venv" / "bin"
        run(folder / "python", "-m", "pip", "install", "--quiet", *requirements, check=True)
        return folder

    return make


def test_the_wheel_is_the_package_with_its_hooks_and_nothing_else(dist: Dist) -> None:
    names = set(zipfile.ZipFile(dist.wheel).namelist())
    info = next(name.partition("/")[0] for name in names if ".dist-info/" in name)
    modules = {f"gitqueen/{path.relative_to(rooms.PACKAGE).as_posix()}" for path in rooms.PACKAGE.rglob("*.py")}
    expected = modules | {f"gitqueen/hooks/{name}" for name in HOOKS} | {
        f"{info}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    }  # fmt: skip
    assert names == expected
    assert HOOKS


def test_the_source_package_has_all_that_is_needed_to_build_test_and_read_it(dist: Dist) -> None:
    with tarfile.open(dist.sdist) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    wanted = {
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "pyproject.toml",
        "install.sh",
        ".importlinter",
    }
    wanted |= {"tests/run", "tests/conftest.py", "benchmarks/run", *(f"hooks/{name}" for name in HOOKS)}
    assert wanted - names == set()
    assert not [name for name in names if "__pycache__" in name or name.startswith(".venv")]


def test_an_editable_install_uses_the_hooks_of_the_checkout(run: Runner, repo: Callable[..., Repo]) -> None:
    assert _hooks(run, "gitqueen", repo()) == os.fspath(CHECKOUT / "hooks" / "git-hook.sh")


@pytest.mark.needs_pypi
def test_a_fresh_environment_with_the_lowest_versions_we_promise_plays_the_demo(
    dist: Dist, venv: Callable[..., Path], run: Runner, repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    commands = venv(dist.wheel, *(wanted.replace(">=", "==") for wanted in project["dependencies"]))
    _works(commands, run, repo, sister)
    done = run(commands / "gitqueen", "demo", "--json")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.needs_pypi
def test_pipx_and_uv_install_the_same_wheel(
    dist: Dist,
    venv: Callable[..., Path],
    run: Runner,
    tmp_path: Path,
    repo: Callable[..., Repo],
    sister: Callable[..., Sister],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tools = venv("pipx", "uv")
    monkeypatch.setenv("PIPX_HOME", os.fspath(tmp_path / "pipx"))
    monkeypatch.setenv("PIPX_BIN_DIR", os.fspath(tmp_path / "pipx-bin"))
    monkeypatch.setenv("UV_TOOL_DIR", os.fspath(tmp_path / "uv"))
    monkeypatch.setenv("UV_TOOL_BIN_DIR", os.fspath(tmp_path / "uv-bin"))
    run(tools / "pipx", "install", "--python", sys.executable, dist.wheel, check=True)
    run(tools / "uv", "tool", "install", "--python", sys.executable, dist.wheel, check=True)
    _works(tmp_path / "pipx-bin", run, repo, sister, "by-pipx")
    _works(tmp_path / "uv-bin", run, repo, sister, "by-uv")


def _works(
    commands: Path, run: Runner, repo: Callable[..., Repo], sister: Callable[..., Sister], name: str = "app"
) -> None:
    """The three commands are there and of that installation, and so are the hooks that they put into a repository."""
    version = run("gitqueen", "--version", check=True).stdout
    assert [run(commands / name, "--version").stdout for name in ("gitqueen", "queen")] == [version, version]
    run(commands / "iam", check=True)
    app = repo(name)
    assert not _hooks(run, commands / "gitqueen", app).startswith(os.fspath(CHECKOUT))
    iza, ada = sister(f"iza-{name}", app), sister(f"ada-{name}", app)
    gitqueen, declare = commands / "gitqueen", commands / "iam"
    assert iza.sh(f"{declare} 'writing it' && {gitqueen} claim {name} --path '**'").rc == 0
    app.write("README", "changed\n")
    commit = ada.sh("git commit -qam mine")
    assert commit.rc == 0
    assert f"iza-{name} [main] claimed README" in commit.err


def _hooks(run: Runner, command: str | os.PathLike[str], app: Repo) -> str:
    """Install the hooks, and return the shell text that they lead to; whether in a file or in git's configuration."""
    run(command, "hooks", "install", app, check=True)
    told = [path.read_text("utf-8") for path in (app.path / ".git" / "hooks" / "pre-commit",) if path.exists()]
    told.append((app.path / ".git" / "config").read_text("utf-8"))
    [text] = {word for word in re.split(r"[\s'\";]+", "\n".join(told)) if word.endswith("/hooks/git-hook.sh")}
    assert os.path.isfile(text)
    return text
