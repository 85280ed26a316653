"""JSON as its owner wrote it: a value put into the text or taken out of it, every other byte left as it is.

Other programs' settings are read by people too: order, indentation, line ends and spelling are theirs. What is no
strict JSON is refused with the place, never repaired. Pure text; which files those are is not known here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
_INDENTED = re.compile(r"\n([ \t]+)\S")

Path = Sequence[str | int]


class NoJson(ValueError):
    """Where the text stops being JSON (line and column from 1), and why."""

    def __init__(self, why: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {why}")


class Unfit(ValueError):
    """What stands at `path` is of another type than what is wanted there."""

    def __init__(self, path: Path, found: str, wanted: str) -> None:
        super().__init__(f"{'.'.join(map(str, path)) or 'the whole'} is {found}, not {wanted}")


@dataclass(frozen=True, slots=True)
class _Node:
    """A value and where it stands; of an object or array also its parts: key, where each begins, value's place."""

    start: int
    stop: int
    kind: str
    keys: tuple[str | int, ...] = ()
    starts: tuple[int, ...] = ()
    values: tuple[tuple[int, int], ...] = ()


def load(text: str) -> object:
    """The value that `text` writes; of no text at all an empty object. Raises `NoJson`."""
    bare = text.removeprefix("\ufeff")
    if not bare.strip(" \t\r\n"):
        return {}

    def constant(name: str) -> object:
        raise json.JSONDecodeError(f"{name} is no JSON", bare, bare.find(name))

    try:
        return json.loads(bare, parse_constant=constant)
    except json.JSONDecodeError as fault:
        raise _place(bare, fault) from None
    except RecursionError:
        raise NoJson("it is nested too deeply", 1, 1) from None


