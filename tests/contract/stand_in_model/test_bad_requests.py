"""Requests that the stand-in model refuses, as OpenAI does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.contract.stand_in_model.support import KEY, MODEL
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from local.model.server import StandInModel

CALL = {"type": "function_call", "call_id": "c1", "name": "get_weather", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "c1", "output": "4C"}
BROKEN = {"type": "function", "name": "f", "parameters": {"required": {"a": 1}, "properties": "b"}}
CHAT_CALL = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("route", "body", "status", "param"),
    [
        (
            "chat/completions",
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "c", "function": "f"}]}]},
            400,
            None,
        ),
        (
            "chat/completions",
            {"messages": [{"role": "user", "content": "Hi"}], "tools": [{"type": "x", "x": 1}]},
            400,
            None,
        ),
        ("responses", {"input": "Hi", "tools": [BROKEN], "tool_choice": "required"}, 400, None),
        ("responses", {}, 400, "input"),
        ("responses", {"input": []}, 400, "input"),
        ("responses", {"input": 7}, 400, "input"),
        ("responses", {"input": "Hi", "model": None}, 400, "model"),
        ("responses", {"input": "Hi", "tools": "x"}, 400, "tools"),
        ("responses", {"input": "Hi", "text": "x"}, 400, "text"),
        ("responses", {"input": "Hi", "max_output_tokens": 0}, 400, "max_output_tokens"),
        ("responses", {"input": ["Hi"]}, 400, "input[0]"),
        ("responses", {"input": [{"role": "user"}]}, 400, "input[0].content"),
        ("responses", {"input": [{"role": "king", "content": "Hi"}]}, 400, "input[0].role"),
        ("responses", {"input": [{"role": "user", "content": "Hi"}, RESULT]}, 400, "input"),
        ("responses", {"input": [{"role": "user", "content": "Hi"}, CALL]}, 400, "input"),
        ("responses", {"input": "Hi", "tool_choice": {"type": "function", "name": "f"}}, 400, "tool_choice"),
        ("responses", {"input": "Hi", "text": {"format": {"type": "json_schema"}}}, 400, "text.format"),
        ("responses", {"input": "Hi", "previous_response_id": "resp_1"}, 404, "previous_response_id"),
        ("responses", {"input": "Hi", "conversation": "conv_1"}, 404, "conversation"),
        ("responses", {"input": [{"type": "item_reference", "id": "msg_1"}]}, 404, "input[0]"),
        ("responses", {"input": [{"type": "reasoning", "id": "rs_1", "summary": []}]}, 404, "input[0]"),
        ("chat/completions", {}, 400, "messages"),
        ("chat/completions", {"messages": []}, 400, "messages"),
        ("chat/completions", {"messages": [{"role": "user"}]}, 400, "messages[0].content"),
        ("chat/completions", {"messages": [{"role": "tool", "tool_call_id": "c1", "content": "4C"}]}, 400, "messages"),
        ("chat/completions", {"messages": [{"role": "assistant", "tool_calls": [CHAT_CALL]}]}, 400, "messages"),
        ("chat/completions", {"messages": [{"role": "assistant", "tool_calls": [1]}]}, 400, "messages[0].tool_calls"),
        ("chat/completions", {"messages": [{"role": "user", "content": "Hi"}], "n": 129}, 400, "n"),
        ("embeddings", {}, 400, "input"),
        ("embeddings", {"input": ""}, 400, "input"),
        ("embeddings", {"input": []}, 400, "input"),
        ("embeddings", {"input": ["a", ""]}, 400, "input"),
        ("embeddings", {"input": ["a", [1]]}, 400, "input"),
        ("embeddings", {"input": ["a"] * 2049}, 400, "input"),
        ("embeddings", {"input": "a", "dimensions": 0}, 400, "dimensions"),
        ("embeddings", {"input": "a", "dimensions": 3073}, 400, "dimensions"),
        ("embeddings", {"input": "a", "encoding_format": "hex"}, 400, "encoding_format"),
    ],
)
def test_a_bad_request_is_refused(http: httpx2.Client, route: str, body: Any, status: int, param: str) -> None:
    answer = http.post(route, json={"model": MODEL, **body})
    assert_valid(answer.json(), "ErrorResponse")
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["type"]) == (status, param, "invalid_request_error")
    assert http.post(route, json={"model": MODEL, **body}).content == answer.content


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"input": NaN}', b'"\xff"', rb'{"input": "\ud800"}', pytest.param(b"[" * 99_999, id="deep")],
)
def test_what_is_no_json_object_is_refused(http: httpx2.Client, content: bytes) -> None:
    answer = http.post("responses", content=content)
    assert_valid(answer.json(), "ErrorResponse")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_json")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "nothing"),
        ("GET", "responses"),
        ("POST", "models"),
        ("DELETE", "responses"),
        ("PUT", "../v1x/responses"),
    ],
)
def test_an_unknown_route_is_not_found(http: httpx2.Client, method: str, path: str) -> None:
    answer = http.request(method, path)
    assert_valid(answer.json(), "ErrorResponse")
    assert answer.status_code == 404


@pytest.mark.parametrize("header", [None, "", "Bearer", f"Basic {KEY}"])
def test_a_call_without_a_key_is_refused(model: StandInModel, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header}
    answer = httpx2.post(f"{model.base_url}/responses", json={"model": MODEL, "input": "Hi"}, headers=headers)
    assert_valid(answer.json(), "ErrorResponse")
    assert answer.status_code == 401
