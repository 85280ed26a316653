"""Which shell commands are recognised, in which folder, on which paths; and that a doubt says nothing."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gitqueen.model import commands, shelltext
from gitqueen.model.commands import DISARMS, DISCARDS, PUSHES, STASHES, SWEEPS, SWITCHES, threats


def seen(line: str) -> list[tuple[str, tuple[str, ...], tuple[str, ...] | None]]:
    """(kind, folders, paths) of each threat."""
    return [(one.kind, one.folders, one.paths) for one in threats(line)]


HERE: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("line", "kind", "paths"),
    [
        ("git stash", STASHES, None),
        ("git stash -u", STASHES, None),
        ("git stash push -m 'wip it' -- a.py", STASHES, ("a.py",)),
        ("git stash push a.py", STASHES, ("a.py",)),
        ("git stash -- a.py", STASHES, ("a.py",)),
        ("git stash save 'some words'", STASHES, None),
        ("git --no-pager -c a.b=c stash", STASHES, None),
        ("/usr/bin/git stash", STASHES, None),
        ("git reset --hard", DISCARDS, None),
        ("git reset --hard HEAD~3", DISCARDS, None),
        ("git checkout -- .", DISCARDS, (".",)),
        ("git checkout .", DISCARDS, (".",)),
        ("git checkout HEAD~2 a.py b.py", DISCARDS, ("HEAD~2", "a.py", "b.py")),
        ("git checkout -f", DISCARDS, None),
        ("git checkout -qf main", DISCARDS, None),
        ("git checkout main", SWITCHES, ("main",)),
        ("git checkout -b new", SWITCHES, None),
        ("git checkout -b new origin/main", SWITCHES, None),
        ("git checkout -", SWITCHES, ("-",)),
        ("git switch main", SWITCHES, None),
        ("git switch -c new", SWITCHES, None),
        ("git switch -", SWITCHES, None),
        ("git restore 'a file'", DISCARDS, ("a file",)),
        ("git restore -s HEAD~1 -SW .", DISCARDS, (".",)),
        ("git restore --source=HEAD~1 a.py", DISCARDS, ("a.py",)),
        ("git clean -f", DISCARDS, (".",)),
        ("git clean -fdx build/", DISCARDS, ("build/",)),
        ("git add -A", SWEEPS, None),
        ("git add --all", SWEEPS, None),
        ("git add -u", SWEEPS, None),
        ("git add .", SWEEPS, (".",)),
        ("git add *", SWEEPS, (".",)),
        ("git add src docs", SWEEPS, ("src", "docs")),
        ("git commit -am 'all of it'", SWEEPS, None),
        ("git commit -a --amend --no-edit", SWEEPS, None),
        ("git commit -m x a.py", SWEEPS, ("a.py",)),
        ("git push --force", PUSHES, None),
        ("git push -f origin main", PUSHES, None),
        ("git push origin +main", PUSHES, None),
        ("git rm -rf src", DISCARDS, ("src",)),
        ("rm -rf src", DISCARDS, ("src",)),
        ("rm -r -- -x", DISCARDS, ("-x",)),
        ("rm a.py", DISCARDS, ("a.py",)),
        ("git config core.hooksPath /dev/null", DISARMS, None),
        ("git config --global --unset core.hooksPath", DISARMS, None),
        ("git config set core.hookspath x", DISARMS, None),
        ("git config gitqueen.enabled false", DISARMS, None),
        ("git commit --no-verify -m x", DISARMS, None),
        ("git commit -nm x", DISARMS, None),
        ("GITQUEEN_SKIP=1 git commit -m x", DISARMS, None),
        ("export GITQUEEN_SKIP=1", DISARMS, None),
    ],
)
def test_one_command(line: str, kind: str, paths: tuple[str, ...] | None) -> None:
    assert seen(line) == [(kind, HERE, paths)]


@pytest.mark.parametrize(
    ("line", "folders"),
    [
        ("cd src && git stash", ("src",)),
        ("cd 'my app' ; git stash", ("my app",)),
        ("cd a && cd b && git stash", ("a", "b")),
        ("cd a && git -C b -C c stash", ("a", "b", "c")),
        ("(cd a && make); git stash", ()),
        ("(cd a; git stash)", ("a",)),
        ("pushd a && git stash", ("a",)),
        ("git -C /abs/app stash", ("/abs/app",)),
        ("sh -c 'cd a && git stash'", ("a",)),
        ("cd a && bash -euo pipefail -c 'git stash'", ("a",)),
    ],
)
def test_where_it_would_run(line: str, folders: tuple[str, ...]) -> None:
    assert seen(line) == [(STASHES, folders, None)]


@pytest.mark.parametrize(
    "line",
    [
        "true && git stash",
        "git stash || true",
        "git stash | tee log",
        "git stash > /dev/null 2>&1",
        "2>/dev/null git stash",
        "git stash &",
        "! git stash",
        "if git diff --quiet; then git stash; fi",
        "for f in a b; do git stash; done",
        "while true; do git stash; done",
        "{ git stash; }",
        "time git stash",
        "env -u X A=b git stash",
        "sudo -u me -- git stash",
        "nohup git stash",
        "timeout -k 1 5 git stash",
        "nice -n 5 git stash",
        "exec git stash",
        "command git stash",
        "eval 'git stash'",
        "eval git stash",
        "sh -c 'sh -c \"git stash\"'",
        "X=$(git stash)",
        'echo "done: $(git stash)"',
        "echo `git stash`",
        "git \\\n  stash",
        "'git' \"stash\"",
        "cat <<EOF\nhello\nEOF\ngit stash",
        "cat <<-'EOF' | wc\n\thello\n\tEOF\ngit stash",
        "# first\ngit stash # then",
        "make test; git stash; git pull --rebase; git stash pop",
        "[ -f x ] && git stash",
        "[[ -f x ]] && git stash",
        "A=$B git stash",
        "echo ${X:-y} $((1 + 2)) $1 && git stash",
    ],
)
def test_it_is_found_wherever_a_shell_would_run_it(line: str) -> None:
    assert seen(line) == [(STASHES, HERE, None)]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ls",
        "git",
        "git status",
        "git stash list",
        "git stash pop",
        "git stash drop",
        "git checkout",
        "git switch",
        "git restore --staged a.py",
        "git reset",
        "git reset --soft HEAD~1",
        "git clean -n",
        "git clean -ndf",
        "git add -n .",
        "git add -p",
        "git add",
        "git commit",
        "git commit -m '-a'",
        "git commit --amend",
        "git push",
        "git push --force-with-lease",
        "git push -n -f",
        "git worktree list",
        "git rm --cached -f a.py",
        "git rm a.py",
        "git config core.hooksPath",
        "git config --get core.hooksPath",
        "git config user.name x",
        "GITQUEEN_SKIP= git commit",
        # words that are no commands
        "echo git stash",
        "echo 'git reset --hard'",
        "grep -r 'rm -rf' .",
        "cat <<EOF\ngit stash\nEOF",
        "# git stash",
        "git log --author='git stash'",
        "ssh host git stash",
        "xargs rm -rf",
        "sh script.sh git stash",
        # what nobody can know without running it
        "rm -rf $DIR",
        'rm -rf "$DIR"/x',
        "rm -rf *.py",
        "rm -rf {a,b}",
        "rm -rf ~/x",
        "rm -rf `cat list`",
        "git checkout -- $(cat list)",
        "$GIT stash",
        "git $VERB",
        "cd $DIR && git stash",
        "cd ~ && git stash",
        "cd - && git stash",
        "cd && git stash",
        "popd; git stash",
        "env -C x git stash",
        "git --git-dir=x stash",
        "git --work-tree x stash",
        "git -C $DIR stash",
        # what is not understood
        "git stash 'open",
        'git stash "open',
        "git stash `open",
        "git stash $(open",
        "git stash )",
        "( git stash",
        "git stash <<EOF\nno end",
        "case $x in a) git stash;; esac",
        "f() { git stash; }",
        "function f { git stash; }",
        "git stash; a=(1 2)",
        "git stash $'\\n'",
        "diff <(git stash) x",
        "git stash >",
    ],
)
def test_nothing_is_said(line: str) -> None:
    assert seen(line) == []


def test_several_in_one_line_come_in_order() -> None:
    line = "git add -A && git commit -qnm x && git push -f && rm -rf build"
    assert [one.what for one in threats(line)] == [
        "git add -A",
        "git commit --no-verify",
        "git push --force",
        "rm -r",
    ]
    assert len(threats("git stash; git stash")) == 1


def test_which_files_it_reaches() -> None:
    reach = {line: [(one.tracked, one.untracked) for one in threats(line)] for line in ("git stash", "git stash -u")}
    assert reach == {"git stash": [(True, False)], "git stash -u": [(True, True)]}
    assert [(one.tracked, one.untracked) for one in threats("git clean -f")] == [(False, True)]
    assert [(one.tracked, one.untracked) for one in threats("git add -u")] == [(True, False)]
    assert [(one.tracked, one.untracked) for one in threats("git commit -a")] == [(True, False)]
    removed = threats("git worktree remove --force ../feat")
    assert [(one.kind, one.folders, one.paths, one.untracked) for one in removed] == [
        (DISCARDS, ("../feat",), None, True)
    ]


PIECES = st.sampled_from(
    "git stash rm -rf cd a.py . -- ; && || | & ( ) { } $( ` ' \" \\ \n $X ${X} << <<- EOF > 2>&1 # sh -c eval".split(
        " "
    )
)


@given(st.lists(PIECES, max_size=14).map(" ".join) | st.text(max_size=40))
@example("git stash " + "(" * 5000)
@example("sh -c " * 20 + "git stash")
@example("git stash;" + "x" * shelltext.LONGEST)
def test_no_text_breaks_it(text: str) -> None:
    for one in threats(text):
        assert one.kind in (DISCARDS, STASHES, SWEEPS, SWITCHES, PUSHES, DISARMS)
        assert "" not in (one.paths or ())


@given(st.text(min_size=1, max_size=20))
def test_what_is_quoted_is_one_word_as_it_stands(word: str) -> None:
    quoted = "'" + word.replace("'", "'\\''") + "'"
    [simple] = shelltext.commands(f"echo {quoted} end")
    assert simple.words == ("echo", word, "end")


def test_long_lines_take_no_time() -> None:
    assert commands.threats("echo " + "git " * 10_000 + "stash") == []