def _place(text: str, fault: json.JSONDecodeError) -> NoJson:
    at, why = fault.pos, fault.msg
    before = text[:at].rstrip(" \t\r\n")
    if text.startswith(("//", "/*"), at):
        why = "comments are no JSON"
    elif text[at : at + 1] in ("]", "}") and before.endswith(","):
        at, why = len(before) - 1, "a comma with nothing behind it is no JSON"
    elif text[at : at + 1] == "," and text[at + 1 :].lstrip(" \t\r\n")[:1] in ("]", "}"):
        why = "a comma with nothing behind it is no JSON"
    return NoJson(why, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def appended(text: str, path: Path, item: object) -> str:
    """`text` with `item` at the end of the array at `path`; what lacks on the way is made. Raises `Unfit`."""
    return _made(text, path, item, into="an array")


def put(text: str, path: Path, value: object) -> str:
    """`text` with `value` at `path`, in the place of what was there, else as the last member."""
    parent = _find(text, path[:-1])
    if parent is None or path[-1] not in parent.keys:
        return _made(text, path, value, into="an object")
    start, stop = parent.values[_index(parent, path[-1])]
    style = _Style(text)
    return text[:start] + style.written(value, style.margin(start), "\n" in text) + text[stop:]


def removed(text: str, path: Path) -> str:
    """`text` without the member or item at `path`."""
    parent = _find(text, path[:-1])
    if parent is None or path[-1] not in parent.keys:
        return text
    at = _index(parent, path[-1])
    if len(parent.keys) == 1:
        return text[: parent.start + 1] + text[parent.stop - 1 :]
    if at:
        return text[: parent.values[at - 1][1]] + text[parent.values[at][1] :]
    return text[: parent.starts[0]] + text[parent.starts[1] :]


def _made(text: str, path: Path, value: object, into: str) -> str:
    if not text.strip(" \t\r\n\ufeff"):
        text = text[: text.startswith("\ufeff")] + "{}\n"
    node, done = _root(text), 0
    while done < len(path):
        if node.kind != "an object":
            raise Unfit(path[:done], node.kind, "an object")
        if path[done] not in node.keys:
            break
        node, done = _node(text, node.values[_index(node, path[done])][0]), done + 1
    if done == len(path) and node.kind != into:
        raise Unfit(path, node.kind, into)
    rest = path[done:]
    if not rest:
        return _inserted(text, node, None, value)
    value = [value] if into == "an array" else value
    for key in reversed(rest[1:]):
        value = {key: value}
    return _inserted(text, node, str(rest[0]), value)


def _inserted(text: str, into: _Node, key: str | None, value: object) -> str:
    """`value` as the last part of `into`, written as its neighbours are."""
    style = _Style(text)
    name = "" if key is None else json.dumps(key, ensure_ascii=False) + style.colon
    if into.keys:
        last = into.values[-1][1]
        gap = text[into.start + 1 : into.starts[0]]
        if "\n" not in gap:
            between = text[into.values[0][1] : into.starts[1]] if len(into.keys) > 1 else style.comma
            return text[:last] + between + name + style.written(value, "", False) + text[last:]
        margin = gap.rpartition("\n")[2]
        return f"{text[:last]},{style.newline}{margin}{name}{style.written(value, margin, True)}{text[last:]}"
    head, tail = text[: into.start + 1], text[into.stop - 1 :]
    if style.flat:
        return head + name + style.written(value, "", False) + tail
    outer = style.margin(into.start)
    inner = outer + style.unit
    return head + style.newline + inner + name + style.written(value, inner, True) + style.newline + outer + tail


class _Style:
    """How `text` is written: its line ends, its indentation, its separators."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"
        indented = _INDENTED.search(text)
        self.unit = indented[1] if indented else "  "
        bare = text.strip(" \t\r\n\ufeff")
        self.flat = len(bare) > 2 and "\n" not in bare
        spaced = not self.flat or '": ' in text
        self.comma, self.colon = (", ", ": ") if spaced else (",", ":")

    def margin(self, at: int) -> str:
        """The indentation of the line that `at` is in."""
        line = self.text[self.text.rfind("\n", 0, at) + 1 : at]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def written(self, value: object, margin: str, tall: bool) -> str:
        if not tall:
            return json.dumps(value, ensure_ascii=False, separators=(self.comma, self.colon))
        return json.dumps(value, ensure_ascii=False, indent=self.unit).replace("\n", self.newline + margin)


def _find(text: str, path: Path) -> _Node | None:
    node = _root(text)
    for key in path:
        if key not in node.keys:
            return None
        node = _node(text, node.values[_index(node, key)][0])
    return node


def _index(node: _Node, key: str | int) -> int:
    """Of two members of one name the last counts, as for every reader of JSON."""
    return len(node.keys) - 1 - node.keys[::-1].index(key)


def _root(text: str) -> _Node:
    return _node(text, _skip(text, 1 if text.startswith("\ufeff") else 0))


def _node(text: str, start: int) -> _Node:
    """The value that begins at `start` in `text`, which is JSON: `load` has seen to that."""
    match text[start]:
        case "{":
            return _container(text, start, "an object", "}")
        case "[":
            return _container(text, start, "an array", "]")
        case char:
            kinds = {'"': "a string", "n": "null", "t": "true", "f": "false"}
            return _Node(start, _end(text, start), kinds.get(char, "a number"))


def _container(text: str, start: int, kind: str, close: str) -> _Node:
    keys: list[str | int] = []
    starts: list[int] = []
    values: list[tuple[int, int]] = []
    at = _skip(text, start + 1)
    while text[at] != close:
        starts.append(at)
        if kind == "an object":
            key, end = _DECODER.raw_decode(text, at)
            keys.append(key)
            at = _skip(text, _skip(text, end) + 1)  # the colon
        else:
            keys.append(len(keys))
        values.append((at, _end(text, at)))
        at = _skip(text, values[-1][1])
        if text[at] == ",":
            at = _skip(text, at + 1)
    return _Node(start, at + 1, kind, tuple(keys), tuple(starts), tuple(values))


def _end(text: str, at: int) -> int:
    """Where the value at `at` ends; json's own reader is fifty times as fast as walking through it here."""
    end: int = _DECODER.raw_decode(text, at)[1]
    return end


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()
