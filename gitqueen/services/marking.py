"""Marking: the files by which the hooks of a managed repository know, without Python, whether anybody is concerned.

Which markers there must be is decided here from the hive's rows; writing them is `git/markers`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from gitqueen.git import markers
from gitqueen.model import sisters
from gitqueen.model.claims import Claim
from gitqueen.model.sisters import Sister
from gitqueen.senses import processes
from gitqueen.services.queen import Queen
from gitqueen.store import claims as claims_table
from gitqueen.store import database, repos
from gitqueen.store import sisters as sisters_table


def claims(queen: Queen, common_dir: str | None) -> None:
    """The claims on paths of one repository changed. Call it inside the transaction that changed them."""
    if common_dir is None:
        return
    kin = repos.kin(queen.db, common_dir)
    if managed := [one for one in kin if repos.managed(queen.db, one)]:
        strangers = _by_strangers(set(kin), sisters_table.everyone(queen.db), claims_table.held(queen.db))
        for one in managed:
            markers.set_claims(one, strangers)


def _by_strangers(kin: Collection[str], sisters: Iterable[Sister], standing: Iterable[Claim]) -> bool:
    """Whether somebody who has no marker here holds paths: a sister elsewhere, a dead one within the grace."""
    marked = {sister.name for sister in sisters if sister.body is not None and sister.common_dir in kin}
    return any(one.paths and one.common_dir in kin and one.owner not in marked for one in standing)


def mend(queen: Queen, living: Sequence[Sister], standing: Sequence[Claim], apart: Collection[str] = ()) -> None:
    """Make the markers of every managed repository but those `apart` say exactly who lives there or in a clone."""
    with database.faults(queen.settings.database):
        managed = {common_dir: set(repos.kin(queen.db, common_dir)) for common_dir in repos.all_managed(queen.db)}
    for common_dir, kin in managed.items():
        if common_dir in apart:
            continue
        wanted = {s.body.pid: sisters.badge(s) for s in living if s.body and s.body.pid and s.common_dir in kin}
        markers.prepare(common_dir)
        for pid, badge in wanted.items():
            markers.write(common_dir, pid, badge)
        for pid in markers.listed(common_dir):
            if pid not in wanted and not _of_a_lost_database(queen, common_dir, pid):
                markers.drop(common_dir, pid)
        markers.set_claims(common_dir, _by_strangers(kin, living, standing))


def _of_a_lost_database(queen: Queen, common_dir: str, pid: int) -> bool:
    """Whether a living process has this marker of which the database knows nothing: what `doctor --rebuild` needs, or
    another queen's."""
    said = sisters.read_badge(pid, markers.read(common_dir, pid))
    body = said.body if said is not None else None
    if body is None or body.origin != queen.origin or not processes.alive(pid, body.ticks):
        return False
    with database.faults(queen.settings.database):
        return not sisters_table.by_bodies(queen.db, body.origin, [(pid, body.ticks)])
