"""``previous_response_id`` by each client that offers it: only what is new is sent, and no conversation is named."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import litellm
import openai
import pytest
from agents import Agent as OpenAIAgent
from agents import OpenAIResponsesModel, Runner, function_tool
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIResponsesModel as PydanticModel
from pydantic_ai.providers.openai import OpenAIProvider

from tests.e2e.clients import talk
from tests.e2e.clients.talk import KEY, MODEL, TURNS

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOL: Any = {"type": "function", **talk.FUNCTION}


@pytest.fixture
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=url, api_key=KEY) as client:
        yield client


def get_weather(city: str) -> str:
    """Weather by city."""
    return talk.WEATHER if city == "Oslo" else "unknown"


def test_openai(client: openai.OpenAI) -> None:
    previous = None
    for said, answered in TURNS:
        answer = client.responses.create(model=MODEL, input=said, previous_response_id=previous)
        assert answer.output_text == answered
        assert answer.previous_response_id == previous
        previous = answer.id
    assert previous is not None
    read = client.responses.retrieve(previous)
    assert (read.id, read.output_text) == (previous, TURNS[-1][1])
    items = list(client.responses.input_items.list(previous, order="asc"))
    assert items[-1].content[0].text == TURNS[-1][0]  # type: ignore[union-attr,index]
    events = list(client.responses.retrieve(previous, stream=True))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == TURNS[-1][1]
    client.responses.delete(previous)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(previous)
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model=MODEL, input="Hello", previous_response_id=previous)
    assert caught.value.param == "previous_response_id"


def test_openai_streaming_in_two_branches(client: openai.OpenAI) -> None:
    first = client.responses.create(model=MODEL, input=TURNS[0][0])
    for input_, answered in (TURNS[-1], ("Please remember that my dog is Pochi.", "I will remember: my dog is Pochi")):
        stream = client.responses.create(model=MODEL, input=input_, previous_response_id=first.id, stream=True)
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        assert "".join(deltas) == answered


def test_openai_tools(client: openai.OpenAI) -> None:
    first = client.responses.create(model=MODEL, input=talk.ASKS_WEATHER, tools=[TOOL])
    [call] = first.output
    assert call.type == "function_call"
    assert json.loads(call.arguments) == {"city": "Oslo"}
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": talk.WEATHER}
    second = client.responses.create(model=MODEL, input=[result], tools=[TOOL], previous_response_id=first.id)
    assert second.output_text == talk.TOLD


def test_the_agents_sdk(url: str) -> None:
    async def story() -> None:
        async with openai.AsyncOpenAI(base_url=url, api_key=KEY) as client:
            tools = [function_tool(get_weather)]
            agent = OpenAIAgent("Helper", model=OpenAIResponsesModel(MODEL, client), tools=tools)
            previous = None
            for said, answered in (*TURNS[:2], (talk.ASKS_WEATHER, talk.TOLD)):
                result = await Runner.run(agent, said, previous_response_id=previous)
                assert result.final_output == answered
                previous = result.last_response_id
            running = Runner.run_streamed(agent, TURNS[-1][0], previous_response_id=previous)
            _ = [event async for event in running.stream_events()]
            assert running.final_output == TURNS[-1][1]
            result = await Runner.run(agent, talk.ASKS_WEATHER, auto_previous_response_id=True)
            assert result.final_output == talk.TOLD

    asyncio.run(story())


def test_langchain(url: str) -> None:
    model = ChatOpenAI(model=MODEL, base_url=url, api_key=KEY, use_responses_api=True, use_previous_response_id=True)
    dialogue: list[Any] = []
    for said, answered in TURNS:
        dialogue.append(HumanMessage(said))
        dialogue.append(model.invoke(dialogue))
        assert dialogue[-1].text == answered
    chunks = list(model.stream([*dialogue, HumanMessage(TURNS[-1][0])]))
    assert "".join(chunk.text for chunk in chunks) == TURNS[-1][1]


def test_langchain_tools(url: str) -> None:
    from langchain_core.tools import tool

    model = ChatOpenAI(model=MODEL, base_url=url, api_key=KEY, use_responses_api=True, use_previous_response_id=True)
    weather = tool(get_weather)
    bound = model.bind_tools([weather])
    asked = bound.invoke(talk.ASKS_WEATHER)
    told = bound.invoke([HumanMessage(talk.ASKS_WEATHER), asked, weather.invoke(asked.tool_calls[0])])
    assert told.text == talk.TOLD


def test_litellm(url: str) -> None:
    place: dict[str, Any] = {"model": f"openai/{MODEL}", "api_base": url, "api_key": KEY}
    previous = None
    for said, answered in TURNS:
        answer = litellm.responses(input=said, previous_response_id=previous, **place)
        assert answer.output_text == answered
        previous = answer.id
    read = litellm.get_responses(previous, custom_llm_provider="openai", api_base=url, api_key=KEY)
    assert read.output_text == TURNS[-1][1]


def test_pydantic_ai(url: str) -> None:
    model = PydanticModel(MODEL, provider=OpenAIProvider(base_url=url, api_key=KEY))
    settings: Any = {"openai_previous_response_id": "auto"}
    agent = Agent(model, model_settings=settings, tools=[get_weather])
    dialogue: list[Any] = []
    for said, answered in (*TURNS[:2], (talk.ASKS_WEATHER, talk.TOLD), TURNS[-1]):
        result = agent.run_sync(said, message_history=dialogue)
        assert result.output == answered
        dialogue = result.all_messages()
