"""Both functions on stores in memory, with a provider of the test's own: thousands of requests in seconds."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from httpx2 import AsyncClient, MockTransport, Request, Response

from chat.wiring import ChatParts
from chat_core.cache import Embeddings
from chat_core.conversations import UserMemory
from chat_core.long_term import RememberedFacts
from chat_core.model.openai import OpenAIModel
from chat_core.settings import ChatSettings
from history.wiring import HistoryParts
from tests.fault.parts import Process, World
from tests.integration.app import Answer, App

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GOOD = json.dumps(
    {"id": "resp_good", "output": [{"type": "message", "role": "assistant", "content": "Well."}], "model": "fake"}
)


class Provider(OpenAIModel):
    """Answers what the test chose, and takes only requests that can be sent.

    Attributes
    ----------
    answer
        JSON.
    events
        What it streams where a stream is asked for; None to answer with JSON then, too.
    bodies
        What it was asked.
    """

    def __init__(self) -> None:
        super().__init__(lambda _: "sk-fake", "http://model")
        self.answer = GOOD
        self.events: Sequence[Any] | None = None
        self.bodies: list[Any] = []

    async def _connect(self) -> AsyncClient:
        if self._client is None:
            self._client = AsyncClient(transport=MockTransport(self._reply), base_url="http://model/v1/")
        return self._client

    def _reply(self, request: Request) -> Response:
        body = json.loads(request.content)
        self.bodies.append(body)
        if not body.get("stream") or self.events is None:
            return Response(200, content=self.answer.encode(), headers={"content-type": "application/json"})
        frames = "".join(f"data: {json.dumps(event)}\n\n" for event in self.events)
        return Response(200, content=frames.encode(), headers={"content-type": "text/event-stream"})


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


@contextmanager
def service_in_memory() -> Iterator[Service]:
    """Put both functions on stores in memory."""
    from chat import handler as chat
    from history import handler as history

    environment = {"OPENAI_API_KEY": "sk-fake-not-a-key", "OPENAI_BASE_URL": "http://model", "HISTORY_TABLE": "unused"}
    world: Any = World(RealTime())  # type: ignore[arg-type]
    provider = world.model = Provider()
    process = Process(world)
    replies = process.replies
    embeddings = Embeddings(replies._flow, replies._provider)
    stores: Any = None
    models: Any = None
    settings = ChatSettings.from_env(environment)
    made = ChatParts(settings, stores, provider, models, replies, embeddings, process.turns, process.calls)
    known = RememberedFacts(world.facts)
    remembered = UserMemory(world.conversations, process.remembered, world.facts)
    own = HistoryParts(
        stores,
        process.conversations,
        process.remembered,
        known,
        remembered,
        process.erasure,
        process.responses,
        process.forks,
    )
    chat.app.dependency_overrides[chat.parts] = lambda: made
    history.app.dependency_overrides[history.parts] = lambda: own
    yield Service(App(None, None), provider, count())  # type: ignore[arg-type]
    for handler in (chat, history):
        handler.app.dependency_overrides.clear()
