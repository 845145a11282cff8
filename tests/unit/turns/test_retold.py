from __future__ import annotations

import copy
from typing import Any

import pytest

from chat_core.api.streams import response_events
from chat_core.keys import new_incarnation, parse_item_id
from chat_core.turns.retold import Places, Retold
from local.model.faults import NO_FAULT
from local.model.responses import create
from tests.openai_schema import assert_valid

FRAME = {"conversation": {"id": "chat"}, "omoide": {"turn_id": "turn_1"}}
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


class Heard:
    """A `Listener` that remembers."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.events: list[dict[str, Any]] = []

    def opened(self, headers: Any) -> None:
        self.headers = dict(headers)

    def told(self, event: Any) -> None:
        self.events.append(event)


def retell(events: list[dict[str, Any]], places: Places | None) -> list[dict[str, Any]]:
    heard = Heard()
    retold = Retold(heard, FRAME, places)
    retold.opened({"X-Cache": "MISS"})
    for event in events:
        before = copy.deepcopy(event)
        retold.told(event)
        assert event == before
    assert heard.headers == {"X-Cache": "MISS"}
    return heard.events


def events_of(text: str) -> list[dict[str, Any]]:
    body = {"model": "m", "input": text, "tools": [WEATHER]}
    return list(response_events(create(body, now=1, change=NO_FAULT.change)))[:-1]


@pytest.mark.parametrize("text", ["Hello", "What is the weather in Oslo?"])
def test_items_have_their_places_and_responses_their_frame(text: str) -> None:
    incarnation = new_incarnation()
    told = retell(events_of(text), Places(incarnation, 7))
    ids = {event["item_id"] for event in told if "item_id" in event}
    ids |= {event["item"]["id"] for event in told if "item" in event}
    assert len(ids) == 1
    assert parse_item_id(ids.pop()) == (incarnation, 7)
    for event in told:
        assert_valid(event, "ResponseStreamEvent")
        if "response" in event:
            assert FRAME.items() <= event["response"].items()
    assert [event["type"] for event in told] == [event["type"] for event in events_of(text)]


def test_a_turn_that_is_not_stored_keeps_the_models_ids() -> None:
    events = events_of("Hello")
    told = retell(events, None)
    assert [event.get("item_id") for event in told] == [event.get("item_id") for event in events]
    assert told[0]["response"]["conversation"] == {"id": "chat"}


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.something.new", "payload": 1},
        {"type": "x", "output_index": "0", "item_id": "i"},
        {"type": "x", "output_index": -1, "item": {"id": "i"}},
        {"type": "x", "output_index": 1 << 60, "item_id": "i"},
        {"type": "x", "output_index": 0, "item": "no object"},
        {"type": "x", "response": None},
    ],
)
def test_what_is_not_as_expected_is_told_as_it_is(event: dict[str, Any]) -> None:
    assert retell([event], Places(new_incarnation(), 1)) == [event]
