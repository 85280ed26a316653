"""Our door in the settings of agents: what many users have there stays, to the byte, and comes back when we leave."""

from __future__ import annotations

import json
import os
import shlex
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gitqueen
from gitqueen.model import doors
from gitqueen.services import enrolling

DOOR = Path(gitqueen.__file__).parent / "cli" / "hook.py"
MINE = {"hooks": [{"type": "command", "command": "echo mine"}]}

SHAPES: dict[str, bytes | None] = {
    "no file": None,
    "empty": b"",
    "blank": b" \n",
    "{}": b"{}",
    "{} and a newline": b"{}\n",
    "minified": b'{"model":"opus","hooks":{"Stop":[{"hooks":[{"type":"command","command":"echo mine"}]}]}}',
    "tabs": b'{\n\t"model": "opus"\n}\n',
    "four": b'{\n    "hooks": {\n        "Stop": [\n        ]\n    },\n    "z": 1\n}',
    "CRLF": b'{\r\n  "hooks": {\r\n    "Stop": []\r\n  }\r\n}\r\n',
    "BOM": b'\xef\xbb\xbf{\n  "a": "\xc3\xa9"\n}\n',
    "unicode": '{"name": "\N{HONEYBEE} é \\u00e9 \\ud83d\\udc1d", "n": 1.50E+3}\n'.encode(),
    "others": json.dumps({"hooks": {e: [MINE] for e in ("Stop", "BeforeTool", "Own")}}, indent=2).encode(),
    "1 MB": json.dumps({"projects": {f"/p{i}": {"allowed": [1, 2, 3]} for i in range(15_000)}}, indent=1).encode(),
}


def env() -> dict[str, str]:
    return dict(os.environ)


def file_of(kind: str) -> Path:
    home = Path(os.environ["HOME"])
    return home / {"claude": ".claude/settings.json", "codex": ".codex/hooks.json"}.get(kind, ".gemini/settings.json")


def given(kind: str, text: bytes | None) -> Path:
    path = file_of(kind)
    path.parent.mkdir(parents=True, exist_ok=True)
    if text is not None:
        path.write_bytes(text)
    return path


def parsed(path: Path) -> Any:
    return json.loads(path.read_text("utf-8-sig").strip() or "{}")


def without_ours(said: dict[str, Any]) -> dict[str, Any]:
    """What a reader sees beside us."""
    hooks = {
        event: rest
        for event, groups in said.get("hooks", {}).items()
        if (rest := [g for g in groups if "hook.py" not in json.dumps(g)]) or not groups
    }
    return {**said, "hooks": hooks} if hooks else {k: v for k, v in said.items() if k != "hooks"}


