"""Jobs that the clock runs: a crontab's lines, what of a command may be shown, and which repository it touches.

Only text: the files are read by `senses/cron`, when a job is next is asked of a library by `services/timing`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

MOST = 1000
"""Lines of one crontab with a job in them, as cron itself has it."""
LONGEST = 1000
"""Characters of a command that are kept."""

REBOOT = "@reboot"
_NAMED = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """Something that the clock will run. `command` never holds what looks like a secret."""

    source: str
    """crontab, a file's path, a timer's name."""
    schedule: str
    command: str
    next_run: datetime | None = None
    repo: str | None = None
    """The known repository that it touches."""
    fault: str = ""
    """Why it will never run, or nobody knows when."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A job as its source has it: the command may hold secrets, and is for nobody to keep."""

    source: str
    schedule: str
    command: str
    user: str | None = None
    """Whose it is, where a system file says so."""
    folder: str | None = None
    """Where it runs, if that is known."""
    next_run: datetime | None = None
    """Where the source knows it."""
    zone: str | None = None
    fault: str = ""


def fields(schedule: str) -> str:
    """The five fields of a schedule that may be a word such as `@daily`."""
    return _NAMED.get(schedule.lower(), schedule)


_SETTING = re.compile(r"\s*[\"']?([A-Za-z_][A-Za-z0-9_]*)[\"']?\s*=\s*(.*)")
_WITH_WORD = re.compile(r"\s*(@\w+)\s+(.*)")
_WITH_FIELDS = re.compile(r"\s*-?((?:[\d*/,~LW#?-]|[A-Za-z]{3})+(?:\s+[\w*/,~#?-]+){4})\s+(.*)")
_USER = re.compile(r"(\S+)\s+(.*)")


def crontab(source: str, text: str, with_user: bool) -> list[Entry]:
    """The jobs of a crontab; `with_user`: a system file, whose sixth field is whose job it is. Lines that are none
    come as faults."""
    entries: list[Entry] = []
    zone = None
    for line in text.splitlines():
        if len(entries) >= MOST:
            break
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        # `* = x` is no setting, `MAILTO=x` is no job.
        if (setting := _SETTING.fullmatch(line)) is not None:
            if setting[1] == "CRON_TZ":
                zone = setting[2].strip("\"' ")
            continue
        entries.append(_entry(source, line, with_user, zone))
    return entries


def _entry(source: str, line: str, with_user: bool, zone: str | None) -> Entry:
    found = _WITH_WORD.fullmatch(line) or _WITH_FIELDS.fullmatch(line)
    if found is None:
        return Entry(source, "", line, fault="no line that cron understands")
    schedule, rest, user = " ".join(found[1].split()), found[2], None
    if with_user:
        owner = _USER.fullmatch(rest)
        if owner is None:
            return Entry(source, schedule, rest, fault="it names no user")
        user, rest = owner[1], owner[2]
    if schedule.startswith("@") and schedule.lower() not in (*_NAMED, REBOOT):
        return Entry(source, schedule, rest, user, fault=f"cron knows no {schedule}")
    # What follows an unescaped % is the command's input.
    command = re.split(r"(?<!\\)%", rest, maxsplit=1)[0].replace("\\%", "%").strip()
    return Entry(source, schedule, command, user, zone=zone)


_SECRET = r"(?:token|secret|passw|pass\b|pwd|key|credential|auth|cookie|session|dsn)"
_VALUE = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s'";&|]+)"""
_MASKS = (
    # TOKEN=x, also after export, env, --env, -e
    (re.compile(rf"\b((?:[A-Za-z_][A-Za-z0-9_-]*)?{_SECRET}[A-Za-z0-9_-]*)=({_VALUE})+", re.I), r"\1=***"),
    # --password x, --api-key x
    (re.compile(rf"(?<!\S)(--?[A-Za-z0-9-]*{_SECRET}[A-Za-z0-9-]*)\s+(?!-){_VALUE}", re.I), r"\1 ***"),
    # https://user:password@host, https://token@host
    (re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*://)[^\s/@'\"]+@"), r"\1***@"),
    # Authorization: Bearer x
    (re.compile(r"\b((?:Proxy-)?Authorization|X-[A-Za-z-]*(?:Token|Key))\s*:\s*[^'\"]+", re.I), r"\1: ***"),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}", re.I), r"\1 ***"),
    # curl -u user:password, mysql -ppassword
    (re.compile(rf"(?<!\S)(-u|--user)(?:\s+|=)?(?=[^\s'\"]*:|['\"][^'\"]*:){_VALUE}"), r"\1 ***"),
    (re.compile(r"(\b(?:mysql\w*|mariadb\w*|sshpass)\b[^|;&]*?\s-p)(?!\s)[^\s]+"), r"\1***"),
    # Words that are keys by their looks alone.
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-|sk-|xox[a-z]-|AKIA|AIza)[A-Za-z0-9_-]{8,}"), "***"),
)  # fmt: skip


def masked(command: str) -> str:
    """`command` without what looks like a secret: rather too much is hidden than too little."""
    for pattern, stands in _MASKS:
        command = pattern.sub(stands, command)
    return command if len(command) <= LONGEST else command[: LONGEST - 1] + "…"


_CD = re.compile(r"(?:^|[;&|({]\s*)(?:cd|pushd)\s+(?:--\s+)?(\"[^\"]+\"|'[^']+'|(?:[^\s;&|)\\]|\\.)+)")
_END = frozenset("/ \t\n'\";&|()<>:,")


def touches(entry: Entry, home: str, paths: Iterable[str]) -> str | None:
    """Which of the worktrees `paths` a job works in: the deepest that its folder is in or its command names."""
    text = entry.command.replace("\\ ", " ").replace("${HOME}", home).replace("$HOME", home)
    text = re.sub(r"(?<![^\s'\"=:])~(?=/|\s|$)", lambda _: home, text)
    folders = [entry.folder] if entry.folder else []
    folders += [_absolute(home, found[1].strip("\"'")) for found in _CD.finditer(text)]
    fitting = [
        path
        for path in paths
        if path != "/" and (_named(text, path) or any((folder + "/").startswith(path + "/") for folder in folders))
    ]
    return max(fitting, key=len, default=None)


def _absolute(home: str, path: str) -> str:
    parts = list[str]()
    for part in (path if path.startswith("/") else f"{home}/{path}").split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return f"/{'/'.join(parts)}"


def _named(text: str, path: str) -> bool:
    at = text.find(path)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(path) : at + len(path) + 1]
        # `/home/iza/app` is named neither in /srv/home/iza/app nor in /home/iza/app-2.
        if (not after or after in _END) and not (before.isalnum() or before in tuple("/._-")):
            return True
        at = text.find(path, at + 1)
    return False
