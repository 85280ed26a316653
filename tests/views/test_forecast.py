"""The forecast as people and programs read it."""

from __future__ import annotations

from gitqueen.git.places import Place
from gitqueen.model import merges
from gitqueen.model.merges import Clash, Lines, Merge
from gitqueen.services.forecasting import Forecast, Party, Prediction
from gitqueen.services.predicting import Side
from gitqueen.views import forecast
from gitqueen.views.text import Palette

PLAIN = Palette(False)
PLACE = Place("/app/.git", "/app/.git", "/app", "/app", "main")
APART = Merge(merges.CLEAN)
CLASH = Merge(merges.CONFLICT, (Clash("a", "conflict", (Lines((3, 3), (4, 9)), Lines((20, 19), (30, 31)))),))


def branch(name: str) -> Party:
    return Party(name, None, Side(PLACE, f"{name:0<40}"))


def test_branches_that_conflict_are_told_with_what_to_type() -> None:
    parties = (branch("main"), branch("topic"), branch("-x y"))
    pairs = (
        Prediction("main", "topic", CLASH),
        Prediction("topic", "main", CLASH),
        Prediction("main", "-x y", APART),
        Prediction("topic", "-x y", Merge(merges.UNKNOWN, why="they have no commit in common")),
    )
    assert forecast.forecast(Forecast(parties, pairs), PLAIN) == (
        "            1 2 3\n"
        "  1  main   · ✗ ✓   main000000\n"
        "  2  topic  ✗ · ?   topic00000\n"
        "  3  -x y   ✓ ? ·   -x y000000\n"
        "  ✓ merges cleanly   ✗ conflicts   ? unknown\n"
        "\n"
        "  ✗ main and topic conflict in 1 file\n"
        "      a  lines 3 and 20 of main, lines 4-9 and 30-31 of topic\n"
        "      Look: git merge-tree main topic   Merge: git switch main && git merge topic\n"
        "\n"
        "  ? topic and -x y: they have no commit in common"
    )


def test_the_other_way_round_is_told_where_it_is_another_conflict() -> None:
    back = Merge(merges.CONFLICT, (Clash("b", "rename/delete"),))
    pairs = (Prediction("one", "two", CLASH), Prediction("two", "one", back))
    said = forecast.forecast(Forecast((branch("one"), branch("two")), pairs), PLAIN)
    assert "      if two merges: b\n" in said


def test_what_was_not_looked_at_is_named_and_nothing_is_called_free_of_conflicts() -> None:
    pair = Prediction("one", "two", APART, ("large.bin", "so\x1b[31m"))
    said = forecast.forecast(Forecast((branch("one"), branch("two")), (pair,)), PLAIN)
    assert said.splitlines()[-3:] == [
        "      not looked at (large, unreadable or not merged yet): large.bin, so\\x1b[31m",
        "",
        "no conflict is known",
    ]
    assert forecast.shape(Forecast((), (pair,)))[0]["files"] == [
        {"path": "large.bin", "verdict": "unknown", "lines": None},
        {"path": "so\x1b[31m", "verdict": "unknown", "lines": None},
    ]


def test_more_than_fits() -> None:
    parties = tuple(branch(f"branch-{number:02}") for number in range(40))
    many = Merge(merges.CONFLICT, tuple(Clash(f"file-{number:02}", "binary") for number in range(12)))
    pairs = [
        Prediction(one.name, other.name, many if (one, other) == parties[:2] else APART)
        for place, one in enumerate(parties)
        for other in parties[place + 1 :]
    ]
    said = forecast.forecast(Forecast(parties, tuple(pairs)), Palette(False, 80)).splitlines()
    assert said[0] == "40 compared, 780 pairs: a table of them is wider than 80 columns"
    assert said[2:5] == [
        "  ✗ branch-00 and branch-01 conflict in 12 files",
        "      file-00  binary",
        "      file-01  binary",
    ]
    assert said[13] == "      and 2 more: --json"
    wide = forecast.forecast(Forecast(parties, tuple(pairs)), Palette(False, 160)).splitlines()
    assert len(wide[1]) <= 160 and wide[1].startswith("   1  branch-00   ·  ✗  ✓")


def test_a_hint_is_marked_as_one() -> None:
    pair = Prediction("one", "two", Merge(merges.CLEAN, hint=True))
    report = Forecast((branch("one"), branch("two")), (pair,))
    assert "  only a hint, from libgit2: git 2.39 or newer" in forecast.forecast(report, PLAIN)
    assert forecast.shape(report)[0]["hint"] is True


def test_nobody_else() -> None:
    alone = forecast.forecast(Forecast((branch("one"),), ()), PLAIN)
    assert alone == "nobody else works here   (two branches: gitqueen conflicts --predict main feature)"
