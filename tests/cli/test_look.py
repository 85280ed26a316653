"""Looking, as whole commands: status, onboard, history, scan."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.kit import sql
from tests.hive import Repo, Runner, Sister


def test_status_of_a_hive(sister: Callable[..., Sister], repo: Callable[..., Repo], home: Path) -> None:
    app = repo()
    feature = app.worktree("izabael/phase10")
    one, two = sister("iza-1", app), sister("iza-2", feature)
    one.sh("gitqueen whoami --name iza-1; echo change >>README")
    two.sh("iam 'Phase 10 shipped + building the relay strategy'; gitqueen claim deploy")
    two.sh("gitqueen tell iza-1 hello; gitqueen tell iza-1 --urgent now; gitqueen scan")
    wide = max(len(str(one.pid)), len(str(two.pid)))
    places = [str(app.path), str(feature.path)]
    done = two.sh("gitqueen")
    assert (done.rc, done.err) == (0, "")
    assert done.out == (
        "🐝 gitqueen — colony status\n"
        "\n"
        f"  iza-1    pid {one.pid:<{wide}}  unknown       [main*]            {places[0]}\n"
        f"  iza-2    pid {two.pid:<{wide}}  working  📌   [izabael/phase10]  {places[1]}\n"
        "           Phase 10 shipped + building the relay strategy\n"
        "\n"
        "  Claims: deploy (iza-2, now)   Conflicts: 0   Cron jobs tracked: 0\n"
        "  📬 Pending mail: iza-1 2 unread ⚡1\n"
    )
    assert two.sh("gitqueen status").out == done.out


def test_a_sister_who_comes_into_a_worktree_is_seen_to_share_it_at_once(
    sister: Callable[..., Sister], repo: Callable[..., Repo]
) -> None:
    app = repo()
    one, two = sister("iza-1", app), sister("iza-2", app)
    one.sh("iam 'the parser'; gitqueen scan")
    assert two.sh("gitqueen whoami").out.startswith(f"iza-2  pid {two.pid}  ")
    assert "    shared-branch: iza-1 and iza-2 are on main in one worktree\n" in one.sh("gitqueen").out
    briefed = two.sh("gitqueen onboard").out
    assert "  ⚠ You share this worktree with iza-1:\n" in briefed
    assert f"    Apart: git worktree add -b iza-2 {app.path}-iza-2\n" in briefed
    # The line works as it stands.
    assert two.sh(re.search(r"Apart: (.*)", briefed)[1]).rc == 0  # type: ignore[index]
    two.sh(f"cd {app.path}-iza-2; gitqueen whoami")
    assert "Conflicts: 0" in one.sh("gitqueen").out


def test_status_of_one_repository_and_of_all(
    sister: Callable[..., Sister], repo: Callable[..., Repo], run: Runner
) -> None:
    app, other = repo("app"), repo("other")
    one, two = sister("iza-1", app), sister("iza-2", other)
    one.sh("iam 'one thing'; gitqueen claim here --path 'src/**'")
    two.sh("iam 'another matter'; gitqueen claim there --path 'src/**'; gitqueen claim deploy; gitqueen scan")

    def seen(*words: str) -> tuple[list[str], list[str], list[str]]:
        said = json.loads(run("gitqueen", "status", "--json", *words, check=True).stdout)
        return (
            [one["name"] for one in said["sisters"]],
            sorted(one["id"] for one in said["claims"]),
            [Path(one["path"]).name for one in said["repos"]],
        )

    assert seen() == (["iza-1", "iza-2"], ["deploy", "here", "there"], ["app", "other"])
    assert seen("--repo", "app") == (["iza-1"], ["deploy", "here"], ["app"])
    assert seen("--repo", str(other.write("deep/er/file", "").parent)) == (["iza-2"], ["deploy", "there"], ["other"])
    two.kill()
    assert seen()[2] == ["app"]
    assert seen("--all")[2] == ["app", "other"]
    done = run("gitqueen", "status", "--repo", "/")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == "gitqueen: '/' is in no git repository\n  → name a folder inside one\n"


def test_names_with_numbers_stand_in_their_order(run: Runner, home: Path) -> None:
    run("gitqueen", check=True)
    for number, name in enumerate(("iza-10", "iza-9", "Iza-1", "iza-2b", "iza-2"), 1):
        sql(
            home,
            "INSERT INTO sisters VALUES (?, ?, NULL, NULL, 'auto', 'idle', '2999-01-01')",
            10_000_000 + number,
            name,
        )
    rows = run("gitqueen").stdout.splitlines()[2:7]
    assert [row.split()[0] for row in rows] == ["Iza-1", "iza-2", "iza-2b", "iza-9", "iza-10"]


def test_onboard_of_a_session_and_of_a_person(
    sister: Callable[..., Sister], repo: Callable[..., Repo], run: Runner
) -> None:
    one, two = sister("iza-1", repo("app")), sister("iza-2", repo("other"))
    one.sh("iam 'Hunting the Falken mp3 trigger'")
    two.sh("gitqueen tell iza-1 'look at\nthis' --urgent; gitqueen claim deploy -m 'rolling out'")
    two.sh("gitqueen claim mine --path a.py")
    done = one.sh("gitqueen onboard")
    assert (done.rc, done.err) == (0, "")
    assert done.out == (
        "🐝 gitqueen onboarding for iza-1\n"
        "  Your task: Hunting the Falken mp3 trigger\n"
        "\n"
        "  Other sisters working right now:\n"
        "    iza-2    unknown   [main]\n"
        "\n"
        "  Claims held:\n"
        "    deploy by iza-2: rolling out\n"
        "\n"
        "  📬 1 unread (read it: gitqueen inbox):\n"
        "    #1 from iza-2 ⚡URGENT: look at …\n"
        "\n"
        '  Send mail to a sister:    queen tell <name> "<msg>"\n'
        "  Before editing a file:    queen check <path>\n"
        '  Hold it for yourself:     queen claim <id> --path <glob> -m "<why>"\n'
        "  Warn at collisions here:  queen hooks install .\n"
    )
    assert one.sh("gitqueen inbox").out.startswith("📬 1 unread for iza-1\n")  # onboard did not read it for her


def test_onboard_as_json_has_everything(sister: Callable[..., Sister], repo: Callable[..., Repo]) -> None:
    app = repo()
    one, two = sister("iza-1", app), sister("iza-2", app)
    one.sh("iam 'the parser'")
    two.sh("iam 'the docs'; gitqueen claim deploy; gitqueen tell iza-1 hello")
    said = json.loads(one.sh("gitqueen onboard --json").out)
    assert set(said) == {
        "schema", "name", "sister", "sisters", "shares_worktree_with", "claims", "conflicts", "messages", "managed"
    }  # fmt: skip
    assert (said["name"], said["sister"]["task"], said["managed"]) == ("iza-1", "the parser", False)
    assert [one["name"] for one in said["sisters"]] == said["shares_worktree_with"] == ["iza-2"]
    assert [one["id"] for one in said["claims"]] == ["deploy"]
    assert [one["type"] for one in said["conflicts"]] == ["shared-branch"]
    assert "hello" in [one["body"] for one in said["messages"]]


@pytest.mark.parametrize("sisters", [30])
def test_onboard_stays_below_2000_characters_in_a_crowded_hive(
    sister: Callable[..., Sister], repo: Callable[..., Repo], home: Path, sisters: int
) -> None:
    iza = sister("iza-1", repo())
    iza.sh("iam 'a task'; gitqueen scan")
    with closing(sqlite3.connect(home / "queen.db")) as db:
        for n in range(2, sisters + 2):
            row = (10_000_000 + n, f"iza-{n}", "feature/" + "b" * 60, "long task " * 200, "2999-01-01")
            db.execute("INSERT INTO sisters VALUES (?, ?, ?, ?, 'declared', 'working', ?)", row)
        for n in range(50):
            db.execute("INSERT INTO claims VALUES (?, 'iza-2', ?, '2026-01-01', NULL)", (f"claim-{n}", "why " * 200))
        for n in range(100):
            row2 = (f"c-{n}", "custom", '["iza-1"]', "detail " * 200)
            db.execute("INSERT INTO conflicts VALUES (?, ?, ?, ?, '2026-01-01', NULL)", row2)
        db.executemany(
            """INSERT INTO messages (from_sister, to_sister, body, priority, sent_at)
               VALUES ('x', 'iza-1', ?, ?, '2026-01-01')""",
            [("word " * 1000, "urgent" if n == 99 else "normal") for n in range(200)],
        )
        db.commit()
    done = iza.sh("gitqueen onboard")
    assert done.rc == 0 and 1000 < len(done.out) <= 2001  # with the newline
    assert "  📬 200 unread (read it: gitqueen inbox):\n    #100 from x ⚡URGENT: word word" in done.out
    for more in ("and 2", "and 4", "and 9", "and 1"):
        assert f"    {more}" in done.out
    assert 'queen tell <name> "<msg>"' in done.out


def test_history_tells_who_did_what_the_latest_last(
    sister: Callable[..., Sister], repo: Callable[..., Repo], run: Runner
) -> None:
    assert run("gitqueen", "history").stdout == "nothing has happened yet\n"
    one, two = sister("iza-1", repo("app")), sister("iza-2", repo("other"))
    one.sh("iam 'hunting'; gitqueen claim deploy")
    two.sh("iam 'the docs'")
    one.sh("gitqueen release deploy")

    def kinds(*words: str) -> list[tuple[str, str]]:
        said = json.loads(run("gitqueen", "history", "--json", *words, check=True).stdout)
        return [(event["sister"], event["kind"]) for event in said["events"]]

    mine = [("iza-1", "arrived"), ("iza-1", "declared"), ("iza-1", "claimed")]
    hers = [("iza-2", "arrived"), ("iza-2", "declared")]
    assert kinds() == [*mine, *hers, ("iza-1", "released")]
    assert kinds("-n", "2") == [("iza-2", "declared"), ("iza-1", "released")]
    assert kinds("--sister", "iza-2") == hers
    assert kinds("--repo", "other") == hers
    assert kinds("--repo", "app", "--sister", "iza-2") == []
    assert run("gitqueen", "history", "--repo", "/").returncode == 4
    line = run("gitqueen", "history", "--sister", "iza-2").stdout.splitlines()[-1]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  iza-2  declared: the docs", line)


def test_looking_makes_nobody_a_sister_and_a_new_home(run: Runner, home: Path, repo: Callable[..., Repo]) -> None:
    app = repo()
    for words in ("status", "onboard", "check", "conflicts", "history", "scan", "claims", "inbox", "whoami"):
        done = run("gitqueen", words, cwd=app)
        assert (done.returncode, done.stderr) == (0, ""), words
    with closing(sqlite3.connect(home / "queen.db")) as db:
        assert db.execute("SELECT count(*) FROM sisters").fetchone() == (0,)
    assert (home.stat().st_mode & 0o777, (home / "queen.db").stat().st_mode & 0o777) == (0o700, 0o600)


def test_commands_that_look_scan_when_the_last_look_is_old(
    sister: Callable[..., Sister], repo: Callable[..., Repo], run: Runner, home: Path
) -> None:
    app = repo()
    iza = sister("iza-1", app)
    iza.sh("iam 'a task'; gitqueen scan")

    def dirty(words: str) -> int:
        run("gitqueen", words, cwd=app)
        with closing(sqlite3.connect(home / "queen.db")) as db:
            return int(db.execute("SELECT dirty FROM sessions").fetchone()[0])

    for number, words in enumerate(("status", "onboard", "check", "conflicts"), 1):
        app.write(f"file-{number}", "new")
        assert dirty(words) == number - 1, f"{words}: a look of some seconds ago is good enough"
        sql(home, "UPDATE meta SET value = value - 31 WHERE key = 'last_scan'")
        assert dirty(words) == number, words
    # A clock that was set back leaves a look from the future: no reason never to look again.
    app.write("file-5", "new")
    sql(home, "UPDATE meta SET value = value + 5000 WHERE key = 'last_scan'")
    assert dirty("status") == 5
