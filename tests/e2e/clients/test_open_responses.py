"""What the compliance suite of Open Responses asks over HTTP, on the stand-in and on a provider that says little.

docs/clients.md tells how the suite itself was run.
"""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import openai
import pytest

from tests.dev_server import running_server
from tests.e2e.clients.conftest import PROJECTS_PYTHON
from tests.e2e.clients.lean_provider import lean_provider
from tests.e2e.clients.talk import KEY, MODEL
from tests.openai_schema import OPEN_RESPONSES, assert_valid

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPACTION = {"id", "object", "output", "created_at", "usage"}


def message(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": content, **more}


def png(colour: bytes = b"\xff\0\0") -> str:
    """Make a picture of 32 × 32 points in one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header, rows = struct.pack(">2I5B", 32, 32, 8, 2, 0, 0, 0), zlib.compress((b"\0" + colour * 32) * 32)
    picture = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(picture).decode()


SEES = [{"type": "input_text", "text": "What do you see?"}, {"type": "input_image", "image_url": png()}]
LOCATION = {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]}
TOOL = {"type": "function", "name": "get_weather", "description": "The weather of a place", "parameters": LOCATION}
WEATHER = [message("user", "What's the weather like in San Francisco?")]
DIALOGUE = [
    message("user", "My name is Alice."),
    message("assistant", "Hello Alice! How can I help?"),
    message("user", "What is my name?"),
]
PHASES = [
    message("assistant", "I should answer with the number.", phase="commentary"),
    message("assistant", "The number is four.", phase="final_answer"),
    message("user", "Repeat only the number."),
]
REQUESTS: dict[str, dict[str, Any]] = {
    "text": {"input": [message("user", "Say hello in three words.")]},
    "phases": {"input": PHASES},
    "system message": {"input": [message("system", "You are a pirate."), message("user", "Say hello.")]},
    "image": {"input": [message("user", SEES)]},
    "dialogue": {"input": DIALOGUE},
    "tool": {"input": WEATHER, "tools": [TOOL]},
}


@pytest.fixture(scope="module")
def lean_url() -> Iterator[str]:
    with lean_provider() as provider:
        env = {"OPENAI_BASE_URL": provider, "OPENAI_API_KEY": KEY}
        with running_server(env, python=PROJECTS_PYTHON) as server:
            yield server.url


@pytest.fixture(params=["stand-in", "lean"])
def base(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("url" if request.param == "stand-in" else "lean_url"))


def post(base: str, path: str, body: dict[str, Any]) -> tuple[int, str]:
    headers = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}
    try:
        with urlopen(Request(base + path, json.dumps(body).encode(), headers)) as answer:  # noqa: S310 - our own server
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def assert_complies(response: dict[str, Any]) -> None:
    assert_valid(response, "Response")
    assert [name for name in OPEN_RESPONSES if name not in response] == []
    assert response["status"] == "completed"
    assert response["output"]


@pytest.mark.parametrize("case", REQUESTS)
def test_a_response(base: str, case: str) -> None:
    status, text = post(base, "/responses", {"model": MODEL, **REQUESTS[case]})
    assert status == 200, text
    response = json.loads(text)
    assert_complies(response)
    assert response["output"][0]["type"] == ("function_call" if case == "tool" else "message")


@pytest.mark.parametrize("case", ["text", "tool"])
def test_a_stream(base: str, case: str) -> None:
    status, text = post(base, "/responses", {"model": MODEL, "stream": True, "temperature": 1, **REQUESTS[case]})
    assert status == 200, text
    events = []
    for frame in text.removesuffix("\n\n").split("\n\n"):
        name, _, data = frame.partition("\n")
        events.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {events[-1]['type']}"
        assert_valid(events[-1], "ResponseStreamEvent")
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    for event in events:
        if "response" in event:
            assert [name for name in OPEN_RESPONSES if name not in event["response"]] == []
    assert events[0]["type"] == "response.created"
    assert events[-1]["type"] == "response.completed"
    assert_complies(events[-1]["response"])


def test_a_compaction(base: str) -> None:
    body = {"model": MODEL, "prompt_cache_key": "launch", "input": DIALOGUE[:2]}
    status, text = post(base, "/responses/compact", body)
    assert status == 200, text
    answer = json.loads(text)
    assert answer.keys() >= COMPACTION
    assert answer["object"] == "response.compaction"
    [compaction] = [item for item in answer["output"] if item["type"] == "compaction"]
    assert_valid(compaction, "CompactionBody")


def test_a_compaction_without_a_model(base: str) -> None:
    status, text = post(base, "/responses/compact", {"input": DIALOGUE[:1]})
    assert status == 400
    assert json.loads(text)["error"]["param"] == "model"


def test_openais_sdk_puts_a_streamed_turn_together(base: str, name: str) -> None:
    with (
        openai.OpenAI(base_url=base, api_key=KEY) as client,
        client.responses.stream(model=MODEL, conversation=name, input="Hello") as stream,
    ):
        told = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
        [_, answered] = client.conversations.items.list(name, order="asc")
    assert "".join(told) == final.output_text != ""
    assert (answered.id, answered.content[0].text) == (final.output[0].id, final.output_text)  # type: ignore[union-attr,index]
