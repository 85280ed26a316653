"""Who excludes whom, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gitqueen import errors
from gitqueen.model import claims
from gitqueen.model.claims import Claim
from gitqueen.model.names import ClaimId
from gitqueen.model.sisters import Body

NOON = datetime(2026, 4, 11, 12, 0, 0, tzinfo=UTC)
BODY = Body("m:b:n", 7, 99)


def paths(owner: str, *globs: str, name: str | None = None, common_dir: str = "/r/.git") -> Claim:
    return Claim(id=name or f"{owner}-work", owner=owner, paths=globs, common_dir=common_dir)


@pytest.mark.parametrize(
    ("wanted", "held"),
    [
        (Claim("deploy", "iza-1"), Claim("deploy", "iza-2")),
        (paths("iza-1", "src/**"), paths("iza-2", "src/a.py")),
        (paths("iza-1", "docs/", "*.sql"), paths("iza-2", "db/*.sql")),
        # A domain and paths under one id are one claim.
        (Claim("db", "iza-1"), paths("iza-2", "db/**", name="db")),
        # While a command runs under it a claim is a lock, for its owner too.
        (Claim("deploy", "iza-1"), Claim("deploy", "iza-1", command=BODY)),
    ],
)
def test_what_excludes(wanted: Claim, held: Claim) -> None:
    assert claims.excluding(wanted, [Claim("other", "iza-3"), held]) is held


@pytest.mark.parametrize(
    ("wanted", "held"),
    [
        (Claim("deploy", "iza-1"), Claim("deploy", "iza-1")),
        (Claim("deploy", "iza-1"), Claim("Deploy", "iza-2")),
        (paths("iza-1", "src/**"), paths("iza-2", "docs/**")),
        (paths("iza-1", "src/**"), paths("iza-1", "src/a.py", name="mine-too")),
        (paths("iza-1", "src/**"), paths("iza-2", "src/**", common_dir="/other/.git")),
        (paths("iza-1", "src/**"), Claim("src", "iza-2")),
        (paths("iza-1", "src/**"), replace(paths("iza-2", "src/**"), common_dir=None)),
        (paths("iza-1", "src/**"), paths("iza-1", "src/**", name="x")),
    ],
)
def test_what_stands_side_by_side(wanted: Claim, held: Claim) -> None:
    assert claims.excluding(wanted, [held]) is None


def test_a_claim_is_over_at_its_very_end() -> None:
    claim = Claim("deploy", "iza-1", expires_at=NOON)
    assert not claim.expired(NOON - timedelta(seconds=1))
    assert claim.expired(NOON)
    assert not Claim("deploy", "iza-1").expired(NOON)


def test_a_claim_covers_paths_and_a_domain_none() -> None:
    claim = paths("iza-1", "src/**", "*.md")
    assert [claim.covers(path) for path in ("src/a.py", "README.md", "docs/x.md", "setup.py")] == [
        True,
        True,
        True,
        False,
    ]
    assert not Claim("src", "iza-1").covers("src")


@pytest.mark.parametrize("good", ["deploy", "db.migrations", "A_1-b", "x" * 100, "0"])
def test_ids_that_git_takes_as_one_part_of_a_ref(good: str) -> None:
    assert ClaimId(good) == good


@pytest.mark.parametrize(
    "bad",
    ["", " ", "a b", "a/b", "-x", ".x", "x.", "a..b", "x.lock", "x" * 101, "é", "a\n", "a\0", "queen", "all", "repo"],
)
def test_ids_out_of_form_are_refused(bad: str) -> None:
    with pytest.raises(errors.Usage):
        ClaimId(bad)
