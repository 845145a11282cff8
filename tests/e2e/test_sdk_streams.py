"""The stock OpenAI SDK reads streams from the running server: events, tools, structured output, errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import openai
import pytest
from pydantic import BaseModel

from local.model.faults import refusal

if TYPE_CHECKING:
    from openai import OpenAI

    from local.model.server import StandInModel

MODEL = "gpt-4.1-mini"
WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "Weather by city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


class Visitor(BaseModel):
    """A structured output."""

    name: str
    tags: list[str]


@pytest.fixture(params=[True, False], ids=["conversation", "stateless"])
def place(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Members of a turn's request, and of a stateless one."""
    return {"conversation": f"streams-{uuid4().hex}"} if request.param else {}


def test_a_stream_is_announced_as_one(client: OpenAI) -> None:
    with client.responses.with_streaming_response.create(model=MODEL, input="Hello", stream=True) as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["x-cache"]
        assert answer.request_id


def test_create_with_stream(client: OpenAI, place: dict[str, Any]) -> None:
    question = f"My name is Naomi. 東京の {uuid4().hex} 👨\u200d👩\u200d👧"
    events = list(client.responses.create(model=MODEL, input=question, stream=True, **place))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[0].type, events[1].type) == ("response.created", "response.in_progress")
    last = events[-1]
    assert last.type == "response.completed"
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert len(deltas) > 1
    assert "".join(deltas) == last.response.output_text
    assert last.response.usage is not None
    assert last.response.to_dict()["omoide"]
    if place:
        assert last.response.conversation is not None
        assert last.response.conversation.id == place["conversation"]
        items = client.conversations.items.list(place["conversation"], order="asc").data
        shown = items[1].to_dict()
        assert shown.pop("omoide")["turn_id"] == last.response.to_dict()["omoide"]["turn_id"]  # type: ignore[index]
        assert shown == last.response.output[0].to_dict()
        answer = client.responses.create(model=MODEL, input="What is my name?", stream=True, **place)
        assert "Your name is Naomi!" in "".join(e.delta for e in answer if e.type == "response.output_text.delta")


def test_the_stream_manager_with_text(client: OpenAI, place: dict[str, Any]) -> None:
    with client.responses.stream(model=MODEL, input=f"Hello {uuid4().hex}", **place) as stream:
        snapshots = [event.snapshot for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert len(snapshots) > 1
    assert snapshots[-1] == final.output_text


def test_the_stream_manager_with_tools(client: OpenAI, place: dict[str, Any]) -> None:
    question: Any = {"role": "user", "content": f"What is the weather in Oslo? {uuid4().hex}"}
    with client.responses.stream(model=MODEL, input=[question], tools=[WEATHER], **place) as stream:
        snapshots = [event.snapshot for event in stream if event.type == "response.function_call_arguments.delta"]
        call = stream.get_final_response().output[0]
    assert call.type == "function_call"
    assert json.loads(call.arguments) == call.parsed_arguments == {"city": "Oslo"}
    assert snapshots[-1] == call.arguments
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "4C"}
    called = {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments}
    told: Any = [result] if place else [question, called, result]
    with client.responses.stream(model=MODEL, input=told, tools=[WEATHER], **place) as stream:
        assert stream.get_final_response().output_text == "The tool get_weather says: 4C"


def test_the_stream_manager_with_structured_output(client: OpenAI, place: dict[str, Any]) -> None:
    question = f"I'm Naomi. {uuid4().hex}"
    for _ in range(2):  # a miss, and where the view is the same, a hit
        with client.responses.stream(model=MODEL, input=question, text_format=Visitor, **place) as stream:
            parsed = [event.parsed for event in stream if event.type == "response.output_text.done"]
            final = stream.get_final_response().output_parsed
        assert final is not None
        assert final.name.startswith("Hello, Naomi!")
        assert parsed == [final]


def test_a_refusal(client: OpenAI, model: StandInModel, place: dict[str, Any]) -> None:
    model.script.append(refusal("I am sorry, but I cannot."))
    with client.responses.stream(model=MODEL, input=f"Do it {uuid4().hex}", **place) as stream:
        refused = "".join(event.delta for event in stream if event.type == "response.refusal.delta")
        message = stream.get_final_response().output[0]
    assert message.type == "message"
    assert message.content[0].type == "refusal"
    assert refused == message.content[0].refusal == "I am sorry, but I cannot."


def test_a_cut_answer(client: OpenAI, place: dict[str, Any]) -> None:
    answer = client.responses.create(
        model=MODEL, input=f"Hello {uuid4().hex}", max_output_tokens=16, stream=True, **place
    )
    *_, last = answer
    assert last.type == "response.incomplete"
    assert last.response.incomplete_details is not None
    assert last.response.incomplete_details.reason == "max_output_tokens"


def test_an_error_is_raised_before_the_stream(client: OpenAI, place: dict[str, Any]) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model=MODEL, input="", stream=True, **place)
    assert (caught.value.param, caught.value.code) == ("input", "empty_string")


def test_chat_completions_stream_and_hit_the_same_entry(client: OpenAI) -> None:
    messages: Any = [{"role": "user", "content": f"Say something long about {uuid4().hex}, please. 日本語も。"}]
    whole = client.chat.completions.create(model="gpt-4.1-mini", messages=messages)
    chunks = list(
        client.chat.completions.create(
            model="gpt-4.1-mini", messages=messages, stream=True, stream_options={"include_usage": True}
        )
    )
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage
    assert not chunks[-1].choices
    with client.chat.completions.stream(model="gpt-4.1-mini", messages=messages) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content == text
