"""Globs against the real git, against brute force, and as people type them."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitqueen.model import globs

NAMES = st.text("aabb.-![]*\\? é\udcff", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
SYMBOLS = st.sampled_from(
    [
        *"aaab/-]!^é\udcff\udcc3 .",
        "/",
        "/",
        "*",
        "*",
        "**",
        "***",
        "**/",
        "**/",
        "/**/",
        "/**",
        "?",
        "\\*",
        "\\\\",
        "\\a",
    ]
    + [
        "[ab]",
        "[!a]",
        "[^b]",
        "[a-b]",
        "[b-a]",
        "[]a]",
        "[!]a]",
        "[a-]",
        "[a\\]]",
        "[[:alpha:]]",
        "[^[:alpha:]-]",
    ]
    + [
        "[é]",
        "[/a]",
        "[^/]",
        "[[:a]",
        "[--b]",
        "[\\a-\\b]",
        "[[:punct:]b]",
        "[[:nope:]]",
        "[",
        "[a",
        "\\",
        "a.b",
    ]
)
PATTERNS = st.lists(SYMBOLS, min_size=1, max_size=7).map("".join).filter(lambda glob: globs.valid(glob) is None)
SHORT = [
    path
    for length in range(1, 7)
    for path in map("".join, itertools.product("ab/", repeat=length))
    if path.strip("/") == path and "//" not in path
]
MISREAD_BY_GIT = re.compile(r"/?[^*?[\\]*[^*?[\\/]\*\*+/")
"""Stars right after the literal beginning: git compares that, drops it, and then takes the `**` for a leading one."""


class Ignoring:
    """A repository with one folder for each pattern; git says which paths its .gitignore ignores there."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.env = {"PATH": os.environ["PATH"], "HOME": str(top), "GIT_CONFIG_NOSYSTEM": "1"}
        self.git("init", "--quiet")

    def git(self, *words: str, stdin: bytes = b"") -> bytes:
        command = ["git", *words]
        done = subprocess.run(command, cwd=self.top, env=self.env, input=stdin, capture_output=True, check=False)
        assert done.returncode in (0, 1) and not done.stderr, done
        return done.stdout

    def matches(self, patterns: list[str], paths: list[str]) -> list[set[str]]:
        for number, pattern in enumerate(patterns):
            folder = self.top / str(number)
            folder.mkdir(exist_ok=True)
            (folder / ".gitignore").write_bytes(os.fsencode(line_of(pattern)))
        asked = [f"{number}/{path}" for number in range(len(patterns)) for path in paths]
        told = self.git("check-ignore", "--no-index", "--stdin", "-z", stdin=os.fsencode("\0".join(asked)))
        found: list[set[str]] = [set() for _ in patterns]
        for answer in os.fsdecode(told).split("\0")[:-1]:
            folder_name, _, path = answer.partition("/")
            found[int(folder_name)].add(path)
        return found


def line_of(pattern: str) -> str:
    """`pattern` as a line of .gitignore, where '#' and blanks at the end mean more than in a glob."""
    line = re.sub(r"\\.| (?= *\Z)", lambda found: "\\ " if found[0] == " " else found[0], pattern)
    return ("\\" if line.startswith("#") else "") + line + "\n"


@pytest.fixture(scope="module")
def ignoring(tmp_path_factory: pytest.TempPathFactory) -> Ignoring:
    return Ignoring(tmp_path_factory.mktemp("ignoring"))


