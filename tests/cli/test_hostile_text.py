"""Whatever peers, other programs or repositories wrote, no command hands it to the terminal as something to obey."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gitqueen.cli import main
from tests.hive import Done, Repo, Runner, Sister

POISON = "\x1b]0;owned\x07\x1b[2J\r\n\t\x08\x00\x7f\x9b31m\u202e\u2066\u200f\u061c\u2028end"
SQL_POISON = POISON.replace("\x00", "")  # SQLite would end a text there
BRANCH = b"ev\xc2\x9b31m\xe2\x80\xae\xff\xe4\xbf\xae"
"""What git lets through in a branch: a C1 control, a bidi override, a byte that is no UTF-8."""
FOLDER = b"fo\x1b[31m\n\xe2\x80\xae\xff\x07ld"

FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0 but newline, DEL, C1, bidi controls, line separators, and (as `Runner` decodes) bytes that are no UTF-8."""
OUR_COLOURS = re.compile(r"\x1b\[(0|1|2|3[0-7](;1)?)m")

SHOWING = {
    "status": ["status", "status --all", "status --repo ."],
    "onboard": ["onboard"],
    "whoami": ["whoami"],
    "iam": ["iam", "iam --done", "iam %p"],
    "tell": ["tell %p hi", "tell @all %p", "tell iza-2 %p"],
    "inbox": ["inbox --peek", "inbox --all"],
    "ack": ["ack 1", "ack %p", "ack 99999"],
    "claim": ["claim %p", "claim x --path %p", "claim y -m %p", "claim x --ttl %p", "claim taken"],
    "release": ["release %p", "release taken"],
    "claims": ["claims", "claims --all"],
    "check": ["check", "check .", "check %p", "check /%p"],
    "conflicts": ["conflicts", "conflicts --all"],
    "resolve": ["resolve %p", "resolve %s"],
    "history": ["history -n 500", "history --sister %p", "history --repo %p"],
    "hooks": ["hooks status", "hooks status %p"],
    "scan": ["scan"],
    "doctor": ["doctor"],
    "demo": [],  # shows what it wrote itself
    "completion": ["completion %p"],
    "log": [],  # shows what git says
    "": ["%p", "--%p"],
}


@pytest.fixture
def poisoned(sister: Callable[..., Sister], tmp_path: Path, home: Path, run: Runner) -> Sister:
    """iza-1, who stands with iza-2 in a hostile repository, in a hive that hostile programs wrote into."""
    folder = os.path.join(os.fsencode(tmp_path), FOLDER)
    os.mkdir(folder)
    git: list[str | bytes] = ["git", "-C", folder]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-qm", "one", "--allow-empty"], check=True)
    subprocess.run([*git, "checkout", "-qb", BRANCH], check=True)
    subprocess.run([*git, "worktree", "add", "-q", "-b", BRANCH + b"2", folder + b"2"], check=True)
    bad_file = SQL_POISON.replace("/", "")
    for place in (folder, folder + b"2"):
        with open(os.path.join(place, os.fsencode(bad_file)), "w") as file:
            file.write("changed")
    one, two = sister("iza-1", os.fsdecode(folder)), sister("iza-2", os.fsdecode(folder + b"2"))
    for each, other in ((one, two), (two, one)):
        poison = "$(printf '\\033]0;owned\\007\\302\\23331m\\342\\200\\256')"
        each.sh(f'iam "task {poison}"; gitqueen claim {each.name} -m "why {poison}" --path "*{poison}*"')
        each.sh(f'gitqueen tell {other.name} "body {poison}" --urgent; git add -A')
    two.sh("gitqueen claim taken; git switch -q --detach")
    one.sh("gitqueen check; git switch -q -c other")
    with closing(sqlite3.connect(home / "queen.db", isolation_level=None)) as db:
        p, later = SQL_POISON, "2999-01-01"
        db.execute("INSERT INTO sisters VALUES (10000001, ?, ?, ?, ?, ?, ?)", (p, p, p, "declared", p, later))
        db.execute("INSERT INTO sisters VALUES (10000002, ?, ?, ?, ?, ?, ?)", (p.encode(), p, b"\xff\x1b", p, p, later))
        for to in ("iza-1", p):
            db.execute("INSERT INTO messages VALUES (NULL, ?, ?, ?, ?, ?, NULL, NULL)", (p, to, p, p, p))
        db.execute("INSERT INTO claims VALUES (?, ?, ?, ?, NULL)", (p, p, p, p))
        for number, names in enumerate((p, json.dumps([p, "iza-1"]), json.dumps({p: p}))):
            db.execute("INSERT INTO conflicts VALUES (?, ?, ?, ?, ?, NULL)", (f"{number}{p}", p, names, p, p))
    run("gitqueen", "scan", check=True)
    return one


