"""Sisters in the windows, tabs and panes of real kittys and tmuxes: seen in the right one, and brought to the front."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitqueen.senses import kitty as eyes
from gitqueen.senses import processes
from tests.hive import Repo, Runner, Sister, gitqueen
from tests.kitty import kit
from tests.kitty.kit import Kitty

pytestmark = [pytest.mark.needs_kitty, pytest.mark.needs_proc]

Row = dict[str, Any]
StandIn = Callable[..., str]


def running(program: str) -> list[int]:
    """Whoever runs `program` and is no fork of another that does."""
    table = processes.everyone().values()
    return [one.pid for one in table if not one.forked and processes.executable(one.pid) == program]


def settle(*programs: str) -> None:
    kit.wait_for(lambda: all(running(program) for program in programs), f"{programs} run")


@pytest.fixture
def scan(run: Runner) -> Callable[[], list[str]]:
    """Look around; what could not be looked at."""

    def look() -> list[str]:
        faults: list[str] = json.loads(run("gitqueen", "scan", "--json", check=True).stdout)["faults"]
        return faults

    return look


@pytest.fixture
def terminals(run: Runner, scan: Callable[[], list[str]]) -> Callable[[], dict[int, Row | None]]:
    """pid -> terminal of every sister, after a scan at which nothing was amiss."""

    def look() -> dict[int, Row | None]:
        assert scan() == []
        return {one["pid"]: one["terminal"] for one in status(run)}

    return look


def status(run: Runner) -> list[Row]:
    found: list[Row] = json.loads(run("gitqueen", "status", "--json", check=True).stdout)["sisters"]
    return found


Terminals = Callable[[], dict[int, Row | None]]


def in_front(one: Kitty) -> list[tuple[int, bool]]:
    """Each os window's number and that of the window in front in it."""
    tree = json.loads(one.command("ls"))
    return [
        (window["id"], bool(tab.get("is_active", tab["is_focused"])))
        for outer in tree
        for tab in outer["tabs"]
        if tab.get("is_active_tab", tab.get("is_active"))
        for window in tab["windows"]
        if window.get("is_active_window", window.get("is_active"))
    ]


def test_each_sister_is_seen_in_her_window_of_whatever_instance(
    kitty: Callable[..., Kitty], stand_in: StandIn, terminals: Terminals, run: Runner, home: Path, tmp_path: Path,
    repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("API_KEY", "hush-hush-hush")
    app = repo()
    names = ("one", "tab", "outer", "abstract", "silent")
    programs = {name: stand_in("claude", name) for name in names}
    first = kitty(programs["one"])
    other = kitty(programs["abstract"], address=f"unix:@gitqueen-{os.getpid()}-{time.monotonic_ns()}")
    kitty("/bin/sh", "-c", f"{programs['silent']}; :", address=None)
    settle(programs["one"], programs["abstract"], programs["silent"])
    tab = first.open("/bin/sh", "-c", f"{programs['tab']}; :", how="tab", title="my \x1b[31mtab", cwd=app.path)
    outer = first.open(programs["outer"], how="os-window", title="outer")
    settle(*programs.values())
    pids = {name: running(program)[0] for name, program in programs.items()}
    seen = terminals()
    assert {pid: (one or {})["kind"] for pid, one in seen.items()} == dict.fromkeys(pids.values(), "kitty")
    assert {name: (seen[pid] or {})["window"] for name, pid in pids.items()} == {
        "one": "1",
        "tab": tab,
        "outer": outer,
        "abstract": "1",
        "silent": "1",
    }
    assert (seen[pids["outer"]] or {})["title"] == "outer"
    assert (seen[pids["one"]] or {})["focused"] is False
    assert seen[pids["silent"]] == {"kind": "kitty", "window": "1", "title": None, "focused": None}
    assert {one["pid"]: one["worktree"] for one in status(run)}[pids["tab"]] == str(app.path)
    # The shown one is named beside her folder, in a word.
    assert f"kitty:{tab}" in run("gitqueen", "status", check=True).stdout
    said = eyes.ask([address for address in (first.address, other.address) if address])
    assert [len(answer.windows) for answer in said] == [3, 1]
    kept = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"hush" not in kept
    first.command("close-window", match=f"id:{tab}")
    kit.wait_for(lambda: not running(programs["tab"]), "the window closes")
    assert pids["tab"] not in terminals()


def test_she_is_brought_to_the_front_because_a_person_asked(
    kitty: Callable[..., Kitty], stand_in: StandIn, terminals: Terminals, run: Runner
) -> None:
    first, second, silent = (stand_in("claude", name) for name in ("first", "second", "silent"))
    one = kitty(first)
    settle(first)
    number = one.open(second, how="tab")
    kitty(silent, address=None)
    settle(second, silent)
    terminals()
    names = {sister["pid"]: sister["name"] for sister in status(run)}
    assert in_front(one)[0][0] == int(number)
    done = run("gitqueen", "focus", names[running(first)[0]])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"✓ {names[running(first)[0]]} is in front: kitty:1")
    assert in_front(one)[0][0] == 1
    said = json.loads(run("gitqueen", "focus", names[running(second)[0]], "--json", check=True).stdout)
    assert (said["sister"]["terminal"]["kind"], said["sister"]["terminal"]["window"]) == ("kitty", number)
    assert in_front(one)[0][0] == int(number)
    done = run("gitqueen", "focus", names[running(silent)[0]])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "gitqueen: kitty's window 1 cannot be asked to come: it listens at no socket",
        f"  → put into kitty.conf and restart kitty: {'   '.join(eyes.CONF)}",
    ]


