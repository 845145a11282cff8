from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.api.streams import response_events
from chat_core.errors import UpstreamError
from chat_core.model.placed import PlacedEvents
from chat_core.model.streamed import StreamedResponse
from chat_core.model.whole import asked_of
from tests.openai_schema import assert_valid
from tests.unit.api.streams.test_responses import RESPONSE, folded, responses

PLACES = ("item_id", "output_index", "content_index", "logprobs", "sequence_number")
BODY = {"model": "gpt-4.1-mini", "input": "Hello"}
LEFT_OUT = (
    "response.content_part.added",
    "response.content_part.done",
    "response.output_text.done",
    "response.output_text.annotation.added",
)
# Where a text is of several parts, only the provider can say which one a delta continues.
one_part = responses.map(
    lambda response: {
        **response,
        "output": [
            {
                **item,
                "content": [{**part, "annotations": []} if "annotations" in part else part for part in content[:1]],
            }
            if (content := item.get("content"))
            else item
            for item in response["output"]
        ],
    }
)


def heard(events: list[Any]) -> tuple[list[dict[str, Any]], StreamedResponse]:
    stream = StreamedResponse(asked_of("responses", BODY, now=1_800_000_000))
    return [dict(told) for event in events for told in stream.take(event)], stream


def plain(output: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give items without what is made up where it was left out."""
    made_up = ("id", "status", "logprobs")
    return [
        {
            **{name: value for name, value in item.items() if name not in made_up},
            "content": [
                {name: value for name, value in part.items() if name not in made_up} for part in item.get("content", ())
            ],
        }
        for item in output
    ]


def poorer(event: dict[str, Any]) -> dict[str, Any]:
    poor = {name: value for name, value in event.items() if name not in PLACES}
    if "item" in poor:
        poor["item"] = {name: value for name, value in poor["item"].items() if name not in ("id", "status")}
    return poor


@given(one_part, st.sampled_from([(), LEFT_OUT]))
def test_what_a_provider_leaves_out_is_told(response: dict[str, Any], left_out: tuple[str, ...]) -> None:
    events = list(response_events(response))
    told, _ = heard([poorer(event) for event in events if event["type"] not in left_out])
    for number, event in enumerate(told):
        assert_valid({**event, "sequence_number": number}, "ResponseStreamEvent")
    # A part without any text is told by its own events alone.
    texts = [part.get("text") or part.get("refusal") for item in response["output"] for part in item.get("content", ())]
    if not left_out or all(texts):
        assert plain(folded(told)) == plain(response["output"])
    done = [event["item"]["id"] for event in told if event["type"] == "response.output_item.done"]
    added = [event["item"]["id"] for event in told if event["type"] == "response.output_item.added"]
    assert done == added
    assert len(set(done)) == len(response["output"])


@given(responses)
def test_a_stream_that_lacks_nothing_is_told_as_it_is(response: dict[str, Any]) -> None:
    events = list(response_events(response))
    placed = PlacedEvents()
    assert [told for event in events for told in placed.take(event)] == events


def test_the_answer_has_the_items_and_the_ids_that_were_told() -> None:
    delta = {"type": "response.output_text.delta", "delta": "Hi"}
    item = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
    done = {"type": "response.output_item.done", "item": item}
    outputs: tuple[dict[str, Any], ...] = ({}, {"output": []}, {"output": [item]})
    for output in outputs:
        last = {"type": "response.completed", "response": {**RESPONSE, **output}}
        told, stream = heard([delta, done, last])
        assert [event["type"].removeprefix("response.") for event in told] == [
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
        ]
        [answered] = stream.answer()["output"]
        assert answered["id"] == told[0]["item"]["id"] == told[2]["item_id"]
        assert answered["content"][0]["text"] == "Hi"


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.output_item.done", "item": {"type": []}},
        {"type": "response.output_item.added", "item": None},
        {"type": "response.output_item.added", "item": {"type": "message", "id": 3}},
        {"type": "response.output_text.delta", "output_index": "0", "delta": "x"},
        {"type": "response.output_text.delta", "content_index": [], "delta": "x"},
        {"type": "response.output_text.delta", "item_id": 3, "delta": "x"},
        {"type": "response.output_text.done", "text": 3},
        [],
    ],
)
def test_what_is_no_event_is_refused(event: Any) -> None:
    with pytest.raises(UpstreamError):
        heard([event])
