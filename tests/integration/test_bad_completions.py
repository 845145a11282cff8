"""Bad input of chat completions: a clear error in OpenAI's envelope before any call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from tests.integration.app import App

OK: dict[str, Any] = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "hi"}]}


def called(call: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function", **call}]}


def refused(app: App, body: object, param: str | None) -> dict[str, Any]:
    answer = app.call("POST", "/v1/chat/completions", body)
    assert (answer.status, answer.error["param"]) == (400, param), answer.body
    assert_valid(answer.body, "ErrorResponse")
    assert sum(app.model.calls.values()) == app.calls_before_all
    return answer.error


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": {"role": "user"}}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": [{"content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "wizard", "content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": []}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "tool", "content": "4C"}]}, "messages[0]"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"type": "function"}]}]}, "messages[0].tool_calls[0].id"),
        ({"messages": [called({"function": "f"})]}, "messages[0].tool_calls[0].function"),
        ({"messages": [called({})]}, "messages[0].tool_calls[0]"),
        ({"messages": [called({"function": {"name": "f"}})]}, "messages[0].tool_calls[0].function.arguments"),
        ({"messages": [called({"type": "custom", "custom": {"name": "t"}})]}, "messages[0].tool_calls[0].custom.input"),
        ({"conversation": "c"}, "conversation"),
        ({"conversation": {"id": "c"}}, "conversation"),
        ({"memory": {}}, "memory"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"stop": []}, "stop"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}] * 129}, "tools"),
        ({"logit_bias": {"1": "x"}}, "logit_bias.1"),
        ({"model": 3}, "model"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"n": 0}, "n"),
        ({"n": 1.5}, "n"),
        ({"n": 129}, "n"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"function": {"name": "f"}}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0]"),
        ({"store": "yes"}, "store"),
        ({"stream": "yes"}, "stream"),
        ({"response_format": "json"}, "response_format"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        (
            {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}]},
            "messages[0].content[0].file.file_id",
        ),
    ],
)
def test_a_wrong_member_is_named(app: App, change: dict[str, Any], param: str) -> None:
    refused(app, {**OK, **change}, param)


def test_missing_messages_are_named(app: App) -> None:
    assert refused(app, {"model": "gpt-4.1-mini"}, "messages")["code"] == "missing_required_parameter"


@pytest.mark.parametrize(
    "message",
    [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "assistant", "content": ""},
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]},
        {"role": "user", "content": ""},
    ],
)
def test_what_openai_takes_is_taken(app: App, message: dict[str, Any]) -> None:
    body = {**OK, "messages": [message, {"role": "user", "content": "hi"}]}
    if "tool_calls" in message:
        body["messages"].insert(1, {"role": "tool", "tool_call_id": "c", "content": "4C"})
    app.call("POST", "/v1/chat/completions", body)
    assert app.model.requests[-1]["messages"] == body["messages"]
