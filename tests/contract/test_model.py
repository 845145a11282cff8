"""The way to the model's provider, against the stand-in: an answer that is told as it comes is the answer."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.errors import (
    UpstreamCredentialsRefused,
    UpstreamError,
    UpstreamMisplaced,
    UpstreamRejected,
    UpstreamTimeout,
)
from chat_core.model.openai import OpenAIModel
from local.model import faults
from local.model.server import StandInModel
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chat_core.keys import Endpoint

WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
RESPONSE: tuple[Endpoint, dict[str, Any]] = (
    "responses",
    {"model": "m", "input": "Tell me of the sea, please. 日本語で。"},
)
CHAT: tuple[Endpoint, dict[str, Any]] = (
    "chat/completions",
    {"model": "m", "messages": [{"role": "user", "content": "Tell me of the sea, please. 日本語で。"}]},
)
BOTH = pytest.mark.parametrize(("endpoint", "body"), [RESPONSE, CHAT], ids=["responses", "chat"])
EVENTS = {"responses": "ResponseStreamEvent", "chat/completions": "CreateChatCompletionStreamResponse"}


@pytest.fixture(scope="module")
def provider() -> Iterator[StandInModel]:
    with StandInModel() as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_left(provider: StandInModel) -> Iterator[None]:
    yield
    assert not provider.script
    provider.token = 0.0


class Asked:
    """What came of a call."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {}


def ask(
    provider: StandInModel, endpoint: Endpoint, body: dict[str, Any], *, stream: bool = True, timeout: float = 20.0
) -> Asked:
    asked = Asked()

    async def call() -> None:
        model = OpenAIModel(lambda _: "sk-fake", provider.base_url)
        try:
            tell = (lambda event: asked.told.append(dict(event))) if stream else None
            asked.answer = await model.post(endpoint, body, timeout=timeout, tell=tell)
        finally:
            await model.aclose()

    with failing(asked):
        asyncio.run(call())
    return asked


@contextmanager
def failing(asked: Asked) -> Iterator[None]:
    """Note on an error what was told before."""
    try:
        yield
    except (UpstreamError, UpstreamRejected, UpstreamTimeout) as error:
        error.add_note(str(len(asked.told)))
        raise


def told_before(error: BaseException) -> int:
    return int(error.__notes__[0])


def untimed(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in ("created_at", "completed_at", "created")}


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        RESPONSE,
        CHAT,
        (
            "responses",
            {"model": "m", "input": "What is the weather in Oslo?", "tools": [{"type": "function", **WEATHER}]},
        ),
        (
            "chat/completions",
            {
                "model": "m",
                "messages": [{"role": "user", "content": "What is the weather in Oslo?"}],
                "tools": [{"type": "function", "function": WEATHER}],
            },
        ),
        ("chat/completions", {**CHAT[1], "logprobs": True, "top_logprobs": 2, "n": 3}),
    ],
)
def test_the_answer_is_the_same_whether_it_is_told_or_not(
    provider: StandInModel, endpoint: Endpoint, body: dict[str, Any]
) -> None:
    told, whole = ask(provider, endpoint, body), ask(provider, endpoint, body, stream=False)
    assert len(told.told) > 3
    assert whole.told == []
    assert untimed(told.answer) == untimed(whole.answer)
    for event in told.told:
        assert_valid(event, EVENTS[endpoint])
    assert provider.requests[-2]["stream"] is True
    assert "stream" not in provider.requests[-1]


def test_the_last_event_of_a_response_is_kept_back(provider: StandInModel) -> None:
    told = ask(provider, *RESPONSE).told
    assert told[0]["type"] == "response.created"
    assert told[-1]["type"] == "response.output_item.done"


def test_an_incomplete_response_is_an_answer(provider: StandInModel) -> None:
    provider.script.append(faults.incomplete("content_filter"))
    asked = ask(provider, *RESPONSE)
    assert asked.answer["status"] == "incomplete"
    assert asked.told[-1]["type"] == "response.output_item.done"


def test_the_usage_of_a_completion_is_asked_for_and_not_told(provider: StandInModel) -> None:
    asked = ask(provider, *CHAT)
    assert provider.requests[-1]["stream_options"] == {"include_usage": True}
    assert asked.answer["usage"]["total_tokens"] > 0
    assert all("usage" not in chunk and chunk["choices"] for chunk in asked.told)


@BOTH
def test_a_provider_that_does_not_stream_gives_its_answer_whole(
    provider: StandInModel, endpoint: Endpoint, body: dict[str, Any]
) -> None:
    provider.script.append(faults.no_stream())
    asked = ask(provider, endpoint, body)
    assert asked.told == []
    assert untimed(asked.answer) == untimed(ask(provider, endpoint, body).answer)


