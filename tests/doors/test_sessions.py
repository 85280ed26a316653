"""A session from its start to its end: who it is, what it is told, and what is known of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.doors import kit
from tests.doors.kit import Session
from tests.hive import Repo, Runner

Make = Callable[..., Session]


def one(repo: Repo, name: str) -> dict[str, Any]:
    [found] = [sister for sister in kit.sisters(repo) if sister["name"] == name]
    return found


def history(repo: Repo, kind: str) -> list[dict[str, Any]]:
    said = Runner(repo.path)("gitqueen", "history", "--json", "-n", "1000", check=True).stdout
    return [event for event in json.loads(said)["events"] if event["kind"] == kind]


def test_the_second_is_onboarded_with_the_firsts_task(repo: Callable[..., Repo], session: Make) -> None:
    app = repo()
    ada, bob = session(app, "ada"), session(app, "bob")
    assert "No other sister is working right now." in ada.start()
    ada.sister.sh('iam "hunting the mp3 trigger"')
    ada.sister.sh('gitqueen claim deploy -m "shipping"; queen tell bob "read the notes first"')
    said = bob.start()
    assert len(said) <= 2000
    assert said.startswith("🐝 gitqueen onboarding for bob\n  ⚠ You share this worktree with ada:\n")
    assert f"    Apart: git worktree add -b bob {app.path}-bob\n" in said
    assert "    ada      working   hunting the mp3 trigger  [main]\n" in said
    assert "deploy by ada: shipping" in said and "from ada: read the notes first" in said


def test_two_thousand_characters_are_enough_whatever_peers_wrote(repo: Callable[..., Repo], session: Make) -> None:
    app = repo()
    for number in range(6):
        peer = session(app, f"a-sister-with-a-long-name-{number}")
        peer.start()
        peer.sister.sh(f'iam "{"x" * 480} {number}"')
        peer.sister.sh(f'queen tell bob "{"words " * 500}"')
    said = session(app, "bob").start()
    assert len(said) <= 2000 and said.endswith(
        'queen claim <id> --path <glob> -m "<why>"\n  Warn at collisions here:  queen hooks install .'
    )


def test_clear_compact_resume_and_a_fork_are_the_same_sister(repo: Callable[..., Repo], session: Make) -> None:
    app = repo()
    ada = session(app)
    ada.start()
    [before] = kit.sisters(app)
    assert before["agent"] == "claude" and before["pid"] == ada.sister.pid
    for source, id in (("clear", "s-2"), ("compact", "s-2"), ("resume", "s-3"), ("fork", "s-4")):
        ada.event("SessionEnd:clear")
        ada.id = id
        assert f"onboarding for {before['name']}" in context_of(ada, source)
    [after] = kit.sisters(app)
    assert (after["name"], after["pid"]) == (before["name"], before["pid"])
    assert len(history(app, "arrived")) == 1 and history(app, "left") == []


def context_of(session: Session, source: str) -> str:
    return kit.context(session.event("SessionStart:startup", source=source), "SessionStart")


def test_a_session_resumed_in_another_process_finds_her_name_and_mail(repo: Callable[..., Repo], session: Make) -> None:
    app = repo()
    first = session(app)
    first.start()
    [was] = kit.sisters(app)
    first.sister.kill()
    Runner(app.path)("gitqueen", "tell", was["name"], "welcome back", check=True)
    second = session(app)
    said = kit.context(second.event("SessionStart:resume"), "SessionStart")
    assert f"onboarding for {was['name']}\n" in said and "welcome back" in said


def test_subagents_are_their_parent(repo: Callable[..., Repo], session: Make) -> None:
    app = repo("app", {"a.py": "1\n"})
    ada, bob = session(app, "ada"), session(app, "bob")
    ada.start()
    bob.start()
    file = os.path.join(app, "a.py")
    sub = {"agent_id": "a2fb", "agent_type": "general-purpose"}
    ada.event("PostToolUse:Write:subagent", tool_input={"file_path": file}, **sub)
    assert ada.event("PreToolUse:Write:subagent", tool_input={"file_path": file}, **sub) == {}
    app.write("a.py", "hers\n")
    ada.event("PostToolUse:Write:subagent", tool_input={"file_path": file}, **sub)
    assert "- a.py: ada [main] wrote it in this very worktree" in kit.warning(bob.before("a.py"))
    assert [sister["name"] for sister in kit.sisters(app)] == ["ada", "bob"]


def test_her_status_is_what_her_agent_does(repo: Callable[..., Repo], session: Make) -> None:
    app = repo()
    ada = session(app, "ada")
    seen = []
    for event in ("SessionStart:startup", "UserPromptSubmit", "Notification:permission_prompt", "Stop"):
        ada.event(event)
        seen.append(one(app, "ada")["status"])
    assert seen == ["idle", "working", "waiting", "idle"]


def test_the_end_leaves_a_line_of_what_she_left(repo: Callable[..., Repo], session: Make) -> None:
    app = repo("app", {"a.py": "1\n", "b.py": "1\n"})
    ada, bob = session(app, "ada"), session(app, "bob")
    ada.start()
    bob.start()
    ada.sister.sh("gitqueen claim deploy")
    bob.sister.sh("queen tell ada 'and you?'")
    ada.edits("a.py", "hers\n")
    ada.edits("b.py", "hers\n")
    app.commit("b", {"b.py": "hers\n"})
    unread = [letter["id"] for letter in json.loads(ada.sister.sh("gitqueen inbox --peek --json").out)["messages"]]
    assert ada.event("SessionEnd:other") == {}
    [left] = history(app, "left")
    assert left["sister"] == "ada"
    assert left["detail"] == {"uncommitted": ["a.py"], "unacknowledged": unread, "claims": ["deploy"]}
    assert one(app, "ada")["status"] == "idle"  # she is gone when her process is


def test_outside_any_repository_she_is_a_sister_all_the_same(
    repo: Callable[..., Repo], session: Make, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("nowhere")
    ada = session(folder, "ada")
    assert "onboarding for ada" in ada.start()
    assert ada.edits("x.py", "1\n") == {} and ada.command("git stash; rm -rf x.py") == {} and ada.prompt() == ""
    assert kit.crashes() == ""


@pytest.mark.parametrize("agent", ["codex", "gemini"])
def test_the_recorded_session_of_another_agent(repo: Callable[..., Repo], session: Make, agent: str) -> None:
    app = repo("app", {"gm1.txt": "1\n"})
    bob = session(app, "bob")
    bob.start()
    bob.edits("gm1.txt", "his\n")
    bob.edits("notes.md", "his\n")
    ada = session(app, None, agent)
    said = []
    for payload in kit.recorded(agent):
        tool = dict(payload.get("tool_input", {}))
        if "file_path" in tool:
            tool["file_path"] = os.path.join(app, "gm1.txt")
        if "command" in tool:
            tool["command"] = "git stash"
        answer = ada.send({**payload, "cwd": ada.folder, "tool_input": tool})
        said.append((payload["hook_event_name"], answer))
    # At the prompt the queen's letter about the shared branch may have come already.
    heard = dict(entry for entry in said if entry[1] and entry[0] not in ("UserPromptSubmit", "BeforeAgent"))
    [me] = [sister for sister in kit.sisters(app) if sister["name"] != "bob"]
    assert (me["agent"], me["pid"], me["status"]) == (agent, ada.sister.pid, "idle")
    if agent == "codex":
        assert list(heard) == ["SessionStart", "PreToolUse"]
        assert "gm1.txt" in kit.warning(heard["PreToolUse"])
    else:
        assert list(heard) == ["SessionStart", "BeforeTool"]
        texts = [answer["systemMessage"] for event, answer in said if event == "BeforeTool"]
        assert "- gm1.txt: bob [main] wrote it in this very worktree" in texts[0] and "`git stash`" in texts[1]
    assert "onboarding" in kit.context(heard["SessionStart"], "SessionStart")


def test_gemini_is_told_no_in_its_own_words(repo: Callable[..., Repo], session: Make) -> None:
    app = repo("app", {"a.py": "1\n"})
    app.git("config", "gitqueen.policy", "block")
    bob, ada = session(app, "bob"), session(app, None, "gemini")
    bob.start()
    bob.edits("a.py", "his\n")
    payload = next(one for one in kit.recorded("gemini") if one.get("tool_name") == "write_file")
    answer = ada.send({**payload, "cwd": ada.folder, "tool_input": {"file_path": os.path.join(app, "a.py")}})
    assert answer.keys() == {"decision", "reason"} and answer["decision"] == "deny"
    assert answer["reason"].startswith("🐝 gitqueen: this edit is refused, it collides with bob.")
