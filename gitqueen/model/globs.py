"""Globs: which paths of a repository a pattern covers, and whether two patterns can ever meet in one path.

Exists because git tells whether a pattern matches a path, never whether two patterns overlap, and claims on paths
exclude each other by exactly that. May not live here: what a claim is, anything that reads a file or starts a
process, and imports (a git hook pays for each).
"""

# The rules are gitignore's without negation: https://git-scm.com/docs/gitignore#_pattern_format, git's wildmatch.c and
# dir.c. As there, a pattern works on bytes: `?` is one byte of a name, so `é` takes two.
#
# One automaton serves all. It reads f"/{path}/": every name has a slash on both sides, and "covers what is beneath"
# becomes "anything may follow the last slash". Its states form a line. Sets of bytes and of states are ints (n is in
# when bit n is), so that one operation moves all the states at once.

from __future__ import annotations

State = tuple[int, int, bool]
"""The bytes that let stay, the bytes that lead on to the next state, and whether it may be skipped on arrival."""

LONGEST = 4096
"""Bytes of a pattern: PATH_MAX. Two of the worst then take 0.1 s to overlap."""

_ANY = (1 << 256) - 2  # no path holds a NUL
_SLASH = 1 << ord("/")
_NAME = _ANY & ~_SLASH
_CLASSES = {  # firsts and lasts; git's own ctype has no \v and \f among the spaces
    b"alnum": b"09AZaz", b"alpha": b"AZaz", b"blank": b"\t\t  ", b"cntrl": b"\1\x1f\x7f\x7f", b"digit": b"09",
    b"graph": b"!~", b"lower": b"az", b"print": b" ~", b"punct": b"!/:@[`{~", b"space": b"\t\n\r\r  ",
    b"upper": b"AZ", b"xdigit": b"09AFaf",
}  # fmt: skip


def valid(pattern: str) -> str | None:
    """None, or the sentence that says why `pattern` is no glob from the top of a repository."""
    try:
        _states(pattern)
    except ValueError as fault:
        return str(fault)
    return None


def matches(pattern: str, path: str) -> bool:
    """Does `pattern` cover `path`? Both as `os.fsdecode` gives them, from the top of the repository."""
    return _glob(pattern).matches(path)


def overlap(a: str, b: str) -> bool:
    """Is there any path that both patterns cover?"""
    return _glob(a).overlaps(_glob(b))


def anchor(pattern: str, prefix: str) -> str:
    """What was typed in the folder `prefix` ("" is the top), as a valid pattern from the top; ValueError says why not.

    Without a slash it means any depth below the folder: `*.py` in `sub` is `sub/**/*.py`. `.` is the folder itself.
    """
    name = pattern.removesuffix("/")
    folder = "".join("\\" + char if char in "*?[\\" else char for char in prefix)
    if pattern.startswith("!") or not name.strip("/"):
        result = pattern  # refused below
    elif "/" in name or name in (".", ".."):
        parts = _resolved("" if name.startswith("/") else folder, name)
        result = ("" if parts[1:] else "/") + "/".join(parts) + pattern[len(name) :] if parts else "**"
    else:
        result = f"{folder}/**/{pattern}" if prefix else pattern
    if result.startswith("!") and result != pattern:
        result = "\\" + result
    _states(result)
    return result


