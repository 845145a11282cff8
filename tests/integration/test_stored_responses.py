"""Stored responses through the functions: read, replayed, listed, deleted, and gone with what was erased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.integration.test_streams import events
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from tests.integration.app import Answer, App


def path(response: str, more: str = "") -> str:
    return f"/v1/responses/{response}{more}"


def name() -> str:
    return f"talk-{uuid4().hex[:8]}"


def unknown(app: App, response: str, **asks: Any) -> bool:
    """Tell whether a response is not there, in the same bytes for whatever reason."""
    never = app.call("GET", path(f"resp_{'0' * 16}{'1'.zfill(12)}"))
    answers = [app.call("GET", path(response), **asks), app.call("GET", path(response, "/input_items"), **asks)]
    answers.append(app.call("GET", path(response), query={"stream": "true"}, **asks))
    return all((one.status, one.body) == (404, never.body) for one in answers)


def test_a_response_is_read_as_it_was_answered(app: App) -> None:
    talk = name()
    app.turn(talk, "first")
    first = app.turn(talk, "second", instructions="Be brief.", metadata={"a": "b"})
    again = app.call("GET", path(first.body["id"]))
    assert again.status == 200
    assert again.body == first.body
    assert again.body["store"] is True
    assert_valid(again.body, "Response")


def test_a_response_is_replayed_from_any_event_on(app: App) -> None:
    first = app.turn(name(), "hello " * 30).body
    whole = app.call("GET", path(first["id"]), query={"stream": "true"})
    assert whole.headers["content-type"].startswith("text/event-stream")
    told = events(whole)
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert (told[0]["type"], told[-1]["type"]) == ("response.created", "response.completed")
    assert told[-1]["response"] == first
    later = app.call("GET", path(first["id"]), query={"stream": "true", "starting_after": "5"})
    assert later.body == "\n\n".join(whole.body.split("\n\n")[6:])
    assert app.call("GET", path(first["id"]), query={"starting_after": "5"}).body == first


@pytest.mark.parametrize(
    ("query", "param"),
    [({"stream": "perhaps"}, "stream"), ({"stream": "true", "starting_after": "-1"}, "starting_after")],
)
def test_a_replay_that_cannot_be(app: App, query: dict[str, str], param: str) -> None:
    first = app.turn(name(), "hello").body
    refused = app.call("GET", path(first["id"]), query=query)
    assert (refused.status, refused.error["param"]) == (400, param)


def test_input_items_have_pages(app: App) -> None:
    talk = name()
    app.turn(talk, "before")
    said = [{"role": "user", "content": f"part {number}"} for number in range(5)]
    response = app.turn(talk, said).body

    def page(**query: str) -> Answer:
        return app.call("GET", path(response["id"], "/input_items"), query=query)

    def texts(answer: Answer) -> list[str]:
        assert_valid(answer.body, "ConversationItemList")
        return [item["content"][0]["text"] for item in answer.body["data"]]

    assert texts(page()) == [f"part {number}" for number in (4, 3, 2, 1, 0)]
    first = page(order="asc", limit="2")
    assert (texts(first), first.body["has_more"]) == (["part 0", "part 1"], True)
    rest = page(order="asc", after=first.body["last_id"])
    assert (texts(rest), rest.body["has_more"]) == (["part 2", "part 3", "part 4"], False)
    assert texts(page(after=rest.body["first_id"])) == ["part 1", "part 0"]
    for refused in (page(after=response["output"][0]["id"]), page(limit="0"), page(order="up")):
        assert refused.status == 400


def test_a_deleted_response_is_gone_and_its_turn_is_not(app: App) -> None:
    talk = name()
    response = app.turn(talk, "hello").body["id"]
    gone = app.call("DELETE", path(response))
    assert (gone.status, gone.body) == (200, {"id": response, "object": "response", "deleted": True})
    assert unknown(app, response)
    assert app.call("DELETE", path(response)).status == 404
    assert len(app.call("GET", f"/v1/conversations/{talk}/items").body["data"]) == 2


def test_anothers_response_is_unknown(app: App) -> None:
    response = app.turn(name(), "hello").body["id"]
    assert unknown(app, response, user="other")
    assert app.call("DELETE", path(response), user="other").status == 404
    for no_id in ("resp_1", "x", "resp_" + "0" * 40, "resp_%2F"):
        assert unknown(app, no_id)


def test_nothing_erased_is_read_through_a_response(app: App) -> None:
    talk = name()
    first = app.turn(talk, [{"role": "user", "content": "secret"}, {"role": "user", "content": "plain"}]).body
    items = app.call("GET", f"/v1/conversations/{talk}/items", query={"order": "asc"}).body["data"]
    for item in (items[0], items[2]):
        assert app.call("DELETE", f"/v1/conversations/{talk}/items/{item['id']}").status == 200
    assert app.call("GET", path(first["id"])).body == {**first, "output": []}
    listed = app.call("GET", path(first["id"], "/input_items")).body["data"]
    assert [item["content"][0]["text"] for item in listed] == ["plain"]
    app.call("DELETE", f"/v1/conversations/{talk}")
    assert unknown(app, first["id"])
    app.turn(talk, "anew")
    assert unknown(app, first["id"])


def test_what_is_not_to_be_stored_is_not_shown(app: App) -> None:
    talk, key = name(), {"Idempotency-Key": uuid4().hex}
    first = app.turn(talk, "hello", store=False, headers=key)
    assert first.body["store"] is False
    assert unknown(app, first.body["id"])
    again = app.turn(talk, "hello", store=False, headers=key)
    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")
    assert len(app.call("GET", f"/v1/conversations/{talk}/items").body["data"]) == 2


def test_a_deleted_response_is_not_made_again_by_its_key(app: App) -> None:
    talk, key = name(), {"Idempotency-Key": uuid4().hex}
    first = app.turn(talk, "hello", headers=key)
    app.call("DELETE", path(first.body["id"]))
    assert app.turn(talk, "hello", headers=key).status == 404
    assert app.model_calls == 1


def call(app: App, given: object, **more: Any) -> Answer:
    """Post a call without a conversation; `App.call`'s own arguments by their names."""
    own = {member: more.pop(member) for member in ("user", "headers") if member in more}
    return app.call("POST", "/v1/responses", {"model": "gpt-4.1-mini", "input": given, **more}, **own)


