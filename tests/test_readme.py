"""The README cannot lie: what it shows parses, what it tells a newcomer to type works, and no command is missing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator

import click
import pytest

from gitqueen.cli.main import COMMANDS, group
from tests import rooms
from tests.hive import Repo, Sister

README = (rooms.CHECKOUT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
"""What a newcomer may paste into a shell. Blocks without `sh` are for the eye."""


def typed() -> Iterator[str]:
    """The command lines of the `sh` blocks."""
    yield from (line for block in BLOCKS for line in block.splitlines())


def mentioned() -> Iterator[str]:
    """Our commands in running text and tables, with `[...]`, NAMES and all."""
    yield from re.findall(r"`((?:gitqueen|queen|iam)(?: [^`]*)?)`", README)


def resolve(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that `words` call, and its arguments."""
    command: click.Command = group
    arguments = ["iam", *words[1:]] if words[0] == "iam" else words[1:]
    while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        name = arguments.pop(0)
        found = command.get_command(click.Context(command), name)
        assert found is not None, f"there is no command {name}"
        command = found
    return command, arguments


@pytest.mark.parametrize("line", [*typed()])
def test_what_the_readme_shows_parses(line: str) -> None:
    command, arguments = resolve(shlex.split(line, comments=True))
    command.make_context("gitqueen", arguments)


@pytest.mark.parametrize("words", sorted(set(mentioned())))
def test_what_the_readme_mentions_exists(words: str) -> None:
    if words == "gitqueen COMMAND --help":
        return
    command, arguments = resolve(re.sub(r"[\[\]]|\.\.\.", " ", words).split())
    known = {"--help", *(name for option in command.params for name in option.opts)}
    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    assert {word for word in ours if word.startswith("-")} - known == set()


def test_the_readme_tells_every_command_and_is_short() -> None:
    told = {words.split()[1] for words in mentioned() if words.startswith("gitqueen ")} | {"iam"}
    assert set(COMMANDS) - told == set()
    prose = re.sub(r"(benchmarks|merges):begin.*?\1:end", "", README, flags=re.DOTALL)
    assert prose.count("\n") <= 264


def test_a_newcomer_may_type_all_of_it_in_its_order(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    app = repo("app", {"src/login.py": "", "deploy.sh": "#!/bin/sh\necho deployed\n"})
    (app.path / "deploy.sh").chmod(0o755)
    lines = list(typed())
    newcomer, other = sister("iza-1", app), sister("iza-2", app)
    assert newcomer.sh(lines[0]).rc == 0
    assert other.sh("iam 'rewriting the session store, #42'").rc == 0
    for line in lines[1:]:
        if "--wait" in line:
            assert other.sh("queen tell iza-1 'done with it'").rc == 0
        done = newcomer.sh(line)
        assert done.rc == 0, f"{line}\n{done.out}{done.err}"
