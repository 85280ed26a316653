"""The demo."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import closing

import click

from gitqueen.cli import doing
from gitqueen.cli.doing import json_option

BEFORE, A_ROW, AFTER = 0.6, 0.15, 2.5
"""Seconds to read on a terminal: what is typed, each row that comes, and all of them at most."""


@click.command(epilog="Example: gitqueen demo")
@json_option
def demo(as_json: bool) -> int:
    """A throw-away hive: two real sisters declare, mail, claim and collide. Nothing of yours is touched.

    Exit 0 only if every step was seen to work.
    """
    from gitqueen.services import demonstrating
    from gitqueen.services.demonstrating import Line, Step
    from gitqueen.views import stage

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    colour, slowly = doing.palette(), not as_json and sys.stdout.isatty()
    steps: list[Step] = []
    if not as_json:
        doing.show(False, dict, lambda: stage.opening(colour))
    with closing(demonstrating.demonstrate()) as play:
        for moment in play:
            if isinstance(moment, Step):
                steps.append(moment)
            if not as_json:
                text = stage.line(moment, colour) if isinstance(moment, Line) else stage.step(moment, colour)
                _say(text)
                if slowly:
                    time.sleep(BEFORE if isinstance(moment, Line) else min(AFTER, A_ROW * (text.count("\n") + 2)))
    good = demonstrating.passed(steps)
    doing.show(as_json, lambda: stage.shape(steps, good), lambda: stage.end(good, colour))
    return 0 if good else 1


def _say(text: str) -> None:
    if text:
        doing.show(False, dict, lambda: text)


def _leave(number: int, _: object) -> None:
    """End the play and clean up, which nothing may interrupt."""
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    sys.exit(128 + number)
