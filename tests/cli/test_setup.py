"""In and out in one step: what it shows, what it touches, and that nothing of it stays."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import hive
from tests.hive import Repo, Runner


@pytest.fixture
def no_daemon_after(run: Runner) -> Iterator[None]:
    yield
    run("gitqueen", "daemon", "stop")


pytestmark = pytest.mark.usefixtures("no_daemon_after")


@pytest.fixture
def app(run: Runner, repo: Callable[..., Repo]) -> Repo:
    one = repo()
    run("gitqueen", "repos", "add", one, check=True)
    return one


def everything(*tops: os.PathLike[str]) -> dict[str, bytes | str]:
    """Every file below, but for the queen's own and what git changes by itself."""
    found: dict[str, bytes | str] = {}
    for top in tops:
        for folder, folders, files in os.walk(top):
            folders[:] = [name for name in folders if name not in ("queen", ".cache", "objects")]
            for name in files:
                path = os.path.join(folder, name)
                found[path] = os.readlink(path) if os.path.islink(path) else Path(path).read_bytes()
    return found


def test_it_shows_what_it_touches_and_touches_nothing(run: Runner, app: Repo, sealed: Path, home: Path) -> None:
    (sealed / ".claude/settings.json").write_text('{"theme": "dark"}\n')
    before = everything(sealed, app)
    said = run("gitqueen", "install", "--dry-run", check=True).stdout
    lines = said.splitlines()
    assert lines[0] == "gitqueen install will touch:"
    path = re.escape(os.path.realpath(app))
    assert any(re.fullmatch(rf"  hooks   {path}: pre-commit, post-checkout, .*", line) for line in lines)
    assert any(line.startswith("  claude  ~/.claude/settings.json: ") for line in lines)
    assert lines[-1] == ("  daemon  ~/.claude/queen: a process in the background (no systemd of this user here)")
    assert everything(sealed, app) == before
    asked = run("gitqueen", "install")
    assert (asked.returncode, asked.stderr) == (
        2, "gitqueen: this asks first, and nobody is there to answer\n  → say so: gitqueen install --yes\n"
    )  # fmt: skip


def test_in_and_out_again(run: Runner, app: Repo, sealed: Path, home: Path) -> None:
    (sealed / ".claude/settings.json").write_text('{"theme": "dark"}\n')
    hook = app.path / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\necho mine\n")
    hook.chmod(0o755)
    before = everything(sealed, app)
    done = run("gitqueen", "install", "--yes", check=True).stdout
    assert done.splitlines()[-1] == "✓ installed"
    assert run("gitqueen", "daemon", "status").returncode == 0
    assert run("gitqueen", "hooks", "status", app).returncode == 0
    assert "hooks" in json.loads((sealed / ".claude/settings.json").read_text())
    assert run("gitqueen", "install", "--yes", check=True).stdout.splitlines()[-1] == "✓ installed"
    gone = run("gitqueen", "uninstall", check=True).stdout
    assert gone.splitlines()[-1] == "✓ uninstalled"
    assert run("gitqueen", "daemon", "status").returncode == 1
    assert everything(sealed, app) == before
    assert (home / "queen.db").exists()  # mail, claims and history stay


def test_it_asks_once_and_shows_first_what_it_will_touch(run: Runner, app: Repo, sealed: Path) -> None:
    (sealed / ".claude/settings.json").write_text('{"theme": "dark"}\n')
    shown = run("gitqueen", "install", "--dry-run", check=True).stdout.splitlines()
    code, said = hive.on_a_terminal("y\n", "gitqueen", "install")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", said).replace("\r\n", "\n").splitlines()
    [question] = [at for at, line in enumerate(lines) if "[y/N]" in line]
    # The first line is what was typed.
    assert (code, lines[1:question], lines[-1]) == (0, shown, "✓ installed")
    assert run("gitqueen", "daemon", "status").returncode == 0
    # A daemon that is killed rather than ended is no reason to leave anything.
    os.kill(json.loads(run("gitqueen", "daemon", "status", "--json").stdout)["pid"], signal.SIGKILL)
    assert run("gitqueen", "uninstall", check=True).stdout.splitlines()[-1] == "✓ uninstalled"
    assert not (app.path / ".git/hooks/pre-commit").exists()
    assert json.loads((sealed / ".claude/settings.json").read_text()) == {"theme": "dark"}


