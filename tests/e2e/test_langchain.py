"""LangChain's own history class reads what turns through the server have left in Momento."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from momento import CacheClient, Configurations, CredentialProvider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai import OpenAI

    from local.momento import EmbeddedMomento

pytestmark = pytest.mark.filterwarnings("ignore:.langchain-community. is being sunset:DeprecationWarning")

LOOK_UP: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "Weather by city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}


@pytest.fixture
def cache(momento: EmbeddedMomento) -> Iterator[CacheClient]:
    provider = CredentialProvider.for_momento_local("127.0.0.1", momento.port)
    with CacheClient(Configurations.Laptop.v1(), provider, timedelta(days=1)) as cache:
        yield cache


def read(cache: CacheClient, session: str) -> list[Any]:
    from langchain_community.chat_message_histories import MomentoChatMessageHistory

    return MomentoChatMessageHistory(session, cache, "omoide", ensure_cache_exists=False).messages


def test_every_message_text_for_text_tool_calls_included(client: OpenAI, cache: CacheClient) -> None:
    name = f"talk-{uuid4().hex}"
    first = client.responses.create(
        model="gpt-4.1-mini",
        conversation=name,
        input=[
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": "What is the weather in Oslo?"},
        ],
        tools=[LOOK_UP],
    )
    call = first.output[0]
    assert call.type == "function_call"
    second = client.responses.create(
        model="gpt-4.1-mini",
        conversation=name,
        input=[{"type": "function_call_output", "call_id": call.call_id, "output": "4C\n曇り☁"}],
        tools=[LOOK_UP],
    )
    messages = read(cache, f"local/{name}")
    assert [message.type for message in messages] == ["system", "human", "ai", "tool", "ai"]
    assert [message.content for message in messages] == [
        "Be kind.",
        "What is the weather in Oslo?",
        "",
        "4C\n曇り☁",
        second.output_text,
    ]
    assert messages[2].tool_calls == [
        {"name": "get_weather", "args": {"city": "Oslo"}, "id": call.call_id, "type": "tool_call"}
    ]
    assert messages[3].tool_call_id == call.call_id


def test_a_message_too_large_for_the_list_is_durable_and_whole_and_the_list_says_so(
    client: OpenAI, cache: CacheClient
) -> None:
    name = f"talk-{uuid4().hex}"
    text = "長" * 60_000
    client.responses.create(model="gpt-4.1-mini", conversation=name, input=text)
    stored = client.conversations.items.list(name, order="asc").data[0]
    assert stored.type == "message"
    assert stored.content[0].text == text  # type: ignore[union-attr]
    messages = read(cache, f"local/{name}")
    assert [message.type for message in messages] == ["system", "ai"]
    assert "長" not in messages[0].content


def test_the_list_holds_the_newest_two_hundred(client: OpenAI, cache: CacheClient) -> None:
    created = client.conversations.create()
    for start in range(0, 220, 20):
        client.conversations.items.create(
            created.id, items=[{"type": "message", "role": "user", "content": str(n)} for n in range(start, start + 20)]
        )
    assert [message.content for message in read(cache, f"local/{created.id}")] == [str(n) for n in range(20, 220)]