@BOTH
@pytest.mark.parametrize("break_off", [faults.cut_connection, faults.malformed_json, faults.error_event])
def test_a_stream_that_breaks_off_anywhere_is_an_error(
    provider: StandInModel, endpoint: Endpoint, body: dict[str, Any], break_off: Any
) -> None:
    events = len(ask(provider, endpoint, body).told)
    calls = provider.calls[f"/v1/{endpoint}"]
    for after in range(events):
        # What breaks before its first event is asked for once more; what cannot be read is not.
        retried = after == 0 and (
            break_off is faults.cut_connection or (endpoint, break_off) == ("chat/completions", faults.error_event)
        )
        provider.script.extend([break_off(after=after)] * (2 if retried else 1))
        with pytest.raises(UpstreamError) as failed:
            ask(provider, endpoint, body)
        assert told_before(failed.value) == after
        assert "broke off" not in str(failed.value)  # the provider's own words
        calls += 2 if retried else 1
        assert provider.calls[f"/v1/{endpoint}"] == calls


@BOTH
def test_what_breaks_before_its_first_event_is_asked_for_again(
    provider: StandInModel, endpoint: Endpoint, body: dict[str, Any]
) -> None:
    for fault in (faults.cut_connection(after=0), faults.http_error(500), faults.http_error(401)):
        provider.script.append(fault)
        assert ask(provider, endpoint, body).told


@BOTH
def test_a_refused_request_comes_through(provider: StandInModel, endpoint: Endpoint, body: dict[str, Any]) -> None:
    provider.script.append(faults.rate_limited(3))
    with pytest.raises(UpstreamRejected) as failed:
        ask(provider, endpoint, body)
    assert (failed.value.status, failed.value.headers["retry-after"]) == (429, "3")


def test_a_failed_response_is_an_error(provider: StandInModel) -> None:
    provider.script.append(faults.failed())
    with pytest.raises(UpstreamError):
        ask(provider, *RESPONSE)


@BOTH
def test_the_time_is_for_the_whole_of_a_stream(
    provider: StandInModel, endpoint: Endpoint, body: dict[str, Any]
) -> None:
    ask(provider, endpoint, body)  # the import
    provider.token = 30.0
    with pytest.raises(UpstreamTimeout) as failed:
        ask(provider, endpoint, body, timeout=0.5)
    assert told_before(failed.value) > 0


def test_a_provider_that_cannot_be_reached_is_named_by_its_host_alone() -> None:
    async def main() -> None:
        model = OpenAIModel(lambda _: "sk-fake-secret", "http://user:fake-password@127.0.0.1:9/v1")
        try:
            await model.post("responses", {"model": "m", "input": "hi"}, timeout=10.0)
        finally:
            await model.aclose()

    with pytest.raises(UpstreamError) as raised:
        asyncio.run(main())
    assert str(raised.value) == "The connection to the model's provider at 127.0.0.1:9 broke."


def asked_at(base_url: str, key: str = "sk-fake") -> UpstreamError:
    async def call() -> None:
        model = OpenAIModel(lambda _: key, base_url)
        try:
            await model.post(*RESPONSE, timeout=20.0)
        finally:
            await model.aclose()

    with pytest.raises(UpstreamError) as failed:
        asyncio.run(call())
    return failed.value


@pytest.mark.parametrize("host", ["127.0.0.1:9", "[::1]:9", "nowhere.invalid"])
def test_a_provider_that_is_not_there_is_told_by_its_host(host: str) -> None:
    error = asked_at(f"http://user:pa55word@{host}/v1", key="sk-fake-secret")
    assert f"provider at {host} broke" in error.message
    assert "sk-fake" not in error.message
    assert "pa55word" not in error.message


def test_an_address_without_its_version_is_told_as_such(provider: StandInModel) -> None:
    error = asked_at(provider.base_url.removesuffix("/v1"))
    assert isinstance(error, UpstreamMisplaced)
    assert provider.base_url.split("/")[2] in error.message
    assert "OPENAI_BASE_URL" in error.message


def test_a_refused_key_is_told_by_the_host(provider: StandInModel) -> None:
    provider.script.extend([faults.http_error(401)] * 2)
    error = asked_at(provider.base_url)
    assert isinstance(error, UpstreamCredentialsRefused)
    assert provider.base_url.split("/")[2] in error.message


def test_a_404_about_a_model_is_passed_on(provider: StandInModel) -> None:
    provider.script.append(faults.http_error(404))
    with pytest.raises(UpstreamRejected) as failed:
        ask(provider, *RESPONSE, stream=False)
    assert failed.value.status == 404
