"""kitty: its windows and what is in them, asked over its socket, and one of them brought to the front.

The protocol is spoken directly: 3 ms, where spawning `kitty @` takes up to 500. All instances are asked at once and
have one second together, so that a hung one delays nobody. An answer holds the whole environment of every window: only
the keys named here survive its parsing. What may not live here: any other command than `ls` and `focus-window`.
"""

from __future__ import annotations

import errno
import json
import os
import selectors
import socket
import struct
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gitqueen.model.processes import Process
from gitqueen.senses import processes

LIMIT = 1.0
"""Seconds that all instances have together."""
LARGEST = 16 * 2**20
"""Bytes of an answer: a hundred windows with large environments are 2 MB."""
VERSION = [0, 14, 2]
"""A newer version than kitty's own is refused, this one by none."""
PROGRAMS = ("kitty", ".kitty-wrapped")
"""What its process is called; the other one on NixOS."""
CONF = ("allow_remote_control socket-only", "listen_on unix:${XDG_RUNTIME_DIR}/kitty")
"""What kitty.conf needs, before a restart of kitty."""

_START, _END = b"\x1bP@kitty-cmd", b"\x1b\\"
_KEYS = frozenset(
    "id tabs windows title pid is_focused at_prompt foreground_processes ok data error".split()
)  # never env, cmdline, last_reported_cmdline, user_vars: people type secrets there


@dataclass(frozen=True, slots=True)
class Window:
    id: int
    title: str
    focused: bool
    """The window that the keyboard goes to."""
    at_prompt: bool | None
    """Whether its shell waits for a command; None where kitty does not know."""
    pids: tuple[int, ...]
    """The process it was opened with, and those in the foreground."""
    busy: bool | None = None
    """Whether others than the process it was opened with are in the foreground; None where kitty does not know."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one instance said."""

    address: str
    windows: tuple[Window, ...] = ()
    fault: str | None = None
    """Why it said nothing of use."""
    refused: bool = False
    """Whether it is a kitty that does not let itself be asked: for its person to change, no fault of anything."""


def instances(table: dict[int, Process]) -> list[Process]:
    """The kitty processes of this user."""
    found = [one for one in table.values() if outermost((one,)) and processes.ours(one.pid)]
    pids = {one.pid for one in found}
    return [one for one in found if one.ppid not in pids]


def outermost(chain: Sequence[Process]) -> list[Process]:
    """The kittys in `chain`, without the processes that a kitty made to have its windows start faster."""
    return [
        one
        for one, above in zip(chain, (*chain[1:], None), strict=True)
        if one.comm in PROGRAMS and not one.forked and (above is None or above.comm not in PROGRAMS)
    ]


def addresses(pids: Iterable[int]) -> dict[str, int]:
    """Where the kitty processes `pids` listen (`unix:/path`, `unix:@abstract`), and which of them does."""
    listening = _listening()
    found = {}
    for pid in pids if listening else ():
        for inode in _sockets(pid):
            # The other kind of socket is where a second `kitty --single-instance` reports.
            if (path := listening.get(inode)) is not None and not path.startswith("@kitty-ipc-"):
                found[f"unix:{path}"] = pid
    return found


def _listening() -> dict[str, str]:
    """inode -> path of every listening unix socket with a name."""
    try:
        with open(f"{processes.PROC}/net/unix", "rb") as file:
            lines = [line.split(maxsplit=7) for line in file.read().splitlines()[1:]]
    except OSError:
        return {}
    accepts = b"00010000"
    return {f[6].decode(): os.fsdecode(f[7]) for f in lines if len(f) == 8 and f[3] == accepts}


def _sockets(pid: int) -> list[str]:
    """The inodes of the sockets that `pid` has open."""
    folder, found = f"{processes.PROC}/{pid}/fd", []
    try:
        for name in os.listdir(folder):
            target = os.readlink(f"{folder}/{name}")
            if target.startswith("socket:["):
                found.append(target[len("socket:[") : -1])
    except OSError:
        pass  # gone meanwhile, or not to be looked into
    return found


def ask(wanted: Iterable[str], limit: float = LIMIT) -> list[Answer]:
    """What the instances at the addresses `wanted` say of their windows; those that are no more are left out."""
    return [
        answer
        for address, said in _talk({one: {"cmd": "ls"} for one in wanted}, limit).items()
        if (answer := _answer(address, said)) is not None
    ]


def focus(address: str, window: int, limit: float = LIMIT) -> str | None:
    """Bring a window to the front; why not, or None."""
    said = _talk({address: {"cmd": "focus-window", "payload": {"match": f"id:{window}"}}}, limit)[address]
    if said is None:
        return f"{address} is no kitty any more"
    return said if isinstance(said, str) else _read(said)[1]


def _answer(address: str, said: bytes | str | None) -> Answer | None:
    if said is None:
        return None
    if isinstance(said, str):
        return Answer(address, fault=said)
    data, fault, *_ = _read(said)
    if fault is not None:
        return Answer(address, fault=fault, refused=data is _REFUSED)
    try:
        return Answer(address, tuple(_windows(json.loads(str(data), object_pairs_hook=_known))))
    except (ValueError, RecursionError):
        return Answer(address, fault="its answer is none that kitty gives")


