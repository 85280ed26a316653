"""The demo shows what it says, whoever runs it from whatever environment; fails when a step does; leaves nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gitqueen.services import demonstrating
from gitqueen.services.demonstrating import SCRIPT, Step
from tests import hive
from tests.hive import Runner, Sister

STRAY = {
    "GITQUEEN_SKIP": "1",
    "GITQUEEN_NAME": "somebody",
    "GITQUEEN_PID": "1",
    "GITQUEEN_DEBUG": "1",
    "CLAUDECODE": "1",
    "GIT_DIR": "/nowhere",
    "GIT_WORK_TREE": "/nowhere",
    "GIT_INDEX_FILE": "/nowhere/index",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.hooksPath",
    "GIT_CONFIG_VALUE_0": "/nowhere",
    "GIT_TEMPLATE_DIR": "/nowhere",
    "GIT_AUTHOR_DATE": "never",
}
"""What a user's environment may hold and the demo must not be moved by."""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where temporary folders are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", os.fspath(folder))
    # Python remembers the first answer.
    monkeypatch.setattr("tempfile.tempdir", os.fspath(folder))
    return folder


def nothing_is_left(temporary: Path) -> None:
    """No folder, and no process that ran in one."""
    assert list(temporary.glob("gitqueen-*")) == []
    mine = os.fsencode(f"HOME={temporary}/")
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            assert mine not in path.read_bytes(), path.with_name("cmdline").read_bytes()
        except (PermissionError, FileNotFoundError, ProcessLookupError):
            pass


def test_it_plays_to_the_end_whatever_the_environment_holds(temporary: Path, home: Path, run: Runner) -> None:
    done = run("gitqueen", "demo", env=STRAY)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    lines = done.stdout.splitlines()
    typed = [line.partition(" $ ")[2] for line in lines if re.match(r"  (you|iza|ada) \$ ", line)]
    assert typed == [line.command for line in SCRIPT]
    titles = [line.title for line in SCRIPT if line.title]
    assert [line for line in lines if re.match(r"\d+\. ", line)] == [f"{n}. {t}" for n, t in enumerate(titles, 1)]
    assert lines[-1] == "✓ every step was seen to work; the demo's home and repository are gone again"
    assert str(temporary) not in done.stdout
    nothing_is_left(temporary)
    assert not home.exists(), "it has a queen of its own"


@pytest.mark.needs_proc
def test_an_agent_that_runs_it_is_no_sister_in_it(temporary: Path, sister: Callable[..., Sister]) -> None:
    agent = sister("claude-1", program="claude", declared=False)
    done = agent.sh(f"{hive.gitqueen()} demo --json")
    assert done.rc == 0, done.out
    report = json.loads(done.out)
    assert report["ok"] and [step["missing"] for step in report["steps"]] == [[]] * len(SCRIPT)
    colony = report["steps"][-1]["output"]
    assert re.findall(r"(?m)^  (\S+) +pid ", colony) == ["ada", "iza"]
    nothing_is_left(temporary)


def test_a_git_that_runs_no_hooks_is_seen(temporary: Path, tmp_path: Path, run: Runner) -> None:
    path = _git_instead(tmp_path, '[ "$1" != commit ] || set -- -c core.hooksPath=/dev/null "$@"; exec "$real" "$@"')
    done = run("gitqueen", "demo", "--json", env={"PATH": path})
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["ok"] is False
    assert report["steps"][-1]["command"].endswith('git commit -qam "Document it"')
    unseen = ["not seen: collides with iza", "not seen: src/parser.py", "not seen: gitqueen tell iza"]
    assert report["steps"][-1]["missing"] == unseen
    nothing_is_left(temporary)

    done = run("gitqueen", "demo", env={"PATH": path})
    assert done.returncode == 1
    assert done.stdout.endswith(
        "".join(f"      ✗ {text}\n" for text in unseen)
        + "\n✗ the demo stopped at a step that did not show what it must   (gitqueen doctor)\n"
    )


def test_without_a_git_that_works_there_is_no_demo(temporary: Path, tmp_path: Path, run: Runner) -> None:
    path = _git_instead(tmp_path, "echo 'fatal: out of order' >&2; exit 128")
    done = run("gitqueen", "demo", env={"PATH": path})
    assert done.returncode == 4
    assert done.stderr == "gitqueen: git init failed: fatal: out of order\n  → gitqueen doctor\n"
    nothing_is_left(temporary)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("moment", ["1. ", "  ada $ queen inbox"])
def test_interrupted_it_leaves_nothing(temporary: Path, number: signal.Signals, code: int, moment: str) -> None:
    with subprocess.Popen(
        [hive.gitqueen(), "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if line.startswith(moment):
                demo.send_signal(number)
                break
        _, err = demo.communicate(timeout=60)
    assert (demo.returncode, err) == (code, "")
    nothing_is_left(temporary)


def test_a_line_that_never_ends_is_ended(temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _git_instead(tmp_path, 'case $1 in commit) [ "$2" != -qam ] || exec sleep 1000 ;; esac; exec "$real" "$@"')
    monkeypatch.setenv("PATH", path)
    steps = []
    with closing(demonstrating.demonstrate()) as play:
        for moment in play:
            if isinstance(moment, Step):
                steps.append(moment)
            elif "commit" in moment.command:
                monkeypatch.setattr(demonstrating, "LONGEST", 1.0)
    assert steps[-1].missing[0] == "exit code 255, not 0"
    assert not demonstrating.passed(steps)
    nothing_is_left(temporary)


def _git_instead(folder: Path, script: str) -> str:
    """A PATH whose git is `script`; `$real` is the real one."""
    (folder / "stub").mkdir()
    stub = folder / "stub" / "git"
    stub.write_text(f"#!/bin/sh\nreal={shutil.which('git')}\n{script}\n")
    stub.chmod(0o755)
    return os.pathsep.join((os.fspath(stub.parent), os.environ["PATH"]))
