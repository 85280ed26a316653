"""The front door: commands found and mistyped, help, `--json`, and answers whatever becomes of the streams."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from gitqueen import __version__
from gitqueen.cli import main
from tests import hive
from tests.hive import Repo, Runner, Sister

COMMANDS = """
    status onboard whoami iam tell inbox ack claim release claims check conflicts resolve history hooks scan doctor demo
    agents hook mcp statusline completion
""".split()


GITS_OWN = {"log", "rescue diff"}
"""Commands that hand their options to git and show what git says."""
SPOKEN_TO = {"daemon run", "hook", "mcp", "statusline"}
"""Commands for programs, which have a language of their own, or never answer."""


def every_command() -> Iterator[tuple[str, click.Command]]:
    """`claim`, `hooks install`...: all that does something, with its words."""

    def walk(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                inner = command.get_command(context, name)
                assert inner is not None, name
                yield from walk(f"{words} {name}".strip(), inner)
        else:
            yield words, command

    return walk("", main.group)


def test_all_commands_of_the_contract_are_there() -> None:
    assert set(COMMANDS) - {words.split()[0] for words, _ in every_command()} == set()


def test_every_command_explains_itself_with_an_example_and_takes_json() -> None:
    without = []
    for words, command in every_command():
        said = command.get_help(click.Context(command, info_name=words))
        takes = {option for param in command.params for option in param.opts}
        example = any(f"{program}" in command.epilog for program in ("gitqueen", "iam")) if command.epilog else False
        shaped = "--json" in takes or words in GITS_OWN | SPOKEN_TO
        if not (example and "Example" in said and command.help and shaped):
            without.append(words)
    assert without == []


def test_a_group_without_a_command_shows_its_help(run: Runner) -> None:
    for name in ("agents", "daemon", "hooks", "repos", "rescue"):
        done, help_ = run("gitqueen", name), run("gitqueen", name, "--help")
        assert (done.returncode, done.stdout, done.stderr) == (2, "", help_.stdout)


def test_an_example_is_never_broken_in_two(run: Runner) -> None:
    done = run("gitqueen", "agents", "install", "--help", env={"COLUMNS": "60"})
    assert done.stdout.endswith(
        "\n  Examples: gitqueen agents install\n            gitqueen agents install claude --allow-commands\n"
    )
    assert "\n  brief      The paragraph for AGENTS.md or CLAUDE.md, for agents that have no\n" in (
        run("gitqueen", "agents", "--help").stdout
    )


def test_help_lists_every_command(run: Runner) -> None:
    for flag in ("-h", "--help"):
        done = run("gitqueen", flag)
        assert (done.returncode, done.stderr) == (0, "")

        assert [line for line in COMMANDS if f"\n  {line} " not in done.stdout] == []


def test_queen_is_its_short_name_and_iam_a_command(run: Runner, sister: Callable[..., Sister]) -> None:
    assert (
        run("queen", "--version").stdout == run("gitqueen", "--version").stdout == f"gitqueen, version {__version__}\n"
    )
    iza = sister("iza-1")
    assert iza.sh("iam 'hunting the mp3 trigger'").out == "📌 iza-1: hunting the mp3 trigger\n"
    assert iza.sh("gitqueen iam").out == "📌 iza-1: hunting the mp3 trigger\n"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("statsu", "there is no command 'statsu'. Did you mean status or statusline?"),
        ("sta", "there is no command 'sta'. Did you mean status or install or scan?"),
        ("conflcts", "there is no command 'conflcts'. Did you mean conflicts?"),
        ("\x1b[31m", r"there is no command '\\x1b[31m'"),
        ("zzzz", "there is no command 'zzzz'"),
    ],
)
def test_a_mistyped_command_is_answered_with_the_nearest(run: Runner, typed: str, meant: str) -> None:
    done = run("gitqueen", typed)
    said = meant.replace(r"\\", "\\")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"gitqueen: {said}\n  → gitqueen --help\n")
    done = run("gitqueen", typed, "--json")
    error = {"code": "usage", "message": said, "hint": "gitqueen --help"}
    assert (done.returncode, json.loads(done.stdout)) == (2, {"schema": 1, "error": error})


@pytest.mark.parametrize(
    "words", ["status --bogus", "history -n 0", "history -n x", "whoami a", "tell", "resolve", "ack x"]
)
def test_what_is_out_of_form_exits_2_in_words_and_as_json(run: Runner, words: str) -> None:
    done = run("gitqueen", *words.split())
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("gitqueen: ") and len(done.stderr.splitlines()) == 2
    done = run("gitqueen", *words.split(), "--json")
    assert done.returncode == 2 and done.stderr == ""
    error = json.loads(done.stdout)
    assert set(error) == {"schema", "error"} and set(error["error"]) == {"code", "message", "hint"}


def test_json_may_stand_before_the_command(run: Runner) -> None:
    assert set(json.loads(run("gitqueen", "--json").stdout)) == set(
        json.loads(run("gitqueen", "status", "--json").stdout)
    )
    assert json.loads(run("gitqueen", "--json", "history", "-n", "1").stdout) == {"schema": 1, "events": []}


def test_a_fault_of_ours_is_one_line_and_a_traceback_in_the_log(run: Runner, home: Path) -> None:
    home.mkdir(parents=True)
    broken = "import gitqueen.services.reporting as r; r.status = None; from gitqueen.cli import main; main.main()"
    done = run("python3", "-c", broken)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "gitqueen: a bug of gitqueen: TypeError: 'NoneType' object is not callable"
        f"  → the traceback is in {home}/crash.log\n"
    )
    assert "Traceback" in (home / "crash.log").read_text()


def test_debug_says_what_each_step_costs(run: Runner, repo: Callable[..., Repo]) -> None:
    done = run("gitqueen", cwd=repo(), env={"GITQUEEN_DEBUG": "1"})
    assert done.returncode == 0 and done.stdout.startswith("🐝 gitqueen — colony status\n")
    steps = [line.split(maxsplit=4) for line in done.stderr.splitlines()]
    assert {step[3] for step in steps} >= {"store", "git", "services"}
    assert all(step[0] == "gitqueen:" and float(step[1]) >= 0 and step[2] == "ms" for step in steps)
    assert run("gitqueen").stderr == ""


@pytest.mark.parametrize("words", ["history -n 500", "--help", "status", "completion bash", "status --json"])
def test_a_reader_that_has_seen_enough_is_no_error(run: Runner, words: str) -> None:
    # `true` reads nothing and is gone before or after we write: both must be silent.
    done = run("bash", "-c", f"gitqueen {words} | true; exit ${{PIPESTATUS[0]}}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = run("bash", "-c", f"gitqueen {words} | head -n 1 >/dev/null; exit ${{PIPESTATUS[0]}}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("words", ["status", "--help", "--version", "status --json", "bogus --json"])
def test_a_full_disk_behind_stdout_is_said_without_traceback(run: Runner, words: str) -> None:
    done = run("sh", "-c", f"exec gitqueen {words} >/dev/full")
    said = "gitqueen: the answer cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (4, said)


@pytest.mark.parametrize(
    ("command", "rc"),
    [
        ("gitqueen >&-", 0),
        ("gitqueen --help >&-", 0),
        ("gitqueen <&- >/dev/null", 0),
        ("gitqueen bogus 2>&-", 2),
        ("gitqueen bogus 2>/dev/full", 2),
        ("gitqueen <&- >&- 2>&-", 0),
        ("iam 'a task' >&- 2>&-", 0),
    ],
)
def test_closed_streams_are_no_error(run: Runner, home: Path, command: str, rc: int) -> None:
    done = run("sh", "-c", command)
    assert (done.returncode, done.stdout, done.stderr) == (rc, "", "")
    assert not (home / "crash.log").exists()


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_a_locale_without_utf_8_changes_nothing(
    sister: Callable[..., Sister], repo: Callable[..., Repo], locale: dict[str, str]
) -> None:
    iza = sister("iza-1", repo("ünïcode"), env={**locale, "PYTHONIOENCODING": "ascii"})
    assert iza.sh("iam 'fixing → 修正'") == (0, "📌 iza-1: fixing → 修正\n", "")
    assert "[main]  " in iza.sh("gitqueen").out and "ünïcode" in iza.sh("gitqueen").out
    assert json.loads(iza.sh("gitqueen status --json").out)["sisters"][0]["task"] == "fixing → 修正"
    assert iza.sh("gitqueen tëll").err.startswith(r"gitqueen: there is no command 't\xebll'. Did you mean tell?")
    iza.sh("echo x >'grün.txt'; git add .")
    assert iza.sh("gitqueen check 'grün.txt'") == (0, "✓ 1 path free\n", "")


def test_ctrl_c_ends_with_130_and_no_words(run: Runner, home: Path) -> None:
    run("gitqueen", check=True)
    with subprocess.Popen(
        [hive.gitqueen(), "inbox", "--wait", "60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=run.cwd
    ) as waiting:
        while not _has_open(waiting.pid, home / "queen.db"):
            assert waiting.poll() is None
            time.sleep(0.01)
        waiting.send_signal(signal.SIGINT)
        out, err = waiting.communicate(timeout=hive.PATIENCE)
    assert (waiting.returncode, out, err) == (130, b"", b"")


def _has_open(pid: int, path: Path) -> bool:
    """Whether the process has come as far as our database, so that it stands inside our boundary."""
    folder = f"/proc/{pid}/fd"
    try:
        return any(os.path.realpath(os.path.join(folder, fd)) == str(path.resolve()) for fd in os.listdir(folder))
    except OSError:
        return False


def test_a_captured_command_does_not_wait_for_the_scan_it_starts(sister: Callable[..., Sister], home: Path) -> None:
    iza = sister("iza-1")
    # The scan is held up by a lock of ours: were it to keep the pipe open, the answer would never come.
    home.mkdir(parents=True)
    with open(home / "scan.lock", "w") as lock:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX)
        done = iza.sh("exec 5>&1; x=$(exec 6>&1; iam 'a task'); echo \"got $x\"")
    assert done == (0, "got 📌 iza-1: a task\n", "")


@pytest.mark.parametrize(
    ("program", "words", "found"),
    [
        ("gitqueen", "sta", ["status", "statusline"]),
        ("queen", "con", ["conflicts"]),
        ("gitqueen", "cl", ["claim", "claims"]),
        ("queen", "tell --u", ["--urgent"]),
        ("iam", "--d", ["--done"]),
    ],
)
def test_bash_completes(run: Runner, program: str, words: str, found: list[str]) -> None:
    line = [program, *words.split()]
    script = f"""
        eval "$(gitqueen completion bash)"
        complete -p {program}
        COMP_WORDS=({" ".join(line)}) COMP_CWORD={len(line) - 1}
        _{program}_completion {program}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = run("bash", "--norc", "-c", script, check=True)
    registered, *answers = done.stdout.splitlines()
    assert registered == f"complete -o nosort -F _{program}_completion {program}"
    assert answers == found


@pytest.mark.needs_zsh
def test_zsh_takes_the_script(run: Runner) -> None:
    script = 'autoload -Uz compinit; compinit -u -D; eval "$(gitqueen completion zsh)"; echo ${_comps[iam]}'
    assert run("zsh", "-f", "-c", script, check=True).stdout == "_iam_completion\n"


def test_fish_gets_a_script_too(run: Runner) -> None:
    said = json.loads(run("gitqueen", "completion", "fish", "--json", check=True).stdout)
    assert said["shell"] == "fish" and said["script"].count("complete --no-files --command") == 3
    assert run("gitqueen", "completion", "ksh").returncode == 2
