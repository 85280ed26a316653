"""What tests of collisions are played with: bea in the repository, iza beside her, and what either was told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.hive import Repo, Sister
from tests.hooks import kit

WHERE = ("worktree", "clone")
"""Where the other one may be: in another worktree of the repository, in a clone of it."""


@dataclass(frozen=True)
class Stage:
    """bea works in `app`, on main; iza in `there`, on feat."""

    app: Repo
    there: Repo
    bea: Sister
    iza: Sister

    def scan(self) -> None:
        """All that hooks spooled is in the book, and a scan has looked around."""
        kit.drained()
        ok(self.bea, "gitqueen scan")
        kit.no_scan_due()

    def commit(self, sister: Sister, command: str) -> list[str]:
        """What our hooks said of a command that commits; afterwards the book has it."""
        said = ok(sister, command)
        kit.drained()
        return said

    def open(self) -> list[tuple[str, list[str]]]:
        """(subject of the collision, its sisters) of what is open about files."""
        found = [one for one in kit.open_conflicts(self.app) if one["type"] == "file-collision"]
        return [(one["detail"], one["sisters"]) for one in found]


def stage(repo: Callable[..., Repo], sister: Callable[..., Sister], where: str, files: Mapping[str, str]) -> Stage:
    app = kit.install(repo(files=files))
    if where == "clone":
        there = kit.install(app.clone("clone"))
        there.git("switch", "--quiet", "--create", "feat")
    else:
        there = app.worktree("feat")
    bea, iza = sister("bea", app), sister("iza", there)
    ok(bea, "iam 'the parser'")
    ok(iza, "iam 'the manual'")
    made = Stage(app, there, bea, iza)
    made.scan()
    return made


def ok(sister: Sister, command: str) -> list[str]:
    """The lines on stderr of a command that must succeed."""
    done = sister.sh(command)
    assert done.rc == 0, (command, done, kit.crashes())
    return done.err.splitlines()


def letters(sister: Sister) -> list[str]:
    """The first lines of all her mail."""
    return [one["body"].splitlines()[0] for one in kit.mail(sister)]


def said(*rows: str, asked: str = "iza") -> list[str]:
    """The warning of a commit, with these rows."""
    return [
        f"🐝 ⚠ gitqueen: this commit collides with {asked}",
        *(f"  {row}" for row in rows),
        f'  Ask: gitqueen tell {asked} "..."   Look: gitqueen check',
    ]


def facts(found: list[dict[str, Any]]) -> list[str]:
    return [one["id"] for one in found]
