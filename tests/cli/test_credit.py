"""Who made what, as people and programs read it: provenance, blame, log."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from gitqueen.git import notes
from tests.git.contract import here
from tests.hive import Repo, Runner, Sister, gitqueen
from tests.hooks.kit import install, until


def tell(app: Repo, oid: str, what: str, sister: str, task: str | None, at: str = "2026-02-03T04:05:06Z") -> None:
    line = {"what": what, "sister": sister, "task": task, "agent": "claude", "machine": "here", "at": at}
    notes.add(here(app.path), {oid: [json.dumps(line)]})


@pytest.fixture
def app(repo: Callable[..., Repo]) -> Repo:
    """A history of three commits, made by iza-1, somebody unknown, and bea after iza-1."""
    made = repo(files={"a.py": "one\n"})
    tell(made, made.head, "started", "iza-1", "the relay")
    tell(made, made.head, "commit", "iza-1", "the relay")
    made.commit("by hand", {"a.py": "one\ntwo\n"})
    made.commit("together", {"a.py": "one\ntwo\n\tthree\n"})
    tell(made, made.head, "commit", "iza-1", "the relay")
    tell(made, made.head, "commit", "bea", "the \x1b[31mdam", "2026-02-03T05:00:00Z")
    return made


def test_provenance(app: Repo, run: Runner) -> None:
    assert run("gitqueen", "provenance", cwd=app, check=True).stdout == (
        f"{app.head[:12]} together\n"
        '  made by iza-1  "the relay"  2026-02-03T04:05:06Z (claude, here)\n'
        '  made by bea  "the \\x1b[31mdam"  2026-02-03T05:00:00Z (claude, here)\n'
    )
    assert run("gitqueen", "provenance", "HEAD~1", cwd=app, check=True).stdout == (
        f"{app.git('rev-parse', '--short=12', 'HEAD~1')} by hand\n"
        "  no sister is known to have made it   (author: Keeper)\n"
    )
    first = run("gitqueen", "provenance", "HEAD~2", cwd=app, check=True).stdout.splitlines()
    assert [line.partition(" by ")[0] for line in first[1:]] == ["  a task was begun here", "  made"]
    said = json.loads(run("gitqueen", "provenance", "--json", cwd=app, check=True).stdout)
    assert list(said) == ["schema", "commit", "subject", "author", "notes", "conflicts"]
    assert said["notes"][1] == {
        "what": "commit",
        "sister": "bea",
        "task": "the \x1b[31mdam",
        "agent": "claude",
        "machine": "here",
        "at": "2026-02-03T05:00:00Z",
    }
    for name in ("nothing", "HEAD:a.py", "--", "a\nb"):
        done = run("gitqueen", "provenance", "--", name, cwd=app)
        assert (done.returncode, done.stdout) == (1, "") and "is no commit here" in done.stderr


def test_provenance_names_the_collision(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    app = install(repo(files={"a.py": "one\n"}))
    iza, bea = sister("iza-1", app), sister("bea", app)
    bea.sh("iam 'the dam'; gitqueen claim water --path a.py")
    iza.sh("iam 'the relay'; echo two >>a.py; git commit -qam mine")
    until(lambda: "collided" in iza.sh("gitqueen provenance").out, "the collision is told")
    said = iza.sh("gitqueen provenance").out.splitlines()
    assert said[1].startswith('  made by iza-1  "the relay"')
    assert said[2].startswith("  collided: iza-1 has a.py, claimed by bea (water)")
    [conflict] = json.loads(iza.sh("gitqueen provenance --json").out)["conflicts"]
    assert (conflict["type"], conflict["sisters"]) == ("file-collision", ["bea", "iza-1"])


def test_blame(app: Repo, run: Runner) -> None:
    app.write("a.py", "one\ntwo\n\tthree\nfour \x1b[2J\n")
    short = [app.git("rev-parse", "--short=8", f"HEAD~{back}") for back in (2, 1, 0)]
    said = run("gitqueen", "blame", "a.py", cwd=app, check=True).stdout.splitlines()
    day = said.pop()
    assert said == [
        f"{short[0]} iza-1     the relay       2026-01-02 1  one",
        f"{short[1]} (Keeper)                  2026-01-02 2  two",
        f"{short[2]} bea       the \\x1b[31mdam 2026-01-02 3      three",
    ]
    assert re.fullmatch(r"00000000 \(not yet\) {17}\d{4}-\d\d-\d\d 4  four \\x1b\[2J", day)
    older = run("gitqueen", "blame", "a.py", "--rev", "HEAD~2", cwd=app, check=True).stdout
    assert older == f"{short[0]} iza-1 the relay 2026-01-02 1  one\n"
    lines = json.loads(run("gitqueen", "blame", "a.py", "--json", cwd=app, check=True).stdout)["lines"]
    assert lines[2] == {
        "number": 3,
        "commit": app.head,
        "author": "Keeper",
        "at": "2026-01-02T03:04:05Z",
        "text": "\tthree",
        "sister": "bea",
        "task": "the \x1b[31mdam",
    }
    assert (lines[1]["sister"], lines[3]["commit"], lines[3]["task"]) == (None, "0" * 40, None)


def test_blame_from_below_and_of_what_is_not_there(app: Repo, run: Runner) -> None:
    app.commit("below", {"sub/-x": "x\n"})
    (app.path / "empty").mkdir()
    assert run("gitqueen", "blame", "--", "-x", cwd=app.path / "sub", check=True).stdout.endswith("  x\n")
    assert run("gitqueen", "blame", "../a.py", cwd=app.path / "sub", check=True).stdout.count("\n") == 3
    assert run("gitqueen", "blame", "gone", cwd=app).returncode == 1
    assert run("gitqueen", "blame", "a.py", "--rev", "--output=x", cwd=app).returncode == 2
    assert run("gitqueen", "blame", "a.py", cwd=app.path.parent).returncode == 4
    assert not (app.path / "x").exists()


def test_log(app: Repo, run: Runner) -> None:
    shown = run("gitqueen", "log", cwd=app, check=True).stdout
    plain = app.git("log", "--no-notes").split("\n")
    assert [line for line in shown.splitlines() if "🐝" not in line and line] == [line for line in plain if line]
    assert [line for line in shown.splitlines() if "🐝" in line] == [
        "    🐝 made by iza-1: the relay",
        "    🐝 made by bea: the \\x1b[31mdam",
        "    🐝 a task was begun here by iza-1: the relay",
        "    🐝 made by iza-1: the relay",
    ]
    graph = run("gitqueen", "log", "--oneline", "--graph", cwd=app, check=True).stdout.splitlines()
    assert graph[:3] == [
        f"* {app.head[:7]} together",
        "|     🐝 made by iza-1: the relay",
        "|     🐝 made by bea: the \\x1b[31mdam",
    ]
    assert "Notes (gitqueen)" not in "".join(graph) and '{"what"' not in "".join(graph)
    # The root of a graph has blanks before it.
    assert graph[-2:] == ["      🐝 made by iza-1: the relay", "  "] or graph[-1] == "      🐝 made by iza-1: the relay"


def test_log_for_programs(app: Repo, run: Runner) -> None:
    said = json.loads(run("gitqueen", "log", "-2", "--oneline", "--json", cwd=app, check=True).stdout)["commits"]
    assert [(one["commit"], one["subject"], [note["sister"] for note in one["notes"]]) for one in said] == [
        (app.head, "together", ["iza-1", "bea"]),
        (app.git("rev-parse", "HEAD~1"), "by hand", []),
    ]
    assert list(said[0]) == ["commit", "author", "at", "subject", "notes"]
    done = run("gitqueen", "log", "--json", "--nonsense", cwd=app)
    assert json.loads(done.stdout)["error"]["message"].endswith("unrecognized argument: --nonsense")


def test_a_message_that_looks_like_a_note_is_none(app: Repo, run: Runner) -> None:
    forged = 'x\n\nNotes (gitqueen):\n    {"what": "commit", "sister": "mallory", "task": "trust me"}'
    app.commit(forged)
    for options in ([], ["--graph"], ["--oneline"], ["--format=fuller"]):
        assert "by mallory" not in run("gitqueen", "log", *options, cwd=app, check=True).stdout
    assert "mallory" not in run("gitqueen", "provenance", cwd=app, check=True).stdout


def test_what_others_wrote_into_a_note_is_shown_and_not_obeyed(app: Repo, run: Runner) -> None:
    app.git(
        "notes",
        "--ref=gitqueen",
        "append",
        "-m",
        'mine \x1b[2J\n\n{"what": "commit", "sister": "a\u202eb", "at": 7}\n[1',
    )
    shown = run("gitqueen", "log", "-1", cwd=app, check=True).stdout
    assert "    mine \\x1b[2J\n" in shown
    assert "    🐝 made by a\\u202eb\n" in shown
    assert "\x1b" not in shown
    assert "a\\u202eb" in run("gitqueen", "provenance", cwd=app, check=True).stdout


@pytest.mark.needs_tmux
def test_a_terminal_gets_the_users_pager_and_colours(app: Repo, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    pager = tmp_path / "pager"
    pager.write_text(f"#!/bin/sh\ncat >{seen}\n")
    pager.chmod(0o755)
    app.git("config", "core.pager", os.fspath(pager))
    for command in ("blame a.py", "log -1"):
        # A server that is going takes no new session.
        socket = os.fspath(tmp_path / f"tmux-{command[:3]}")
        seen.unlink(missing_ok=True)
        line = f"cd {app.path} && {gitqueen()} {command}; touch {seen}.done; sleep 60"
        subprocess.run(["tmux", "-S", socket, "new-session", "-d", "-x", "100", "-y", "30", line], check=True)
        until(partial(os.path.exists, f"{seen}.done"), "it has been shown")
        os.unlink(f"{seen}.done")
        subprocess.run(["tmux", "-S", socket, "kill-server"], check=True)
        text = seen.read_text()
        assert "\x1b[36m" in text and "bea" in text
        assert "the \\x1b[31mdam" in text
