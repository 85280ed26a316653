"""The manifest: what was written, by checksum; whatever somebody wrote there instead means nothing known."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitqueen.git import manifest, markers
from gitqueen.git.manifest import Record

ODD = os.fsdecode(b'/r/with\n"quotes"/\xff/.git/hooks/pre-commit')
RECORDS = {"/r/.git/hooks/pre-commit": Record(None, "aa"), ODD: Record("bb", "cc")}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    where = os.fspath(tmp_path)
    manifest.write(where, RECORDS)
    assert manifest.read(where) == RECORDS
    assert os.listdir(tmp_path / "gitqueen") == ["hooks.json"]
    manifest.write(where, {})
    assert os.listdir(tmp_path / "gitqueen") == []
    assert manifest.read(where) == {}
    manifest.write(where, {})


def test_nothing_to_remember_makes_no_folder(tmp_path: Path) -> None:
    manifest.write(os.fspath(tmp_path), {})
    assert os.listdir(tmp_path) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["files", "before", "after", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.one_of(st.binary(max_size=100), JSON.map(lambda some: json.dumps(some).encode())))
def test_what_makes_no_sense_is_no_record(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    folder = tmp_path_factory.mktemp("repo")
    markers.prepare(os.fspath(folder))
    (folder / "gitqueen/hooks.json").write_bytes(text)
    said = manifest.read(os.fspath(folder))
    assert {type(one.after) for one in said.values()} <= {str}


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"files": ' + "[" * 5000, "x" * 300_000, '{"files": {"/a": {}}}', "7"]
)
def test_what_is_deep_or_long_is_no_record(tmp_path: Path, text: str) -> None:
    markers.prepare(os.fspath(tmp_path))
    (tmp_path / "gitqueen/hooks.json").write_text(text)
    assert manifest.read(os.fspath(tmp_path)) == {}


def test_checksums() -> None:
    assert manifest.checksum(None) is None
    assert manifest.checksum(b"x") == hashlib.sha256(b"x").hexdigest()


def test_the_lock_keeps_processes_apart(tmp_path: Path) -> None:
    """Eight that each add a record of their own to what is there: none is lost."""
    markers.prepare(os.fspath(tmp_path))
    add = textwrap.dedent("""\
        import sys
        from gitqueen.git import manifest
        from gitqueen.git.manifest import Record
        sys.stdin.read()
        for number in range(10):
            with manifest.locked(sys.argv[1]):
                records = manifest.read(sys.argv[1])
                records[f"/{sys.argv[2]}/{number}"] = Record(None, "x")
                manifest.write(sys.argv[1], records)
        """)
    several = [
        subprocess.Popen([sys.executable, "-c", add, tmp_path, str(number)], stdin=subprocess.PIPE)
        for number in range(8)
    ]
    for one in several:
        assert one.stdin is not None
        one.stdin.close()
    assert [one.wait() for one in several] == [0] * 8
    assert len(manifest.read(os.fspath(tmp_path))) == 80
