"""What incidents of lost work are played with: two agents' sessions in one checkout, and what each is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.doors.kit import Session
from tests.hive import Repo, Runner
from tests.hooks import kit

FILES = {"app.py": "1\n", "bob.py": "1\n", "lib/core.py": "1\n"}
HERS = {"app.py": "hers\n", "lib/core.py": "hers\r\nand no newline", "new/notes.txt": "her notes\n"}


def shared(repo: Callable[..., Repo], session: Callable[..., Session]) -> tuple[Repo, Session, Session]:
    """Ada and Bob in one managed checkout; she wrote `HERS`, which was kept without anybody having done anything."""
    app = kit.install(repo("app", FILES))
    app.git("config", "gitqueen.rescue.interval", "0.2")
    ada, bob = session(app, "ada"), session(app, "bob")
    ada.start()
    bob.start()
    for path, text in HERS.items():
        ada.edits(path, text)
    kit.until(lambda: rescues(app) and set(rescues(app)[0]["files"]) == set(HERS), "what she wrote is kept")
    bob.edits("bob.py", "his\n")
    kit.until(lambda: "bob.py" in rescues(app)[0]["files"], "what he wrote is kept")
    ada.prompt()
    return app, ada, bob


def rescues(app: Repo, *more: str) -> list[dict[str, Any]]:
    said = Runner(app.path)("gitqueen", "rescue", "list", "--json", *more, check=True).stdout
    return list(json.loads(said)["rescues"])


def lost(app: Repo) -> list[dict[str, Any]]:
    """The open lost work, after a look around."""
    Runner(app.path)("gitqueen", "scan", check=True)
    found = json.loads(Runner(app.path)("gitqueen", "conflicts", "--json", check=True).stdout)["conflicts"]
    return [one for one in found if one["type"] == "lost-work"]


def stand(app: Repo, *paths: str) -> dict[str, str | None]:
    """What stands at each path, line ends and all."""
    whole = {path: app.path / path for path in paths}
    return {path: file.read_bytes().decode() if file.is_file() else None for path, file in whole.items()}


def back(ada: Session, app: Repo) -> None:
    """She types the one command that she was told of, and everything is there again."""
    done = ada.sister.sh("gitqueen rescue restore --json")
    assert (done.rc, done.err) == (0, "")
    assert stand(app, *HERS) == HERS
    assert lost(app) == []
