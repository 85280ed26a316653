"""What a claim in another repository says of paths here: nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.doors.conftest import session
from tests.doors.kit import Session, warning
from tests.hive import Repo

__all__ = ["session"]


@pytest.mark.parametrize(("where", "says"), [("web", "perhaps"), ("app", "  cyd: a.py")])
def test_only_claims_of_this_repository_say_whose_it_is(
    repo: Callable[..., Repo], session: Callable[..., Session], where: str, says: str
) -> None:
    repos = {name: repo(name, {"a.py": "1\n"}) for name in ("app", "web")}
    ada, bob, cyd = (session(repos["app"], name) for name in ("ada", "bob", "cyd"))
    for one in (ada, bob, cyd):
        one.start()
    assert cyd.sister.sh(f"cd {repos[where].path} && gitqueen claim parsers --path '*.py'").rc == 0
    cyd.sister.sh(f"cd {repos['app'].path} && iam")
    repos["app"].write("a.py", "whose?\n")
    said = warning(bob.command("git checkout -- ."))
    assert (says in said, "cyd: a.py" in said) == (True, where == "app"), said
