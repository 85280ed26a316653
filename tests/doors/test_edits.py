"""Before an edit: who is in the way, by policy; and where nothing is said."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doors import kit
from tests.doors.kit import Session, refusal, warning
from tests.hive import Repo, Runner, until


@pytest.fixture
def both(repo: Callable[..., Repo], session: Callable[..., Session]) -> tuple[Repo, Session, Session]:
    app = repo("app", {"a.py": "1\n", "b.py": "1\n", "lib/core.py": "1\n"})
    ada, bob = session(app, "ada"), session(app, "bob")
    ada.start()
    bob.start()
    ada.sister.sh('iam "the parser"')
    return app, ada, bob


def test_her_uncommitted_change_in_the_same_worktree(both: tuple[Repo, Session, Session]) -> None:
    app, ada, bob = both
    ada.edits("lib/core.py", "hers\n")
    assert warning(bob.before("lib/core.py")) == (
        "🐝 gitqueen: this edit collides with ada.\n"
        '- lib/core.py: ada [main] wrote it in this very worktree, just now, not committed, on "the parser"\n'
        f'Ask her first: gitqueen tell ada "..."   Or work apart: git worktree add -b bob {app.path}-bob'
    )
    assert ada.before("lib/core.py") == {}
    app.git("config", "gitqueen.file-collision.policy", "block")
    said = refusal(bob.before("lib/core.py")).split("\n")
    assert said[0] == "🐝 gitqueen: this edit is refused, it collides with ada."
    assert said[-1].startswith("Leave the file alone until she has committed or released it")
    app.git("config", "gitqueen.file-collision.policy", "off")
    assert bob.before("lib/core.py") == {}


def test_her_claim(both: tuple[Repo, Session, Session]) -> None:
    app, ada, bob = both
    ada.sister.sh("gitqueen claim parser --path 'lib/**' -m 'moving it'")
    said = warning(bob.before("lib/new.py"))
    assert "- lib/new.py: claimed by ada (parser: moving it) since " in said
    assert ada.before("lib/new.py") == {} and bob.before("a.py") == {}
    app.git("config", "gitqueen.policy", "block")
    assert "claimed by ada" in refusal(bob.before("lib/new.py"))
    ada.sister.sh("gitqueen release parser")
    assert bob.before("lib/new.py") == {}


def test_who_is_gone_stops_nobody(both: tuple[Repo, Session, Session]) -> None:
    app, ada, bob = both
    app.git("config", "gitqueen.policy", "block")
    ada.edits("a.py", "hers\n")
    ada.sister.sh("gitqueen claim parser --path 'lib/**'")
    ada.sister.kill()
    assert bob.before("a.py") == {} and bob.before("lib/core.py") == {}


def test_what_she_committed_or_what_changed_since_is_nobodys(both: tuple[Repo, Session, Session]) -> None:
    app, ada, bob = both
    ada.edits("a.py", "hers\n")
    ada.edits("b.py", "hers\n")
    ada.sister.sh("git commit -qm hers a.py")
    assert bob.before("a.py") == {}
    kit.later(app.write("b.py", "by an editor\n"))  # or by a command: hers, or his, or anybody's
    assert bob.before("b.py") == {}


def test_other_worktrees_and_branches_are_a_note_and_said_once(
    both: tuple[Repo, Session, Session], session: Callable[..., Session]
) -> None:
    app, _, bob = both
    app.git("config", "gitqueen.policy", "block")
    carol = session(app.worktree("feat"), "carol")
    carol.start()
    carol.sister.sh('iam "the manual"')
    carol.edits("a.py", "hers\n")
    assert warning(bob.edits("a.py", "his\n")).split("\n")[1] == (
        '- a.py: carol [feat] has it uncommitted in a worktree of her own, on "the manual"'
    )
    assert bob.before("a.py") == {}


def test_a_path_is_the_file_it_means(
    both: tuple[Repo, Session, Session], tmp_path_factory: pytest.TempPathFactory
) -> None:
    app, ada, bob = both
    ada.edits("lib/core.py", "hers\n")
    link = tmp_path_factory.mktemp("links") / "here"
    link.symlink_to(app.path)
    for path, cwd in (
        (f"{app.path}/lib/core.py", str(app.path)),
        ("lib/core.py", str(app.path)),
        ("lib/../lib/./core.py", str(app.path)),
        (f"{link}/lib/core.py", "/"),
        ("core.py", f"{app.path}/lib"),
        ("lib/core.py", str(link)),
    ):
        said = bob.event("PreToolUse:Edit", tool_input={"file_path": path}, cwd=cwd)
        assert "- lib/core.py: ada" in warning(said), (path, cwd)


def test_a_link_is_the_file_behind_it_too(both: tuple[Repo, Session, Session]) -> None:
    app, ada, bob = both
    (app.path / "link.py").symlink_to("lib/core.py")
    ada.edits("lib/core.py", "hers\n")
    assert "- lib/core.py: ada" in warning(bob.before("link.py"))
    bob.edits("link.py", "his\n")
    assert {"- lib/core.py: bob", "- link.py: bob"} <= {
        line.partition(" [")[0] for line in warning(ada.before("link.py")).split("\n")
    }


def test_another_worktree_is_told_of_by_its_own_sisters(
    both: tuple[Repo, Session, Session], session: Callable[..., Session]
) -> None:
    app, ada, _ = both
    feat = app.worktree("feat")
    carol = session(feat, "carol")
    carol.start()
    carol.edits("a.py", "hers\n")
    said = warning(ada.event("PreToolUse:Write", tool_input={"file_path": f"{feat.path}/a.py"}))
    assert "- a.py: carol [feat] wrote it in this very worktree" in said


def test_a_notebook_and_a_new_file(both: tuple[Repo, Session, Session]) -> None:
    _, ada, bob = both
    ada.edits("new/deep.ipynb", "{}\n")
    notebook = {"notebook_path": os.path.join(bob.folder, "new/deep.ipynb"), "new_source": "x"}
    said = warning(bob.event("PreToolUse:Edit", tool_name="NotebookEdit", tool_input=notebook))
    assert "- new/deep.ipynb: ada" in said


def test_other_files_are_silent(both: tuple[Repo, Session, Session]) -> None:
    _, ada, bob = both
    for path in ("/etc/hosts", "/proc/self/x/y", "/nowhere/at/all", "~/x", ".git/config", "", ".", "..", "a\n\x1b.py"):
        for one in (ada, bob):
            assert one.event("PreToolUse:Edit", tool_input={"file_path": path}) == {}, path
            assert one.event("PostToolUse:Edit", tool_input={"file_path": path}) == {}, path
    assert kit.crashes() == ""


def test_hostile_names_are_shown_as_what_they_are(both: tuple[Repo, Session, Session]) -> None:
    _, ada, bob = both
    path = 'a\n"b\x1b[31m\u202e.py'
    ada.edits(path, "hers\n")
    said = warning(bob.before(path))
    assert '- a\\n"b\\x1b[31m\\u202e.py: ada' in said and "\x1b" not in said


def test_who_is_nobody_is_warned_and_never_refused(both: tuple[Repo, Session, Session]) -> None:
    app, ada, _ = both
    app.git("config", "gitqueen.policy", "block")
    ada.edits("a.py", "hers\n")
    payload = {
        **kit.claude("PreToolUse:Edit"),
        "cwd": str(app.path),
        "tool_input": {"file_path": str(app.path / "a.py")},
    }
    orphan = f"setsid -f sh -c '{sys.executable} -I -S {kit.DOOR} agent claude <p >out; echo >done' "
    (app.path / ".git/p").write_text(json.dumps(payload))
    Runner(app.path / ".git")("sh", "-c", orphan, env={"GITQUEEN_NAME": None}, check=True)
    until((app.path / ".git/done").exists)
    assert "ada" in warning(json.loads((app.path / ".git/out").read_text()))


def test_a_rename_takes_her_touches_along(both: tuple[Repo, Session, Session]) -> None:
    _, ada, bob = both
    ada.edits("a.py", "hers\n")
    ada.sister.sh("gitqueen whoami --name lovelace")
    assert "- a.py: lovelace [main] wrote it" in warning(bob.before("a.py"))


def test_fifty_edits_by_eight_sessions_at_once(repo: Callable[..., Repo], session: Callable[..., Session]) -> None:
    app = repo("app", {"a.py": "1\n"})
    sessions = [session(app, f"iza-{number}") for number in range(8)]
    script = Path(app.path).parent / "burst"
    script.write_text(
        'n=0; while [ "$n" -lt 7 ]; do n=$((n + 1)); echo "$n" >"$1-$n.py"\n'
        f'{sys.executable} -I -S {kit.DOOR} agent claude <"$2/p-$n" || echo failed; done\n'
    )
    for one in sessions:
        one.start()
        for number in range(1, 8):
            file = os.path.join(app, f"{one.sister.name}-{number}.py")
            payload = {**kit.claude("PostToolUse:Write"), "cwd": one.folder, "tool_input": {"file_path": file}}
            Path(one.sister.box, f"p-{number}").write_text(json.dumps(payload))
    for one in sessions:
        # The limit is for people who wait; here 8 wait for 2 cores, and what counts is that nothing is lost.
        one.sister.begin(f"GITQUEEN_HOOK_LIMIT=60 sh {script} {one.sister.name} {one.sister.box}")
    assert [one.sister.end(110) for one in sessions] == [(0, "", "")] * 8
    with sqlite3.connect(Path(os.environ["GITQUEEN_HOME"], "queen.db")) as db:
        found = db.execute("SELECT count(*), count(DISTINCT path), count(DISTINCT sister) FROM touches").fetchone()
    assert found == (56, 56, 8)
    assert kit.crashes() == ""


def test_touches_are_kept_for_a_while(both: tuple[Repo, Session, Session]) -> None:
    app, ada, _ = both
    ada.edits("a.py", "hers\n")
    ada.edits("b.py", "hers\n")
    with sqlite3.connect(Path(os.environ["GITQUEEN_HOME"], "queen.db")) as db:
        db.execute("UPDATE touches SET at = 1600000000.0 WHERE path = ?", (b"a.py",))
        db.execute("DELETE FROM meta WHERE key = 'last_prune'")
    Runner(app.path)("gitqueen", "scan", check=True)
    with sqlite3.connect(Path(os.environ["GITQUEEN_HOME"], "queen.db")) as db:
        assert db.execute("SELECT path FROM touches").fetchall() == [(b"b.py",)]