_REFUSED = object()


def _read(frame: bytes) -> tuple[object, str | None]:
    """The data of an answer, or why there is none; with `_REFUSED` when kitty said so itself."""
    body = frame.partition(_START)[2].removesuffix(_END)
    try:
        said = json.loads(body, object_pairs_hook=_known)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("ok"), bool):
        return None, "its answer is none that kitty gives"
    if not said["ok"]:
        return _REFUSED, _first_line(said.get("error")) or "it refuses, and does not say why"
    return said.get("data"), None


def _first_line(text: object) -> str:
    return text.strip().splitlines()[0][:200] if isinstance(text, str) and text.strip() else ""


def _known(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return {key: value for key, value in pairs if key in _KEYS}


def _windows(said: object) -> Iterable[Window]:
    for outer in _dicts(said):
        for tab in _dicts(outer.get("tabs")):
            for window in _dicts(tab.get("windows")):
                if (number := _number(window.get("id"))) is not None:
                    # Each os window has a focused tab, and each tab a focused window: the keyboard goes to one.
                    focused = all(part.get("is_focused") is True for part in (outer, tab, window))
                    at_prompt = window.get("at_prompt")
                    own, front = _pids([window]), _pids(_dicts(window.get("foreground_processes")))
                    yield Window(
                        id=number,
                        title=title[:200] if isinstance(title := window.get("title"), str) else "",
                        focused=focused,
                        at_prompt=at_prompt if isinstance(at_prompt, bool) else None,
                        pids=(*own, *front),
                        busy=own[0] not in front if own and front else None,
                    )


def _pids(said: Iterable[Mapping[str, object]]) -> list[int]:
    return [pid for one in said if (pid := _number(one.get("pid"))) is not None]


def _dicts(said: object) -> list[dict[str, object]]:
    """The objects in a list; kitty's own hold nulls at times."""
    return [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []


def _number(value: object) -> int | None:
    return value if type(value) is int and 0 < value < 2**31 else None


@dataclass(slots=True)
class _Call:
    """One connection while it lasts."""

    address: str
    line: socket.socket
    heard: bytearray = field(default_factory=bytearray)


def _talk(commands: Mapping[str, Mapping[str, object]], limit: float) -> dict[str, bytes | str | None]:
    """Each address with its whole answer, the words for why there is none, or None where nobody listens any more."""
    said: dict[str, bytes | str | None] = dict.fromkeys(commands, f"it does not answer within {limit:g} s")
    deadline = time.monotonic() + limit
    with selectors.DefaultSelector() as waiting:
        for address, command in commands.items():
            line = _call(address, {"version": VERSION, "no_response": False, **command})
            if isinstance(line, socket.socket):
                waiting.register(line, selectors.EVENT_READ, _Call(address, line))
            else:
                said[address] = line
        try:
            while waiting.get_map() and (rest := deadline - time.monotonic()) > 0:
                for key, _ in waiting.select(rest):
                    call: _Call = key.data
                    if (whole := _hear(call)) is not None:
                        said[call.address] = whole
                        waiting.unregister(call.line)
                        call.line.close()
        finally:
            for key in list(waiting.get_map().values()):
                key.data.line.close()
    return said


def _call(address: str, command: Mapping[str, object]) -> socket.socket | str | None:
    """A line with the question already on it; else why there is none, or None where nobody listens."""
    scheme, _, path = address.partition(":")
    if scheme != "unix" or not path:
        return f"{address[:80]} is no unix socket"
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.setblocking(False)
    try:
        line.connect(os.fsencode("\0" + path[1:] if path.startswith("@") else path))
        if not _is_ours(line):
            raise PermissionError(errno.EPERM, "another user listens there")
        line.sendall(_START + json.dumps(command).encode() + _END)
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        line.close()
        return None  # left over from a kitty that is gone: not ours to remove
    except BlockingIOError:
        line.close()
        return "it takes no call"
    except BrokenPipeError:
        line.close()
        return "it broke off"
    except (OSError, ValueError) as fault:
        line.close()
        return str(getattr(fault, "strerror", None) or fault)
    return line


def _is_ours(line: socket.socket) -> bool:
    """Whether a process of this user listens; where the system does not tell, the socket's own rights must do."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    _, uid, _ = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return bool(uid == os.getuid())


def _hear(call: _Call) -> bytes | str | None:
    """The whole answer, or why there will be none; None while it goes on."""
    try:
        more = call.line.recv(2**18)
    except BlockingIOError:
        return None
    except OSError as fault:
        return f"it broke off: {fault.strerror}"
    if not more:
        return "it broke off"
    call.heard += more
    if len(call.heard) > LARGEST:
        return f"its answer is longer than {LARGEST >> 20} MB"
    return bytes(call.heard) if call.heard.endswith(_END) else None
