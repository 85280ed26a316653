"""Who made what: provenance, blame, log."""

from __future__ import annotations

import click

from gitqueen import errors
from gitqueen.cli import doing, main, paging
from gitqueen.cli.doing import json_option


@click.command(epilog="Examples: gitqueen provenance HEAD   gitqueen provenance v1.2 --json")
@click.argument("revision", metavar="REV", default="HEAD")
@json_option
def provenance(revision: str, as_json: bool) -> int:
    """Which sister made the commit REV, for which task, when, and with whom it collided."""
    from gitqueen.services import crediting
    from gitqueen.views import credits

    queen = doing.open_queen()
    report = crediting.provenance(queen, revision)
    doing.show(as_json, lambda: credits.provenance_shape(report), lambda: credits.provenance(report, doing.palette()))
    return 0


@click.command(epilog="Examples: gitqueen blame src/app.py   gitqueen blame src/app.py --rev v1.2 --json")
@click.argument("path", metavar="FILE")
@click.option("--rev", "revision", metavar="REV", help="As of this commit, not the working tree.")
@json_option
def blame(path: str, revision: str | None, as_json: bool) -> int:
    """git's blame of FILE, with the sister and task behind each line."""
    from gitqueen.services import crediting
    from gitqueen.views import credits

    if revision is not None and revision.startswith("-"):
        raise errors.Usage(f"{ascii(revision)} is no commit", hint="git log --oneline")
    queen = doing.open_queen()
    found = crediting.blame(queen, path, revision)
    if as_json:
        doing.show(True, lambda: credits.blame_shape(found), str)
    else:
        paging.page(queen, credits.blame(found, doing.palette()))
    return 0


@click.command(
    context_settings={
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
        "help_option_names": ["--help"],
    },
    epilog="Examples: gitqueen log   gitqueen log --oneline --graph main..topic   gitqueen log --json -n 5",
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[GIT LOG OPTIONS]...")
def log(options: tuple[str, ...]) -> int:
    """git's log, telling of each commit which sister made it and for which task; with --json for programs."""
    from gitqueen.services import crediting
    from gitqueen.views import credits

    queen = doing.open_queen()
    if main.wants_json(options):
        at = options.index("--json")
        found = crediting.log_entries(queen, [*options[:at], *options[at + 1 :]])
        doing.show(True, lambda: credits.log_shape(found), str)
        return 0
    colour = doing.palette()
    paging.page(queen, credits.log(crediting.log(queen, list(options), colour.on), colour))
    return 0