def test_purge_takes_the_queen_and_nothing_else(run: Runner, app: Repo, home: Path) -> None:
    (home / "mine.txt").write_text("not the queen's\n")
    run("gitqueen", "hooks", "install", cwd=app, check=True)
    app.write("work.txt", "uncommitted\n")
    run("gitqueen", "rescue", "now", cwd=app, check=True)
    app.git("notes", "--ref=gitqueen", "add", "-m", "as a drain would", "HEAD")
    run("gitqueen", "agents", "install", "claude", check=True)
    refused = run("gitqueen", "uninstall", "--purge")
    assert refused.returncode == 2 and (home / "queen.db").exists()
    said = run("gitqueen", "uninstall", "--purge", "--yes", check=True).stdout
    assert said.splitlines()[-2:] == ["  queen   ~/.claude/queen: removed, all but mine.txt", "✓ uninstalled"]
    assert [file.name for file in home.iterdir()] == ["mine.txt"]
    assert "refs/notes/gitqueen is gone; the snapshots of uncommitted work are gone" in said
    assert app.git("for-each-ref", "refs/notes", "refs/gitqueen") == ""
    assert not (app.path / ".git" / "gitqueen" / "rescue.git").exists()
    assert (app.path / "work.txt").read_text() == "uncommitted\n"


SYSTEMCTL = """#!/bin/sh
echo "$*" >>"$HOME/asked"
unit="$XDG_CONFIG_HOME/systemd/user/gitqueen.service"
case "$2" in
  restart) "$(sed -n 's/^ExecStart=\\([^ ]*\\).*/\\1/p' "$unit")" -P -m gitqueen daemon start >/dev/null ;;
  list-timers) echo '[]' ;;
esac
"""


def test_with_systemd_it_is_a_unit_of_this_user(run: Runner, app: Repo, sealed: Path) -> None:
    (sealed / ".run/systemd").mkdir()
    stub = sealed / ".stubs/systemctl"
    stub.write_text(SYSTEMCTL)
    stub.chmod(0o755)
    unit = sealed / ".config/systemd/user/gitqueen.service"
    assert run("gitqueen", "daemon", "install", check=True).stdout == (
        "✓ the daemon runs, see ~/.config/systemd/user/gitqueen.service\n"
    )
    text = unit.read_text()
    assert re.search(r"^ExecStart=\S+ -P -m gitqueen daemon run$", text, re.M)
    assert f"Environment=GITQUEEN_HOME={os.environ['GITQUEEN_HOME']}\n" in text
    asked = [line for line in (sealed / "asked").read_text().splitlines() if "timers" not in line]
    assert asked == ["--user daemon-reload", "--user enable gitqueen.service", "--user restart gitqueen.service"]
    run("gitqueen", "daemon", "uninstall", check=True)
    assert not unit.exists() and run("gitqueen", "daemon", "status").returncode == 1
    unit.write_text("[Unit]\nDescription=somebody else's\n")
    refused = run("gitqueen", "daemon", "install")
    assert (refused.returncode, unit.read_text()) == (4, "[Unit]\nDescription=somebody else's\n")
    run("gitqueen", "daemon", "uninstall", check=True)
    assert unit.exists()


@pytest.mark.parametrize("command", ["install", "uninstall --purge", "hooks install --global"])
def test_a_no_and_the_end_of_input_are_answers(sealed: Path, app: Repo, command: str) -> None:
    code, said = hive.on_a_terminal("n\n", "gitqueen", *command.split())
    assert code == 1 and "? [y/N]: " in said and said.endswith("gitqueen: nothing was changed\n"), said
    assert hive.on_a_terminal("\x04", "gitqueen", *command.split())[0] == 130
    assert not (sealed / ".claude" / "queen" / "crash.log").exists()
    assert not (app.path / ".git" / "hooks" / "post-commit").exists()
