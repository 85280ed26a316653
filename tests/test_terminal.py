"""On a real terminal: colours, block letters, lines that fit, and nothing of it when piped."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitqueen.views import text
from tests import hive
from tests.hive import Repo, Sister

pytestmark = pytest.mark.needs_tmux

LETTERS = [
    "██╗███████╗ █████╗        ██╗",
    "██║╚══███╔╝██╔══██╗      ███║",
    "██║  ███╔╝ ███████║█████╗╚██║",
    "██║ ███╔╝  ██╔══██║╚════╝ ██║",
    "██║███████╗██║  ██║       ██║",
    "╚═╝╚══════╝╚═╝  ╚═╝       ╚═╝",
]


class Screen:
    """A terminal of so many columns, in which a sister types."""

    def __init__(self, box: Path, columns: int, sister: Sister, cwd: Path) -> None:
        self.socket = box / f"{columns}.sock"
        self.count, self.box = 0, box
        env = {**os.environ, "GITQUEEN_NAME": sister.name, "GITQUEEN_PID": str(sister.pid), "ENV": ""}
        size = ["-x", str(columns), "-y", "100"]
        command = ["new-session", "-d", *size, "-c", str(cwd), "sh"]
        # -u: tmux asks the locale whether it may show more than ASCII.
        self._tmux("-u", "-f", "/dev/null", *command, env=env)

    def _tmux(self, *words: str, env: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self.socket), *words], env=env, capture_output=True, encoding="utf-8", check=True
        )
        return done.stdout

    def type(self, command: str, painted: bool = False) -> list[str]:
        """What the terminal shows after `command`; `painted`: with the colours."""
        self.count += 1
        ended = self.box / f"ended-{self.count}"
        self._tmux("send-keys", "-l", f"PS1=; clear; {command}; echo $? >{shlex.quote(str(ended))}")
        self._tmux("send-keys", "Enter")
        deadline = time.monotonic() + hive.PATIENCE
        while not (ended.exists() and ended.read_text()):
            assert time.monotonic() < deadline, self._tmux("capture-pane", "-p")
            time.sleep(0.02)
        # The terminal may still be painting when the command has ended: what it shows last stays.
        before, now = "", self._shown(painted)
        while before != now or not now.strip():
            assert time.monotonic() < deadline
            time.sleep(0.05)
            before, now = now, self._shown(painted)
        return now.rstrip("\n").split("\n")

    def _shown(self, painted: bool) -> str:
        return self._tmux("capture-pane", "-p", *(["-e"] if painted else []))

    def close(self) -> None:
        subprocess.run(["tmux", "-S", str(self.socket), "kill-server"], check=False, capture_output=True)


@pytest.fixture
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Screen]]:
    box = tmp_path_factory.mktemp("t")
    opened: list[Screen] = []

    def show(columns: int, sister: Sister, cwd: Path) -> Screen:
        opened.append(Screen(box, columns, sister, cwd))
        return opened[-1]

    yield show
    for one in opened:
        one.close()


BRANCH = "feature/phase10-the-long-branch-name-of-a-relay-strategy"
TASK = "修正する: a task that goes on and on, of every detail of the work that is done here, with all the tests"


@pytest.fixture
def iza(sister: Callable[..., Sister], repo: Callable[..., Repo], sealed: Path) -> tuple[Sister, Repo]:
    app = hive.new_repo(sealed / "code" / "application")
    one, two = sister("iza-1", app), sister("iza-2", app.worktree(BRANCH))
    one.sh("iam 'hunting the mp3 trigger'; gitqueen claim deploy")
    two.sh(f"iam '{TASK}'; gitqueen claim api; gitqueen tell iza-1 hello --urgent; gitqueen scan")
    return one, app


def test_status_fits_the_terminal(iza: tuple[Sister, Repo], screen: Callable[..., Screen]) -> None:
    one, app = iza
    narrow = screen(80, one, app.path).type("gitqueen")
    assert narrow[:2] == ["🐝 gitqueen — colony status", ""]
    first, task, second, hers = narrow[2:6]
    assert re.fullmatch(r"  iza-1    pid \d+ +working  📌   \[main\] +~/code/application", first)
    assert re.fullmatch(r"  iza-2    pid \d+ +working  📌   \[feature/\S+…\]  …\S+-strategy", second)
    assert text.width(second) in (79, 80)  # as much as there is room for
    assert task == "           hunting the mp3 trigger"
    assert hers == "           修正する: a task that goes on and on, of every detail of the work th…"
    claims = r"  Claims: \w+ \(iza-\d, \w+\) and 1 more   Conflicts: 0   Cron jobs tracked: 0"
    assert narrow[6] == "" and re.fullmatch(claims, narrow[7])
    assert narrow[8:] == ["  📬 Pending mail: iza-1 1 unread ⚡1"]
    wide = screen(160, one, app.path).type("gitqueen")
    assert len(wide) == len(narrow)
    assert wide[4].endswith(f"[{BRANCH[:37]}…]  ~/code/application-{BRANCH.replace('/', '-')}")
    assert text.width(wide[5]) == 11 + 100 and len(wide[5]) > len(narrow[5])


def test_onboard_wakes_her_up_with_her_name(iza: tuple[Sister, Repo], screen: Callable[..., Screen]) -> None:
    one, app = iza
    terminal = screen(80, one, app.path)
    shown = terminal.type("gitqueen onboard")
    assert [line.rstrip() for line in shown[:6]] == LETTERS
    assert shown[6:9] == ["", "🐝 gitqueen onboarding for iza-1", "  Your task: hunting the mp3 trigger"]
    assert shown[-1] == "  Warn at collisions here:  queen hooks install ."
    [hers] = [line for line in shown if "修正する" in line]
    assert hers.endswith("…]") and text.width(hers) <= 80
    painted = terminal.type("gitqueen onboard", painted=True)
    assert painted[0].startswith(("\x1b[1m\x1b[35m", "\x1b[1;35m"))
    piped = terminal.type("gitqueen onboard | cat")
    assert piped[0] == "🐝 gitqueen onboarding for iza-1"
    assert one.sh("gitqueen onboard").out.startswith("🐝 gitqueen onboarding for iza-1\n")


@pytest.mark.parametrize(
    ("command", "coloured"),
    [
        ("gitqueen", True),
        ("NO_COLOR=1 gitqueen", False),
        ("TERM=dumb gitqueen", False),
        ("gitqueen | cat", False),
        ("CLICOLOR_FORCE=1 gitqueen | cat", True),
        ("NO_COLOR=1 CLICOLOR_FORCE=1 gitqueen", False),
    ],
)
def test_colours(iza: tuple[Sister, Repo], screen: Callable[..., Screen], command: str, coloured: bool) -> None:
    one, app = iza
    shown = "\n".join(screen(100, one, app.path).type(command, painted=True))
    assert "colony status" in shown
    assert ("\x1b[" in shown) == coloured


def test_a_scan_leaves_no_trace_of_its_progress(iza: tuple[Sister, Repo], screen: Callable[..., Screen]) -> None:
    one, app = iza
    assert screen(80, one, app.path).type("gitqueen scan") == ["✓ 2 sisters in 2 worktrees"]


def test_errors_are_red_and_say_what_to_type(iza: tuple[Sister, Repo], screen: Callable[..., Screen]) -> None:
    one, app = iza
    shown = screen(80, one, app.path).type("gitqueen statsu", painted=True)
    assert "\x1b[" in shown[0] and "there is no command 'statsu'. Did you mean status or statusline?" in shown[0]
    assert shown[1] == "  → gitqueen --help"
