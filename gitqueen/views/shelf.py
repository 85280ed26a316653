"""The repositories that are looked at, a line each, or as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from gitqueen.services.knowing import Known
from gitqueen.views.colony import facts
from gitqueen.views.text import Palette, clean, cut, cut_front, folder, pad, width

FOLDER, BRANCH, REST = 200, 40, 30
"""Columns at most; and those that a terminal keeps for what stands behind the folder."""


def words(found: Sequence[Known], colour: Palette) -> str:
    if not found:
        return "no repository yet   (gitqueen repos add PATH)"
    folders = min(colour.room(FOLDER, REST), max(width(folder(one.path)) for one in found))
    return "\n".join(f"  {pad(cut_front(folder(one.path), folders), folders)}  {_how(one, colour)}" for one in found)


def _how(one: Known, colour: Palette) -> str:
    if one.fault:
        return colour.warning(f"could not be looked at: {clean(one.fault)}")
    why = ", ".join([*map(clean, one.sisters)] or [word for word, true in _reasons(one) if true])
    if one.work is None:
        return colour.dim(f"not seen yet  {why}".rstrip())
    star = "*" if one.work.dirty else ""
    return f"[{cut(one.work.branch or '(detached)', BRANCH)}{star}]{facts(one.work)}  {colour.dim(why)}".rstrip()


def _reasons(one: Known) -> list[tuple[str, bool]]:
    return [("hooks", one.managed), ("added", one.added)]


def done(what: str, paths: Sequence[str]) -> str:
    return "\n".join(f"✓ {folder(path)}: {what}" for path in paths)


def shape(found: Sequence[Known]) -> dict[str, object]:
    return {
        "repos": [
            {
                "path": one.path,
                "added": one.added,
                "managed": one.managed,
                "sisters": list(one.sisters),
                "worktrees": list(one.worktrees),
                "branch": one.work.branch if one.work else None,
                "dirty": one.work.dirty if one.work else None,
                "ahead": one.work.ahead if one.work else None,
                "behind": one.work.behind if one.work else None,
                "busy": one.work.busy if one.work else None,
                "fault": one.fault or None,
            }
            for one in found
        ]
    }
