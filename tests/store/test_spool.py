"""The spool by itself: what is whole is read, what is torn waits, what is odd hurts nobody."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitqueen.store import spool

FIELDS = "post-commit", "/repo", ".git", "", "abc", "", " 12:345 1:2 ", "iza", "session", "arguments", ""
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def text(*fields: str) -> bytes:
    return b"".join(os.fsencode(field) + b"\0" for field in (*(fields or FIELDS), "end"))


@pytest.fixture
def write(home: Path) -> Callable[..., Path]:
    home.mkdir(parents=True)
    spool.prepare(str(home))

    def write(name: str, raw: bytes, age: float = 0.0) -> Path:
        file = home / "spool" / name
        file.write_bytes(raw)
        at = NOW.timestamp() - age
        os.utime(file, (at, at))
        return file

    return write


def taken(home: Path, now: datetime = NOW) -> list[tuple[str, list[str]]]:
    return [
        (os.path.basename(file.path), [record.head for record in records])
        for file, records in spool.take(str(home), now)
    ]


def test_a_record_is_what_the_hook_wrote(home: Path, write: Callable[..., Path]) -> None:
    file = write("post-commit.7", text())
    [(found, [record])] = spool.take(str(home), NOW)
    assert (record.event, record.folder, record.git_dir, record.head) == ("post-commit", "/repo", ".git", "abc")
    assert record.above == ((12, 345), (1, 2))
    assert (record.name, record.session, record.arguments) == ("iza", "session", "arguments")
    assert record.at == NOW.timestamp()
    spool.remove(found)
    assert not file.exists()


def test_a_file_not_yet_written_is_left_alone_until_its_hook_must_be_dead(
    home: Path, write: Callable[..., Path]
) -> None:
    write("post-commit.1", b"")
    write("post-commit.2", text()[:-3])
    write("post-commit.3", text() + text()[:9])
    assert taken(home) == []
    later = NOW + timedelta(seconds=spool.TORN + 1)
    assert taken(home, later) == [("post-commit.1", []), ("post-commit.2", []), ("post-commit.3", ["abc"])]


def test_a_file_that_grew_while_it_was_read_is_not_removed(home: Path, write: Callable[..., Path]) -> None:
    file = write("post-commit.7", text())
    [(found, _)] = spool.take(str(home), NOW)
    with file.open("ab") as more:
        more.write(text())
    spool.remove(found)
    assert [heads for _, heads in taken(home, datetime.now(UTC))] == [["abc", "abc"]]


def test_the_oldest_comes_first_and_nothing_else_is_taken(home: Path, write: Callable[..., Path]) -> None:
    write("post-rewrite.1", text("post-rewrite", *FIELDS[1:]), age=1)
    write("post-commit.9", text(), age=3)
    write("post-merge.2", text(), age=2)
    for name in ("lock", "draining", "full", "post-commit", "post-commit.x", ".post-commit.1"):
        write(name, text())
    (home / "spool" / "post-commit.5").mkdir()
    names = [name for name, _ in taken(home)]
    assert [name for name in names if name != "post-commit.5"] == ["post-commit.9", "post-merge.2", "post-rewrite.1"]


@given(st.binary(max_size=300))
def test_whatever_stands_in_a_file_can_be_read(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    home = tmp_path_factory.mktemp("home")
    spool.prepare(str(home))
    (home / "spool" / "post-commit.1").write_bytes(raw)
    list(spool.take(str(home), datetime.now(UTC) + timedelta(seconds=2 * spool.TORN)))


def test_it_stops_growing_when_nobody_drains(
    home: Path, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "MOST", 3)
    for number in range(3):
        write(f"post-commit.{number}", text())
    spool.bound(str(home))
    assert not (home / "spool" / "full").exists()
    last = write("post-commit.3", text())
    spool.bound(str(home))
    assert (home / "spool" / "full").exists()
    last.unlink()
    spool.bound(str(home))
    assert not (home / "spool" / "full").exists()
