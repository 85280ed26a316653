"""A claim is held exactly while its command runs, whatever becomes of gitqueen; the command itself notices nothing."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests import hive
from tests.hive import Sister, until

HOLD = [hive.gitqueen(), "claim", "deploy", "--"]


@pytest.fixture
def one(sister: Callable[..., Sister]) -> Sister:
    return sister("iza-1")


@pytest.fixture
def other(sister: Callable[..., Sister]) -> Sister:
    return sister("iza-2")


@pytest.fixture
def hold(one: Sister, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start `gitqueen claim deploy -- COMMAND` as iza-1 and come back when the command runs: it makes the file `up`."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str, wait: bool = True) -> subprocess.Popen[bytes]:
        (tmp_path / "up").unlink(missing_ok=True)
        started.append(
            subprocess.Popen(
                [*HOLD, *command],
                cwd=tmp_path,
                env=hive.laid_over({"GITQUEEN_NAME": "iza-1", "GITQUEEN_PID": str(one.pid)}),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        )
        if wait:
            until((tmp_path / "up").exists)
        return started[-1]

    yield start
    for process in started:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def is_free(sister: Sister) -> bool:
    return sister.sh("gitqueen claims --json").out == '{"schema": 1, "claims": []}\n'


@pytest.mark.parametrize(
    ("command", "rc"),
    [
        ("true", 0),
        ("false", 1),
        ("sh -c 'exit 77'", 77),
        ("sh -c 'kill -TERM $$'", 143),
        ("sh -c 'kill -9 $$'", 137),
        ("./missing", 127),
        ("no-such-program-anywhere", 127),
        ("./data", 126),
        (".", 126),
        ("sh -c 'gitqueen release deploy'", 0),
        ("-- true", 127),
    ],
)
def test_the_exit_code_is_the_command_s_and_the_claim_is_free_after(
    one: Sister, tmp_path: Path, command: str, rc: int
) -> None:
    (tmp_path / "data").write_text("no program\n")
    done = one.sh(f"gitqueen claim deploy -- {command}")
    assert done.rc == rc
    assert ("could not be started" in done.err) == (rc in (126, 127))
    assert is_free(one)


def test_a_command_that_cannot_start_is_said_in_json_too(one: Sister) -> None:
    done = one.sh("gitqueen claim deploy --json -- ./missing")
    assert (done.rc, json.loads(done.out)) == (
        127,
        {
            "schema": 1,
            "error": {
                "code": "command",
                "message": "'./missing' could not be started: No such file or directory",
                "hint": "",
            },
        },
    )


def test_what_goes_in_and_out_is_the_command_s_own(one: Sister, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"a\0\xffb\n")
    done = one.sh(
        "gitqueen claim deploy -- sh -c 'cat; cat <&7; echo err >&2; echo seven >&8' <in >out 2>err 7<in 8>more",
    )
    assert done.rc == 0
    assert (tmp_path / "out").read_bytes() == b"a\0\xffb\na\0\xffb\n"
    assert (tmp_path / "err").read_bytes() == b"err\n"
    assert (tmp_path / "more").read_bytes() == b"seven\n"
    # Options behind -- are the command's, and a broken pipe ends it as it would without us.
    assert one.sh("gitqueen claim deploy -- echo --json --ttl -m").out == "--json --ttl -m\n"
    assert one.sh("gitqueen claim deploy -- sh -c 'yes; echo $? >rc' | head -n1; cat rc").out == "y\n141\n"


def test_the_claim_is_held_while_it_runs(
    one: Sister, other: Sister, hold: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    process = hold("sh", "-c", "touch up; while [ ! -e go ]; do sleep 0.01; done")
    assert other.sh("gitqueen claim deploy").rc == 1
    # Her own other window is kept out as well: it is a lock.
    assert one.sh("gitqueen claim deploy").rc == 1
    assert one.sh("gitqueen claim deploy -- touch never").rc == 1
    other.begin("gitqueen claim deploy --wait 50")
    (tmp_path / "go").touch()
    assert process.wait(hive.PATIENCE) == 0
    assert other.end() == (0, "✓ deploy is yours\n", "")
    assert not (tmp_path / "never").exists()


def test_a_claim_that_was_hers_before_stays_hers(one: Sister) -> None:
    assert one.sh("gitqueen claim deploy -m why").rc == 0
    assert one.sh("gitqueen claim deploy -- sh -c 'exit 3'").rc == 3
    assert not is_free(one)


def test_a_new_hold_of_the_same_name_is_not_given_back_by_the_old_command(
    one: Sister, hold: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    process = hold("sh", "-c", "touch up; while [ ! -e go ]; do sleep 0.01; done")
    assert one.sh("gitqueen release deploy && gitqueen claim deploy -m again").rc == 0
    (tmp_path / "go").touch()
    assert process.wait(hive.PATIENCE) == 0
    assert not is_free(one)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_signals_go_on_to_the_command(
    other: Sister, hold: Callable[..., subprocess.Popen[bytes]], tmp_path: Path, number: signal.Signals
) -> None:
    name = number.name.removeprefix("SIG")
    process = hold("sh", "-c", f"trap 'echo {name} >got; exit 9' {name}; touch up; while :; do sleep 0.01; done")
    process.send_signal(number)
    assert process.wait(hive.PATIENCE) == 9
    assert (tmp_path / "got").read_text() == f"{name}\n"
    assert is_free(other)


def test_a_command_that_a_signal_ends(other: Sister, hold: Callable[..., subprocess.Popen[bytes]]) -> None:
    process = hold("sh", "-c", "touch up; exec sleep 50")
    process.terminate()
    assert process.wait(hive.PATIENCE) == 128 + signal.SIGTERM
    assert is_free(other)


def test_an_ignored_signal_stays_ignored(tmp_path: Path, one: Sister) -> None:
    done = one.sh("trap '' INT; gitqueen claim deploy -- sh -c 'kill -INT $$; echo alive'; trap - INT")
    assert done == (0, "alive\n", "")


def test_ctrl_c_reaches_the_command_once(one: Sister, tmp_path: Path) -> None:
    script = tmp_path / "count.py"
    script.write_text(
        "import signal, sys, time\n"
        "got = []\n"
        "signal.signal(signal.SIGINT, lambda *_: got.append(1))\n"
        "print('up', flush=True)\n"
        "while not got: time.sleep(0.01)\n"
        "time.sleep(0.5)\n"
        "print('got', len(got), flush=True)\n"
        "sys.exit(4)\n"
    )
    env = hive.laid_over({"GITQUEEN_NAME": "iza-1", "GITQUEEN_PID": str(one.pid)})
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(tmp_path)
        os.execve(HOLD[0], [*HOLD, sys.executable, str(script)], env)
    said = b""
    try:
        said = _read(terminal, b"up")
        os.write(terminal, b"\x03")
        said += _read(terminal, b"got 1")
    finally:
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 4
    assert b"got 1" in said


def _read(terminal: int, what: bytes) -> bytes:
    said, deadline = b"", time.monotonic() + hive.PATIENCE
    while what not in said and time.monotonic() < deadline:
        if select.select([terminal], [], [], 1)[0]:
            try:
                said += os.read(terminal, 4096)
            except OSError:
                break  # its other end was closed
    assert what in said
    return said


def test_gitqueen_killed_while_the_command_runs_on(
    one: Sister, other: Sister, hold: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    process = hold("sh", "-c", "touch up; while [ ! -e go ]; do sleep 0.01; done; exec sleep 0")
    process.kill()
    process.wait()
    assert other.sh("gitqueen claim deploy").rc == 1
    # Not even the death of the one who holds it, and no scan, frees it while the command lives.
    one.kill()
    assert other.sh("git config --global gitqueen.grace 0; gitqueen scan; gitqueen claim deploy").rc == 1
    other.begin("gitqueen claim deploy --wait 50")
    (tmp_path / "go").touch()
    assert other.end() == (0, "✓ deploy is yours\n", "")
    events = json.loads(other.sh("gitqueen history --json").out)["events"]
    given = [(e["sister"], e["detail"]) for e in events if e["kind"] == "given-back"]
    assert given == [("iza-1", {"id": "deploy", "why": "its command ended"})]


def test_gitqueen_killed_at_any_moment_frees_nothing_that_runs(
    one: Sister, other: Sister, hold: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    """However early it dies: the command never starts, or it starts and the claim is held."""
    begun = time.monotonic()
    hold("sh", "-c", "touch up")
    usual = time.monotonic() - begun
    for step in range(16):
        process = hold("sh", "-c", "echo $$ >pid; mv pid up; exec sleep 50", wait=False)
        time.sleep(usual * (0.4 + step / 16))
        process.kill()
        process.wait()
        until(partial(_settled, process.pid))
        runs = (tmp_path / "up").exists()
        assert is_free(other) is not runs, f"killed at {0.4 + step / 16:.2f} of the way"
        if runs:
            os.kill(int((tmp_path / "up").read_text()), signal.SIGKILL)
            until(lambda: is_free(other))


def _settled(session: int) -> bool:
    """Whether nothing of that session still is on its way to become the command (which is `sleep` in the end)."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
            if int(fields[2].split()[3]) == session and fields[2].split()[0] != "Z" and "(sleep" not in fields[0]:
                return False
        except (OSError, ValueError):
            continue
    return True


def test_what_cannot_be_taken_is_not_run(one: Sister, tmp_path: Path) -> None:
    assert one.sh("GITQUEEN_HOME=/proc/nowhere gitqueen claim deploy -- touch never").rc == 4
    assert not (tmp_path / "never").exists()