@pytest.mark.parametrize("kind", enrolling.KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_armed_once_and_comes_back_to_the_byte(kind: str, shape: str) -> None:
    text = SHAPES[shape]
    path = given(kind, text)
    before = parsed(path) if text is not None else {}
    report = enrolling.install(env(), kind)
    assert (report.state, report.fault, [change.path for change in report.changes]) == ("armed", "", [str(path)])
    said = parsed(path)
    for entry in doors.DIALECTS[kind].entries:
        [ours] = [g for g in said["hooks"][entry.event] if "hook.py" in json.dumps(g)]
        assert ours.get("matcher") == entry.matcher
        assert ours["hooks"][0]["timeout"] == entry.timeout
    kept = without_ours(said).get("hooks", {})
    assert {e: g for e, g in before.get("hooks", {}).items() if g} == {e: g for e, g in kept.items() if g}
    assert {k: v for k, v in said.items() if k != "hooks"} == {k: v for k, v in before.items() if k != "hooks"}

    armed, seen = path.read_bytes(), os.stat(path)
    assert enrolling.install(env(), kind).changes == ()
    assert (path.read_bytes(), os.stat(path).st_ino) == (armed, seen.st_ino), "the second time nothing is written"
    copy = Path(f"{path}.before-gitqueen")
    assert (copy.read_bytes() if copy.exists() else None) == text

    report = enrolling.uninstall(env(), kind)
    assert (report.state, [change.words for change in report.changes]) == ("missing", ["byte for byte what it was"])
    assert (path.read_bytes() if path.exists() else None) == text
    assert not copy.exists()
    assert enrolling.uninstall(env(), kind).changes == ()


def test_an_entry_of_ours_as_claude_reads_it() -> None:
    path = given("claude", b"{}\n")
    enrolling.install(env(), "claude")
    python, door = shlex.quote(sys.executable), shlex.quote(str(DOOR))
    command = f"test -x {python} && test -r {door} && exec {python} -I -S {door} agent claude || true"
    assert parsed(path)["hooks"]["PreToolUse"] == [
        {
            "matcher": "Edit|Write|NotebookEdit|MultiEdit|Bash",
            "hooks": [{"type": "command", "command": command, "timeout": 10}],
        }
    ]
    assert list(parsed(path)["hooks"]) == (
        "SessionStart UserPromptSubmit PreToolUse PostToolUse Notification Stop SessionEnd".split()
    )


@pytest.mark.parametrize("what", ["ours", "somebody else's", "no longer empty"])
def test_a_folder_that_we_made_goes_when_nothing_is_left_in_it(what: str) -> None:
    folder = file_of("codex").parent
    if what == "somebody else's":
        folder.mkdir()
    enrolling.install(env(), "codex", {enrolling.SANDBOX})
    # Whoever takes a file of ours out by hand and installs again has no other folder for that.
    file_of("codex").unlink()
    enrolling.install(env(), "codex")
    if what == "no longer empty":
        (folder / "auth.json").write_text("{}")
    enrolling.uninstall(env(), "codex")
    left = {"ours": None, "somebody else's": [], "no longer empty": ["auth.json"]}[what]
    assert (os.listdir(folder) if folder.exists() else None) == left
    assert enrolling.uninstall(env(), "codex").changes == ()


@pytest.mark.parametrize("kind", enrolling.KINDS)
def test_what_somebody_wrote_since_stays_when_we_leave(kind: str) -> None:
    """Our entries alone go, also from between others; empty lists go unless they were there before us."""
    path = given(kind, b'{\n  "hooks": {\n    "Stop": [],\n    "AfterAgent": []\n  }\n}\n')
    enrolling.install(env(), kind)
    text = path.read_text()
    path.write_text(text.replace("{\n", '{\n  "later": [1,  2],\n', 1))
    assert enrolling.uninstall(env(), kind).changes[0].words == "our entries are out, the rest is as it was"
    assert path.read_text() == ('{\n  "later": [1,  2],\n  "hooks": {\n    "Stop": [],\n    "AfterAgent": []\n  }\n}\n')


def test_a_hook_put_beside_ours_stays() -> None:
    """The user added his own to our very group."""
    path = given("claude", b"{}\n")
    enrolling.install(env(), "claude")
    said = parsed(path)
    said["hooks"]["Stop"][0]["hooks"].append(MINE["hooks"][0])
    path.write_text(json.dumps(said))
    assert enrolling.status(env(), "claude").state == "outdated"
    enrolling.uninstall(env(), "claude")
    assert parsed(path) == {"hooks": {"Stop": [MINE]}}


def test_installing_again_after_a_change_keeps_that_change_for_good() -> None:
    path = given("claude", b'{"a": 1}\n')
    enrolling.install(env(), "claude")
    path.write_text(path.read_text().replace('"a": 1', '"a": 2'))
    assert enrolling.install(env(), "claude").changes == ()
    enrolling.install(env(), "claude", {enrolling.COMMANDS})
    enrolling.uninstall(env(), "claude")
    assert path.read_text() == '{"a": 2}\n'


@pytest.mark.parametrize("kind", enrolling.KINDS)
def test_another_installations_entries_are_renewed_where_they_stand(kind: str) -> None:
    """By position Codex knows which hooks of the user's own it may run: nobody's may move."""
    path = given(kind, b"{}\n")
    enrolling.install(env(), kind)
    said = json.loads(path.read_text().replace(str(DOOR), "/elsewhere/gitqueen/cli/hook.py"))
    for groups in said["hooks"].values():
        groups.insert(0, MINE)
        groups.append(MINE)
    path.write_text(json.dumps(said, indent=2))
    assert enrolling.status(env(), kind).state == "outdated"
    assert enrolling.install(env(), kind).state == "armed"
    for event, groups in parsed(path)["hooks"].items():
        assert [group == MINE for group in groups] == [True, False, True], event
    assert enrolling.uninstall(env(), kind).state == "missing"
    assert all(groups == [MINE, MINE] for groups in parsed(path)["hooks"].values())


@pytest.mark.parametrize("kind", enrolling.KINDS)
@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{\n  "a": 1, // mine\n}', "is no JSON: line 2, column 11: comments are no JSON"),
        (b'{"a": 1,}', "is no JSON: line 1, column 8: a comma with nothing behind it is no JSON"),
        (b'{"hooks": null}', ": hooks is null, not an object"),
        (b'{"hooks": {"SessionStart": "x"}}', ": hooks.SessionStart is a string, not an array"),
        (b"[]", ": the whole is an array, not an object"),
        (b'{"a": "\xe9"}', "is no UTF-8: byte 8"),
        ("{}".encode("utf-16"), "is no UTF-8: byte 1"),
    ],
)
def test_what_we_cannot_read_is_refused_and_left(kind: str, text: bytes, why: str) -> None:
    path = given(kind, text)
    report = enrolling.install(env(), kind)
    assert report.fault.startswith(str(path)) and report.fault.endswith(why) and report.hint
    assert path.read_bytes() == text
    assert sorted(path.parent.glob("*.*")) == [path]


