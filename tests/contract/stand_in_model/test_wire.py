"""What the stand-in model really sends, against OpenAI's schema."""

from __future__ import annotations

import base64
import math
import struct
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from local.model.server import StandInModel
from tests.contract.stand_in_model.support import CHATS, MODEL, RESPONSES, TOOL, post, stream

if TYPE_CHECKING:
    from openai import OpenAI


@pytest.mark.parametrize("body", RESPONSES)
def test_a_response_and_its_events_are_openais(http: httpx2.Client, body: dict[str, Any]) -> None:
    whole = post(http, "responses", body, "Response")
    assert "offline stand-in" in whole["model"]
    assert whole["output"]

    events = stream(http, "responses", body, "ResponseStreamEvent")
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    kinds = [event["type"] for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == f"response.{whole['status']}"
    times = {"created_at": 0, "completed_at": 0}
    assert {**events[-1]["response"], **times} == {**whole, **times}
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert done == whole["output"]
    for index, item in enumerate(whole["output"]):
        said = item["arguments"] if item["type"] == "function_call" else item["content"][0]["text"]
        deltas = [event for event in events if event["type"].endswith(".delta") and event["output_index"] == index]
        assert "".join(event["delta"] for event in deltas) == said


@pytest.mark.parametrize("body", CHATS)
def test_a_chat_completion_and_its_chunks_are_openais(http: httpx2.Client, body: dict[str, Any]) -> None:
    whole = post(http, "chat/completions", body, "CreateChatCompletionResponse")
    assert "offline stand-in" in whole["model"]
    assert len(whole["choices"]) == body.get("n", 1)

    schema = "CreateChatCompletionStreamResponse"
    chunks = stream(http, "chat/completions", {**body, "stream_options": {"include_usage": True}}, schema)
    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert (chunks[-1]["choices"], chunks[-1]["usage"]) == ([], whole["usage"])
    pieces = [choice for chunk in chunks for choice in chunk["choices"]]
    for choice in whole["choices"]:
        own = [piece for piece in pieces if piece["index"] == choice["index"]]
        assert "".join(piece["delta"].get("content") or "" for piece in own) == (choice["message"]["content"] or "")
        assert own[-1]["finish_reason"] == choice["finish_reason"]
        wanted = (choice["logprobs"] or {}).get("content") or []
        assert [token for piece in own for token in (piece.get("logprobs") or {}).get("content", [])] == wanted
    without = stream(http, "chat/completions", body, schema)
    assert not any("usage" in chunk for chunk in without)


def test_the_settings_of_a_request_come_back(http: httpx2.Client) -> None:
    settings: dict[str, Any] = {
        "instructions": "Be brief.",
        "max_output_tokens": 500,
        "metadata": {"a": "b"},
        "parallel_tool_calls": False,
        "store": False,
        "temperature": 0,
        "tool_choice": "none",
        "top_p": 0.25,
        "truncation": "auto",
    }
    whole = post(http, "responses", {"input": "Hi", "tools": [TOOL], **settings}, "Response")
    assert {name: whole[name] for name in settings} == settings
    assert whole["tools"] == [TOOL]

    plain = post(http, "responses", {"input": "Hi"}, "Response")
    assert [plain[name] for name in ("temperature", "top_p", "store", "tools", "tool_choice", "metadata")] == [
        1.0,
        1.0,
        True,
        [],
        "auto",
        {},
    ]
    assert plain["text"] == {"format": {"type": "text"}, "verbosity": "medium"}
    assert plain["reasoning"] == {"effort": None, "summary": None}


@pytest.mark.parametrize(
    ("route", "body", "time_fields"),
    [("responses", RESPONSES[3], ("created_at", "completed_at")), ("chat/completions", CHATS[2], ("created",))],
)
def test_the_same_request_has_the_same_answer(
    model: StandInModel, http: httpx2.Client, route: str, body: dict[str, Any], time_fields: tuple[str, ...]
) -> None:
    def asked(at: httpx2.Client, **changed: object) -> Any:
        answer = at.post(route, json={"model": MODEL, **body, **changed}).json()
        return {key: value for key, value in answer.items() if key not in time_fields}

    first = asked(http)
    assert asked(http) == first
    assert asked(http, seed=1)["id"] != first["id"]
    with StandInModel() as other, httpx2.Client(base_url=other.base_url, headers=http.headers) as elsewhere:
        assert other.base_url != model.base_url
        assert asked(elsewhere) == first


def test_embeddings_are_unit_vectors_in_order(http: httpx2.Client, client: OpenAI) -> None:
    texts = ["one", "two", "one"]
    body = {"input": texts, "encoding_format": "float"}
    whole = post(http, "embeddings", body, "CreateEmbeddingResponse")
    vectors = [row["embedding"] for row in whole["data"]]
    assert [row["index"] for row in whole["data"]] == [0, 1, 2]
    assert vectors[0] == vectors[2] != vectors[1]
    assert {len(vector) for vector in vectors} == {1536}
    assert all(math.isclose(math.hypot(*vector), 1, abs_tol=1e-6) for vector in vectors)
    assert "offline stand-in" in whole["model"]

    # The SDK itself asks for base64 and decodes it.
    assert [row.embedding for row in client.embeddings.create(model=MODEL, input=texts).data] == vectors
    encoded = http.post("embeddings", json={"model": MODEL, "input": "two", "encoding_format": "base64"}).json()
    packed = base64.b64decode(encoded["data"][0]["embedding"])
    assert list(struct.unpack("<1536f", packed)) == vectors[1]
