"""What every test gets: the seal (always on, and loud), the fixtures that hand out the hive, and what a skip means.

The things themselves live in `seal` and `hive`, so that tests can import them with their types.
"""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import hypothesis
import pytest

from tests import hive, seal
from tests.hive import Repo, Runner, Sister

NEWER_GIT = seal.OUTER.get("NEWER_GIT") or os.path.expanduser("~/.cache/gitqueen-git/bin/git")
"""git >= 2.54: hooks in configuration, reftable. Asked for before the seal: the home is the real one."""

CACHE = os.path.join(seal.OUTER.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "gitqueen-tests")
"""Where tests/run puts what it installs once a machine."""

NEEDS = {
    "bash": ("bash", "-c", ":"),
    "busybox": ("busybox", "true"),
    "bwrap": ("bwrap", "--ro-bind", "/", "/", "--unshare-pid", "true"),
    "claude": (f"{CACHE}/agents/claude/node_modules/.bin/claude", "--version"),
    "codex": (f"{CACHE}/agents/codex/node_modules/.bin/codex", "--version"),
    "crontab": (*seal.CRON, "sh", "-c", "echo '@daily :' | /usr/bin/crontab - && /usr/bin/crontab -l"),
    "dash": ("dash", "-c", ":"),
    "gemini": (f"{CACHE}/agents/gemini/node_modules/.bin/gemini", "--version"),
    "nobody": (
        "sh",
        "-c",
        """PATH=/usr/local/bin:/usr/bin:/bin; [ "$(id -u)" -ne 0 ] || set -- setpriv --reuid=65534 --regid=65534 \\
        --clear-groups; "$@" python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))'""",
    ),
    "git_annex": ("git-annex", "version", "--raw"),
    "git_lfs": ("git-lfs", "version"),
    "husky": ("test", "-x", f"{CACHE}/npm/node_modules/.bin/husky"),
    "kitty": ("sh", "-c", "kitty --version && command -v Xvfb && ls /usr/lib/*/dri/swrast_dri.so"),
    "lefthook": (f"{CACHE}/npm/node_modules/.bin/lefthook", "version"),
    "newer_git": (NEWER_GIT, "--version"),
    "pre_commit": (f"{CACHE}/pre-commit/bin/pre-commit", "--version"),
    "proc": ("test", "-r", "/proc/self/stat"),
    "pypi": (
        sys.executable,
        "-m",
        "pip",
        "--retries=1",
        "--timeout=15",
        "download",
        "-qd",
        "{}",
        "--no-deps",
        "wcwidth",
    ),
    "shellcheck": ("shellcheck", "--version"),
    "socat": ("socat", "-V"),
    "strace": ("strace", "-o", "/dev/null", "true"),
    "tmux": ("tmux", "-V"),
    "zsh": ("zsh", "-fc", ":"),
}
"""The real parts that a machine may lack, and the command that shows that one works: `@pytest.mark.needs_tmux`."""

CI = os.environ.get("CI", "") not in ("", "0", "false")

hypothesis.settings.register_profile("default", deadline=None)
# The same examples in every run: what is green stays green until somebody changes something.
hypothesis.settings.register_profile("ci", deadline=None, max_examples=200, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if CI else "default")


def pytest_configure(config: pytest.Config) -> None:
    # A shell starts what it puts into the background with these ignored, and all below would inherit that.
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, usual)
    for part in NEEDS:
        config.addinivalue_line("markers", f"needs_{part}: skipped where {part} is not to be had (in CI: a failure)")
    # Under xdist the first process collects and runs nothing: its workers must still see the outer environment, to
    # know what they seal themselves from.
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        home = tempfile.TemporaryDirectory(prefix="gitqueen-tests-", ignore_cleanup_errors=True)
        config.add_cleanup(home.cleanup)
        seal.enter(home.name)


@pytest.fixture(autouse=True)
def sealed(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of this test's own; afterwards, nothing may have been tried on the real one."""
    root = tmp_path_factory.mktemp("home")
    seal.furnish(str(root))
    for key, value in seal.environment(str(root)).items():
        monkeypatch.setenv(key, value)
    yield root
    tried = ", ".join(seal.broken)
    seal.broken.clear()
    if tried:
        pytest.fail(f"this test broke the seal: {tried}", pytrace=False)


@pytest.fixture
def home(sealed: Path) -> Path:
    """GITQUEEN_HOME of this test; not made yet, as on a new machine."""
    return Path(os.environ["GITQUEEN_HOME"])


@pytest.fixture
def run(tmp_path: Path) -> Runner:
    """Run commands, in the test's folder unless told otherwise."""
    return Runner(tmp_path)


@pytest.fixture
def repo(tmp_path: Path) -> Callable[..., Repo]:
    """Make repositories: `repo()`, `repo("other", {"a.py": "..."})`; the same content has the same hashes always."""

    def make(name: str = "app", files: Mapping[str, str] | None = None) -> Repo:
        return hive.new_repo(tmp_path / name, files)

    return make


@pytest.fixture
def newer_git(monkeypatch: pytest.MonkeyPatch) -> str:
    """git >= 2.54, first on PATH for the whole test; say `needs_newer_git` too."""
    monkeypatch.setenv("PATH", os.path.dirname(NEWER_GIT) + os.pathsep + os.environ["PATH"])
    return NEWER_GIT


@pytest.fixture
def sister(tmp_path: Path) -> Iterator[Callable[..., Sister]]:
    """Bring sisters to life: `sister("iza-1", repo)`; all are gone after the test."""
    born: list[Sister] = []

    def bear(
        name: str,
        cwd: str | os.PathLike[str] = tmp_path,
        *,
        program: str | None = None,
        declared: bool = True,
        env: Mapping[str, str | None] | None = None,
    ) -> Sister:
        born.append(Sister(name, cwd, program=program, declared=declared, env=env))
        return born[-1]

    yield bear
    for one in born:
        one.close()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers():
        part = mark.name.removeprefix("needs_")
        if part != mark.name and not _works(part):
            pytest.skip(f"{part} is not to be had on this machine")


@functools.cache
def _works(part: str) -> bool:
    with tempfile.TemporaryDirectory() as box:
        command = [word.format(box) for word in NEEDS[part]]
        try:
            return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failure: everything that tests need can be had there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if CI and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line(
            "CI: a skipped test is a failure, because all that the tests need can be had here", red=True
        )
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
