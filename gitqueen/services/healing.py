"""Healing: the hooks that should be armed are looked at, and armed again where somebody disarmed them.

Other hook managers rewrite hook files, git is upgraded, agents switch hooks off: a scan sees it by a few stats, mends
what is safe to mend, and says the rest once, to those who rely on it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable

from gitqueen import errors
from gitqueen.git import hooks, hooktext, places, probes
from gitqueen.git.places import Place
from gitqueen.model.events import Event
from gitqueen.model.messages import NORMAL
from gitqueen.model.names import QUEEN
from gitqueen.services import arming, tending
from gitqueen.services.queen import Queen
from gitqueen.store import armed as armed_table
from gitqueen.store import database, events, repos
from gitqueen.store import messages as messages_table
from gitqueen.store.armed import Armed


def heal(queen: Queen, seen: Iterable[Place], apart: Collection[str] = ()) -> list[str]:
    """Look at every managed repository and at the worktrees `seen`; arm new ones under `--global`. Those whose common
    dir is `apart` may hang: they are left alone.

    Returns a sentence for each that could not be looked at.
    """
    with database.faults(queen.settings.database):
        known = armed_table.everything(queen.db)
        managed = repos.all_managed(queen.db)
        everywhere = repos.everywhere(queen.db)
    there = {_key(place): place for place in seen}
    for common_dir, path in managed.items():
        if path not in there and common_dir not in apart and (place := places.find(path)) is not None:
            there[path] = place
    faults = []
    for key, place in sorted(there.items()):
        try:
            if place.common_dir in managed:
                _look(queen, key, place, known.get(key))
            elif everywhere:
                _welcome(queen, place)
        except (errors.GitqueenError, OSError) as fault:
            faults.append(f"hooks of {key}: {fault}")
    spared = {path for common_dir, path in managed.items() if common_dir in apart}
    if gone := [key for key in known if key not in there and key not in spared]:
        with database.transaction(queen.db):
            armed_table.forget(queen.db, gone)
    return faults


def _key(place: Place) -> str:
    return place.folder


def _welcome(queen: Queen, place: Place) -> None:
    """A repository that was not managed, under `--global`: from now on it is, unless somebody said no."""
    if repos.managed_by(queen.db, place.common_dir) == repos.DECLINED:
        return
    if queen.at(place).config.get("gitqueen.enabled", "true").lower() in ("false", "no", "off", "0"):
        return
    arming.install(queen, place, by=repos.BY_GLOBAL)


def _look(queen: Queen, key: str, place: Place, before: Armed | None) -> None:
    if before is not None and before.fingerprint == hooks.fingerprint(place, before.folder, queen.env):
        return
    arming.follow(place)
    arms = hooks.look(place)
    broken = arms.faults
    if steps := arming.plan(arms):
        arming.perform(steps, arms)
        arms = hooks.look(place)
    still = arming.sentence(arms.faults)
    with database.transaction(queen.db):
        arming.book(queen, arms, before.since if before is not None and before.fault == still else None)
        if before is not None:
            _tell(queen, place, arms, before, arming.sentence(broken), still)


def _tell(queen: Queen, place: Place, arms: hooks.Arms, before: Armed, broken: str, still: str) -> None:
    """Disarmed since the last look: into the history with when and by whom, if known; by mail where it stays so."""
    if broken and broken != before.fault:
        detail = {"what": broken, "when": _changed_at(arms), "worktree": _key(place)}
        events.record(queen.db, queen.now, Event("disarmed", _suspect(queen, place), place.repo, detail))
    if broken and not still:
        events.record(queen.db, queen.now, Event("rearmed", None, place.repo, {"worktree": _key(place)}))
    if still and still != before.fault:
        text = (
            f"The git hooks of {_key(place)} no longer fire ({still}): nobody is warned of collisions there.\n"
            f"See: gitqueen hooks status   Mend: gitqueen hooks install"
        )
        for sister in tending.living(queen):
            if sister.worktree == place.worktree:
                messages_table.add(queen.db, QUEEN, sister.name, text, NORMAL, queen.now, None)


def _suspect(queen: Queen, place: Place) -> str | None:
    """Whoever is alone in the worktree did it; of several nobody is accused."""
    there = [sister.name for sister in tending.living(queen) if sister.worktree == place.worktree]
    return there[0] if len(there) == 1 else None


def _changed_at(arms: hooks.Arms) -> str | None:
    """When the newest of the files that hooks depend on was changed."""
    from datetime import UTC, datetime

    from gitqueen.model import times

    paths = [state.path for state in arms.states] + [arms.folder, os.path.join(arms.place.common_dir, "config")]
    moments = [os.lstat(path).st_mtime for path in paths if os.path.lexists(path)]
    return times.iso(datetime.fromtimestamp(max(moments), UTC)) if moments else None


def install_everywhere(queen: Queen) -> list[arming.Report]:
    """`hooks install --global`: every repository that is known, and each new one as it is seen."""
    with database.transaction(queen.db):
        repos.set_everywhere(queen.db, True)
        events.record(queen.db, queen.now, Event("armed", None, None, {"everywhere": True}))
        known = repos.known(queen.db)
    if hooks.numbers(hooks.version()) >= hooks.CONFIG_HOOKS:
        for event in hooks.EVENTS:
            hooks.configure(event, hooks.GLOBAL, "/", hooktext.tool())
    reports = []
    for place in probes.find(known.values()).values():
        if place is not None and repos.managed_by(queen.db, place.common_dir) != repos.DECLINED:
            reports.append(arming.install(queen, place, by=repos.BY_GLOBAL))
    return reports


def uninstall_everywhere(queen: Queen, purge: bool = False) -> list[arming.Report]:
    """`hooks uninstall --global`: what `--global` armed is disarmed; repositories armed by name stay."""
    with database.transaction(queen.db):
        repos.set_everywhere(queen.db, False)
        known = repos.known(queen.db)
    for event in hooks.EVENTS:
        hooks.unconfigure(event, hooks.GLOBAL, "/")
    reports = []
    armed = [path for common_dir, path in known.items() if repos.managed_by(queen.db, common_dir) == repos.BY_GLOBAL]
    for place in probes.find(armed).values():
        if place is not None:
            reports.append(arming.uninstall(queen, place, purge=purge))
    return reports
