"""What is only written on is not lost: a commit that has all of her lines has her work, whoever made it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gitqueen.model import rescues
from tests.hive import Repo, Sister
from tests.hooks import kit


@pytest.mark.parametrize(
    ("before", "after", "grown"),
    [
        (b"a\nb\n", b"a\nb\nc\n", True),
        (b"a\nb\n", b"0\na\nx\nb\n", True),
        (b"a\nb", b"a\nb\n", True),
        (b"b\na\n", b"a\nb\n", False),
        (b"a\na\n", b"a\nb\n", False),
        (b"a\n", b"", False),
        (b"a\0b", b"a\0b c", False),
        (b"", b"x\n", True),
    ],
)
def test_grown(before: bytes, after: bytes, grown: bool) -> None:
    assert rescues.grown(before, after) is grown


@pytest.mark.parametrize(("text", "lost"), [("hers\nmore\n", []), ("another\n", ["f"])], ids=["grown", "replaced"])
def test_a_commit_of_another_that_has_her_lines_loses_nothing(
    repo: Callable[..., Repo], sister: Callable[..., Sister], text: str, lost: list[str]
) -> None:
    app = kit.install(repo("app", {"a": "1\n"}))
    iza, ada = sister("iza", app), sister("ada", app)
    iza.sh("iam 'the parser'; echo hers >f; gitqueen scan")
    ada.sh(f"iam 'the manual'; printf '{text}' >f; git add -A; git commit -qm both")
    kit.drained()
    said = json.loads(ada.sh("gitqueen scan >&2; gitqueen conflicts --json").out)["conflicts"]
    assert [one["type"] for one in said if one["type"] == "lost-work"] == ["lost-work"] * len(lost)


def test_taking_lines_away_and_resetting_is_a_loss(repo: Callable[..., Repo], sister: Callable[..., Sister]) -> None:
    """The file has more lines then, and no commit made it so."""
    app = kit.install(repo("app", {"f": "1\n2\n3\n"}))
    iza, ada = sister("iza", app), sister("ada", app)
    iza.sh("iam 'the parser'; echo 2 >f; gitqueen scan")
    ada.sh("iam 'the manual'; git checkout -q f; gitqueen scan")
    said = json.loads(ada.sh("gitqueen conflicts --json").out)["conflicts"]
    (loss,) = [one for one in said if one["type"] == "lost-work"]
    assert "iza" in loss["sisters"]


@pytest.mark.parametrize(
    ("text", "lost"), [("1\n2\nanew\n", True), ("1\n2\nhers\nand more\n", False)], ids=["anew", "on"]
)
def test_a_stash_hides_her_work_though_somebody_writes_there_before_anybody_looked(
    repo: Callable[..., Repo], sister: Callable[..., Sister], text: str, lost: bool
) -> None:
    app = kit.install(repo("app", {"f": "1\n2\n"}))
    iza, ada = sister("iza", app), sister("ada", app)
    iza.sh("iam 'the parser'; echo hers >>f; gitqueen scan")
    ada.sh(f"iam 'the manual'; git stash -q; printf '{text}' >f; gitqueen scan")
    said = json.loads(ada.sh("gitqueen conflicts --json").out)["conflicts"]
    found = [one["detail"] for one in said if one["type"] == "lost-work" and one["sisters"][0] == "iza"]
    assert found == lost * ["uncommitted work of iza in f is only in a stash that is not hers (by somebody unknown)"]


def test_however_the_user_likes_the_log_what_is_committed_is_not_lost(
    repo: Callable[..., Repo], sister: Callable[..., Sister]
) -> None:
    app = kit.install(repo("app", {"f": "1\n"}))
    iza, ada = sister("iza", app), sister("ada", app)
    for key, value in (("log.showSignature", "true"), ("diff.orderFile", "/nowhere"), ("gpg.program", "false")):
        app.git("config", key, value)
    for key, value in (("diff.renames", "copies"), ("log.diffMerges", "off"), ("color.ui", "always")):
        app.git("config", key, value)
    iza.sh("iam 'the parser'; echo hers >f; gitqueen scan")
    ada.sh("iam 'the manual'; git commit -qam hers; echo on >f; git commit -qam on; gitqueen scan")
    kit.drained()
    said = json.loads(ada.sh("gitqueen conflicts --json").out)["conflicts"]
    assert [one["detail"] for one in said if one["type"] == "lost-work"] == []