class Glob:
    """A pattern made ready, frozen. One that `valid` refuses covers nothing and overlaps nothing.

    `src/` covers what is beneath a folder src, never the path src itself (git lists files: that src is no folder).
    `.` and `..` count as names. As git's documentation says, and unlike its code (2.39, `match_pathname`),
    `foo**/bar` is `foo*/bar`.
    """

    __slots__ = ("_after", "_core", "_line", "_row", "pattern")
    pattern: str
    _core: str
    _after: tuple[str, ...]
    _line: _Line
    _row: _Row

    def __init__(self, pattern: str) -> None:
        try:
            line, (core, after) = _Line(_states(pattern)), _names(pattern)
        except ValueError:
            line, core, after = _Line([]), "\0", ()  # in no path
        for slot, value in zip(self.__slots__, (after, core, line, _Row(line, 1, {}), pattern), strict=True):
            object.__setattr__(self, slot, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Glob is frozen: {name} stays")

    def matches(self, path: str) -> bool:
        """Does it cover `path`? Costs 0.1 us where the names already say no or yes, else 2 us."""
        core = self._core
        if core not in path:
            return False
        if self._after:
            return path.startswith(core) and path[len(core) : len(core) + 1] in self._after
        row = self._row
        for byte in f"/{path}/".encode("utf-8", "surrogateescape"):
            row = row[byte]
        return row.covers

    def among(self, paths: list[str]) -> list[str]:
        """Those of `paths` that it covers: `matches` without the price of a call for each that is clearly none."""
        core = self._core
        return [path for path in paths if core in path and self.matches(path)]

    def overlaps(self, other: Glob) -> bool:
        """Is there any path that both cover?"""
        return self._line.meets(other._line)


class _Line:
    """The automaton: `states`, and after them a last one, beneath, where anything goes. Without states it is dead."""

    def __init__(self, states: list[State]) -> None:
        self.states, self.skips = states, 0
        self.leading: dict[int, int] = {}  # set of bytes -> the states that it leads on from
        self.staying = {_ANY: 1 << len(states)}
        for at, (stay, lead, skippable) in enumerate(states):
            self.leading[lead] = self.leading.get(lead, 0) | 1 << at
            self.staying[stay] = self.staying.get(stay, 0) | 1 << at
            self.skips |= skippable << at
        self.known: dict[int, tuple[int, int]] = {}

    def meets(self, other: _Line) -> bool:
        """Walk the product of two automata: one state of mine after the other, with all the other's at once.

        Patterns of n bytes cost n steps on numbers of n bits, whatever they hold.
        """
        reach = 1 if self.states and other.states else 0
        for stay, lead, skippable in self.states:
            entered = reach
            if stay:  # the other goes on alone
                reach = _flood(reach, other.moved_by(stay)[0])
            reach = other.after(reach, lead) | (entered if skippable else 0)
            if not reach:
                return False
        return bool(reach)  # I am beneath, so the other can go on to its own end

    def after(self, reach: int, symbols: int) -> int:
        """The states that one byte of the set `symbols` takes the states `reach` to."""
        leading, staying = self.moved_by(symbols)
        return _flood((reach & leading) << 1, self.skips) | reach & staying

    def moved_by(self, symbols: int) -> tuple[int, int]:
        """The states that some byte of `symbols` leads on from, and those in which one lets stay."""
        if symbols not in self.known:  # the summands share no bit
            leading = sum(states for lead, states in self.leading.items() if lead & symbols)
            staying = sum(states for stay, states in self.staying.items() if stay & symbols)
            self.known[symbols] = leading, staying
        return self.known[symbols]


def _flood(reach: int, passable: int) -> int:
    """`reach` and what follows it through `passable` states: adding carries through a run of ones."""
    return reach | ((reach & passable) + passable ^ passable)


class _Row(dict[int, "_Row"]):
    """A set of states as a table: the byte read next -> the row after it. Paths fill it; then a byte is a look-up."""

    __slots__ = ("_line", "_reach", "_rows", "covers")
    most = 500  # rows of a glob: usual ones have some dozens, a hostile one as many as its paths have bytes

    def __init__(self, line: _Line, reach: int, rows: dict[int, _Row]) -> None:
        self._line, self._reach, self._rows = line, reach, rows
        self.covers = bool(reach >> len(line.states))

    def __missing__(self, byte: int) -> _Row:
        reach = self._line.after(self._reach, 1 << byte)
        row = self._rows.get(reach)
        if row is None:
            row = _Row(self._line, reach, self._rows)
        if len(self._rows) < self.most:
            self[byte] = self._rows[reach] = row
        return row


_globs: dict[str, Glob] = {}


def _glob(pattern: str) -> Glob:
    glob = _globs.get(pattern)
    if glob is None:
        if len(_globs) >= 256:
            _globs.clear()
        glob = _globs[pattern] = Glob(pattern)
    return glob


def _names(pattern: str) -> tuple[str, tuple[str, ...]]:
    """What every covered path holds; and if it must begin so, and no more is asked, what may come next (else nothing).

    So `src/a.py` is "src/a.py" and "" or "/" after it; `src/**` is "src" and "/"; `*.py` just holds ".py".
    """
    name = pattern.removesuffix("/")
    folder, anchored = name != pattern, "/" in name
    name = name.removeprefix("/")
    stem = name.rstrip("*")
    if stem.endswith("/") and not folder:
        name, folder = stem[:-1], True
    if anchored and not any(char in name for char in "*?[\\"):
        return name, ("/",) if folder else ("", "/")
    # no further than an escape or bracket; and a wildcard may take a part of a character beyond ASCII
    plain = name.replace("\\", "[").partition("[")[0].replace("?", "*") if name.isascii() else ""
    return max((run.strip("/") for run in plain.split("*")), key=len), ()


def _resolved(folder: str, name: str) -> list[str]:
    """The parts of `name` as seen from `folder`, after walking its `.` and `..`."""
    parts: list[str] = []
    for part in [*folder.split("/"), *name.split("/")]:
        if part == "..":
            if not parts or parts[-1] == "**":
                raise ValueError(f"{name[:80]!a} is no glob: its '..' leads out of the repository or a '**'")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return parts


def _states(pattern: str) -> list[State]:
    """The line of states that `pattern` stands for; ValueError says why it is no glob."""
    try:
        raw = pattern.encode("utf-8", "surrogateescape")
        _check(raw)
        return _parsed(raw)
    except ValueError as why:
        raise ValueError(f"{pattern[:80]!a} is no glob: {why}") from None


def _check(raw: bytes) -> None:
    parts = raw.removeprefix(b"/").removesuffix(b"/").split(b"/")
    for wrong, why in (
        (not raw.strip(b"/"), "it names nothing ('**' is everything)"),
        (len(raw) > LONGEST, f"it has {len(raw)} bytes, {LONGEST} are allowed"),
        (b"\0" in raw, "no path holds a NUL"),
        (raw.startswith(b"!"), "it cannot exclude ('\\!' is an exclamation mark)"),
        (b"." in parts or b".." in parts, "'.' and '..' stay at the top of the repository or lead out of it"),
        (b"" in parts, "there is no name between two slashes"),
    ):
        if wrong:
            raise ValueError(why)


def _parsed(raw: bytes) -> list[State]:
    name, at, stay = raw.removesuffix(b"/").removeprefix(b"/"), 0, 0
    states = [(0 if b"/" in raw[:-1] else _ANY, _SLASH, False)]
    while at < len(name):
        start = at
        while name[at : at + 1] == b"*":
            at += 1
        if at == start:
            lead, at = _symbol(name, at)
            states.append((stay, lead, False))
            stay = 0
        elif name[start - 1 : start] not in (b"", b"/") or name[at : at + 1] not in (b"", b"/"):
            stay = _NAME  # a star within a name
        elif at - start > 1 and at < len(name):  # `**/`; at the end, `**` covers no more than `*`
            states.append((_ANY, _SLASH, True))
            at += 1
        else:
            states.append((0, _NAME, False))  # no name is empty
            stay = _NAME
    beneath = [(0, _NAME, False)] if raw.endswith(b"/") else []
    return [*states, (stay, _SLASH, False), *beneath]


def _symbol(name: bytes, at: int) -> tuple[int, int]:
    """The bytes that the symbol at `at` stands for, and where the next one begins."""
    if name.startswith(b"?", at):
        return _NAME, at + 1
    if name.startswith(b"[", at):
        return _bracket(name, at + 1)
    byte, at = _byte(name, at)
    return 1 << byte, at


def _byte(name: bytes, at: int) -> tuple[int, int]:
    """The byte at `at`, or that which a backslash there protects, and where the next one begins."""
    escaped = name.startswith(b"\\", at)
    at += escaped
    if at == len(name):
        raise ValueError("it ends in a bracket or a backslash ('\\[' and '\\\\' are the characters)")
    if escaped and name.startswith(b"/", at):
        raise ValueError("a slash takes no backslash")
    return name[at], at + 1


def _bracket(name: bytes, at: int) -> tuple[int, int]:
    """The bytes that the bracket opened before `at` stands for, and where it is over."""
    negated = name.startswith((b"!", b"^"), at)
    at += negated
    found, low = 0, -1  # where a range may begin
    while True:  # a ] at the very beginning is a member
        close = name.find(b"]", at + 2)
        if name.startswith(b"[:", at) and close > at + 2 and name[close - 1 : close] == b":":
            found |= _class(name[at + 2 : close - 1])
            at, low = close + 1, -1
        elif low >= 0 and name.startswith(b"-", at) and name[at + 1 : at + 2] not in (b"", b"]"):
            high, at = _byte(name, at + 1)
            found |= (2 << high) - (1 << low) if low <= high else 0
            low = -1
        else:
            low, at = _byte(name, at)
            found |= 1 << low
        if name.startswith(b"]", at):
            break
    found = _NAME & (~found if negated else found)
    if not found:
        raise ValueError("no character of a name fits its bracket")
    return found, at + 1


def _class(word: bytes) -> int:
    if word not in _CLASSES:
        raise ValueError(f"it has an unknown class [:{ascii(word)[2:-1]}:]")
    ends = _CLASSES[word]
    return sum((2 << high) - (1 << low) for low, high in zip(ends[::2], ends[1::2], strict=True))
