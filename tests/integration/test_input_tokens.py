"""What a request would send the model, counted before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from tests.integration.app import App

PATH = "/v1/responses/input_tokens"
TOOL = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def count(app: App, **body: Any) -> int:
    answer = app.call("POST", PATH, {"model": "gpt-4.1-mini", **body})
    assert answer.status == 200, answer.body
    assert_valid(answer.body, "TokenCountsResource")
    return int(answer.body["input_tokens"])


@pytest.mark.parametrize(
    "body",
    [
        {"input": "こんにちは"},
        {"input": "Hello", "instructions": "Be brief."},
        {"input": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}], "tools": [TOOL]},
    ],
)
def test_what_is_counted_is_what_is_used(app: App, body: dict[str, Any]) -> None:
    sent = app.call("POST", "/v1/responses", {"model": "gpt-4.1-mini", **body}, headers={"cache-control": "no-cache"})
    before = app.model_calls
    assert count(app, **body) == sent.body["usage"]["input_tokens"]
    assert app.model_calls == before


def test_a_turn_is_counted_with_what_it_would_show_and_leaves_no_trace(app: App) -> None:
    for text in ("私の名前は渡辺直美です。", "京都が好きです。"):
        app.turn("counted", text)
    before, items = app.model_calls, app.call("GET", "/v1/conversations/counted/items").body
    window = {"policy": "message_window", "max_messages": 2}
    others: list[dict[str, Any]] = [{}, {"memory": window}, {"instructions": "Be brief."}]
    for more in others:
        body: dict[str, Any] = {"input": "私の名前は？", "conversation": "counted", **more}
        dry = app.turn("counted", "私の名前は？", **{**more, "memory": {**more.get("memory", {}), "dry_run": True}})
        assert count(app, **body) == dry.body["tokens"]["total"]
    alone = count(app, conversation="counted")
    assert alone < count(app, conversation={"id": "counted"}, input="私の名前は？")
    assert alone == app.call("GET", "/v1/conversations/counted/context").body["tokens"]["total"]
    assert app.model_calls == before
    assert app.call("GET", "/v1/conversations/counted/items").body == items


def test_a_name_of_ones_own_is_not_made_by_counting(app: App) -> None:
    assert count(app, conversation="never-made", input="Hi") == count(app, input="Hi")
    assert app.call("GET", "/v1/conversations/never-made").status == 404


def test_without_an_input_what_else_there_is_is_counted(app: App) -> None:
    assert count(app) < count(app, instructions="Be brief.") < count(app, instructions="Be brief.", tools=[TOOL])
    assert count(app, input=None) == count(app)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": [{"role": "nobody", "content": "x"}]}, "input[0].role"),
        ({"input": "x", "conversation": "a/b"}, "conversation"),
        ({"input": "x", "memory": {"policy": "buffer"}}, "memory"),
        ({"input": "x", "conversation": "c", "memory": {"policy": "nonsense"}}, "memory.policy"),
        ({"input": "x", "conversation": "c", "memory": [1]}, "memory"),
        ({"input": "x", "temperature": 3}, "temperature"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]},
            "input[0].content[0].file_id",
        ),
    ],
)
def test_what_no_response_is_made_from_is_not_counted(app: App, body: dict[str, Any], param: str) -> None:
    for path in (PATH, "/v1/responses"):
        answer = app.call("POST", path, body)
        assert (answer.status, answer.error["param"]) == (400, param), path


def test_anothers_conversation_is_none(app: App) -> None:
    made = app.call("POST", "/v1/conversations", {}, user="a").body["id"]
    answers = [
        app.call("POST", PATH, {"input": "x", "conversation": name}, user="b") for name in (made, "conv_" + "0" * 32)
    ]
    assert [answer.status for answer in answers] == [404, 404]
    assert answers[0].body == answers[1].body