def test_a_link_is_followed_and_stays_one_and_rights_stay(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "claude.json"
    real.parent.mkdir()
    real.write_text("{}\n")
    real.chmod(0o640)
    path = file_of("claude")
    path.parent.mkdir(parents=True)
    path.symlink_to(real)
    enrolling.install(env(), "claude")
    assert path.is_symlink() and "hook.py" in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert os.listdir(real.parent) == ["claude.json"], "nothing is put into the folder of somebody's dotfiles"
    assert stat.S_IMODE(os.stat(f"{path}.before-gitqueen").st_mode) == 0o640, "settings may hold keys"
    enrolling.uninstall(env(), "claude")
    assert path.is_symlink() and real.read_text() == "{}\n"


def test_a_read_only_file_is_refused_and_left() -> None:
    path = given("claude", b"{}\n")
    path.chmod(0o444)
    report = enrolling.install(env(), "claude")
    assert report.fault == f"{path} is read-only" and report.hint.startswith("chmod u+w ")
    assert path.read_bytes() == b"{}\n" and not Path(f"{path}.before-gitqueen").exists()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_what_is_no_file_is_refused_and_not_waited_for(make: Callable[[Path], None]) -> None:
    path = given("gemini", None)
    make(path)
    report = enrolling.install(env(), "gemini")
    assert report.fault == f"{path} is no plain file"


def test_what_is_only_done_when_asked_for() -> None:
    path = given("claude", b'{\n  "permissions": {\n    "allow": ["Bash(iam:*)", "Bash(ls:*)"]\n  }\n}\n')
    assert enrolling.install(env(), "claude").offers == ("commands", "sandbox", "statusline")
    assert parsed(path)["permissions"] == {"allow": ["Bash(iam:*)", "Bash(ls:*)"]}
    report = enrolling.install(env(), "claude", {"commands", "sandbox", "statusline"})
    assert (report.extras, report.offers) == (("commands", "sandbox", "statusline"), ())
    said = parsed(path)
    assert said["sandbox"] == {"filesystem": {"allowWrite": [os.environ["GITQUEEN_HOME"]]}}
    assert said["statusLine"]["type"] == "command" and "statusline.py" in said["statusLine"]["command"]
    rules = said["permissions"]["allow"]
    assert "Bash(gitqueen inbox:*)" in rules and "Bash(iam)" in rules
    assert not [rule for rule in rules for word in ("claim:", "claim ", "release", "hooks", "rescue") if word in rule]
    path.write_text(path.read_text() + " ")  # somebody wrote it since
    enrolling.uninstall(env(), "claude")
    assert path.read_text() == '{\n  "permissions": {\n    "allow": ["Bash(iam:*)", "Bash(ls:*)"]\n  }\n}\n '


def test_a_status_line_that_is_there_stays() -> None:
    path = given("claude", b'{"statusLine": {"type": "command", "command": "mine"}}')
    report = enrolling.install(env(), "claude", {"statusline"})
    assert report.notes == ("there is a status line already: it stays   (gitqueen statusline prints ours)",)
    assert parsed(path)["statusLine"] == {"type": "command", "command": "mine"}


@pytest.mark.parametrize(
    ("kind", "name", "line"),
    [
        ("codex", "config.toml", 'sandbox_workspace_write.writable_roots = ["{home}"]'),
        ("gemini", ".env", "SANDBOX_MOUNTS={home}:{home}:rw"),
    ],
)
def test_a_sandbox_that_is_set_in_another_file(kind: str, name: str, line: str) -> None:
    home = os.environ["GITQUEEN_HOME"]
    beside = file_of(kind).with_name(name)
    beside.parent.mkdir()
    text = "# mine\nX = 1\n" if kind == "gemini" else 'model = "x"\n\n[features]\nhooks = true'
    beside.write_text(text)
    assert enrolling.install(env(), kind, {"sandbox"}).extras == ("sandbox",)
    assert line.format(home=home) in beside.read_text().splitlines()
    assert enrolling.install(env(), kind, {"sandbox"}).changes == ()
    enrolling.uninstall(env(), kind)
    assert beside.read_text() == text
    mine = f"{line.partition(' ')[0].partition('=')[0]} = []\n"
    beside.write_text(mine)
    [note] = enrolling.install(env(), kind, {"sandbox"}).notes
    name = line.partition(".")[0].partition("=")[0]
    assert note == f"{beside} says something about {name} already: put {home} into it yourself"
    assert beside.read_text() == mine


def test_codex_is_told_of_hooks_in_two_places() -> None:
    config = given("codex", None).with_name("config.toml")
    config.write_text('[hooks.state."x"]\ntrusted_hash = "y"\n')
    assert enrolling.install(env(), "codex").notes == ()
    config.write_text('[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = "command"\ncommand = "true"\n')
    assert enrolling.install(env(), "codex").notes == (
        "there are hooks in config.toml too: codex runs both, and says so whenever it starts",
    )


def test_under_sudo_the_file_stays_the_user_s() -> None:
    path = given("claude", b"{}\n")
    owner = (65534, 65534) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(path, *owner)
    enrolling.install(env(), "claude")
    found = [os.stat(one) for one in (path, f"{path}.before-gitqueen")]
    assert [(one.st_uid, one.st_gid) for one in found] == [owner] * 2


def test_hooks_that_are_switched_off_are_said_to_be() -> None:
    given("claude", b'{"disableAllHooks": true}')
    given("gemini", b'{"hooksConfig": {"disabled": ["gitqueen"]}}')
    given("codex", None).with_name("config.toml").write_text("[features]\nhooks = false\n")
    found = {kind: enrolling.install(env(), kind) for kind in enrolling.KINDS}
    assert {kind: (report.state, report.switched_off, report.works) for kind, report in found.items()} == {
        "claude": ("armed", "disableAllHooks", False),
        "codex": ("armed", "[features] hooks = false", False),
        "gemini": ("armed", "hooksConfig.disabled", False),
    }


def test_only_agents_that_are_here_are_armed_unasked() -> None:
    bare = {**env(), "PATH": "/nonexistent"}
    Path(os.environ["GITQUEEN_HOME"]).mkdir(parents=True)
    assert enrolling.present(bare) == [], "the queen's own folder stands in Claude's and is no Claude"
    given("claude", None).with_name("projects").mkdir()
    file_of("gemini").parent.mkdir()
    given("codex", b"{}")
    assert enrolling.present(bare) == ["claude", "codex"]


def test_installing_at_once_writes_each_entry_once() -> None:
    path = given("claude", b'{"a": 1}')
    faults: list[str] = []

    def go() -> None:
        faults.append(enrolling.install(env(), "claude").fault)

    threads = [threading.Thread(target=go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == [""] * 8
    assert [len(groups) for groups in parsed(path)["hooks"].values()] == [1] * 7
    enrolling.uninstall(env(), "claude")
    assert path.read_bytes() == b'{"a": 1}'


def test_a_broken_book_is_no_obstacle() -> None:
    path = given("claude", b'{"a": 1}')
    enrolling.install(env(), "claude")
    Path(os.environ["GITQUEEN_HOME"], "agents.json").write_text("[1")
    assert enrolling.uninstall(env(), "claude").state == "missing"
    assert path.read_bytes() == b'{"a": 1}'
