"""The real tmux: its panes, who looks at them, and one brought to the front; and what is no tmux."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitqueen.senses import tmux
from gitqueen.senses.tmux import Pane, Server
from tests.hive import until

Tmux = Callable[..., str]


@pytest.fixture
def at(tmp_path: Path) -> str:
    return os.fspath(tmp_path / "t")


@pytest.fixture
def run_tmux(at: str) -> Iterator[Tmux]:
    """A server of this test's own."""

    def call(*words: str) -> str:
        done = subprocess.run(["tmux", "-u", "-S", at, "-f", "/dev/null", *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    yield call
    subprocess.run(["tmux", "-S", at, "kill-server"], capture_output=True)


@pytest.mark.needs_tmux
def test_its_panes_are_seen_with_process_title_and_who_looks(run_tmux: Tmux, at: str) -> None:
    shown = ["-P", "-F", "#{pane_id} #{pane_pid}"]
    one = run_tmux("new-session", "-d", "-s", "a b", *shown, "sleep 900").split()
    two = run_tmux("split-window", "-t", "a b", *shown, "sleep 900").split()
    three = run_tmux("new-session", "-d", "-s", "c", *shown, "sleep 900").split()
    run_tmux("select-pane", "-t", two[0], "-T", "a title  with 🐝 %s")
    run_tmux("select-pane", "-t", three[0], "-T", "c")
    run_tmux("select-pane", "-t", one[0], "-T", "")
    assert tmux.ask(at, 30) == Server(
        at,
        (
            Pane(one[0], int(one[1]), "", False, "$0"),
            Pane(two[0], int(two[1]), "a title  with 🐝 %s", False, "$0"),
            Pane(three[0], int(three[1]), "c", False, "$1"),
        ),
    )
    leader, terminal = os.openpty()
    command = ["tmux", "-S", at, "attach", "-t", "c"]
    client = subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, env={**os.environ, "TERM": "xterm"}
    )
    os.close(terminal)
    try:
        until(lambda: tmux.ask(at, 30).clients == ((client.pid, "$1"),))
        assert [(pane.id, pane.focused) for pane in tmux.ask(at, 30).panes] == [
            (one[0], False),
            (two[0], False),
            (three[0], True),
        ]
    finally:
        client.kill()
        client.wait()
        os.close(leader)


@pytest.mark.needs_tmux
def test_a_pane_is_brought_to_the_front_of_its_session(run_tmux: Tmux, at: str) -> None:
    pane = run_tmux("new-session", "-d", "-P", "-F", "#{pane_id}", "sleep 900")
    run_tmux("split-window", "sleep 900")
    run_tmux("new-window", "sleep 900")
    assert run_tmux("display-message", "-p", "#{pane_id}") != pane
    assert tmux.focus(at, pane, 30) is None
    assert run_tmux("display-message", "-p", "#{pane_id}") == pane
    assert (tmux.focus(at, "%99", 30) or "").startswith("can't find ")


@pytest.mark.needs_tmux
def test_a_server_that_is_gone_or_none_is_a_fault(at: str, tmp_path: Path) -> None:
    assert tmux.ask(at) == Server(at, fault="No such file or directory")
    (tmp_path / "file").touch()
    assert tmux.ask(f"{tmp_path}/file").fault == "it is no socket of this user"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(at)
    assert (tmux.ask(at, 30).fault or "").startswith(("no server running on ", "error connecting to "))


@pytest.mark.needs_tmux
def test_a_server_that_hangs_is_left(at: str) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(at)
        server.listen()
        assert tmux.ask(at, 0.3).fault == "it does not answer within 0.3 s"
        assert tmux.focus(at, "%1", 0.3) == "it does not answer within 0.3 s"


def test_without_tmux_its_panes_are_not_known(at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(at)
        monkeypatch.setenv("PATH", "/nowhere")
        assert tmux.ask(at) == Server(at, fault="No such file or directory")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("/tmp/tmux-0/default,123,0", ("/tmp/tmux-0/default", 123)),
        ("/tmp/a,77", ("/tmp/a", 77)),
        ("", None),
        ("/tmp/a", None),
        (",5,0", None),
        ("/tmp/a,x,0", None),
        ("/tmp/a,-5,0", None),
        ("/tmp/a,²,0", None),
        ("/tmp/a," + "9" * 5000, None),
    ],
)
def test_the_environment_names_the_server(said: str, expected: tuple[str, int] | None) -> None:
    assert tmux.server({"TMUX": said}) == expected
