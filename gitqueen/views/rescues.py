"""Snapshots of uncommitted work as people and programs read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from gitqueen.model import times
from gitqueen.services.restoring import Restored
from gitqueen.services.salvaging import Found
from gitqueen.views.text import Palette, ago, clean, cut, folder, width

SHOWN = 4


def listed(found: Sequence[Found], now: datetime, colour: Palette) -> str:
    """A snapshot a block: when, why, whose, and the first of its files."""
    if not found:
        return "nothing is kept here yet   (gitqueen rescue now)"
    return "\n".join(line for one in found for line in _block(one, now, colour))


def _block(one: Found, now: datetime, colour: Palette) -> list[str]:
    names = ", ".join(clean(path) for path in one.files[:SHOWN])
    more = f" and {len(one.files) - SHOWN} more" if len(one.files) > SHOWN else ""
    rows = _head(one, now, colour)
    rows += [f"      {cut(names + more, colour.room(200, 6))}"] if names else []
    if one.lost:
        lost = cut(", ".join(clean(path) for path in one.lost[:SHOWN]), colour.room(160, 12))
        back = f" gitqueen rescue restore {_id(one, colour)}"
        rows += _joined([(f"lost: {lost}", lambda text: colour.danger(text[:5]) + text[5:]), (back, str)], colour, 6)
    return rows


def _head(one: Found, now: datetime, colour: Palette) -> list[str]:
    kept, since = one.rescue, ago(one.rescue.at, now)
    owners = dict.fromkeys(name for names in kept.owners.values() for name in names) or kept.sisters
    whose = ", ".join(clean(name) for name in owners) or "nobody known"
    parts: list[tuple[str, Callable[[str], str]]] = [
        (_id(one, colour), str),
        ("now" if since in ("", "now") else f"{since} ago", colour.dim),
        (cut(whose, colour.room(1000, 6)), colour.name),
        (cut(f"[{clean(kept.branch)}]", colour.room(1000, 6)) if kept.branch else "", str),
        (f"{_many(len(one.files), 'file')}, {_many(kept.lines, 'line')}", str),
        (cut(clean(kept.reason), colour.room(1000, 6)), colour.dim),
    ]
    return _joined([part for part in parts if part[0]], colour, 2)


def _id(one: Found, colour: Palette) -> str:
    """On a terminal without the worktree, which is that of all of them: the moment is enough to type."""
    return clean(one.rescue.id if colour.columns is None else one.rescue.id.rpartition("/")[2])


def _joined(parts: Sequence[tuple[str, Callable[[str], str]]], colour: Palette, indent: int) -> list[str]:
    """The parts in a line, or in as many as the terminal needs."""
    rows, taken = [""], 0
    for text, shade in parts:
        if rows[-1] and colour.columns is not None and taken + 2 + width(text) > colour.columns:
            rows, taken, indent = [*rows, ""], 0, 6
        gap = "  " if rows[-1] else " " * indent
        rows[-1] += gap + shade(text)
        taken += len(gap) + width(text)
    return rows


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def shown(one: Found, now: datetime, colour: Palette) -> str:
    """Everything of one snapshot, path by path."""
    kept = one.rescue
    rows = [*_head(one, now, colour), f"      {folder(kept.worktree)} at {clean((kept.head or 'no commit')[:12])}"]
    for content in one.kept:
        names = kept.owners.get(content.path, ())
        mark = f"  {colour.name(clean(' or '.join(names)))}" if names else ""
        mark += colour.danger("  lost") if content.path in one.lost else ""
        rows.append(f"  {content.part:<8}  {content.mode}  {clean(content.path)}{mark}")
    rows += [f"  {'module':<8}  {commit[:12]}  {clean(path)}" for path, commit in kept.modules.items()]
    rows += [f"  {'deleted':<8}          {clean(path)}" for path in kept.deleted]
    rows += [f"  {'left out':<8}          {clean(path)}: {clean(why)}" for path, why in kept.left_out.items()]
    return "\n".join(rows)


def restored(reports: Sequence[Restored], colour: Palette) -> str:
    rows = []
    for one in reports:
        count = len(one.written)
        rows.append(f"{colour.good('✓')} {count} file{'' if count == 1 else 's'} from {clean(one.rescue.id)}")
        rows += [f"    {clean(path)}" for path in one.written[:20]]
        rows += [f"    and {count - 20} more"] if count > 20 else []
        rows += [colour.dim(f"    {clean(path)} is there already") for path in one.same[:5]]
        rows += [colour.warning(f"  ⚠ {clean(path)} left alone: {clean(why)}") for path, why in one.refused.items()]
        rows += [
            f"    {clean(path)} is a submodule, it stood at {oid[:12]}" for path, oid in one.rescue.modules.items()
        ]
    return "\n".join(rows)


def shape(found: Sequence[Found]) -> dict[str, object]:
    return {"rescues": [_shape(one) for one in found]}


def _shape(one: Found) -> dict[str, object]:
    kept = one.rescue
    return {
        "id": kept.id,
        "sister": kept.sisters[0] if len(kept.sisters) == 1 else None,
        "sisters": list(kept.sisters),
        "worktree": kept.worktree,
        "branch": kept.branch,
        "head": kept.head,
        "at": times.iso(kept.at),
        "files": list(one.files),
        "lost": list(one.lost),
        "deleted": list(kept.deleted),
        "left_out": dict(kept.left_out),
        "reason": kept.reason,
        "lines": kept.lines,
        "owners": {path: list(names) for path, names in kept.owners.items()},
    }


def restored_shape(reports: Sequence[Restored]) -> dict[str, object]:
    return {
        "restored": [
            {
                "id": one.rescue.id,
                "into": one.into,
                "written": list(one.written),
                "same": list(one.same),
                "refused": list(one.refused),
                "reasons": dict(one.refused),
            }
            for one in reports
        ]
    }
