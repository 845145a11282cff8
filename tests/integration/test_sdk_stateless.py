"""Stateless calls through the stock OpenAI SDK against the dev server, and a stampede over two of them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from openai import APIStatusError, BadRequestError, OpenAI
from pydantic import BaseModel

from local.model.server import StandInModel
from local.momento import EmbeddedMomento
from tests.dev_server import running_server
from tests.openai_schema import assert_valid
from tests.patience import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

CHAT = "gpt-4.1-mini"
EMBEDDING = "text-embedding-3-small"
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Visitor(BaseModel):
    """A structured output."""

    name: str
    age: int


@pytest.fixture(scope="module")
def model() -> Iterator[StandInModel]:
    with StandInModel() as model:
        yield model


@pytest.fixture(scope="module")
def variables(model: StandInModel) -> Iterator[dict[str, str]]:
    """What makes dev servers share one Momento and one model."""
    with EmbeddedMomento() as momento:
        yield {"MOMENTO_LOCAL": f"127.0.0.1:{momento.port}", "OPENAI_BASE_URL": model.base_url}


@pytest.fixture(scope="module")
def servers(variables: dict[str, str]) -> Iterator[list[str]]:
    """Two servers; but for one of each, their environments start when many requests come at once."""
    # These tests are of answers, not of times: a busy machine is not to make misses of hits.
    own, few = {**variables, **VARIABLES}, ["--environments", "2"]
    with running_server(own, few) as one, running_server(own, few) as other:
        yield [one.url, other.url]


@pytest.fixture
def client(servers: list[str]) -> Iterator[OpenAI]:
    with OpenAI(base_url=servers[0], api_key="fake-token", max_retries=0) as client:
        yield client


def user(text: str) -> Any:
    return [{"role": "user", "content": text}]


def test_chat_completions(client: OpenAI, model: StandInModel) -> None:
    before = model.calls["/v1/chat/completions"]
    raw = [
        client.chat.completions.with_raw_response.create(model=CHAT, messages=user("Where is Oslo?")) for _ in range(2)
    ]
    assert [each.headers["x-cache"] for each in raw] == ["MISS", "HIT"]
    assert_valid(json.loads(raw[1].text), "CreateChatCompletionResponse")
    first, again = (each.parse() for each in raw)
    assert again.choices == first.choices
    assert (again.created, again.usage) == (first.created, first.usage)
    assert again.id != first.id
    assert model.calls["/v1/chat/completions"] == before + 1


def test_a_tool_turn(client: OpenAI) -> None:
    history = user("What is the weather in Bergen?")
    calls = [
        client.chat.completions.create(model=CHAT, messages=history, tools=[TOOL]).choices[0].message for _ in range(2)
    ]
    assert calls[0] == calls[1]
    [call] = calls[1].tool_calls or []
    assert call.type == "function"
    assert json.loads(call.function.arguments) == {"city": "Bergen"}
    history += [calls[1].to_dict(), {"role": "tool", "tool_call_id": call.id, "content": "4C"}]
    answer = client.chat.completions.create(model=CHAT, messages=history, tools=[TOOL])
    assert answer.choices[0].message.content == "The tool get_weather says: 4C"


def test_structured_output(client: OpenAI) -> None:
    question = "My name is Naomi. What is my name?"
    parsed = [
        client.chat.completions.parse(model=CHAT, messages=user(question), response_format=Visitor).choices[0].message
        for _ in range(2)
    ]
    assert parsed[0].parsed == parsed[1].parsed == Visitor(name="Your name is Naomi!", age=0)
    responses = [client.responses.parse(model=CHAT, input=question, text_format=Visitor) for _ in range(2)]
    assert responses[0].output_parsed == responses[1].output_parsed == parsed[0].parsed


def test_embeddings_in_every_encoding(client: OpenAI, model: StandInModel) -> None:
    texts = ["思い出", "memories"]
    with OpenAI(base_url=model.base_url, api_key="fake-token") as upstream:
        expected = [one.embedding for one in upstream.embeddings.create(model=EMBEDDING, input=texts).data]
    before = model.calls["/v1/embeddings"]
    decoded = client.embeddings.create(model=EMBEDDING, input=texts)
    floats = client.embeddings.create(model=EMBEDDING, input=texts, encoding_format="float")
    encoded = client.embeddings.create(model=EMBEDDING, input=texts, encoding_format="base64")
    assert [one.embedding for one in decoded.data] == [one.embedding for one in floats.data] == expected
    assert all(isinstance(one.embedding, str) for one in encoded.data)
    assert model.calls["/v1/embeddings"] == before + 1
    assert floats.usage.total_tokens == decoded.usage.total_tokens > 0
    one = client.embeddings.create(model=EMBEDDING, input="memories")
    assert one.data[0].embedding == expected[1]
    tokens = client.embeddings.create(model=EMBEDDING, input=[[1, 2], [3]], dimensions=8)
    assert [len(each.embedding) for each in tokens.data] == [8, 8]
    assert model.calls["/v1/embeddings"] == before + 2


def test_errors_are_the_sdks_own(client: OpenAI) -> None:
    with pytest.raises(BadRequestError) as bad:
        client.chat.completions.create(model=CHAT, messages=[])
    assert bad.value.param == "messages"
    with pytest.raises(APIStatusError) as missed:
        client.embeddings.create(model=EMBEDDING, input="never seen", extra_headers={"Cache-Control": "only-if-cached"})
    assert (missed.value.status_code, missed.value.code) == (504, "cache_miss")


@pytest.mark.parametrize("endpoint", ["chat/completions", "responses", "embeddings"])
def test_a_stampede_over_two_servers_is_one_call(
    model: StandInModel, variables: dict[str, str], servers: list[str], endpoint: str
) -> None:
    model.delay = 0.3
    before = model.calls[f"/v1/{endpoint}"]
    clients = [OpenAI(base_url=url, api_key="fake-token", max_retries=0, timeout=60) for url in servers]

    def ask(number: int) -> tuple[str, object]:
        client = clients[number % 2]
        if endpoint == "embeddings":
            vectors = client.embeddings.with_raw_response.create(model=EMBEDDING, input=["stampede", "on"])
            return vectors.headers["x-cache"], [one.embedding for one in vectors.parse().data]
        if endpoint == "responses":
            response = client.responses.with_raw_response.create(model=CHAT, input="A stampede?")
            return response.headers["x-cache"], response.parse().output_text
        completion = client.chat.completions.with_raw_response.create(model=CHAT, messages=user("A stampede?"))
        return completion.headers["x-cache"], completion.parse().choices[0].message.content

    with ThreadPoolExecutor(100) as threads:
        answers = list(threads.map(ask, range(100)))
    for client in clients:
        client.close()
    model.delay = 0.0
    assert model.calls[f"/v1/{endpoint}"] == before + 1
    assert all(answer == answers[0][1] for _, answer in answers)
    assert sorted(status for status, _ in answers) == ["HIT"] * 99 + ["MISS"]
