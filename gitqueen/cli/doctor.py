"""The doctor: everything that could be wrong, each with its mend."""

from __future__ import annotations

import os

import click

from gitqueen.cli import doing
from gitqueen.cli.doing import json_option


@click.command(epilog="Example: gitqueen doctor --json")
@json_option
def doctor(as_json: bool) -> int:
    """Look at everything that could be wrong; exit 1 when something is. Nothing is changed."""
    from gitqueen.services import diagnosing
    from gitqueen.services.queen import current_folder
    from gitqueen.views import checkup

    checks = diagnosing.diagnose(os.environ, current_folder())
    doing.show(as_json, lambda: checkup.shape(checks), lambda: checkup.words(checks, doing.palette()))
    return 0 if all(check.ok for check in checks) else 1
