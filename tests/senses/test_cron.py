"""Where jobs are written: files and commands of others, whatever is in them."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from gitqueen.model.jobs import Entry
from gitqueen.senses import cron, systemd


def script(path: Path, text: str) -> None:
    """A real command of that name, first on PATH."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def stubs(sealed: Path) -> Path:
    return sealed / ".stubs"


def test_this_users_crontab(sealed: Path) -> None:
    assert cron.own(os.environ) == ([], [])  # "no crontab for keeper"
    (sealed / ".crontab").write_bytes(b"@daily \xff run\n")
    assert cron.own(os.environ) == ([Entry("crontab", "@daily", "� run")], [])


def test_one_that_cannot_be_asked_is_told(stubs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(stubs / "crontab", "echo 'must be privileged to use -u' >&2; exit 1")
    assert cron.own(os.environ) == ([], ["crontab: must be privileged to use -u"])
    monkeypatch.setattr(cron, "PATIENCE", 0.2)
    script(stubs / "crontab", "sleep 600")
    entries, [fault] = cron.own(os.environ)
    assert entries == [] and "timed out" in fault
    monkeypatch.setenv("PATH", "/nowhere")
    assert cron.own(os.environ) == ([], [])


def test_the_files_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "crontab").write_text("@daily root one\n")
    folder = tmp_path / "cron.d"
    folder.mkdir()
    (folder / "app").write_text("@hourly keeper two\n")
    (folder / "app.dpkg-old").write_text("@hourly keeper left behind\n")
    (folder / "app~").write_text("@hourly keeper an editor's copy\n")
    os.mkfifo(folder / "pipe")
    entries, faults = cron.system([str(tmp_path / "crontab"), str(folder), str(tmp_path / "absent")])
    assert [(entry.source, entry.command, entry.user) for entry in entries] == [
        (str(tmp_path / "crontab"), "one", "root"), (str(folder / "app"), "two", "keeper")
    ]  # fmt: skip
    assert faults == [f"{folder}/pipe: is no regular file"]


def test_a_huge_file_is_read_in_part(tmp_path: Path) -> None:
    (tmp_path / "crontab").write_text("@daily root x\n" * 1_000_000)
    entries, faults = cron.system([str(tmp_path / "crontab")])
    assert (len(entries), faults) == (1000, [])


def test_tasks_that_claude_keeps_in_a_project(tmp_path: Path) -> None:
    app = tmp_path / "app"
    (app / ".claude").mkdir(parents=True)
    tasks = [{"id": "a1", "cron": "0  9 * * 1", "prompt": "look at the issues"}, {"cron": 5}, "nonsense", {}]
    (app / ".claude/scheduled_tasks.json").write_text(json.dumps({"tasks": tasks}))
    assert cron.claude([str(app), str(tmp_path)]) == (
        [Entry("claude", "0 9 * * 1", "look at the issues", folder=str(app))], []
    )  # fmt: skip
    path = app / ".claude/scheduled_tasks.json"
    for text in ("{", "[]", '{"tasks": 5}', "[" * 100_000, "null"):
        path.write_text(text)
        entries, faults = cron.claude([str(app)])
        assert entries == [] and all("is not understood" in fault for fault in faults)


LIST = """[
{"next":1775891400000000,"left":1,"last":null,"passed":null,"unit":"backup.timer","activates":"backup.service"},
{"next":null,"left":null,"last":null,"passed":null,"unit":"idle.timer","activates":"idle.service"}]"""
SHOW = """Id=backup.timer
TimersCalendar={ OnCalendar=*-*-* 07:10:00 ; next_elapse=n/a }
TimersMonotonic=

Id=idle.timer
TimersCalendar=
TimersMonotonic={ OnBootUSec=5min ; next_elapse=0 }

Id=backup.service
WorkingDirectory=/home/iza/app
ExecStart={ path=/bin/sh ; argv[]=/bin/sh -c make backup ; ignore_errors=no ; start_time=[n/a] ; pid=0 }
"""


def test_timers_of_systemd(sealed: Path, stubs: Path) -> None:
    assert systemd.timers(os.environ) == ([], [])  # no user manager runs: nobody is asked
    (sealed / ".run/systemd").mkdir()
    text = f"case $2 in list-timers) cat <<'E'\n{LIST}\nE\n;; show) cat <<'E'\n{SHOW}E\n;; esac"
    script(stubs / "systemctl", text)
    entries, faults = systemd.timers(os.environ)
    assert faults == []
    assert [(e.source, e.schedule, e.command, e.folder, str(e.next_run)) for e in entries] == [
        ("backup.timer", "*-*-* 07:10:00", "/bin/sh -c make backup", "/home/iza/app", "2026-04-11 07:10:00+00:00"),
        ("idle.timer", "OnBoot 5min", "idle.service", None, "None"),
    ]


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("echo 'Failed to connect to bus' >&2; exit 1", "systemd timers: Failed to connect to bus"),
        ("echo not json", "systemd timers: this systemctl lists them in no form that is understood"),
        ("sleep 600", "systemd timers: systemctl took longer than 0.2 s"),
    ],
)
def test_a_systemd_that_does_not_answer_is_told(
    sealed: Path, stubs: Path, answer: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systemd.ask, "__kwdefaults__", {"patience": 0.2} if "sleep" in answer else {"patience": 10.0})
    (sealed / ".run/systemd").mkdir()
    script(stubs / "systemctl", answer)
    assert systemd.timers(os.environ) == ([], [fault])


def test_our_unit_says_what_we_mean() -> None:
    text = systemd.unit_text(["/home/iza/my apps/python", "-m", "x%y"], {"PATH": '/bin:/a "b"', "HOME": "$x"})
    assert 'ExecStart="/home/iza/my apps/python" -m x%%y\n' in text
    assert 'Environment="HOME=$$x"\nEnvironment="PATH=/bin:/a \\"b\\""\n' in text


def test_stubs_are_executable(stubs: Path) -> None:
    assert stat.S_IMODE((stubs / "crontab").stat().st_mode) == 0o755
