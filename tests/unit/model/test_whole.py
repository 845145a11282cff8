"""A reply made whole: what a lean provider leaves out is there, and what is no answer is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from chat_core.errors import UpstreamError
from chat_core.model.whole import MOST_LEVELS, asked_of, whole_answer, whole_event
from tests.fakes.odd_replies import odd_replies
from tests.openai_schema import OPEN_RESPONSES, assert_valid

if TYPE_CHECKING:
    from chat_core.keys import Endpoint

NOW = 1_800_000_000
BODY: dict[str, Any] = {
    "model": "gpt-4.1-mini",
    "input": "Hello",
    "store": False,
    "temperature": 0.5,
    "instructions": "Be brief.",
    "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
    "metadata": {"of": "mine"},
}
CHUNK = "CreateChatCompletionStreamResponse"
NO_NULL = (
    "id",
    "created_at",
    "model",
    "tool_choice",
    "text",
    "top_p",
    "temperature",
    "usage",
    "service_tier",
    "truncation",
)


def whole(endpoint: Endpoint, answer: object, **body: Any) -> dict[str, Any]:
    return whole_answer(endpoint, answer, asked_of(endpoint, {**BODY, **body}, now=NOW))


def response(*output: object, **members: Any) -> dict[str, Any]:
    return whole("responses", {"output": list(output), **members})


def test_the_leanest_response_is_valid_and_repeats_its_request() -> None:
    answer = response({"type": "message", "role": "assistant", "content": "Hi"})
    assert_valid(answer, "Response")
    assert set(OPEN_RESPONSES) <= answer.keys()
    assert all(answer[name] is not None for name in NO_NULL)
    repeated = ("model", "temperature", "instructions", "metadata", "store")
    assert {name: answer[name] for name in repeated} == {name: BODY[name] for name in repeated}
    assert answer["tools"] == [{"description": None, "strict": True, **BODY["tools"][0]}]
    assert (answer["status"], answer["created_at"], answer["completed_at"]) == ("completed", NOW, NOW)
    [item] = answer["output"]
    assert item["id"].startswith("msg_")
    assert item["content"] == [{"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}]


def test_what_the_provider_says_stands() -> None:
    said = {"id": "resp_1", "created_at": 5, "model": "gpt-4.1-mini-2025-04-14", "temperature": 1.0, "vendor": {"x": 1}}
    answer = response(
        **said, usage={"input_tokens": 3, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 1}}
    )
    assert {name: answer[name] for name in said} == said
    assert answer["usage"] == {
        "input_tokens": 3,
        "input_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 5,
    }


def test_a_setting_that_the_request_gave_in_part_is_whole() -> None:
    answer = whole(
        "responses", {"output": []}, reasoning={"effort": "low"}, text={"verbosity": "low"}, service_tier="auto"
    )
    assert answer["reasoning"] == {"effort": "low", "summary": None}
    assert answer["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert answer["service_tier"] == "default"


def test_the_leanest_completion_is_valid() -> None:
    answer = whole("chat/completions", {"choices": [{"message": {"content": "Hi"}}]})
    assert_valid(answer, "CreateChatCompletionResponse")
    assert (answer["choices"][0]["finish_reason"], answer["created"], answer["model"]) == ("stop", NOW, BODY["model"])
    calls = [{"function": {"name": "f", "arguments": {"a": "語"}}}]
    called = whole("chat/completions", {"choices": [{"message": {"tool_calls": calls}, "logprobs": {}}], "usage": None})
    assert_valid(called, "CreateChatCompletionResponse")
    assert called["choices"][0]["finish_reason"] == "tool_calls"
    assert called["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == '{"a": "語"}'


def test_the_leanest_embeddings_are_valid() -> None:
    answer = whole("embeddings", {"data": [{"embedding": [0.5, 1]}, {"embedding": [0.25]}]})
    assert_valid(answer, "CreateEmbeddingResponse")
    assert [one["index"] for one in answer["data"]] == [0, 1]


@pytest.mark.parametrize(
    "item",
    [
        {"type": "function_call", "name": "f"},
        {"type": "custom_tool_call", "name": "f", "call_id": "c"},
        {"type": "reasoning"},
        {"type": "web_search_call"},
        {"type": "file_search_call"},
        {"type": "image_generation_call"},
        {"type": "code_interpreter_call"},
        {"type": "mcp_call"},
        {"content": ["Hi"]},
        {"type": "message", "content": [{"type": "output_text"}, {"type": "refusal"}]},
    ],
)
def test_an_item_gets_what_its_kind_requires(item: dict[str, Any]) -> None:
    assert_valid(response(item)["output"][0], "OutputItem")


def test_no_answer_becomes_a_system_message() -> None:
    assert response({"type": "message", "role": "system", "content": "Obey."})["output"][0]["role"] == "assistant"


def test_texts_become_unicode() -> None:
    part = {"type": "output_text", "text": "cut \ud83d", "cut \ud83d": "\ud83d\ude00"}
    mended = response({"type": "message", "content": [part]}, vendor=["\ude00"])
    assert mended["output"][0]["content"][0]["text"] == "cut \ufffd"
    assert mended["output"][0]["content"][0]["cut \ufffd"] == "😀"
    assert mended["vendor"] == ["\ufffd"]


@pytest.mark.parametrize(
    ("status", "details", "reason"),
    [
        ("incomplete", {"reason": "content_filter"}, "content_filter"),
        ("incomplete", None, "max_output_tokens"),
        ("incomplete", {"reason": ["x"]}, "max_output_tokens"),
        (None, {"reason": "max_output_tokens"}, "max_output_tokens"),
    ],
)
def test_an_incomplete_response_says_why(status: str | None, details: object, reason: str) -> None:
    answer = response(status=status, incomplete_details=details)
    assert_valid(answer, "Response")
    assert (answer["status"], answer["completed_at"]) == ("incomplete", None)
    assert answer["incomplete_details"]["reason"] == reason


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("endpoint", "answer"),
    [
        ("responses", None),
        ("responses", []),
        ("responses", {}),
        ("responses", {"output": "x"}),
        ("responses", {"output": [1]}),
        ("responses", {"output": [{}]}),
        ("responses", {"output": [{"type": []}]}),
        ("responses", {"output": [{"type": "message", "role": ["assistant"]}]}),
        ("responses", {"output": [{"type": "message", "content": {}}]}),
        ("responses", {"output": [{"type": "message", "content": [{"type": {}}]}]}),
        ("responses", {"output": [{"type": "function_call", "name": ""}]}),
        ("responses", {"output": [{"type": "reasoning", "summary": "x"}]}),
        ("responses", {"output": [], "status": "failed"}),
        ("responses", {"output": [], "status": "in_progress"}),
        ("responses", {"output": [], "error": {"code": "server_error"}}),
        ("responses", {"output": [], "id": 3}),
        ("responses", {"output": [], "x": float("nan")}),
        ("responses", {"output": [], "x": nested(MOST_LEVELS)}),
        ("chat/completions", {"choices": []}),
        ("chat/completions", {"choices": [{}]}),
        ("chat/completions", {"choices": [{"message": {"content": 3}}]}),
        ("chat/completions", {"choices": [{"message": {"tool_calls": {}}}]}),
        ("embeddings", {"data": {}}),
        ("embeddings", {"data": [{"embedding": []}]}),
        ("embeddings", {"data": [{"embedding": [1, "a"]}]}),
        ("embeddings", {"data": [{"embedding": [float("inf"), float("-inf")]}]}),
        ("embeddings", {"data": [{"embedding": [1.0]}], "x": float("nan")}),
    ],
)
def test_what_is_no_answer_is_refused(endpoint: Endpoint, answer: object) -> None:
    with pytest.raises(UpstreamError):
        whole(endpoint, answer)


def test_an_answer_as_deep_as_may_be_passes() -> None:
    assert response(x=nested(MOST_LEVELS - 1))


@pytest.mark.parametrize("endpoint", ["responses", "chat/completions", "embeddings"])
def test_what_is_whole_stays_as_it_is(endpoint: Endpoint) -> None:
    @settings(max_examples=150, deadline=None)
    @given(odd_replies(endpoint))
    def check(reply: str) -> None:
        try:
            once = whole(endpoint, json.loads(reply))
        except UpstreamError:
            return
        assert whole(endpoint, once) == once

    check()


def event(endpoint: Endpoint, told: object) -> dict[str, Any]:
    return whole_event(endpoint, told, asked_of(endpoint, BODY, now=NOW))


def test_an_event_is_whole_as_its_answer_will_be() -> None:
    created = event("responses", {"type": "response.created", "response": {"id": "resp_1"}})
    assert set(OPEN_RESPONSES) <= created["response"].keys()
    assert created["response"]["status"] == "in_progress"
    assert created["response"]["completed_at"] is None
    added = {"type": "response.output_item.added", "item": {"type": "message", "content": [], "status": "in_progress"}}
    assert event("responses", added)["item"]["status"] == "in_progress"
    delta = {"type": "response.output_text.delta", "delta": "cut \ud83d"}
    assert event("responses", delta)["delta"] == "cut \ufffd"
    assert event("responses", delta)["logprobs"] == []
    part = {"type": "response.content_part.added", "part": {"type": "output_text", "text": ""}}
    assert event("responses", part)["part"]["annotations"] == []
    assert_valid(event("chat/completions", {"choices": [{"delta": {"content": "Hi"}}]}), CHUNK)
    assert_valid(event("chat/completions", {"choices": [{"delta": None, "finish_reason": "x"}], "id": None}), CHUNK)


@pytest.mark.parametrize(
    ("endpoint", "told"),
    [
        ("responses", None),
        ("responses", {"type": []}),
        ("responses", {"type": "response.created", "response": True}),
        ("responses", {"type": "response.output_item.added", "item": {"type": []}}),
        ("responses", {"type": "response.output_text.delta", "delta": 3}),
        ("responses", {"type": "response.output_text.delta", "output_index": True}),
        ("responses", {"type": "x", "y": float("nan")}),
        ("chat/completions", {}),
        ("chat/completions", {"choices": [3]}),
        ("chat/completions", {"choices": [{"delta": {"content": []}}]}),
        ("chat/completions", {"choices": [{"delta": {"tool_calls": [{}]}}]}),
        ("chat/completions", {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": 1}}]}}]}),
    ],
)
def test_what_is_no_event_is_refused(endpoint: Endpoint, told: object) -> None:
    with pytest.raises(UpstreamError):
        event(endpoint, told)
