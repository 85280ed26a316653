"""Agents: agents install, uninstall, status, brief; and the public names of the two lean doors beside this one."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from gitqueen import errors
from gitqueen.cli import doing
from gitqueen.cli.doing import json_option

if TYPE_CHECKING:
    from gitqueen.services.enrolling import Report


@click.group(epilog="Examples: gitqueen agents install   gitqueen agents status")
def agents() -> None:
    """The agents' own hooks, by which each session knows of the others without being told to ask."""


class Kind(click.ParamType[str]):
    """An agent whose settings we know."""

    name = "agent"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from gitqueen.services import enrolling

        if value not in enrolling.KINDS:
            hint = f"one of {', '.join(enrolling.KINDS)}; for others: gitqueen agents brief, gitqueen mcp"
            raise errors.Usage(f"{ascii(value)} is no agent whose hooks we know", hint=hint)
        return str(value)


_kinds = click.argument("kinds", nargs=-1, metavar="[claude|codex|gemini]...", type=Kind())
_dry_run = click.option("--dry-run", is_flag=True, help="Show what would be changed, change nothing.")


@agents.command(epilog="Examples: gitqueen agents install   gitqueen agents install claude --allow-commands")
@_kinds
@click.option("--allow-commands", "commands", is_flag=True, help="Claude never asks before our own commands.")
@click.option("--allow-sandbox", "sandbox", is_flag=True, help="The agent's sandbox may write the queen's folder.")
@click.option("--statusline", is_flag=True, help="Claude's status line, if it has none yet.")
@_dry_run
@json_option
def install(
    kinds: tuple[str, ...], commands: bool, sandbox: bool, statusline: bool, dry_run: bool, as_json: bool
) -> int:
    """Put our hooks into the settings of the named agents (none: of those on this machine). Twice changes nothing."""
    from gitqueen.services import enrolling
    from gitqueen.views import agents as view

    wanted = {
        extra
        for extra, said in ((enrolling.COMMANDS, commands), (enrolling.SANDBOX, sandbox), (enrolling.LINE, statusline))
        if said
    }
    reports = []
    for kind in kinds or enrolling.present(os.environ):
        report = enrolling.install(os.environ, kind, wanted, dry_run)
        if not (dry_run or as_json or report.fault) and sys.stdin.isatty() and sys.stderr.isatty():
            report = _offer(report)
        reports.append(report)
    doing.show(
        as_json,
        lambda: view.shape(reports, dry_run),
        lambda: view.changed(reports, "install", dry_run, doing.palette()),
    )
    return max((report.exit_code for report in reports), default=0)


def _offer(report: Report) -> Report:
    """What is never done unasked, asked once in a life."""
    from gitqueen.services import enrolling, retaining
    from gitqueen.views.agents import QUESTIONS

    before = retaining.asked(os.environ, report.agent)
    for extra in (one for one in report.offers if one in QUESTIONS and one not in before):
        retaining.remember_asked(os.environ, report.agent, extra)
        if click.confirm(QUESTIONS[extra].format(agent=report.agent), err=True):
            report = replace(enrolling.install(os.environ, report.agent, {extra}), changes=report.changes)
    return report


@agents.command(epilog="Example: gitqueen agents uninstall claude")
@_kinds
@_dry_run
@json_option
def uninstall(kinds: tuple[str, ...], dry_run: bool, as_json: bool) -> int:
    """Take our entries out again: byte for byte what was there, where nobody changed it since."""
    from gitqueen.services import enrolling
    from gitqueen.views import agents as view

    reports = [enrolling.uninstall(os.environ, kind, dry_run) for kind in kinds or enrolling.KINDS]
    doing.show(
        as_json,
        lambda: view.shape(reports, dry_run),
        lambda: view.changed(reports, "uninstall", dry_run, doing.palette()),
    )
    return max((report.exit_code for report in reports), default=0)


@agents.command(epilog="Examples: gitqueen agents status   gitqueen agents status codex --json")
@_kinds
@json_option
def status(kinds: tuple[str, ...], as_json: bool) -> int:
    """How the agents are armed. Exit 1 when one of them does not run our hooks."""
    from gitqueen.services import enrolling
    from gitqueen.views import agents as view

    reports = [enrolling.status(os.environ, kind) for kind in kinds or enrolling.present(os.environ)]
    doing.show(as_json, lambda: view.shape(reports), lambda: view.status(reports, doing.palette()))
    return max((report.exit_code or int(not report.works) for report in reports), default=0)


@agents.command(epilog="Examples: gitqueen agents brief   gitqueen agents brief --write AGENTS.md")
@click.option("--write", "file", metavar="FILE", help="Put it into FILE, in a marked block; twice changes nothing.")
@click.option("--remove", is_flag=True, help="Take it out of FILE again, byte for byte.")
@json_option
def brief(file: str | None, remove: bool, as_json: bool) -> int:
    """The paragraph for AGENTS.md or CLAUDE.md, for agents that have no hooks."""
    from gitqueen.views import agents as view
    from gitqueen.views.text import folder

    if file is None:
        if remove:
            raise errors.Usage("--remove from which file?", hint="gitqueen agents brief --write AGENTS.md --remove")
        doing.show(as_json, lambda: {"brief": view.BRIEF}, lambda: view.BRIEF.rstrip("\n"))
        return 0
    from gitqueen.services import enrolling

    changed = enrolling.brief(file, None if remove else view.BRIEF)
    said = {(True, False): "has it now", (False, False): "has it already", (True, True): "is as it was"}
    words = f"✓ {folder(file)} {said.get((changed, remove), 'does not have it')}"
    doing.show(as_json, lambda: {"path": file, "changed": changed}, lambda: words)
    return 0


@click.command(epilog='Example, in Claude Code: {"statusLine": {"type": "command", "command": "gitqueen statusline"}}')
def statusline() -> int:
    """One line for an agent's status line: your name, task, mail and conflicts. Never fails."""
    from gitqueen.cli import statusline as door

    return door.main()
