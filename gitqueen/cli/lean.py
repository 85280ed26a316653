"""What makes a door lean: facts without `dataclasses`, the same classes made without compiling a line; and its limit.

The real one is a third of what a door call would cost: it imports `re`, `copy` and `inspect` and has Python compile
each class anew (32 of them, 0.4 ms each). Here one closure serves: same arguments, equality and hash; not frozen, for
within the few milliseconds of a hook nobody tries. Only put in place by a process that is a door and nothing else.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import ModuleType

TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    from typing import Any

LIMIT = 2.0
"""Seconds that a door may take (GITQUEEN_HOOK_LIMIT: whole seconds); a slower guard gets switched off by those it
guards (INCIDENTS 14)."""
MISSING = object()


class Field:
    """A default that is made anew for each."""

    __slots__ = ("default", "factory")

    def __init__(self, default: object, factory: Callable[[], object] | None) -> None:
        self.default, self.factory = default, factory


def field(*, default: Any = MISSING, default_factory: Callable[[], object] | None = None, repr: bool = True) -> Any:
    return Field(default, default_factory)


def dataclass(
    cls: type | None = None, /, *, frozen: bool = False, slots: bool = False
) -> type | Callable[[type], type]:
    return _made if cls is None else _made(cls)


def _made(cls: type) -> type:
    own = tuple(cls.__annotations__)
    names = (*(name for name in getattr(cls, "__match_args__", ()) if name not in own), *own)
    defaults = {name: getattr(cls, name) for name in names if hasattr(cls, name)}

    def init(self: object, *args: object, **named: object) -> None:
        if len(args) > len(names):
            raise TypeError(f"{cls.__name__} takes {len(names)} arguments, not {len(args)}")
        values = dict(zip(names, args, strict=False))
        if not named.keys() <= set(names) - values.keys():
            raise TypeError(f"{cls.__name__} got unexpected or doubled arguments: {', '.join(sorted(named))}")
        values |= named
        for name in names:
            if name in values:
                value = values[name]
            elif name in defaults:
                value = defaults[name]
                if isinstance(value, Field):
                    value = value.factory() if value.factory else value.default
            else:
                raise TypeError(f"{cls.__name__} needs {name}")
            setattr(self, name, value)

    cls.__init__ = init  # type: ignore[misc]
    cls.__match_args__ = names  # type: ignore[attr-defined,misc]
    cls.__eq__ = _equal  # type: ignore[assignment,method-assign]
    cls.__hash__ = _hash  # type: ignore[assignment,method-assign]
    return cls


def _values(self: Any) -> tuple[object, ...]:
    return tuple(getattr(self, name) for name in self.__match_args__)


def _equal(self: object, other: object) -> bool:
    return _values(self) == _values(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(self: object) -> int:
    return hash(_values(self))


def replace(fact: Any, /, **changed: object) -> Any:
    return fact.__class__(**dict(zip(fact.__match_args__, _values(fact), strict=True)) | changed)


def install() -> None:
    """Have `from dataclasses import dataclass` mean this, in a process that has not imported the real one."""
    stand_in = ModuleType("dataclasses")
    stand_in.__dict__.update(dataclass=dataclass, field=field, replace=replace)
    sys.modules.setdefault("dataclasses", stand_in)


class TooSlow(BaseException):
    """The limit is over. No Exception, so that nothing on the way takes it for its own."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.message = f"no answer within {seconds:g} s"


def hurry() -> None:
    """Have `TooSlow` raised in this process once the limit is over, unless it has rested by then."""
    said = os.environ.get("GITQUEEN_HOOK_LIMIT", "")
    seconds = float(said) if said.isdecimal() and said != "0" else LIMIT

    def over(*_: object) -> None:
        raise TooSlow(seconds)

    signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def rest() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
