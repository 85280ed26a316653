"""Processes are told apart by pid and start, whatever they call themselves, with /proc and without."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitqueen.senses import processes
from tests.hive import Runner, Sister

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["proc", "psutil"], autouse=True)
def table(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test of this file sees the processes both ways."""
    if request.param == "psutil":
        monkeypatch.setattr(processes, "PROC", "/nowhere")
        assert not processes.native()
    elif not processes.native():
        pytest.skip("there is no /proc")
    return str(request.param)


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start programs that wait on their stdin; all have ended after the test."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin(*argv: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        begun.append(subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env))
        # A moment after it began to run the program, its command line is still empty.
        while begun[-1].poll() is None and processes.arguments(begun[-1].pid) == [""]:
            time.sleep(0.001)
        return begun[-1]

    yield begin
    for one in begun:
        one.kill()
        one.communicate()


def test_this_process_is_seen_as_it_is() -> None:
    seen = processes.look(os.getpid())
    assert seen is not None
    assert (seen.pid, seen.ppid, seen.session) == (os.getpid(), os.getppid(), os.getsid(0))
    assert processes.own_pid() == os.getpid()
    assert processes.alive(seen.pid, seen.ticks)
    assert processes.executable(seen.pid) == os.path.realpath(sys.executable)


def test_a_process_of_the_same_pid_that_started_at_another_time_is_somebody_else() -> None:
    seen = processes.look(os.getpid())
    assert seen is not None
    assert not processes.alive(seen.pid, seen.ticks + 1)


def test_both_ways_agree_so_that_a_start_is_the_same_to_whoever_looks(
    table: str, monkeypatch: pytest.MonkeyPatch, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    child = start("cat")
    seen = processes.look(child.pid)
    monkeypatch.setattr(processes, "PROC", "/nowhere" if table == "proc" else "/proc")
    other = processes.look(child.pid)
    assert seen is not None and other is not None
    assert (seen.pid, seen.ppid, seen.session, seen.comm, bool(seen.tty)) == (
        other.pid,
        other.ppid,
        other.session,
        other.comm,
        bool(other.tty),
    )
    # psutil before 7.1 tells processes apart by the wall clock, where that is all there is.
    assert seen.ticks == other.ticks


def test_a_zombie_is_dead() -> None:
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert processes.look(child.pid) is None


def test_nobody_is_no_process(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    child = start("true")
    child.wait()
    assert processes.look(child.pid) is None
    assert processes.look(2**31 - 1) is None
    assert processes.executable(child.pid) is None
    assert processes.arguments(child.pid) == [""]
    assert processes.environment(child.pid, ("HOME",)) == {}
    assert list(processes.ancestors(child.pid)) == []


@pytest.mark.parametrize("name", ["two words", "a) S 1 (b", "x)\n1 2 3", "(", "5 (y) Z 1"])
def test_any_name_of_a_program_is_read(
    name: str, tmp_path: Path, table: str, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    program = shutil.copy2(shutil.which("cat") or "", tmp_path / name)
    child = start(os.fspath(program))
    seen = processes.look(child.pid)
    assert seen is not None
    assert (seen.ppid, seen.session) == (os.getpid(), os.getsid(0))
    if table == "proc":
        assert seen.comm == name


def test_the_ancestors_lead_from_a_command_to_init(sister: Callable[..., Sister], table: str) -> None:
    code = "from gitqueen.senses import processes as p; import sys; p.PROC = sys.argv[1];"
    code += "print(*(x.pid for x in p.ancestors()))"
    iza = sister("iza")
    command = f"{sys.executable} -c '{code}' {processes.PROC}; true"
    chain = [int(pid) for pid in iza.sh(f"cd {ROOT}; {command}").out.split()]
    assert chain[1:3] == [iza.pid, os.getpid()]
    assert [process.pid for process in processes.ancestors(iza.pid)] == chain[1:]


def test_the_whole_table_holds_the_living_and_their_ancestry(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    child, gone = start("cat"), start("true")
    gone.wait()
    found = processes.everyone()
    assert found[child.pid] == processes.look(child.pid)
    assert gone.pid not in found
    assert processes.chain(found, found[child.pid])[:2] == (found[child.pid], found[os.getpid()])
    assert processes.chain(found, found[child.pid]) == tuple(processes.ancestors(child.pid))


def test_a_process_stands_somewhere_and_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    place = tmp_path / "a (deleted) place"
    place.mkdir()
    monkeypatch.chdir(place)
    child = start("cat")
    monkeypatch.chdir(tmp_path)
    assert processes.folder(child.pid) == os.fspath(place)
    assert processes.ours(child.pid)
    gone = start("true")
    gone.wait()
    assert processes.folder(gone.pid) is None
    assert not processes.ours(gone.pid)
    place.rmdir()
    assert processes.folder(child.pid) is None


def test_the_environment_gives_only_what_was_asked_for(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    env = {**os.environ, "CLAUDE_PID": "12", "SECRET": "token", "EMPTY": "", "TWO": "a=b"}
    child = start("cat", env=env)
    keys = ("CLAUDE_PID", "EMPTY", "TWO", "ABSENT")
    assert processes.environment(child.pid, keys) == {"CLAUDE_PID": "12", "EMPTY": "", "TWO": "a=b"}


def test_a_command_line_is_read_word_by_word(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    child = start("sh", "-c", "read x; # it's\n", "a b", "")
    assert processes.arguments(child.pid)[:4] == ["sh", "-c", "read x; # it's\n", "a b"]


def test_a_process_started_when_it_did(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    before = datetime.now(UTC)
    child = start("cat")
    after = datetime.now(UTC)
    seen = processes.look(child.pid)
    assert seen is not None
    started = processes.started_at(seen)
    assert started is not None
    assert (before - started).total_seconds() < 2 and (started - after).total_seconds() < 2


def test_the_origin_is_one_word_and_the_same_for_every_process(run: Runner) -> None:
    origin = processes.origin()
    assert len(origin.split()) == 1 and origin.count(":") == 2
    code = f"from gitqueen.senses import processes as p; p.PROC = {processes.PROC!r}; print(p.origin())"
    assert run(sys.executable, "-c", code, cwd=ROOT).stdout == origin + "\n"
