"""The real kitty without a screen: Xvfb and software drawing; several instances, windows, tabs.

Each instance has a home and configuration of its own, and is ended with all that runs in it.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHELL = os.path.realpath(shutil.which("sh") or "/bin/sh")
PATIENCE = 60.0


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what}: it never came to be"
        time.sleep(0.02)


def screen() -> tuple[subprocess.Popen[bytes], str]:
    """An X server on a number that is free, and its name."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as said:
        return server, f":{said.readline().strip()}"


@dataclass
class Kitty:
    """One instance."""

    process: subprocess.Popen[bytes]
    address: str | None

    @property
    def pid(self) -> int:
        return self.process.pid

    def command(self, name: str, **payload: object) -> Any:
        """What a person does by keys, over the socket."""
        assert self.address is not None
        path = self.address.removeprefix("unix:")
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE)
            line.connect("\0" + path[1:] if path.startswith("@") else path)
            said = {"cmd": name, "version": [0, 14, 2], "payload": payload}
            line.sendall(b"\x1bP@kitty-cmd" + json.dumps(said).encode() + b"\x1b\\")
            if name == "send-text":
                return None  # kitty answers to all but this
            heard = b""
            while not heard.endswith(b"\x1b\\"):
                heard += line.recv(2**16)
        answer = json.loads(heard[12:-2])
        assert answer["ok"], answer
        return answer.get("data")

    def open(self, *argv: str, how: str = "window", title: str | None = None, cwd: Path | None = None) -> str:
        """A new window (`tab`, `os-window`) in which `argv` runs; its number."""
        where = {"cwd": os.fspath(cwd)} if cwd else {}
        titled = {"title": title, "window_title": title} if title else {}
        number: str = self.command("launch", args=list(argv), type=how, keep_focus=False, **where, **titled)
        return number

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def start(
    display: str,
    folder: Path,
    *argv: str,
    address: str | None = "socket",
    options: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
) -> Kitty:
    """An instance whose first window runs `argv`; `address`: `socket` for one in `folder`, None for no socket."""
    folder.mkdir()
    if address == "socket":
        address = f"unix:{folder}/socket"
    settings = {
        "allow_remote_control": "socket-only" if address else "no",
        "update_check_interval": "0",
        "confirm_os_window_close": "0",
        **(options or {}),
    }
    words = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    drawn = {"DISPLAY": display, "LIBGL_ALWAYS_SOFTWARE": "1", "KITTY_CONFIG_DIRECTORY": os.fspath(folder)}
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            ["kitty", "--config", "NONE", *(["--listen-on", address] if address else []), *words, *argv],
            cwd=folder,
            env={**(os.environ if env is None else env), **drawn},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return Kitty(process, address)