@pytest.mark.parametrize(
    ("pattern", "covered", "free"),
    [
        (
            "README.md",
            ["README.md", "docs/README.md", "README.md/x"],
            ["README.mdx", "readme.md", "x.README.md"],
        ),
        ("src/a.py", ["src/a.py", "src/a.py/x"], ["x/src/a.py", "src/a.pyx", "src"]),
        ("/a", ["a", "a/b"], ["b/a"]),
        ("src/", ["src/a", "x/src/a"], ["src", "x/src", "srcs/a"]),
        ("/src/", ["src/a"], ["src", "x/src/a"]),
        ("src/**", ["src/a", "src/a/b"], ["src", "x/src/a"]),
        ("src/*", ["src/a", "src/a/b"], ["src", "x/src/a"]),
        ("src/*/", ["src/a/b"], ["src", "src/a"]),
        ("*", ["a", "a/b"], []),
        ("**", ["a", "a/b"], []),
        ("**/", ["a/b"], ["a"]),
        ("*.py", ["a.py", ".py", "x/a.py", "a.py/x"], ["a.pyc", "py"]),
        ("test_*", ["test_", "x/test_a", "test_a/x"], ["x/atest_a", "test"]),
        ("*oo*", ["foo", "x/oo", "food/x"], ["o/o"]),
        ("test_*.py", ["test_.py", "x/test_a.py"], ["test_a/b.py", "test_a.pyc"]),
        ("src/*.py", ["src/a.py", "src/a.py/x"], ["src/x/a.py", "a.py"]),
        ("src/**/*.py", ["src/a.py", "src/x/a.py", "src/x/y/a.py"], ["a.py", "src/a.pyc", "x/src/a.py"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b", "a/b/c"], ["ab", "a/xb", "x/a/b"]),
        ("**/a/b", ["a/b", "x/a/b"], ["a/x/b", "xa/b"]),
        ("a**b", ["ab", "axb", "x/ab"], ["a/b"]),
        ("x/a**b", ["x/ab", "x/axb"], ["x/a/b"]),
        ("a?c", ["abc", "a.c"], ["ac", "a/c", "aéc"]),
        ("a??c", ["aéc"], ["a/xc"]),
        ("[a-c]x", ["ax", "cx"], ["dx", "x"]),
        ("[!a-c]x", ["dx", "/dx"[1:]], ["ax", "y/cx"]),
        ("[[:digit:]]*", ["1a", "x/2"], ["a1"]),
        ("\\*", ["*", "a/*"], ["a"]),
        ("\\!a", ["!a"], ["a"]),
        ("#a ", ["#a "], ["#a"]),
        ("caf\udce9", ["caf\udce9"], ["café"]),
    ],
)
def test_a_pattern_covers(pattern: str, covered: list[str], free: list[str], ignoring: Ignoring) -> None:
    assert globs.valid(pattern) is None
    assert {path: globs.matches(pattern, path) for path in covered + free} == {
        **dict.fromkeys(covered, True),
        **dict.fromkeys(free, False),
    }
    assert ignoring.matches([pattern], covered + free) == [set(covered)]


@given(st.lists(PATTERNS, min_size=8, max_size=8), st.lists(PATHS, max_size=20))
def test_it_covers_what_git_ignores(ignoring: Ignoring, patterns: list[str], paths: list[str]) -> None:
    patterns = [pattern for pattern in patterns if not MISREAD_BY_GIT.match(pattern)]
    paths = sorted({*SHORT[:120], *paths})
    mine = [{path for path in paths if globs.matches(pattern, path)} for pattern in patterns]
    assert dict(zip(patterns, mine, strict=True)) == dict(zip(patterns, ignoring.matches(patterns, paths), strict=True))


def test_brackets_hold_the_bytes_that_gits_hold(ignoring: Ignoring) -> None:
    bytes_ = [os.fsdecode(bytes([code])) for code in range(1, 256) if chr(code) not in "/."]
    classes = re.findall(r"\w+", "alnum alpha blank cntrl digit graph lower print punct space upper xdigit")
    patterns = [f"[[:{name}:]]" for name in classes] + [
        "[!a-z]",
        "[+--]",
        "[%-\udcc3]",
        "[é]",
        "[^[:graph:]x]",
    ]
    found = [{byte for byte in bytes_ if globs.matches(pattern, byte)} for pattern in patterns]
    assert dict(zip(patterns, found, strict=True)) == dict(
        zip(patterns, ignoring.matches(patterns, bytes_), strict=True)
    )


@pytest.mark.parametrize(
    ("a", "b", "answer"),
    [
        ("src/a.py", "src/a.py", True),
        ("src/a.py", "src/b.py", False),
        ("src", "src/a.py", True),
        ("src/", "src", True),
        ("/a/", "/a", True),
        ("src/**", "docs/**", False),
        ("src/**", "*.py", True),
        ("*.py", "*.md", True),  # a.py/b.md
        ("/*.py", "/src/*.py", False),
        ("src/*.py", "src/test_*", True),
        ("a/**/z", "a/b/*/y/z", True),
        ("/a*b", "/b*a", False),
        ("/a*", "/*b", True),
        ("/[a-f]x", "/[f-z]x", True),
        ("/[a-e]x", "/[f-z]x", False),
        ("/[!a]", "/[!b]", True),
        ("/[!a]", "/a", False),
        ("/??", "/é", True),
        ("/?", "/é", False),
        ("/[![:ascii]", "/é", False),
        ("[", "[", False),
        ("!a", "*", False),
    ],
)
def test_two_patterns_meet(a: str, b: str, answer: bool) -> None:
    assert (globs.overlap(a, b), globs.overlap(b, a)) == (answer, answer)


FEW = st.sampled_from(["a", "a", "b", "/", "/", "*", "?", "[!a]", "[ab]", "**/", "/**/", "/**"])
FEW_PATTERNS = st.lists(FEW, min_size=1, max_size=3).map("".join).filter(lambda glob: globs.valid(glob) is None)
EVERY = [  # two letters tell these symbols apart, and no two such patterns need a longer path to meet
    path
    for length in range(1, 10)
    for path in map("".join, itertools.product("ab/", repeat=length))
    if path.strip("/") == path and "//" not in path
]


@settings(deadline=None)
@given(FEW_PATTERNS, FEW_PATTERNS)
def test_overlap_is_exact(a: str, b: str) -> None:
    common = any(globs.matches(a, path) and globs.matches(b, path) for path in EVERY)
    assert globs.overlap(a, b) == globs.overlap(b, a) == common


@given(PATTERNS, st.lists(PATHS))
def test_among_many_paths_it_finds_those_it_covers(pattern: str, paths: list[str]) -> None:
    glob = globs.Glob(pattern)
    assert glob.among(SHORT + paths) == [path for path in SHORT + paths if glob.matches(path)]


@given(PATTERNS)
def test_a_valid_pattern_overlaps_itself(pattern: str) -> None:
    assert globs.overlap(pattern, pattern)


@given(PATTERNS, PATTERNS, PATHS)
def test_patterns_that_cover_one_path_overlap(a: str, b: str, path: str) -> None:
    if globs.matches(a, path) and globs.matches(b, path):
        assert globs.overlap(a, b)


@given(PATTERNS, PATTERNS)
def test_overlap_does_not_depend_on_the_order(a: str, b: str) -> None:
    assert globs.overlap(a, b) == globs.overlap(b, a)


@pytest.mark.parametrize(
    ("a", "b", "answer"),
    [
        ("*a" * 2047 + "b", "*a" * 2047 + "c", True),  # xb/xc
        ("/" + "*a" * 2047, "/" + "*b" * 2047, False),  # one last letter
        ("/" + "*a" * 2047, "/" + "*b" * 2047 + "*", True),
        ("/" + "*a" * 2046 + "*b", "/" + "?" * 2045, False),  # too short
        ("/a/" + "**/a/" * 818 + "y", "/" + "a**/" * 1000 + "z", True),
        ("/" + "[ab]*" * 818, "/" + "[!ab]" * 818, False),
    ],
)
def test_hostile_patterns_are_answered(a: str, b: str, answer: bool) -> None:
    assert (globs.valid(a), globs.valid(b)) == (None, None)
    assert globs.overlap(a, b) is answer
    assert not globs.matches(a, "a" * 200 + "/z")


def test_a_full_table_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [path + "c" for path in EVERY[::29]]
    expected = [globs.Glob("a*b?c").matches(path) for path in paths]
    monkeypatch.setattr(globs._Row, "most", 2)
    assert [globs.Glob("a*b?c").matches(path) for path in paths] == expected
    assert any(expected)


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("", "'' is no glob: it names nothing ('**' is everything)"),
        ("//", "'//' is no glob: it names nothing ('**' is everything)"),
        ("a\0b", "'a\\x00b' is no glob: no path holds a NUL"),
        ("!a", "'!a' is no glob: it cannot exclude ('\\!' is an exclamation mark)"),
        ("../a", "'../a' is no glob: '.' and '..' stay at the top of the repository or lead out of it"),
        ("a/./b", "'a/./b' is no glob: '.' and '..' stay at the top of the repository or lead out of it"),
        ("a//b", "'a//b' is no glob: there is no name between two slashes"),
        (
            "a\\",
            "'a\\\\' is no glob: it ends in a bracket or a backslash ('\\[' and '\\\\' are the characters)",
        ),
        ("[a", "'[a' is no glob: it ends in a bracket or a backslash ('\\[' and '\\\\' are the characters)"),
        ("[/]", "'[/]' is no glob: no character of a name fits its bracket"),
        ("[[:nope:]]", "'[[:nope:]]' is no glob: it has an unknown class [:nope:]"),
        ("a\\/b", "'a\\\\/b' is no glob: a slash takes no backslash"),
        ("a" * 4097, f"'{'a' * 80}' is no glob: it has 4097 bytes, 4096 are allowed"),
        (
            "\ud800",
            (
                "'\\ud800' is no glob: 'utf-8' codec can't encode character '\\ud800' in position 0: "
                "surrogates not allowed"
            ),
        ),
    ],
)
def test_what_is_no_glob(pattern: str, sentence: str) -> None:
    assert globs.valid(pattern) == sentence
    assert not globs.matches(pattern, pattern)
    assert not globs.overlap(pattern, "**")


