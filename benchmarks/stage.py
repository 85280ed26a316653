"""The stage: a throw-away home with repositories and sisters, sealed from the real home and git config.

Sets the hive up by gitqueen's own commands and by plain SQL, as people and other programs do, so that it
outlives changes inside the product.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from types import TracebackType
from typing import Self

GITQUEEN = os.path.join(os.path.dirname(sys.executable), "gitqueen")

LONG_AGO = "2026-01-02T03:04:05Z"


class Stage:
    """`with Stage() as stage:` a hive of its own; afterwards its folder and its processes are gone."""

    def __init__(self) -> None:
        self.root = tempfile.mkdtemp(prefix="gitqueen-bench-")
        self.home = os.path.join(self.root, "queen")
        self.bodies: dict[str, subprocess.Popen[bytes]] = {}
        self.scanned = 0.0
        os.mkdir(os.path.join(self.root, "home"))

    def __enter__(self) -> Self:
        try:
            self.run("scan")
            self.freshen()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        for body in self.bodies.values():
            body.kill()
        for body in self.bodies.values():
            body.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def env(self, name: str | None = None, pid: int | None = None) -> dict[str, str]:
        """The environment of a process here; with `name` a sister's (body: `pid`, or the one made here)."""
        home = os.path.join(self.root, "home")
        sealed = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": home,
            "XDG_CONFIG_HOME": os.path.join(home, ".config"),
            "LOGNAME": "bench",
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_EDITOR": "false",
            "GITQUEEN_HOME": self.home,
        }
        if name is None:
            return sealed
        return {**sealed, "GITQUEEN_NAME": name, "GITQUEEN_PID": str(pid or self.bodies[name].pid)}

    def repository(self, name: str) -> str:
        """A repository with one commit and two uncommitted files; its path."""
        path = os.path.join(self.root, name)
        self.git("init", "-q", "-b", "main", path)
        for file in ("README", "app.py", "notes.txt"):
            with open(os.path.join(path, file), "w") as text:
                text.write(f"{file} of {name}\n")
        self.git("-C", path, "add", "README")
        self.git("-C", path, "-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "-qm", "first")
        return path

    def git(self, *args: str) -> None:
        """`git ARGS`, which must succeed."""
        subprocess.run(["git", *args], env=self.env(), check=True, stdin=subprocess.DEVNULL)

    def sister(self, name: str, cwd: str, task: str) -> None:
        """A living process that is the sister `name` and has declared `task` in `cwd`."""
        # Ends by itself where we are killed before we can end it.
        self.bodies[name] = subprocess.Popen(["sleep", "900"], env=self.env(), stdin=subprocess.DEVNULL)
        self.run("iam", task, cwd=cwd, name=name)

    def run(self, *args: str, cwd: str | None = None, name: str | None = None) -> None:
        """`gitqueen ARGS`, which must succeed."""
        done = subprocess.run(
            [GITQUEEN, *args],
            env=self.env(name),
            cwd=cwd or self.root,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"gitqueen {args[0]} failed: {done.stderr.decode('utf-8', 'replace')}")

    def sql(self, *statements: str, rows: Iterable[Sequence[object]] | None = None) -> list[tuple[object, ...]]:
        """Run plain SQL as another program would (the last for each of `rows`); what the last found."""
        with closing(sqlite3.connect(os.path.join(self.home, "queen.db"), timeout=10)) as db, db:
            if rows is not None:
                db.executemany(statements[-1], rows)
                return []
            found: list[tuple[object, ...]] = []
            for statement in statements:
                found = db.execute(statement).fetchall()
            return found

    def count(self, what: str) -> int:
        """How many rows `what` (a table, perhaps with WHERE) has."""
        found = self.sql(f"SELECT count(*) FROM {what}")[0][0]
        assert isinstance(found, int)
        return found

    def rest(self) -> None:
        """Wait until nothing that a hook has started is at work: else it would slow what is timed next."""
        spool, deadline = os.path.join(self.home, "spool"), time.monotonic() + 10
        with open(os.path.join(spool, "lock"), "ab") as lock:
            while time.monotonic() < deadline:
                if not any(name.startswith("post-") for name in os.listdir(spool)):
                    try:
                        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        break
                    except OSError:
                        pass
                time.sleep(0.02)
        time.sleep(0.05)  # to end, once it has let go

    def freshen(self) -> None:
        """Make the last look around a recent one, as with a daemon: commands that find it old start one."""
        if time.monotonic() - self.scanned > 5:
            self.sql(f"UPDATE meta SET value = '{time.time() - 1}' WHERE key = 'last_scan'")
            self.scanned = time.monotonic()
