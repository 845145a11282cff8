"""Bad input gets a clear error in OpenAI's envelope, costs no model call and stores nothing."""

from __future__ import annotations

import json
import random
import string
from typing import TYPE_CHECKING, Any

import pytest

from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from tests.integration.app import App

RANDOM = "".join(random.Random(1).choices(string.ascii_letters, k=260_000))  # three quarters of it when compressed
OK: dict[str, Any] = {"model": "gpt-4.1-mini", "conversation": "bad", "input": "hi"}
RESULT = {"type": "function_call_output", "call_id": "call_nobody", "output": "4C"}


def nothing_happened(app: App) -> None:
    assert app.model_calls == 0
    assert app.call("GET", "/v1/conversations/bad", user="bad-input").status == 404


def fails(app: App, body: object, param: str | None, code: str | None = None, status: int = 400) -> None:
    answer = app.call("POST", "/v1/responses", body, user="bad-input")
    assert answer.status == status, answer.body
    assert_valid(answer.body, "ErrorResponse")
    assert answer.error["param"] == param, answer.error
    assert code is None or answer.error["code"] == code, answer.error
    nothing_happened(app)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"[]", "invalid_json"),
        (b'"text"', "invalid_json"),
        (b"null", "invalid_json"),
        (b'{"input":"x","temperature":NaN}', "invalid_json"),
        (b'{"input":"x","temperature":-Infinity}', "invalid_json"),
        (b"\xff\xfe{}", "invalid_encoding"),
        (b'{"input":"\xe3\x81"}', "invalid_encoding"),
        (b'{"input":"x"} trailing', "invalid_json"),
    ],
)
def test_a_body_that_is_no_json_object(app: App, raw: bytes, code: str) -> None:
    fails(app, raw, None, code)


@pytest.mark.parametrize(
    ("raw", "param", "code"),
    [
        (b'{"input":"x","temperature":1e999}', "temperature", "invalid_value"),
        (b'{"input":[{"role":"user","content":"x","zz":[-1e400]}]}', "input[0].zz[0]", "invalid_value"),
        (b'{"input":"x","max_output_tokens":' + b"9" * 5_000 + b"}", "max_output_tokens", "invalid_value"),
        (b'{"input":"x","zz":' + b"[" * 100 + b"]" * 100 + b"}", "zz", "invalid_json"),
        (b'{"input":"x","tools":' + b'{"a":' * 975 + b"1" + b"}" * 975 + b"}", "tools", "invalid_json"),
        (b'{"input":"x","zz":' + b"[" * 9_900 + b"]" * 9_900 + b"}", "zz", "invalid_json"),
        (b'{"a":' * 20_000, "a", "invalid_json"),
    ],
)
def test_what_no_python_could_walk_or_hold_is_named(app: App, raw: bytes, param: str, code: str) -> None:
    fails(app, raw, param, code)


@pytest.mark.parametrize("kind", [[], ["string", "null"], {}, {"a": 1}, None, 7, True])
@pytest.mark.parametrize("route", ["/v1/responses", "/v1/chat/completions", "/v1/embeddings"])
def test_a_type_may_be_any_json(app: App, route: str, kind: object) -> None:
    free = {"output_schema": {"type": kind}, "list": [{"type": kind}]}
    body = {"model": "gpt-4.1-mini", "input": "hi", "messages": [{"role": "user", "content": "hi"}], "zz": free}
    if route == "/v1/chat/completions":
        del body["input"]
        body["tools"] = [{"type": "function", "function": {"name": "f", "parameters": free}, "zz": {"type": kind}}]
    answer = app.call("POST", route, body)
    assert answer.status == 200, answer.body


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"tools": [1] * 1_000_000}, "tools[0]"),
        ({"include": [1] * 1_000_000}, "include[0]"),
        ({"input": [{"role": "user", "content": [1] * 1_000_000}]}, "input[0].content[0]"),
        ({"metadata": {str(number): number for number in range(100_000)}}, "metadata.0"),
    ],
)
def test_a_million_wrong_elements_are_one_error(app: App, change: dict[str, Any], param: str) -> None:
    fails(app, {**OK, **change}, param)