@pytest.mark.parametrize(
    ("pattern", "prefix", "result"),
    [
        ("*.py", "", "*.py"),
        ("*.py", "sub", "sub/**/*.py"),
        ("a/", "sub", "sub/**/a/"),
        ("a/b", "", "a/b"),
        ("a/b", "sub", "sub/a/b"),
        ("a/b/", "x/y", "x/y/a/b/"),
        ("/x", "sub", "/x"),
        ("/x/./y//z", "sub", "x/y/z"),
        ("./x", "sub", "sub/x"),
        ("./x", "", "/x"),
        ("../x", "sub", "/x"),
        ("../x/", "a/b", "a/x/"),
        ("../../*.py", "a/b", "/*.py"),
        (".", "sub", "/sub"),
        (".", "a/b", "a/b"),
        ("./", "sub", "/sub/"),
        (".", "", "**"),
        ("./", "", "**"),
        ("..", "sub", "**"),
        ("x", "a[1]*?\\b", "a\\[1]\\*\\?\\\\b/**/x"),
        ("x", "!sub", "\\!sub/**/x"),
        ("x/y", "!sub", "\\!sub/x/y"),
        ("./!x/y", "", "\\!x/y"),
        ("./!x", "", "/!x"),
    ],
)
def test_a_pattern_is_anchored_at_the_top(pattern: str, prefix: str, result: str) -> None:
    assert globs.anchor(pattern, prefix) == result


