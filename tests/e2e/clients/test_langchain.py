"""LangChain's ``ChatOpenAI``, by responses and by chat completions."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from tests.e2e.clients import talk
from tests.e2e.clients.talk import KEY, MODEL, TURNS


@tool
def get_weather(city: str) -> str:
    """Weather by city."""
    return talk.WEATHER if city == "Oslo" else "unknown"


def chat(url: str, **settings: Any) -> ChatOpenAI:
    return ChatOpenAI(model=MODEL, base_url=url, api_key=KEY, **settings)


@pytest.fixture(params=[True, False], ids=["responses", "chat completions"])
def stateless(request: pytest.FixtureRequest, url: str) -> ChatOpenAI:
    """The app sends the whole dialogue each time."""
    return chat(url, use_responses_api=request.param)


@pytest.fixture
def remembered(url: str, name: str) -> ChatOpenAI:
    """The app sends what is new."""
    return chat(url, use_responses_api=True, model_kwargs={"conversation": name})


def test_three_turns_are_remembered(remembered: ChatOpenAI) -> None:
    for said, answered in TURNS:
        assert remembered.invoke(said).text == answered


def test_three_turns_that_the_app_carries(stateless: ChatOpenAI) -> None:
    dialogue: list[Any] = []
    for said, answered in TURNS:
        dialogue.append(HumanMessage(said))
        dialogue.append(stateless.invoke(dialogue))
        assert dialogue[-1].text == answered


def test_a_stream(remembered: ChatOpenAI) -> None:
    for said, answered in TURNS:
        chunks = [chunk.text for chunk in remembered.stream(said)]
        assert "".join(chunks) == answered
        assert len([chunk for chunk in chunks if chunk]) > 1


def test_a_stream_of_a_call(stateless: ChatOpenAI) -> None:
    assert "".join(chunk.text for chunk in stateless.stream(TURNS[0][0])) == TURNS[0][1]


def test_a_tool_round_trip(remembered: ChatOpenAI, url: str, name: str) -> None:
    bound = remembered.bind_tools([get_weather])
    asked = bound.invoke(talk.ASKS_WEATHER)
    assert isinstance(asked, AIMessage)
    [call] = asked.tool_calls
    assert call["args"] == {"city": "Oslo"}
    result = ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"])
    assert bound.invoke([result]).text == talk.TOLD
    with openai.OpenAI(base_url=url, api_key=KEY) as client:
        assert [item.type for item in client.conversations.items.list(name, order="asc")] == talk.TOOL_TURN


def test_a_tool_round_trip_that_the_app_carries(stateless: ChatOpenAI) -> None:
    bound = stateless.bind_tools([get_weather])
    asked = bound.invoke(talk.ASKS_WEATHER)
    result = get_weather.invoke(asked.tool_calls[0])
    assert bound.invoke([HumanMessage(talk.ASKS_WEATHER), asked, result]).text == talk.TOLD


def test_structured_output(stateless: ChatOpenAI, remembered: ChatOpenAI) -> None:
    for model in (stateless, remembered):
        parsed = model.with_structured_output(talk.Visitor).invoke(TURNS[0][0])
        assert isinstance(parsed, talk.Visitor)
        assert parsed.name == TURNS[0][1]


def test_an_error_names_its_parameter(stateless: ChatOpenAI, remembered: ChatOpenAI) -> None:
    for model in (stateless, remembered):
        with pytest.raises(openai.BadRequestError) as caught:
            model.bind(top_p=5).invoke("Hello")
        assert caught.value.param == "top_p"
