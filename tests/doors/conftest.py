"""Sessions of agents, as fixtures hand them out."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.doors.kit import Session
from tests.hive import Sister


@pytest.fixture
def session(sister: Callable[..., Sister]) -> Callable[..., Session]:
    """Bring a session to life: `session(repo)`, `session(repo, "ada")` with a name that somebody gave it."""

    def begin(folder: str | os.PathLike[str], name: str | None = None, agent: str = "claude") -> Session:
        env = {"GITQUEEN_NAME": name, "CLAUDE_CODE_SESSION_ID": None, "CLAUDE_PID": None, "CODEX_THREAD_ID": None}
        return Session(sister(name or agent, folder, program=agent, declared=False, env=env), folder, agent)

    return begin
