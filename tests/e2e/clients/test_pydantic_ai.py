"""Pydantic AI's agents, by responses and by chat completions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

from tests.e2e.clients import talk
from tests.e2e.clients.talk import KEY, MODEL, TURNS


@pytest.fixture(params=["responses", "chat completions"])
def model(request: pytest.FixtureRequest, url: str) -> Any:
    kind = OpenAIResponsesModel if request.param == "responses" else OpenAIChatModel
    return kind(MODEL, provider=OpenAIProvider(base_url=url, api_key=KEY))


@pytest.fixture
def remembered(url: str, name: str) -> Any:
    settings: Any = {"extra_body": {"conversation": name}}
    return OpenAIResponsesModel(MODEL, provider=OpenAIProvider(base_url=url, api_key=KEY), settings=settings)


def get_weather(city: str) -> str:
    """Weather by city."""
    return talk.WEATHER if city == "Oslo" else "unknown"


def test_three_turns_are_remembered(remembered: Any) -> None:
    agent = Agent(remembered)
    for said, answered in TURNS:
        assert agent.run_sync(said).output == answered


def test_three_turns_that_the_app_carries(model: Any) -> None:
    agent = Agent(model)
    dialogue: list[Any] = []
    for said, answered in TURNS:
        result = agent.run_sync(said, message_history=dialogue)
        assert result.output == answered
        dialogue = result.all_messages()


def test_a_stream(model: Any, remembered: Any) -> None:
    async def heard(agent: Any, said: str) -> str:
        async with agent.run_stream(said) as result:
            return "".join([delta async for delta in result.stream_text(delta=True, debounce_by=None)])

    assert asyncio.run(heard(Agent(model), TURNS[0][0])) == TURNS[0][1]

    async def three() -> None:
        agent = Agent(remembered)
        for said, answered in TURNS:
            assert await heard(agent, said) == answered

    asyncio.run(three())


def test_a_tool_round_trip(model: Any) -> None:
    agent = Agent(model, tools=[get_weather])
    assert agent.run_sync(talk.ASKS_WEATHER).output == talk.TOLD


def test_structured_output(model: Any, remembered: Any) -> None:
    from pydantic_ai import NativeOutput

    for each in (model, remembered):
        agent = Agent(each, output_type=NativeOutput(talk.Visitor))
        assert agent.run_sync(TURNS[0][0]).output.name == TURNS[0][1]


def test_an_error_names_its_parameter(model: Any, remembered: Any) -> None:
    for each in (model, remembered):
        with pytest.raises(ModelHTTPError) as caught:
            Agent(each, model_settings={"top_p": 5}).run_sync("Hello")
        assert caught.value.status_code == 400
        assert caught.value.body["param"] == "top_p"


def test_tokens_are_counted_before_they_are_sent(remembered: Any) -> None:
    from pydantic_ai.exceptions import UsageLimitExceeded
    from pydantic_ai.usage import UsageLimits

    agent = Agent(remembered)
    enough = UsageLimits(input_tokens_limit=500, count_tokens_before_request=True)
    assert agent.run_sync(TURNS[0][0], usage_limits=enough).output == TURNS[0][1]
    too_few = UsageLimits(input_tokens_limit=5, count_tokens_before_request=True)
    with pytest.raises(UsageLimitExceeded):
        agent.run_sync("Remember that I was never told.", usage_limits=too_few)
    assert agent.run_sync(TURNS[-1][0]).output == TURNS[-1][1]
