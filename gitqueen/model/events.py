"""The hive's history: what happened, when, by whom, where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

VENTURED = "ventured"
"""A sister is about to run, or just ran, a command that may destroy others' work; `detail`: by, worktree, at."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log. `kind` is a past participle: declared, sent, claimed, died..."""

    kind: str
    sister: str | None = None
    repo: str | None = None
    detail: Mapping[str, object] = field(default_factory=dict)
    at: datetime | None = None
    id: int = 0
