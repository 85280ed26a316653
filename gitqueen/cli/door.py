"""The agents' door: `hook.py agent claude` with the hook's JSON on stdin, and what the agent shall be told on stdout.

It pays for every import at every edit. Whatever is wrong with us, or with what comes in, is logged, and the agent goes
on as if we were not there: exit 0 and not a word.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime

from gitqueen.cli import standins

LARGEST = 10 * 1024 * 1024
"""Bytes of a payload: a file that is written stands in it whole."""


def main(argv: list[str]) -> int:
    """`argv`: the agent's kind. Always 0."""
    try:
        standins.install()
        from gitqueen.cli import limit  # what this imports is a stand-in now

        with limit.within():
            _answer(argv[0] if argv else "")
    except BaseException as fault:
        from gitqueen import crashes

        crashes.log(os.environ, fault)
    return 0


def _answer(agent: str) -> None:
    from gitqueen.model import dialects

    deed = dialects.understood(agent, _payload())
    if deed is None:
        return
    threats: list[Threat] = []
    if deed.kind == dialects.BEFORE and deed.command:
        from gitqueen.model import commands

        threats = commands.threats(deed.command)
    if deed.kind == dialects.BEFORE and not threats and not deed.paths:
        return  # most commands harm nobody, and cost next to nothing here
    from gitqueen import settings

    home = settings.read(os.environ).home
    if deed.kind != dialects.START and not os.path.exists(os.path.join(home, "queen.db")):
        return
    from gitqueen.services import attending

    queen = attending.opened(os.environ, lambda: datetime.now(UTC), deed, agent)
    me = attending.actor(queen, deed)
    match deed.kind:
        case dialects.START:
            from gitqueen.services import onboarding, watching
            from gitqueen.views import answers, briefing
            from gitqueen.views.text import Palette

            attending.begun(queen, me)
            watching.start_detached(queen)
            text = briefing.brief(onboarding.brief(queen, me), queen.now, Palette(False))
            _say(answers.context(agent, deed, text))
        case dialects.PROMPT:
            news = attending.news(queen, me)
            if news.anything:
                from gitqueen.views import answers

                _say(answers.context(agent, deed, answers.news(news, queen.now)))
            attending.told(queen, me, news)
            from gitqueen.services import watching

            watching.start_detached(queen)
        case dialects.BEFORE:
            _before(agent, deed, queen, me, threats)
        case dialects.AFTER:
            attending.after_edit(queen, me, deed.paths)
        case dialects.IDLE:
            attending.seen(queen, me, "waiting" if deed.waiting else "idle")
        case dialects.END:
            if deed.over:
                attending.ended(queen, me)
            else:
                attending.seen(queen, me, "idle")


def _before(agent: str, deed: Deed, queen: Queen, me: Identity, threats: list[Threat]) -> None:
    """What stands against what she is about to do; nothing is said where nothing does."""
    from gitqueen.services import attending

    refused, texts = False, []
    if deed.paths:
        edit = attending.before_edit(queen, me, deed.paths)
        if edit.collisions:
            from gitqueen.views import answers

            texts.append(answers.edit(edit, queen.now))
            refused = edit.refused
    if threats:
        from gitqueen.services import foreseeing

        foreseen = foreseeing.before_command(queen, me, threats)
        if foreseen.perils:
            from gitqueen.views import answers

            texts.append(answers.command(foreseen))
            refused = refused or foreseen.refused
    if texts:
        from gitqueen.views import answers

        text = "\n".join(texts)
        _say(answers.refusal(agent, deed, text) if refused else answers.context(agent, deed, text))
    if threats and not refused:
        from gitqueen.services import bracing

        bracing.before(queen, me, threats)


def _payload() -> object:
    """What stands on stdin, parsed; raises where that is no JSON."""
    import json

    parts, size = [], 0
    while part := os.read(0, 1 << 20):
        size += len(part)
        if size > LARGEST:
            raise ValueError(f"more than {LARGEST} bytes on stdin")
        parts.append(part)
    return json.loads(b"".join(parts).decode("utf-8"))


def _say(text: str) -> None:
    raw = text.encode("utf-8", "backslashreplace") + b"\n"
    while raw:
        raw = raw[os.write(1, raw) :]


TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    from gitqueen.model.commands import Threat
    from gitqueen.model.dialects import Deed
    from gitqueen.model.sisters import Identity
    from gitqueen.services.queen import Queen
