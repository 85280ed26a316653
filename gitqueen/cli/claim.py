"""Claims: claim, release, claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitqueen import errors
from gitqueen.cli import doing
from gitqueen.cli.doing import json_option
from gitqueen.cli.durations import Duration

if TYPE_CHECKING:
    from gitqueen.services.claiming import Taken
    from gitqueen.services.queen import Queen


class BeforeCommand(click.Command):
    """A command that keeps what stands behind `--` for itself: in `ctx.obj`, None where there is no `--`.

    As an argument of click's it would also take words without `--`, and `claim deploy "rm the old one"` would run rm.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            args, ctx.obj = args[:at], tuple(args[at + 1 :])
            if not ctx.obj:
                raise click.UsageError("there is no command behind --", ctx)
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND...]"]


@click.command(
    cls=BeforeCommand,
    epilog='Examples: gitqueen claim deploy -m "rolling out" --ttl 2h   gitqueen claim db --path "migrations/**"   '
    "gitqueen claim deploy --wait 60 -- ./deploy.sh",
)
@click.argument("claim_id", metavar="ID")
@click.option("-m", "--message", "description", metavar="TEXT", help="Why; shown to whoever wants it too.")
@click.option("--path", "paths", multiple=True, metavar="GLOB", help="Claim paths of this repository (git wildmatch).")
@click.option("--ttl", type=Duration(zero=False), metavar="TIME", help="Given back by itself after TIME.")
@click.option("--wait", type=Duration(zero=True), metavar="SECONDS", help="Wait so long for whoever holds it.")
@json_option
@click.pass_obj
def claim(
    command: tuple[str, ...] | None,
    claim_id: str,
    description: str | None,
    paths: tuple[str, ...],
    ttl: float | None,
    wait: float | None,
    as_json: bool,
) -> int:
    """Take the exclusive claim ID; with -- COMMAND hold it exactly while COMMAND runs.

    Exit 1 and who holds it, since when and why, when another sister does.
    """
    from gitqueen.services import claiming, mirroring

    queen = doing.open_queen()
    me = doing.sister(queen).sister
    assert me is not None
    wanted = claiming.wanted(queen, me, claim_id, description, paths, ttl)
    if command is None:
        taken = claiming.take(queen, me, wanted, wait)
        mirroring.changed(queen)
    else:
        from gitqueen.services import running

        ran = running.under_claim(queen, me, wanted, command, wait)
        if ran.code is not None:
            return ran.code
        taken = ran.taken
    doing.look_around_later(queen)
    _show_taken(queen, taken, as_json)
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
    from gitqueen.services import claiming, mirroring
    from gitqueen.views import structured
    from gitqueen.views.text import clean

    queen = doing.open_queen()
    given = claiming.release(queen, doing.actor(queen), claim_id, force)
    mirroring.changed(queen)
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