@pytest.mark.parametrize(
    ("pattern", "prefix", "sentence"),
    [
        ("../x", "", "'../x' is no glob: its '..' leads out of the repository or a '**'"),
        ("../../x", "sub", "'../../x' is no glob: its '..' leads out of the repository or a '**'"),
        ("/../x", "sub", "'/../x' is no glob: its '..' leads out of the repository or a '**'"),
        ("a/**/../b", "", "'a/**/../b' is no glob: its '..' leads out of the repository or a '**'"),
        ("!x", "sub", "'!x' is no glob: it cannot exclude ('\\!' is an exclamation mark)"),
        ("", "sub", "'' is no glob: it names nothing ('**' is everything)"),
        ("/", "sub", "'/' is no glob: it names nothing ('**' is everything)"),
    ],
)
def test_what_cannot_be_anchored(pattern: str, prefix: str, sentence: str) -> None:
    with pytest.raises(ValueError) as raised:
        globs.anchor(pattern, prefix)
    assert str(raised.value) == sentence


@given(PATTERNS, st.one_of(st.just(""), PATHS), PATHS)
def test_anchoring_moves_what_is_covered(pattern: str, prefix: str, path: str) -> None:
    anchored = globs.anchor(pattern, prefix)
    assert globs.valid(anchored) is None
    beneath = "" if pattern.startswith("/") or not prefix else prefix + "/"
    assert globs.matches(anchored, beneath + path) == globs.matches(pattern, path)
    assert pattern.startswith("/") or not prefix or not globs.matches(anchored, "elsewhere/" + path)


def test_a_glob_is_frozen() -> None:
    glob = globs.Glob("src/*.py")
    with pytest.raises(AttributeError, match="pattern stays"):
        glob.pattern = "**"
    assert glob.matches("src/a.py") and glob.overlaps(globs.Glob("a.py"))


def test_a_hook_pays_for_no_import() -> None:
    code = "import sys; old = set(sys.modules); import gitqueen.model.globs; print(*sorted(set(sys.modules) - old))"
    top = Path(globs.__file__).parents[2]
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=top, capture_output=True, text=True, check=True)
    assert done.stdout == "__future__ gitqueen gitqueen.model gitqueen.model.globs\n"
