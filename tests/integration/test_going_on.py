"""`previous_response_id` through the functions: behind the response, or on a branch of its own."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from local.model.faults import http_error
from tests.integration.test_stored_responses import call, path, unknown
from tests.integration.test_streams import events
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from tests.integration.app import Answer, App


def go_on(app: App, response: str, given: object, **more: Any) -> Answer:
    return call(app, given, previous_response_id=response, **more)


def begin(app: App, **more: Any) -> dict[str, Any]:
    answer = call(app, f"first {uuid4().hex}", **more)
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


def seen(app: App) -> list[str]:
    """The texts that the model saw last."""
    return [str(item["content"]) for item in app.model.requests[-1]["input"]]


def said(response: dict[str, Any]) -> str:
    return str(response["output"][0]["content"][0]["text"])


def incarnation(response: dict[str, Any]) -> str:
    return str(response["id"])[5:21]


def test_three_turns_in_a_row_are_one_conversation(app: App) -> None:
    first = begin(app)
    second = go_on(app, first["id"], "second", instructions="Be brief.").body
    assert_valid(second, "Response")
    assert (second["previous_response_id"], second["store"]) == (first["id"], True)
    assert second.get("conversation") is None
    third = go_on(app, second["id"], "third").body
    assert seen(app)[1:] == [said(first), "second", said(second), "third"]
    assert "instructions" not in app.model.requests[-1] or app.model.requests[-1]["instructions"] is None
    assert len({incarnation(one) for one in (first, second, third)}) == 1
    listed = app.call("GET", "/v1/conversations", query={"limit": "100"}).body["data"]
    assert all(item["id"] != f"conv_{incarnation(first)}" for item in listed)
    for one in (first, second, third):
        assert app.call("GET", path(one["id"])).body == one
    listed = app.call("GET", path(third["id"], "/input_items")).body["data"]
    assert [item["content"][0]["text"] for item in listed] == ["third"]


def test_what_comes_after_an_older_response_is_a_branch(app: App) -> None:
    first = begin(app)
    second = go_on(app, first["id"], "second").body
    other = go_on(app, first["id"], "other").body
    assert seen(app)[1:] == [said(first), "other"]
    assert incarnation(other) != incarnation(first)
    go_on(app, other["id"], "behind the other")
    assert seen(app)[1:] == [said(first), "other", said(other), "behind the other"]
    go_on(app, second["id"], "third")
    assert seen(app)[1:] == [said(first), "second", said(second), "third"]
    assert app.call("GET", path(other["id"])).body == other


def test_a_named_conversation_stays_as_it_is(app: App) -> None:
    talk = f"talk-{uuid4().hex[:8]}"
    app.call("POST", f"/v1/conversations/{talk}/items", {"items": [{"role": "developer", "content": "Be kind."}]})
    first = app.turn(talk, "first").body
    app.turn(talk, "later")
    before = app.call("GET", f"/v1/conversations/{talk}/items").body
    branched = go_on(app, first["id"], "aside").body
    assert seen(app) == ["Be kind.", "first", said(first), "aside"]
    assert branched.get("conversation") is None
    assert app.call("GET", f"/v1/conversations/{talk}/items").body == before
    go_on(app, branched["id"], "on")
    assert seen(app) == ["Be kind.", "first", said(first), "aside", said(branched), "on"]


def test_a_stream_goes_on_too(app: App) -> None:
    first = begin(app)
    for _ in range(2):  # behind it, and on a branch
        told = events(go_on(app, first["id"], "streamed", stream=True))
        response = told[-1]["response"]
        assert {event["response"]["id"] for event in told if "response" in event} == {response["id"]}
        assert {event["item_id"] for event in told if "item_id" in event} == {response["output"][0]["id"]}
        assert app.call("GET", path(response["id"])).body == response


def test_a_response_that_is_not_there_is_refused(app: App) -> None:
    first = begin(app)
    deleted = begin(app)
    app.call("DELETE", path(deleted["id"]))
    hidden = begin(app, store=False)
    talk = f"talk-{uuid4().hex[:8]}"
    erased = app.turn(talk, "hello").body
    app.call("DELETE", f"/v1/conversations/{talk}")
    calls = app.model_calls
    answers = [
        go_on(app, first["id"], "mine", user="other"),
        go_on(app, deleted["id"], "gone"),
        go_on(app, hidden["id"], "hidden"),
        go_on(app, erased["id"], "erased"),
        *(go_on(app, no_id, "none") for no_id in ("resp_1", "", "resp_" + "0" * 28)),
    ]
    for answer in answers:
        assert (answer.status, answer.body) == (400, answers[0].body)
    assert (answers[0].error["param"], answers[0].error["code"]) == (
        "previous_response_id",
        "previous_response_not_found",
    )
    both = go_on(app, first["id"], "both", conversation=talk)
    assert (both.status, both.error["param"]) == (400, "previous_response_id")
    assert app.model_calls == calls


def test_a_key_is_good_for_one_turn(app: App) -> None:
    first = begin(app)
    go_on(app, first["id"], "between")
    key = {"Idempotency-Key": uuid4().hex}
    one, again = (go_on(app, first["id"], "keyed", headers=key) for _ in range(2))
    assert (again.body, again.headers["idempotent-replayed"]) == (one.body, "true")
    assert go_on(app, first["id"], "another", headers=key).status == 422
    last = go_on(app, one.body["id"], "sent twice")
    retried = go_on(app, one.body["id"], "sent twice", headers={"x-stainless-retry-count": "1"})
    assert (retried.body, retried.headers["idempotent-replayed"]) == (last.body, "true")


def test_a_turn_that_is_not_to_be_stored_leaves_no_trace(app: App) -> None:
    first = begin(app)
    aside = go_on(app, first["id"], "aside", store=False).body
    assert (aside["store"], aside["previous_response_id"]) == (False, first["id"])
    assert seen(app)[1:] == [said(first), "aside"]
    assert unknown(app, aside["id"])
    second = go_on(app, first["id"], "second").body
    assert incarnation(second) == incarnation(first)
    assert seen(app)[1:] == [said(first), "second"]
    context = go_on(app, first["id"], "what if", memory={"dry_run": True}).body
    assert context["object"] == "conversation.context"
    assert [item["content"] for item in context["input"]][1:] == [said(first), "what if"]


def test_memory_settings_hold(app: App) -> None:
    first = begin(app)
    second = go_on(app, first["id"], "second").body
    go_on(app, second["id"], "third", memory={"policy": "message_window", "max_messages": 1})
    assert seen(app) == ["third"]
    talk = f"talk-{uuid4().hex[:8]}"
    app.call("POST", "/v1/conversations", {})
    named = app.turn(talk, "one").body
    app.call("POST", f"/v1/conversations/{talk}", {"memory": {"policy": "message_window", "max_messages": 1}})
    go_on(app, named["id"], "branched")
    assert seen(app) == ["branched"]


def test_the_last_response_takes_its_conversation_along(app: App) -> None:
    first = begin(app)
    second = go_on(app, first["id"], "second").body
    app.call("DELETE", path(first["id"]))
    assert unknown(app, first["id"])
    assert go_on(app, second["id"], "third", store=False).status == 200
    assert seen(app)[1:] == [said(first), "second", said(second), "third"]
    app.call("DELETE", path(second["id"]))
    assert app.call("GET", f"/v1/conversations/conv_{incarnation(first)}").status == 404


def test_all_takes_unnamed_conversations_along(app: App) -> None:
    first = begin(app, user="eraser")
    second = go_on(app, first["id"], "second", user="eraser").body
    branched = go_on(app, first["id"], "branched", user="eraser").body
    receipt = app.call("DELETE", "/v1/conversations", user="eraser", query={"all": "true"}).body
    assert receipt["deleted"] is True
    assert receipt["omoide"]["erased"]["dynamodb"] == {
        "conversations": 2,
        "items": 8,
        "idempotency_records": 0,
        "responses": 3,
    }
    assert all(unknown(app, one["id"], user="eraser") for one in (first, second, branched))


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_fails_leaves_no_branch(app: App, stream: bool) -> None:
    first = begin(app, user="failing")
    go_on(app, first["id"], "second", user="failing")
    app.model.script.append(http_error(400))
    assert go_on(app, first["id"], "refused", user="failing", stream=stream).status == 400
    receipt = app.call("DELETE", "/v1/conversations", user="failing", query={"all": "true"}).body
    assert receipt["omoide"]["erased"]["dynamodb"]["conversations"] == 1


def test_two_at_once_from_one_response_are_two_branches(app: App) -> None:
    from chat import handler as chat

    first = begin(app)
    leases, both = chat.parts().stores.leases, list[dict[str, Any]]()

    async def meanwhile(*args: Any, **kwargs: Any) -> Any:
        leases.take = take  # type: ignore[method-assign]
        head = await take(*args, **kwargs)
        # The second comes while the first runs; it does not wait.
        with ThreadPoolExecutor(1) as thread:
            both.append(thread.submit(in_its_own_environment, first["id"]).result())
        return head

    take = leases.take
    leases.take = meanwhile  # type: ignore[method-assign]
    one = go_on(app, first["id"], "one").body
    assert seen(app)[1:] == [said(first), "one"]
    [other] = both
    assert incarnation(one) == incarnation(first) != incarnation(other)
    assert app.call("GET", path(other["id"])).body == other
    go_on(app, other["id"], "on")
    assert seen(app)[1:] == [said(first), "other", said(other), "on"]


def in_its_own_environment(response: str) -> dict[str, Any]:
    """Run a turn as another environment does, on an event loop of its own."""
    from chat.wiring import make_chat
    from chat_core.cache import Directives
    from chat_core.deadline import Deadline
    from chat_core.keys import unnamed_address
    from chat_core.settings import ChatSettings
    from chat_core.turns import TurnRequest

    async def run() -> dict[str, Any]:
        made = make_chat(ChatSettings.from_env(os.environ))
        request = TurnRequest(
            address=unnamed_address("local", response[5:21]),
            body={"model": "gpt-4.1-mini", "store": False},
            input=({"type": "message", "role": "user", "content": "other"},),
            memory=None,
            directives=Directives(),
            fingerprint="other",
            previous=response,
        )
        try:
            return (await made.turns.run(request, Deadline.after(20))).answer
        finally:
            await made.model.aclose()  # type: ignore[attr-defined]
            await made.stores.cache.aclose()
            made.stores.table.close()

    return asyncio.run(run())


def test_forgetting_everything_forgets_what_no_list_shows(app: App) -> None:
    first = begin(app, user="forgetter")
    go_on(app, first["id"], "second", user="forgetter")
    answer = app.call("DELETE", "/v1/memory", user="forgetter")
    assert (answer.status, answer.body["omoide"]["conversations"]) == (200, 1)
    third = go_on(app, first["id"], "aside", user="forgetter", memory={"policy": "summary_window"})
    assert third.status == 200


def test_tokens_are_counted_behind_a_response(app: App) -> None:
    first = begin(app)
    asked = {"model": "gpt-4.1-mini", "previous_response_id": first["id"], "input": "second"}
    counted = app.call("POST", "/v1/responses/input_tokens", asked)
    assert counted.status == 200, counted.body
    assert counted.body["input_tokens"] > 20
    assert go_on(app, first["id"], "second").body["id"][5:21] == incarnation(first)
