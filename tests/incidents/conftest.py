"""The sessions of agents, for those incidents that their doors see."""

from __future__ import annotations

from tests.doors.conftest import session

__all__ = ["session"]
