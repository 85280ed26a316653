"""Rescue: list, show, diff, restore, now, prune."""

from __future__ import annotations

import sys

import click

from gitqueen import errors
from gitqueen.cli import doing, paging
from gitqueen.cli.doing import json_option
from gitqueen.services.queen import Queen


@click.group(epilog="Examples: gitqueen rescue list   gitqueen rescue restore   gitqueen rescue diff 20261125T2215")
def rescue() -> None:
    """Snapshots of uncommitted work: whatever anybody wrote in a managed repository can be brought back."""


@rescue.command("list", epilog="Example: gitqueen rescue list --all --json")
@click.option("--all", "every", is_flag=True, help="Of all worktrees of this repository.")
@json_option
def list_(every: bool, as_json: bool) -> int:
    """The snapshots of this worktree, the newest first, with what is lost of whom."""
    from gitqueen.services import salvaging
    from gitqueen.views import rescues

    queen = doing.open_queen()
    found = salvaging.listed(queen, every)
    if not as_json and sys.stdout.isatty():  # a day has hundreds
        paging.page(queen, rescues.listed(found, queen.now, doing.palette()).split("\n"))
        return 0
    doing.show(as_json, lambda: rescues.shape(found), lambda: rescues.listed(found, queen.now, doing.palette()))
    return 0


@rescue.command(epilog="Example: gitqueen rescue show 20261125T221530")
@click.argument("identity", metavar="ID")
@json_option
def show(identity: str, as_json: bool) -> int:
    """Everything in the snapshot ID (or the only one whose id has ID in it)."""
    from gitqueen.services import salvaging
    from gitqueen.views import rescues

    queen = doing.open_queen()
    one = salvaging.shown(queen, identity)
    doing.show(as_json, lambda: rescues.shape([one]), lambda: rescues.shown(one, queen.now, doing.palette()))
    return 0


@rescue.command(epilog="Examples: gitqueen rescue diff 20261125T221530   gitqueen rescue diff 20261125T221530 src/a.py")
@click.argument("identity", metavar="ID")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
def diff(identity: str, paths: tuple[str, ...]) -> int:
    """What bringing the snapshot ID back would change, through your pager and by your settings of `git diff`."""
    from gitqueen.services import salvaging
    from gitqueen.views import patches

    queen = doing.open_queen()
    wanted = [(identity, _from_top(queen, paths))]
    lines = salvaging.difference(queen, wanted, as_data=False).decode("utf-8", "surrogateescape").split("\n")[:-1]
    taste, colour = salvaging.taste(queen), doing.palette()
    colour.on = colour.on and taste.colour
    paging.page(queen, patches.coloured(lines, colour), taste.pager)
    return 0


@rescue.command(
    epilog="Examples: gitqueen rescue restore   gitqueen rescue restore 20261125T221530 src/a.py   "
    "gitqueen rescue restore 20261125T221530 --to /tmp/look"
)
@click.argument("identity", metavar="[ID]", required=False)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--force", is_flag=True, help="Also over newer uncommitted work (which is kept first).")
@click.option("--to", "into", metavar="DIR", help="Into this folder, not the worktree.")
@click.option("--patch", is_flag=True, help="Print a patch that would bring it back, change nothing.")
@json_option
def restore(
    identity: str | None, paths: tuple[str, ...], force: bool, into: str | None, patch: bool, as_json: bool
) -> int:
    """Bring back PATHs, or all, of the snapshot ID; without ID: your own lost work.

    Exit 1 when something newer stood in the way.
    """
    from gitqueen.services import keeping, rescuing, restoring
    from gitqueen.views import rescues

    queen = doing.open_queen()
    place = queen.here()
    me = doing.actor(queen)
    if identity is None:
        from gitqueen.services import salvaging

        wanted = [(found.id, lost) for found, lost in salvaging.mine(queen, me.address)]
    else:
        wanted = [(identity, _from_top(queen, paths))]
    if patch:
        from gitqueen.services import salvaging

        sys.stdout.buffer.write(salvaging.difference(queen, wanted, as_data=True))
        return 0
    reports, name = [], me.sister.name if me.sister else None
    for one, named in wanted:
        found = rescuing.find(place, one)
        kept = restoring.chosen(place, found, named)
        reports.append(restoring.restore(queen, place, found, kept, force=force, into=into, me=name))
    if into is None:
        keeping.soon(queen, place)
    doing.show(as_json, lambda: rescues.restored_shape(reports), lambda: rescues.restored(reports, doing.palette()))
    return 1 if any(report.refused for report in reports) else 0


@rescue.command(epilog="Example: gitqueen rescue now")
@json_option
def now(as_json: bool) -> int:
    """Take a snapshot of this worktree at once."""
    from gitqueen.services import losing, rescuing

    queen = doing.open_queen()
    place = queen.here()
    if place.worktree is None:
        raise errors.CannotWork("a bare repository has no files to keep", hint="go into one of its worktrees")
    if not rescuing.on(queen, place):
        raise errors.CannotWork("this repository is not managed: nothing is kept", hint="gitqueen hooks install")
    made = losing.look(queen, place, "asked for")
    words = f"✓ kept as {made}" if made else "✓ nothing changed since the last snapshot"
    doing.show(as_json, lambda: {"id": made}, lambda: words)
    return 0


@rescue.command(epilog="Example: gitqueen rescue prune --dry-run")
@click.option("--dry-run", is_flag=True, help="Show what would go, change nothing.")
@json_option
def prune(dry_run: bool, as_json: bool) -> int:
    """Drop what is kept no longer: all of a day, one an hour for a week, one a day for a month stay."""
    from gitqueen.services import losing, rescuing

    queen = doing.open_queen()
    needed = [losing.snapshot_of(conflict) for conflict in losing.open_ones(queen)]
    gone = rescuing.tend(queen, queen.here(), needed, dry_run)
    verb = "would go" if dry_run else "gone"
    words = "\n".join([f"{len(gone)} {verb}", *(f"  {one}" for one in gone)])
    doing.show(as_json, lambda: {"pruned": gone, "dry_run": dry_run}, lambda: words)
    return 0


def _from_top(queen: Queen, paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(queen.from_top(queen.here().worktree or "", path) for path in paths)
