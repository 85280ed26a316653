"""Shell completion, as click makes it."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from gitqueen.cli import doing


@click.command(epilog="Example: echo 'eval \"$(gitqueen completion bash)\"' >> ~/.bashrc")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the completion script of SHELL."""
    from gitqueen.cli.main import group

    kind = get_completion_class(shell)
    assert kind is not None
    scripts = [kind(group, {}, name, "_GITQUEEN_COMPLETE").source() for name in ("gitqueen", "queen")]
    doing.show(False, dict, lambda: "\n".join(scripts))
    return 0
