"""Messages in LangChain's form, drawn and read."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from langchain_core.messages import (
    BaseMessage,
    messages_from_dict,
)

texts = st.sampled_from(["", "こんにちは、渡辺直美さん！", "a\nb\r\n\tc", "👩‍👩‍👧", '\x00\u2028"\\']) | st.text(
    max_size=20
)
names = st.sampled_from(["type", "text", "id", "status", "value", "url", "x"]) | st.text(max_size=4)
numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
json_objects = st.dictionaries(names, json_values, max_size=4)
text_types = st.sampled_from(["input_text", "output_text", "text", "summary_text", "reasoning_text"])
details = st.sampled_from(["auto", "low", "high"])


def some(required: dict[str, st.SearchStrategy[Any]], **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(required, optional=optional)


parts = st.one_of(
    some({"type": text_types, "text": texts}, annotations=st.lists(json_objects, max_size=2), logprobs=st.just([])),
    some({"type": st.just("input_image"), "image_url": texts}, detail=details, file_id=st.none()),
    some({"type": st.just("image_url"), "image_url": json_values}),
    some({"type": st.just("refusal"), "refusal": texts}),
    some({"type": st.just("input_file"), "filename": texts, "file_data": texts}),
    some({"type": st.just("non_standard"), "value": json_values}),
    some({"type": texts}, x=json_values, value=json_values),
)


def read(elements: list[str]) -> list[BaseMessage]:
    """As LangChain's history classes read a list."""
    return messages_from_dict([json.loads(text) for text in elements])
