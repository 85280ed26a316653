"""The command `benchmarks/run`: what to run, the table on the screen and in the README, and the verdict.

Names no host and no path: the table is published.
"""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from benchmarks import allpairs, doors, hive, hooks, measuring, merges, mirrors, quiet, rescue, scan, senses
from benchmarks.measuring import Row
from benchmarks.stage import GITQUEEN

BENCHMARKS = {
    **hive.BENCHMARKS, **hooks.BENCHMARKS, **mirrors.BENCHMARKS, **doors.BENCHMARKS, **senses.BENCHMARKS,
    **scan.BENCHMARKS, **rescue.BENCHMARKS,
}  # fmt: skip
# These take repositories: `merges PATH...`.
OF_PATHS = {"merges-speed": allpairs.rows, "merges-quiet": quiet.rows}
HEADS = ("what", "floor", "gitqueen", "p95", "floor's", "ratio", "pairwise", "budget", "")
README = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "README.md")
MARKS = "<!-- {0}:begin -->", "<!-- {0}:end -->"


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks/run", description="Measure gitqueen against named floors.")
    kinds = " ".join(("merges", *OF_PATHS))
    known = f"all, or some of: {' '.join(BENCHMARKS)}; or one of {kinds}, and repositories"
    parser.add_argument("names", nargs="*", metavar="NAME", help=known)
    parser.add_argument("--number", type=int, metavar="N", help="merges, commits or branches of each repository")
    parser.add_argument("--write-readme", action="store_true", help="put the table into README.md")
    said = parser.parse_args(argv)
    if not os.access(GITQUEEN, os.X_OK):
        parser.error("gitqueen is not installed beside this interpreter: run benchmarks/run")
    if said.names and said.names[0] in ("merges", *OF_PATHS):
        kind, *paths = said.names
        if not paths:
            parser.error(f"which repositories? benchmarks/run {kind} PATH...")
        return _merges(paths, said) if kind == "merges" else _rows(OF_PATHS[kind](paths, said.number))[1]
    if unknown := [name for name in said.names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are: {' '.join(BENCHMARKS)}")
    if said.names and said.write_readme:
        parser.error("the README shows all benchmarks: --write-readme takes no names")
    rows, code = _rows(row for name in said.names or BENCHMARKS for row in BENCHMARKS[name]())
    if said.write_readme:
        print(written(README, "benchmarks", f"{markdown(HEADS, 2, map(cells, rows))}\n\n{machine()}"))
    return code


def _rows(rows: Iterable[Row]) -> tuple[list[Row], int]:
    """Each row is printed as soon as it is known; all of them, and the exit code."""
    print(_line(HEADS))
    shown = []
    for row in rows:
        print(_line(cells(row)), flush=True)
        shown.append(row)
    print(f"\n{machine()}")
    return shown, 0 if all(row.ok for row in shown) else 1


def _merges(paths: Sequence[str], said: argparse.Namespace) -> int:
    found = list(merges.scores(paths, said.number))
    table = markdown(merges.HEADS, 1, map(merges.cells, found))
    print(table)
    for line in (line for score in found for line in merges.wrong(score)):
        print(line)
    if said.write_readme:
        print(written(README, "merges", table))
    return 0 if all(score.ok for score in found) else 1


def cells(row: Row) -> tuple[str, ...]:
    """The texts of one row, in the order of `HEADS`."""
    return (
        row.name,
        row.floor,
        seconds(statistics.median(row.ours)) if row.ours else "",
        seconds(measuring.high(row.ours)) if row.ours else "",
        seconds(statistics.median(row.floors)) if row.floors else "",
        row.answer,
        row.pairwise,
        row.budget,
        "ok" if row.ok else "OVER",
    )


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms"


def _line(texts: Sequence[str]) -> str:
    widths = (52, 27, 9, 9, 9, 7, 8, 14, 4)
    first, second, *numbers = (
        text.ljust(width) if at < 2 else text.rjust(width)
        for at, (text, width) in enumerate(zip(texts, widths, strict=True))
    )
    return " ".join((first, second, *numbers)).rstrip()


def markdown(heads: Sequence[str], texts: int, rows: Iterable[Sequence[str]]) -> str:
    """A table whose first `texts` columns are words; the others are numbers, and a last one without a head a word."""
    lines = ["---"] * texts + ["---:" if head else "---" for head in heads[texts:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, lines, *rows))


def machine() -> str:
    """The machine, as far as it matters to the numbers."""
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    return (
        f"Medians of one run on {len(os.sched_getaffinity(0))} cores ({platform.machine()}), "
        f"Python {platform.python_version()}, git {git}, SQLite {sqlite3.sqlite_version}, "
        f"{datetime.now(UTC):%Y-%m-%d}; "
        "ratio: of the medians; pairwise: median of the ratios of pairs run in turn."
    )


def written(path: str, name: str, table: str) -> str:
    """Put `table` between the markers `name` of the file `path`; what became of it, as a sentence."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return "README.md is missing: the table was not written"
    first, last = (mark.format(name) for mark in MARKS)
    head, begin, rest = text.partition(first)
    _, end, tail = rest.partition(last)
    if not begin or not end:
        return f"README.md has no {first} ... {last}: the table was not written"
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{head}{first}\n{table}\n{last}{tail}")
    return "README.md has the table"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
