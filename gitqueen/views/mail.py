"""Letters as they are read: who, when, how urgent, and every line of the body."""

from __future__ import annotations

from gitqueen.model import times
from gitqueen.model.messages import Message
from gitqueen.model.names import QUEEN
from gitqueen.services.mailing import Inbox, Sent
from gitqueen.views.text import Palette, clean, homely, lines


def inbox(report: Inbox, colour: Palette) -> str:
    """All letters of the report, the oldest first."""
    count = len(report.new)
    title = f"📬 {count or 'no'} unread for {clean(report.address)}"
    return "\n".join([title, *("\n".join(_letter(message, report, colour)) for message in report.messages)])


def _letter(message: Message, report: Inbox, colour: Palette) -> list[str]:
    when = f" at {times.iso(message.sent_at)}" if message.sent_at else ""
    reply = f" (reply to #{message.reply_to})" if message.reply_to is not None else ""
    urgent = " " + colour.danger("⚡URGENT") if message.urgent else ""
    state = "" if message.id in report.new else colour.dim(" acknowledged" if message.acked_at else " read")
    head = f"[#{message.id}] from {colour.name(clean(message.sender or '?'))}{when}{reply}{urgent}{state}"
    return [
        head,
        *(f"  {line}".rstrip() for line in map(homely if message.sender == QUEEN else str, lines(message.body))),
    ]


def sent(report: Sent) -> str:
    rows = [f"✉ #{number} to {clean(name)}" for number, name in zip(report.ids, report.to, strict=True)]
    rows += [f"  {clean(name)} has no living session now: kept until she is back" for name in report.absent]
    return "\n".join(rows)


def acknowledged(ids: tuple[int, ...]) -> str:
    return "✓ acknowledged " + ", ".join(f"#{number}" for number in ids)
