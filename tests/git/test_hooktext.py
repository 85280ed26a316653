"""Our block in other people's scripts: put in, seen, taken out again to the byte."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from gitqueen.git import hooktext
from gitqueen.git.hooktext import ABSENT, BEGIN, BLOCK, END, OTHER, OURS, SHEBANG, SHELL, Tool

OF = Tool("/opt/bee hive/bin/python", "/opt/bee hive/gitqueen/cli/hook.py", "/opt/bee hive/hooks")
BODY = hooktext.block(OF, "pre-commit")

SHEBANGS = (
    b"#!/bin/sh",
    b"#!/bin/sh -e",
    b"#! /bin/bash -eu",
    b"#!/usr/bin/env sh",
    b"#!/usr/bin/env -S bash -e",
    b"#!/usr/bin/env LANG=C dash",
    b"#!/bin/busybox sh",
    b"#!/usr/bin/zsh",
)
SCRIPTS = st.builds(
    lambda first, newline, rest: first + newline + rest if newline else first,
    st.sampled_from(SHEBANGS),
    st.sampled_from([b"", b"\n"]),
    st.one_of(
        st.binary(max_size=200).map(lambda some: some.replace(b"\0", b"")),
        st.lists(st.sampled_from([b"exit 1", b"echo hi\r", b"", b"set -e", b"# >>>", BEGIN]), max_size=6).map(
            b"\n".join
        ),
    ),
)


@given(SCRIPTS)
@example(b"#!/bin/sh")
@example(b"#!/bin/sh\n")
@example(b"#!/bin/sh\n\n")
@example(b"#!/bin/sh -e\necho one\r\necho two\r\n")
@example(b"#!/bin/sh\nexit 3")
@example(b"#!/bin/sh\n" + BEGIN + b" torn by hand\necho theirs\n")
@example(b"#!/bin/sh\n" + END + b"\necho theirs\n")
def test_a_block_put_in_and_taken_out_leaves_the_very_bytes(text: bytes) -> None:
    assume(not hooktext.ours(text))
    with_block = hooktext.added(text, BODY)
    first = text.partition(b"\n")[0]
    assert with_block.startswith(first + b"\n" + BODY)
    assert hooktext.ours(with_block) == BODY
    assert hooktext.removed(with_block) == text


@given(SCRIPTS)
def test_a_block_is_never_there_twice(text: bytes) -> None:
    assume(not hooktext.ours(text))
    old = hooktext.added(text, hooktext.block(Tool("/old/python", "/old/hook.py", "/old/hooks"), "pre-commit"))
    new = hooktext.added(old, BODY)
    assert new == hooktext.added(text, BODY)
    assert new.count(BODY) == 1
    assert b"/old/" not in new


def test_two_blocks_in_one_file_both_go() -> None:
    """Somebody put two hooks together, ours in each."""
    mine, theirs = hooktext.added(None, BODY), hooktext.added(b"#!/bin/sh\necho theirs\n", BODY)
    both = mine + theirs.partition(b"\n")[2]
    assert hooktext.removed(both) == b"#!/bin/sh\necho theirs\n"


def test_a_block_whole() -> None:
    assert BODY.decode() == (
        "# >>> gitqueen >>> pre-commit: added by `gitqueen hooks install`, removed by `gitqueen hooks uninstall`\n"
        "if [ -r '/opt/bee hive/hooks'/git-hook.sh ]; then\n"
        "  gitqueen_hooks='/opt/bee hive/hooks'\n"
        '  . "$gitqueen_hooks/git-hook.sh"\n'
        "  gitqueen_hook '/opt/bee hive/bin/python' '/opt/bee hive/gitqueen/cli/hook.py' pre-commit \"$@\" || exit 1\n"
        "fi\n"
        "# <<< gitqueen <<<"
    )


@pytest.mark.parametrize("text", [first + b"\necho theirs\n" for first in SHEBANGS])
def test_shell_scripts_are_seen_by_their_first_line(text: bytes) -> None:
    assert hooktext.kind(text) == SHELL
    assert hooktext.kind(hooktext.added(text, BODY)) == BLOCK


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"echo no shebang\n",
        b"#!",
        b"#!/usr/bin/env",
        b"#!/usr/bin/env python3\nprint()\n",
        b"#!/usr/bin/python3\n",
        b"#!/usr/bin/env node\n",
        b"#!/bin/busybox awk -f\n",
        b"#!/usr/bin/fish\n",
        b"#!/bin/sh\r\necho hi\r\n",
        b"#!/bin/sh\n\0",
        b"\x7fELF\x02\x01\x01",
        # Another program reads the file again, and would read our block with it.
        b'#!/bin/sh\n"exec" "python3" "$0" "$@"\nprint()\n',
        b'#!/bin/sh\n# \\\nexec tclsh "$0" ${1+"$@"}\nputs hi\n',
        b'#!/bin/sh\n[ -n "$BASH" ] || exec bash $0 "$@"\n',
    ],
)
def test_what_is_no_plain_shell_script_is_left_alone(text: bytes) -> None:
    assert hooktext.kind(text) == OTHER


@pytest.mark.parametrize(
    "text",
    [
        b'#!/bin/sh\nexec "$(dirname "$0")/_/run" "$@"\n',
        b'#!/bin/sh\ncd "$(dirname "$0")" && exec make check\n',
        b'#!/usr/bin/env sh\n. "$(dirname "$0")/h"',
    ],
)
def test_a_script_that_only_asks_where_it_is_is_plain_shell(text: bytes) -> None:
    assert hooktext.kind(text) == SHELL


def test_no_file_and_a_file_of_our_own() -> None:
    mine = hooktext.added(None, BODY)
    assert (hooktext.kind(None), hooktext.kind(mine), hooktext.removed(mine)) == (ABSENT, OURS, SHEBANG)


ODD = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(ODD, ODD)
@example("with 'quotes' and \"more\"", "and $dollars `ticks` \\ ; & | ] )")
@example("two\nlines ]", "]")
def test_what_a_hook_calls_is_read_back_whatever_the_path(folder: str, name: str) -> None:
    of = Tool("/usr/bin/python3", f"/opt/{name}/hook.py", f"/opt/{folder}/hooks")
    assert hooktext.calls(hooktext.block(of, "post-commit").decode()) == f"/opt/{folder}/hooks/git-hook.sh"
    assert hooktext.calls(hooktext.command(of, "post-commit")) == f"/opt/{folder}/hooks/git-hook.sh"


def test_calls_of_what_calls_nothing() -> None:
    assert hooktext.calls("") is None
    assert hooktext.calls("[ -r 'open ]") is None


@pytest.mark.parametrize("shell", ["sh", "sh -e", "sh -eu", "bash -euo pipefail"])
@pytest.mark.parametrize("name", ["plain", "with 'quotes' $x `y` \\ ;"])
def test_the_text_runs_as_shell_with_any_path(tmp_path: Path, shell: str, name: str) -> None:
    """Both forms hand on their arguments, refuse with the status, and do nothing once the installation is gone."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / "git-hook.sh").write_text('gitqueen_hook() { printf "%s|" "$@"; [ "$4" = go ]; }\n')
    of = Tool("/py thon", "/do or", str(folder))
    script = tmp_path / "hook"
    script.write_bytes(hooktext.added(b"#!/bin/sh\necho then\n", hooktext.block(of, "pre-commit")))
    command = hooktext.command(of, "pre-commit") + ' "$@"'

    def said(*words: str) -> tuple[int, str]:
        done = subprocess.run([*shell.split(), *words], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    assert said(str(script), "go", "a b") == (0, "/py thon|/do or|pre-commit|go|a b|then\n")
    assert said(str(script), "no") == (1, "/py thon|/do or|pre-commit|no|")
    assert said("-c", command, "x", "go", "a b") == (0, "/py thon|/do or|pre-commit|go|a b|")
    assert said("-c", command, "x", "no")[0] == 1
    (folder / "git-hook.sh").unlink()
    assert said(str(script), "no") == (0, "then\n")
    assert said("-c", command, "x", "no") == (0, "")


LFS = (
    b"#!/bin/sh\n"
    b"command -v git-lfs >/dev/null 2>&1 || { echo >&2 \"remove '.git/hooks/pre-push'\"; exit 2; }\n"
    b'git lfs pre-push "$@"\n'
)


ANNEX = b"#!/bin/sh\n# automatically configured by git-annex\ngit annex pre-commit .\n"
MINE = hooktext.added(None, BODY)


def test_whom_a_file_of_ours_keeps_out() -> None:
    said = hooktext.guest("post-merge", MINE, LFS, annexed=False)
    assert said == ("git-lfs", LFS.replace(b"pre-push", b"post-merge"))
    assert hooktext.guest("pre-commit", MINE, LFS, annexed=False) is None
    assert hooktext.guest("post-merge", MINE, None, annexed=False) is None
    # Whoever put the line into a hook of their own arranges it themselves.
    assert hooktext.guest("post-merge", MINE, LFS + b"make check\n", annexed=False) is None
    assert hooktext.guest("pre-commit", MINE, None, annexed=True) == ("git-annex", ANNEX)
    assert hooktext.guest("post-commit", MINE, None, annexed=True) is None


def test_whom_a_block_of_ours_keeps_from_going() -> None:
    theirs = hooktext.added(LFS.replace(b"pre-push", b"post-merge"), BODY)
    assert hooktext.guest("post-merge", theirs, LFS, annexed=False) is None
    assert hooktext.guest("post-merge", theirs, None, annexed=False) == ("git-lfs", None)
    # Another manager has pre-push now: git-lfs need not be gone.
    assert hooktext.guest("post-merge", theirs, b"#!/bin/sh\nmake check\n", annexed=False) is None
    theirs = hooktext.added(ANNEX, BODY)
    assert hooktext.guest("pre-commit", theirs, None, annexed=True) is None
    assert hooktext.guest("pre-commit", theirs, None, annexed=False) == ("git-annex", None)
    assert hooktext.guest("pre-commit", theirs + b"make check\n", None, annexed=False) is None
