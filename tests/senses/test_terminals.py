"""Which window a process is in: the nearest one that is really above it, whatever it inherited."""

from __future__ import annotations

import pytest

from gitqueen.model.processes import Process
from gitqueen.model.sisters import Terminal
from gitqueen.senses.kitty import Window
from gitqueen.senses.terminals import Seat, Spot, Terminals
from gitqueen.senses.tmux import Pane


def chain(*comms: str) -> tuple[Process, ...]:
    """`agent` is process 100, what is above it 99, 98..."""
    return tuple(Process(100 - at, 1000 - at, 99 - at, 1, 0, comm) for at, comm in enumerate(comms))


IN_KITTY = chain("claude", "bash", "kitty", "systemd")
IN_TMUX = chain("claude", "bash", "tmux: server", "systemd")
NESTED = chain("claude", "bash", "tmux: server", "bash", "kitty", "systemd")
"""The server was started in kitty and did not leave it."""


@pytest.mark.parametrize(
    ("above", "env", "expected"),
    [
        (IN_KITTY, {"KITTY_WINDOW_ID": "7", "KITTY_PID": "98"}, Terminal("kitty", "7")),
        (IN_KITTY, {"KITTY_WINDOW_ID": "7"}, Terminal("kitty", "7")),
        (IN_KITTY, {"KITTY_WINDOW_ID": "7", "KITTY_PID": "5"}, None),
        (IN_KITTY, {"KITTY_WINDOW_ID": "x\x1b", "KITTY_PID": "98"}, None),
        (IN_KITTY, {"KITTY_WINDOW_ID": "9" * 50, "KITTY_PID": "98"}, None),
        (IN_KITTY, {}, None),
        (chain("claude", "bash", "sshd"), {"KITTY_WINDOW_ID": "7", "KITTY_PID": "98"}, None),
        (IN_TMUX, {"TMUX": "/t,98,0", "TMUX_PANE": "%3"}, Terminal("tmux", "%3")),
        (IN_TMUX, {"TMUX": "/t,98,0", "TMUX_PANE": "3"}, None),
        (IN_TMUX, {"TMUX": "/t,97,0"}, None),
        (IN_TMUX, {"TMUX": "/t,5,0", "TMUX_PANE": "%3", "KITTY_WINDOW_ID": "7", "KITTY_PID": "6"}, None),
        (
            NESTED,
            {"TMUX": "/t,98,0", "TMUX_PANE": "%3", "KITTY_WINDOW_ID": "7", "KITTY_PID": "96"},
            Terminal("tmux", "%3"),
        ),
        (
            chain("claude", "bash", "kitty", "bash", "tmux: server"),
            {"TMUX": "/t,96,0", "TMUX_PANE": "%3", "KITTY_WINDOW_ID": "7", "KITTY_PID": "98"},
            Terminal("kitty", "7"),
        ),
    ],
    ids=range(13),
)
def test_the_environment_counts_while_that_window_is_above(
    above: tuple[Process, ...], env: dict[str, str], expected: Terminal | None
) -> None:
    spot = Terminals().spot(Seat(above, env))
    assert (spot.terminal if spot else None) == expected


def test_what_a_terminal_itself_says_counts_more() -> None:
    seen = Terminals(
        windows={99: ("unix:/k", Window(8, "app", True, False, (99,)))},
        panes={97: ("/t", Pane("%1", 97, "", True, "$0"))},
    )
    env = {"KITTY_WINDOW_ID": "7", "KITTY_PID": "98"}
    assert seen.spot(Seat(IN_KITTY, env)) == Spot(Terminal("kitty", "8", "app", True), "unix:/k", False)
    inner = chain("claude", "sh", "sh", "bash", "kitty")
    assert Terminals(panes=seen.panes).spot(Seat(inner, env)) == Spot(
        Terminal("tmux", "%1", "", True), "/t", session="$0"
    )


def test_whether_a_command_runs_in_a_window_is_said_of_the_shell_it_belongs_to() -> None:
    shell, command = IN_KITTY[-2:], IN_KITTY
    windows = {one.pid: ("unix:/k", Window(8, "", True, None, (shell[0].pid, 5), True)) for one in IN_KITTY[:-1]}
    busy = [spot.busy for one in (shell, command) if (spot := Terminals(windows=windows).spot(Seat(one, {})))]
    assert busy == [True, None]


def test_what_only_the_system_knows_is_its_terminal() -> None:
    held = (Process(100, 1000, 99, 100, 136 << 8 | 5, "claude"),)
    assert Terminals().spot(Seat(held, {})) == Spot(Terminal("tty", "pts/5"))
