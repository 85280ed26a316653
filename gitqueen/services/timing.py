"""Timing: jobs that the clock will run, and which known repositories they will touch."""

from __future__ import annotations

from gitqueen.services.queen import Queen


def refresh(queen: Queen) -> None:
    """Look at the jobs again where the last look is old."""
