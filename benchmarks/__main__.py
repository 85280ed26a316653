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
from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks import doors, hive, hooks, measuring, mirrors, rescue, scan, senses
from benchmarks.measuring import Row
from benchmarks.stage import GITQUEEN

BENCHMARKS = {
    **hive.BENCHMARKS, **hooks.BENCHMARKS, **mirrors.BENCHMARKS, **doors.BENCHMARKS, **senses.BENCHMARKS,
    **scan.BENCHMARKS, **rescue.BENCHMARKS,
}  # fmt: skip
HEADS = ("what", "floor", "gitqueen", "p95", "floor's", "ratio", "pairwise", "budget", "")
README = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "README.md")
BEGIN, END = "<!-- benchmarks:begin -->", "<!-- benchmarks:end -->"


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks/run", description="Measure gitqueen against named floors.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all, or some of: {' '.join(BENCHMARKS)}")
    parser.add_argument("--write-readme", action="store_true", help="put the table into README.md")
    said = parser.parse_args(argv)
    if unknown := [name for name in said.names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are: {' '.join(BENCHMARKS)}")
    if said.names and said.write_readme:
        parser.error("the README shows all benchmarks: --write-readme takes no names")
    if not os.access(GITQUEEN, os.X_OK):
        parser.error("gitqueen is not installed beside this interpreter: run benchmarks/run")
    rows = _measured(said.names or list(BENCHMARKS))
    print(f"\n{machine()}")
    if said.write_readme:
        print(written(README, markdown(rows)))
    return 0 if all(row.ok for row in rows) else 1


def _measured(names: Sequence[str]) -> list[Row]:
    """Each row is printed as soon as it is known."""
    print(_line(HEADS))
    rows = []
    for name in names:
        for row in BENCHMARKS[name]():
            print(_line(cells(row)), flush=True)
            rows.append(row)
    return rows


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


def markdown(rows: Sequence[Row]) -> str:
    lines = [HEADS, ("---", "---", *("---:",) * 6, "---"), *(cells(row) for row in rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{table}\n\n{machine()}"


def machine() -> str:
    """The machine, as far as it matters to the numbers."""
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    return (
        f"Medians of one run on {len(os.sched_getaffinity(0))} cores ({platform.machine()}), "
        f"Python {platform.python_version()}, git {git}, SQLite {sqlite3.sqlite_version}, "
        f"{datetime.now(UTC):%Y-%m-%d}; "
        "ratio: of the medians; pairwise: median of the ratios of pairs run in turn."
    )


def written(path: str, table: str) -> str:
    """Put `table` between the markers of the file `path`; what became of it, as a sentence."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return "README.md is missing: the table was not written"
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        return f"README.md has no {BEGIN} ... {END}: the table was not written"
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{head}{BEGIN}\n{table}\n{END}{tail}")
    return "README.md has the table"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
