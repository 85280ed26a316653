"""Incident 5: one session's `git stash` takes away what others had not committed. The warning before the command."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.doors.kit import Session, refusal, warning
from tests.hive import Repo


@pytest.fixture
def both(repo: Callable[..., Repo], session: Callable[..., Session]) -> tuple[Repo, Session, Session]:
    app = repo("app", {"app.py": "1\n", "bob.py": "1\n", "docs/guide.md": "1\n"})
    ada, bob = session(app, "ada"), session(app, "bob")
    ada.start()
    bob.start()
    ada.sister.sh('iam "the parser"')
    ada.edits("app.py", "hers\n")
    ada.edits("new.py", "hers\n")
    bob.edits("bob.py", "his\n")
    return app, ada, bob


LINES = (
    "git stash",
    "git stash push -m wip && git pull --rebase",
    "git -C . stash save",
    "make; git stash",
    "(cd docs && git stash)",
    "env A=b git stash",
    'bash -lc "git stash"',
    "cd docs\ngit stash",
)


def test_it_is_said_whose_work_goes_and_what_to_type_instead(both: tuple[Repo, Session, Session]) -> None:
    for line in LINES:
        assert warning(both[2].command(line)).split("\n") == [
            "🐝 gitqueen: careful with this command:",
            "- `git stash` would take away uncommitted work of other sisters in this worktree:",
            '  ada (on "the parser"): app.py',
            '  Instead: git stash push -- bob.py   or ask first: gitqueen tell ada "..."',
        ], line


def test_untracked_files_go_with_u(both: tuple[Repo, Session, Session]) -> None:
    assert '  ada (on "the parser"): app.py, new.py\n' in warning(both[2].command("git stash -u"))


def test_what_reaches_only_her_own_is_silent(both: tuple[Repo, Session, Session]) -> None:
    _, ada, bob = both
    assert bob.command("git stash push -- bob.py") == {}
    assert bob.command("git stash list; git stash show -p; git stash pop") == {}
    assert ada.command("git stash push -- app.py") == {}


def test_with_policy_block_the_agent_is_told_no(both: tuple[Repo, Session, Session]) -> None:
    app, _, bob = both
    app.git("config", "gitqueen.lost-work.policy", "block")
    assert refusal(bob.command("git stash")).startswith("🐝 gitqueen: this command is refused:\n")
    app.git("config", "gitqueen.lost-work.policy", "off")
    assert bob.command("git stash") == {}


def test_what_may_be_hers_is_said_to_be_so(both: tuple[Repo, Session, Session]) -> None:
    app, _, bob = both
    app.write("docs/guide.md", "whose?\n")
    said = warning(bob.command("git stash -- docs")).split("\n")
    assert said[2] == "  perhaps of ada, nobody saw who wrote them: docs/guide.md"
    app.git("config", "gitqueen.policy", "block")
    assert "perhaps of ada" in warning(bob.command("git stash -- docs"))  # a guess refuses nothing


def test_who_is_gone_loses_nothing_to_be_warned_of(both: tuple[Repo, Session, Session]) -> None:
    _, ada, bob = both
    ada.sister.kill()
    assert bob.command("git stash") == {}


def test_another_worktree_is_another_matter(
    both: tuple[Repo, Session, Session], session: Callable[..., Session]
) -> None:
    app, _, bob = both
    feat = app.worktree("feat")
    assert bob.command(f"git -C {feat.path} stash") == {}
    carol = session(feat, "carol")
    carol.start()
    assert carol.command("git stash") == {}
    assert "app.py" in warning(carol.command(f"cd {app.path} && git stash"))
