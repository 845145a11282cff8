"""References to one's own items, and transcripts that come again: what is there already is not stored twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.integration.test_going_on import begin, go_on, said, seen
from tests.integration.test_stored_responses import call, path

if TYPE_CHECKING:
    from tests.integration.app import App

WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "Tell the weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def refer(item: dict[str, Any]) -> dict[str, str]:
    return {"type": "item_reference", "id": str(item["id"])}


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def items(app: App, conversation: str) -> list[dict[str, Any]]:
    query = {"order": "asc", "limit": "100"}
    found: list[dict[str, Any]] = app.call("GET", f"/v1/conversations/{conversation}/items", query=query).body["data"]
    return found


def test_a_call_refers_to_items_of_any_stored_response(app: App) -> None:
    alone = begin(app)
    named = app.turn(f"talk-{uuid4().hex[:8]}", "in a conversation").body
    behind = go_on(app, begin(app)["id"], "gone on from").body
    given = [user("first"), *(refer(one["output"][0]) for one in (alone, named, behind)), user("last")]
    for more in ({}, {"store": False}, {"conversation": f"talk-{uuid4().hex[:8]}"}):
        answer = call(app, given, **more)
        assert answer.status == 200, answer.body
        assert seen(app) == ["first", said(alone), said(named), said(behind), "last"]
    assert "item_reference" not in str(app.model.requests[-1])
    stored = call(app, given).body
    listed = app.call("GET", path(stored["id"], "/input_items")).body["data"]
    assert [item["type"] for item in listed] == ["message"] * 5
    counted = app.call("POST", "/v1/responses/input_tokens", {"model": "gpt-4.1-mini", "input": given}).body
    assert counted["input_tokens"] > 20


def test_anothers_items_and_those_that_are_gone_are_refused(app: App) -> None:
    theirs = begin(app, user="other")["output"][0]
    deleted = begin(app)
    app.call("DELETE", path(deleted["id"]))
    talk = f"talk-{uuid4().hex[:8]}"
    erased = app.turn(talk, "hello").body["output"][0]
    app.call("DELETE", f"/v1/conversations/{talk}/items/{erased['id']}")
    calls = app.model_calls
    answers = [call(app, [user("hi"), refer(one)]) for one in (theirs, deleted["output"][0], erased)]
    for answer in answers:
        assert (answer.status, answer.body) == (400, answers[0].body)
        assert (answer.error["param"], answer.error["code"]) == ("input[1]", "item_not_found")
        assert "`store: false`" in answer.error["message"]
    assert app.model_calls == calls


def test_a_tool_loop_that_sends_all_again_is_stored_once(app: App) -> None:
    talk = f"talk-{uuid4().hex[:8]}"
    asks = {"tools": [WEATHER], "tool_choice": "required"}
    question = user("What is the weather in Kyoto?")
    called = app.turn(talk, [question], **asks).body["output"][0]
    assert called["type"] == "function_call"
    result = {"type": "function_call_output", "call_id": called["call_id"], "output": "sunny"}
    again = app.turn(talk, [question, refer(called), result], **asks).body["output"][0]
    second = {"type": "function_call_output", "call_id": again["call_id"], "output": "still sunny"}
    last = app.turn(talk, [question, refer(called), result, {**again, "id": again["id"]}, second], tools=[WEATHER])
    assert last.status == 200, last.body
    kinds = [item["type"] for item in items(app, talk)]
    assert kinds == ["message", *["function_call", "function_call_output"] * 2, "message"]
    wrong = app.turn(talk, [question, refer(called), {**result, "call_id": "call_none"}])
    assert (wrong.status, wrong.error["param"]) == (400, "input[2].call_id")


def test_a_tool_loop_that_sends_the_callers_items_again_without_ids_is_stored_once(app: App) -> None:
    # So does the AI SDK with `conversation`.
    talk = f"talk-{uuid4().hex[:8]}"
    sent: list[dict[str, Any]] = [user("What is the weather in Kyoto?")]
    for weather in ("sunny", "still sunny"):
        called = app.turn(talk, sent, tools=[WEATHER], tool_choice="required").body["output"][0]
        sent.append({"type": "function_call_output", "call_id": called["call_id"], "output": weather})
    assert app.turn(talk, sent, tools=[WEATHER]).status == 200
    kinds = ["message", *["function_call", "function_call_output"] * 2]
    assert [item.get("type", "message") for item in app.model.requests[-1]["input"]] == kinds
    assert [item["type"] for item in items(app, talk)] == [*kinds, "message"]
    # What is not there is new, though a result beside it answers a call.
    called = app.turn(talk, [user("And in Nara?")], tools=[WEATHER], tool_choice="required").body["output"][0]
    result = {"type": "function_call_output", "call_id": called["call_id"], "output": "rainy"}
    assert app.turn(talk, [user("Or in Kobe?"), result], tools=[WEATHER]).status == 200
    kinds = ["function_call", "message", "function_call_output", "message"]
    assert [item["type"] for item in items(app, talk)[7:]] == kinds


def test_a_transcript_with_ids_adds_what_is_new_alone(app: App) -> None:
    talk = f"talk-{uuid4().hex[:8]}"
    first = app.turn(talk, "one").body
    sent = [user("one"), first["output"][0], user("two")]
    second = app.turn(talk, sent).body
    assert len(items(app, talk)) == 4
    app.turn(talk, [*sent, second["output"][0], user("three")])
    assert seen(app) == ["one", said(first), "two", said(second), "three"]
    assert len(items(app, talk)) == 6
    nothing = app.turn(talk, [user("one"), first["output"][0]])
    assert (nothing.status, nothing.error["param"]) == (400, "input")


def test_the_same_holds_behind_a_response(app: App) -> None:
    first = begin(app)
    second = go_on(app, first["id"], [refer(first["output"][0]), user("two")]).body
    assert seen(app)[1:] == [said(first), "two"]
    # Its own tool loop goes on from the older response once more: what came after that is new there.
    go_on(app, first["id"], [user("two"), refer(second["output"][0]), user("three")])
    assert seen(app)[1:] == [said(first), "two", said(second), "three"]


@pytest.mark.parametrize("known", ["by reference", "by id"])
def test_a_branch_knows_the_items_of_what_it_comes_from_by_their_ids_there(app: App, known: str) -> None:
    talk = f"talk-{uuid4().hex[:8]}"
    sent: list[dict[str, Any]] = [user("one")]
    first = app.turn(talk, sent).body
    sent += [first["output"][0], user("two")]
    second = app.turn(talk, sent).body
    app.turn(talk, "elsewhere")
    sent += [second["output"][0], user("three")]
    given = sent if known == "by id" else [refer(one) if "id" in one else one for one in sent]
    third = go_on(app, second["id"], given).body
    assert seen(app) == ["one", said(first), "two", said(second), "three"]
    go_on(app, third["id"], "other")
    four = [third["output"][0], user("four")]
    given = [*given, *(four if known == "by id" else [refer(four[0]), four[1]])]
    for text in ("behind", "again, on a branch of the branch"):
        given[-1] = user(text)
        assert go_on(app, third["id"], given).status == 200
        assert seen(app) == ["one", said(first), "two", said(second), "three", said(third), text]
    made = app.call("POST", "/v1/conversations", {"omoide": {"fork": {"conversation": talk}}}).body["id"]
    assert app.turn(made, [refer(second["output"][0]), user("in a fork")]).status == 200
    assert [item["content"][0]["text"] for item in items(app, made)][-2] == "in a fork"
    assert len(items(app, made)) == 8
    app.call("DELETE", f"/v1/conversations/{talk}")
    assert app.turn(made, [refer(first["output"][0]), user("still")]).status == 200
    wrong = {**refer(first["output"][0]), "id": f"fc_{first['output'][0]['id'][-28:]}"}
    assert app.turn(made, [wrong, user("no")]).error["code"] == "item_not_found"
