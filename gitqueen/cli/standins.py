"""Stand-ins for modules of the standard library, in a process that is a door and nothing else.

The real ones are most of what a door call would cost. `dataclasses` imports `inspect` and has Python compile each class
anew (0.4 ms each); the others import `re`, `enum` and one another, which takes as long as Python itself takes to start.
What stands in rests on the same C code, where there is such; who asks it for more than it has gets the real module.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import Any
else:
    ModuleType = type(sys)
MISSING = object()


class StandIn(ModuleType):
    """A module by the name of another, which is imported when it is asked for more than what is given here."""

    def __init__(self, name: str, given: dict[str, object]) -> None:
        super().__init__(name)
        self.__dict__.update(given)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # `from` asks for `__path__`
            raise AttributeError(name)
        return getattr(self.real(), name)

    def real(self) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        module = __import__(self.__name__)
        if self.__name__ == "collections":
            vars(module)["abc"] = self.abc  # Python sets it when it imports that, which seems to be done already
        return module


def install() -> None:
    """Have `import json` and its like mean these, where the real ones are not imported yet."""
    abstract = __import__("_collections_abc")
    given: dict[str, dict[str, object]] = {
        "collections": {"abc": abstract},
        "dataclasses": {"dataclass": dataclass, "field": field, "replace": replace},
        "contextlib": {"contextmanager": contextmanager},
        "shlex": {"quote": quote, "join": lambda words: " ".join(map(quote, words))},
    }
    try:
        given |= {"json": _json(), "signal": _signal(), "functools": {"lru_cache": _lru_cache()}}
        given |= {"hashlib": {"sha1": __import__("_sha1").sha1, "sha256": _sha256()}}
    except Exception:
        pass  # another Python than CPython, or one that has changed what is private to it
    for name, what in given.items():
        sys.modules.setdefault(name, StandIn(name, what))
    sys.modules.setdefault("collections.abc", abstract)  # as `collections` has it


# dataclasses: same arguments, equality and hash; not frozen, for within the few milliseconds of a hook nobody tries.


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


# contextlib


def contextmanager(made: Callable[..., Iterator[Any]]) -> Callable[..., _Context]:
    return lambda *args, **named: _Context(made(*args, **named))


class _Context:
    """What stands around a `with`: the part of a generator before its `yield`, and the part after."""

    __slots__ = ("_steps",)

    def __init__(self, steps: Any) -> None:
        self._steps = steps

    def __enter__(self) -> Any:
        return next(self._steps)

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: object) -> bool:
        if fault is None:
            if next(self._steps, MISSING) is not MISSING:
                raise RuntimeError("generator didn't stop")
            return False
        try:
            self._steps.throw(fault)
        except StopIteration as stopped:
            return stopped is not fault
        except BaseException as raised:
            # PEP 479: a StopIteration that goes through a generator comes out inside a RuntimeError.
            if raised is fault or (isinstance(fault, StopIteration) and raised.__cause__ is fault):
                return False
            raise
        raise RuntimeError("generator didn't stop after throw()")


# shlex

_PLAIN = frozenset("%+,-./0123456789:=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")


def quote(word: str) -> str:
    if word and _PLAIN.issuperset(word):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"


# signal: numbers in place of enums


def _signal() -> dict[str, object]:
    return {name: what for name, what in vars(__import__("_signal")).items() if not name.startswith("__")}


# functools: sqlite3 keeps its statements by it.


def _lru_cache() -> Callable[[int], Callable[[Callable[..., Any]], Any]]:
    cached = __import__("_functools")._lru_cache_wrapper
    return lambda most: lambda asked: cached(asked, most, False, tuple)


# hashlib: the real one loads OpenSSL, which is faster where there is much to read. Hooks read little.


def _sha256() -> Any:
    return __import__("_sha256" if sys.version_info < (3, 12) else "_sha2").sha256


# json


def _json() -> dict[str, object]:
    """`loads` and `dumps` by the C code that the real ones rest on. Raises where that is not as we know it."""
    code: Any = __import__("_json")

    class Reading:
        strict = True
        object_hook = object_pairs_hook = None
        parse_float, parse_int = float, int
        parse_constant = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": -float("inf")}.__getitem__
        memo: dict[str, str] = {}  # noqa: RUF012  # the C code asks for it

    scan, text_of = code.make_scanner(Reading()), code.encode_basestring_ascii

    def real() -> Any:
        return sys.modules["json"].real() if isinstance(sys.modules["json"], StandIn) else sys.modules["json"]

    def loads(said: str | bytes, **how: Any) -> Any:
        text = said
        if isinstance(text, (bytes, bytearray)) and 0 not in text[:4]:  # else UTF-16 or 32
            text = text.decode("utf-8", "surrogatepass")
        if isinstance(text, str) and not how:
            text = text.strip(" \t\n\r")
            try:
                value, end = scan(text, 0)
                if end == len(text):
                    return value
            except (StopIteration, ValueError, ModuleNotFoundError, SystemError):
                pass  # no JSON, or the C code did not find `json.decoder`, where what it raises stands
        return real().loads(said, **how)  # which also says what is wrong with it

    def strange(value: object) -> Any:
        raise TypeError(f"Object of type {value.__class__.__name__} is not JSON serializable")

    def dumps(value: object, **how: Any) -> str:
        if how:
            return str(real().dumps(value, **how))
        if isinstance(value, str):
            return str(text_of(value))
        return "".join(code.make_encoder({}, strange, text_of, None, ": ", ", ", False, False, True)(value, 0))

    if loads(dumps({"a": [1, "b", None]})) != {"a": [1, "b", None]}:
        raise TypeError
    return {"loads": loads, "dumps": dumps}
