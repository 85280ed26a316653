"""What the doctor found: a line each, and below what is wrong its mend."""

from __future__ import annotations

from collections.abc import Sequence

from gitqueen.services.diagnosing import Check
from gitqueen.views.text import Palette, clean, homely, pad


def words(checks: Sequence[Check], colour: Palette) -> str:
    wide = max(len(check.name) for check in checks)
    rows = []
    for check in checks:
        mark = colour.good("✓") if check.ok else colour.danger("✗")
        rows.append(f"  {mark} {pad(clean(check.name), wide)}  {homely(clean(check.detail))}")
        if not check.ok and check.mend:
            rows.append(f"      → {homely(clean(check.mend))}")
    return "\n".join(rows)


def shape(checks: Sequence[Check]) -> dict[str, object]:
    return {
        "checks": [
            {
                "name": check.name,
                "ok": check.ok,
                "detail": check.detail,
                "mend": None if check.ok else check.mend or None,
            }
            for check in checks
        ]
    }
