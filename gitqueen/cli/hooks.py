"""Git hooks: hooks install, uninstall, status."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gitqueen import errors
from gitqueen.cli import doing
from gitqueen.cli.doing import json_option

if TYPE_CHECKING:
    from gitqueen.services.arming import Report


@click.group(epilog="Examples: gitqueen hooks install .   gitqueen hooks status")
def hooks() -> None:
    """The git hooks that see collisions at the moment they happen. They live beside everybody else's."""


_dry_run = click.option("--dry-run", is_flag=True, help="Show what would be changed, change nothing.")
_everywhere = click.option("--global", "everywhere", is_flag=True, help="All repositories, also those yet to come.")
_repos = click.argument("repos", nargs=-1, metavar="[REPO]...")


@hooks.command(epilog="Examples: gitqueen hooks install   gitqueen hooks install ~/code/app ~/code/lib --dry-run")
@_repos
@_everywhere
@click.option("--yes", is_flag=True, help="Do not ask before --global.")
@_dry_run
@json_option
def install(repos: tuple[str, ...], everywhere: bool, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Put the hooks into the repositories REPO (default: the one you stand in). Twice changes nothing."""
    from gitqueen.services import arming, healing
    from gitqueen.views import armoury

    _either(repos, everywhere, dry_run)
    queen = doing.open_queen()
    if everywhere:
        if not yes:
            _ask()
        reports = healing.install_everywhere(queen)
    else:
        reports = [arming.install(queen, place, dry_run) for place in arming.find(queen, repos)]
    doing.show(
        as_json, lambda: armoury.shape(reports), lambda: armoury.changed(reports, "install", dry_run, doing.palette())
    )
    return _code(reports) or int(not dry_run and any(report.helpless for report in reports))


@hooks.command(epilog="Examples: gitqueen hooks uninstall .   gitqueen hooks uninstall --purge ~/code/app")
@_repos
@_everywhere
@click.option(
    "--purge",
    is_flag=True,
    help="The notes that say who made which commit, and the snapshots of uncommitted work, go too.",
)
@_dry_run
@json_option
def uninstall(repos: tuple[str, ...], everywhere: bool, purge: bool, dry_run: bool, as_json: bool) -> int:
    """Take the hooks out of the repositories REPO: what was there before is there again, byte for byte."""
    from gitqueen.services import arming, healing
    from gitqueen.views import armoury

    _either(repos, everywhere, dry_run)
    queen = doing.open_queen()
    if everywhere:
        reports = healing.uninstall_everywhere(queen, purge)
    else:
        reports = [arming.uninstall(queen, place, dry_run, purge) for place in arming.find(queen, repos)]
    doing.show(
        as_json, lambda: armoury.shape(reports), lambda: armoury.changed(reports, "uninstall", dry_run, doing.palette())
    )
    return _code(reports)


@hooks.command(epilog="Examples: gitqueen hooks status   gitqueen hooks status ~/code/app --json")
@_repos
@json_option
def status(repos: tuple[str, ...], as_json: bool) -> int:
    """How the repositories REPO are armed, by which git, and what would not fire (default: here, or all managed ones).

    Exit 1 when one that gitqueen manages is not wholly armed.
    """
    from gitqueen.services import arming
    from gitqueen.views import armoury

    queen = doing.open_queen()
    here = arming.known(queen) if not repos and queen.place is None else arming.find(queen, repos)
    reports = [arming.status(queen, place) for place in here]
    doing.show(as_json, lambda: armoury.shape(reports), lambda: armoury.status(reports, doing.palette()))
    return _code(reports) or int(any(report.managed and not report.armed for report in reports))


def _either(repos: tuple[str, ...], everywhere: bool, dry_run: bool) -> None:
    if everywhere and (repos or dry_run):
        raise errors.Usage("--global goes without REPO and --dry-run", hint="gitqueen hooks install --global")


def _ask() -> None:
    """Once: it reaches into every repository of this user."""
    if not sys.stdin.isatty():
        raise errors.Usage(
            "--global arms every repository you work in", hint="say so: gitqueen hooks install --global --yes"
        )
    click.echo("To keep a repository out, in it: git config gitqueen.enabled false", err=True)
    doing.ask("Put the hooks into every repository that gitqueen knows or will see?")


def _code(reports: list[Report]) -> int:
    return 4 if any(report.fault for report in reports) else 0
