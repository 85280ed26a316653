"""The forecast: who will conflict with whom, as a table of all pairs, and below it each conflict file by file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from gitqueen.model import merges
from gitqueen.model.merges import Clash, Lines
from gitqueen.services.forecasting import Forecast, Party, Prediction
from gitqueen.views.text import Palette, clean, cut, cut_front, pad, width

SHOWN = 10
"""Files of one pair that are named before the rest is counted."""
MOST_COLUMNS = 160
_LONGEST_NAME = 24
_SIGNS = {merges.CLEAN: "✓", merges.CONFLICT: "✗", merges.UNKNOWN: "?"}


def forecast(report: Forecast, colour: Palette) -> str:
    """The table, what it means, and each pair that does not merge cleanly."""
    if len(report.parties) < 2:
        return "nobody else works here   (two branches: gitqueen conflicts --predict main feature)"
    known = {(one.one, one.other): one for one in report.pairs}
    rows = _table(report.parties, known, colour)
    shown: set[tuple[str, str]] = set()
    parties = {party.name: party for party in report.parties}
    for one in report.pairs:
        if one.merge.verdict != merges.CLEAN and (one.other, one.one) not in shown:
            shown.add((one.one, one.other))
            rows += ["", *_pair(one, known.get((one.other, one.one)), parties, colour)]
        elif one.left_out:
            rows += ["", *_left_out(one)]
    if any(one.merge.hint for one in report.pairs):
        rows += [
            "",
            colour.warning("  only a hint, from libgit2: git 2.39 or newer knows all renames and merge drivers"),
        ]
    if not report.conflicting:
        rows += ["", colour.good("✓ no pair conflicts") if _all_known(report) else "no conflict is known"]
    return "\n".join(rows)


def _all_known(report: Forecast) -> bool:
    return all(one.merge.verdict == merges.CLEAN and not one.left_out for one in report.pairs)


def _table(parties: Sequence[Party], known: Mapping[tuple[str, str], Prediction], colour: Palette) -> list[str]:
    """A column for each row, by number; only the rows where the terminal is too narrow for it."""
    names = [cut(party.name, _LONGEST_NAME) for party in parties]
    wide, digits = max(width(name) for name in names), len(str(len(names)))
    cell = digits + 1
    room = colour.room(MOST_COLUMNS)
    if 2 + digits + 2 + wide + 1 + cell * len(names) > room:
        return [f"{len(names)} compared, {len(known)} pairs: a table of them is wider than {room} columns"]
    head = " " * (2 + digits + 2 + wide + 1)
    rows = [colour.dim(head + "".join(f"{number:>{cell}}" for number in range(1, len(names) + 1)))]
    for number, (party, name) in enumerate(zip(parties, names, strict=True), 1):
        signs = "".join(" " * (cell - 1) + _sign(party, other, known, colour) for other in parties)
        rows.append(f"  {number:>{digits}}  {colour.name(pad(name, wide))} {signs}   {_where(party, colour)}".rstrip())
    legend = ["✓ merges cleanly", "✗ conflicts", "? unknown"]
    legend += ["= one worktree"] if any(_same(a, b) for a in parties for b in parties if a is not b) else []
    return [*rows, colour.dim("  " + "   ".join(legend))]


def _same(one: Party, other: Party) -> bool:
    return one.worktree is not None and one.worktree == other.worktree


def _sign(one: Party, other: Party, known: Mapping[tuple[str, str], Prediction], colour: Palette) -> str:
    if one is other:
        return colour.dim("·")
    if _same(one, other):
        return "="
    found = known.get((one.name, other.name)) or known[other.name, one.name]
    paint = {merges.CLEAN: colour.good, merges.CONFLICT: colour.danger}.get(found.merge.verdict, colour.warning)
    return paint(_SIGNS[found.merge.verdict])


def _where(party: Party, colour: Palette) -> str:
    """Her branch, marked where something of hers is uncommitted, and her task."""
    if party.sister is None:
        return colour.dim(party.side.commit[:10]) if party.side else ""
    words = [f"[{cut(party.sister.branch, 30)}{'*' if party.sister.dirty else ''}]"] if party.sister.branch else []
    words += [f'"{cut(party.sister.task, 40)}"'] if party.sister.task else []
    return " ".join(words)


def _pair(one: Prediction, back: Prediction | None, parties: Mapping[str, Party], colour: Palette) -> list[str]:
    names = f"{colour.name(clean(one.one))} and {colour.name(clean(one.other))}"
    if one.merge.verdict == merges.UNKNOWN:
        return [f"  {colour.warning('?')} {names}: {cut(one.merge.why, 200)}"]
    count = len(one.merge.clashes)
    head = f"  {colour.danger('✗')} {names} conflict in {count} file{'' if count == 1 else 's'}"
    wide = min(48, max(width(clean(clash.path)) for clash in one.merge.clashes[:SHOWN]))
    rows = [f"      {_file(clash, wide, one, colour)}" for clash in one.merge.clashes[:SHOWN]]
    rows += [f"      and {count - SHOWN} more: --json"] if count > SHOWN else []
    if back is not None and _files(back) != _files(one):
        rows.append(
            f"      if {clean(one.other)} merges: {cut(', '.join(clash.path for clash in back.merge.clashes), 200)}"
        )
    return [head, *rows, *_left_out(one), f"      {_what_to_type(one, parties)}"]


def _files(one: Prediction) -> list[tuple[str, str]]:
    return [(clash.path, clash.verdict) for clash in one.merge.clashes]


def _file(clash: Clash, wide: int, pair: Prediction, colour: Palette) -> str:
    path = colour.danger(pad(cut_front(clean(clash.path), wide), wide))
    if not clash.lines:
        return f"{path}  {'its text' if clash.verdict == merges.CONTENT else clash.verdict}"
    sides = ((pair.one, "ours"), (pair.other, "theirs"))
    where = [f"{merges.places(clash.lines, side)} of {cut(name, _LONGEST_NAME)}" for name, side in sides]
    return f"{path}  {', '.join(where)}"


def _left_out(one: Prediction) -> list[str]:
    if not one.left_out:
        return []
    paths = ", ".join(clean(path) for path in one.left_out[:3])
    more = f" and {len(one.left_out) - 3} more" if len(one.left_out) > 3 else ""
    return [f"      not looked at (large, unreadable or not merged yet): {paths}{more}"]


def _what_to_type(one: Prediction, parties: Mapping[str, Party]) -> str:
    asked = next((parties[name].sister for name in (one.other, one.one) if parties[name].sister is not None), None)
    if asked is not None:
        return f'Ask: gitqueen tell {shlex.quote(clean(asked.name))} "..."'
    mine, hers = (shlex.quote(clean(name)) for name in (one.one, one.other))
    return f"Look: git merge-tree {mine} {hers}   Merge: git switch {mine} && git merge {hers}"


def shape(report: Forecast) -> list[dict[str, object]]:
    """`pairs` of `conflicts --predict --json`: `a` merges `b`. `files` are those that conflict, those that both changed
    and git merges by itself, and those that could not be looked at."""
    return [
        {
            "a": one.one,
            "b": one.other,
            "verdict": one.merge.verdict,
            "files": [
                *(
                    {"path": clash.path, "verdict": clash.verdict, "lines": _lines(clash.lines)}
                    for clash in one.merge.clashes
                ),
                *({"path": path, "verdict": merges.CLEAN, "lines": None} for path in one.merge.merged),
                *({"path": path, "verdict": merges.UNKNOWN, "lines": None} for path in one.left_out),
            ],
            "why": one.merge.why or None,
            "hint": one.merge.hint,
        }
        for one in report.pairs
    ]


def _lines(found: Sequence[Lines]) -> list[dict[str, list[int]]] | None:
    """First and last on either side; a last before its first: nothing stands there any more."""
    return [{"a": list(one.ours), "b": list(one.theirs)} for one in found] or None
