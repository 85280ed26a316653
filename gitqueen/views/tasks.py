"""Who one is and what one declared, in a line or two."""

from __future__ import annotations

from gitqueen.model.sisters import Sister
from gitqueen.services.declaring import Declared
from gitqueen.views.text import Palette, clean, cut, folder


def declared(report: Declared, colour: Palette) -> str:
    """The task as it stands, and every live sister who seems to do the same."""
    sister = report.sister
    if sister is None:
        return 'you are no sister yet   (become one: iam "what you are doing")'
    name = colour.name(clean(sister.name))
    if report.done is not None:
        return f"✓ {name} is done with: {cut(report.done, 200)}"
    if not sister.task:
        return f'{name} has declared nothing   (iam "what you are doing")'
    rows = [f"📌 {name}: {cut(sister.task, 200)}"]
    for twin in report.twins:
        rows.append(colour.warning(f"⚠ duplicate-task: {cut(twin.detail, 300)}"))
        others = [other for other in twin.sisters if other != sister.name]
        rows.append(f'  Ask her: gitqueen tell {clean(others[0])} "..."')
    return "\n".join(rows)


def whoami(sister: Sister | None, address: str, colour: Palette) -> str:
    if sister is None:
        return f'{clean(address)}: a person at an undeclared shell   (become a sister: iam "what you are doing")'
    words = [colour.name(clean(sister.name)), f"pid {sister.pid}", clean(sister.agent)]
    if sister.branch:
        words.append(f"[{clean(sister.branch)}]")
    if sister.worktree:
        words.append(folder(sister.worktree))
    return "  ".join(words) + (f"\n  {cut(sister.task, 200)}" if sister.task else "")
