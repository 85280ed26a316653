"""A bug of ours: exit 3, one line, and the traceback in the log, where nobody else may read it."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

from gitqueen import __version__, crashes
from tests.hive import Runner

BUG = """
import sys
from gitqueen.services import reporting
def status(*_):
    secret_in_a_variable = "hush"
    raise ZeroDivisionError("first\\nsecond \\x1b[31m\\udcff")
reporting.status = status
from gitqueen.cli.main import run
sys.exit(run(sys.argv[1:]))
"""
"""gitqueen with a bug in it."""


def test_one_line_for_people_and_the_traceback_in_the_log(run: Runner, home: Path) -> None:
    done = run(sys.executable, "-c", BUG, "status", env={"API_KEY": "hush"})
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(r"gitqueen: a bug of gitqueen: ZeroDivisionError: first\nsecond \x1b[31m\xff")
    assert f"{home}/crash.log" in done.stderr
    log = (home / "crash.log").read_text()
    assert log.startswith(f"gitqueen {__version__}, Python 3.")
    assert "Traceback (most recent call last):" in log
    assert r"ZeroDivisionError: first" in log
    assert "hush" not in log.replace('secret_in_a_variable = "hush"', "")
    assert stat.S_IMODE((home / "crash.log").stat().st_mode) == 0o600


def test_for_programs(run: Runner, home: Path) -> None:
    done = run(sys.executable, "-c", BUG, "status", "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["schema"], said["error"]["code"]) == (3, 1, "bug")
    assert said["error"]["message"].startswith("a bug of gitqueen: ZeroDivisionError: first\nsecond ")
    assert f"{home}/crash.log" in said["error"]["message"] + said["error"]["hint"]


def test_a_log_with_loose_rights_is_tightened_and_a_long_one_starts_anew(home: Path) -> None:
    home.mkdir(parents=True)
    log = home / "crash.log"
    log.write_text("x" * (crashes.LARGEST + 1))
    log.chmod(0o644)
    assert crashes.log(os.environ, ValueError("one")) == str(log)
    assert (home / "crash.log.1").stat().st_size == crashes.LARGEST + 1
    assert log.read_text().endswith("ValueError: one\n\n")
    log.chmod(0o666)
    assert crashes.log(os.environ, ValueError("two")) == str(log)
    assert log.read_text().count("\nValueError: ") == 2
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_where_nothing_can_be_written_nothing_is_raised(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert crashes.log({"GITQUEEN_HOME": str(tmp_path / "file")}, ValueError("lost")) is None
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "crash.log").symlink_to(tmp_path / "elsewhere")
    assert crashes.log({"GITQUEEN_HOME": str(tmp_path / "home")}, ValueError("led away")) is None
    assert not (tmp_path / "elsewhere").exists()
