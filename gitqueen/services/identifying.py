"""Who am I: from the command's own ancestry to the sister whose process it descends from.

A sister is a process. Environment names her, or finds the process where a sandbox hides the ancestry; it is never the
key. Nobody becomes a sister by merely looking; how a newcomer gets in and is named is `entering`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gitqueen import errors, settings
from gitqueen.model import sisters
from gitqueen.model.names import SisterName
from gitqueen.model.processes import Process
from gitqueen.model.sisters import Body, Identity, Sister
from gitqueen.senses import agents, processes
from gitqueen.services.queen import Queen
from gitqueen.store import database, events
from gitqueen.store import sisters as sisters_table
from gitqueen.tracing import step


def identify(queen: Queen, declare: bool = False, process: int | None = None) -> Identity:
    """The actor of this command, or whose `process` is. With `declare` a person's shell becomes a sister too.

    Raises `errors.Usage` when GITQUEEN_NAME or GITQUEEN_PID is out of form.
    """
    with step("services", "who am I"):
        wanted = None if queen.settings.name is None else SisterName(queen.settings.name)
        named = _named_process(queen)
        chain = tuple(processes.ancestors(named.pid if named else process))
        with database.faults(queen.settings.database):
            known = _known(queen, chain, wanted)
        if named is None and queen.settings.pid is not None and not _is_named(known, queen.settings.pid):
            raise _no_process(queen.settings.pid)
        newcomer = _newcomer(queen, chain, named, wanted, known, declare)
        if newcomer is None or (known is not None and _is_she(known, newcomer[0], wanted)):
            if known is not None:
                now = _as_she_is(queen, known, newcomer[1] if newcomer and newcomer[0] == known.body else None)
                known = _resumed(queen, now) if known.session_id is None else now
            return Identity(known, known.name if known else queen.login)
        from gitqueen.services import entering  # once in a session's life

        return entering.enter(queen, *newcomer, wanted)


def glance(queen: Queen) -> Identity:
    """`identify` for who only looks: a newcomer whom a locked database cannot take in now is nobody yet."""
    patience, queen.db.patience = queen.db.patience, 0.2
    try:
        return identify(queen)
    except errors.Busy:
        return Identity(None, queen.settings.name or queen.login)
    finally:
        queen.db.patience = patience


def how_to_write(env: Mapping[str, str]) -> str | None:
    """What lets the queen's folder be written in the sandbox of the agent that runs this command."""
    try:
        return agents.writable_line(env, settings.read(env).home)
    except errors.GitqueenError:
        return None


def _named_process(queen: Queen) -> Process | None:
    pid = agents.pid_of(queen.settings.pid)
    if pid is None and queen.settings.pid is not None:
        raise _no_process(queen.settings.pid)
    return processes.look(pid) if pid else None


def _is_named(known: Sister | None, said: str) -> bool:
    """Whether GITQUEEN_PID is the pid of a sister outside this sandbox."""
    return known is not None and known.pid == agents.pid_of(said)


def _no_process(said: str) -> errors.Usage:
    return errors.Usage(
        f"GITQUEEN_PID={ascii(said)[1:-1]} is no living process", hint="unset it, or set it to a pid that lives"
    )


def _known(queen: Queen, chain: tuple[Process, ...], wanted: str | None) -> Sister | None:
    """The nearest living sister above this command, or the one whom the environment finds."""
    found = sisters_table.by_bodies(queen.db, queen.origin, [(process.pid, process.ticks) for process in chain])
    if wanted is not None:
        # One shell may carry two names in turn; her own descendants carry hers, whatever process is nearest.
        mine = [sister for sister in found if wanted in (sister.name, sister.wanted)]
        found = mine or found
        if not mine and (hinted := _hinted(queen)) is not None and wanted in (hinted.name, hinted.wanted):
            return hinted
    return found[0] if found else _hinted(queen)


