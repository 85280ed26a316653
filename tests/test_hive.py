"""The sisters and repositories of the tests are what they claim to be: real processes and real worktrees."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import pytest

from tests import hive
from tests.hive import Repo, Runner, Sister


def test_a_sister_is_a_shell_whose_commands_are_her_children(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    iza = sister("iza-1", repo())
    parent = f"{sys.executable} -c 'import os; print(os.getppid())'"
    done = iza.sh(f"{parent}; echo $GITQUEEN_NAME $GITQUEEN_PID; git log --oneline | wc -l")
    assert done == (0, f"{iza.pid}\niza-1 {iza.pid}\n1\n", "")
    assert iza.sh("cd /; x=1; echo oh >&2; false") == (1, "", "oh\n")
    assert iza.sh("pwd; echo $x; printf '%s' \"it's\nthere\"") == (0, "/\n1\nit's\nthere", "")


def test_a_killed_sister_is_gone_and_what_she_began_goes_on_until_she_is_closed(sister: Callable[..., Sister]) -> None:
    iza = sister("iza-1")
    left = int(iza.sh("sleep 60 & echo $!").out)
    iza.kill()
    assert not os.path.exists(f"/proc/{iza.pid}")
    os.kill(left, 0)
    with pytest.raises((pytest.fail.Exception, BrokenPipeError)):
        iza.sh("echo still here")


def test_two_sisters_work_at_once(sister: Callable[..., Sister]) -> None:
    one, two = sister("one"), sister("two")
    one.begin("while [ ! -e go ]; do sleep 0.01; done; echo gone")
    assert two.sh("touch go") == (0, "", "")
    assert one.end() == (0, "gone\n", "")


@pytest.mark.needs_proc
def test_a_sister_may_run_under_an_agent_s_name(sister: Callable[..., Sister]) -> None:
    agent = sister("iza-1", program="claude", declared=False)
    assert os.path.basename(os.readlink(f"/proc/{agent.pid}/exe")) == "claude"
    assert agent.sh("echo ${GITQUEEN_NAME-none} ${GITQUEEN_PID-none}").out == "none none\n"


@pytest.mark.needs_proc
def test_nobody_of_ours_stands_above_an_orphan(tmp_path: os.PathLike[str]) -> None:
    script = "p=$$; while [ $p -gt 1 ]; do read -r _ _ _ p _ </proc/$p/stat; echo $p; done; exit 7"
    done = hive.orphan("sh", "-c", script, cwd=tmp_path)
    assert (done.rc, done.err) == (7, "")
    assert str(os.getpid()) not in done.out.split()


def test_repositories_have_worktrees_and_clones(repo: Callable[..., Repo], run: Runner) -> None:
    app = repo("app", {"src/a.py": "one\n"})
    beside, copy = app.worktree("feature/x"), app.clone("copy")
    assert beside.commit("two", {"src/a.py": "two\n"}) == beside.head != app.head == copy.head
    assert run("git", "branch", "--show-current", cwd=beside).stdout == "feature/x\n"
