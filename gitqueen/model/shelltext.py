"""Shell text: the simple commands that a line of shell would run, in order, each in its folder. Nothing is expanded.

For recognizing what is about to happen, not for running it: whoever is not understood raises `Unclear`, because a
wrong guess is worse than none. A word that the shell would expand is `None`: nobody knows what it becomes.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

LONGEST = 64 * 1024
"""Characters; what is longer is a program, not a command line."""
DEEPEST = 8

Word = str | None
Folders = tuple[str, ...] | None


class Unclear(ValueError):
    """This text is not understood."""


@dataclass(frozen=True, slots=True)
class Simple:
    """One simple command. `folders`: where it runs, each relative to the one before; None: nobody knows where."""

    words: tuple[Word, ...]
    folders: Folders = ()
    sets: tuple[str, ...] = ()
    """The variables that are set for it."""


_OPERATORS = (";;", "&&", "||", "|&", "&>>", "&>", ">>", "<<<", "<<-", "<<", "<&", ">&", "<>", ">|") + tuple(
    "\n;&|<>()"
)
_BREAKS = ("\n", ";", "&", "&&", "||", "|", "|&")
_REDIRECTIONS = ("&>>", "&>", ">>", "<<<", "<<-", "<<", "<&", ">&", "<>", ">|", "<", ">")
# Words that stand before a command and do not change what it does.
_KEYWORDS = frozenset("if then elif else fi while until do done { } ! time".split())
_SHELLS = frozenset("sh bash dash zsh ksh ash".split())
_WITH_VALUE = {
    "env": ("-u", "--unset", "-C", "--chdir", "-S", "--split-string"),
    "sudo": ("-u", "-g", "-h", "-p", "-C", "-r", "-t", "-T", "-U", "-D", "-R", "--user", "--group", "--chdir"),
    "doas": ("-u", "-C"),
    "nice": ("-n", "--adjustment"),
    "ionice": ("-c", "-n", "-p"),
    "timeout": ("-k", "-s", "--kill-after", "--signal"),
    "stdbuf": ("-i", "-o", "-e"),
    "exec": ("-a",),
    "nohup": (), "command": (), "builtin": (), "setsid": (), "time": ("-f", "-o"),
}  # fmt: skip
_ELSEWHERE = ("-C", "--chdir", "-D", "-R", "-S", "--split-string")
"""Options of theirs after which nobody knows where, or what."""


@dataclass(frozen=True, slots=True)
class _Token:
    """`word` or `operator`; `inner`: the scripts that stand in substitutions inside a word."""

    word: Word = None
    operator: str = ""
    inner: tuple[str, ...] = ()
    quoted: bool = False
    sets: bool = False
    """Whether it is `NAME=` and something that the shell would expand."""


def commands(text: str) -> list[Simple]:
    """What `text` runs; raises `Unclear`."""
    return list(_script(text, (), 0))


def _script(text: str, folders: Folders, depth: int) -> Iterator[Simple]:
    if len(text) > LONGEST or depth > DEEPEST:
        raise Unclear("too long, or too deep")
    current: list[_Token] = []
    outer: list[Folders] = []
    skipping = False
    for token in [*_tokens(text), _Token(operator="\n")]:
        if token.operator in _REDIRECTIONS:
            # A file descriptor before it is no argument.
            if current and not current[-1].operator and (current[-1].word or "").isdigit():
                current.pop()
            skipping = True
        elif not token.operator:
            for script in token.inner:
                yield from _script(script, folders, depth + 1)
            if not skipping:
                current.append(token)
            skipping = False
        elif token.operator in _BREAKS:
            if skipping:
                raise Unclear("a redirection to nowhere")
            folders = yield from _command(current, folders, depth)
            current = []
        elif token.operator == "(":
            if any(not one.quoted and one.word not in _KEYWORDS for one in current):
                raise Unclear("a function, or an array")
            outer.append(folders)
            current = []
        elif token.operator == ")" and outer:
            yield from _command(current, folders, depth)
            folders, current = outer.pop(), []
        else:
            raise Unclear(f"{token.operator!r} here")
    if outer:
        raise Unclear("an open parenthesis")


def _command(tokens: list[_Token], folders: Folders, depth: int) -> Generator[Simple, None, Folders]:
    """What one command runs; returns the folders from here on."""
    at = 0
    while at < len(tokens) and not tokens[at].quoted and tokens[at].word in _KEYWORDS:
        at += 1
    while at < len(tokens) and tokens[at].sets:
        at += 1
    words = [token.word for token in tokens[at:]]
    if not words or words[0] in ("for", "select", "#"):
        return folders
    if words[0] in ("case", "esac", "function", "coproc", "[["):
        if words[0] == "[[":
            return folders
        raise Unclear(words[0] or "")
    sets, words, where = _bare(words, folders)
    if not words or words[0] is None:
        yield Simple((), where, sets)
        return folders
    program = words[0].rpartition("/")[2]
    if program in ("cd", "pushd", "chdir"):
        return _moved(words[1:], where)
    if program == "popd":
        return None
    if program in _SHELLS:
        if (script := _inline(words[1:])) is not None:
            yield from _script(script, where, depth + 1)
    elif program == "eval":
        if None not in words:
            yield from _script(" ".join(word for word in words[1:] if word), where, depth + 1)
    else:
        yield Simple((program, *words[1:]), where, sets)
    return folders


def _bare(words: list[Word], folders: Folders) -> tuple[tuple[str, ...], list[Word], Folders]:
    """The variables set, the words of the command itself, and where it runs: without `env`, `sudo` and their like."""
    sets: list[str] = []
    while words:
        first = words[0]
        if first is not None and _assigns(first):
            sets.append(first)
            words = words[1:]
            continue
        program = "" if first is None else first.rpartition("/")[2]
        if program not in _WITH_VALUE:
            break
        words = words[1:]
        while words and (word := words[0]) is not None and word.startswith("-"):
            if word.partition("=")[0] in _ELSEWHERE and program in ("env", "sudo"):
                folders = None
            taken = 2 if word in _WITH_VALUE[program] else 1
            words = words[taken:]
            if word == "--":
                break
        if program == "timeout":
            words = words[1:]
    return tuple(sets), words, folders


def _assigns(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name.removesuffix("+").isidentifier()


def _moved(words: list[Word], folders: Folders) -> Folders:
    arguments = [word for word in words if word not in ("--", "-L", "-P", "-e")]
    if folders is None or len(arguments) != 1 or arguments[0] is None or arguments[0].startswith("-"):
        return None
    return (*folders, arguments[0])


def _inline(words: list[Word]) -> str | None:
    """The script of `sh -c SCRIPT`; None where a shell runs a file, or something that only it knows."""
    for at, word in enumerate(words):
        if word is None or not word.startswith("-"):
            return None
        if word.startswith("--"):
            continue
        if word.endswith("o") and at + 1 < len(words):
            return _inline(words[at + 2 :])  # -o pipefail
        if "c" in word:
            rest = [one for one in words[at + 1 :] if one is None or not one.startswith("-")]
            return rest[0] if rest else None
    return None


def _tokens(text: str) -> Iterator[_Token]:
    at, waiting = 0, list[tuple[str, bool]]()
    """`waiting`: the words that end the here-documents begun on this line."""
    while at < len(text):
        char = text[at]
        if char in " \t\r":
            at += 1
        elif text.startswith("\\\n", at):
            at += 2
        elif char == "#":
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        elif operator := next((one for one in _OPERATORS if text.startswith(one, at)), ""):
            at += len(operator)
            if operator in ("<", ">") and text.startswith("(", at):
                raise Unclear("a process substitution")
            if operator in ("<<", "<<-"):
                at, token = _word(text, _blank(text, at))
                if token.word is None:
                    raise Unclear("a here-document")
                waiting.append((token.word, operator == "<<-"))
                continue
            yield _Token(operator=operator)
            if operator == "\n":
                for mark, tabs in waiting:
                    at = _behind(text, at, mark, tabs)
                waiting.clear()
        else:
            at, token = _word(text, at)
            yield token


def _blank(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t":
        at += 1
    return at


def _behind(text: str, at: int, end: str, tabs: bool) -> int:
    """Where the text goes on after a here-document."""
    while at < len(text):
        line, newline, _ = text[at:].partition("\n")
        at += len(line) + len(newline)
        if (line.lstrip("\t") if tabs else line) == end:
            return at
    raise Unclear("a here-document without end")


def _word(text: str, at: int) -> tuple[int, _Token]:
    """The word that begins at `at`."""
    said: list[str] = []
    inner: list[str] = []
    plain, quoted, start = True, False, at
    while at < len(text) and text[at] not in " \t\r\n;&|<>()":
        char = text[at]
        if char == "'":
            end = text.find("'", at + 1)
            if end < 0:
                raise Unclear("an open quote")
            said.append(text[at + 1 : end])
            at, quoted = end + 1, True
        elif char == '"':
            at, known = _double(text, at + 1, said, inner)
            plain, quoted = plain and known, True
        elif char == "\\":
            if text[at + 1 : at + 2] != "\n":
                said.append(text[at + 1 : at + 2])
                quoted = True
            at += 2
        elif char in "$`":
            at, known = _expansion(text, at, said, inner)
            plain = plain and known
        else:
            if (char in "*?[{" and not _lonely(text, at)) or (char == "~" and at == start):
                plain = False
            said.append(char)
            at += 1
    sets = not plain and _assigns(text[start:at])
    return at, _Token("".join(said) if plain else None, inner=tuple(inner), quoted=quoted, sets=sets)


def _lonely(text: str, at: int) -> bool:
    """Whether a character stands alone as a word, or is `*` after `./`: all that is in this folder."""
    before = text[max(0, at - 2) : at]
    ends = at + 1 == len(text) or text[at + 1] in " \t\r\n;&|<>()"
    begins = at == 0 or text[at - 1] in " \t\r\n;&|<>()" or (before == "./" and (at < 3 or text[at - 3] in " \t"))
    return ends and begins and text[at] in "*{["


def _double(text: str, at: int, said: list[str], inner: list[str]) -> tuple[int, bool]:
    known = True
    while at < len(text):
        char = text[at]
        if char == '"':
            return at + 1, known
        if char == "\\":
            following = text[at + 1 : at + 2]
            said.append(following if following in '$`"\\' else "" if following == "\n" else char + following)
            at += 2
        elif char in "$`":
            at, plain = _expansion(text, at, said, inner)
            known = known and plain
        else:
            said.append(char)
            at += 1
    raise Unclear("an open quote")


def _expansion(text: str, at: int, said: list[str], inner: list[str]) -> tuple[int, bool]:
    """Behind what begins at `at` with `$` or a backtick; False unless it is only that character."""
    if text[at] == "`":
        end = text.find("`", at + 1)
        if end < 0 or "\\" in text[at:end]:
            raise Unclear("a substitution")
        inner.append(text[at + 1 : end])
        return end + 1, False
    following = text[at + 1 : at + 2]
    if text.startswith("$((", at):
        end = text.find("))", at)
        if end < 0:
            raise Unclear("arithmetic")
        return end + 2, False
    if following == "(":
        end = _closing(text, at + 2)
        inner.append(text[at + 2 : end])
        return end + 1, False
    if following == "{":
        end = text.find("}", at)
        if end < 0 or "$(" in text[at:end] or "`" in text[at:end]:
            raise Unclear("a parameter")
        return end + 1, False
    if following in ("'", '"'):
        raise Unclear("a quote of one shell's own")
    if following and (following.isalnum() or following in "_@*#?$!-"):
        at += 2
        while following.isalpha() and at < len(text) and (text[at].isalnum() or text[at] == "_"):
            at += 1
        return at, False
    said.append("$")
    return at + 1, True


def _closing(text: str, at: int) -> int:
    """Where the parenthesis closes that was opened before `at`."""
    depth = 1
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char in "'\"":
            end = at + 1
            while end < len(text) and text[end] != char:
                end += 2 if char == '"' and text[end] == "\\" else 1
            at = end
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if not depth:
                return at
        at += 1
    raise Unclear("an open parenthesis")
