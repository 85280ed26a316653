"""Collisions: check, conflicts, resolve."""

from __future__ import annotations

import click

from gitqueen import errors
from gitqueen.cli import doing
from gitqueen.cli.doing import json_option


@click.command(epilog="Examples: gitqueen check src/app.py   gitqueen check   (what is staged)")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@json_option
def check(paths: tuple[str, ...], as_json: bool) -> int:
    """Would editing or committing these paths collide now? Exit 1 when a warning or danger is among the answers."""
    from gitqueen.services import checking
    from gitqueen.views import holdings, structured

    queen = doing.open_queen()
    report = checking.check(queen, doing.onlooker(queen), paths)
    doing.show(
        as_json,
        lambda: {"collisions": [structured.collision(one) for one in report.collisions]},
        lambda: holdings.check(report, doing.palette()),
    )
    return 1 if report.alarming else 0


@click.command(
    epilog="Examples: gitqueen conflicts --all --json   gitqueen conflicts --predict   "
    "gitqueen conflicts --predict main feature"
)
@click.option("--all", "every", is_flag=True, help="Resolved ones too.")
@click.option(
    "--predict", is_flag=True, help="Merge every pair of sisters, or of the branches named, and say what conflicts."
)
@click.argument("sides", nargs=-1, metavar="[REV|SISTER]...")
@json_option
def conflicts(every: bool, predict: bool, sides: tuple[str, ...], as_json: bool) -> int:
    """Open conflicts: who collides with whom, where, since when.

    With --predict, what will be: nothing is touched, uncommitted work counts, and exit 1 says that a pair conflicts.
    """
    from gitqueen.services import glancing, remembering
    from gitqueen.views import holdings, structured

    if predict:
        return _predict(sides, as_json)
    if sides:
        raise errors.Usage(
            "names of sisters or branches go with --predict", hint="gitqueen conflicts --predict NAME..."
        )
    queen = doing.open_queen()
    glancing.ensure(queen)
    book = remembering.book(queen, every)
    doing.show(
        as_json,
        lambda: {"conflicts": [structured.conflict(one) for one in book]},
        lambda: holdings.conflicts(book, queen.now, doing.palette()),
    )
    return 0


def _predict(sides: tuple[str, ...], as_json: bool) -> int:
    from gitqueen.services import forecasting
    from gitqueen.views import forecast

    queen = doing.open_queen()
    report = forecasting.forecast(queen, doing.onlooker(queen), sides)
    doing.show(as_json, lambda: {"pairs": forecast.shape(report)}, lambda: forecast.forecast(report, doing.palette()))
    return 1 if report.conflicting else 0


@click.command(epilog="Example: gitqueen resolve file-collision-0123456789")
@click.argument("conflict_id", metavar="ID")
@json_option
def resolve(conflict_id: str, as_json: bool) -> int:
    """Mark the conflict ID as resolved; it stays so until its facts change."""
    from gitqueen.services import remembering
    from gitqueen.views import structured
    from gitqueen.views.text import clean

    queen = doing.open_queen()
    closed = remembering.resolve(queen, conflict_id, doing.actor(queen).address)
    doing.show(as_json, lambda: {"conflict": structured.conflict(closed)}, lambda: f"✓ {clean(closed.id)} is resolved")
    doing.look_around_later(queen)
    return 0