@pytest.mark.parametrize(
    ("text", "param"),
    [
        ('{"input":"half \\ud83d of a pair"}', "input"),
        ('{"input":[{"role":"user","content":"\\udc00"}]}', "input[0].content"),
        ('{"input":"x","metadata":{"\\ud800":"x"}}', "metadata"),
    ],
)
def test_half_of_a_surrogate_pair(app: App, text: str, param: str) -> None:
    fails(app, text.encode(), param, "invalid_encoding")


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"input": None}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": 3}, "input"),
        ({"input": {"role": "user"}}, "input"),
        ({"input": ["hi"]}, "input[0]"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": None}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": []}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": 1}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0]"),
        ({"input": [{"role": "wizard", "content": "hi"}]}, "input[0].role"),
        ({"input": [{"content": "hi"}]}, "input[0].role"),
        ({"input": [{"type": "function_call", "name": "f", "arguments": "{}"}]}, "input[0].call_id"),
        ({"input": [RESULT]}, "input[0].call_id"),
        ({"input": [{"role": "user", "content": "x"}, RESULT]}, "input[1].call_id"),
        ({"model": 3}, "model"),
        ({"model": ""}, "model"),
        ({"temperature": 5}, "temperature"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": 1.5}, "top_p"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"max_output_tokens": 1.5}, "max_output_tokens"),
        ({"max_output_tokens": "many"}, "max_output_tokens"),
        ({"instructions": 7}, "instructions"),
        ({"store": "yes"}, "store"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"name": "f"}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0]"),
        ({"tool_choice": 1}, "tool_choice"),
        ({"text": "x"}, "text"),
        ({"reasoning": "high"}, "reasoning"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"metadata": {"a": "x" * 513}}, "metadata.a"),
        ({"metadata": {str(n): "x" for n in range(17)}}, "metadata"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": 3}, "stream_options"),
        ({"stream_options": {"include_obfuscation": "no"}}, "stream_options.include_obfuscation"),
        ({"background": True}, "background"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": ""}, "conversation"),
        ({"conversation": "a/b"}, "conversation"),
        ({"conversation": "."}, "conversation"),
        ({"conversation": ".."}, "conversation"),
        ({"conversation": "x" * 129}, "conversation"),
        ({"conversation": "日本"}, "conversation"),
        ({"conversation": "a b"}, "conversation"),
        ({"conversation": "bad\n"}, "conversation"),
        ({"conversation": 3}, "conversation"),
        ({"conversation": {}}, "conversation.id"),
        ({"conversation": {"id": "a#b"}}, "conversation.id"),
        ({"memory": []}, "memory"),
        ({"memory": {"policy": "magic"}}, "memory.policy"),
        ({"memory": {"max_messages": 0}}, "memory.max_messages"),
        ({"memory": {"max_messages": -1}}, "memory.max_messages"),
        ({"memory": {"max_messages": 10**12}}, "memory.max_messages"),
        ({"memory": {"max_messages": "10"}}, "memory.max_messages"),
        ({"memory": {"max_messages": 2.5}}, "memory.max_messages"),
        ({"memory": {"max_messages": True}}, "memory.max_messages"),
        ({"memory": {"unknown": 1}}, "memory.unknown"),
        ({"memory": {"policy": "buffer", "max_messages": 3}}, "memory.max_messages"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
    ],
)
def test_a_wrong_member_is_named(app: App, change: dict[str, Any], param: str) -> None:
    fails(app, {**OK, **change}, param)


def test_a_missing_input_is_named(app: App) -> None:
    fails(app, {"conversation": "bad"}, "input", "missing_required_parameter")


def test_an_unknown_generated_conversation_is_not_found(app: App) -> None:
    answer = app.turn("conv_0123456789abcdef", "hi")
    assert (answer.status, answer.error["code"]) == (404, "not_found")
    assert app.model_calls == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "param"),
    [
        ("POST", "/v1/conversations", {"metadata": {"a": 1}}, "metadata.a"),
        ("POST", "/v1/conversations", {"metadata": {"k" * 65: "x"}}, "metadata." + "k" * 65),
        ("POST", "/v1/conversations", {"items": [{"role": "user", "content": "x"}] * 21}, "items"),
        ("POST", "/v1/conversations", {"items": {"role": "user"}}, "items"),
        ("POST", "/v1/conversations", {"items": [RESULT]}, "items[0].call_id"),
        ("POST", "/v1/conversations", {"memory": {"policy": "magic"}}, "memory.policy"),
        ("POST", "/v1/conversations", {"memory": 3}, "memory"),
        ("POST", "/v1/conversations/{id}", {}, "metadata"),
        ("POST", "/v1/conversations/{id}", {"metadata": 3}, "metadata"),
        ("POST", "/v1/conversations/{id}", {"memory": {"max_messages": 0}}, "memory.max_messages"),
        ("POST", "/v1/conversations/{id}/items", {}, "items"),
        ("POST", "/v1/conversations/{id}/items", {"items": []}, "items"),
        ("POST", "/v1/conversations/{id}/items", {"items": [{"role": "user", "content": "x"}] * 21}, "items"),
        ("POST", "/v1/conversations/{id}/items", {"items": [RESULT]}, "items[0].call_id"),
        ("POST", "/v1/conversations/{id}/items", {"items": [{"role": "cat", "content": "x"}]}, "items[0].role"),
        ("GET", "/v1/conversations/a%20b", None, "conversation_id"),
        ("GET", "/v1/conversations/..", None, "conversation_id"),
    ],
)
def test_the_history_function_names_what_is_wrong(
    app: App, method: str, path: str, body: dict[str, Any] | None, param: str
) -> None:
    conversation = app.call("POST", "/v1/conversations", {}).body["id"]
    answer = app.call(method, path.replace("{id}", conversation), body)
    assert (answer.status, answer.error["param"]) == (400, param), answer.body
    assert_valid(answer.body, "ErrorResponse")
    assert app.call("GET", f"/v1/conversations/{conversation}/items").body["data"] == []


