"""What one look around saw, in a line or as JSON."""

from __future__ import annotations

from gitqueen.services.scanning import Scan
from gitqueen.views.text import clean


def words(report: Scan | None) -> str:
    """`3 sisters in 2 worktrees`, and what followed."""
    if report is None:
        return "nothing to do: the last look around is fresh"
    lines = [f"✓ {_count(report.sisters, 'sister')} in {_count(report.worktrees, 'worktree')}"]
    for title, names in (
        ("gone", report.gone), ("claims given back", report.given_back), ("conflicts over", report.resolved)
    ):  # fmt: skip
        if names:
            lines.append(f"  {title}: {', '.join(clean(name) for name in names)}")
    return "\n".join([*lines, *(f"  could not look: {clean(fault)}" for fault in report.faults)])


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def shape(report: Scan | None) -> dict[str, object]:
    if report is None:
        return {"scanned": False}
    return {
        "scanned": True,
        "sisters": report.sisters,
        "worktrees": report.worktrees,
        "gone": list(report.gone),
        "given_back": list(report.given_back),
        "resolved": list(report.resolved),
        "faults": list(report.faults),
    }
