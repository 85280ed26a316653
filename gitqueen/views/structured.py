"""The `--json` shapes: stable keys, one object, control characters never raw, bytes that are no UTF-8 as escapes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from gitqueen.model import times

if TYPE_CHECKING:  # a shape needs no more of a report than its fields, and start-up no more than json
    from collections.abc import Mapping
    from datetime import datetime

    from gitqueen.model.claims import Claim
    from gitqueen.model.conflicts import Collision, Conflict
    from gitqueen.model.events import Event
    from gitqueen.model.messages import Message
    from gitqueen.model.sisters import Sister
    from gitqueen.services.declaring import Declared
    from gitqueen.services.onboarding import Briefing
    from gitqueen.services.reporting import Status

SCHEMA = 1

# json escapes C0 only: DEL, C1, line separators, bidi marks and lone surrogates are for us to escape.
_RAW = "[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"


def dump(report: Mapping[str, object]) -> str:
    """One JSON object with the schema's number first."""
    text = json.dumps({"schema": SCHEMA, **report}, ensure_ascii=False, separators=(", ", ": "))
    return re.sub(_RAW, lambda found: f"\\u{ord(found[0]):04x}", text)


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else times.iso(moment)


def status(report: Status) -> dict[str, object]:
    return {
        "at": _at(report.at),
        "hive": {"machine": report.machine},
        "sisters": [sister(one) for one in report.sisters],
        "claims": [claim(one) for one in report.claims],
        "conflicts": [conflict(one) for one in report.conflicts],
        "mail": [{"sister": one.sister, "unread": one.unread, "urgent": one.urgent} for one in report.mail],
        "cron_jobs": report.cron_jobs,
        "repos": [
            {"path": one.path, "worktrees": list(one.worktrees), "branch": one.branch, "sisters": list(one.sisters)}
            for one in report.repos
        ],
    }


def sister(one: Sister) -> dict[str, object]:
    """With the key waiting_for while she waits and her agent says what for."""
    shape: dict[str, object] = {
        "name": one.name,
        "pid": one.pid or None,
        "agent": one.agent,
        "status": one.status,
        "task": one.task,
        "task_source": "declared" if one.task_source == "declared" else "auto",
        "repo": one.repo,
        "worktree": one.worktree,
        "branch": one.branch,
        "head": one.head,
        "dirty": one.dirty,
        "last_seen": _at(one.last_seen),
        "started_at": _at(one.started_at),
        "terminal": _terminal(one),
    }
    return {**shape, "waiting_for": one.waiting_for} if one.waiting_for else shape


def _terminal(one: Sister) -> dict[str, object] | None:
    if (window := one.terminal) is None:
        return None
    return {"kind": window.kind, "window": window.window, "title": window.title, "focused": window.focused}


def claim(one: Claim, released: bool = False) -> dict[str, object]:
    """`released`: with the key released_at, in lists that hold those too."""
    shape: dict[str, object] = {
        "id": one.id,
        "owner": one.owner,
        "description": one.description,
        "paths": list(one.paths),
        "repo": one.repo,
        "claimed_at": _at(one.claimed_at),
        "expires_at": _at(one.expires_at),
    }
    return {**shape, "released_at": _at(one.released_at)} if released else shape


def conflict(one: Conflict) -> dict[str, object]:
    return {
        "id": one.id,
        "type": one.type,
        "sisters": list(one.sisters),
        "repo": one.repo,
        "detail": one.detail,
        "severity": one.severity,
        "detected_at": _at(one.detected_at),
        "resolved_at": _at(one.resolved_at),
    }


def collision(one: Collision) -> dict[str, object]:
    return {
        "path": one.path,
        "sister": one.sister,
        "verdict": one.verdict,
        "severity": one.severity,
        "detail": one.detail,
        "merge": one.merge or None,
    }


def message(one: Message) -> dict[str, object]:
    return {
        "id": one.id,
        "from": one.sender,
        "to": one.to,
        "body": one.body,
        "priority": one.priority,
        "sent_at": _at(one.sent_at),
        "read_at": _at(one.read_at),
        "acked_at": _at(one.acked_at),
        "reply_to": one.reply_to,
    }


def event(one: Event) -> dict[str, object]:
    return {
        "id": one.id,
        "at": _at(one.at),
        "kind": one.kind,
        "sister": one.sister,
        "repo": one.repo,
        "detail": one.detail,
    }


def declared(one: Declared) -> dict[str, object]:
    return {
        "sister": sister(one.sister) if one.sister else None,
        "done": one.done,
        "duplicates": [{"sisters": list(twin.sisters), "detail": twin.detail} for twin in one.twins],
    }


def briefing(one: Briefing) -> dict[str, object]:
    return {
        "name": one.address,
        "sister": sister(one.sister) if one.sister else None,
        "sisters": [sister(other) for other in one.sisters],
        "shares_worktree_with": list(one.roommates),
        "claims": [claim(held) for held in one.claims],
        "conflicts": [conflict(open_one) for open_one in one.conflicts],
        "messages": [message(letter) for letter in one.mail],
        "managed": one.managed,
    }


def error(code: str, text: str, hint: str) -> dict[str, object]:
    return {"error": {"code": code, "message": text, "hint": hint}}