def _hinted(queen: Queen) -> Sister | None:
    """A sandbox with a pid namespace of its own ends the walk early: the environment then finds the process."""
    found = [sister for said in agents.session_ids(queen.env) for sister in sisters_table.by_session(queen.db, said)]
    for sister in found:
        if sister.body is not None and (sister.body.origin != queen.origin or _lives(sister.body)):
            return sister
    pid = agents.pid_of(queen.settings.pid) or agents.hinted_pid(queen.env)
    if pid is None or processes.look(pid) is not None:
        return None
    outside = [
        sister
        for sister in sisters_table.everyone(queen.db)
        if sister.body and sister.body.pid == pid and sisters.next_door(sister.body.origin, queen.origin)
    ]
    return outside[0] if len(outside) == 1 else None


def _lives(body: Body) -> bool:
    return processes.alive(body.pid, body.ticks)


def _newcomer(
    queen: Queen,
    chain: tuple[Process, ...],
    named: Process | None,
    wanted: str | None,
    known: Sister | None,
    declare: bool,
) -> tuple[Body, str] | None:
    """The process that is a sister by rights, known or not, and what agent it is; None when there is none."""
    if named is not None:
        kind = agents.nearest([named])
        return _body(queen, named), kind[1] if kind else "unknown"
    agent = agents.nearest(chain)
    if agent is not None and not _nearer(chain, known, agent[0]):
        return _body(queen, agent[0]), agent[1]
    if known is not None and (wanted is None or wanted in (known.name, known.wanted)):
        return None
    if known is None and (hinted := _hinted_agent(queen, chain)) is not None:
        return hinted
    if wanted is None and not declare:
        return None
    from gitqueen.services import entering

    return _body(queen, entering.cradle(chain, wanted)), "human"


def _body(queen: Queen, process: Process) -> Body:
    return Body(queen.origin, process.pid, process.ticks)


def _hinted_agent(queen: Queen, chain: tuple[Process, ...]) -> tuple[Body, str] | None:
    """An agent that the environment points at, though the ancestry ends before it."""
    pid = agents.hinted_pid(queen.env)
    process = processes.look(pid) if pid else None
    if process is not None and (found := agents.nearest([process])) is not None:
        return _body(queen, process), found[1]
    if (kind := agents.kind_around(queen.env, chain)) is not None:
        # A sandbox made by the agent: she lives in a namespace that nobody here can look into.
        return Body(sisters.somewhere(queen.origin), pid or 0, 0), kind
    return None


def _nearer(chain: tuple[Process, ...], known: Sister | None, agent: Process) -> bool:
    """Whether a known sister stands between this command and the agent: a shell declared inside it."""
    if known is None or known.body is None:
        return False
    order = [process.pid for process in chain]
    return known.body.pid in order and order.index(known.body.pid) < order.index(agent.pid)


def _is_she(known: Sister, body: Body, wanted: str | None) -> bool:
    """Whether the one known above this command is the one that `body` and the wanted name say."""
    if wanted is not None:
        return wanted in (known.name, known.wanted)  # a descendant of a name's living holder is the holder
    return known.body == body


def _resumed(queen: Queen, known: Sister) -> Sister:
    """She, by the name that her session had: a scan that saw the process alone could only number her."""
    if known.session_id is None or known.wanted is not None:
        return known
    with database.faults(queen.settings.database):
        name = events.name_of_session(queen.db, known.session_id)
    if name in (None, known.name):
        return known
    from gitqueen.services import entering  # once in a session's life

    return entering.resume(queen, known, known.session_id)


def _as_she_is(queen: Queen, known: Sister, kind: str | None) -> Sister:
    """She, as the agent that her process is now (a shell may `exec` one) and with the session id that this has now:
    `/clear` gives the same process a new one."""
    agent = kind if kind in agents.KINDS else known.agent
    return replace(known, agent=agent, session_id=agents.session_id(queen.env, agent) or known.session_id)
