"""The git hooks of repositories: what was changed, and how they stand."""

from __future__ import annotations

from collections.abc import Sequence

from gitqueen.git.hooks import Arms, State
from gitqueen.services.arming import Report
from gitqueen.views.text import Palette, clean, folder, pad

DONE = {"install": ("armed", "armed already"), "uninstall": ("disarmed", "not armed")}


def changed(reports: Sequence[Report], doing: str, dry_run: bool, colour: Palette) -> str:
    """What was done to each repository, a line a change."""
    if not reports:
        return (
            f"✓ no repository is known yet: each will be {DONE[doing][0]} when it is seen"
            if doing == "install"
            else "✓ done"
        )
    return "\n".join(line for report in reports for line in _changed(report, doing, dry_run, colour))


def _changed(report: Report, doing: str, dry_run: bool, colour: Palette) -> list[str]:
    if report.fault:
        return _refused(report, colour)
    done, nothing = DONE[doing]
    if dry_run:
        rows = [f"{folder(report.path)}: would be {done}" if report.steps else f"{folder(report.path)}: {nothing}"]
    else:
        rows = [f"{colour.good('✓')} {folder(report.path)} is {done if report.steps else nothing}"]
    rows += [f"    {clean(step.words)}" for step in report.steps]
    notes = [
        colour.warning(f"  ⚠ {clean(note)}") if doing == "install" else f"    {clean(note)}" for note in report.notes
    ]
    return [*rows, *notes]


def _refused(report: Report, colour: Palette) -> list[str]:
    hint = [f"    → {clean(report.hint)}"] if report.hint else []
    return [f"{colour.danger('✗')} {folder(report.path)}: {clean(report.fault)}", *hint]


def status(reports: Sequence[Report], colour: Palette) -> str:
    """Each repository: whether it is managed, by which git, and event by event how it is armed and what is beside."""
    if not reports:
        return "no repository is managed yet   (gitqueen hooks install REPO)"
    return "\n".join(line for report in reports for line in _status(report, colour))


def _status(report: Report, colour: Palette) -> list[str]:
    if report.arms is None:
        return _refused(report, colour)
    arms = report.arms
    managed = "managed" if report.managed else "not managed (gitqueen hooks install)"
    rows = [f"{colour.bold(folder(report.path))}  {managed}, git {clean(arms.git)}{_where(arms)}"]
    rows += [line for state in arms.states for line in _state(state, report.managed, colour)]
    rows += [f"    also in git's configuration, for a newer git: {', '.join(arms.left_over)}"] if arms.left_over else []
    return rows


def _where(arms: Arms) -> str:
    if arms.folder_from == "default":
        return ""
    return f", core.hooksPath ({arms.folder_from}) is {folder(arms.folder)}"


def _state(state: State, managed: bool, colour: Palette) -> list[str]:
    mark = colour.good("✓") if state.armed else colour.danger("✗") if managed else colour.dim("·")
    words = state.how if state.armed else state.fault
    beside = f", beside {', '.join(folder(name) for name in state.beside)}" if state.beside else ""
    stale = " (outdated: gitqueen hooks install)" if state.stale else ""
    rows = [f"  {mark} {pad(state.event, 13)}  {clean(words)}{stale}{beside}"]
    if not state.armed and managed and state.mend:
        rows.append(f"      → {clean(state.mend)}")
    return rows


def shape(reports: Sequence[Report]) -> dict[str, object]:
    return {"repos": [_shape(report) for report in reports]}


def _shape(report: Report) -> dict[str, object]:
    arms = report.arms
    return {
        "path": report.path,
        "managed": report.managed,
        "armed": None if arms is None else arms.armed,
        "git": arms and arms.git,
        "hooks_folder": arms and arms.folder,
        "hooks_folder_from": arms and arms.folder_from,
        "events": [_event(state) for state in arms.states] if arms else [],
        "changes": [step.words for step in report.steps],
        "notes": list(report.notes),
        "fault": report.fault or None,
        "hint": report.hint or None,
    }


def _event(state: State) -> dict[str, object]:
    return {
        "event": state.event,
        "armed": state.armed,
        "how": state.how or None,
        "path": state.path,
        "beside": list(state.beside),
        "fault": state.fault or None,
        "mend": state.mend or None,
        "outdated": state.stale,
    }
