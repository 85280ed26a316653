"""Mail: tell, inbox, ack."""

from __future__ import annotations

import sys

import click

from gitqueen import errors
from gitqueen.cli import doing
from gitqueen.cli.doing import json_option
from gitqueen.cli.durations import Duration
from gitqueen.model import messages


class MessageId(click.ParamType[int]):
    """`159` or `#159`."""

    name = "id"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        digits = str(value).removeprefix("#")
        # 19 digits: what SQLite counts up to, and far from where Python refuses to read a number.
        if digits.isascii() and digits.isdigit() and len(digits) <= 19 and 0 < int(digits) < 2**63:
            return int(digits)
        raise errors.Usage(f"{ascii(value)} is no message id", hint="gitqueen inbox --all shows the ids")


@click.command(epilog='Examples: gitqueen tell iza-2 "tests are green"   gitqueen tell @repo - <notes.txt')
@click.argument("name", metavar="NAME|@all|@repo")
@click.argument("message")
@click.option("--urgent", is_flag=True, help="Marked ⚡URGENT, and counted as such.")
@click.option("--reply-to", type=MessageId(), metavar="ID", help="The message this answers.")
@json_option
def tell(name: str, message: str, urgent: bool, reply_to: int | None, as_json: bool) -> int:
    """Send MESSAGE (or - for stdin) to a sister, to @all other living sisters, or to those in this @repo."""
    from gitqueen.services import mailing
    from gitqueen.views import mail

    queen = doing.open_queen()
    text = _stdin() if message == "-" else message
    report = mailing.send(queen, doing.actor(queen), name, text, urgent=urgent, reply_to=reply_to)
    doing.show(
        as_json,
        lambda: {"id": report.ids[0], "ids": list(report.ids), "to": list(report.to), "absent": list(report.absent)},
        lambda: mail.sent(report),
    )
    doing.look_around_later(queen)
    return 0


def _stdin() -> str:
    # What may be sent, the newline that ends it, and one byte more: enough to see that it is too long, whatever comes.
    return sys.stdin.buffer.read(messages.LONGEST + 2).decode("utf-8", "replace").removesuffix("\n")


@click.command(epilog="Examples: gitqueen inbox   gitqueen inbox --peek   gitqueen inbox --wait 60")
@click.option("--all", "every", is_flag=True, help="Also what is read already.")
@click.option("--peek", is_flag=True, help="Leave it unread.")
@click.option("--wait", type=Duration(zero=True), metavar="SECONDS", help="Wait for mail; exit 1 if none comes.")
@json_option
def inbox(every: bool, peek: bool, wait: float | None, as_json: bool) -> int:
    """Your unread mail; reading marks it read."""
    from gitqueen.services import mailing
    from gitqueen.views import mail, structured

    queen = doing.open_queen()
    report = mailing.inbox(queen, doing.actor(queen), every=every, peek=peek, wait=wait)
    doing.show(
        as_json,
        lambda: {"messages": [structured.message(message) for message in report.messages]},
        lambda: mail.inbox(report, doing.palette()),
    )
    doing.look_around_later(queen)
    return 1 if report.timed_out else 0


@click.command(epilog="Example: gitqueen ack 159 160")
@click.argument("ids", type=MessageId(), nargs=-1, required=True, metavar="ID...")
@json_option
def ack(ids: tuple[int, ...], as_json: bool) -> int:
    """Acknowledge mail addressed to you: all of it, or nothing."""
    from gitqueen.services import mailing
    from gitqueen.views import mail

    queen = doing.open_queen()
    done = mailing.acknowledge(queen, doing.actor(queen), ids)
    doing.show(as_json, lambda: {"acknowledged": list(done)}, lambda: mail.acknowledged(done))
    doing.look_around_later(queen)
    return 0
