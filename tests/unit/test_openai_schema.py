"""The check against OpenAI's schema finds what is wrong and says where."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.openai_schema import assert_valid
from tests.schema_unions import validator_of

PART = {"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}
ITEM = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [PART]}


def test_what_is_valid_passes() -> None:
    assert_valid(ITEM, "OutputItem")


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        ({"error": {"type": "t", "message": "m", "param": None}}, "ErrorResponse", r"\$\.error: 'code' is a required"),
        (
            {**ITEM, "content": [{**PART, "text": 3}]},
            "OutputItem",
            r"\$\.content\[0\]\.text: 3 is not of type 'string'",
        ),
        ({**ITEM, "type": "nonsense"}, "OutputItem", r"OutputItem at \$: .* is not valid under any"),
        ({"type": "response.created", "response": 1}, "ResponseStreamEvent", r"'sequence_number' is a required"),
        ("x", "Embedding", r"\$: 'x' is not of type 'object'"),
    ],
)
def test_what_is_not_valid_is_named(value: Any, name: str, expected: str) -> None:
    with pytest.raises(AssertionError, match=expected):
        assert_valid(value, name)


def test_an_unknown_schema_is_not_taken_for_one_that_allows_all() -> None:
    with pytest.raises(KeyError):
        assert_valid({}, "NoSuchSchema")


UNION = {
    "oneOf": [
        {"properties": {"type": {"enum": ["a"]}}, "required": ["x"]},
        {"$ref": "#/$defs/also"},
        {"properties": {"type": {"const": "b"}, "y": {"type": "string"}}},
        {"type": "string"},
    ],
    "$defs": {"also": {"properties": {"type": {"enum": ["a", "c"]}, "y": {"type": "integer"}}}},
}


@pytest.mark.parametrize("keyword", ["oneOf", "anyOf"])
@pytest.mark.parametrize(
    "value",
    [
        {"type": "a", "x": 1},  # of two names
        {"type": "a"},
        {"type": "c", "y": "no number"},
        {"type": "b", "y": 3},
        {"type": "b", "y": "text"},
        {"type": "d"},
        {"type": ["a"]},
        {"type": None},
        {},
        "text",
        3,
    ],
)
def test_a_unions_verdict_is_that_of_all_its_branches(keyword: str, value: Any) -> None:
    schema = {keyword: UNION["oneOf"], "$defs": UNION["$defs"]}
    found, expected = (
        [(error.message, error.json_path, [inner.message for inner in error.context or ()]) for error in errors]
        for errors in (validator_of(schema).iter_errors(value), Draft202012Validator(schema).iter_errors(value))
    )
    assert found == expected
