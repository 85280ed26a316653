"""The replay of real merges (`benchmarks/run merges PATH`) counts what it claims to count."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.merges import Merge, Tally
from tests.hive import Repo, Runner

ROOT = Path(__file__).parent.parent
TABLE = """\
| repository | merges | in conflict | files in conflict | recall | precision | uncommitted: recall | precision \
| same file: recall | precision | libgit2: recall | precision |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| app | 2 | 1 | 1 | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 | 0.500 | 1.000 | 1.000 |
app: left out: {merge} git refuses to merge what has no commit in common
"""


def test_a_conflict_a_clean_merge_and_one_that_cannot_be_replayed(repo: Callable[..., Repo], run: Runner) -> None:
    lines = "".join(f"{number}\n" for number in range(20))
    app = repo("app", {"both": lines, "hard": lines})
    app.git("checkout", "-q", "-b", "topic")
    app.commit("hers", {"both": lines + "hers\n", "hard": f"hers\n{lines}"})
    app.git("checkout", "-q", "main")
    app.commit("mine", {"both": f"mine\n{lines}", "hard": f"mine\n{lines}"})
    run("git", "merge", "-q", "topic", cwd=app)
    app.git("add", "-A")
    app.commit("a merge with conflicts")
    app.git("checkout", "-q", "-b", "side", "HEAD^")
    app.commit("apart", {"apart": "apart\n"})
    app.git("checkout", "-q", "main")
    app.git("merge", "-q", "--no-edit", "side")
    app.git("checkout", "-q", "--orphan", "new")
    app.git("rm", "-rfq", ".")
    app.commit("another beginning", {"alien": "alien\n"})
    app.git("checkout", "-q", "main")
    app.git("merge", "-q", "--no-edit", "--allow-unrelated-histories", "new")

    done = run(sys.executable, "-m", "benchmarks", "merges", app, cwd=ROOT)

    assert done.stdout == TABLE.format(merge=app.head), done.stderr
    assert done.returncode == 0


def test_what_is_false_and_what_is_missed_is_named_and_counted() -> None:
    tally, merge = Tally(), Merge("m", "a", "b")
    tally.add(merge, [("one",), ("new", "old"), ("false",)], {"one", "old", "new", "missed"})

    assert (tally.false, tally.missed) == (["m 'false'"], ["m 'missed'"])
    assert (tally.recall, tally.precision) == (3 / 4, 2 / 3)
