"""What agents' hooks say becomes neutral deeds: every payload that was recorded, and what nobody recorded."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitqueen.model import dialects
from gitqueen.model.dialects import AFTER, BEFORE, END, IDLE, PROMPT, START, Deed, NotUnderstood, understood
from tests.doors import kit

PROJECT = "/home/dev/p1"


@pytest.mark.parametrize(
    ("sample", "deed"),
    [
        ("SessionStart:startup", Deed(START, "SessionStart")),
        ("SessionStart:resume", Deed(START, "SessionStart")),
        ("UserPromptSubmit", Deed(PROMPT, "UserPromptSubmit")),
        ("PreToolUse:Write", Deed(BEFORE, "PreToolUse", paths=(f"{PROJECT}/a.txt",))),
        ("PreToolUse:Edit", Deed(BEFORE, "PreToolUse", paths=(f"{PROJECT}/e.txt",))),
        ("PreToolUse:Write:subagent", Deed(BEFORE, "PreToolUse", paths=(f"{PROJECT}/sub.txt",))),
        ("PostToolUse:Write", Deed(AFTER, "PostToolUse", paths=(f"{PROJECT}/a.txt",))),
        ("PostToolUse:Edit", Deed(AFTER, "PostToolUse", paths=(f"{PROJECT}/e.txt",))),
        ("PostToolUse:Bash", None),
        ("PreToolUse:Read", None),
        ("PreToolUse:Agent", None),
        ("PreToolUse:ToolSearch", None),
        ("Notification:permission_prompt", Deed(IDLE, "Notification", waiting=True)),
        ("Stop", Deed(IDLE, "Stop")),
        ("SessionEnd:other", Deed(END, "SessionEnd")),
        ("SessionEnd:clear", Deed(END, "SessionEnd", over=False)),
    ],
)
def test_claude(sample: str, deed: Deed | None) -> None:
    payload = kit.claude(sample)
    found = understood("claude", payload)
    if deed is None or found is None:
        assert found is deed
        return
    assert (found.cwd, found.session) == (payload["cwd"], payload["session_id"])
    assert Deed(found.kind, found.said, None, None, found.paths, found.command, found.waiting, found.over) == deed


def test_claudes_commands_are_read_whole() -> None:
    found = understood("claude", kit.claude("PreToolUse:Bash"))
    assert found is not None and found.paths == ()
    assert found.command is not None and found.command.startswith("tr ") and found.command.endswith("; pwd")


@pytest.mark.parametrize("sample", ["PostToolBatch", "PermissionRequest", "SubagentStop:subagent", "ConfigChange"])
def test_events_that_nobody_asked_for_are_not_understood(sample: str) -> None:
    with pytest.raises(NotUnderstood, match="there is no event"):
        understood("claude", kit.claude(sample))


def kinds(agent: str) -> list[tuple[str, tuple[str, ...], str | None]]:
    found = []
    for payload in kit.recorded(agent):
        try:
            deed = understood(agent, payload)
        except NotUnderstood:
            continue
        if deed is not None:
            found.append((deed.kind, deed.paths, deed.command))
    return found


def test_codex() -> None:
    command = "env | grep -i codex; ps -o pid,ppid,pgid,sid,tty,comm -e | tail -6; echo hi > cx1.txt"
    assert kinds("codex") == [
        (START, (), None),
        (PROMPT, (), None),
        (BEFORE, (), command),
        (IDLE, (), None),
        (END, (), None),
    ]


def test_gemini() -> None:
    assert kinds("gemini") == [
        (START, (), None),
        (PROMPT, (), None),
        (BEFORE, (f"{PROJECT}/gm1.txt",), None),
        (BEFORE, (), "env | grep -i gemini"),
        (IDLE, (), None),
        (END, (), None),
    ]


PATCH = """*** Begin Patch
*** Add File: new one.py
+*** Update File: no.py
*** Update File: old.py
*** Move to: moved.py
@@
-a
+b
*** Delete File: gone.py
*** End Patch
"""


@pytest.mark.parametrize("given_as", [PATCH, ["apply_patch", PATCH]])
def test_a_patch_names_the_files_it_writes(given_as: object) -> None:
    payload = {"hook_event_name": "PreToolUse", "tool_name": "apply_patch", "tool_input": {"command": given_as}}
    found = understood("codex", payload)
    assert found is not None and found.paths == ("new one.py", "old.py", "moved.py", "gone.py")


def test_a_patch_by_the_shell_is_an_edit_and_a_command() -> None:
    command = f"apply_patch <<'EOF'\n{PATCH}EOF"
    found = understood(
        "codex", {"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": command}}
    )
    assert found is not None and (found.paths[0], found.command) == ("new one.py", command)


def test_a_command_in_a_folder_of_its_own() -> None:
    tool = {"command": "git stash", "dir_path": "sub"}
    payload = {"hook_event_name": "BeforeTool", "cwd": "/r", "tool_name": "run_shell_command", "tool_input": tool}
    found = understood("gemini", payload)
    assert found is not None and (found.cwd, found.command) == ("/r/sub", "git stash")


def test_an_edit_that_failed_touches_nothing() -> None:
    payload = {"hook_event_name": "AfterTool", "tool_name": "replace", "tool_input": {"file_path": "/r/a"}}
    assert understood("gemini", {**payload, "tool_response": {"error": {"message": "no match"}}}) is None
    assert understood("gemini", {**payload, "tool_response": {"llmContent": "done"}}) is not None


@pytest.mark.parametrize("path", ["", "a\0b", "\ud800", 7, None, ["a"]])
def test_no_path_is_no_edit(path: object) -> None:
    payload = {"hook_event_name": "PreToolUse", "tool_name": "Write", "tool_input": {"file_path": path}}
    assert understood("claude", payload) is None


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("cwd", "session_id", "tool_name", "tool_input", "tool_response", "reason", "notification_type", "prompt")


@given(
    st.sampled_from(sorted(dialects.DIALECTS)),
    st.dictionaries(st.sampled_from(KEYS), JSON | st.sampled_from(["Edit", "Bash", "apply_patch", "replace"])),
    st.sampled_from(["PreToolUse", "PostToolUse", "BeforeTool", "SessionEnd", "Notification", "Nothing"]) | JSON,
)
def test_no_payload_breaks_it(agent: str, fields: dict[str, Any], event: object) -> None:
    try:
        found = understood(agent, {**fields, "hook_event_name": event})
    except NotUnderstood:
        return
    assert found is None or found.said == event
