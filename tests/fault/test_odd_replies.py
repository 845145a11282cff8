"""A provider that answers oddly: what cannot be mended is 502, and no conversation is worse for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fakes.odd_replies import odd_events, odd_replies
from tests.fault.in_memory import GOOD, service_in_memory
from tests.nightly import NIGHTLY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chat_core.keys import Endpoint
    from tests.fault.in_memory import Service
    from tests.integration.app import Answer

EXAMPLES = 500 if NIGHTLY else 50
SHARDS = range(2)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with service_in_memory() as made:
        yield made


def ask(service: Service, path: str, body: dict[str, Any], reply: str) -> Answer:
    """Ask with an odd reply: it is mended, or refused as 502 in the envelope, never another 5xx."""
    service.provider.answer = reply
    answer = service.call("POST", path, body)
    service.provider.answer = GOOD
    assert answer.status in (200, 502), (answer.status, answer.body)
    if answer.status == 502:
        assert answer.error["code"] == "upstream_error"
    elif isinstance(answer.body, str):
        assert "internal_error" not in answer.body, answer.body
    else:
        json.dumps(answer.body, ensure_ascii=False, allow_nan=False).encode()
    return answer


odd = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
shards = pytest.mark.parametrize("shard", SHARDS)
forms = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@forms
@pytest.mark.parametrize("endpoint", ["responses", "chat/completions"])
def test_a_stateless_call_is_answered_or_refused(service: Service, endpoint: Endpoint, *, stream: bool) -> None:
    @odd
    @given(odd_replies(endpoint))
    def check(reply: str) -> None:
        text = f"question {next(service.numbers)}"
        said = {"input": text} if endpoint == "responses" else {"messages": [{"role": "user", "content": text}]}
        body = {"model": "m", "stream": stream, **said}
        first = ask(service, f"/v1/{endpoint}", body, reply)
        again = ask(service, f"/v1/{endpoint}", body, reply)
        assert again.status == first.status

    check()


@pytest.mark.parametrize("endpoint", ["responses", "chat/completions"])
def test_a_stream_ends_as_it_should_or_with_an_error(service: Service, endpoint: Endpoint) -> None:
    @odd
    @given(odd_events(endpoint))
    def check(events: list[Any]) -> None:
        service.provider.events = events
        text = f"stream {next(service.numbers)}"
        said = {"input": text} if endpoint == "responses" else {"messages": [{"role": "user", "content": text}]}
        ask(service, f"/v1/{endpoint}", {"model": "m", "stream": True, **said}, "null")

    try:
        check()
    finally:
        service.provider.events = None


def test_embeddings_are_answered_or_refused(service: Service) -> None:
    @odd
    @given(odd_replies("embeddings"))
    def check(reply: str) -> None:
        body = {"model": "m", "input": f"text {next(service.numbers)}"}
        first = ask(service, "/v1/embeddings", body, reply)
        assert ask(service, "/v1/embeddings", body, reply).status == first.status

    check()


@shards
@forms
def test_a_conversation_goes_on_whatever_was_replied(service: Service, shard: int, *, stream: bool) -> None:
    @odd
    @given(odd_replies("responses"))
    def check(reply: str) -> None:
        name = f"odd-{shard}-{next(service.numbers)}"
        items = f"/v1/conversations/{name}/items"
        body = {"model": "gpt-4.1-mini", "conversation": name, "stream": stream}
        first = ask(service, "/v1/responses", {**body, "input": "one"}, reply)
        stored = service.call("GET", items)
        committed = stored.status == 200 and bool(stored.body["data"])
        assert committed is (first.status == 200), "committed and answered, or neither"
        if committed:
            assert all(isinstance(item["type"], str) and item["id"] for item in stored.body["data"])
            query = {"policy": "token_window", "max_tokens": "100000"}
            context = service.app.call("GET", f"/v1/conversations/{name}/context", query=query)
            assert (context.status, stored.body["data"][-1]["role"]) == (200, "user")
        second = ask(service, "/v1/responses", {**body, "input": "two"}, reply)
        assert second.status == first.status
        third = service.call("POST", "/v1/responses", {**body, "input": "three", "stream": False})
        assert third.status == 200, third.body
        assert third.body["output"][0]["content"][0]["text"] == "Well."

    check()


def test_a_streamed_turn_is_in_the_history_if_and_only_if_its_stream_ends_well(service: Service) -> None:
    @odd
    @given(odd_events("responses"))
    def check(events: list[Any]) -> None:
        name = f"odd-stream-{next(service.numbers)}"
        body = {"model": "gpt-4.1-mini", "conversation": name, "input": "one"}
        service.provider.events = events
        try:
            answer = ask(service, "/v1/responses", {**body, "stream": True}, "null")
        finally:
            service.provider.events = None
        last = [line for line in str(answer.body).splitlines() if line.startswith("event: ")][-1:]
        well = last in (["event: response.completed"], ["event: response.incomplete"])
        items = service.call("GET", f"/v1/conversations/{name}/items")
        assert bool(items.status == 200 and items.body["data"]) is well
        assert service.call("POST", "/v1/responses", body).status == 200

    check()