def test_a_call_without_a_conversation_is_stored_too(app: App) -> None:
    given = [{"role": "user", "content": f"one {uuid4().hex}"}, {"role": "user", "content": "two"}]
    for status in ("MISS", "HIT"):
        first = call(app, given)
        assert first.headers["x-cache"] == status
        assert (first.body["store"], first.body.get("conversation")) == (True, None)
        assert app.call("GET", path(first.body["id"])).body == first.body
        assert_valid(first.body, "Response")
        listed = app.call("GET", path(first.body["id"], "/input_items"), query={"order": "asc"}).body["data"]
        assert [item["content"][0]["text"] for item in listed] == [item["content"] for item in given]
        ids = [item["id"] for item in (*listed, *first.body["output"])]
        assert ids == [f"msg_{first.body['id'][5:21]}{seq:012x}" for seq in (1, 2, 3)]
        assert unknown(app, first.body["id"], user="other")
    assert app.model.requests[-1]["store"] is False
    assert app.call("DELETE", path(first.body["id"])).status == 200
    assert unknown(app, first.body["id"])


def test_a_streamed_call_tells_the_id_by_which_it_is_stored(app: App) -> None:
    told = events(call(app, f"hello {uuid4().hex}", stream=True))
    names = {event["response"]["id"] for event in told if "response" in event}
    [response] = names
    assert app.call("GET", path(response)).body == told[-1]["response"]
    items = {event["item_id"] for event in told if "item_id" in event}
    assert items == {item["id"] for item in told[-1]["response"]["output"]}


def test_a_call_that_is_not_to_be_stored_is_not(app: App) -> None:
    answer = call(app, f"hello {uuid4().hex}", store=False)
    assert answer.body["store"] is False
    assert unknown(app, answer.body["id"])


def test_all_takes_responses_without_a_conversation_along(app: App) -> None:
    responses = [call(app, f"mine {number}", user="eraser").body["id"] for number in range(3)]
    theirs = call(app, "theirs").body["id"]
    assert app.call("GET", "/v1/conversations", user="eraser").body["data"] == []
    receipt = app.call("DELETE", "/v1/conversations", user="eraser", query={"all": "true"}).body
    assert (receipt["deleted"], receipt["omoide"]["erased"]["dynamodb"]["responses"]) == (True, 3)
    assert all(unknown(app, response, user="eraser") for response in responses)
    assert app.call("GET", path(theirs)).status == 200
