"""The status line: one line, what matters first, nothing that is nothing."""

from __future__ import annotations

from gitqueen.services.summing import Sum
from gitqueen.views.text import clean, cut

LONGEST = 60
"""Columns of the task: the agent's own line has to fit beside it."""


def line(said: Sum) -> str:
    parts = [f"🐝 {clean(said.address)}"]
    if said.task:
        parts.append(cut(said.task, LONGEST))
    if said.conflicts:
        parts.append(f"⚠ {said.conflicts} conflict{'s' if said.conflicts > 1 else ''}")
    if said.unread:
        parts.append(f"📬 {said.unread}{' ⚡' if said.urgent else ''}")
    if said.others:
        parts.append(f"👥 {said.others}")
    return "  ".join(parts)
