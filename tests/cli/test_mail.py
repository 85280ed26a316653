"""tell, inbox and ack as people and programs use them: whole output, exit codes, real processes."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import hive
from tests.cli.kit import AT, sql, timeless
from tests.hive import Repo, Runner, Sister


def write(home: Path, to: str, body: str, sender: str | None = "izabael", priority: str = "normal") -> None:
    sql(
        home,
        # Sent now: a scan drops read mail of last season.
        """INSERT INTO messages (from_sister, to_sister, body, priority, sent_at)
           VALUES (?, ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))""",
        *(sender, to, body, priority),
    )


@pytest.fixture
def two(two: tuple[Sister, Sister]) -> tuple[Sister, Sister]:
    """iza-1 and iza-2, who know of each other."""
    for one in two:
        assert one.sh("gitqueen whoami").rc == 0
    return two


def test_a_letter_goes_from_one_to_the_other_and_is_acknowledged(two: tuple[Sister, Sister]) -> None:
    one, other = two
    assert one.sh("gitqueen tell iza-2 'tests are green'") == (0, "✉ #1 to iza-2\n", "")
    done = other.sh("gitqueen inbox")
    assert (timeless(done.out), done.rc, done.err) == (
        f"📬 1 unread for iza-2\n[#1] from iza-1 at {AT}\n  tests are green\n",
        0,
        "",
    )
    assert other.sh("gitqueen inbox") == (0, "📬 no unread for iza-2\n", "")
    assert other.sh("gitqueen ack 1") == (0, "✓ acknowledged #1\n", "")
    assert timeless(other.sh("gitqueen inbox --all").out) == (
        f"📬 no unread for iza-2\n[#1] from iza-1 at {AT} acknowledged\n  tests are green\n"
    )


def test_the_inbox_looks_as_it_always_did(two: tuple[Sister, Sister], home: Path) -> None:
    write(home, "iza-2", "QUEEN DISPATCH — ...", priority="urgent")
    write(home, "iza-2", "two\n\n  lines\tand a tab", sender=None)
    assert timeless(two[1].sh("gitqueen inbox").out) == (
        "📬 2 unread for iza-2\n"
        f"[#1] from izabael at {AT} ⚡URGENT\n"
        "  QUEEN DISPATCH — ...\n"
        f"[#2] from ? at {AT}\n"
        "  two\n"
        "\n"
        "    lines    and a tab\n"
    )


def test_the_json_of_all_three(two: tuple[Sister, Sister]) -> None:
    one, other = two
    assert json.loads(one.sh("gitqueen tell iza-2 hello --urgent --json").out) == {
        "schema": 1,
        "id": 1,
        "ids": [1],
        "to": ["iza-2"],
        "absent": [],
    }
    assert other.sh("gitqueen tell iza-1 back --reply-to '#1'").rc == 0
    found = json.loads(timeless(other.sh("gitqueen inbox --json").out))
    letter = {
        "id": 1,
        "from": "iza-1",
        "to": "iza-2",
        "body": "hello",
        "priority": "urgent",
        "sent_at": AT,
        "read_at": AT,
        "acked_at": None,
        "reply_to": None,
    }
    assert found == {"schema": 1, "messages": [letter]}
    assert json.loads(other.sh("gitqueen ack 1 --json").out) == {"schema": 1, "acknowledged": [1]}
    again = json.loads(timeless(other.sh("gitqueen inbox --all --json").out))
    assert again == {"schema": 1, "messages": [{**letter, "acked_at": AT}]}
    answer = json.loads(timeless(one.sh("gitqueen inbox --peek --json").out))["messages"]
    assert [(m["id"], m["reply_to"], m["read_at"]) for m in answer] == [(2, 1, None)]
    assert timeless(one.sh("gitqueen inbox").out) == (
        f"📬 1 unread for iza-1\n[#2] from iza-2 at {AT} (reply to #1)\n  back\n"
    )


def test_peek_leaves_it_unread_and_all_shows_what_was_read(two: tuple[Sister, Sister], home: Path) -> None:
    write(home, "iza-1", "first")
    for _ in range(2):
        assert timeless(two[0].sh("gitqueen inbox --peek").out) == (
            f"📬 1 unread for iza-1\n[#1] from izabael at {AT}\n  first\n"
        )
    assert two[0].sh("gitqueen inbox").rc == 0
    write(home, "iza-1", "second")
    assert timeless(two[0].sh("gitqueen inbox --all").out) == (
        f"📬 1 unread for iza-1\n[#1] from izabael at {AT} read\n  first\n[#2] from izabael at {AT}\n  second\n"
    )


def test_to_all_and_to_those_in_this_repository(
    two: tuple[Sister, Sister], sister: Callable[..., Sister], repo: Callable[..., Repo], tmp_path: Path
) -> None:
    one, other = two
    assert one.sh("cd /; gitqueen tell @repo hi") == (
        4,
        "",
        "gitqueen: '/' is in no git repository\n  → cd into the one you work in\n",
    )
    far = sister("far", repo("elsewhere"))
    assert far.sh("gitqueen whoami").rc == 0
    assert far.sh("gitqueen tell @repo alone") == (
        1,
        "",
        "gitqueen: no other living sister is in this repository\n  → gitqueen status shows who is there\n",
    )
    assert far.sh("gitqueen tell @all hello") == (0, "✉ #1 to iza-1\n✉ #2 to iza-2\n", "")
    assert other.sh("gitqueen tell @repo 'only us' --json").out == (
        '{"schema": 1, "id": 3, "ids": [3], "to": ["iza-1"], "absent": []}\n'
    )
    assert far.sh("gitqueen inbox").out == "📬 no unread for far\n"


def test_an_unknown_name_is_no_and_the_nearest_are_told(two: tuple[Sister, Sister], home: Path) -> None:
    assert two[0].sh("gitqueen tell iza2 hi") == (
        1,
        "",
        "gitqueen: nobody was ever called iza2\n  → did you mean iza-2 or iza-1?\n",
    )
    assert two[0].sh("gitqueen tell zebra hi --json") == (
        1,
        (
            '{"schema": 1, "error": {"code": "no", "message": "nobody was ever called zebra", '
            '"hint": "gitqueen status shows the names"}}\n'
        ),
        "",
    )
    assert sql(home, "SELECT count(*) FROM messages") == [(0,)]


@pytest.mark.parametrize("name", ["'a b'", "queen", "all", "@hive", "iza-2@elsewhere", "''", "../x", "x.lock"])
def test_a_name_out_of_form_is_refused(sister: Callable[..., Sister], name: str) -> None:
    done = sister("iza-1").sh(f"gitqueen tell {name} hi")
    assert (done.rc, done.out) == (2, "")
    assert done.err.startswith("gitqueen: ")


def test_the_dead_get_their_mail_when_they_are_back(
    two: tuple[Sister, Sister], sister: Callable[..., Sister], repo: Callable[..., Repo]
) -> None:
    one, other = two
    other.kill()
    assert one.sh("gitqueen tell iza-2 'are you there?'") == (
        0,
        "✉ #1 to iza-2\n  iza-2 has no living session now: kept until she is back\n",
        "",
    )
    assert json.loads(one.sh("gitqueen tell iza-2 again --json").out)["absent"] == ["iza-2"]
    back = sister("iza-2")
    assert timeless(back.sh("gitqueen inbox").out) == (
        f"📬 2 unread for iza-2\n[#1] from iza-1 at {AT}\n  are you there?\n[#2] from iza-1 at {AT}\n  again\n"
    )


def test_to_oneself(sister: Callable[..., Sister]) -> None:
    one = sister("iza-1")
    assert one.sh("gitqueen tell iza-1 'do not forget'") == (0, "✉ #1 to iza-1\n", "")
    assert "do not forget" in one.sh("gitqueen inbox").out


def test_a_person_writes_and_reads_under_her_login(sister: Callable[..., Sister], tmp_path: Path) -> None:
    one = sister("iza-1")
    assert one.sh("gitqueen whoami").rc == 0
    assert hive.orphan("gitqueen", "tell", "iza-1", "hello", cwd=tmp_path) == (0, "✉ #1 to iza-1\n", "")
    assert timeless(one.sh("gitqueen inbox").out) == f"📬 1 unread for iza-1\n[#1] from keeper at {AT}\n  hello\n"
    assert one.sh("gitqueen tell keeper 'hello yourself'") == (0, "✉ #2 to keeper\n", "")
    assert timeless(hive.orphan("gitqueen", "inbox", cwd=tmp_path).out) == (
        f"📬 1 unread for keeper\n[#2] from iza-1 at {AT}\n  hello yourself\n"
    )
    assert hive.orphan("gitqueen", "ack", "2", cwd=tmp_path) == (0, "✓ acknowledged #2\n", "")
    # Writing and reading makes nobody a sister.
    assert [one["name"] for one in json.loads(one.sh("gitqueen status --json").out)["sisters"]] == ["iza-1"]


@pytest.mark.parametrize(
    ("typed", "bytes_", "rc"),
    [
        ("x" * 65536, 65536, 0),
        ("x" * 65536 + "\n", 65536, 0),
        ("x" * 65537, 0, 2),
        ("x" * 65536 + "\nand what would be lost", 0, 2),
        ("x" * 65536 + "\n\n", 0, 2),
        ("é" * 32768, 65536, 0),
        ("é" * 32768 + "x", 0, 2),
        ("x" * 1_000_000, 0, 2),
        ("\n", 0, 2),
        ("", 0, 2),
    ],
    ids=lambda value: f"{len(value)}" if isinstance(value, str) else "",
)
def test_standard_input_up_to_64_kib(
    sister: Callable[..., Sister], home: Path, tmp_path: Path, typed: str, bytes_: int, rc: int
) -> None:
    (tmp_path / "letter").write_text(typed, encoding="utf-8")
    done = sister("iza-1").sh("gitqueen tell iza-1 - <letter")
    assert done.rc == rc
    kept = sql(home, "SELECT length(CAST(body AS BLOB)) FROM messages")
    assert kept == ([(bytes_,)] if rc == 0 else [])


def test_64_kib_as_an_argument(sister: Callable[..., Sister], tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("x" * 65536)
    one = sister("iza-1")
    assert one.sh('gitqueen tell iza-1 "$(cat letter)"').rc == 0
    assert one.sh('gitqueen tell iza-1 "$(cat letter)y"') == (
        2,
        "",
        "gitqueen: the message has 65537 bytes, at most 65536 are sent\n  → write a file and send its path\n",
    )


def test_what_a_terminal_would_obey_never_reaches_it(sister: Callable[..., Sister], home: Path) -> None:
    one = sister("iza-1")
    assert one.sh("gitqueen tell iza-1 \"$(printf '\\033[31mred\\007 \\342\\200\\256 caf\\351')\"").rc == 0
    write(home, "iza-1", "\x1b]0;title\x07 from sql", sender="\x1b[2J")
    done = one.sh("gitqueen inbox --peek")
    assert timeless(done.out) == (
        f"📬 2 unread for iza-1\n[#1] from iza-1 at {AT}\n  \\x1b[31mred\\x07 \\u202e caf\N{REPLACEMENT CHARACTER}\n"
        f"[#2] from \\x1b[2J at {AT}\n  \\x1b]0;title\\x07 from sql\n"
    )
    raw = one.sh("gitqueen inbox --json").out
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", raw)
    assert [m["body"] for m in json.loads(raw)["messages"]] == [
        "\x1b[31mred\x07 \u202e caf\N{REPLACEMENT CHARACTER}",
        "\x1b]0;title\x07 from sql",
    ]


@pytest.mark.parametrize("ids", ["2", "99", "1 2", "1 99"])
def test_anothers_or_unknown_mail_is_not_acknowledged_and_nothing_is(
    two: tuple[Sister, Sister], home: Path, ids: str
) -> None:
    write(home, "iza-1", "mine")
    write(home, "iza-2", "hers")
    done = two[0].sh(f"gitqueen ack {ids}")
    bad = ids.split()[-1]
    whose = "it is addressed to somebody else" if bad == "2" else "there is none"
    assert done == (
        1,
        "",
        (
            f"gitqueen: #{bad} is no mail of iza-1: {whose}; nothing was acknowledged\n"
            "  → gitqueen inbox --all shows your mail\n"
        ),
    )
    assert sql(home, "SELECT count(*) FROM messages WHERE acked_at IS NOT NULL OR read_at IS NOT NULL") == [(0,)]


def test_acknowledging_twice_keeps_the_first_time(two: tuple[Sister, Sister], home: Path) -> None:
    write(home, "iza-1", "mine")
    sql(home, "UPDATE messages SET acked_at = '2026-04-12T00:00:00'")
    assert two[0].sh("gitqueen ack '#1' 1") == (0, "✓ acknowledged #1\n", "")
    assert sql(home, "SELECT acked_at FROM messages") == [("2026-04-12T00:00:00",)]


@pytest.mark.parametrize("typed", ["x", "0", "-- -1", "1.5", "99999999999999999999", "''", "#"])
def test_what_is_no_message_id(sister: Callable[..., Sister], typed: str) -> None:
    one = sister("iza-1")
    done = one.sh(f"gitqueen ack {typed.replace('#', chr(39) + '#' + chr(39))}")
    assert (done.rc, done.out) == (2, "")
    assert "is no message id" in done.err


def test_a_reply_needs_what_it_replies_to(sister: Callable[..., Sister]) -> None:
    one = sister("iza-1")
    assert one.sh("gitqueen tell iza-1 hi --reply-to 7") == (
        1,
        "",
        "gitqueen: there is no message #7 to reply to\n  → gitqueen inbox --all\n",
    )
    assert one.sh("gitqueen tell iza-1 hi --reply-to 99999999999999999999").rc == 2


def test_waiting_ends_when_mail_comes(two: tuple[Sister, Sister]) -> None:
    one, other = two
    other.begin("gitqueen inbox --wait 50")
    assert one.sh("gitqueen tell iza-2 'now'").rc == 0
    done = other.end()
    assert (done.rc, timeless(done.out)) == (0, f"📬 1 unread for iza-2\n[#1] from iza-1 at {AT}\n  now\n")


def test_waiting_in_vain_is_no(sister: Callable[..., Sister]) -> None:
    one = sister("iza-1")
    assert one.sh("gitqueen inbox --wait 0.2") == (1, "📬 no unread for iza-1\n", "")
    assert one.sh("gitqueen inbox --wait 0 --json") == (1, '{"schema": 1, "messages": []}\n', "")


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "soon", "''"])
def test_what_is_no_time_to_wait(sister: Callable[..., Sister], seconds: str) -> None:
    done = sister("iza-1").sh(f"gitqueen inbox --wait={seconds}")
    assert (done.rc, done.out) == (2, "")


def test_an_interrupted_wait_exits_130(tmp_path: Path) -> None:
    waiting = subprocess.Popen(
        [hive.gitqueen(), "inbox", "--wait", "50"],
        env=hive.laid_over({"GITQUEEN_NAME": "iza-1", "GITQUEEN_PID": str(os.getpid()), "GITQUEEN_DEBUG": "1"}),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert waiting.stderr is not None
    for line in waiting.stderr:
        if "who am I" in line:
            break
    waiting.send_signal(signal.SIGINT)
    out, err = waiting.communicate(timeout=hive.PATIENCE)
    assert (waiting.returncode, out) == (130, "")
    assert "Traceback" not in err


def test_of_two_readers_at_once_one_is_shown_each_letter(
    sister: Callable[..., Sister], home: Path, tmp_path: Path
) -> None:
    one = sister("iza-1")
    assert one.sh("gitqueen whoami").rc == 0
    shown: Counter[int] = Counter()
    for round_ in range(5):
        for number in range(20):
            write(home, "iza-1", f"{round_} {number}")
        one.begin(
            "rm -f go; for n in 1 2 3 4; do (until [ -e go ]; do :; done; gitqueen inbox --json >$n) & done; "
            "touch go; wait"
        )
        assert one.end().rc == 0
        for number in range(1, 5):
            found = json.loads((tmp_path / str(number)).read_text())["messages"]
            shown.update(message["id"] for message in found)
    assert sorted(shown.items()) == [(number, 1) for number in range(1, 101)]


def test_nobody_is_sent_a_letter_while_the_queen_is_locked(two: tuple[Sister, Sister], home: Path) -> None:
    holder = sqlite3.connect(home / "queen.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        done = two[0].sh("gitqueen tell iza-2 hi")
        assert (done.rc, done.out) == (5, "")
        assert "is held by another program" in done.err
        # Reading does not wait for writers.
        assert two[1].sh("gitqueen inbox --peek").rc == 0
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert sql(home, "SELECT count(*) FROM messages") == [(0,)]


def test_history_says_that_it_was_sent_and_not_what(two: tuple[Sister, Sister]) -> None:
    assert two[0].sh("gitqueen tell iza-2 'a secret' --urgent").rc == 0
    assert two[1].sh("gitqueen ack 1; gitqueen ack 1").rc == 0
    found = json.loads(two[0].sh("gitqueen history --json").out)["events"]
    told = [(e["kind"], e["sister"], e["detail"]) for e in found if e["kind"] in ("sent", "acked")]
    assert sorted(told) == [
        ("acked", "iza-2", {"ids": [1]}),
        ("sent", "iza-1", {"to": "iza-2", "ids": [1], "priority": "urgent"}),
    ]


@pytest.mark.parametrize("command", ["tell", "inbox", "ack"])
def test_help_has_an_example(run: Runner, command: str) -> None:
    done = run("gitqueen", command, "--help")
    assert done.returncode == 0
    assert re.search(rf"Examples?: gitqueen {command}\b", done.stdout)
