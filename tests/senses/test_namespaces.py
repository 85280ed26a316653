"""What only Linux has: namespaces of processes, and hooks that read /proc without any library."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gitqueen.senses import processes
from tests.hive import Runner

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.needs_bwrap
@pytest.mark.parametrize("proc", [True, False], ids=["its own proc", "the outer proc"])
def test_another_pid_namespace_is_another_origin_unless_its_proc_shows_the_outer_one(proc: bool, run: Runner) -> None:
    code = "from gitqueen.senses import processes as p; import os;"
    code += "print(p.origin(), p.own_pid() == os.getpid(), len(list(p.ancestors())) > 2)"
    box = ["bwrap", "--dev-bind", "/", "/", "--unshare-pid", *(["--proc", "/proc"] if proc else [])]
    origin, same, _ = run(*box, sys.executable, "-c", code, cwd=ROOT, check=True).stdout.split()
    here = processes.origin()
    assert origin.split(":")[:2] == here.split(":")[:2]
    assert ((origin == here), same) == ((False, "True") if proc else (True, "False"))


@pytest.mark.needs_proc
def test_a_hook_never_pays_for_psutil(run: Runner) -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from gitqueen.senses import agents, processes;"
    code += "agents.nearest(processes.ancestors()); processes.origin();"
    code += "print([m for m in ('psutil', 'ctypes', 'json', 'subprocess') if m in sys.modules])"
    assert run(sys.executable, "-I", "-S", "-c", code, check=True).stdout == "[]\n"