def test_who_is_in_no_window_or_nowhere_is_not_brought_anywhere(run: Runner, sister: Callable[..., Sister]) -> None:
    sister("iza").sh("iam 'shipping'")
    done = run("gitqueen", "focus", "iza")
    assert done.returncode == 1 and "is in no terminal: only kitty and tmux" in done.stderr
    done = run("gitqueen", "focus", "izza", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"] == {
        "code": "no",
        "message": "no sister called izza lives on this machine",
        "hint": "did you mean iza?",
    }


def test_where_nobody_else_says_it_the_title_of_her_window_tells_that_she_works(
    kitty: Callable[..., Kitty], stand_in: StandIn, terminals: Terminals, run: Runner, tmp_path: Path
) -> None:
    hers, codex = stand_in("claude"), stand_in("codex")
    titles = tmp_path / "titles"
    os.mkfifo(titles)
    one = kitty(hers, "-c", f"while read -r t <{titles}; do printf '\\033]2;%s\\007' \"$t\"; done")
    settle(hers)
    one.open(codex, "-c", "printf '\\033]2;%s\\007' '⠋ app'; read x", how="tab")
    settle(codex)

    def seen(title: str) -> set[tuple[str, str]]:
        titles.write_text(f"{title}\n")
        kit.wait_for(
            lambda: {w.title for answer in eyes.ask([one.address or ""]) for w in answer.windows} == {title, "⠋ app"},
            "the titles are set",
        )
        terminals()
        return {(sister["agent"], sister["status"]) for sister in status(run)}

    assert seen("◐ Claude Code") == {("claude", "working"), ("codex", "working")}
    assert seen("✳ Claude Code") == {("claude", "unknown"), ("codex", "working")}


def test_a_person_s_shell_is_idle_at_its_prompt_and_works_while_a_command_runs(
    kitty: Callable[..., Kitty], terminals: Terminals, run: Runner
) -> None:
    one = kitty("/bin/bash", "--norc", "--noprofile", "-i")
    kit.wait_for(lambda: bool(eyes.ask([one.address or ""])), "kitty listens")

    def types(text: str) -> None:
        one.command("send-text", match="id:1", data=f"text:{text}")

    def comes_to_be(status_: str) -> None:
        kit.wait_for(lambda: bool(terminals()) and [s["status"] for s in status(run)] == [status_], status_)

    types(f"{gitqueen()} claim deploy\r")
    comes_to_be("idle")
    [person] = status(run)
    assert (person["agent"], person["terminal"]["window"]) == ("human", "1")
    assert person["pid"] == eyes.ask([one.address or ""])[0].windows[0].pids[0]
    types("sleep 1000\r")
    comes_to_be("working")
    types("\x03")
    comes_to_be("idle")
    types(f"{gitqueen()} iam reading\r")
    # Her own word counts more than a prompt.
    comes_to_be("working")
    kit.wait_for(lambda: not eyes.ask([one.address or ""])[0].windows[0].busy, "back at the prompt")
    terminals()
    assert [one["status"] for one in status(run)] == ["working"]


def test_a_window_s_environment_that_went_elsewhere_is_not_believed(
    kitty: Callable[..., Kitty], stand_in: StandIn, terminals: Terminals, sister: Callable[..., Sister], tmp_path: Path
) -> None:
    inside = stand_in()
    one = kitty(inside)
    settle(inside)
    env = {"KITTY_PID": str(one.pid), "KITTY_WINDOW_ID": "1", "KITTY_LISTEN_ON": one.address}
    env |= {"TMUX": f"{tmp_path}/t,{one.pid},0", "TMUX_PANE": "%1"}
    outside = sister("", tmp_path, program="claude", declared=False, env=env)
    seen = terminals()
    assert seen[outside.pid] is None
    assert (seen[running(inside)[0]] or {})["window"] == "1"


