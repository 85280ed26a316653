"""The clock: daemon run, start, stop, status, install, uninstall."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from gitqueen import errors
from gitqueen.cli import doing
from gitqueen.cli.doing import json_option
from gitqueen.views import clockwork

if TYPE_CHECKING:
    from gitqueen.daemon.control import State


@click.group(epilog="Examples: gitqueen daemon start   gitqueen daemon status --json")
def daemon() -> None:
    """The clock that looks around every 30 s. Nothing depends on it: commands look themselves where it is not there."""


_interval = click.option(
    "--interval", type=click.FloatRange(1, 3600), metavar="SECONDS", help="Between two looks around (30)."
)


@daemon.command(epilog="Example: gitqueen daemon run --interval 10")
@_interval
def run(interval: float | None) -> int:
    """Be the daemon, in the foreground, until Ctrl-C or SIGTERM."""
    from gitqueen import settings
    from gitqueen.daemon import control

    if not control.run(os.environ, interval or settings.STALE_SCAN, _aloud):
        raise errors.Refused("there is a daemon already", hint="gitqueen daemon status")
    return 0


def _aloud(line: str) -> None:
    try:
        click.echo(line, err=True)
    except OSError:
        pass  # nobody listens any more


@daemon.command(epilog="Example: gitqueen daemon start --interval 10")
@_interval
@json_option
def start(interval: float | None, as_json: bool) -> int:
    """Start it in the background, where it does not run yet."""
    from gitqueen.daemon import control

    return _show(control.start(os.environ, interval), as_json)


@daemon.command(epilog="Example: gitqueen daemon stop")
@json_option
def stop(as_json: bool) -> int:
    """End it."""
    from gitqueen.daemon import control

    found = control.stop(os.environ)
    doing.show(as_json, lambda: {"stopped": found.pid if found else None}, lambda: clockwork.stopped(found))
    return 0


@daemon.command(epilog="Example: gitqueen daemon status --json")
@json_option
def status(as_json: bool) -> int:
    """Whether it runs, since when, and what it said last. Exit 1 where it does not run."""
    from gitqueen.daemon import control

    found = control.state(os.environ)
    _show(found, as_json)
    return 0 if found.running else 1


def _show(found: State, as_json: bool) -> int:
    doing.show(
        as_json, lambda: clockwork.shape(found), lambda: clockwork.words(found, datetime.now(UTC), doing.palette())
    )
    return 0


@daemon.command(epilog="Example: gitqueen daemon install")
@json_option
def install(as_json: bool) -> int:
    """Start it now and at each login, by a unit of this user's systemd; where there is none, in the background."""
    from gitqueen.daemon import control

    path = control.settle(os.environ)
    doing.show(as_json, lambda: {"path": path}, lambda: clockwork.settled(path))
    return 0


@daemon.command(epilog="Example: gitqueen daemon uninstall")
@json_option
def uninstall(as_json: bool) -> int:
    """End it, and take its unit away."""
    from gitqueen.daemon import control

    paths = control.leave(os.environ)
    doing.show(as_json, lambda: {"paths": paths}, lambda: clockwork.left(paths))
    return 0
