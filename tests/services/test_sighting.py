"""Agents are in the hive though nobody declared them: real processes that stand in for them, seen by real scans."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gitqueen.git import places
from gitqueen.git.places import Place
from gitqueen.model import times
from gitqueen.senses import kitty
from gitqueen.services import queen, sighting, tending
from gitqueen.services.queen import Queen
from gitqueen.views import structured
from tests.hive import Repo, Runner, Sister, gitqueen, until

Born = Callable[..., Sister]
Row = dict[str, Any]


@pytest.fixture
def opened() -> Iterator[Queen]:
    found = queen.open(os.environ, lambda: datetime.now(UTC), "/")
    yield found
    found.db.close()


@pytest.fixture
def look(opened: Queen) -> Callable[[], list[str]]:
    """Look around; what could not be looked at."""

    def look() -> list[str]:
        opened.now = opened.clock()
        return sighting.sight(opened)

    return look


@pytest.fixture
def hive(opened: Queen, look: Callable[[], list[str]]) -> Callable[[], dict[str, Row]]:
    """The sisters after a look around, by name."""

    def see() -> dict[str, Row]:
        assert look() == []
        return {one.name: structured.sister(one) for one in tending.living(opened)}

    return see


Hive = Callable[[], dict[str, Row]]
Look = Callable[[], list[str]]


def agent(sister: Born, cwd: str | os.PathLike[str], program: str = "claude", **env: str | None) -> Sister:
    """A stand-in that does nothing by itself."""
    one = sister("", cwd, program=program, declared=False, env=env)
    one.sh(":")  # a moment after it began to run the program, its environment is still empty
    return one


def start_below(one: Sister, program: Path) -> None:
    """Have her run an agent of her own, which waits."""
    shutil.copy2(os.path.realpath(shutil.which("sh") or ""), program)
    runs = f'[ "$(readlink /proc/$!/exe)" = {program} ]'
    one.sh(f"mkfifo pipe; {program} -c 'read x <pipe; :' & until {runs}; do sleep 0.01; done")


def ticks(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def register(pid: int, **said: object) -> Path:
    """What Claude writes about itself."""
    folder = Path(os.environ["CLAUDE_CONFIG_DIR"], "sessions")
    folder.mkdir(parents=True, exist_ok=True)
    entry = {"pid": pid, "procStart": ticks(pid), "kind": "interactive", "nameSource": "derived", "name": "x", **said}
    path = folder / f"{pid}.json"
    path.write_text(json.dumps(entry))
    return path


def test_a_session_is_seen_by_one_scan_and_gone_after_the_next(
    sister: Born, repo: Callable[..., Repo], run: Runner
) -> None:
    app = repo()
    iza = agent(sister, app)

    def status() -> list[Row]:
        run("gitqueen", "scan", check=True)
        found: list[Row] = json.loads(run("gitqueen", "status", "--json", check=True).stdout)["sisters"]
        return found

    [seen] = status()
    assert seen.pop("started_at") is not None and seen.pop("last_seen") is not None
    assert seen == {
        "name": "keeper-1",
        "pid": iza.pid,
        "agent": "claude",
        "status": "unknown",
        "task": None,
        "task_source": "auto",
        "repo": str(app.path),
        "worktree": str(app.path),
        "branch": "main",
        "head": app.head,
        "dirty": 0,
        "terminal": None,
    }
    iza.kill()
    assert status() == []
    events = json.loads(run("gitqueen", "history", "--json", check=True).stdout)["events"]
    assert [(one["kind"], one["sister"]) for one in events if one["kind"] in ("arrived", "died")] == [
        ("arrived", "keeper-1"),
        ("died", "keeper-1"),
    ]


def test_each_agent_is_seen_as_what_it_is_and_shells_are_not(hive: Hive, sister: Born, tmp_path: Path) -> None:
    kinds = ("claude", "codex", "gemini", "opencode", "aider")
    born = [agent(sister, tmp_path, kind) for kind in kinds]
    shells = [sister("", declared=False), sister("", declared=False, env={"GITQUEEN_NAME": "ann"})]
    assert sorted((one["agent"], one["pid"]) for one in hive().values()) == sorted(
        (kind, one.pid) for kind, one in zip(kinds, born, strict=True)
    )
    assert all(one.process.poll() is None for one in shells)


def test_she_is_called_as_her_environment_says_else_as_her_agent_was_told_else_numbered(
    hive: Hive, sister: Born, tmp_path: Path
) -> None:
    named = agent(sister, tmp_path, GITQUEEN_NAME="iza-1")
    given, derived, twin = (agent(sister, tmp_path) for _ in range(3))
    register(given.pid, name="my app (2)", nameSource="user")
    register(derived.pid)
    register(twin.pid, name="my app (2)", nameSource="user")
    seen = {one["pid"]: name for name, one in hive().items()}
    assert (seen[named.pid], seen[derived.pid]) == ("iza-1", "keeper-1")
    assert {seen[given.pid], seen[twin.pid]} == {"my-app-2", "my-app-2-2"}
    assert {one["pid"]: name for name, one in hive().items()} == seen


def test_a_session_renamed_later_is_called_so_with_all_that_is_hers(hive: Hive, sister: Born, tmp_path: Path) -> None:
    one, other = agent(sister, tmp_path), agent(sister, tmp_path)
    for each in (one, other):
        register(each.pid, name="made up by the agent")
    names = {seen["pid"]: name for name, seen in hive().items()}
    one.sh("iam 'shipping'; gitqueen claim deploy")
    register(one.pid, name="the parser!", nameSource="user")
    seen = hive()
    assert {name: (each["pid"], each["task"]) for name, each in seen.items()} == {
        "the-parser": (one.pid, "shipping"), names[other.pid]: (other.pid, None)
    }  # fmt: skip
    assert json.loads(one.sh("gitqueen claims --json").out)["claims"][0]["owner"] == "the-parser"
    letter = "Your session was renamed: here you are the-parser now, and no longer {}. All that was yours is."
    assert [one["body"] for one in json.loads(one.sh("gitqueen inbox --json").out)["messages"]] == [
        letter.format(names[one.pid])
    ]
    # Taken by a living sister, by whoever left a claim, or by her own word here: then she stays who she is.
    register(other.pid, name="The Parser", nameSource="user")
    assert hive().keys() == seen.keys()
    one.kill()
    assert hive().keys() == {names[other.pid]}
    other.sh("gitqueen whoami --name relay")
    register(other.pid, name="something else", nameSource="user")
    assert hive().keys() == {"relay"}


def test_who_comes_with_a_living_name_gets_another_and_is_told(hive: Hive, sister: Born, tmp_path: Path) -> None:
    first = agent(sister, tmp_path, GITQUEEN_NAME="iza")
    assert list(hive()) == ["iza"]
    second = agent(sister, tmp_path, GITQUEEN_NAME="iza")
    assert {name: one["pid"] for name, one in hive().items()} == {"iza": first.pid, "iza-2": second.pid}
    assert "the name iza belongs to another living sister: you are iza-2" in second.sh("gitqueen inbox").out
    assert "belongs to" not in first.sh("gitqueen inbox").out


@pytest.mark.parametrize("env", [{"GITQUEEN_NAME": "all"}, {"GITQUEEN_PID": "1x"}, {"GITQUEEN_PID": "2147483000"}])
def test_a_bad_name_is_said_and_she_is_seen_all_the_same(
    env: dict[str, str], look: Look, hive: Hive, sister: Born, tmp_path: Path
) -> None:
    one = agent(sister, tmp_path, **env)
    [fault] = look()
    assert fault.startswith(f"claude with the pid {one.pid}: ")
    assert [seen["pid"] for seen in hive().values()] == [one.pid], "she is known now"


def test_what_runs_in_a_sister_s_name_is_her(hive: Hive, sister: Born, tmp_path: Path) -> None:
    shell = sister("iza", tmp_path)
    shell.sh("iam 'shipping'")
    start_below(shell, tmp_path / "claude")
    seen = hive()
    assert {name: (one["pid"], one["task"]) for name, one in seen.items()} == {"iza": (shell.pid, "shipping")}


def test_a_launcher_s_process_is_the_session(hive: Hive, sister: Born, tmp_path: Path) -> None:
    launcher = sister("", tmp_path, declared=False)
    agent(sister, tmp_path, GITQUEEN_PID=str(launcher.pid), GITQUEEN_NAME="iza")
    assert {name: one["pid"] for name, one in hive().items()} == {"iza": launcher.pid}
    assert {name: one["pid"] for name, one in hive().items()} == {"iza": launcher.pid}


def test_an_agent_in_an_agent_is_a_session_of_its_own_and_not_the_outer_one_s(
    hive: Hive, sister: Born, tmp_path: Path
) -> None:
    outer = agent(sister, tmp_path)
    outer.sh("export CLAUDE_CODE_SESSION_ID=s-1; gitqueen whoami")
    start_below(outer, tmp_path / "codex")
    assert sorted(one["agent"] for one in hive().values()) == ["claude", "codex"]
    assert hive()["keeper-1"]["pid"] == outer.pid


@pytest.mark.parametrize("key", ["GITQUEEN_HOME", "HOME"])
def test_who_is_of_another_hive_is_not_ours(key: str, hive: Hive, sister: Born, tmp_path: Path) -> None:
    other: dict[str, str | None] = {"GITQUEEN_HOME": None, key: os.fspath(tmp_path / "elsewhere")}
    sister("", tmp_path, program="claude", declared=False, env=other).sh(":")
    ours = agent(sister, tmp_path, GITQUEEN_HOME=None)
    assert [one["pid"] for one in hive().values()] == [ours.pid]
    relative = agent(sister, os.environ["HOME"], GITQUEEN_HOME=".claude/queen")
    assert sorted(one["pid"] for one in hive().values()) == sorted([ours.pid, relative.pid])


def test_her_folder_places_her_until_she_acts(hive: Hive, sister: Born, repo: Callable[..., Repo]) -> None:
    app, other = repo("app"), repo("other")
    iza = agent(sister, "/")
    assert hive()["keeper-1"]["worktree"] is None
    iza.sh(f"cd '{app.path}'")
    assert hive()["keeper-1"]["worktree"] == str(app.path)
    iza.sh(f"cd '{other.path}'; iam 'here now'")
    assert hive()["keeper-1"]["worktree"] == str(other.path)
    iza.sh(f"cd '{app.path}'")
    assert hive()["keeper-1"]["worktree"] == str(other.path)


def test_a_folder_that_is_gone_places_nobody(hive: Hive, sister: Born, repo: Callable[..., Repo]) -> None:
    app = repo()
    agent(sister, app)
    shutil.rmtree(app.path)
    assert hive()["keeper-1"]["worktree"] is None


@pytest.mark.parametrize(
    ("said", "status", "waits"),
    [
        ({"status": "busy"}, "working", None),
        ({"status": "idle"}, "idle", None),
        ({"status": "waiting", "waitingFor": "permission prompt"}, "waiting", "permission prompt"),
        ({"status": "dancing"}, "unknown", None),
        ({"status": "busy", "procStart": "1"}, "unknown", None),
        ({"status": ["busy"]}, "unknown", None),
        ({"status": "busy", "statusUpdatedAt": 1e300}, "working", None),
        ({"status": "idle", "statusUpdatedAt": "soon"}, "idle", None),
    ],
    ids=range(8),
)
def test_her_status_is_what_her_agent_says(
    said: dict[str, object], status: str, waits: str | None, hive: Hive, sister: Born, tmp_path: Path
) -> None:
    one = agent(sister, tmp_path)
    path = register(one.pid, **said)
    seen = hive()["keeper-1"]
    assert (seen["status"], seen.get("waiting_for")) == (status, waits)
    path.write_text(path.read_text()[:20])
    seen = hive()["keeper-1"]
    assert (seen["status"], seen.get("waiting_for")) == ("unknown", None), "what nobody says any more is not known"


def test_a_registry_that_is_not_understood_is_told_by_the_doctor(sister: Born, run: Runner, tmp_path: Path) -> None:
    one = agent(sister, tmp_path)

    def told() -> list[str]:
        checks = json.loads(run("gitqueen", "doctor", "--json").stdout)["checks"]
        return [check["detail"] for check in checks if check["name"] == "agents" and not check["ok"]]

    path = register(one.pid, status="idle")
    entry = path.read_text()
    assert told() == []
    for text, words in (
        (entry[:20], "is not understood"),
        ('{"status": "idle"}', "does not say of which process it is"),
        (entry.replace("idle", "dancing"), "tells no status that we know"),
    ):
        path.write_text(text)
        assert told() == [f"claude {one.pid}: {path} {words}"]
    path.write_text(entry.replace("idle", "dancing").replace(ticks(one.pid), "1"))
    assert told() == [], "of an earlier process of this pid"


def test_idle_since_and_still_at_work(hive: Hive, opened: Queen, sister: Born, tmp_path: Path) -> None:
    one = agent(sister, tmp_path)
    first = hive()["keeper-1"]["last_seen"]
    later = opened.now + timedelta(hours=1)
    opened.clock = lambda: later + timedelta(minutes=5)
    register(one.pid, status="idle", statusUpdatedAt=later.timestamp() * 1000)
    assert first < hive()["keeper-1"]["last_seen"] == times.iso(later)
    register(one.pid, status="idle", statusUpdatedAt=(later + timedelta(hours=1)).timestamp() * 1000)
    assert hive()["keeper-1"]["last_seen"] == times.iso(later), "a time to come is no time"
    register(one.pid, status="busy", statusUpdatedAt=later.timestamp() * 1000)
    assert hive()["keeper-1"]["last_seen"] == times.iso(later + timedelta(minutes=5))


def test_windows_that_cannot_be_asked_for_hide_nobody(
    hive: Hive, look: Look, sister: Born, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> list[object]:
        raise OSError(errno.EMFILE, "Too many open files")

    one = agent(sister, tmp_path)
    with monkeypatch.context() as without:
        without.setattr(kitty, "ask", fail)
        assert look() == ["the windows: [Errno 24] Too many open files"]
    assert [seen["pid"] for seen in hive().values()] == [one.pid]


def test_what_she_said_herself_stays_where_her_agent_says_nothing(hive: Hive, sister: Born, tmp_path: Path) -> None:
    one = agent(sister, tmp_path, "codex")
    assert hive()["keeper-1"]["status"] == "unknown"
    one.sh("iam 'shipping'")
    assert hive()["keeper-1"]["status"] == "working"
    one.sh("iam --done")
    assert [hive()["keeper-1"]["status"] for _ in range(2)] == ["idle", "idle"]


def test_what_she_said_is_hers_though_a_scan_had_seen_the_same(hive: Hive, sister: Born, tmp_path: Path) -> None:
    one = agent(sister, tmp_path)
    entry = register(one.pid, status="busy")
    assert hive()["keeper-1"]["status"] == "working"
    one.sh("iam 'shipping'")
    entry.unlink()
    assert [hive()["keeper-1"]["status"] for _ in range(2)] == ["working", "working"]


def test_what_a_person_declared_stays_as_it_is(hive: Hive, sister: Born, tmp_path: Path) -> None:
    person = sister("ann", tmp_path)
    person.sh("unset GITQUEEN_PID; iam 'reading'")
    register(person.pid, status="idle", name="other", nameSource="user")
    seen = hive()
    assert {name: (one["agent"], one["status"], one["task"]) for name, one in seen.items()} == {
        "ann": ("human", "working", "reading")
    }


@pytest.mark.parametrize("said", [{"kind": "daemon"}, {"kind": "daemon-worker"}, {"spare": True}])
def test_what_looks_after_sessions_is_none(said: dict[str, object], hive: Hive, sister: Born, tmp_path: Path) -> None:
    one = agent(sister, tmp_path)
    path = register(one.pid, **said)
    assert hive() == {}
    path.write_text(path.read_text().replace("true", "false").replace("daemon-worker", "bg").replace("daemon", "bg"))
    assert [seen["pid"] for seen in hive().values()] == [one.pid], "a spare one is a session as soon as it is used"


def test_a_declared_shell_that_becomes_an_agent_is_seen_as_one(hive: Hive, sister: Born, tmp_path: Path) -> None:
    one = sister("", tmp_path, declared=False)
    one.sh("iam 'shipping'")
    assert hive()["keeper-1"]["agent"] == "human"
    claude = os.fspath(shutil.copy2(os.path.realpath(shutil.which("sh") or ""), tmp_path / "claude"))
    os.mkfifo(tmp_path / "pipe")
    one.begin(f"exec {claude} -c 'read x <pipe; :'")
    until(lambda: os.readlink(f"/proc/{one.pid}/exe") == claude, "she is an agent")
    assert {name: (seen["agent"], seen["task"]) for name, seen in hive().items()} == {
        "keeper-1": ("claude", "shipping")
    }


def test_a_resumed_session_that_a_scan_numbered_has_its_name_after_its_first_command(
    hive: Hive, sister: Born, tmp_path: Path
) -> None:
    first = agent(sister, tmp_path, "codex", CODEX_THREAD_ID="t-1")
    first.sh("gitqueen whoami --name relay; gitqueen claim deploy")
    first.kill()
    again = agent(sister, tmp_path, "codex", CODEX_THREAD_ID="t-1")
    assert list(hive()) == ["keeper-1"], "the thread that its environment names is that of the agent around it"
    assert json.loads(again.sh("gitqueen whoami --json").out)["sister"]["name"] == "relay"
    assert again.sh("gitqueen release deploy").rc == 0
    assert list(hive()) == ["relay"]


def test_scans_at_once_make_one_sister_of_each_session(hive: Hive, sister: Born, tmp_path: Path) -> None:
    born = [agent(sister, tmp_path) for _ in range(3)]
    scans = [subprocess.Popen([gitqueen(), "scan"], stdout=subprocess.DEVNULL) for _ in range(6)]
    assert [one.wait(60) for one in scans] == [0] * 6
    assert sorted(one["pid"] for one in hive().values()) == sorted(one.pid for one in born)


def test_one_in_a_folder_that_does_not_answer_is_seen_and_placed_later(
    hive: Hive, look: Look, opened: Queen, sister: Born, repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a dead network mount: whoever looks there hangs, and it is nobody whom the others wait for."""
    dead, app = repo("dead"), repo("app")
    one, other = agent(sister, dead), agent(sister, app)
    find = places.find

    def hang(folder: str, env: Mapping[str, str] | None = None) -> Place | None:
        if folder == str(dead.path):
            signal.pause()
        return find(folder, env)

    with monkeypatch.context() as mounted:
        mounted.setattr(places, "find", hang)
        for _ in range(2):
            assert look() == [f"{dead.path}: nothing was heard of it for 1 s"]
    assert {seen.pid: seen.worktree for seen in tending.living(opened)} == {one.pid: None, other.pid: str(app.path)}
    assert {seen["pid"]: seen["worktree"] for seen in hive().values()} == {
        one.pid: str(dead.path), other.pid: str(app.path)
    }  # fmt: skip
