"""Who am I: from the command's own ancestry to the sister whose process it descends from.

A sister is a process. Environment names her, or finds the process where a sandbox hides the ancestry; it is never the
key. Nobody becomes a sister by merely looking; how a newcomer gets in and is named is `entering`.
"""

from __future__ import annotations

from dataclasses import dataclass

from gitqueen import errors
from gitqueen.model import names
from gitqueen.model.names import SisterName
from gitqueen.model.sisters import Sister
from gitqueen.senses import agents, processes
from gitqueen.senses.processes import Process
from gitqueen.services.queen import Queen
from gitqueen.store import database
from gitqueen.store import sisters as sisters_table
from gitqueen.tracing import step


@dataclass(frozen=True, slots=True)
class Identity:
    """The one who acts: `sister`, or a person at an undeclared shell."""

    sister: Sister | None
    address: str
    """Whose inbox is read and who signs: the sister's name, else the login."""
    notice: str | None = None
    """What she must be told about her name, once."""


def identify(queen: Queen, declare: bool = False) -> Identity:
    """The actor of this command. With `declare` a person's shell becomes a sister too.

    Raises `errors.Usage` when GITQUEEN_NAME or GITQUEEN_PID is out of form.
    """
    with step("services", "who am I"):
        wanted = None if queen.settings.name is None else SisterName(queen.settings.name)
        named = _named_process(queen)
        chain = tuple(processes.ancestors(named.pid) if named else processes.ancestors())
        known = _known(queen, chain, wanted)
        newcomer = _newcomer(queen, chain, named, wanted, known, declare)
        if newcomer is None or (known is not None and _is_she(known, newcomer[0], wanted)):
            return Identity(known, known.name if known else login(queen))
        from gitqueen.services import entering  # once in a session's life

        return entering.enter(queen, *newcomer, wanted)


def login(queen: Queen) -> str:
    """What a person at an undeclared shell is called."""
    return names.slug(queen.settings.login) or "human"


def _known(queen: Queen, chain: tuple[Process, ...], wanted: str | None) -> Sister | None:
    """The nearest living sister above this command, or the one whom the environment finds."""
    with database.faults(queen.settings.database):
        found = sisters_table.by_bodies(queen.db, queen.origin, [(process.pid, process.ticks) for process in chain])
    if wanted is not None:
        # One shell may carry two names in turn; her own descendants carry hers, whatever process is nearest.
        mine = [sister for sister in found if wanted in (sister.name, sister.wanted)]
        return next(iter(mine or found), None)
    return found[0] if found else _hinted(queen)


def _named_process(queen: Queen) -> Process | None:
    said = queen.settings.pid
    if said is None:
        return None
    process = processes.look(int(said)) if said.isdecimal() and 0 < int(said) < 2**31 else None
    if process is None:
        raise errors.Usage(
            f"GITQUEEN_PID={ascii(said)[1:-1]} is no living process", hint="unset it, or set it to a pid that lives"
        )
    return process


def _hinted(queen: Queen) -> Sister | None:
    """A sandbox with a pid namespace of its own ends the walk early: the environment then finds the process."""
    if (session := agents.session_id(queen.env)) is not None:
        return sisters_table.by_session(queen.db, session)
    return None


def _newcomer(
    queen: Queen,
    chain: tuple[Process, ...],
    named: Process | None,
    wanted: str | None,
    known: Sister | None,
    declare: bool,
) -> tuple[Process, str] | None:
    """The process that is a sister by rights, known or not, and what agent it is; None when there is none."""
    if named is not None:
        kind = agents.nearest([named])
        return named, kind[1] if kind else "unknown"
    agent = agents.nearest(chain)
    if agent is not None and not _nearer(chain, known, agent[0]):
        return agent
    if known is not None and (wanted is None or wanted in (known.name, known.wanted)):
        return None
    if wanted is None and (hinted := _hinted_agent(queen)) is not None:
        return hinted
    if wanted is None and not declare:
        return None
    from gitqueen.services import entering

    return entering.cradle(chain, wanted), "human"


def _hinted_agent(queen: Queen) -> tuple[Process, str] | None:
    """An agent that the environment points at, though the ancestry ends before it."""
    pid = agents.hinted_pid(queen.env)
    process = processes.look(pid) if pid else None
    return agents.nearest([process]) if process else None


def _nearer(chain: tuple[Process, ...], known: Sister | None, agent: Process) -> bool:
    """Whether a known sister stands between this command and the agent: a shell declared inside it."""
    if known is None or known.body is None:
        return False
    order = [process.pid for process in chain]
    return known.body.pid in order and order.index(known.body.pid) < order.index(agent.pid)


def _is_she(known: Sister, process: Process, wanted: str | None) -> bool:
    """Whether the one known above this command is the one that `process` and the wanted name say."""
    if wanted is not None:
        return wanted in (known.name, known.wanted)  # a descendant of a name's living holder is the holder
    return known.body is not None and (known.body.pid, known.body.ticks) == (process.pid, process.ticks)
