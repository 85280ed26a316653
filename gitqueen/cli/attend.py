"""The agents' door from the front: `gitqueen hook claude`, for settings that were written by hand.

What `gitqueen agents install` writes calls the door itself, which costs a third of this.
"""

from __future__ import annotations

import click


@click.command(name="hook", epilog="Example: gitqueen hook claude < payload.json")
@click.argument("agent", type=click.Choice(["claude", "codex", "gemini"]))
def hook(agent: str) -> int:
    """What an agent's hook runs: its JSON on stdin, what the agent shall be told on stdout."""
    from gitqueen.cli import door

    return door.main([agent])