def test_a_kitty_of_another_home_is_asked_nothing_unless_the_session_knows_it(
    kitty: Callable[..., Kitty], stand_in: StandIn, terminals: Terminals, tmp_path: Path
) -> None:
    cleared, knowing, codex = stand_in("claude", "cleared"), stand_in("claude", "knowing"), stand_in("codex")
    hers = f"HOME={os.environ['HOME']} GITQUEEN_HOME={os.environ['GITQUEEN_HOME']}"
    one = kitty("/bin/sh", "-c", f"env -i {hers} {cleared}; :", env={**os.environ, "HOME": os.fspath(tmp_path)})
    kitty("/bin/sh", "-c", f"env -i {hers} {codex}; :")
    settle(cleared, codex)
    seen = terminals()
    assert (seen[running(cleared)[0]] or {})["kind"] == "tty"
    assert (seen[running(codex)[0]] or {})["kind"] == "kitty"
    number = one.open("/bin/sh", "-c", f"{hers} {knowing}; :", how="tab")
    settle(knowing)
    seen = terminals()
    assert [(seen[running(program)[0]] or {})["window"] for program in (cleared, knowing)] == ["1", number]


@pytest.mark.needs_tmux
def test_in_tmux_in_kitty_the_pane_is_named_and_both_come_to_the_front(
    kitty: Callable[..., Kitty], stand_in: StandIn, terminals: Terminals, run: Runner, tmp_path: Path
) -> None:
    hers, beside = stand_in("claude", "hers"), stand_in("codex", "beside")
    server = os.fspath(tmp_path / "t")
    tmux = ["tmux", "-u", "-S", server, "-f", "/dev/null"]
    one = kitty(*tmux, "new-session", "-s", "work", hers)
    try:
        settle(hers)
        subprocess.run([*tmux, "split-window", "-t", "work", beside], check=True)
        one.open("/bin/sh", how="tab")
        settle(beside)
        seen = terminals()
        assert [(seen[running(program)[0]] or {})["kind"] for program in (hers, beside)] == ["tmux", "tmux"]
        assert [(seen[running(program)[0]] or {})["window"] for program in (hers, beside)] == ["%0", "%1"]
        assert [(seen[running(program)[0]] or {})["focused"] for program in (hers, beside)] == [False, True]
        assert in_front(one)[0][0] == 2
        name = {sister["pid"]: sister["name"] for sister in status(run)}[running(hers)[0]]
        done = run("gitqueen", "focus", name, check=True)
        assert done.stdout.endswith("   in kitty:1\n") and "tmux:%0" in done.stdout
        assert in_front(one)[0][0] == 1
        assert (terminals()[running(hers)[0]] or {})["focused"] is True
        subprocess.run([*tmux, "detach-client", "-s", "work"], check=True)
        kit.wait_for(lambda: run("gitqueen", "focus", name).returncode == 1, "nobody looks")
        assert f"tmux -S {server} attach" in run("gitqueen", "focus", name).stderr
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)


def test_kittys_that_cannot_be_asked_delay_nothing_and_the_doctor_names_them(
    kitty: Callable[..., Kitty], stand_in: StandIn, scan: Callable[[], list[str]], run: Runner
) -> None:
    programs = [stand_in("claude", name) for name in ("well", "hung", "locked", "silent")]
    well, hung = kitty(programs[0]), kitty(programs[1])
    locked = kitty(
        programs[2],
        options={"allow_remote_control": "password", "remote_control_password": '"secret" ls'},
    )
    silent = kitty(programs[3], address=None)
    settle(*programs)
    kit.wait_for(lambda: len(eyes.ask([one.address or "" for one in (well, hung, locked)])) == 3, "they listen")
    os.kill(hung.pid, signal.SIGSTOP)
    try:
        assert scan() == [f"kitty at {hung.address}: it does not answer within 1 s"]
        found = {one["pid"]: one["terminal"] for one in status(run)}
        assert [(found[running(program)[0]] or {})["window"] for program in programs] == ["1"] * 4
        done = run("gitqueen", "doctor", "--json")
    finally:
        os.kill(hung.pid, signal.SIGCONT)
    checks = [one for one in json.loads(done.stdout)["checks"] if one["name"] == "kitty"]
    mend = "allow_remote_control socket-only and listen_on unix:${XDG_RUNTIME_DIR}/kitty"
    refusal = "Remote control is disabled. Add allow_remote_control to your kitty.conf"
    assert {(one["ok"], one["detail"], one["mend"]) for one in checks} == (
        {
            (True, "1 window in 1 instance", None),
            (
                False,
                f"kitty {hung.pid} at {hung.address}: it does not answer within 1 s",
                f"restart kitty {hung.pid}, or end what else listens there",
            ),
            (
                False,
                f"kitty {locked.pid} at {locked.address}: {refusal}",
                f"put into kitty.conf, and restart kitty: {mend}",
            ),
            (
                False,
                f"kitty {silent.pid} listens at no socket: its windows are known by number only",
                f"put into kitty.conf, and restart kitty: {mend}",
            ),
        }
    )
    Path((well.address or "").removeprefix("unix:")).unlink()
    assert scan() == [], "her window is known by her environment"
    checks = json.loads(run("gitqueen", "doctor", "--json").stdout)["checks"]
    assert f"kitty {well.pid} listens at {well.address}, which somebody removed" in {one["detail"] for one in checks}
