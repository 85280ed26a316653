"""Focus: a sister's window comes to the front."""

from __future__ import annotations

import click

from gitqueen.cli import doing
from gitqueen.cli.doing import json_option


@click.command(epilog="Example: gitqueen focus iza-2")
@click.argument("name")
@json_option
def focus(name: str, as_json: bool) -> int:
    """Bring the terminal window of the sister NAME to the front (kitty, tmux, tmux in kitty)."""
    from gitqueen.services import focusing
    from gitqueen.views import structured, windows

    report = focusing.focus(doing.open_queen(), name)
    doing.show(
        as_json,
        lambda: {"sister": structured.sister(report.sister)},
        lambda: windows.focused(report, doing.palette()),
    )
    return 0
