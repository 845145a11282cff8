"""LangChain's own history class reads what the turns of this service wrote to the hot list."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage, get_buffer_string
from momento import CacheClient, Configurations, CredentialProvider

from chat_core.keys import Address
from chat_core.messages.items import from_items, stored_item
from chat_core.messages.langchain import element
from chat_core.momento import MomentoCache, MomentoCredentials, MomentoMemoryStore
from local.momento import EmbeddedMomento

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chat_core.messages.message import Message

pytestmark = pytest.mark.filterwarnings("ignore:`langchain-community` is being sunset:DeprecationWarning")

CACHE = "omoide"
USER, TALK = "naomi", "talk-1"
HERE = Address(USER, TALK)


@pytest.fixture
def momento() -> Iterator[EmbeddedMomento]:
    with EmbeddedMomento() as server:
        yield server


@pytest.fixture
def client(momento: EmbeddedMomento) -> Iterator[CacheClient]:
    credentials = CredentialProvider.for_momento_local("127.0.0.1", momento.port)
    with CacheClient(Configurations.Laptop.latest(), credentials, timedelta(hours=1)) as client:
        client.create_cache(CACHE)
        yield client


def langchains_history(client: CacheClient, session_id: str) -> Any:
    from langchain_community.chat_message_histories import MomentoChatMessageHistory

    return MomentoChatMessageHistory(session_id, client, CACHE, ensure_cache_exists=False)


def messages_of(*items: dict[str, Any]) -> tuple[Message, ...]:
    return from_items([stored_item(item) for item in items], turn_id="turn_1", created_at=1_755_000_000, first_seq=1)


def append(momento: EmbeddedMomento, *turns: tuple[Message, ...], keep: int = 200) -> None:
    async def write() -> None:
        cache = MomentoCache(CACHE, lambda *, refresh: MomentoCredentials(local=f"127.0.0.1:{momento.port}"))
        store = MomentoMemoryStore(cache)
        for messages in turns:
            await store.append_history(HERE, [element(m) for m in messages], keep=keep, timeout=5)
        await cache.aclose()

    asyncio.run(write())


def read(client: CacheClient) -> list[BaseMessage]:
    messages: list[BaseMessage] = langchains_history(client, f"{USER}/{TALK}").messages
    return messages


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def test_text_for_text(momento: EmbeddedMomento, client: CacheClient) -> None:
    texts = [
        "私の名前は渡辺直美です。",
        "こんにちは、渡辺直美さん！\n\tよろしく 👋🏽",
        "",
        '"\\u3042" \\ {"type":"ai"}',
    ]
    turns = [messages_of(user(text), assistant(text)) for text in texts]
    append(momento, *turns)
    history = read(client)
    assert [message.content for message in history] == [text for text in texts for _ in range(2)]
    assert [type(message) for message in history] == [HumanMessage, AIMessage] * len(texts)
    assert {message.additional_kwargs["omoide"]["turn_id"] for message in history} == {"turn_1"}


def test_every_kind_of_message(momento: EmbeddedMomento, client: CacheClient) -> None:
    append(
        momento,
        messages_of(
            {"role": "developer", "content": "短く答えて。"},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "これは"},
                    {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
                    {"type": "input_text", "text": "何？"},
                ],
            },
            {"type": "reasoning", "summary": [], "encrypted_content": "AAAA"},
            assistant("調べます。"),
            {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": '{"at": "写真"}'},
            {"type": "function_call", "call_id": "call_2", "name": "look", "arguments": "写真"},
            {"type": "function_call_output", "call_id": "call_1", "output": '{"found": "犬"}'},
            {"type": "function_call_output", "call_id": "call_2", "output": "[]"},
            {"type": "hologram", "voxels": [1, 2, 3]},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "言えません。"}]},
        ),
    )
    developer, picture, reasoning, calls, found, nothing, hologram, refusal = read(client)
    assert isinstance(developer, SystemMessage)
    assert developer.content == "短く答えて。"
    assert isinstance(picture, HumanMessage)
    assert picture.text == "これは何？"
    assert picture.content_blocks[1]["type"] == "image"
    for silent in (reasoning, hologram):
        assert isinstance(silent, AIMessage)
        assert silent.content == ""
    assert hologram.additional_kwargs["omoide"]["fields"] == {"type": "hologram", "voxels": [1, 2, 3]}
    assert isinstance(calls, AIMessage)
    assert calls.content == "調べます。"
    assert calls.tool_calls == [{"name": "look", "args": {"at": "写真"}, "id": "call_1", "type": "tool_call"}]
    (invalid,) = calls.invalid_tool_calls
    assert (invalid["id"], invalid["args"]) == ("call_2", "写真")
    assert isinstance(found, ToolMessage)
    assert (found.tool_call_id, found.content) == ("call_1", '{"found": "犬"}')
    assert isinstance(nothing, ToolMessage)
    assert (nothing.tool_call_id, nothing.content) == ("call_2", "[]")
    assert refusal.content == [{"type": "refusal", "refusal": "言えません。"}]
    assert get_buffer_string(read(client)).startswith("System: 短く答えて。\nHuman: これは何？\n")


def test_a_message_over_128_kb_hides_no_other(momento: EmbeddedMomento, client: CacheClient) -> None:
    append(momento, messages_of(user("長い話を読んで。"), user("あ" * 50_000), assistant("読みました。")))
    before, large, after = read(client)
    assert (before.content, after.content) == ("長い話を読んで。", "読みました。")
    assert isinstance(large, SystemMessage)
    assert "too large" in large.text


def test_the_newest_within_the_cap(momento: EmbeddedMomento, client: CacheClient) -> None:
    append(momento, *(messages_of(user(f"{n}?"), assistant(f"{n}!")) for n in range(8)), keep=5)
    assert [message.content for message in read(client)] == ["5!", "6?", "6!", "7?", "7!"]


def test_sessions_are_conversations(momento: EmbeddedMomento, client: CacheClient) -> None:
    append(momento, messages_of(user("秘密")))
    assert langchains_history(client, f"kenji/{TALK}").messages == []
    assert langchains_history(client, TALK).messages == []


def test_langchain_goes_on_where_we_left_off(momento: EmbeddedMomento, client: CacheClient) -> None:
    append(momento, messages_of(user("一"), assistant("二")))
    langchains_history(client, f"{USER}/{TALK}").add_messages([HumanMessage("三"), AIMessage("四")])
    append(momento, messages_of(user("五")))
    assert [message.content for message in read(client)] == list("一二三四五")
