"""Sighting: every agent session of this user becomes a sister, though nobody declared her, and is seen at her work.

By the process alone she is in the hive: named, placed by its folder until she acts, with the window a person finds her
in. Her status is what her agent's own registry says, else what its hooks said, else what her window shows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from gitqueen import errors, settings
from gitqueen.git import probes
from gitqueen.git.places import Place
from gitqueen.model import messages, names
from gitqueen.model.processes import Process
from gitqueen.model.sisters import Sister
from gitqueen.senses import agents, processes, sessions, terminals
from gitqueen.senses.agents import Registration
from gitqueen.senses.sessions import Session
from gitqueen.senses.terminals import Seat, Spot, Terminals
from gitqueen.services import identifying
from gitqueen.services.queen import Queen
from gitqueen.store import database
from gitqueen.store import messages as messages_table
from gitqueen.store import sisters as sisters_table
from gitqueen.tracing import step

_Work = tuple[Session, Registration | None]
"""An agent at work, and what its registry says of it."""
_Sight = Mapping[int, tuple[_Work | None, Spot | None]]
"""Row of a sister -> the agent at work as her, and where."""
_Places = Mapping[str, Place | None]
"""Where folders belong. One that is not in it did not answer, and is looked at again by the next scan."""


def sight(queen: Queen) -> list[str]:
    """Look at the processes and windows of this user and write what is new; what could not be looked at, in words."""
    faults: list[str] = []
    with step("senses", "read the table of processes"):
        try:
            table = processes.everyone()
        except OSError as fault:
            return [f"the processes: {fault}"]
    with step("services", "find the agents among them"):
        found = sessions.find(table)
        there = _places(queen, table, found, faults)
        at_work = _bring_in(queen, table, found, there, faults)
    here = living(queen, table)
    seats = {sister.row: seat(table, sister) for sister in here}
    with step("senses", "ask kitty and tmux for their windows"):
        try:
            seen = terminals.look(seats.values())
        except OSError as fault:
            seen = Terminals(faults=[f"the windows: {fault}"])
    faults += seen.faults
    sight = {row: (at_work.get(row), seen.spot(one)) for row, one in seats.items()}
    if _changed(queen, here, sight, there):
        with database.transaction(queen.db):
            # Again: meanwhile she may have moved, or said what she does.
            for sister in _changed(queen, living(queen, table), sight, there):
                sisters_table.set_sight(queen.db, sister)
    return faults


def _places(queen: Queen, table: Mapping[int, Process], found: Iterable[Session], faults: list[str]) -> _Places:
    """Of the folders of those who have no worktree yet: looking there may hang, and is done where it does no harm."""
    worktrees = {sister.pid: sister.worktree for sister in living(queen, table)}
    asked = {
        one.folder or "/"
        for one in found
        if worktrees.get(one.process.pid) is None and (one.process.pid in worktrees or _is_of_this_hive(queen, one))
    }
    there = probes.find(asked)
    faults += [probes.silence(folder) for folder in sorted(asked - there.keys())]
    return there


def _changed(queen: Queen, sisters: Iterable[Sister], sight: _Sight, there: _Places) -> list[Sister]:
    """Those who are no longer as their rows say, as they are."""
    seen = ((sister, _as_seen(queen, sister, *sight[sister.row], there)) for sister in sisters if sister.row in sight)
    return [new for old, new in seen if new != old]


def living(queen: Queen, table: Mapping[int, Process]) -> list[Sister]:
    """The sisters whose processes are in the table."""
    with database.faults(queen.settings.database):
        everyone = sisters_table.everyone(queen.db)
    return [sister for sister in everyone if _process(queen, sister, table) is not None]


def seat(table: dict[int, Process], sister: Sister) -> Seat:
    """Where to look for the window of a living sister."""
    chain = processes.chain(table, table[sister.pid])
    return Seat(chain, sessions.environment(chain))


def _process(queen: Queen, sister: Sister, table: Mapping[int, Process]) -> Process | None:
    if sister.body is None or sister.body.origin != queen.origin:
        return None
    process = table.get(sister.body.pid)
    return process if process is not None and process.ticks == sister.body.ticks else None


def _bring_in(
    queen: Queen, table: Mapping[int, Process], at_work: Iterable[Session], there: _Places, faults: list[str]
) -> dict[int, _Work]:
    """Each session of this hive as the row of a sister, who enters where she is new."""
    known = {sister.pid: sister for sister in living(queen, table)}
    found: dict[int, _Work] = {}
    for session in at_work:
        said, sister = _registration(session), known.get(session.process.pid)
        if sister is not None:
            row: int | None = sister.row
            if said is not None and said.name is not None:
                _follow(queen, sister, said.name)
        elif not _is_of_this_hive(queen, session) or (said is not None and said.serves):
            continue
        else:
            row = _enter(queen, session, there, faults)
        if row is not None:
            found[row] = session, said
    return found


def _follow(queen: Queen, sister: Sister, given: str) -> None:
    from gitqueen.services import entering  # only where a person gave a name

    entering.follow(queen, sister, given)


def _is_of_this_hive(queen: Queen, session: Session) -> bool:
    """A process belongs to the hive that its own environment leads to; without any it is nobody's."""
    if not session.env:
        return False
    try:
        home = settings.read({**session.env, **_absolute(session)}).home
    except errors.GitqueenError:
        return False
    return os.path.realpath(home) == os.path.realpath(queen.settings.home)


