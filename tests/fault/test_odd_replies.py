"""A provider that answers oddly: what cannot be mended is 502, and no conversation is worse for it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from chat_core.cache import Embeddings
from chat_core.model.openai import OpenAIModel
from chat_core.settings import ChatSettings
from tests.fakes.odd_replies import odd_replies
from tests.fault.parts import Process, World
from tests.integration.app import Answer, App

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chat_core.keys import Endpoint

EXAMPLES = 125
SHARDS = range(2)
GOOD = json.dumps(
    {"id": "resp_good", "output": [{"type": "message", "role": "assistant", "content": "Well."}], "model": "fake"}
)


class Provider(OpenAIModel):
    """Answers JSON that the test chose, and takes only requests that can be sent."""

    def __init__(self) -> None:
        super().__init__(lambda _: "sk-fake", "http://model")
        self.answer = GOOD

    async def _post_twice(self, call: Any) -> object:
        json.dumps(call._body, ensure_ascii=False, allow_nan=False).encode()
        return json.loads(self.answer)


@dataclass
class RealTime:
    """The clocks of a world whose time is the machine's."""

    wall: Any = field(default=time.time)
    time: Any = field(default=time.monotonic)


@dataclass(frozen=True)
class Service:
    """Both functions on stores in memory."""

    app: App
    provider: Provider
    numbers: Iterator[int]

    def call(self, method: str, path: str, body: object = None) -> Answer:
        return self.app.call(method, path, body)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    from chat import handler as chat
    from history import handler as history

    environment = {"OPENAI_API_KEY": "sk-fake-not-a-key", "OPENAI_BASE_URL": "http://model", "HISTORY_TABLE": "unused"}
    world: Any = World(RealTime())  # type: ignore[arg-type]
    provider = world.model = Provider()
    process = Process(world)
    replies = process.turns._replies
    embeddings = Embeddings(replies._flow, replies._provider)
    chat.app.dependency_overrides |= {
        chat.settings: lambda: ChatSettings.from_env(environment),
        chat.replies: lambda: replies,
        chat.embeddings: lambda: embeddings,
        chat.turn_service: lambda: process.turns,
    }
    history.app.dependency_overrides |= {history.conversations: lambda: process.conversations}
    yield Service(App(None, None), provider, count())  # type: ignore[arg-type]
    for handler in (chat, history):
        handler.app.dependency_overrides.clear()


def ask(service: Service, path: str, body: dict[str, Any], reply: str) -> Answer:
    """Ask with an odd reply: it is mended, or refused as 502 in the envelope, never another 5xx."""
    service.provider.answer = reply
    answer = service.call("POST", path, body)
    service.provider.answer = GOOD
    assert answer.status in (200, 502), (answer.status, answer.body)
    if answer.status == 502:
        assert answer.error["code"] == "upstream_error"
    elif not isinstance(answer.body, str):
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
        assert (stored.status == 200) is (first.status == 200), "committed and answered, or neither"
        if stored.status == 200:
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
