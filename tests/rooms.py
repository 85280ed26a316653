"""The map of the rooms in CONTRIBUTING.md, made from the room cards (module docstrings) so that it cannot lie.

`python tests/rooms.py --check` says whether it is current, `--write` makes it so. The order is that of the layers in
`.importlinter`: imports go down only.
"""

from __future__ import annotations

import ast
import configparser
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
PACKAGE = CHECKOUT / "gitqueen"
CONTRIBUTING = CHECKOUT / "CONTRIBUTING.md"
BEGIN, END = "<!-- map:begin -->", "<!-- map:end -->"


@dataclass(frozen=True, slots=True)
class Module:
    """One module, as its card describes it."""

    path: str
    """Relative to the package, with slashes: `store/claims.py`."""
    card: str
    """Its docstring, or nothing."""
    lines: int

    @property
    def room(self) -> str:
        return self.path.partition("/")[0].removesuffix(".py")

    @property
    def sentence(self) -> str:
        """The first sentence of the card, without its full stop."""
        first = " ".join(self.card.partition("\n\n")[0].split())
        return re.split(r"\.(?=\s|$)", first, maxsplit=1)[0].removesuffix(":")


def modules() -> Iterator[Module]:
    """Every module of the package, sorted by path."""
    for file in sorted(PACKAGE.rglob("*.py")):
        text = file.read_text("utf-8")
        card = ast.get_docstring(ast.parse(text)) or ""
        yield Module(file.relative_to(PACKAGE).as_posix(), card, text.count("\n"))


def layers() -> list[str]:
    """The rooms from top to bottom, as the import contract has them."""
    contract = configparser.ConfigParser()
    contract.read(CHECKOUT / ".importlinter", "utf-8")
    return re.findall(r"\w+", contract["importlinter:contract:rooms"]["layers"])


def drawn() -> str:
    """The map, as Markdown."""
    order = layers()
    found = [m for m in modules() if m.room in order]
    lines = []
    for room in sorted({m.room for m in found}, key=order.index):
        for m in sorted(
            (m for m in found if m.room == room), key=lambda m: (not m.path.endswith("/__init__.py"), m.path)
        ):
            if m.path.endswith("/__init__.py"):
                lines.append(f"- **`{room}/`** {m.sentence}")
            elif "/" in m.path:
                lines.append(f"  - `{os.path.basename(m.path).removesuffix('.py')}` {m.sentence}")
            else:
                lines.append(f"- **`{m.path}`** {m.sentence}")
    return "\n".join(lines)


def with_map(text: str) -> str:
    """`text` with the current map between its markers."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"CONTRIBUTING.md has no {BEGIN} ... {END}")
    return f"{head}{BEGIN}\n{drawn()}\n{END}{tail}"


def main(argv: Sequence[str]) -> int:
    if list(argv) not in (["--check"], ["--write"]):
        print("usage: python tests/rooms.py --check | --write", file=sys.stderr)
        return 2
    text = CONTRIBUTING.read_text("utf-8")
    current = with_map(text)
    if argv == ["--write"]:
        CONTRIBUTING.write_text(current, "utf-8")
    elif current != text:
        print(
            "the map in CONTRIBUTING.md is not what the room cards say: python tests/rooms.py --write", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
