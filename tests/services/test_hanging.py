"""A repository on a dead network mount hangs whoever looks: draining, and settling in and out, go on and say it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitqueen.git import places
from gitqueen.git.places import Place
from gitqueen.services import draining, healing, queen, settling
from gitqueen.services.queen import Queen
from tests.hive import Repo, Runner, Sister
from tests.hooks import kit


@pytest.fixture
def opened(home: Path) -> Iterator[Queen]:
    one = queen.open(os.environ, lambda: datetime.now(UTC), "/")
    yield one
    one.db.close()


@pytest.fixture
def die(monkeypatch: pytest.MonkeyPatch) -> Callable[[Repo], None]:
    """From now on a look at it never ends."""

    def hang(dead: Repo) -> None:
        find = places.find

        def look(folder: str, env: Mapping[str, str] | None = None) -> Place | None:
            if folder == os.path.realpath(dead):
                signal.pause()
            return find(folder, env)

        monkeypatch.setattr(places, "find", look)

    return hang


def test_what_its_hooks_left_keeps_the_others_from_nothing(
    repo: Callable[..., Repo], sister: Callable[..., Sister], home: Path, opened: Queen, die: Callable[[Repo], None]
) -> None:
    dead, fine = kit.install(repo("dead")), kit.install(repo("fine"))
    sisters = [sister(name, app) for name, app in (("ann", dead), ("bea", fine))]
    for one in sisters:
        one.sh("iam 'at work'")
    kit.alone()
    kit.drained()
    # Somebody seems to drain already, so that no hook starts anybody.
    (home / "spool" / "draining").write_text(f"{os.getpid()}\n")
    for one in sisters:
        one.sh("git commit -q --allow-empty -m one")
    die(dead)

    assert draining.drain(opened) == 2
    assert [one["detail"]["oid"] for one in kit.events(fine, "committed")] == [fine.head]
    silence = f"TimeoutError: {os.path.realpath(dead)}: nothing was heard of it for 1 s"
    assert silence in (home / "crash.log").read_text()
    assert draining.drain(opened) == 0


def test_settling_in_and_out_says_it_and_does_the_rest(
    run: Runner, repo: Callable[..., Repo], opened: Queen, die: Callable[[Repo], None]
) -> None:
    dead, fine = repo("dead"), repo("fine")
    run("gitqueen", "repos", "add", dead, fine, check=True)
    die(dead)
    silence = f"{os.path.realpath(dead)}: nothing was heard of it for 1 s"

    coming = settling.coming(opened)
    assert coming.faults == (silence,)
    assert [part.path for part in coming.parts if part.what == "hooks"][-1] == os.path.realpath(fine)
    assert [report.path for report in healing.install_everywhere(opened)] == [os.path.realpath(fine)]
    run("gitqueen", "hooks", "install", dead, check=True)
    leaving = settling.leaving(opened)
    assert leaving.faults == (silence,)
    assert not (fine.path / ".git/hooks/pre-commit").exists()
    assert (dead.path / ".git/hooks/pre-commit").exists()
