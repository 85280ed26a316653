"""What kitty says is read, whatever else may listen at its socket; no environment of a window survives the reading.

The real kitty is in tests/kitty; here are answers recorded of two versions, and everything that no kitty would say.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitqueen.senses import kitty, processes
from gitqueen.senses.kitty import Answer, Window

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples" / "kitty-ls.json"
Script = Callable[[socket.socket], None]
Listen = Callable[..., str]


@pytest.fixture
def listen(tmp_path: Path) -> Iterator[Listen]:
    """Have somebody listen at a socket: each call is played by `script`; its address."""
    ends: list[Callable[[], None]] = []

    def begin(script: Script, path: str | None = None) -> str:
        name = path or os.fspath(tmp_path / f"{len(ends)}.sock")
        server = socket.socket(socket.AF_UNIX)
        server.bind("\0" + name[1:] if name.startswith("@") else name)
        server.listen()

        def serve() -> None:
            try:
                while True:
                    line, _ = server.accept()
                    with line:
                        script(line)
            except OSError:
                pass  # the end of the test, or a caller who left

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()

        def end() -> None:
            server.shutdown(socket.SHUT_RDWR)
            server.close()
            thread.join(10)

        ends.append(end)
        return f"unix:{name}"

    yield begin
    for end in ends:
        end()


def says(frame: bytes, heard: list[bytes] | None = None) -> Script:
    def play(line: socket.socket) -> None:
        asked = b""
        while not asked.endswith(b"\x1b\\"):
            if not (more := line.recv(4096)):
                return
            asked += more
        if heard is not None:
            heard.append(asked)
        line.sendall(frame)

    return play


def framed(said: object) -> bytes:
    return b"\x1bP@kitty-cmd" + json.dumps(said).encode() + b"\x1b\\"


def listing(*windows: object, **outer: object) -> bytes:
    tree = [{"id": 1, "is_focused": True, "tabs": [{"id": 1, "is_focused": True, "windows": windows}], **outer}]
    return framed({"ok": True, "data": json.dumps(tree)})


WINDOW = {"id": 7, "pid": 70, "title": "bash", "is_focused": True, "env": {"TOKEN": "hush"}, "foreground_processes": []}


def test_a_window_is_read_and_its_environment_is_not(listen: Listen) -> None:
    heard: list[bytes] = []
    front = [{"pid": 71, "cmdline": ["login", "--password", "hush"]}, None, {"pid": None}]
    window = {**WINDOW, "foreground_processes": front, "at_prompt": False}
    address = listen(says(listing(window), heard))
    assert kitty.ask([address]) == [Answer(address, (Window(7, "bash", True, False, (70, 71), True),))]
    assert heard == [b'\x1bP@kitty-cmd{"version": [0, 14, 2], "no_response": false, "cmd": "ls"}\x1b\\']
    assert "hush" not in repr(json.loads(json.dumps(window), object_pairs_hook=kitty._known))


def test_an_answer_may_come_in_pieces_and_from_an_abstract_socket(listen: Listen) -> None:
    def play(line: socket.socket) -> None:
        for byte in listing({**WINDOW, "title": "🐝 \x1b]0;x"}):
            line.sendall(bytes([byte]))

    name = f"@gitqueen-{os.getpid()}-{time.monotonic_ns()}"
    assert kitty.ask([listen(play, name)]) == [Answer(f"unix:{name}", (Window(7, "🐝 \x1b]0;x", True, None, (70,)),))]


@pytest.mark.parametrize(
    ("outer", "window", "focused"),
    [
        ({}, {}, True),
        ({"is_focused": False}, {}, False),
        ({}, {"is_focused": False}, False),
        ({}, {"is_focused": "yes"}, False),
        ({}, {"is_focused": None}, False),
    ],
)
def test_the_keyboard_goes_to_one_window(
    outer: dict[str, object], window: dict[str, object], focused: bool, listen: Listen
) -> None:
    [answer] = kitty.ask([listen(says(listing({**WINDOW, **window}, **outer)))])
    assert [one.focused for one in answer.windows] == [focused]


@pytest.mark.skipif(not SAMPLES.exists(), reason="the recorded answers are not beside this checkout")
def test_answers_recorded_of_other_versions(listen: Listen) -> None:
    samples = json.loads(SAMPLES.read_text("utf-8"))
    found = {}
    for version in ("0.26.5", "0.41.1"):
        [answer] = kitty.ask([listen(says(framed({"ok": True, "data": json.dumps(samples[version])})))])
        found[version] = [(one.id, one.title, one.focused, one.at_prompt, one.pids) for one in answer.windows]
    assert found["0.26.5"] == [
        (1, "/home/dev/app", False, None, (23015, 23015)),
        (2, "/home/dev/repoA", False, None, (23825, 23825)),
        (4, "/home/dev/repoB", False, None, (23829, 23829)),
        (6, "✳ Claude Code", False, None, (7540, 7540)),
        (7, "✳ Claude Code", False, None, (8008, 8008)),
        (8, "✳ Claude Code", True, None, (8803, 8803)),
    ]
    assert found["0.41.1"] == [
        (1, "/", False, True, (24076, 24076)),
        (2, "/home/dev/repoA", False, True, (24170, 24170)),
        (3, "sleep 333", False, False, (27230, 27235)),
        (4, "sleepy", False, False, (27232, 27232)),
        (5, "/home/dev/repoB", False, True, (27236, 27236)),
        (6, "bash", True, False, (27245, 27245)),
    ]


def test_a_kitty_that_does_not_let_itself_be_asked_says_so(listen: Listen) -> None:
    said = "Remote control is disabled. Add allow_remote_control to your kitty.conf\nTraceback..."
    address = listen(says(framed({"ok": False, "error": said})))
    silent = listen(says(framed({"ok": False})))
    assert kitty.ask([address, silent]) == [
        Answer(address, fault=said.splitlines()[0], refused=True),
        Answer(silent, fault="it refuses, and does not say why", refused=True),
    ]


NO_KITTY = "its answer is none that kitty gives"


@pytest.mark.parametrize(
    "frame",
    [
        b"\x1b\\",
        b"HTTP/1.1 400 Bad Request\r\n\r\n\x1b\\",
        b"\x1bP@kitty-cmd\x1b\\",
        b"\x1bP@kitty-cmd{\x1b\\",
        b"\x1bP@kitty-cmd\xff\xfe\x1b\\",
        b"\x1bP@kitty-cmd" + b"[" * 100_000 + b"\x1b\\",
        framed([]),
        framed({}),
        framed({"ok": "yes", "data": "[]"}),
        framed({"ok": True, "data": "{"}),
        framed({"ok": True, "data": None}),
        framed({"ok": True, "data": "[" * 100_000}),
    ],
    ids=range(12),
)
def test_what_no_kitty_says_is_a_fault(frame: bytes, listen: Listen) -> None:
    address = listen(says(frame))
    assert kitty.ask([address]) == [Answer(address, fault=NO_KITTY)]


@pytest.mark.parametrize(
    "tree",
    [
        {},
        [None, 7, "x", []],
        [{"tabs": None}, {"tabs": {}}, {"tabs": [None, {"windows": [None, 3, {}, {"id": True}, {"id": -1}]}]}],
        [{"tabs": [{"windows": [{"id": "7"}, {"id": 2**40}, {"id": 7.0}, {"id": [7]}]}]}],
    ],
    ids=range(4),
)
def test_a_tree_of_another_form_holds_no_windows(tree: object, listen: Listen) -> None:
    address = listen(says(framed({"ok": True, "data": json.dumps(tree)})))
    assert kitty.ask([address]) == [Answer(address)]


def test_a_window_with_odd_fields_is_a_window_all_the_same(listen: Listen) -> None:
    odd = {"id": 7, "pid": "70", "title": 5, "is_focused": 1, "at_prompt": "no", "foreground_processes": {"pid": 1}}
    address = listen(says(listing(odd)))
    assert kitty.ask([address]) == [Answer(address, (Window(7, "", False, None, ()),))]


def test_one_that_hangs_delays_and_hides_nobody(listen: Listen) -> None:
    stop = threading.Event()
    hung = [listen(lambda _: bool(stop.wait(60)) and None) for _ in range(8)]
    well = listen(says(listing(WINDOW)))
    started = time.monotonic()
    said = {answer.address: answer for answer in kitty.ask([*hung, well], limit=0.5)}
    took = time.monotonic() - started
    stop.set()
    assert {said.pop(address).fault for address in hung} == {"it does not answer within 0.5 s"}
    assert said == {well: Answer(well, (Window(7, "bash", True, None, (70,)),))}
    assert took < 4, "one after another they would take that long"


def test_one_that_never_ends_is_left(listen: Listen) -> None:
    def drip(line: socket.socket) -> None:
        while True:
            line.sendall(b"\x1bP@kitty-cmd ")
            time.sleep(0.01)

    def flood(line: socket.socket) -> None:
        line.sendall(b"\x1bP@kitty-cmd" + b" " * (32 << 20) + b"\x1b\\")

    dripping, flooding = listen(drip), listen(flood)
    [slow] = kitty.ask([dripping], limit=0.3)
    assert slow.fault == "it does not answer within 0.3 s"
    [large] = kitty.ask([flooding], limit=60)
    assert large.fault == "its answer is longer than 16 MB"


def test_one_that_hangs_up_is_a_fault(listen: Listen) -> None:
    address = listen(lambda line: None)
    [answer] = kitty.ask([address])
    assert (answer.fault or "").startswith("it broke off")


def test_one_that_takes_no_more_calls_is_left_at_once(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.fspath(tmp_path / "full.sock"))
        server.listen(0)
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(8)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(os.fspath(tmp_path / "full.sock"))
        address = f"unix:{tmp_path}/full.sock"
        assert kitty.ask([address]) == [Answer(address, fault="it takes no call")]
        for one in waiting:
            one.close()


def test_where_nobody_listens_any_more_nothing_is_said_and_nothing_removed(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.fspath(tmp_path / "stale.sock"))
    (tmp_path / "file").touch()
    gone = [f"unix:{tmp_path}/{name}" for name in ("stale.sock", "none.sock", "file", "file/below")]
    assert kitty.ask([*gone, f"unix:@gitqueen-nobody-{os.getpid()}"]) == []
    assert (tmp_path / "stale.sock").exists()


@pytest.mark.parametrize("address", ["", "unix:", "tcp:localhost:1", "fd:5", "/tmp/x", "unix:" + "x" * 200])
def test_what_is_no_address_is_said_to_be_none(address: str) -> None:
    [answer] = kitty.ask([address])
    assert answer.address == address and answer.fault


@pytest.mark.needs_proc
def test_another_user_s_socket_is_asked_nothing(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []
    address = listen(says(listing(WINDOW), heard))
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert kitty.ask([address]) == [Answer(address, fault="another user listens there")]
    assert heard == []


def test_focusing_asks_for_one_window_and_says_why_not(listen: Listen, tmp_path: Path) -> None:
    heard: list[bytes] = []
    assert kitty.focus(listen(says(framed({"ok": True}), heard)), 7) is None
    assert json.loads(heard[0][12:-2])["payload"] == {"match": "id:7"}
    refusing = listen(says(framed({"ok": False, "error": "No matching windows for expression: id:7"})))
    assert kitty.focus(refusing, 7) == "No matching windows for expression: id:7"
    assert kitty.focus(f"unix:{tmp_path}/none", 7) == f"unix:{tmp_path}/none is no kitty any more"


@pytest.mark.needs_proc
def test_the_sockets_of_a_process_are_found_and_those_of_single_instances_left_alone(
    listen: Listen, tmp_path: Path
) -> None:
    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    named, abstract = listen(says(b"")), listen(says(b""), f"@gitqueen-{mark}")
    listen(says(b""), f"@kitty-ipc-{mark}")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(os.fspath(tmp_path / "silent.sock"))
        found = kitty.addresses([os.getpid(), 2**30])
    assert {one for one in found if mark in one or os.fspath(tmp_path) in one} == {named, abstract}
    assert set(found.values()) == {os.getpid()}


def test_without_proc_no_socket_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PROC", "/nowhere")
    assert kitty.addresses([os.getpid()]) == {}
