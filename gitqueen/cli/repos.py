"""Repositories without a sister: repos add, remove, list."""

from __future__ import annotations

import click

from gitqueen.cli import doing, paging
from gitqueen.cli.doing import json_option


@click.group(epilog="Examples: gitqueen repos add ~/code/lib   gitqueen repos list --json")
def repos() -> None:
    """The repositories that are looked at, also while no sister is in them."""


_paths = click.argument("paths", nargs=-1, metavar="[PATH]...")


@repos.command(epilog="Example: gitqueen repos add ~/code/lib ~/code/site")
@_paths
@json_option
def add(paths: tuple[str, ...], as_json: bool) -> int:
    """Look at the repositories PATH (default: the one you stand in) from now on."""
    from gitqueen.services import knowing
    from gitqueen.views import shelf

    found = knowing.add(doing.open_queen(), paths)
    doing.show(as_json, lambda: {"added": found}, lambda: shelf.done("looked at from now on", found))
    return 0


@repos.command(epilog="Example: gitqueen repos remove ~/code/lib")
@_paths
@json_option
def remove(paths: tuple[str, ...], as_json: bool) -> int:
    """Look at PATH no longer, unless a sister or gitqueen's hooks are in it. Nothing in it is touched."""
    from gitqueen.services import knowing
    from gitqueen.views import shelf

    found = knowing.remove(doing.open_queen(), paths)
    doing.show(as_json, lambda: {"removed": found}, lambda: shelf.done("no longer looked at", found))
    return 0


@repos.command("list", epilog="Example: gitqueen repos list --json")
@json_option
def list_(as_json: bool) -> int:
    """Every repository that is looked at: branch, * uncommitted, to push, to pull, and what git is in the middle of."""
    from gitqueen.services import knowing
    from gitqueen.views import shelf

    queen = doing.open_queen()
    found = knowing.listed(queen)
    if as_json:
        doing.show(True, lambda: shelf.shape(found), str)
    else:
        paging.page(queen, shelf.words(found, doing.palette()).split("\n"))
    return 0
