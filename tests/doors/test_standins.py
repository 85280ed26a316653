"""What stands in for `json`, `contextlib`, `shlex`, `hashlib`, `functools` and `signal` does as they do."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitqueen.cli import standins

SAID: dict[str, Any] = standins._json()

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
    max_leaves=12,
)


def outcome(call: Callable[..., Any], *args: Any, **named: Any) -> tuple[str, str]:
    """What a call gave or raised, so that two can be compared (NaN is not itself)."""
    try:
        return "gave", repr(call(*args, **named))
    except Exception as fault:
        return type(fault).__name__, str(fault)


@given(VALUES)
def test_what_is_written_is_the_same(value: object) -> None:
    assert outcome(SAID["dumps"], value) == outcome(json.dumps, value)


@given(VALUES)
def test_what_is_read_is_the_same(value: object) -> None:
    text = json.dumps(value)
    assert outcome(SAID["loads"], text) == outcome(json.loads, text)
    for encoding in ("utf-8", "utf-16", "utf-32", "utf-8-sig"):
        assert outcome(SAID["loads"], text.encode(encoding)) == outcome(json.loads, text.encode(encoding))


@given(st.text('{}[]",:0123456789.eE-+ \\\n\t\rtrufalsn\ufeffNaIify\0') | st.text())
def test_what_is_no_json_is_refused_in_the_same_words(text: str) -> None:
    assert outcome(SAID["loads"], text) == outcome(json.loads, text)


@given(st.binary())
def test_what_is_no_text_is_refused_in_the_same_words(raw: bytes) -> None:
    assert outcome(SAID["loads"], raw) == outcome(json.loads, raw)


def test_what_the_stand_in_does_not_know_the_real_one_does() -> None:
    said = {"b": ["ü"], "a": {1, 2}}
    named = {"default": sorted, "sort_keys": True, "ensure_ascii": False, "indent": 1}
    assert outcome(SAID["dumps"], said, **named) == outcome(json.dumps, said, **named)
    assert outcome(SAID["dumps"], said) == outcome(json.dumps, said)
    for text in ("[1.5]", '{"a": 1, "a": 2}'):
        given_ = {"parse_float": str, "object_pairs_hook": list}
        assert outcome(SAID["loads"], text, **given_) == outcome(json.loads, text, **given_)
    assert outcome(SAID["loads"], None) == outcome(json.loads, None)
    ring: list[object] = []
    ring.append(ring)
    assert outcome(SAID["dumps"], ring) == outcome(json.dumps, ring)
    deep = "[" * 100_000
    assert outcome(SAID["loads"], deep)[0] == outcome(json.loads, deep)[0] == "RecursionError"


@given(st.text())
def test_what_is_quoted_is_the_same(text: str) -> None:
    assert standins.quote(text) == shlex.quote(text)


@given(st.binary(max_size=300))
def test_a_digest_is_the_same(raw: bytes) -> None:
    assert standins._sha256()(raw).hexdigest() == hashlib.sha256(raw).hexdigest()


def _steps(how: str, log: list[str]) -> Iterator[str]:
    log.append("in")
    if how == "fails at once":
        raise KeyError("at once")
    if how == "never yields":
        return
    try:
        yield "given"
    except BaseException as fault:
        log.append(repr(fault))
        if how == "raises another":
            raise KeyError("another") from None
        if how == "keeps it":
            return
        if how == "yields on":
            yield "again"
        raise
    finally:
        log.append("out")
    if how == "yields twice":
        yield "again"


FAULTS: tuple[BaseException | None, ...] = (
    None, ValueError("x"), StopIteration("y"), RuntimeError("z"), KeyboardInterrupt(), GeneratorExit(),
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
@pytest.mark.parametrize(
    "how",
    ["plain", "fails at once", "never yields", "raises another", "keeps it", "yields on", "yields twice"],
)
def test_what_stands_around_a_with_is_the_same(how: str, fault: BaseException | None) -> None:
    def told(manager: Callable[..., Any]) -> tuple[list[str], str]:
        log: list[str] = []
        try:
            with manager(_steps)(how, log) as got:
                log.append(got)
                if fault is not None:
                    raise fault
            log.append("after")
        except BaseException as raised:
            # Only what it is: the real one says "generator didn't yield" where ours is a StopIteration.
            return log, "never yields" if how == "never yields" else repr(raised)
        return log, ""

    assert told(standins.contextmanager) == told(contextlib.contextmanager)


def _behind(code: str) -> str:
    """What a process prints in which the stand-ins were put in place first."""
    start = f"import sys; sys.path.insert(0, {sys.path[0]!r}); import os\n"
    package = standins.__file__.removesuffix("/gitqueen/cli/standins.py")
    start += f"sys.path.insert(0, {package!r})\nfrom gitqueen.cli import standins; standins.install()\n"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", start + code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout


def test_whoever_asks_for_more_gets_the_real_module() -> None:
    code = """if True:
        import json, signal, contextlib, collections, functools, hashlib, dataclasses, shlex
        from collections import deque
        from functools import partial
        print(json.JSONDecodeError.__name__, signal.Signals(9).name, hashlib.md5(b"").hexdigest())
        print(shlex.split("a 'b c'"), [one.name for one in dataclasses.fields(dataclasses.make_dataclass("A", ["x"]))])
        with contextlib.suppress(ValueError):
            json.loads("{")
        import subprocess, json.decoder, collections.abc
        assert issubclass(deque, collections.abc.Sequence) and collections.OrderedDict
        print(json.decoder.JSONDecoder().decode("[1]"), subprocess.run(["true"]).returncode)
    """
    assert _behind(code) == "JSONDecodeError SIGKILL d41d8cd98f00b204e9800998ecf8427e\n['a', 'b c'] ['x']\n[1] 0\n"


def test_what_raises_no_json_can_be_caught() -> None:
    code = """if True:
        import json
        try:
            json.loads("{")
        except ValueError as fault:
            print(type(fault).__module__, fault)
    """
    assert _behind(code) == (
        "json.decoder Expecting property name enclosed in double quotes: line 1 column 2 (char 1)\n"
    )


def test_a_time_limit_and_a_database_work_with_them() -> None:
    code = """if True:
        from gitqueen.cli import limit
        import sqlite3, time
        del os.environ["GITQUEEN_HOOK_LIMIT"]
        try:
            with limit.within(0.05):
                time.sleep(20)
        except limit.TooSlow as late:
            print(late.message)
        db = sqlite3.connect(":memory:")
        for _ in range(3):
            print(db.execute("SELECT ?", (1,)).fetchone())
        print("re" in sys.modules, "enum" in sys.modules)
    """
    assert _behind(code) == "no answer within 0.05 s\n(1,)\n(1,)\n(1,)\nFalse False\n"
