"""Looking: status, onboard, history, scan."""

from __future__ import annotations

import sys

import click

from gitqueen.cli import doing
from gitqueen.cli.doing import json_option


@click.command(epilog="Example: gitqueen status --repo . --json")
@click.option("--repo", metavar="PATH", help="Only what concerns this repository.")
@click.option("--all", "every", is_flag=True, help="Repositories without a living sister too.")
@json_option
def status(repo: str | None, every: bool, as_json: bool) -> int:
    """Who works where on what; claims held, open conflicts, pending mail."""
    from gitqueen.services import reporting, tending
    from gitqueen.views import colony, structured

    queen = doing.open_queen()
    me = doing.onlooker(queen)
    if me.sister is not None:
        tending.notice(queen, me.sister)
    report = reporting.status(queen, repo, every)
    rows = None if every else doing.rows()
    doing.show(as_json, lambda: structured.status(report), lambda: colony.status(report, doing.palette(), rows))
    return 0


@click.command(epilog="Example: gitqueen onboard")
@json_option
def onboard(as_json: bool) -> int:
    """What a session reads when it wakes: its name, the others, claims, conflicts, mail, commands."""
    from gitqueen.services import glancing, onboarding
    from gitqueen.views import briefing, letters, structured

    queen = doing.open_queen()
    me = doing.onlooker(queen)
    glancing.ensure(queen)
    report = onboarding.brief(queen, me)

    def words() -> str:
        text = briefing.brief(report, queen.now, doing.palette())
        return f"{letters.block(report.address, doing.palette())}\n\n{text}" if sys.stdout.isatty() else text

    doing.show(as_json, lambda: structured.briefing(report), words)
    return 0


@click.command(epilog="Examples: gitqueen history -n 50   gitqueen history --sister iza-2 --json")
@click.option(
    "-n", "most", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many, the latest."
)
@click.option("--sister", metavar="NAME", help="Only what she did.")
@click.option("--repo", metavar="PATH", help="Only what happened in this repository.")
@json_option
def history(most: int, sister: str | None, repo: str | None, as_json: bool) -> int:
    """The hive's log: who declared, sent, claimed, collided; the latest last."""
    from gitqueen.services import recounting
    from gitqueen.views import annals, structured

    queen = doing.open_queen()
    events = recounting.recount(queen, most, sister, repo)
    doing.show(
        as_json,
        lambda: {"events": [structured.event(event) for event in events]},
        lambda: annals.history(events, doing.palette()),
    )
    return 0


@click.command(epilog="Example: gitqueen scan --json")
@click.option("--stale", is_flag=True, help="Only if the last look around is older than 30 s.")
@json_option
def scan(stale: bool, as_json: bool) -> int:
    """One look around: who lives, where, with what uncommitted; and all that follows from it."""
    from gitqueen.services import glancing, watching
    from gitqueen.views import rounds

    queen = doing.open_queen()
    report = None
    if not (stale and watching.fresh(queen)):
        from gitqueen.services import scanning

        patience = glancing.PATIENCE if stale else 30.0
        try:
            report = scanning.locked(queen, patience, stale_only=stale, progress=_progress)
        finally:
            _progress(None)
    doing.show(as_json, lambda: rounds.shape(report), lambda: rounds.words(report))
    return 0


def _progress(worktree: str | None) -> None:
    """Only on a terminal, and overwritten by what comes next; None: nothing comes any more."""
    if sys.stderr.isatty():
        from gitqueen.views.text import cut

        words = "" if worktree is None else f"looking at {cut(worktree, 60)}\r"
        click.echo(f"\r\x1b[K{words}", err=True, nl=False)
