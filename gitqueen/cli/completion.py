"""Shell completion, as click makes it."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from gitqueen.cli import doing
from gitqueen.cli.doing import json_option

PROGRAMS = ("gitqueen", "queen", "iam")


@click.command(epilog="Example: echo 'eval \"$(gitqueen completion bash)\"' >> ~/.bashrc")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@json_option
def completion(shell: str, as_json: bool) -> int:
    """Print the completion script of SHELL, for gitqueen, queen and iam."""
    from gitqueen.cli.main import COMPLETE, group

    kind = get_completion_class(shell)
    assert kind is not None
    script = "\n".join(kind(group, {}, name, COMPLETE).source() for name in PROGRAMS)
    doing.show(as_json, lambda: {"shell": shell, "script": script}, lambda: script)
    return 0
