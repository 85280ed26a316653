"""systemd of this user: its timers, and our own unit. Nothing is started where no user manager runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from shlex import quote

from gitqueen.model.jobs import Entry

PATIENCE = 3.0
MOST = 500


def running(env: Mapping[str, str]) -> bool:
    """Whether this user has a manager that can be asked."""
    runtime = env.get("XDG_RUNTIME_DIR")
    return bool(runtime) and os.path.isdir(os.path.join(runtime or "", "systemd"))


def ask(env: Mapping[str, str], *args: str, patience: float = PATIENCE) -> tuple[int, str]:
    """Exit code and output of `systemctl --user ARGS`; 127 where it cannot be had, 124 where it takes too long."""
    try:
        done = subprocess.run(
            ["systemctl", "--user", *args], env={**env, "LC_ALL": "C.UTF-8"}, capture_output=True, timeout=patience,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return 124, f"systemctl took longer than {patience:g} s"
    except OSError as fault:
        return 127, str(fault)
    said = done.stdout if done.returncode == 0 else done.stdout + done.stderr
    return done.returncode, said.decode("utf-8", "replace").strip()


def timers(env: Mapping[str, str]) -> tuple[list[Entry], list[str]]:
    """This user's timers, and a sentence for what could not be understood."""
    if not running(env):
        return [], []
    code, said = ask(env, "list-timers", "--all", "--output=json")
    if code:
        return [], [f"systemd timers: {said.splitlines()[-1] if said else code}"]
    try:
        listed = [row for row in json.loads(said or "[]") if isinstance(row, dict)][:MOST]
    except ValueError:
        return [], ["systemd timers: this systemctl lists them in no form that is understood"]
    units = {str(row.get("unit")): row for row in listed if row.get("unit")}
    shown = _shown(env, [*units, *(str(row.get("activates")) for row in listed if row.get("activates"))])
    return [_entry(name, row, shown) for name, row in units.items()], []


def _shown(env: Mapping[str, str], names: Sequence[str]) -> dict[str, dict[str, str]]:
    wanted = "--property=Id,ExecStart,WorkingDirectory,TimersCalendar,TimersMonotonic"
    if not names:
        return {}
    _, said = ask(env, "show", wanted, "--", *names)
    blocks = [dict(line.partition("=")[::2] for line in block.splitlines()) for block in said.split("\n\n")]
    return {block["Id"]: block for block in blocks if block.get("Id")}


def _entry(name: str, row: Mapping[str, object], shown: Mapping[str, Mapping[str, str]]) -> Entry:
    timer, service = shown.get(name, {}), shown.get(str(row.get("activates")), {})
    calendar = re.search(r"OnCalendar=(.*?) ;", timer.get("TimersCalendar", ""))
    every = re.search(r"(On\w+)USec=(.*?) ;", timer.get("TimersMonotonic", ""))
    command = re.search(r"argv\[\]=(.*?) ; ", service.get("ExecStart", ""))
    schedule = calendar[1] if calendar else f"{every[1]} {every[2]}" if every else ""
    due = row.get("next")
    return Entry(
        source=name,
        schedule=schedule,
        command=command[1] if command else str(row.get("activates") or ""),
        folder=service.get("WorkingDirectory", "").lstrip("!") or None,
        next_run=datetime.fromtimestamp(due / 1e6, UTC) if isinstance(due, int) and 0 < due < 1 << 53 else None,
    )


UNIT = "gitqueen.service"


def unit_path(env: Mapping[str, str]) -> str:
    folder = env.get("XDG_CONFIG_HOME") or os.path.join(env.get("HOME", ""), ".config")
    return os.path.join(folder, "systemd", "user", UNIT)


def unit_text(command: Sequence[str], env: Mapping[str, str]) -> str:
    """Our unit; `env`: what the daemon must know of the environment."""
    words = " ".join(_word(word) for word in command)
    settings = "".join(f"Environment={_word(f'{key}={value}')}\n" for key, value in sorted(env.items()))
    return f"""[Unit]
Description=gitqueen: looks around for the AI coding sessions on this machine

[Service]
ExecStart={words}
{settings}Restart=on-failure
RestartSec=30
RestartPreventExitStatus=1
Nice=5

[Install]
WantedBy=default.target
"""


def _word(word: str) -> str:
    # % and $ mean something to systemd; quotes and backslashes are escaped in double quotes as in C.
    plain = word.replace("%", "%%").replace("$", "$$")
    if plain == quote(plain):
        return plain
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
