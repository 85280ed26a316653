"""A sandbox with process numbers of its own: a commit in it sees who lives outside, and whose it is."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hive import Repo, Runner, Sister
from tests.hooks import kit

pytestmark = [pytest.mark.needs_bwrap, pytest.mark.needs_proc]


def sandboxed(command: str, name: str) -> str:
    """The command line that runs `command` in a sandbox of the sister `name`."""
    words = ["bwrap", "--dev-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "--setenv", "GITQUEEN_NAME", name]
    return shlex.join([*words, "sh", "-c", command])


def test_a_commit_in_a_sandbox_is_warned_of_who_lives_outside(
    repo: Callable[..., Repo], sister: Callable[..., Sister], run: Runner
) -> None:
    app = kit.install(repo(files={"a": "1\n"}))
    iza = sister("iza", app.worktree("feat"))
    iza.sh("iam 'the parser'; echo 2 >>a; gitqueen scan")
    kit.no_scan_due()
    app.write("a", "3\n")
    done = run("sh", "-c", sandboxed("git commit -qam inside", "bea"), cwd=app)
    assert done.returncode == 0
    assert "iza [feat] conflicts in a " in done.stderr
    app.write("b", "1\n")
    app.git("add", "b")
    assert run("sh", "-c", sandboxed("git commit -qm calm", "bea"), cwd=app).stderr == ""


@pytest.mark.parametrize("shell", ["dash", "bash --posix", "busybox sh"])
def test_a_dead_marker_costs_nothing_outside(shell: str, tmp_path: Path, repo: Callable[..., Repo]) -> None:
    """On the machine itself pid 1 began with it, so a marker without a process is a dead one and nobody is asked."""
    with open("/proc/1/stat", encoding="utf-8") as file:
        began = int(file.read().rpartition(") ")[2].split()[19])
    if began > 6000:
        pytest.fail("this test needs a machine whose first process began with it")
    app = kit.install(repo())
    live = app.path / ".git" / "gitqueen" / "live"
    live.mkdir(exist_ok=True)
    (live / "4194000").write_text("gone\n")
    canary = tmp_path / "canary"
    canary.write_text(f"#!{sys.executable}\nopen({str(tmp_path / 'ran')!r}, 'w')\n")
    canary.chmod(0o755)
    hooks = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "hooks")
    script = f"gitqueen_hooks={hooks}; . {hooks}/git-hook.sh; gitqueen_hook {canary} {canary} pre-commit"
    kit.no_scan_due()
    done = Runner(app.path)(*shell.split(), "-c", script)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "ran").exists()
