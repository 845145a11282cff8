"""A stream whose whole answer cannot be mended is found out when words of it were told: the client hears of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.api.streams import completion_chunks, response_events
from tests.fakes.odd_replies import DEEP, completion, response
from tests.fault.in_memory import service_in_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.fault.in_memory import Service

UNMENDABLE = {
    "an item that is none": ["text"],
    "an item of no type": [{"type": 7, "text": "x"}],
    "a number that is none": [{"type": "message", "role": "assistant", "content": [], "score": float("nan")}],
    "too deep": [{"type": "message", "role": "assistant", "content": [], "more": DEEP}],
}


@pytest.fixture
def service() -> Iterator[Service]:
    with service_in_memory() as made:
        yield made


def frames(text: str) -> list[dict[str, Any]]:
    """The events of a stream; its mark of the end is one of no members."""
    lines = (line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: "))
    return [{} if line == "[DONE]" else json.loads(line) for line in lines]


def streamed(service: Service, path: str, body: dict[str, Any], events: Sequence[Any]) -> list[dict[str, Any]]:
    service.provider.events = events
    answer = service.app.stream(path, {"model": "m", **body, "stream": True})
    assert answer.status == 200
    return frames(answer.body)


@pytest.mark.parametrize("conversation", [None, "talk"], ids=["stateless", "turn"])
@pytest.mark.parametrize("output", UNMENDABLE.values(), ids=UNMENDABLE)
def test_response_failed_then_error_and_nothing_is_kept(
    service: Service, output: Any, conversation: str | None
) -> None:
    good = list(response_events(response("It began so well.")))
    broken = [*good[:-1], {**good[-1], "response": {**good[-1]["response"], "output": output}}]
    body = {"input": "say", **({"conversation": conversation} if conversation else {})}
    told = streamed(service, "/v1/responses", body, broken)
    kinds = [event["type"] for event in told]
    assert "response.output_text.delta" in kinds, "words were told"
    assert kinds[-2:] == ["response.failed", "error"]
    assert "response.completed" not in kinds
    assert told[-2]["response"]["status"] == "failed"
    assert told[-2]["response"]["error"]["code"]
    assert told[-1]["code"] == "upstream_error"
    if conversation:
        assert service.call("GET", f"/v1/conversations/{conversation}/items").body.get("data", []) == []
    asked = len(service.provider.bodies)
    again = streamed(service, "/v1/responses", body, good)
    assert len(service.provider.bodies) == asked + 1, "nothing of it was cached"
    assert again[-1]["type"] == "response.completed"
    if conversation:
        page = service.call("GET", f"/v1/conversations/{conversation}/items").body["data"]
        assert [item["role"] for item in page] == ["assistant", "user"]


@pytest.mark.parametrize("broken", [{"choices": 7}, 7, DEEP], ids=["choices", "no object", "deep"])
def test_a_completion_ends_on_an_error_without_its_mark(service: Service, broken: Any) -> None:
    good = list(completion_chunks(completion("It began so well."), include_usage=True))
    body = {"messages": [{"role": "user", "content": "say"}]}
    told = streamed(service, "/v1/chat/completions", body, [*good[:-2], broken, *good[-2:]])
    assert any(event.get("choices") and event["choices"][0]["delta"].get("content") for event in told)
    assert told[-1]["error"]["code"] == "upstream_error"
    assert {} not in told
    asked = len(service.provider.bodies)
    again = streamed(service, "/v1/chat/completions", body, good)
    assert len(service.provider.bodies) == asked + 1, "nothing of it was cached"
    assert again[-1] == {}
