"""Items as they are read: with the turn that brought them and when, which is read alone and never taken back."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.integration.test_stored_responses import call, path

if TYPE_CHECKING:
    from tests.integration.app import App

NAMED = {"role": "user", "content": "私は田中です。"}
SHOWN = "omoide"


@pytest.fixture
def talk() -> str:
    return f"talk-{uuid4().hex[:8]}"


def items(app: App, conversation: str) -> list[dict[str, Any]]:
    query = {"order": "asc", "limit": "100"}
    found: list[dict[str, Any]] = app.call("GET", f"/v1/conversations/{conversation}/items", query=query).body["data"]
    return found


def test_an_item_tells_its_turn_and_when_it_was(app: App, talk: str) -> None:
    before = int(time.time())
    answers = [app.turn(talk, text).body for text in ("one", "two")]
    listed = items(app, talk)
    turns = [answer["omoide"]["turn_id"] for answer in answers]
    assert [item[SHOWN]["turn_id"] for item in listed] == [turns[0], turns[0], turns[1], turns[1]]
    assert all(before <= item[SHOWN]["created_at"] <= time.time() for item in listed)
    assert all(item[SHOWN].keys() == {"turn_id", "created_at"} for item in listed)
    for item in listed:
        assert app.call("GET", f"/v1/conversations/{talk}/items/{item['id']}").body == item
    [asked] = app.call("GET", path(answers[1]["id"], "/input_items")).body["data"]
    assert asked == listed[2]


def test_appended_items_are_answered_as_they_are_read(app: App, talk: str) -> None:
    key = {"idempotency-key": uuid4().hex}
    added = [
        app.call("POST", f"/v1/conversations/{talk}/items", {"items": [NAMED, NAMED]}, headers=key) for _ in range(2)
    ]
    assert added[0].body["data"] == added[1].body["data"] == items(app, talk)
    assert len({item[SHOWN]["turn_id"] for item in items(app, talk)}) == 1


def test_a_fork_keeps_the_turns_and_times(app: App, talk: str) -> None:
    app.turn(talk, "one")
    fork = app.call("POST", "/v1/conversations", {"omoide": {"fork": {"conversation": talk}}}).body["id"]
    assert [item[SHOWN] for item in items(app, fork)] == [item[SHOWN] for item in items(app, talk)]


def test_items_that_are_read_and_sent_again_are_known_by_their_ids(app: App, talk: str) -> None:
    app.turn(talk, "one")
    transcript = items(app, talk)
    answer = app.turn(talk, [*transcript, {"role": "user", "content": "two"}])
    assert answer.status == 200, answer.body
    assert items(app, talk)[:2] == transcript
    assert len(items(app, talk)) == 4
    assert SHOWN not in json.dumps(app.model.requests[-1])


def test_what_an_item_tells_is_neither_stored_nor_sent_nor_keyed(app: App, talk: str) -> None:
    app.turn(talk, f"one of {talk}")
    first, second = items(app, talk)
    bare = [{name: value for name, value in item.items() if name != SHOWN} for item in (first, second)]
    asked = {"role": "user", "content": "two"}
    told = call(app, [first, second, asked])
    assert SHOWN not in json.dumps(app.model.requests[-1])
    again = call(app, [*bare, asked])
    assert [answer.headers["x-cache"] for answer in (told, again)] == ["MISS", "HIT"]
    kept = app.call("GET", path(told.body["id"], "/input_items"), query={"order": "asc"}).body["data"]
    assert len({item[SHOWN]["turn_id"] for item in kept}) == 1
    assert kept[0][SHOWN]["turn_id"] != first[SHOWN]["turn_id"]

    other = f"talk-{uuid4().hex[:8]}"
    forged = {**NAMED, SHOWN: {"turn_id": "turn_forged", "created_at": "never", "more": [NAMED]}}
    assert app.call("POST", f"/v1/conversations/{other}/items", {"items": [first, forged]}).status == 200
    assert app.turn(other, [forged]).status == 200
    assert SHOWN not in json.dumps(app.model.requests[-1])
    assert "forged" not in json.dumps(items(app, other))
    made = app.call("POST", "/v1/conversations", {"items": [first, forged]}).body["id"]
    assert "forged" not in json.dumps(items(app, made))


@pytest.mark.parametrize("route", ["/v1/responses/input_tokens", "/v1/responses/compact"])
def test_nor_counted_nor_compacted(app: App, talk: str, route: str) -> None:
    app.turn(talk, "one")
    [first, second] = items(app, talk)
    answers = [
        app.call("POST", route, {"model": "gpt-4.1-mini", "input": given})
        for given in ([first, second], [{**one, SHOWN: {}} for one in (first, second)])
    ]
    assert [answer.status for answer in answers] == [200, 200], answers[0].body
    assert SHOWN not in json.dumps(app.model.requests[-1])
    if "input_tokens" in answers[0].body:
        assert answers[0].body == answers[1].body
