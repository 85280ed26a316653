"""Work in a child: what it sends comes, and what hangs, crashes or floods costs its own time alone."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from pathlib import Path

import pytest

from gitqueen import aside
from gitqueen.aside import Send
from tests import hive


def test_what_the_child_sends_comes_in_turn_and_whole() -> None:
    def work(send: Send) -> None:
        send("first")
        send({"big": "x" * 3_000_000})

    with aside.start(work) as child:
        assert child.receive(hive.PATIENCE) == "first"
        assert child.receive(hive.PATIENCE) == {"big": "x" * 3_000_000}
        with pytest.raises(EOFError):
            child.receive(hive.PATIENCE)
        assert child.code == 0


def test_one_that_says_nothing_is_given_up_and_leaves_nothing() -> None:
    with aside.start(lambda send: time.sleep(600)) as child, pytest.raises(TimeoutError):
        child.receive(0.05)
    deadline = time.monotonic() + hive.PATIENCE
    while os.path.exists(f"/proc/{child.pid}"):  # not even a zombie
        assert time.monotonic() < deadline
        aside.bury()
        time.sleep(0.01)


@pytest.mark.parametrize("how", ["kill", "raise"])
def test_one_that_crashes_is_told(how: str) -> None:
    def work(send: Send) -> None:
        if how == "kill":
            os.kill(os.getpid(), signal.SIGSEGV)
        raise ValueError

    with aside.start(work) as child:
        with pytest.raises(EOFError):
            child.receive(hive.PATIENCE)
        assert child.code == (-signal.SIGSEGV if how == "kill" else 1)


def test_it_holds_none_of_our_locks_and_pipes(tmp_path: Path) -> None:
    """A child that outlives us must not keep the next daemon out, nor a reader waiting for our end."""

    def there(send: Send) -> None:
        send("there")
        time.sleep(600)

    reader, writer = os.pipe()
    with open(tmp_path / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        child = aside.start(there)
        assert child.receive(hive.PATIENCE) == "there"
        os.close(writer)
        assert os.read(reader, 1) == b""
    with open(tmp_path / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    child.give_up()
    os.close(reader)
