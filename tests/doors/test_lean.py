"""The doors' price is their imports; and what stands in for modules of the standard library there does as they do."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import gitqueen
from gitqueen.cli import standins
from gitqueen.model.sisters import Body, Sister
from tests.doors.kit import DOOR, Session, claude
from tests.hive import Repo

HEAVY = """
    click rich pygit2 psutil filelock wcwidth pyfiglet typing inspect copy subprocess dataclasses re enum functools
    collections contextlib signal json shlex hashlib
""".split()

PROBE = """
import sys
sys.argv = [sys.argv[1], "agent", "claude"]
import os
leave = os._exit
def told(code):
    real = [name for name, module in sys.modules.items() if type(module) is type(sys)]
    sys.stderr.write("\\n".join(real)); sys.stderr.flush(); leave(code)
os._exit = told
with open(sys.argv[0]) as file:
    exec(compile(file.read(), sys.argv[0], "exec"), {"__name__": "__main__", "__file__": sys.argv[0]})
"""


NEVER = {
    "SessionStart:startup": set[str](),
    "UserPromptSubmit": set[str](),
    "PreToolUse:Edit": set[str](),
    "PostToolUse:Edit": set[str](),
    "PreToolUse:Bash": {"sqlite3"},
    "Stop": set[str](),
    "SessionEnd:other": set[str](),
}


def test_what_each_event_imports(repo: Callable[..., Repo], session: Callable[..., Session]) -> None:
    app = repo("app", {"e.txt": "1\n"})
    ada, bob = session(app, "ada"), session(app, "bob")
    ada.start()
    bob.start()
    ada.prompt()  # the queen's letter about the shared branch
    probe, payload = os.path.join(ada.sister.box, "probe.py"), os.path.join(ada.sister.box, "payload")
    with open(probe, "w") as file:
        file.write(PROBE)
    for event, never in NEVER.items():
        with open(payload, "w") as file:
            json.dump({**claude(event), "cwd": ada.folder}, file)
        done = ada.sister.sh(f"{sys.executable} -I -S {probe} {DOOR} <{payload}")
        modules = set(done.err.split("\n"))
        assert "gitqueen.cli.door" in modules
        assert modules & {*HEAVY, *never} == set(), event


def facts() -> list[type]:
    """Every dataclass of the rooms that a door may reach."""
    found = {}
    for room in ("model", "store", "services", "git", "senses"):
        package = importlib.import_module(f"gitqueen.{room}")
        for module in pkgutil.iter_modules(package.__path__, f"gitqueen.{room}."):
            for one in vars(importlib.import_module(module.name)).values():
                if isinstance(one, type) and dataclasses.is_dataclass(one) and one.__module__.startswith("gitqueen."):
                    found[f"{one.__module__}.{one.__qualname__}"] = one
    return list(found.values())


def test_only_what_the_stand_in_knows_is_asked_of_dataclasses() -> None:
    for fact in facts():
        assert not hasattr(fact, "__post_init__"), fact
        for one in dataclasses.fields(fact):
            assert one.init and not one.kw_only, (fact, one.name)


def made(cls: type, *args: Any, **named: Any) -> Any:
    """An instance of `cls` as the stand-in makes it."""
    body = {key: value for key, value in vars(cls).items() if not key.startswith("__") and key not in SLOTS(cls)}
    defaults: dict[str, Any] = {}
    for one in dataclasses.fields(cls):
        if one.default is not dataclasses.MISSING:
            defaults[one.name] = one.default
        elif one.default_factory is not dataclasses.MISSING:
            defaults[one.name] = standins.field(default_factory=one.default_factory)
    twin = type(cls.__name__, (), {**body, **defaults, "__annotations__": dict(cls.__annotations__)})
    return standins.dataclass(twin)


def SLOTS(cls: type) -> tuple[str, ...]:  # noqa: N802
    return tuple(getattr(cls, "__slots__", ()))


def test_the_stand_in_does_as_dataclasses_do() -> None:
    twin = made(Sister)
    body = Body("here", 7, 8)
    real, mine = Sister(7, "ada", body=body, branch="main"), twin(7, "ada", body=body, branch="main")
    names = [one.name for one in dataclasses.fields(Sister)]
    assert [getattr(mine, name) for name in names] == [getattr(real, name) for name in names]
    assert (mine.pid, mine.declared) == (real.pid, real.declared)
    other = standins.replace(mine, name="bob")
    assert (other.name, other.branch, mine.name) == ("bob", "main", "ada")
    assert mine == twin(7, "ada", body=body, branch="main") != other
    assert len({mine, twin(7, "ada", body=body, branch="main"), other}) == 2
    assert mine != real  # another class, as with dataclasses
    for args, named in (((), {}), ((1,), {}), ((1, "a"), {"nose": 2}), ((1, "a"), {"row": 2}), (range(40), {})):
        with pytest.raises(TypeError):
            twin(*args, **named)


def test_a_default_that_is_made_anew_is_nobody_elses() -> None:
    from gitqueen.model.events import Event

    twin = made(Event)
    one, two = twin("x"), twin("x")
    assert one.detail == two.detail == {} and one.detail is not two.detail


def test_a_process_that_has_the_real_one_keeps_it() -> None:
    before = sys.modules["dataclasses"]
    standins.install()
    assert sys.modules["dataclasses"] is before


def test_every_room_that_a_door_reaches_can_live_with_the_stand_in() -> None:
    top = os.path.dirname(os.path.dirname(os.path.abspath(gitqueen.__file__)))
    names = ["attending", "foreseeing", "onboarding", "identifying", "entering", "tending", "watching", "guarding"]
    code = f"""
import sys; sys.path.insert(0, {top!r})
from gitqueen.cli import standins; standins.install()
from gitqueen.services import {", ".join(names)}
from gitqueen.views import answers, briefing
print(sys.modules["dataclasses"].dataclass.__module__)
"""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "gitqueen.cli.standins\n", "")
