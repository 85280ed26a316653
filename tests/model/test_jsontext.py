"""JSON as text: what is put in stands as its neighbours do, what is taken out leaves no trace, nothing else moves."""

from __future__ import annotations

import json
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitqueen.model import jsontext
from gitqueen.model.jsontext import NoJson, Unfit

TALL = textwrap.dedent("""\
    {
        "b": 1.50e3,  "a": "\\u00e9 \\/",
        "hooks": {
            "Stop": [
                {"x": 1},
                {"x": 2}
            ],
            "Other": []
        }
    }
    """)


def test_an_item_goes_behind_the_last_as_its_neighbours_are_written() -> None:
    said = jsontext.appended(TALL, ("hooks", "Stop"), {"y": "é"})
    there = '            {"x": 2}'
    assert said == TALL.replace(there, there + ',\n            {\n                "y": "é"\n            }')


def test_what_lacks_on_the_way_is_made() -> None:
    said = jsontext.appended(TALL, ("hooks", "Start"), 7)
    assert said == TALL.replace('"Other": []', '"Other": [],\n        "Start": [\n            7\n        ]')


def test_an_empty_list_is_opened_and_closed_again() -> None:
    said = jsontext.appended(TALL, ("hooks", "Other"), 7)
    assert said == TALL.replace('"Other": []', '"Other": [\n            7\n        ]')
    assert jsontext.removed(said, ("hooks", "Other", 0)) == TALL


@pytest.mark.parametrize(
    ("text", "path", "after"),
    [
        ("", ("a",), '{\n  "a": [\n    7\n  ]\n}\n'),
        ("\ufeff", ("a",), '\ufeff{\n  "a": [\n    7\n  ]\n}\n'),
        ("{}", ("a",), '{\n  "a": [\n    7\n  ]\n}'),
        ("{}\r\n", ("a",), '{\r\n  "a": [\r\n    7\r\n  ]\r\n}\r\n'),
        ('{"b":1}', ("a",), '{"b":1,"a":[7]}'),
        ('{"b": 1}\n', ("a",), '{"b": 1, "a": [7]}\n'),
        ('{"a":[1,2]}', ("a",), '{"a":[1,2,7]}'),
        ('{"a": [1,2]}', ("a",), '{"a": [1,2,7]}'),
        ('{\n\t"b": 1\n}', ("a", "c"), '{\n\t"b": 1,\n\t"a": {\n\t\t"c": [\n\t\t\t7\n\t\t]\n\t}\n}'),
        ('{"a":[1],"a":[2]}', ("a",), '{"a":[1],"a":[2,7]}'),
        ('{"a\\"]":[1]}', ('a"]',), '{"a\\"]":[1,7]}'),
        ('{"x":"}]\\\\","a":[]}', ("a",), '{"x":"}]\\\\","a":[7]}'),
    ],
)
def test_every_style_is_kept(text: str, path: tuple[str, ...], after: str) -> None:
    assert jsontext.appended(text, path, 7) == after
    assert jsontext.load(after) == json.loads(after.removeprefix("\ufeff"))


def test_a_member_is_replaced_in_its_place() -> None:
    said = jsontext.put(TALL, ("hooks", "Stop", 0), [1])
    assert said == TALL.replace('{"x": 1}', "[\n                1\n            ]")
    assert jsontext.put('{"a":1,"b":2}', ("a",), {"c": None}) == '{"a":{"c":null},"b":2}'
    assert jsontext.put('{"a":1}', ("b",), True) == '{"a":1,"b":true}'


def test_what_is_not_there_is_not_removed() -> None:
    for path in (("c",), ("hooks", "Stop", 2), ("b", "x"), ("hooks", "Stop", "x")):
        assert jsontext.removed(TALL, path) == TALL


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{\n  "a": 1, // mine\n}', "line 2, column 11: comments are no JSON"),
        ('{\n  /* b */ "a": 1}', "line 2, column 3: comments are no JSON"),
        ('{"a": 1,\n}', "line 1, column 8: a comma with nothing behind it is no JSON"),
        ('{"a": [1, 2, ]}', "line 1, column 12: a comma with nothing behind it is no JSON"),
        ('{"a": NaN}', "line 1, column 7: NaN is no JSON"),
        ('{"a": 1', "line 1, column 8: Expecting ',' delimiter"),
        ('{"a": 1} x', "line 1, column 10: Extra data"),
        ("[" * 100_000, "line 1, column 1: it is nested too deeply"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(text: str, why: str) -> None:
    with pytest.raises(NoJson) as caught:
        jsontext.load(text)
    assert str(caught.value) == why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "the whole is an array, not an object"),
        ("null", "the whole is null, not an object"),
        ('{"hooks": null}', "hooks is null, not an object"),
        ('{"hooks": {"Stop": "x"}}', "hooks.Stop is a string, not an array"),
        ('{"hooks": {"Stop": {}}}', "hooks.Stop is an object, not an array"),
        ('{"hooks": 1}', "hooks is a number, not an object"),
    ],
)
def test_what_stands_in_the_way_is_named(text: str, why: str) -> None:
    with pytest.raises(Unfit) as caught:
        jsontext.appended(text, ("hooks", "Stop"), 1)
    assert str(caught.value) == why


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
_objects = st.dictionaries(st.sampled_from("abcd"), _values, max_size=4)
_styles = st.sampled_from([{"indent": 2}, {"indent": "\t"}, {"indent": 4, "ensure_ascii": False}, {}, {"indent": 0}])


@given(_objects, _styles, _values, st.sampled_from(["\n", "\r\n"]))
def test_what_is_added_is_there_and_taking_it_out_leaves_no_trace(
    said: dict[str, object], style: dict[str, object], new: object, newline: str
) -> None:
    text = json.dumps({**said, "list": [1]}, **style).replace("\n", newline) + newline  # type: ignore[arg-type]
    longer = jsontext.appended(text, ("list",), new)
    assert jsontext.load(longer) == {**said, "list": [1, new]}
    assert jsontext.removed(longer, ("list", 1)) == text
    longer = jsontext.put(text, ("zz",), new)
    assert jsontext.load(longer) == {**said, "list": [1], "zz": new}
    assert jsontext.removed(longer, ("zz",)) == text
