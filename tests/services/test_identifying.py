"""Who a command belongs to: real agents, real shells, real sandboxes."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import hive
from tests.hive import Done, Repo, Sister

SESSION = {"CLAUDE_CODE_SESSION_ID": "s-1"}
HOOK = Path(__file__).resolve().parents[2] / "gitqueen" / "cli" / "hook.py"


def told(done: Done) -> Any:
    """The sister that `whoami --json` shows; None for a person."""
    assert done.rc == 0, done
    return json.loads(done.out)["sister"]


def me(one: Sister, command: str = "gitqueen whoami --json") -> Any:
    return told(one.sh(command))


def rows(home: Path) -> list[tuple[str, int]]:
    with sqlite3.connect(home / "queen.db") as db:
        found = [(name, pid) for name, pid in db.execute("SELECT name, pid FROM sisters ORDER BY name")]
    db.close()
    return found


def test_an_agent_is_a_sister_from_its_first_command_on(
    repo: Callable[..., Repo], sister: Callable[..., Sister], home: Path
) -> None:
    agent = sister("a", repo(), program="claude", declared=False)
    first = me(agent)
    assert (first["name"], first["pid"], first["agent"]) == ("keeper-1", agent.pid, "claude")
    deep = me(agent, "sh -c 'sh -c \"gitqueen whoami --json; true\"; true'")
    assert (deep["name"], deep["pid"]) == ("keeper-1", agent.pid)
    assert rows(home) == [("keeper-1", agent.pid)]


@pytest.mark.parametrize("program", ["codex", "gemini", "opencode", "aider"])
def test_every_agent_is_told_apart(program: str, sister: Callable[..., Sister]) -> None:
    assert me(sister("a", program=program, declared=False))["agent"] == program


def test_the_nearest_agent_is_meant_when_one_runs_another(sister: Callable[..., Sister], tmp_path: Path) -> None:
    outer = sister("a", program="claude", declared=False)
    codex = shutil.copy2(os.path.realpath(shutil.which("sh") or ""), tmp_path / "codex")
    assert me(outer)["name"] == "keeper-1"
    inner = me(outer, f"{codex} -c 'gitqueen whoami --json; true'")
    assert (inner["name"], inner["agent"]) == ("keeper-2", "codex")
    assert me(outer)["agent"] == "claude"


def test_a_person_s_shell_is_nobody_until_it_declares(tmp_path: Path, home: Path) -> None:
    script = "gitqueen whoami --json; gitqueen status >&2; iam 'mending' >&2; gitqueen whoami --json; true"
    done = hive.orphan("sh", "-c", script, cwd=tmp_path)
    before, after = [json.loads(line)["sister"] for line in done.out.splitlines()]
    assert before is None
    assert (after["name"], after["agent"], after["task"]) == ("keeper-1", "human", "mending")
    assert "📌 keeper-1: mending\n" in done.err
    assert rows(home) == [("keeper-1", after["pid"])]


def test_a_claim_makes_a_person_s_shell_a_sister_too(tmp_path: Path) -> None:
    done = hive.orphan("sh", "-c", "gitqueen claim deploy >&2; gitqueen whoami --json; true", cwd=tmp_path)
    assert told(done)["name"] == "keeper-1", done


def test_nobody_takes_init_for_a_person_s_shell(tmp_path: Path) -> None:
    script = "setsid -f sh -c 'exec gitqueen iam --json alone >part; exit'; until [ -s part ]; do sleep 0.01; done; "
    done = hive.orphan("sh", "-c", script + "cat part", cwd=tmp_path)
    assert json.loads(done.out)["sister"]["pid"] != 1


def test_so_does_gitqueen_name(tmp_path: Path) -> None:
    env = {"GITQUEEN_NAME": "iza"}
    done = hive.orphan("sh", "-c", "gitqueen whoami --json; gitqueen whoami --json; true", cwd=tmp_path, env=env)
    one, two = [json.loads(line)["sister"] for line in done.out.splitlines()]
    assert (one["name"], one["pid"]) == (two["name"], two["pid"]) == ("iza", one["pid"])


def test_a_git_hook_below_an_undeclared_shell_has_no_actor_and_makes_no_row(
    repo: Callable[..., Repo], home: Path
) -> None:
    app = repo()
    assert hive.orphan("gitqueen", "hooks", "install", cwd=app).rc == 0
    hook = shlex.join([sys.executable, "-I", "-S", os.fspath(HOOK), "git", "pre-commit"])
    done = hive.orphan("sh", "-c", f"{hook}; {hook}; true", cwd=app)
    assert done == (0, "", "")
    assert rows(home) == []


def test_a_git_hook_below_an_agent_makes_it_a_sister(
    repo: Callable[..., Repo], sister: Callable[..., Sister], home: Path
) -> None:
    app = repo()
    agent = sister("a", app, program="claude", declared=False)
    assert hive.orphan("gitqueen", "hooks", "install", cwd=app).rc == 0
    hook = shlex.join([sys.executable, "-I", "-S", os.fspath(HOOK), "git", "pre-commit"])
    assert agent.sh(hook) == (0, "", "")
    assert rows(home) == [("keeper-1", agent.pid)]


def test_clear_changes_the_session_and_not_the_sister(sister: Callable[..., Sister], home: Path) -> None:
    agent = sister("a", program="claude", declared=False, env={"CLAUDE_CODE_SESSION_ID": "s-1"})
    assert me(agent)["name"] == "keeper-1"
    agent.sh("export CLAUDE_CODE_SESSION_ID=s-2; iam 'on with it'")
    assert me(agent)["name"] == "keeper-1"
    assert rows(home) == [("keeper-1", agent.pid)]


def test_a_declared_shell_that_becomes_an_agent_stays_the_same_sister(tmp_path: Path, home: Path) -> None:
    claude = shutil.copy2(os.path.realpath(shutil.which("sh") or ""), tmp_path / "claude")
    script = f"gitqueen iam shipping >&2; exec {claude} -c 'gitqueen whoami --json; gitqueen inbox >&2; true'"
    one = told(hive.orphan("sh", "-c", script, cwd=tmp_path, env=SESSION))
    assert (one["name"], one["agent"], one["task"]) == ("keeper-1", "claude", "shipping")
    with sqlite3.connect(home / "queen.db") as db:
        assert db.execute("SELECT agent, session_id FROM sessions").fetchall() == [("claude", "s-1")]
    db.close()


def test_her_place_is_that_of_her_last_command(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    app, other = repo("app"), repo("other")
    beside = app.worktree("side")
    agent = sister("a", app, program="claude", declared=False)
    agent.sh("iam 'here'")
    seen = [me(agent, f"cd {path}; gitqueen whoami --json") for path in (app.path, beside.path, other.path)]
    assert [(one["repo"], one["worktree"], one["branch"]) for one in seen] == [
        (str(app.path), str(app.path), "main"),
        (str(app.path), str(beside.path), "side"),
        (str(other.path), str(other.path), "main"),
    ]
    agent.sh("cd /; gitqueen inbox")
    assert me(agent)["worktree"] == str(other.path)


def test_a_process_belongs_to_the_hive_that_its_own_home_leads_to(
    sister: Callable[..., Sister], tmp_path: Path, home: Path
) -> None:
    here = sister("a", program="claude", declared=False)
    there = sister("b", program="claude", declared=False, env={"GITQUEEN_HOME": str(tmp_path / "q")})
    else_home = tmp_path / "home"
    else_home.mkdir()
    far = sister("c", program="claude", declared=False, env={"GITQUEEN_HOME": None, "HOME": str(else_home)})
    assert [me(one)["name"] for one in (here, there, far)] == ["keeper-1"] * 3
    for folder, one in ((home, here), (tmp_path / "q", there), (else_home / ".claude/queen", far)):
        assert rows(folder) == [("keeper-1", one.pid)]


@pytest.mark.parametrize("said", ["x", "-1", "0", "1.5", "99999999999999", "4194304"])
def test_a_pid_that_is_none_is_refused(said: str, sister: Callable[..., Sister]) -> None:
    done = sister("iza").sh(f"GITQUEEN_PID={said} gitqueen whoami")
    assert (done.rc, done.out) == (2, "")
    assert done.err.startswith(f"gitqueen: GITQUEEN_PID={said} is no living process\n")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        *((said, f"{ascii(said)} is no sister's name: allowed are") for said in ("a b", "../x", "-x", "x.lock", "é")),
        ("queen", "the sister's name 'queen' is reserved"),
        ("x" * 65, "a sister's name has at most 64 characters, this one 65"),
    ],
)
def test_a_name_out_of_form_is_refused(said: str, why: str, sister: Callable[..., Sister]) -> None:
    done = sister("iza").sh(f"GITQUEEN_NAME={shlex.quote(said)} gitqueen whoami")
    assert (done.rc, done.out) == (2, "")
    assert done.err.startswith(f"gitqueen: {why}")


# Sandboxes: the command cannot see the process that it belongs to.

BOX = "bwrap --dev-bind / / --unshare-pid --proc /proc "
OUTER_PROC = "bwrap --dev-bind / / --unshare-pid "
WHOAMI = "gitqueen whoami --json"


@pytest.mark.needs_bwrap
@pytest.mark.parametrize("box", [BOX, OUTER_PROC], ids=["its own proc", "the outer proc"])
@pytest.mark.parametrize(
    "hint", ["CLAUDE_CODE_SESSION_ID=s-1", "CLAUDE_PID=$$", "CLAUDE_CODE_SESSION_ID=s-1 CLAUDE_PID=$$"]
)
def test_the_environment_finds_the_agent_outside_a_sandbox(
    box: str, hint: str, repo: Callable[..., Repo], sister: Callable[..., Sister], home: Path
) -> None:
    agent = sister("a", repo(), program="claude", declared=False)
    other = sister("b", program="claude", declared=False)
    assert [me(agent, f"export {hint}; {WHOAMI}")["name"], me(other)["name"]] == ["keeper-1", "keeper-2"]
    inside = me(agent, f"{box} sh -c 'iam boxed >&2; {WHOAMI}'")
    assert (inside["name"], inside["pid"], inside["task"]) == ("keeper-1", agent.pid, "boxed")
    assert rows(home) == [("keeper-1", agent.pid), ("keeper-2", other.pid)]


@pytest.mark.needs_bwrap
def test_without_a_hint_a_sandbox_hides_who_one_is(sister: Callable[..., Sister]) -> None:
    agent = sister("a", program="claude", declared=False)
    assert me(agent)["name"] == "keeper-1"
    assert me(agent, BOX + WHOAMI) is None


@pytest.mark.needs_bwrap
def test_a_declared_sister_s_name_and_pid_find_her_from_a_sandbox(sister: Callable[..., Sister], home: Path) -> None:
    iza = sister("iza")
    assert me(iza)["name"] == "iza"
    assert me(iza, BOX + WHOAMI)["name"] == "iza"
    assert rows(home) == [("iza", iza.pid)]


@pytest.mark.needs_bwrap
def test_a_first_command_inside_a_sandbox_makes_the_agent_a_sister_once(
    sister: Callable[..., Sister], home: Path
) -> None:
    agent = sister("a", program="claude", declared=False, env=SESSION)
    agent.sh("export CLAUDE_PID=$$")
    inside = [me(agent, BOX + WHOAMI) for _ in range(2)]
    assert [(one["name"], one["agent"], one["pid"]) for one in inside] == [("keeper-1", "claude", agent.pid)] * 2
    agent.sh(BOX + "iam 'boxed'")
    outside = me(agent)
    assert (outside["name"], outside["pid"], outside["task"]) == ("keeper-1", agent.pid, "boxed")
    assert me(agent, BOX + WHOAMI)["name"] == "keeper-1"
    assert rows(home) == [("keeper-1", agent.pid)]


@pytest.mark.needs_bwrap
def test_agents_that_tell_no_pid_are_told_apart_inside_sandboxes_by_their_sessions(
    sister: Callable[..., Sister],
) -> None:
    one, two = (sister("", program="codex", declared=False, env={"CODEX_THREAD_ID": thread}) for thread in "ab")
    inside = [me(each, BOX + WHOAMI) for each in (one, two, one, two)]
    assert [(each["name"], each["agent"], each["pid"]) for each in inside] == [
        ("keeper-1", "codex", None),
        ("keeper-2", "codex", None),
    ] * 2
    assert [(each["name"], each["pid"]) for each in (me(two), me(one))] == [
        ("keeper-2", two.pid),
        ("keeper-1", one.pid),
    ]


@pytest.mark.needs_bwrap
def test_a_scan_inside_a_sandbox_buries_nobody_outside(sister: Callable[..., Sister], home: Path) -> None:
    agent, boxed = sister("a", program="claude", declared=False), sister("iza")
    assert me(agent)["name"] == "keeper-1"
    agent.sh("gitqueen claim deploy")
    with sqlite3.connect(home / "queen.db") as db:
        db.execute("UPDATE sisters SET last_seen = strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-3 hours')")
    db.close()
    assert boxed.sh(BOX + "gitqueen scan").rc == 0
    assert ("keeper-1", agent.pid) in rows(home)
    claims = json.loads(agent.sh("gitqueen claims --json").out)["claims"]
    assert [(claim["id"], claim["owner"]) for claim in claims] == [("deploy", "keeper-1")]
    assert me(agent)["name"] == "keeper-1"


@pytest.mark.needs_bwrap
@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("claude", 'in ~/.claude/settings.json: {{"sandbox": {{"filesystem": {{"allowWrite": ["{}"]}}}}}}'),
        ("codex", 'at the top of ~/.codex/config.toml: sandbox_workspace_write.writable_roots = ["{}"]'),
        ("gemini", "in ~/.gemini/.env: SANDBOX_MOUNTS={0}:{0}:rw"),
    ],
)
@pytest.mark.parametrize("made", [True, False], ids=["a queen is there", "no queen yet"])
def test_an_agent_whose_sandbox_forbids_writing_reads_how_to_allow_it(
    program: str, line: str, made: bool, sister: Callable[..., Sister], home: Path
) -> None:
    agent = sister("a", program=program, declared=False)
    if made:
        assert me(agent)["name"] == "keeper-1"
    home.parent.mkdir(exist_ok=True)
    box = f"bwrap --dev-bind / / --ro-bind {home.parent} {home.parent} "
    done = agent.sh(box + "iam 'x'")
    assert (done.rc, done.out) == (4, "")
    first, hint = done.err.splitlines()
    assert "cannot be written: " in first
    assert hint == f"  → let the sandbox of {program} write there, {line.format(home)}"
