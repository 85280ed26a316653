"""Declaring: iam, whoami."""

from __future__ import annotations

import click

from gitqueen import errors
from gitqueen.cli import doing
from gitqueen.cli.doing import json_option


@click.command(epilog='Examples: iam "fixing the login, #42"   iam   iam --done')
@click.argument("task", required=False, nargs=-1)
@click.option("--done", is_flag=True, help="You finished what you declared.")
@json_option
def iam(task: tuple[str, ...], done: bool, as_json: bool) -> int:
    """Declare what you work on; without TASK show it; with --done finish it.

    Warns when another live sister's task looks the same.
    """
    from gitqueen.services import declaring
    from gitqueen.views import structured, tasks

    if task and done:
        raise errors.Usage("TASK and --done exclude each other", hint='iam "next task", or iam --done')
    queen = doing.open_queen()
    words = " ".join(task)
    me = doing.actor(queen, declare=bool(task))
    if (not task and not done) or me.sister is None:
        report = declaring.show(queen, me)
    else:
        report = declaring.finish(queen, me.sister) if done else declaring.declare(queen, me.sister, words)
    doing.show(as_json, lambda: structured.declared(report), lambda: tasks.declared(report, doing.palette()))
    doing.look_around_later(queen)
    return 0


@click.command(epilog="Examples: gitqueen whoami   gitqueen whoami --name relay-writer")
@click.option("--name", metavar="NAME", help="From now on you are called NAME.")
@json_option
def whoami(name: str | None, as_json: bool) -> int:
    """The sister this process belongs to."""
    from gitqueen.services import entering, tending
    from gitqueen.views import structured, tasks

    queen = doing.open_queen()
    me = doing.actor(queen, declare=name is not None)
    sister = me.sister
    if sister is not None:
        sister = entering.rename(queen, sister, name) if name is not None else tending.notice(queen, sister)
    doing.show(
        as_json,
        lambda: {"sister": structured.sister(sister) if sister else None},
        lambda: tasks.whoami(sister, me.address, doing.palette()),
    )
    return 0
