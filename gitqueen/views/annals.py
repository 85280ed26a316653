"""History, a sentence for each event, as a person tells it.

What it is made of stands in `events`, and whole in `--json`. An event of a kind that is not known here (of another
program, or of a later version) is shown as it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gitqueen.model import times
from gitqueen.model.events import VENTURED, Event
from gitqueen.views.text import Palette, cut, homely, pad, width

Detail = Mapping[str, object]


def history(events: Sequence[Event], colour: Palette) -> str:
    """One event a line: when, who, what."""
    if not events:
        return "nothing has happened yet"
    names = max(width(cut(event.sister or "queen", 64)) for event in events)
    room = colour.room(160, 20 + names + 4)
    return "\n".join(
        f"{times.iso(event.at) if event.at else '?':20}  "
        f"{colour.name(pad(cut(event.sister or 'queen', 64), names))}  {cut(homely(_sentence(event)), room)}".rstrip()
        for event in events
    )


def _sentence(event: Event) -> str:
    tell = _TOLD.get(event.kind)
    return tell(event.detail) if tell is not None else f"{event.kind}  {_as_written(event.detail)}"


def _as_written(detail: Detail) -> str:
    return "  ".join(
        f"{key}={','.join(map(str, value)) if isinstance(value, list) else value}"
        for key, value in detail.items()
        if value not in (None, [], "")
    )


def _said(detail: Detail, key: str, before: str = "", after: str = "") -> str:
    """What `key` says, between these words; nothing where it says nothing. A list as people write one."""
    value = detail.get(key)
    text = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return f"{before}{text}{after}" if text else ""


def _count(value: object, one: str, many: str = "") -> str:
    number = len(value) if isinstance(value, list) else value
    return f"{number} {one if number == 1 else many or one + 's'}"


def _letters(detail: Detail) -> str:
    ids = detail.get("ids")
    return ", ".join(f"#{number}" for number in ids) if isinstance(ids, list) else "mail"


def _left(detail: Detail) -> str:
    kept = [
        _count(detail[key], *words)
        for key, words in (
            ("uncommitted", ("uncommitted path",)),
            ("unacknowledged", ("letter not acknowledged", "letters not acknowledged")),
        )
        if detail.get(key)
    ]
    held = _said(detail, "claims", "the claims ")
    rest = ", ".join([*kept, held] if held else kept)
    return "ended her session" + (f" and leaves {rest}" if rest else "")


def _claimed(verb: str) -> Callable[[Detail], str]:
    return lambda detail: (
        f"{verb} {_said(detail, 'id')}{_said(detail, 'paths', ' on ')}{_said(detail, 'description', ': ')}"
    )


def _committed(detail: Detail) -> str:
    late = ", which no hook told of" if detail.get("seen_by") else ""
    return f"committed {_said(detail, 'oid')[:12]}{_said(detail, 'branch', ' on ')}{late}"


def _rewrote(detail: Detail) -> str:
    if detail.get("how") == "amend":
        return "amended a commit"
    return f"rewrote {_count(detail.get('commits'), 'commit')} by a {_said(detail, 'how')}"


def _disarmed(detail: Detail) -> str:
    if detail.get("by") == "uninstall":
        return "took the git hooks out of the repository"
    changed = _said(detail, "when", " (changed ", ")")
    return f"disarmed the git hooks{_said(detail, 'worktree', ' of ')}{_said(detail, 'what', ': ')}{changed}"


def _armed(detail: Detail) -> str:
    where = "everywhere" if detail.get("everywhere") else "in the repository"
    return f"installed the git hooks {where}"


_TOLD: Mapping[str, Callable[[Detail], str]] = {
    "acked": lambda detail: f"acknowledged {_letters(detail)}",
    "armed": _armed,
    "arrived": lambda detail: f"arrived{_said(detail, 'agent', ': ')}{_said(detail, 'pid', ', process ')}",
    "claimed": _claimed("claimed"),
    "committed": _committed,
    "conflict-over": lambda detail: f"sees that {_said(detail, 'id')} is over",
    "conflict-seen": lambda detail: (
        f"got into a conflict: {_said(detail, 'type')} of {_said(detail, 'sisters')} "
        f"({_said(detail, 'severity', after=', ')}{_said(detail, 'id')})"
    ),
    "declared": lambda detail: f"declared: {_said(detail, 'task')}",
    "died": lambda detail: f"is gone{_said(detail, 'pid', ': process ', ' ended')}",
    "disarmed": _disarmed,
    "disarming": lambda detail: f"was warned of disarming the git hooks{_said(detail, 'by', ': ')}",
    "done": lambda detail: f"finished: {_said(detail, 'task')}",
    "given-back": lambda detail: f"no longer holds {_said(detail, 'id')}{_said(detail, 'why', ': ')}",
    "left": _left,
    "rearmed": lambda detail: f"put the git hooks back{_said(detail, 'worktree', ' in ')}",
    "rebuilt": lambda detail: (
        f"rebuilt the hive from its repositories: {_count(detail.get('sisters'), 'sister')}, "
        f"{_count(detail.get('claims'), 'claim')}"
    ),
    "released": lambda detail: f"released {_said(detail, 'id')}",
    "renamed": lambda detail: f"was called {_said(detail, 'was')} until now",
    "renewed": _claimed("renewed"),
    "resolved": lambda detail: f"resolved {_said(detail, 'id')} by hand",
    "restored": lambda detail: (
        f"brought {_count(detail.get('count'), 'path')} back from {_said(detail, 'rescue')}"
        f"{_said(detail, 'paths', ': ')}"
    ),
    "reverting": lambda detail: f"is reverting a commit{_said(detail, 'worktree', ' in ')}",
    "rewrote": _rewrote,
    "sent": lambda detail: (
        f"wrote {_letters(detail)} to {_said(detail, 'to')}{' (urgent)' if detail.get('priority') == 'urgent' else ''}"
    ),
    "taken-away": lambda detail: f"released {_said(detail, 'id')} of {_said(detail, 'owner')} with --force",
    VENTURED: lambda detail: (
        f"ran {_said(detail, 'by')}{_said(detail, 'worktree', ' in ')}, which may take away what is uncommitted"
    ),
}
