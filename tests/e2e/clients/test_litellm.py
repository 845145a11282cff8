"""LiteLLM, as a library in an app: its ``openai`` provider with our address."""

from __future__ import annotations

import json
from typing import Any

import litellm
import pytest

from tests.e2e.clients import talk
from tests.e2e.clients.talk import KEY, MODEL, TURNS


@pytest.fixture
def place(url: str) -> dict[str, Any]:
    return {"model": f"openai/{MODEL}", "api_base": url, "api_key": KEY}


@pytest.fixture
def remembered(place: dict[str, Any], name: str) -> dict[str, Any]:
    """LiteLLM has no parameter ``conversation``: it goes into the body as it is."""
    return {**place, "extra_body": {"conversation": name}}


def test_three_turns_are_remembered(remembered: dict[str, Any]) -> None:
    for said, answered in TURNS:
        assert litellm.responses(input=said, **remembered).output_text == answered


def test_three_turns_that_the_app_carries(place: dict[str, Any]) -> None:
    dialogue: list[Any] = []
    for said, answered in TURNS:
        dialogue.append({"role": "user", "content": said})
        message = litellm.completion(messages=dialogue, **place).choices[0].message
        assert message.content == answered
        dialogue.append(message)


def test_a_stream(remembered: dict[str, Any]) -> None:
    for said, answered in TURNS:
        events = list(litellm.responses(input=said, stream=True, **remembered))
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        assert "".join(deltas) == answered


def test_a_stream_of_a_call(place: dict[str, Any]) -> None:
    chunks = litellm.completion(messages=[{"role": "user", "content": TURNS[0][0]}], stream=True, **place)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TURNS[0][1]


def test_a_tool_round_trip(remembered: dict[str, Any]) -> None:
    tools = [{"type": "function", **talk.FUNCTION}]
    [call] = litellm.responses(input=talk.ASKS_WEATHER, tools=tools, **remembered).output
    assert json.loads(call.arguments) == {"city": "Oslo"}
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": talk.WEATHER}
    assert litellm.responses(input=[result], tools=tools, **remembered).output_text == talk.TOLD


def test_structured_output(remembered: dict[str, Any], place: dict[str, Any]) -> None:
    answer = litellm.responses(input=TURNS[0][0], text_format=talk.Visitor, **remembered)
    assert talk.Visitor.model_validate_json(answer.output_text).name == TURNS[0][1]
    completion = litellm.completion(
        messages=[{"role": "user", "content": TURNS[0][0]}], response_format=talk.Visitor, **place
    )
    assert talk.Visitor.model_validate_json(completion.choices[0].message.content).name == TURNS[0][1]


def test_an_error_names_its_parameter(remembered: dict[str, Any], place: dict[str, Any]) -> None:
    with pytest.raises(litellm.BadRequestError, match="top_p"):
        litellm.responses(input="Hello", top_p=5, **remembered)
    with pytest.raises(litellm.BadRequestError, match="top_p"):
        litellm.completion(messages=[{"role": "user", "content": "Hello"}], top_p=5, **place)


def test_embeddings(place: dict[str, Any]) -> None:
    answer = litellm.embedding(**{**place, "model": "openai/text-embedding-3-small"}, input=["a", "b"])
    assert [len(each["embedding"]) for each in answer.data] == [1536, 1536]


def test_the_models(url: str) -> None:
    models = litellm.get_valid_models(
        check_provider_endpoint=True, custom_llm_provider="openai", api_base=url, api_key=KEY
    )
    assert any(model.endswith(MODEL) for model in models)
