"""The stand-in model through the OpenAI SDK."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from tests.contract.stand_in_model.support import CHAT_TOOL, MODEL, TOOL

if TYPE_CHECKING:
    from openai import OpenAI


class Visitor(BaseModel):
    """A structured output."""

    name: str
    age: int
    tags: list[str]


@pytest.mark.parametrize(
    ("said", "asked", "remembered", "unknown"),
    [
        (
            ("私の名前は渡辺直美です。", "こんにちは、渡辺直美さん！"),
            "私の名前なんだっけ？",
            "あなたの名前は渡辺直美さんです！",
            "まだお名前を伺っていません。",
        ),
        (
            ("My name is Naomi Watanabe.", "Hello, Naomi Watanabe!"),
            "What is my name?",
            "Your name is Naomi Watanabe!",
            "You have not told me your name yet.",
        ),
    ],
)
def test_it_knows_what_the_request_says(
    client: OpenAI, said: tuple[str, str], asked: str, remembered: str, unknown: str
) -> None:
    statement, greeting = said
    first = client.responses.create(model=MODEL, input=statement)
    assert first.output_text.startswith(greeting)
    history: Any = [
        {"role": "user", "content": statement},
        *(item.to_dict() for item in first.output),
        {"role": "user", "content": asked},
    ]
    assert client.responses.create(model=MODEL, input=history).output_text == remembered
    assert client.responses.create(model=MODEL, input=asked).output_text == unknown

    told: Any = [{"role": "user", "content": statement}]
    answer = client.chat.completions.create(model=MODEL, messages=told).choices[0].message
    told += [answer.to_dict(), {"role": "user", "content": asked}]
    assert client.chat.completions.create(model=MODEL, messages=told).choices[0].message.content == remembered


def test_a_tool_turn_by_responses(client: OpenAI) -> None:
    question: Any = {"role": "user", "content": "What is the weather in Oslo?"}
    call = client.responses.create(model=MODEL, input=[question], tools=[TOOL]).output[0]
    assert call.type == "function_call"
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Oslo"})
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "4C"}
    history: Any = [question, call.to_dict(), result]
    answer = client.responses.create(model=MODEL, input=history, tools=[TOOL])
    assert answer.output_text == "The tool get_weather says: 4C"


def test_a_tool_turn_by_chat_completions(client: OpenAI) -> None:
    history: Any = [{"role": "user", "content": "東京の天気は？"}]
    choice = client.chat.completions.create(model=MODEL, messages=history, tools=[CHAT_TOOL]).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls is not None
    call = choice.message.tool_calls[0]
    assert call.type == "function"
    assert json.loads(call.function.arguments) == {"city": "東京"}
    history += [choice.message.to_dict(), {"role": "tool", "tool_call_id": call.id, "content": "8度"}]
    answer = client.chat.completions.create(model=MODEL, messages=history, tools=[CHAT_TOOL]).choices[0]
    assert answer.message.content == "ツール get_weather の結果：8度"


def test_structured_output_is_parsed(client: OpenAI) -> None:
    question = "My name is Naomi and I am 41. What is my name?"
    parsed = client.responses.parse(model=MODEL, input=question, text_format=Visitor).output_parsed
    assert parsed == Visitor(name="Your name is Naomi!", age=0, tags=[])
    messages: Any = [{"role": "user", "content": question}]
    chat = client.chat.completions.parse(model=MODEL, messages=messages, response_format=Visitor)
    assert chat.choices[0].message.parsed == parsed


def test_the_sdk_streams_responses(client: OpenAI) -> None:
    whole = client.responses.create(model=MODEL, input="Hello")
    deltas = [
        event.delta
        for event in client.responses.create(model=MODEL, input="Hello", stream=True)
        if event.type == "response.output_text.delta"
    ]
    assert len(deltas) > 1
    assert "".join(deltas) == whole.output_text
    with client.responses.stream(model=MODEL, input="Weather in Oslo?", tools=[TOOL]) as calling:
        called = calling.get_final_response().output[0]
    assert called.type == "function_call"
    assert json.loads(called.arguments) == {"city": "Oslo"}
    with client.responses.stream(model=MODEL, input="I'm Naomi.", text_format=Visitor) as structured:
        parsed = structured.get_final_response().output_parsed
    assert parsed is not None
    assert parsed.name.startswith("Hello, Naomi!")


def test_the_sdk_streams_chat_completions(client: OpenAI) -> None:
    messages: Any = [{"role": "user", "content": "Weather in Oslo?"}]
    with client.chat.completions.stream(model=MODEL, messages=messages, tools=[CHAT_TOOL]) as calling:
        message = calling.get_final_completion().choices[0].message
    assert message.tool_calls is not None
    assert json.loads(message.tool_calls[0].function.arguments) == {"city": "Oslo"}
    with client.chat.completions.stream(
        model=MODEL, messages=messages, logprobs=True, stream_options={"include_usage": True}
    ) as talking:
        completion = talking.get_final_completion()
    assert completion.usage is not None
    logprobs = completion.choices[0].logprobs
    assert logprobs is not None
    assert "".join(token.token for token in logprobs.content or ()) == completion.choices[0].message.content


def test_usage_adds_up_and_a_limit_cuts(client: OpenAI) -> None:
    whole = client.responses.create(model=MODEL, input="Hello there")
    assert whole.usage is not None
    assert whole.usage.total_tokens == whole.usage.input_tokens + whole.usage.output_tokens
    longer = client.responses.create(model=MODEL, input="Hello there " * 10)
    assert longer.usage is not None
    assert longer.usage.input_tokens > whole.usage.input_tokens

    cut = client.responses.create(model=MODEL, input="Hello there", max_output_tokens=5)
    assert (cut.status, cut.usage and cut.usage.output_tokens) == ("incomplete", 5)
    assert cut.incomplete_details is not None
    assert cut.incomplete_details.reason == "max_output_tokens"
    assert whole.output_text.startswith(cut.output_text)
    assert whole.output_text != cut.output_text

    messages: Any = [{"role": "user", "content": "Hello there"}]
    chat = client.chat.completions.create(model=MODEL, messages=messages, max_tokens=5, n=2)
    assert [choice.finish_reason for choice in chat.choices] == ["length", "length"]
    assert chat.usage is not None
    assert chat.usage.completion_tokens == 10


def test_embeddings_of_fewer_dimensions_and_of_tokens(client: OpenAI) -> None:
    few = client.embeddings.create(model=MODEL, input="one", dimensions=8).data[0].embedding
    many = client.embeddings.create(model=MODEL, input="one").data[0].embedding
    assert len(few) == 8
    assert all(math.isclose(a / b, few[0] / many[0], rel_tol=1e-4) for a, b in zip(few, many, strict=False))
    one = client.embeddings.create(model=MODEL, input=[1, 2, 3])
    two = client.embeddings.create(model=MODEL, input=[[4], [1, 2, 3]])
    assert two.data[1].embedding == one.data[0].embedding
    assert (one.usage.prompt_tokens, two.usage.prompt_tokens) == (3, 4)


def test_models_are_listed(client: OpenAI) -> None:
    assert MODEL in [entry.id for entry in client.models.list()]
