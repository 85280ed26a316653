"""Jobs that the clock will run: cron."""

from __future__ import annotations

import click

from gitqueen.cli import doing
from gitqueen.cli.doing import json_option


@click.command(epilog="Example: gitqueen cron --json")
@json_option
def cron(as_json: bool) -> int:
    """Cron jobs, timers and scheduled tasks: when each runs next, and which known repository it touches.

    What looks like a secret in a command is neither shown nor kept.
    """
    from gitqueen.services import timing
    from gitqueen.views import timetable

    queen = doing.open_queen()
    jobs, faults = timing.listed(queen)
    colour = doing.palette()
    doing.show(as_json, lambda: timetable.shape(jobs, faults), lambda: timetable.words(jobs, faults, queen.now, colour))
    return 0
