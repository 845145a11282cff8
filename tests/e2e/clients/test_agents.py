"""OpenAI's Agents SDK: its sessions are conversations."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import openai
import pytest
from agents import (
    Agent,
    OpenAIConversationsSession,
    OpenAIResponsesCompactionSession,
    OpenAIResponsesModel,
    Runner,
    SQLiteSession,
    function_tool,
)

from tests.e2e.clients import talk
from tests.e2e.clients.talk import KEY, MODEL, TURNS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@function_tool  # type: ignore[untyped-decorator]
def get_weather(city: str) -> str:
    """Weather by city."""
    return talk.WEATHER if city == "Oslo" else "unknown"


def run(url: str, story: Callable[[openai.AsyncOpenAI, Agent[Any]], Awaitable[None]], **of_agent: Any) -> None:
    """Run a story with an agent."""

    async def told() -> None:
        async with openai.AsyncOpenAI(base_url=url, api_key=KEY) as client:
            await story(client, Agent("Helper", model=OpenAIResponsesModel(MODEL, client), **of_agent))

    asyncio.run(told())


async def kinds(session: OpenAIConversationsSession) -> list[Any]:
    return [item.get("type") for item in await session.get_items()]


@pytest.mark.parametrize("own_name", [False, True], ids=["default name", "own name"])
def test_a_session_remembers(url: str, name: str, *, own_name: bool) -> None:
    async def story(client: openai.AsyncOpenAI, agent: Agent[Any]) -> None:
        session = OpenAIConversationsSession(conversation_id=name if own_name else None, openai_client=client)
        for said, answered in TURNS:
            assert (await Runner.run(agent, said, session=session)).final_output == answered
        assert await kinds(session) == ["message"] * 6
        assert session.session_id == name if own_name else session.session_id.startswith("conv_")
        last: Any = await session.pop_item()
        assert last["content"][0]["text"] == TURNS[-1][1]
        assert len(await session.get_items(limit=2)) == 2
        await session.clear_session()
        with pytest.raises(openai.NotFoundError):
            await client.conversations.retrieve(name)

    run(url, story)


def test_a_conversations_id_remembers_without_a_session(url: str, name: str) -> None:
    async def story(client: openai.AsyncOpenAI, agent: Agent[Any]) -> None:
        for said, answered in TURNS:
            assert (await Runner.run(agent, said, conversation_id=name)).final_output == answered
        assert len((await client.conversations.items.list(name)).data) == 6

    run(url, story)


def test_a_stream(url: str, name: str) -> None:
    async def story(client: openai.AsyncOpenAI, agent: Agent[Any]) -> None:
        session = OpenAIConversationsSession(conversation_id=name, openai_client=client)
        for said, answered in TURNS:
            result = Runner.run_streamed(agent, said, session=session)
            raw = [event.data async for event in result.stream_events() if event.type == "raw_response_event"]
            deltas = [data.delta for data in raw if data.type == "response.output_text.delta"]
            assert "".join(deltas) == result.final_output == answered

    run(url, story)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_tool_round_trip_with_a_session(url: str, name: str, *, streamed: bool) -> None:
    async def story(client: openai.AsyncOpenAI, agent: Agent[Any]) -> None:
        session = OpenAIConversationsSession(conversation_id=name, openai_client=client)
        if streamed:
            running = Runner.run_streamed(agent, talk.ASKS_WEATHER, session=session)
            _ = [event async for event in running.stream_events()]
            assert running.final_output == talk.TOLD
        else:
            assert (await Runner.run(agent, talk.ASKS_WEATHER, session=session)).final_output == talk.TOLD
        assert await kinds(session) == talk.TOOL_TURN

    run(url, story, tools=[get_weather])


def test_a_tool_round_trip_with_a_conversations_id(url: str, name: str) -> None:
    async def story(client: openai.AsyncOpenAI, agent: Agent[Any]) -> None:
        result = await Runner.run(agent, talk.ASKS_WEATHER, conversation_id=name)
        assert result.final_output == talk.TOLD
        items = (await client.conversations.items.list(name, order="asc")).data
        assert [item.type for item in items] == talk.TOOL_TURN

    run(url, story, tools=[get_weather])


def test_structured_output(url: str, name: str) -> None:
    async def story(client: openai.AsyncOpenAI, agent: Agent[Any]) -> None:
        session = OpenAIConversationsSession(conversation_id=name, openai_client=client)
        result = await Runner.run(agent, TURNS[0][0], session=session)
        assert result.final_output_as(talk.Visitor).name == TURNS[0][1]

    run(url, story, output_type=talk.Visitor)


def test_an_error_names_its_parameter(url: str, name: str) -> None:
    from agents import ModelSettings

    async def story(_: openai.AsyncOpenAI, agent: Agent[Any]) -> None:
        with pytest.raises(openai.BadRequestError) as caught:
            await Runner.run(agent, "Hello", conversation_id=name)
        assert caught.value.param == "temperature"

    run(url, story, model_settings=ModelSettings(temperature=5))


@pytest.mark.parametrize("mode", ["input", "auto"])
def test_a_session_that_compacts(url: str, name: str, mode: Any) -> None:
    async def story(client: openai.AsyncOpenAI, agent: Agent[Any]) -> None:
        session = OpenAIResponsesCompactionSession(
            name,
            SQLiteSession(name),
            client=client,
            model=MODEL,
            compaction_mode=mode,
            should_trigger_compaction=lambda context: len(context["session_items"]) >= 4,
        )
        for said, answered in TURNS:
            assert (await Runner.run(agent, said, session=session)).final_output == answered
        assert "compaction" in [item.get("type") for item in await session.get_items()]

    run(url, story)
