"""The git hooks of repositories: what was changed, and how they stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gitqueen.git.hooks import Arms, State
from gitqueen.services.arming import Report
from gitqueen.views.text import Palette, clean, folder

DONE = {"install": ("armed", "armed already"), "uninstall": ("disarmed", "not armed")}
HOW = {
    "own file": "by a file of our own",
    "block": "by a block in the hook that is there",
    "configuration": "by git's configuration",
    "global configuration": "by git's global configuration",
}


def changed(reports: Sequence[Report], doing: str, dry_run: bool, colour: Palette) -> str:
    """What was done to each repository, the events alike together."""
    if not reports:
        return (
            f"✓ each repository will be {DONE[doing][0]} when a sister first works in it"
            if doing == "install"
            else "✓ done"
        )
    return "\n".join(line for report in reports for line in _changed(report, doing, dry_run, colour))


def _changed(report: Report, doing: str, dry_run: bool, colour: Palette) -> list[str]:
    if report.fault:
        return _refused(report, colour)
    rows = [_outcome(report, doing, dry_run, colour)]
    alike = _together((step.event, step.words) for step in report.steps)
    rows += [line for words, events in alike for line in (f"    {', '.join(events)}:", f"      {clean(words)}")]
    rows += [line for note in report.notes for line in _note(note, doing == "install", colour)]
    if doing == "install" and not dry_run:
        rows += [line for arms in report.elsewhere for line in _elsewhere(arms, colour)]
    return rows


def _note(note: str, warns: bool, colour: Palette) -> list[str]:
    """On two lines where events and words do not fit one."""
    events, colon, words = clean(note).partition(": ")
    rows = [f"{events}:", f"    {words}"] if colon and len(note) > 74 else [clean(note)]
    rows = [f"  {'⚠' if warns and not number else ' '} {row}" for number, row in enumerate(rows)]
    return [colour.warning(row) for row in rows] if warns else rows


def _outcome(report: Report, doing: str, dry_run: bool, colour: Palette) -> str:
    where = folder(report.path)
    done, nothing = DONE[doing]
    if dry_run:
        return f"{where}: {f'would be {done}' if report.steps else 'nothing would change'}"
    if doing == "install" and report.helpless:
        return f"{colour.danger('✗')} {where} cannot be armed"
    if doing == "install" and not report.armed:
        return f"{colour.warning('⚠')} {where} is armed in part"
    return f"{colour.good('✓')} {where} is {done if report.steps else nothing}"


def _together(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """(event, words) -> words, events that share them, each once."""
    found: dict[str, dict[str, None]] = {}
    for event, words in pairs:
        found.setdefault(words, {})[event] = None
    return [(words, list(events)) for words, events in found.items()]


def _refused(report: Report, colour: Palette) -> list[str]:
    hint = [f"    → {clean(report.hint)}"] if report.hint else []
    return [f"{colour.danger('✗')} {folder(report.path)}: {clean(report.fault)}", *hint]


def status(reports: Sequence[Report], colour: Palette) -> str:
    """Each repository: whether it is managed, by which git, how the events are armed, what is beside, what is not."""
    if not reports:
        return "no repository is managed yet   (gitqueen hooks install REPO)"
    return "\n".join(line for report in reports for line in _status(report, colour))


def _status(report: Report, colour: Palette) -> list[str]:
    if report.arms is None:
        return _refused(report, colour)
    arms = report.arms
    managed = "managed" if report.managed else "not managed   (gitqueen hooks install)"
    rows = [f"{colour.bold(folder(report.path))}  {managed}", f"  git {clean(arms.git)}, {_where(arms)}"]
    for state, events in _alike(arms.states):
        rows += _group(state, events, report.managed, colour)
    if beside := sorted({folder(name) for state in arms.states for name in state.beside if state.how != "block"}):
        rows.append(f"  also there: {', '.join(beside)}")
    if arms.left_over:
        rows.append(f"  in git's configuration, for a newer git: {', '.join(arms.left_over)}")
    if report.managed:
        rows += [line for other in report.elsewhere for line in _elsewhere(other, colour)]
    return rows


def _where(arms: Arms) -> str:
    by = "" if arms.folder_from == "default" else f" (core.hooksPath, {arms.folder_from})"
    return f"hooks in {folder(arms.folder)}{by}"


def _alike(states: Sequence[State]) -> list[tuple[State, list[str]]]:
    """One state of each sort, and the events that are of it."""
    found: dict[object, tuple[State, list[str]]] = {}
    for state in states:
        sort = (state.how, state.fault, state.mend, state.stale, _guest(state))
        found.setdefault(sort, (state, []))[1].append(state.event)
    return list(found.values())


def _group(state: State, events: Sequence[str], managed: bool, colour: Palette) -> list[str]:
    mark = colour.good("✓") if state.armed else colour.danger("✗") if managed else colour.dim("·")
    words = HOW.get(state.how, state.how) if state.armed else state.fault
    rows = [f"  {mark} {', '.join(events)}", f"    {clean(words)}"]
    if state.stale:
        rows.append("    of another installation or version   → gitqueen hooks install")
    if state.guest is not None:
        rows.append(f"    {_guest(state)}   → gitqueen hooks install")
    if not state.armed and managed and state.mend:
        rows.append(f"    → {clean(state.mend)}")
    return rows


def _guest(state: State) -> str:
    if state.guest is None:
        return ""
    who, text = state.guest
    return f"where {who} found no room for its own" if text is not None else f"with what {who} left behind"


def _elsewhere(arms: Arms, colour: Palette) -> list[str]:
    """Another worktree, where it has a hooks folder of its own and not all is well there."""
    if arms.armed:
        return []
    rows = [f"  {colour.danger('✗')} in the worktree {folder(arms.place.folder)}"]
    for why, events in arms.faults.items():
        rows.append(f"    {', '.join(events)}:")
        rows.append(f"      {clean(why)}")
    return rows


def shape(reports: Sequence[Report]) -> dict[str, object]:
    return {"repos": [_shape(report) for report in reports]}


def _shape(report: Report) -> dict[str, object]:
    arms = report.arms
    return {
        "path": report.path,
        "managed": report.managed,
        "armed": None if arms is None else report.armed,
        "git": arms and arms.git,
        "hooks_folder": arms and arms.folder,
        "hooks_folder_from": arms and arms.folder_from,
        "events": [_event(state) for state in arms.states] if arms else [],
        "elsewhere": [_place(arms) for arms in report.elsewhere],
        "changes": [f"{step.event}: {step.words}" for step in report.steps],
        "notes": list(report.notes),
        "fault": report.fault or None,
        "hint": report.hint or None,
    }


def _place(arms: Arms) -> dict[str, object]:
    return {
        "worktree": arms.place.worktree,
        "armed": arms.armed,
        "hooks_folder": arms.folder,
        "events": [_event(state) for state in arms.states],
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
        "guest": _guest(state) or None,
    }