def test_no_claims_no_service(app: App) -> None:
    event = {
        "resource": "/v1/responses",
        "path": "/v1/responses",
        "httpMethod": "POST",
        "headers": {},
        "multiValueHeaders": {},
        "requestContext": {"requestId": "r"},
        "body": json.dumps(OK),
    }
    authorizers: list[Any] = [None, {}, {"claims": {}}, {"claims": {"sub": ""}}, {"claims": {"sub": "a\nb"}}]
    for authorizer in authorizers:
        event["requestContext"] = {"requestId": "r", "authorizer": authorizer}
        answer = app.invoke("ChatFunction", event)
        assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")
    nothing_happened(app)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"instructions": RANDOM}, "instructions"),
        ({"tools": [{"type": "function", "name": "f", "description": RANDOM}], "instructions": "Be brief."}, "tools"),
        ({"text": {"format": {"type": "text"}, "zz": RANDOM}}, "text"),
        ({"user": RANDOM}, "user"),
        ({"instructions": RANDOM[:150_000], "tools": [{"type": "x", "zz": RANDOM[150_000:]}]}, "instructions"),
    ],
)
def test_what_cannot_be_kept_with_a_turn_is_refused_before_the_model_is_paid(
    app: App, change: dict[str, Any], param: str
) -> None:
    fails(app, {**OK, **change}, param, "request_too_large", 413)


def test_what_can_be_kept_with_a_turn_is_kept(app: App) -> None:
    change = {
        "instructions": RANDOM[:160_000],
        "tools": [{"type": "function", "name": "f", "description": "x" * 500_000}],
    }
    answer = app.turn("keeps", "hi", user="keeps", **change)
    assert answer.status == 200, answer.body
    assert answer.body["instructions"] == change["instructions"]


def test_what_is_long_is_not_told_whole(app: App) -> None:
    name = "n" * 1_000_000
    answer = app.call("POST", "/v1/responses", {**OK, "metadata": {name: "x"}}, user="bad-input")
    assert answer.status == 400
    assert len(answer.error["param"]) == len(answer.error["message"]) == 500
    nothing_happened(app)


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/responses/x/y", "/v1/%E6%97%A5"])
def test_a_route_that_is_not_is_named(app: App, path: str) -> None:
    answer = app.call("PUT", path, {}, headers={"authorization": "Bearer secret-token"})
    assert (answer.status, answer.error["code"]) == (404, "not_found")
    assert answer.error["message"] == f"There is no route PUT {path}."


@pytest.mark.parametrize(
    "change",
    [
        {"requestContext": None},
        {"requestContext": {"authorizer": None}},
        {"body": "日", "isBase64Encoded": True},
        {"body": "a", "isBase64Encoded": True},
        {"headers": {"Idempotency-Key": None}, "multiValueHeaders": {"Cache-Control": None, "Idempotency-Key": [None]}},
        {"headers": None, "multiValueHeaders": None},
    ],
)
def test_events_that_the_gateway_never_makes(app: App, change: dict[str, Any]) -> None:
    event = {
        "resource": "/v1/responses",
        "path": "/v1/responses",
        "httpMethod": "POST",
        "headers": {},
        "multiValueHeaders": {},
        "requestContext": {"requestId": "r", "authorizer": {"claims": {"sub": "bad-input"}}},
        "body": "{}",
        **change,
    }
    answer = app.invoke("ChatFunction", event)
    assert answer.status in (400, 401), answer.body
    assert_valid(answer.body, "ErrorResponse")


def test_ids_of_stateless_items_stay_here(app: App) -> None:
    asked = {"type": "message", "role": "user", "content": "hi"}
    drawn = {"type": "image_generation_call", "status": "completed", "result": "AA=="}
    given = [{**asked, "id": "msg_1"}, {**drawn, "id": "ig_1"}, {**asked, "id": "msg_2"}]
    assert app.call("POST", "/v1/responses", {"model": "gpt-4.1-mini", "input": given}).status == 200
    assert app.model.requests[-1]["input"] == [asked, drawn, asked]
