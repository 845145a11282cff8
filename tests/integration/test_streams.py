"""`stream: true` through `lambda_handler`: the same turn, cache and errors; only the form of the answer differs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from local.model.faults import Fault, http_error, incomplete, refusal
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.integration.app import Answer, App

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Weather by city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
JSON = "application/json"
# What is this call's own in an answer from the cache.
OWN = ("id", "omoide")


@pytest.fixture(params=[True, False], ids=["conversation", "stateless"])
def place(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Members of a turn's request, and of a stateless one."""
    return {"conversation": f"streams-{uuid4().hex}"} if request.param else {}


def ask(app: App, text: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Answer:
    return app.call("POST", "/v1/responses", {"model": "gpt-4.1-mini", "input": text, **more}, headers=headers)


def events(answer: Answer) -> list[dict[str, Any]]:
    """The events of a stream, each held against OpenAI's schema, and its name against its type."""
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-store"
    found = []
    for frame in answer.body.removesuffix("\n\n").split("\n\n"):
        name, data = frame.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        assert_valid(event, "ResponseStreamEvent")
        found.append(event)
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    return found


def whole(answer: Answer) -> dict[str, Any]:
    """The response, in whichever form it came."""
    if answer.headers["content-type"] != JSON:
        return events(answer)[-1]["response"]  # type: ignore[no-any-return]
    return answer.body  # type: ignore[no-any-return]


def deltas(found: list[dict[str, Any]], kind: str) -> list[str]:
    return [event["delta"] for event in found if event["type"] == f"response.{kind}.delta"]


def unowned(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events without what differs between two answers to one request."""
    return [
        {**event, "response": {name: value for name, value in event["response"].items() if name not in OWN}}
        if "response" in event
        else event
        for event in found
    ]


def test_a_turn_streams_and_is_remembered(app: App) -> None:
    conversation = f"streams-{uuid4().hex}"
    answer = app.turn(conversation, "私の名前は渡辺直美です。", stream=True)
    found = events(answer)
    assert answer.headers["x-cache"]
    assert [event["type"] for event in found][:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    response = found[-1]["response"]
    said = response["output"][0]["content"][0]["text"]
    assert said.startswith("こんにちは、渡辺直美さん！")
    assert "".join(deltas(found, "output_text")) == said
    assert len(deltas(found, "output_text")) > 1
    for told in (found[0]["response"], response):
        assert told["conversation"] == {"id": conversation}
        assert told["omoide"]["turn_id"].startswith("turn_")

    items = app.call("GET", f"/v1/conversations/{conversation}/items", query={"order": "asc"}).body["data"]
    assert items[1].pop("omoide")["turn_id"] == response["omoide"]["turn_id"]
    assert items[1:] == response["output"]
    second = events(app.turn(conversation, "私の名前なんだっけ？", stream=True))
    assert "".join(deltas(second, "output_text")).startswith("あなたの名前は渡辺直美さんです！")


def test_the_answer_is_the_same_in_both_forms(app: App) -> None:
    # One that is stored has ids of its own.
    plain = ask(app, "Hello", store=False).body
    again = ask(app, "Hello", store=False, stream=True, headers={"cache-control": "no-cache"})
    streamed = events(again)[-1]["response"]
    times = {"created_at": 0, "completed_at": 0}
    assert {**streamed, **times} == {**plain, **times}


@pytest.mark.parametrize("first", [True, False], ids=["streamed first", "plain first"])
def test_one_entry_of_the_cache_serves_both_forms(app: App, place: dict[str, Any], first: bool) -> None:
    question = f"How old is the moon, {uuid4().hex}?"
    answers: list[Answer] = []
    for stream in (first, not first, first):
        # A conversation of its own each: the same view, so the same request to the model.
        where: dict[str, Any] = {name: f"{value}-{len(answers)}" for name, value in place.items()}
        answers.append(ask(app, question, stream=stream, **where))
    assert [answer.headers["x-cache"] for answer in answers] == ["MISS", "HIT", "HIT"]
    assert app.model_calls == 1
    wholes = [whole(answer) for answer in answers]
    texts = [response["output"][0]["content"] for response in wholes]
    assert texts[0] == texts[1] == texts[2]
    assert len({response["id"] for response in wholes}) == 3
    assert [response["omoide"]["cache"]["status"] for response in wholes] == ["miss", "hit", "hit"]
    assert "age" in answers[1].headers


def test_a_hit_replays_the_sequence_of_the_miss(app: App) -> None:
    body: dict[str, Any] = {
        "include": ["message.output_text.logprobs"],
        "top_logprobs": 2,
        "stream": True,
        "store": False,
    }
    question = f"Tell me of {uuid4().hex} and of 日本の家族 👨\u200d👩\u200d👧, please."
    miss, hit = (ask(app, question, **body) for _ in range(2))
    assert (miss.headers["x-cache"], hit.headers["x-cache"]) == ("MISS", "HIT")
    assert unowned(events(miss)) == unowned(events(hit))
    found = events(miss)
    logprobs = [e for event in found if event["type"].endswith("text.delta") for e in event["logprobs"]]
    assert logprobs
    assert logprobs == found[-1]["response"]["output"][0]["content"][0]["logprobs"]


def test_a_tool_call_streams_and_its_result_is_answered(app: App) -> None:
    conversation = f"streams-{uuid4().hex}"
    found = events(app.turn(conversation, "What is the weather in Oslo?", tools=[WEATHER], stream=True))
    call = found[-1]["response"]["output"][0]
    assert (call["type"], json.loads(call["arguments"])) == ("function_call", {"city": "Oslo"})
    assert "".join(deltas(found, "function_call_arguments")) == call["arguments"]
    done = next(event for event in found if event["type"] == "response.function_call_arguments.done")
    assert (done["item_id"], done["name"]) == (call["id"], "get_weather")
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "4C"}
    told = events(
        app.call(
            "POST",
            "/v1/responses",
            {"conversation": conversation, "input": [result], "tools": [WEATHER], "stream": True},
        )
    )
    assert "".join(deltas(told, "output_text")) == "The tool get_weather says: 4C"


def test_a_refusal_streams(app: App, place: dict[str, Any]) -> None:
    app.model.script.append(refusal("I cannot help with that, I am sorry."))
    found = events(ask(app, f"Do it, {uuid4().hex}", stream=True, **place))
    assert "".join(deltas(found, "refusal")) == "I cannot help with that, I am sorry."
    assert found[-1]["type"] == "response.completed"


@pytest.mark.parametrize(
    ("fault", "asked"), [(incomplete("content_filter"), {}), (None, {"max_output_tokens": 16})], ids=["filter", "limit"]
)
def test_a_cut_answer_ends_as_incomplete(
    app: App, place: dict[str, Any], fault: Fault | None, asked: dict[str, Any]
) -> None:
    app.model.script.extend([fault] if fault else [])
    found = events(ask(app, f"Hello {uuid4().hex}", stream=True, **asked, **place))
    assert found[-1]["type"] == "response.incomplete"
    assert found[-1]["response"]["status"] == "incomplete"
    assert "".join(deltas(found, "output_text")) == found[-1]["response"]["output"][0]["content"][0]["text"]


def test_what_fails_before_the_answer_is_a_plain_error(app: App, place: dict[str, Any]) -> None:
    wrong = ask(app, "", stream=True, **place)
    assert (wrong.status, wrong.headers["content-type"], wrong.error["param"]) == (400, JSON, "input")
    app.model.script.append(http_error(429, code="rate_limit_exceeded", headers={"retry-after": "7"}))
    limited = ask(app, f"Hello {uuid4().hex}", stream=True, **place)
    assert (limited.status, limited.headers["content-type"], limited.headers["retry-after"]) == (429, JSON, "7")
    unknown = ask(app, f"Hello {uuid4().hex}", stream=True, headers={"cache-control": "only-if-cached"}, **place)
    assert (unknown.status, unknown.error["code"]) == (504, "cache_miss")


@pytest.mark.parametrize("first", [True, False], ids=["streamed first", "plain first"])
def test_a_repeated_key_is_answered_in_the_form_asked_for(app: App, first: bool) -> None:
    conversation, key = f"streams-{uuid4().hex}", {"idempotency-key": uuid4().hex}
    answers = [app.turn(conversation, "Hello", stream=stream, headers=key) for stream in (first, not first, first)]
    assert app.model_calls == 1
    assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, "true", "true"]
    wholes = [whole(answer) for answer in answers]
    assert wholes[0] == wholes[1] == wholes[2]
    other = app.turn(conversation, "Something else", stream=True, headers=key)
    assert (other.status, other.error["code"]) == (422, "idempotency_key_reused")


def test_a_retry_of_the_sdk_gets_the_stream_of_the_turn_that_was_committed(app: App) -> None:
    conversation = f"streams-{uuid4().hex}"
    first = events(app.turn(conversation, "Hello", stream=True))
    retried = app.turn(conversation, "Hello", stream=True, headers={"x-stainless-retry-count": "1"})
    assert retried.headers["idempotent-replayed"] == "true"
    again = events(retried)
    assert again[-1]["response"] == first[-1]["response"]
    assert [event["type"] for event in again] == [event["type"] for event in first]