def _absolute(session: Session) -> dict[str, str]:
    """A relative GITQUEEN_HOME is meant from where the process stands."""
    home = session.env.get("GITQUEEN_HOME")
    return {"GITQUEEN_HOME": os.path.join(session.folder or "/", home)} if home else {}


def _registration(session: Session) -> Registration | None:
    if session.agent != "claude":
        return None
    return agents.registered(session.process.pid, session.process.ticks, session.env)


def _enter(queen: Queen, session: Session, there: _Places, faults: list[str]) -> int | None:
    """The row of whose process this is: hers, or that of the sister in whose name it runs."""
    at = _as_her(queen, session, session.env, there)
    try:
        identity = identifying.identify(at, process=session.process.pid)
    except errors.Usage as fault:
        # She will be told by her first command. Until then it is better to have her in the hive than not to see her.
        faults.append(f"{session.agent} with the pid {session.process.pid}: {fault.message}")
        bare = {key: value for key, value in session.env.items() if key not in ("GITQUEEN_NAME", "GITQUEEN_PID")}
        identity = identifying.identify(_as_her(queen, session, bare, there), process=session.process.pid)
    if identity.sister is None:
        return None
    if identity.notice:
        with database.transaction(queen.db, durable=True):
            messages_table.add(
                queen.db, names.QUEEN, identity.address, identity.notice, messages.NORMAL, queen.now, None
            )
    return identity.sister.row


def _as_her(queen: Queen, session: Session, env: Mapping[str, str], there: _Places) -> Queen:
    """The queen as a command of this process would open her, with no more of its environment than `env`."""
    ours = {key: value for key, value in agents.without_sessions(queen.env).items() if key not in sessions.KEYS}
    hers = {**ours, **env, "GITQUEEN_HOME": queen.settings.home}
    folder = session.folder or "/"
    place = there.get(folder)
    return replace(queen, settings=settings.read(hers), env=hers, cwd=folder, place=place, _config=None)


def _as_seen(queen: Queen, sister: Sister, work: _Work | None, spot: Spot | None, there: _Places) -> Sister:
    """She, as she is now."""
    seen = replace(sister, terminal=spot.terminal if spot else None)
    if work is None:
        return _in_person(seen, spot)
    session, said = work
    if sister.pid == session.process.pid:
        seen = replace(seen, agent=session.agent)
    if sister.worktree is None and (place := there.get(session.folder or "/")) is not None:
        seen = replace(seen, branch=place.branch, repo=place.repo, worktree=place.worktree, common_dir=place.common_dir)
    return _at_work(seen, session.agent, said, spot, queen.now)


def _in_person(sister: Sister, spot: Spot | None) -> Sister:
    """A person's shell: what she does she says herself, else her window shows whether a command runs in it."""
    if sister.agent != "human" or sister.status not in (sister.seen_status, "unknown"):
        return sister
    if spot is None or (spot.busy is None and not spot.at_prompt):
        status = "unknown"
    else:
        status = "idle" if spot.at_prompt or not spot.busy else "working"
    return replace(sister, status=status, seen_status=status)


def _at_work(sister: Sister, agent: str, said: Registration | None, spot: Spot | None, now: datetime) -> Sister:
    """Her status: by the registry, by what she or her hooks said since the last scan, by her window, else unknown."""
    if said is not None and said.status is not None:
        seen = replace(sister, status=said.status, seen_status=said.status, waiting_for=said.waiting_for)
        if said.status == "working":
            return replace(seen, last_seen=now)
        since = datetime.fromtimestamp(said.since, UTC) if said.since else None
        if since is not None and since <= now and (sister.last_seen is None or since > sister.last_seen):
            return replace(seen, last_seen=since)
        return seen
    if sister.status not in (sister.seen_status, "unknown"):
        return replace(sister, seen_status=None, waiting_for=None)
    status = _by_window(agent, spot)
    return replace(sister, status=status, seen_status=status, waiting_for=None)


def _by_window(agent: str, spot: Spot | None) -> str:
    if spot is None:
        return "unknown"
    if spot.at_prompt:
        return "idle"  # stopped or sent to the background: the shell has the window
    return "working" if agents.works_by_title(agent, spot.terminal.title or "") else "unknown"
