"""The check against OpenAI's schema finds what is wrong and says where."""

from __future__ import annotations

from typing import Any

import pytest

from tests.openai_schema import assert_valid

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
