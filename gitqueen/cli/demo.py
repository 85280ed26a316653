"""The demo."""

from __future__ import annotations

import click

from gitqueen.cli import doing
from gitqueen.cli.doing import json_option


@click.command(epilog="Example: gitqueen demo")
@json_option
def demo(as_json: bool) -> int:
    """A throw-away hive: two real sisters declare, mail, claim and collide. Nothing of yours is touched.

    Exit 0 only if every step was seen to work.
    """
    from gitqueen.services import demonstrating
    from gitqueen.views import stage

    colour = doing.palette()
    steps = []
    for step in demonstrating.demonstrate():
        steps.append(step)
        if not as_json:
            doing.show(False, dict, lambda: stage.step(steps[-1], colour))
    good = demonstrating.passed(steps)
    doing.show(as_json, lambda: stage.shape(steps, good), lambda: stage.end(good, colour))
    return 0 if good else 1
