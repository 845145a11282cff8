"""The values that the stand-in model makes for a JSON Schema."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from local.model.schema_values import smallest_value
from local.model.tool_use import QuestionValues


def _numbers(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    low, width = st.integers(-50, 50), st.integers(2, 30)
    bounds = st.builds(
        lambda start, size, keys: {key: start if "Min" in key or "min" in key else start + size for key in keys},
        low,
        width,
        st.sampled_from(
            [("minimum",), ("maximum",), ("minimum", "maximum"), ("exclusiveMinimum", "exclusiveMaximum"), ()]
        ),
    )
    return bounds.map(lambda found: {"type": kind, **found})


_STRINGS = st.one_of(
    st.builds(
        lambda low, more: {"type": "string", "minLength": low, "maxLength": low + more}, *[st.integers(0, 60)] * 2
    ),
    st.sampled_from(
        [
            {"type": "string"},
            {"type": "string", "format": "date"},
            {"type": "string", "pattern": "^[0-9]{3}$"},
            {"type": "string", "pattern": "^[a-z]+$"},
            {"type": "string", "enum": ["b", "a"]},
            {"const": "fixed"},
        ]
    ),
)
_LEAVES = st.one_of(
    _STRINGS,
    _numbers("integer"),
    _numbers("number"),
    st.integers(1, 9).map(lambda step: {"type": "integer", "multipleOf": step, "minimum": 10}),
    st.sampled_from(
        [{"type": "boolean"}, {"type": "null"}, {"type": ["string", "null"]}, {}, {"$ref": "#/$defs/node"}]
    ),
)
_NODE = {
    "type": "object",
    "properties": {"value": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
    "required": ["value", "next"],
}


def _nested(schemas: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    objects = st.dictionaries(st.sampled_from("abcde"), schemas, max_size=3).map(
        lambda properties: {
            "type": "object",
            "properties": properties,
            "required": list(properties)[:2],
            "additionalProperties": False,
        }
    )
    arrays = st.builds(
        lambda items, count: {"type": "array", "items": items, "minItems": count}, schemas, st.integers(0, 3)
    )
    return st.one_of(
        objects,
        arrays,
        st.lists(schemas, min_size=1, max_size=2).map(lambda branches: {"anyOf": branches}),
        schemas.map(lambda part: {"allOf": [part], "description": "x"}),
    )


@given(st.recursive(_LEAVES, _nested, max_leaves=8), st.text(max_size=30), st.lists(st.integers(-99, 99), max_size=3))
def test_a_smallest_value_validates(schema: dict[str, Any], text: str, numbers: list[int]) -> None:
    whole = {**schema, "$defs": {"node": _NODE}}
    value = smallest_value(whole, QuestionValues(f"{text} {numbers}"))
    Draft202012Validator(whole).validate(value)


def test_a_schema_without_a_finite_value_ends() -> None:
    endless = {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}}}}
    endless["$defs"]["a"]["required"] = ["a"]  # type: ignore[index]
    assert smallest_value(endless, QuestionValues("")) == {}


def test_a_pattern_that_python_does_not_read_is_left() -> None:
    assert smallest_value({"type": "string", "pattern": r"^\p{L}+$"}, QuestionValues("a")) == "a"


def test_a_number_may_be_of_any_length() -> None:
    assert smallest_value({"type": "integer"}, QuestionValues("9" * 400)) == 10**15 - 1
