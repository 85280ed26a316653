"""In and out in one step: install, uninstall."""

from __future__ import annotations

import os
import sys

import click

from gitqueen import errors
from gitqueen.cli import doing
from gitqueen.cli.doing import json_option

_dry_run = click.option("--dry-run", is_flag=True, help="Show what would be touched, touch nothing.")
_yes = click.option("--yes", is_flag=True, help="Do not ask.")


@click.command(epilog="Examples: gitqueen install --dry-run   gitqueen install --yes")
@_yes
@_dry_run
@json_option
def install(yes: bool, dry_run: bool, as_json: bool) -> int:
    """Hooks in every repository, the agents' own hooks, and the daemon; asks once, after showing what it touches."""
    from gitqueen.daemon import control
    from gitqueen.services import settling
    from gitqueen.views import moving

    queen = doing.open_queen()
    coming = settling.coming(queen)
    if dry_run:
        doing.show(as_json, lambda: moving.shape(coming, done=False), lambda: moving.plan(coming, "install"))
        return 0
    if not yes:
        _ask(moving.plan(coming, "install"), "Do all of this?", "gitqueen install --yes")
    found = settling.install(queen)
    parts, faults = [*found.parts], [*found.faults]
    try:
        parts.append(settling.Part("daemon", control.settle(os.environ), "runs"))
    except errors.GitqueenError as fault:
        faults.append(f"daemon: {fault.message}")
    whole = settling.Outcome(tuple(parts), tuple(faults))
    doing.show(as_json, lambda: moving.shape(whole, done=True), lambda: moving.done(whole, "installed"))
    return 4 if faults else 0


@click.command(epilog="Examples: gitqueen uninstall --dry-run   gitqueen uninstall --purge")
@click.option(
    "--purge", is_flag=True, help="All that was kept, too: mail, claims, history, notes on commits, snapshots."
)
@_yes
@_dry_run
@json_option
def uninstall(purge: bool, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Undo all of it: daemon, agents' hooks, git's hooks; what was there before is there again."""
    from gitqueen.daemon import control
    from gitqueen.services import settling
    from gitqueen.views import moving

    queen = doing.open_queen()
    if dry_run:
        leaving = settling.leaving(queen, dry_run=True)
        doing.show(as_json, lambda: moving.shape(leaving, done=False), lambda: moving.plan(leaving, "uninstall"))
        return 0
    if purge and not yes:
        _ask(
            "",
            "Remove all mail, claims, history, notes on commits and snapshots of work?",
            "gitqueen uninstall --purge --yes",
        )
    ended = control.leave(os.environ)
    found = settling.leaving(queen, purge=purge)
    parts = [*(settling.Part("daemon", path, "ended") for path in ended), *found.parts]
    if purge and not found.faults:
        queen.db.close()
        stays = settling.purge(queen.settings.home)
        words = f"removed, all but {', '.join(stays)}" if stays else "removed"
        parts.append(settling.Part("queen", queen.settings.home, words))
    whole = settling.Outcome(tuple(parts), found.faults)
    doing.show(as_json, lambda: moving.shape(whole, done=True), lambda: moving.done(whole, "uninstalled"))
    return 4 if found.faults else 0


def _ask(plan: str, question: str, otherwise: str) -> None:
    if not sys.stdin.isatty():
        raise errors.Usage("this asks first, and nobody is there to answer", hint=f"say so: {otherwise}")
    if plan:
        click.echo(plan, err=True)
    doing.ask(question)
