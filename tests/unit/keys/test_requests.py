"""Which requests are the same, and which have no key."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from chat_core.keys import Uncacheable
from chat_core.keys.cached import normalised_base_url
from chat_core.keys.canonical import canonical_value
from tests.unit.keys.bodies import BODY, key, key_of_schema, key_with


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"seed": 1}, {"seed": 1.0}),
        ({"seed": 0}, {"seed": -0.0}),
        ({"seed": 10**22}, {"seed": 1e22}),
        ({"x": [1, "a"]}, {"x": (1, "a")}),
        ({"logit_bias": {7: 1, 50256: -100}}, {"logit_bias": {"50256": -100, "7": 1}}),
        ({"tool_choice": "auto"}, {}),
        ({"prompt_cache_options": {"mode": "explicit"}}, {}),
        ({"memory": {"policy": "buffer"}, "omoide": {}, "conversation": "c"}, {}),
        ({"timeout": 3, "extra_headers": {"a": "b"}, "extra_query": {}}, {}),
        ({"extra_body": {"top_k": 5, "user": "x"}}, {"top_k": 5}),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "q"}]}]}, {}),
        ({"messages": [{"role": "user", "content": "q", "name": None}]}, {}),
        ({"messages": ({"role": "user", "content": ({"type": "text", "text": "q"},)},)}, {}),
    ],
)
def test_the_same_request(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert key_with(**a) == key_with(**b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"seed": 100}, {"seed": "100"}),
        ({"seed": 2**53}, {"seed": 2**53 + 1}),
        ({"n": True}, {}),
        ({"n": "1"}, {}),
        ({"x": [None]}, {"x": []}),
        ({"x": {"a": None}}, {"x": {}}),
        ({"x": []}, {}),
        ({"x": {}}, {"x": []}),
        ({"stop": "END", "seed": 0}, {"stop": "ENDseed: 0"}),
        ({"guided_choice": ["yes"]}, {"guided_choice": ["no"]}),
        ({"extra_body": {"guided_choice": ["yes"]}}, {"extra_body": {"guided_choice": ["no"]}}),
        ({"extra_body": "text"}, {}),
        ({"prediction": {"type": "content", "content": "a"}}, {}),
        ({"response_format": {"type": "json_object"}}, {}),
        ({"messages": [{"role": "user", "content": ""}]}, {"messages": [{"role": "user", "content": None}]}),
        ({"messages": []}, {"messages": None}),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}] * 2}]},
            {"messages": [{"role": "user", "content": "aa"}]},
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "q", "x": 1}]}]},
            {"messages": [{"role": "user", "content": "q"}]},
        ),
        # a cache marker is one on a content part only
        ({"cache_control": {"type": "ephemeral"}}, {}),
        ({"messages": [{"role": "user", "content": "q", "cache_control": {"type": "ephemeral"}}]}, {}),
        (
            {"messages": [{"role": "user", "content": "\ud83d\ude00"}]},
            {"messages": [{"role": "user", "content": "😀"}]},
        ),
        ({"messages": [{"role": "user", "content": "\ud83d"}]}, {"messages": [{"role": "user", "content": "?"}]}),
        ({"messages": [{"x": [{"type": "text", "text": "q"}]}]}, {"messages": [{"x": "q"}]}),
        ({"messages": [{"role": "user", "content": "2²"}]}, {"messages": [{"role": "user", "content": "22"}]}),
    ],
)
def test_another_request(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert key_with(**a) != key_with(**b)


@pytest.mark.parametrize("content", ["q", "", "\ud83d", "x" * 16_383, "x" * 16_384])
@pytest.mark.parametrize("item", [{}, {"type": "message"}])
def test_the_short_way_of_writing_a_message_is_the_long_one(content: str, item: dict[str, Any]) -> None:
    message = {**item, "role": "user", "content": content}
    assert key_with(messages=[message]) == key_with(messages=[{**message, "name": None}])


def test_large_texts_are_told_apart() -> None:
    texts = ["x" * size for size in (16_383, 16_384, 16_385)] + ["x" * 16_383 + "y", "x" * 16_383 + "\ud83d"]
    assert len({key_with(messages=[{"role": "user", "content": text}]) for text in texts}) == len(texts)
    assert len({key_with(x={"url": text}) for text in texts}) == len(texts)
    assert len({canonical_value(text) for text in texts}) == len(texts)


FIRST, SECOND = {"type": "string"}, {"enum": ["x", None], "default": None}


def test_the_order_of_properties_counts_at_every_depth() -> None:
    ordered = {"type": "object", "properties": {"a": FIRST, "b": SECOND}}
    turned = {"type": "object", "properties": {"b": SECOND, "a": FIRST}}
    for wrap in (
        lambda schema: schema,
        lambda schema: {"properties": {"x": schema}},
        lambda schema: {"$defs": {"x": schema}},
        lambda schema: {"definitions": {"properties": schema}},
        lambda schema: {"patternProperties": {"^x": schema}},
        lambda schema: {"items": {"anyOf": [schema, {"type": "null"}]}},
    ):
        assert key_of_schema(wrap(ordered)) != key_of_schema(wrap(turned))
    for place in (
        lambda schema: {"tools": [{"type": "function", "name": "f", "parameters": schema}]},
        lambda schema: {"functions": [{"name": "f", "parameters": schema}]},
        lambda schema: {"response_format": {"type": "json_schema", "json_schema": {"schema": schema}}},
        lambda schema: {"text": {"format": {"type": "json_schema", "schema": schema}}},
        lambda schema: {"guided_json": schema},  # a field that nobody here knows
    ):
        assert key_with(**place(ordered)) != key_with(**place(turned))


def test_the_order_of_keywords_does_not_count() -> None:
    assert key_of_schema({"type": "object", "required": ["a"]}) == key_of_schema({"required": ["a"], "type": "object"})
    for named in ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas"):
        # a property, definition or pattern that is itself called "properties" is a schema like any other
        assert key_of_schema({named: {"properties": {"not": {}, "if": {}}}}) == key_of_schema(
            {named: {"properties": {"if": {}, "not": {}}}}
        )
    assert key_of_schema({"$defs": {"a": FIRST, "b": SECOND}}) == key_of_schema({"$defs": {"b": SECOND, "a": FIRST}})


def test_a_member_called_properties_that_holds_no_schemas_is_an_object_like_any_other() -> None:
    assert key_with(x={"properties": {"a": 1, "b": "c"}}) == key_with(x={"properties": {"b": "c", "a": 1}})


def test_nulls_in_a_schema_are_data() -> None:
    assert key_of_schema({"properties": {"a": {"default": None}}}) != key_of_schema({"properties": {"a": {}}})
    assert key_of_schema({"enum": [None]}) != key_of_schema({"enum": []})


def test_responses_items() -> None:
    def items(*input_items: Any, **members: Any) -> str:
        return key({"model": "m", "input": list(input_items), **members}, endpoint="responses")

    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    part = {"type": "input_text", "text": "4C"}
    result = {"type": "function_call_output", "call_id": "c", "output": [part]}
    marked = {**result, "output": [{**part, "prompt_cache_breakpoint": {"mode": "explicit"}}]}
    assert items({**call, "id": None, "status": None}, result) == items(call, marked)
    assert items(call, result) != items(result, call)
    assert items(call, text={"format": {"type": "text"}}) == items(call)
    assert items(call, n=1) != items(call)


def test_the_context_is_in_the_key() -> None:
    contexts: list[dict[str, Any]] = [
        {},
        {"scope": "v"},
        {"endpoint": "responses"},
        {"endpoint": "embeddings"},
        {"base_url": "https://api.openai.com/v2"},
        {"base_url": "http://api.openai.com/v1"},
        {"base_url": "https://api.openai.com:8443/v1"},
        {"base_url": "https://api.openai.com/v1?a=b"},
        {"api_version": "2026-01"},
        {"epoch": 1},
        {"schema": 2},
    ]
    made = [key(BODY, **context) for context in contexts]
    assert len({made_key.rsplit(":", 1)[1] for made_key in made}) == len(contexts)
    assert made[-1].startswith("llm:2:")


@pytest.mark.parametrize(
    "url",
    [
        "https://API.OpenAI.com/v1/",
        "HTTPS://api.openai.com:443/v1",
        "https://api.openai.com/v1//",
        "https://name:not-a-real-secret@api.openai.com/v1",
    ],
)
def test_one_base_url_in_many_spellings(url: str) -> None:
    assert key(BODY, base_url=url) == key(BODY)


def test_paths_keep_their_case_and_addresses_their_brackets() -> None:
    assert normalised_base_url("http://[::1]:8080/V1/") == "http://[::1]:8080/V1"


def deep(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "not_finite"),
        (float("inf"), "not_finite"),
        (json.loads("-1e400"), "not_finite"),
        (b"bytes", "not_json"),
        ({1, 2}, "not_json"),
        (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "not_json"),
        (1j, "not_json"),
        (object(), "not_json"),
        ({1: "a", "1": "b"}, "key_not_text"),
        ({True: "a"}, "key_not_text"),
        ({None: "a"}, "key_not_text"),
        ({1.5: "a"}, "key_not_text"),
        ({b"a": "a"}, "key_not_text"),
        ({"properties": {1: {}, "1": {}}}, "key_not_text"),
        ({"properties": {"1": {}, 1: {}}}, "key_not_text"),
        (deep(100_000), "too_deep"),
    ],
)
def test_what_is_no_json_has_no_key(value: Any, reason: str) -> None:
    for body in ({**BODY, "x": value}, {**BODY, "messages": [{"role": "user", "content": "q", "x": value}]}):
        with pytest.raises(Uncacheable) as caught:
            key(body)
        assert caught.value.reason == reason
    with pytest.raises(Uncacheable):
        canonical_value(value)


def test_a_message_of_an_uncacheable_request_is_not_told() -> None:
    with pytest.raises(Uncacheable) as caught:
        key_with(x={"secret words": b"secret words"})
    assert "secret" not in str(caught.value)


def test_a_base_url_that_is_none_is_uncacheable() -> None:
    with pytest.raises(Uncacheable, match="base URL"):
        key(BODY, base_url="https://api.openai.com:port/v1")
