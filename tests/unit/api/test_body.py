"""A body is read alike by every Python, whatever it says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.api import parse_json
from chat_core.api.body import DEPTH_LIMIT
from chat_core.errors import InvalidRequest

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('añ日👋\\"[]{}'),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('ab"[{', max_size=3), inner, max_size=4),
    max_leaves=20,
)


def refused(text: str) -> tuple[str | None, str]:
    with pytest.raises(InvalidRequest) as caught:
        parse_json(text)
    return caught.value.param, caught.value.code


def nested(levels: int, *, closed: bool = True) -> str:
    return "[" * levels + "]" * levels * closed


@given(JSON, st.booleans())
def test_json_is_read_as_json(value: Any, ascii_only: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only)) == value


@pytest.mark.parametrize("levels", [DEPTH_LIMIT, 300, 5_000, 50_000])
@pytest.mark.parametrize("closed", [True, False])
def test_what_is_nested_too_deep_is_named(levels: int, closed: bool) -> None:
    assert refused(f'{{"shallow":"]]","a\\"b":{nested(levels, closed=closed)}}}') == ('a\\"b', "invalid_json")


def test_the_deepest_that_is_read() -> None:
    deep: dict[str, list[Any]] = parse_json(f'{{"a":{nested(DEPTH_LIMIT - 1)}}}')
    assert json.dumps(deep["a"]) == nested(DEPTH_LIMIT - 1)


def test_brackets_in_texts_are_no_levels() -> None:
    text = "[{" * 1_000 + '\\"'
    assert parse_json(json.dumps({"a": text, text: 1})) == {"a": text, text: 1}


def test_many_side_by_side_are_not_deep() -> None:
    assert parse_json(f'{{"a":[{",".join(["[{}]"] * 1_000)}]}}') == {"a": [[{}]] * 1_000}


@pytest.mark.parametrize("number", ["1e999", "-1e400", "9" * 309, "9" * 5_000, "1" + "0" * 400 + ".5"])
def test_a_number_that_no_double_holds_is_named(number: str) -> None:
    assert refused(f'{{"a":[{{"b":{number}}}]}}') == ("a[0].b", "invalid_value")


def test_numbers_stay_what_they_are() -> None:
    digits = "1" * 308
    assert parse_json(f"[1e308,-0,{digits},-{digits}]") == [1e308, 0, int(digits), -int(digits)]


@pytest.mark.parametrize(
    "text", ["", "{", "nul", "[1,]", "NaN", "-Infinity", '{"a":1} x', '"' * 100_001, nested(50) + "]"]
)
def test_what_is_no_json_names_nothing(text: str) -> None:
    assert refused(text) == (None, "invalid_json")
