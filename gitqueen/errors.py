"""Everything that can go wrong in words: one base with an exit code and a hint.

Each class is one row of the public exit codes; the boundary in `cli/main.py` is the only place that turns them
into output. Nothing here knows a database, git or a terminal.
"""

from __future__ import annotations


class GitqueenError(Exception):
    """What happened, to what; `hint` is the next command to type. `code` names it for `--json`."""

    exit_code = 3
    code = "bug"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Refused(GitqueenError):
    """The answer is "no": held by another, nobody of that name, wait timed out."""

    exit_code = 1
    code = "no"


class Usage(GitqueenError):
    """What was typed is out of form."""

    exit_code = 2
    code = "usage"


class CannotWork(GitqueenError):
    """Not here: no repository, git too old, a database newer than the program, a folder that cannot be written."""

    exit_code = 4
    code = "cannot"


class Damaged(CannotWork):
    """The database's file is broken."""

    code = "damaged"


class Unwritable(CannotWork):
    """The queen's folder cannot be written: its rights, or the sandbox of the agent that runs this command."""


class GitFailed(CannotWork):
    """A git command said no; `stderr` is what it said, as data."""

    code = "git"

    def __init__(self, message: str, stderr: str = "", hint: str = "") -> None:
        super().__init__(message, hint)
        self.stderr = stderr


class Busy(GitqueenError):
    """A lock or the database was held by others for longer than we wait."""

    exit_code = 5
    code = "busy"
