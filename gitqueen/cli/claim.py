"""Claims: claim, release, claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitqueen import errors, settings
from gitqueen.cli import doing
from gitqueen.cli.doing import json_option

if TYPE_CHECKING:
    from gitqueen.services.claiming import Taken
    from gitqueen.services.queen import Queen


class Duration(click.ParamType[float]):
    """`90s`, `10m`, `2h`, `1d`, `1h30m`, or seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = settings.duration(str(value))
        if not seconds:
            raise errors.Usage(f"{ascii(value)} is no time to hold anything", hint="write it like 10m or 2h")
        return seconds


@click.command(
    epilog='Examples: gitqueen claim deploy -m "rolling out" --ttl 2h   gitqueen claim db --path "migrations/**"   '
    "gitqueen claim deploy --wait 60 -- ./deploy.sh"
)
@click.argument("claim_id", metavar="ID")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@click.option("-m", "--message", "description", metavar="TEXT", help="Why; shown to whoever wants it too.")
@click.option("--path", "paths", multiple=True, metavar="GLOB", help="Claim paths of this repository (git wildmatch).")
@click.option("--ttl", type=Duration(), metavar="TIME", help="Given back by itself after TIME.")
@click.option("--wait", type=click.FloatRange(0, 86400), metavar="SECONDS", help="Wait so long for whoever holds it.")
@json_option
def claim(
    claim_id: str,
    command: tuple[str, ...],
    description: str | None,
    paths: tuple[str, ...],
    ttl: float | None,
    wait: float | None,
    as_json: bool,
) -> int:
    """Take the exclusive claim ID; with -- COMMAND hold it exactly while COMMAND runs.

    Exit 1 and who holds it, since when and why, when another sister does.
    """
    from gitqueen.services import claiming, running

    queen = doing.open_queen()
    me = doing.sister(queen).sister
    assert me is not None
    wanted = claiming.wanted(queen, me, claim_id, description, paths, ttl)
    if command:
        ran = running.under_claim(queen, me, wanted, command, wait)
        if ran.code is None:
            _show_taken(queen, ran.taken, as_json)
        return 1 if ran.code is None else ran.code
    taken = claiming.take(queen, me, wanted, wait)
    _show_taken(queen, taken, as_json)
    doing.look_around_later(queen)
    return 1 if taken.refused else 0


def _show_taken(queen: Queen, taken: Taken, as_json: bool) -> None:
    from gitqueen.views import holdings, structured

    if taken.held_by is not None:
        holder = taken.held_by
        if not as_json:
            raise errors.Refused(
                holdings.held_by(holder, queen.now),
                hint=f'wait for it: --wait 60; or ask her: gitqueen tell {holder.owner} "..."',
            )
        shape = structured.error("held", holdings.held_by(holder, queen.now), "--wait SECONDS waits for it")
        doing.show(True, lambda: {**shape, "held_by": structured.claim(holder)}, str)
        return
    doing.show(as_json, lambda: {"claim": structured.claim(taken.claim)}, lambda: holdings.taken(taken, queen.now))


@click.command(epilog="Example: gitqueen release deploy")
@click.argument("claim_id", metavar="ID")
@click.option("--force", is_flag=True, help="Take another's away; she is told by mail, and history keeps it.")
@json_option
def release(claim_id: str, force: bool, as_json: bool) -> int:
    """Give your claim ID back."""
    from gitqueen.services import claiming
    from gitqueen.views import structured
    from gitqueen.views.text import clean

    queen = doing.open_queen()
    given = claiming.release(queen, doing.actor(queen).address, claim_id, force)
    doing.show(as_json, lambda: {"claim": structured.claim(given)}, lambda: f"✓ {clean(given.id)} is free")
    doing.look_around_later(queen)
    return 0


@click.command(epilog="Example: gitqueen claims --all --json")
@click.option("--all", "every", is_flag=True, help="Released ones too.")
@json_option
def claims(every: bool, as_json: bool) -> int:
    """The claims that are held."""
    from gitqueen.services import claiming
    from gitqueen.views import holdings, structured

    queen = doing.open_queen()
    standing = claiming.listed(queen, every)
    doing.show(
        as_json,
        lambda: {"claims": [structured.claim(one, released=every) for one in standing]},
        lambda: holdings.claims(standing, queen.now, doing.palette()),
    )
    doing.look_around_later(queen)
    return 0
