"""The `--json` shapes of the contract: exactly these keys, unknown is null, times are ISO 8601 in UTC."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.hive import Repo, Runner, Sister

SHAPES = {
    "sisters": "name pid agent status task task_source repo worktree branch head dirty last_seen started_at terminal",
    "claims": "id owner description paths repo claimed_at expires_at",
    "conflicts": "id type sisters repo detail severity detected_at resolved_at",
    "mail": "sister unread urgent",
    "repos": "path worktrees branch sisters",
    "events": "id at kind sister repo detail",
    "messages": "id from to body priority sent_at read_at acked_at reply_to",
    "collisions": "path sister verdict severity detail merge",
    "checks": "name ok detail mend",
}


def moments(value: Any, key: str = "") -> list[str]:
    """All times in it."""
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in moments(inner, name)]
    if isinstance(value, list):
        return [found for inner in value for found in moments(inner, key)]
    return [value] if isinstance(value, str) and (key == "at" or key.endswith(("_at", "_seen"))) else []


def check_shape(said: dict[str, Any]) -> None:
    assert said["schema"] == 1
    for key, words in SHAPES.items():
        for entry in said[key] if isinstance(said.get(key), list) else ():
            assert list(entry) == words.split() or set(entry) == {*words.split(), "released_at"}, key
    assert [at for at in moments(said) if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", at)] == []


def test_status_says_all_that_is_known(sister: Callable[..., Sister], repo: Callable[..., Repo]) -> None:
    app = repo()
    iza = sister("iza-1", app)
    iza.sh("iam 'the relay'; gitqueen claim api --path 'src/**' --ttl 2h -m why; echo x >new; gitqueen scan")
    said = json.loads(iza.sh("gitqueen status --json").out)
    check_shape(said)
    assert list(said) == ["schema", "at", "hive", "sisters", "claims", "conflicts", "mail", "cron_jobs", "repos"]
    assert said["hive"] == {"machine": socket.gethostname()}
    [me] = said["sisters"]
    path = str(app.path)
    assert {key: me[key] for key in me if key not in ("last_seen", "started_at", "agent")} == {
        "name": "iza-1",
        "pid": iza.pid,
        "status": "working",
        "task": "the relay",
        "task_source": "declared",
        "repo": path,
        "worktree": path,
        "branch": "main",
        "head": app.head,
        "dirty": 1,
        "terminal": None,
    }
    assert me["started_at"] <= me["last_seen"] <= said["at"]
    [claim] = said["claims"]
    assert claim["claimed_at"] < claim["expires_at"]
    assert {key: claim[key] for key in ("id", "owner", "description", "paths", "repo")} == {
        "id": "api",
        "owner": "iza-1",
        "description": "why",
        "paths": ["src/**"],
        "repo": path,
    }
    assert (said["conflicts"], said["mail"], said["cron_jobs"]) == ([], [], 0)
    assert said["repos"] == [{"path": path, "worktrees": [path], "branch": "main", "sisters": ["iza-1"]}]


def test_what_is_unknown_is_null(run: Runner, home: Path) -> None:
    run("gitqueen", check=True)
    with closing(sqlite3.connect(home / "queen.db", isolation_level=None)) as db:
        db.execute("INSERT INTO sisters (pid, name, last_seen) VALUES (10000001, 'bare', '2999-01-01 00:00')")
        db.execute("INSERT INTO claims VALUES ('odd', 'bare', NULL, 'no time', NULL)")
        db.execute("INSERT INTO conflicts VALUES ('odd', 'custom', 'bare', NULL, 'no time', NULL)")
        db.execute("INSERT INTO messages (to_sister, body, sent_at) VALUES ('bare', 'x', 'no time')")
    said = json.loads(run("gitqueen", "status", "--json", check=True).stdout)
    check_shape(said)
    nothing = dict.fromkeys(("task", "repo", "worktree", "branch", "head", "dirty", "started_at", "terminal"))
    assert said["sisters"] == [
        {
            "name": "bare",
            "pid": 10000001,
            "agent": "unknown",
            "status": "unknown",
            "task_source": "auto",
            "last_seen": "2999-01-01T00:00:00Z",
            **nothing,
        }
    ]
    assert said["claims"] == [
        {**dict.fromkeys(SHAPES["claims"].split()), "id": "odd", "owner": "bare", "paths": []}
    ]  # fmt: skip
    conflict = {**dict.fromkeys(SHAPES["conflicts"].split()), "id": "odd", "type": "custom", "sisters": ["bare"]}
    assert said["conflicts"] == [conflict]
    assert said["mail"] == [{"sister": "bare", "unread": 1, "urgent": 0}]


def test_a_detached_head_and_an_unborn_branch(
    sister: Callable[..., Sister], repo: Callable[..., Repo], tmp_path: Path, run: Runner
) -> None:
    app = repo()
    app.git("checkout", "--quiet", "--detach")
    (tmp_path / "new").mkdir()
    run("git", "init", "--quiet", "new", check=True)
    sister("one", app).sh("iam x; gitqueen scan")
    sister("two", tmp_path / "new").sh("iam y; echo x >file; gitqueen scan")
    said = json.loads(run("gitqueen", "status", "--json").stdout)
    found = [(one["branch"], one["head"], one["dirty"]) for one in said["sisters"]]
    assert found == [(None, app.head, 0), ("main", None, 1)]
    assert [one["branch"] for one in said["repos"]] == [None, "main"]


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ("onboard", "name sister sisters shares_worktree_with claims conflicts messages managed"),
        ("whoami", "sister"),
        ("iam", "sister done duplicates"),
        ("inbox --all", "messages"),
        ("claims --all", "claims"),
        ("check a.py", "collisions"),
        ("conflicts --all", "conflicts"),
        ("history", "events"),
        ("scan", "scanned sisters worktrees gone given_back resolved faults"),
        ("scan --stale", "scanned"),
        ("doctor", "checks"),
        ("tell iza-2 hello", "id ids to absent"),
        ("ack 1", "acknowledged"),
        ("completion bash", "shell script"),
    ],
)
def test_other_shapes(sister: Callable[..., Sister], repo: Callable[..., Repo], words: str, keys: str) -> None:
    app = repo("app", {"a.py": "1\n"})
    one, two = sister("iza-1", app), sister("iza-2", app.worktree("feature"))
    one.sh("iam 'the docs'")
    two.sh("gitqueen tell iza-1 hello; iam 'the parser'; gitqueen claim a --path a.py; gitqueen scan")
    done = one.sh(f"gitqueen {words} --json")
    assert done.err == "" and done.out.count("\n") == 1
    said = json.loads(done.out)
    assert next(iter(said)) == "schema" and set(said) == {"schema", *keys.split()}
    check_shape(said)
