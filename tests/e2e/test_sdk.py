"""What an app does: the stock OpenAI SDK against the running server, every answer held against OpenAI's schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import openai
import pytest

from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from local.model.server import StandInModel
    from local.momento import EmbeddedMomento
    from tests.dev_server import RunningServer

WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "Weather by city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}


@pytest.fixture
def conversation() -> str:
    return f"talk-{uuid4().hex}"


DIALOGUES = [
    (
        "私の名前は渡辺直美です。",
        "こんにちは、渡辺直美さん！",
        "私の名前なんだっけ？",
        "あなたの名前は渡辺直美さんです！",
    ),
    ("My name is Naomi Watanabe.", "Hello, Naomi Watanabe!", "What is my name?", "Your name is Naomi Watanabe!"),
]


@pytest.mark.parametrize("dialogue", DIALOGUES)
def test_a_chat_remembers(client: openai.OpenAI, conversation: str, dialogue: tuple[str, str, str, str]) -> None:
    said, hello, asked, known = dialogue
    first = client.responses.create(model="gpt-4.1-mini", conversation=conversation, input=said)
    assert first.output_text.startswith(hello)
    second = client.responses.create(model="gpt-4.1-mini", conversation=conversation, input=asked)
    assert second.output_text.startswith(known)
    assert second.conversation is not None
    assert second.conversation.id == conversation
    assert "offline stand-in" in second.model


def test_responses_and_their_items_are_as_openai_has_them(client: openai.OpenAI, conversation: str) -> None:
    raw = client.responses.with_raw_response.create(
        model="gpt-4.1-mini",
        conversation=conversation,
        input=[{"role": "user", "content": [{"type": "input_text", "text": "Hello 👋\nこんにちは"}]}],
        instructions="Be brief.",
        metadata={"trace": "1"},
    )
    answer = raw.http_response.json()
    assert_valid(answer, "Response")
    assert raw.headers["x-cache"] == "MISS"
    assert raw.headers["cache-control"] == "private, no-store"
    assert raw.parse()._request_id == raw.headers["x-request-id"]
    items = client.conversations.items.list(conversation, order="asc").data
    assert [item.type for item in items] == ["message", "message"]
    assert items[1].id == answer["output"][0]["id"]
    assert client.conversations.items.retrieve(items[0].id or "", conversation_id=conversation) == items[0]


def test_conversations_through_the_sdk(client: openai.OpenAI) -> None:
    created = client.conversations.create(
        metadata={"topic": "旅"}, items=[{"type": "message", "role": "user", "content": "私は京都に行きます。"}]
    )
    assert client.conversations.retrieve(created.id).metadata == {"topic": "旅"}
    assert client.conversations.update(created.id, metadata={"topic": "x"}).metadata == {"topic": "x"}
    added = client.conversations.items.create(
        created.id, items=[{"type": "message", "role": "assistant", "content": "いいですね。"}]
    )
    assert [item.type for item in added.data] == ["message"]
    assert client.conversations.items.delete(added.data[0].id or "", conversation_id=created.id).id == created.id
    assert len(client.conversations.items.list(created.id).data) == 1
    assert client.conversations.delete(created.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.conversations.retrieve(created.id)


def test_the_sdks_pagination_reads_every_item(client: openai.OpenAI) -> None:
    created = client.conversations.create()
    for start in range(0, 60, 20):
        client.conversations.items.create(
            created.id,
            items=[{"type": "message", "role": "user", "content": str(n)} for n in range(start, start + 20)],
        )
    listed = list(client.conversations.items.list(created.id, limit=7))
    assert [item.content[0].text for item in listed] == [str(n) for n in reversed(range(60))]  # type: ignore[union-attr,index]


def test_a_tool_is_called_and_its_result_answered(client: openai.OpenAI, conversation: str) -> None:
    first = client.responses.create(
        model="gpt-4.1-mini", conversation=conversation, input="What is the weather in Oslo?", tools=[WEATHER]
    )
    call = first.output[0]
    assert call.type == "function_call"
    assert json.loads(call.arguments) == {"city": "Oslo"}
    second = client.responses.create(
        model="gpt-4.1-mini",
        conversation=conversation,
        input=[{"type": "function_call_output", "call_id": call.call_id, "output": "4C"}],
        tools=[WEATHER],
    )
    assert "4C" in second.output_text
    kinds = [item.type for item in client.conversations.items.list(conversation, order="asc")]
    assert kinds == ["message", "function_call", "function_call_output", "message"]


def test_a_repeated_first_question_is_answered_from_the_cache(client: openai.OpenAI, model: StandInModel) -> None:
    question = f"What is the capital of {uuid4().hex}?"
    calls = model.calls["/v1/responses"]
    answers = [
        client.responses.with_raw_response.create(model="gpt-4.1-mini", conversation=f"t-{uuid4().hex}", input=question)
        for _ in range(2)
    ]
    assert model.calls["/v1/responses"] - calls == 1
    assert [answer.headers["x-cache"] for answer in answers] == ["MISS", "HIT"]
    first, second = (answer.http_response.json() for answer in answers)
    assert_valid(second, "Response")
    assert second["id"] != first["id"]
    assert second["created_at"] == first["created_at"]
    assert second["omoide"]["cache"]["saved_tokens"] == first["usage"]["total_tokens"]
    assert second["output"][0]["content"] == first["output"][0]["content"]


def test_a_stateless_call_is_cached_and_leaves_no_conversation(client: openai.OpenAI) -> None:
    question = f"Say something about {uuid4().hex}"
    answers = [client.responses.with_raw_response.create(model="gpt-4.1-mini", input=question) for _ in range(2)]
    assert [answer.headers["x-cache"] for answer in answers] == ["MISS", "HIT"]
    assert_valid(answers[1].http_response.json(), "Response")


def test_errors_reach_the_sdk_in_openais_envelope(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as bad:
        client.responses.create(model="gpt-4.1-mini", input="hi", temperature=5)
    assert bad.value.param == "temperature"
    assert_valid(bad.value.response.json(), "ErrorResponse")
    with pytest.raises(openai.NotFoundError) as missing:
        client.conversations.retrieve("conv_unknown")
    assert_valid(missing.value.response.json(), "ErrorResponse")
    with pytest.raises(openai.NotFoundError) as undefined:
        client.files.list()
    assert_valid(undefined.value.response.json(), "ErrorResponse")


def test_a_turn_costs_no_more_than_ten_momento_operations(
    client: openai.OpenAI, server: RunningServer, momento: EmbeddedMomento
) -> None:
    """100 messages of 42 and 104 Japanese characters, window of 20; then the same deeper in a conversation."""
    created = client.conversations.create()
    for n in range(5):
        items = [
            {"type": "message", "role": role, "content": _japanese(length, seed=n * 20 + place)}
            for place in range(20)
            for role, length in [(("user", 42), ("assistant", 104))[place % 2]]
        ]
        client.conversations.items.create(created.id, items=items)  # type: ignore[arg-type]
    client.responses.create(model="gpt-4.1-mini", conversation=created.id, input=_japanese(42, seed=1000))
    for seed in (1001, 1002):
        momento.meter.reset()
        answer = client.responses.create(model="gpt-4.1-mini", conversation=created.id, input=_japanese(42, seed=seed))
        metered = momento.meter.snapshot()
        assert metered.operations <= 10, metered
        assert answer.omoide["memory"]["retained"] <= 20  # type: ignore[attr-defined]


def _japanese(length: int, *, seed: int) -> str:
    from random import Random

    kana = [chr(code) for code in range(0x3041, 0x3094)]
    kanji = [chr(code) for code in range(0x4E00, 0x4E00 + 2000)]
    return "".join(Random(seed).choices(kana + kanji, weights=[12] * len(kana) + [1] * len(kanji), k=length))


def test_models_are_listed_and_told(client: openai.OpenAI) -> None:
    listed = [model.id for model in client.models.list()]
    assert {"gpt-4.1-mini", "text-embedding-3-small"} <= set(listed)
    assert client.models.retrieve("gpt-4.1-mini").object == "model"
    with pytest.raises(openai.NotFoundError) as unknown:
        client.models.retrieve("no/such model")
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")


def test_tokens_are_counted_before_they_are_paid(client: openai.OpenAI, model: StandInModel, conversation: str) -> None:
    client.responses.create(model="gpt-4.1-mini", conversation=conversation, input="My name is Naomi.")
    before = model.calls
    counted = client.responses.input_tokens.count(
        model="gpt-4.1-mini", conversation=conversation, input="What is my name?"
    )
    assert model.calls == before
    sent = client.responses.create(model="gpt-4.1-mini", conversation=conversation, input="What is my name?")
    assert sent.usage is not None
    assert counted.input_tokens == sent.usage.input_tokens


def test_a_compacted_conversation_goes_on(client: openai.OpenAI) -> None:
    said: Any = [
        {"role": "user", "content": "My name is Naomi."},
        {"role": "assistant", "content": "Hello, Naomi!"},
    ]
    compacted = client.responses.compact(model="gpt-4.1-mini", input=said)
    assert [item.type for item in compacted.output] == ["message", "compaction"]
    kept = [item.to_dict(warnings=False) for item in compacted.output]
    going_on: Any = [*kept, {"role": "user", "content": "What is my name?"}]
    assert "Naomi" in client.responses.create(model="gpt-4.1-mini", input=going_on).output_text
