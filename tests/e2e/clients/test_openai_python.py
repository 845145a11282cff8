"""OpenAI's own SDK, as it is released now, sync and async."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tests.e2e.clients import talk
from tests.e2e.clients.talk import KEY, MODEL, TURNS

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOL: Any = {"type": "function", **talk.FUNCTION}


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=url, api_key=KEY) as client:
        yield client


def stored(client: openai.OpenAI, name: str) -> list[Any]:
    return list(client.conversations.items.list(name, order="asc"))


def test_three_turns_are_remembered(client: openai.OpenAI, name: str) -> None:
    for said, answered in TURNS:
        answer = client.responses.create(model=MODEL, conversation=name, input=said)
        assert answer.output_text == answered
    assert [item.content[0].text for item in stored(client, name)] == talk.SAID


def test_a_stream(client: openai.OpenAI, name: str) -> None:
    for said, answered in TURNS:
        stream = client.responses.create(model=MODEL, conversation=name, input=said, stream=True)
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        assert "".join(deltas) == answered
        assert len(deltas) > 1


def test_a_tool_round_trip(client: openai.OpenAI, name: str) -> None:
    first = client.responses.create(model=MODEL, conversation=name, input=talk.ASKS_WEATHER, tools=[TOOL])
    [call] = first.output
    assert call.type == "function_call"
    assert json.loads(call.arguments) == {"city": "Oslo"}
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": talk.WEATHER}
    second = client.responses.create(model=MODEL, conversation=name, input=[result], tools=[TOOL])
    assert second.output_text == talk.TOLD
    assert [item.type for item in stored(client, name)] == talk.TOOL_TURN


def test_structured_output(client: openai.OpenAI, name: str) -> None:
    answer = client.responses.parse(model=MODEL, conversation=name, input=TURNS[0][0], text_format=talk.Visitor)
    assert answer.output_parsed is not None
    assert answer.output_parsed.name == TURNS[0][1]
    completion = client.chat.completions.parse(
        model=MODEL, messages=[{"role": "user", "content": TURNS[0][0]}], response_format=talk.Visitor
    )
    assert completion.choices[0].message.parsed == answer.output_parsed


def test_an_error_names_its_parameter(client: openai.OpenAI, name: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model=MODEL, conversation=name, input="Hello", temperature=5)
    assert caught.value.param == "temperature"
    with pytest.raises(openai.NotFoundError):
        client.conversations.retrieve(name)


def test_models_and_tokens(client: openai.OpenAI, name: str) -> None:
    models = [model.id for model in client.models.list()]
    assert MODEL in models
    assert client.models.retrieve(MODEL).id == MODEL
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such-model")
    counted = client.responses.input_tokens.count(model=MODEL, input=TURNS[0][0])
    client.responses.create(model=MODEL, conversation=name, input=TURNS[0][0])
    with_the_history = client.responses.input_tokens.count(model=MODEL, conversation=name, input=TURNS[0][0])
    assert 0 < counted.input_tokens < with_the_history.input_tokens


def test_a_compaction_is_understood(client: openai.OpenAI) -> None:
    dialogue: Any = [{"role": "user", "content": TURNS[0][0]}]
    compacted = client.responses.compact(model=MODEL, input=dialogue)
    asked = [*(item.to_dict() for item in compacted.output), {"role": "user", "content": TURNS[-1][0]}]
    assert client.responses.create(model=MODEL, input=asked).output_text == TURNS[-1][1]  # type: ignore[arg-type]


@pytest.mark.parametrize("remembered", [True, False], ids=["conversation", "stateless"])
def test_a_stored_response(client: openai.OpenAI, name: str, *, remembered: bool) -> None:
    place: Any = {"conversation": name} if remembered else {}
    made = client.responses.create(model=MODEL, input=TURNS[0][0], metadata={"of": name}, **place)
    read = client.responses.retrieve(made.id)
    assert (read.id, read.output, read.usage) == (made.id, made.output, made.usage)
    events = list(client.responses.retrieve(made.id, stream=True))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == made.output_text
    [asked] = client.responses.input_items.list(made.id)
    assert asked.content[0].text == TURNS[0][0]  # type: ignore[union-attr,index]
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)
    if remembered:
        assert len(stored(client, name)) == 2


def test_what_is_not_to_be_stored_is_not(client: openai.OpenAI, name: str) -> None:
    made = client.responses.create(model=MODEL, input=f"Hello {name}", store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


def test_async(url: str, name: str) -> None:
    async def talk_to_it() -> None:
        async with openai.AsyncOpenAI(base_url=url, api_key=KEY) as client:
            for said, answered in TURNS:
                answer = await client.responses.create(model=MODEL, conversation=name, input=said)
                assert answer.output_text == answered
            async with client.responses.stream(model=MODEL, conversation=name, input=TURNS[-1][0]) as stream:
                deltas = [event.delta async for event in stream if event.type == "response.output_text.delta"]
                final = await stream.get_final_response()
            assert "".join(deltas) == final.output_text == TURNS[-1][1]
            items = [item async for item in client.conversations.items.list(name, limit=3, order="asc")]
            assert len(items) == 8
            with pytest.raises(openai.BadRequestError) as caught:
                await client.responses.create(model=MODEL, input="Hello", top_p=5)
            assert caught.value.param == "top_p"

    asyncio.run(talk_to_it())


def test_many_conversations_at_once(url: str, name: str) -> None:
    async def talk_to_it(client: openai.AsyncOpenAI, person: str) -> None:
        place = f"{name}-{person}"
        await client.responses.create(model=MODEL, conversation=place, input=f"My name is {person}.")
        answer = await client.responses.create(model=MODEL, conversation=place, input="What is my name?")
        assert answer.output_text == f"Your name is {person}!"

    async def all_of_them() -> None:
        async with openai.AsyncOpenAI(base_url=url, api_key=KEY) as client:
            await asyncio.gather(*(talk_to_it(client, person) for person in ("Ada", "Grace", "Mary", "Naomi")))

    asyncio.run(all_of_them())
