"""What a rebuilt database got back, or would get."""

from __future__ import annotations

from gitqueen.services.rebuilding import Rebuilt
from gitqueen.views import structured
from gitqueen.views.text import Palette, clean, folder


def words(report: Rebuilt, dry_run: bool, colour: Palette) -> str:
    looked = f"{len(report.repositories)} {'repository' if len(report.repositories) == 1 else 'repositories'}"
    if report.empty:
        rows = [f"{colour.good('✓')} nothing is missing: looked at {looked}"]
    else:
        done = "would come back" if dry_run else "came back"
        rows = [f"{colour.good('✓')} from {looked} {done}:"]
        rows += [f"    {folder(path)} is managed" for path in report.managed]
        for sister in report.sisters:
            task = f": {clean(sister.task)}" if sister.task else ""
            rows.append(f"    {colour.name(clean(sister.name))} (pid {sister.pid}){task}")
        for claim in report.claims:
            why = f": {clean(claim.description)}" if claim.description else ""
            rows.append(f"    the claim {clean(claim.id)} of {clean(claim.owner)}{why}")
    rows += [colour.warning(f"  ⚠ {clean(fault)}") for fault in report.faults]
    return "\n".join(rows)


def shape(report: Rebuilt, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "repositories": list(report.repositories),
        "managed": list(report.managed),
        "sisters": [structured.sister(sister) for sister in report.sisters],
        "claims": [structured.claim(claim) for claim in report.claims],
        "faults": list(report.faults),
    }