def harmless(done: Done | subprocess.CompletedProcess[str], words: str, painted: bool = False) -> None:
    out, err = (done.out, done.err) if isinstance(done, Done) else (done.stdout, done.stderr)
    for text in (out, err):
        found = FORBIDDEN.search(OUR_COLOURS.sub("", text) if painted else text)
        assert found is None, f"{words}: {found[0]!r} after {text[max(0, found.start() - 60) : found.start()]!r}"


def test_no_command_lets_anything_through(poisoned: Sister) -> None:
    answered = 0
    # A command that nobody thought of here is tried bare, and with poison.
    newer = [line for name in main.COMMANDS if name not in SHOWING for line in (name, f"{name} %p")]
    for words in [*newer, *(line for lines in SHOWING.values() for line in lines)]:
        shell = "gitqueen " + words.replace("%p", '"$p"').replace("%s", "0")
        poisoned.sh("p=$(printf '\\033]0;owned\\007\\010\\177\\302\\23331m\\342\\200\\256\\377x')")
        done = poisoned.sh(f"GITQUEEN_DEBUG=1 CLICOLOR_FORCE=1 {shell}")
        harmless(done, words, painted=True)
        assert done.rc in (0, 1, 2, 4), (words, done)
        asked = poisoned.sh(f"{shell} --json")
        harmless(asked, f"{words} --json")
        assert asked.rc in (0, 1, 2, 4) and json.loads(asked.out)["schema"] == 1, (words, asked)
        answered += "owned" in done.out
    assert answered >= 8  # it was there to be shown


def test_what_was_hostile_is_shown_as_escapes_and_comes_whole_in_json(poisoned: Sister) -> None:
    status = poisoned.sh("gitqueen").out
    for shown in (r"task \x1b]0;owned\x07\x9b31m\u202e", r"fo\x1b[31m\n\u202e\xff\x07ld2"):
        assert shown in status
    said = json.loads(poisoned.sh("gitqueen status --json").out)
    names = [one["name"] for one in said["sisters"]]
    assert SQL_POISON in names and "iza-1" in names
    assert SQL_POISON in [one["id"] for one in said["claims"]]
    assert [SQL_POISON, "iza-1"] in [one["sisters"] for one in said["conflicts"]]
    [me] = [one for one in said["sisters"] if one["name"] == "iza-1"]
    assert os.fsencode(me["worktree"]).endswith(FOLDER)  # byte for byte


@pytest.mark.parametrize(
    "env",
    [
        {"GITQUEEN_NAME": "x\x1b[31m\u202e"},
        {"GITQUEEN_PID": "1\x1b[31m\n"},
        {"GITQUEEN_HOME": "/dev/null/\x1b[31m\n\x07"},
        {"HOME": "/proc/\x1b[31m\n\x07", "GITQUEEN_HOME": None},
        {"LOGNAME": "\x1b[31m\n\u202e"},
        {"GIT_DIR": "/\x1b[31m\n"},
        {"TERM": "\x1b[31m"},
    ],
)
def test_a_hostile_environment_is_refused_in_escapes(run: Runner, env: dict[str, str | None]) -> None:
    for words in ("status", "iam x", "check --json", "doctor"):
        done = run("gitqueen", *words.split(), env=env)
        harmless(done, words)
        assert done.returncode in (0, 1, 2, 4), (words, done)


def test_what_git_s_hooks_print_is_clean_too(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    app = repo("app", {"a.py": "1\n"})
    feature = app.worktree("feature")
    one, two = sister("iza-1", app), sister("iza-2", feature)
    poison = "$(printf '\\033]0;owned\\007\\302\\23331m\\342\\200\\256')"
    two.sh(f'iam "task {poison}"; gitqueen claim c -m "{poison}" --path "*{poison}*"; gitqueen claim d --path a.py')
    one.sh("iam 'the docs'; gitqueen hooks install .; gitqueen scan")
    one.sh(f'touch "x{poison}"; echo 2 >>a.py; git add -A')
    done = one.sh("git commit -qm two")
    assert "a.py" in done.err and r"x\x1b]0;owned" in done.err
    harmless(done, "commit")
    two.sh("git switch -q --detach; gitqueen whoami")
    done = one.sh("git switch -q feature")
    harmless(done, "checkout")
