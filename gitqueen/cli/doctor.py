"""The doctor: everything that could be wrong, each with its mend."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import click

from gitqueen import errors
from gitqueen.cli import doing
from gitqueen.cli.doing import json_option
from gitqueen.views.text import clean


@click.command(epilog="Examples: gitqueen doctor --json   gitqueen doctor --rebuild --dry-run")
@click.option("--rebuild", is_flag=True, help="Bring tasks and claims back from all known repositories, and REPO.")
@click.option("--dry-run", is_flag=True, help="With --rebuild: show what would come back.")
@click.argument("repos", nargs=-1, metavar="[REPO]...")
@json_option
def doctor(rebuild: bool, dry_run: bool, repos: tuple[str, ...], as_json: bool) -> int:
    """Look at everything that could be wrong; exit 1 when something is. Nothing is changed without --rebuild."""
    if rebuild:
        return _rebuild(repos, dry_run, as_json)
    if repos or dry_run:
        raise errors.Usage("REPO and --dry-run go with --rebuild", hint="gitqueen doctor --rebuild --dry-run")
    from gitqueen.services import diagnosing
    from gitqueen.services.queen import current_folder
    from gitqueen.views import checkup

    checks = diagnosing.diagnose(os.environ, current_folder())
    doing.show(as_json, lambda: checkup.shape(checks), lambda: checkup.words(checks, doing.palette()))
    return 0 if all(check.ok for check in checks) else 1


def _rebuild(repos: tuple[str, ...], dry_run: bool, as_json: bool) -> int:
    from gitqueen.services import rebuilding
    from gitqueen.views import recovery

    queen = doing.open_queen()
    report = rebuilding.rebuild(queen, repos, dry_run, _progress())
    doing.show(
        as_json, lambda: recovery.shape(report, dry_run), lambda: recovery.words(report, dry_run, doing.palette())
    )
    return 0


def _progress() -> Callable[[str], None]:
    """On a terminal, what is being read, once it takes longer than a second."""
    began = time.monotonic()

    def say(path: str) -> None:
        if time.monotonic() - began > 1 and sys.stderr.isatty():
            click.echo(f"reading {clean(path)}", err=True)

    return say
