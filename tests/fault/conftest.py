"""Both functions on real clients of embedded servers, each with a way to break it."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from boto3.session import Session
from botocore.config import Config

import chat.handler
import history.handler
from chat.wiring import chat_on
from chat_core.api import event_loop
from chat_core.aws import Answer, Connections, Endpoint
from chat_core.history.dynamodb import Table
from chat_core.model.openai import OpenAIModel
from chat_core.momento import MomentoCache, MomentoCredentials, MomentoResponseCache
from chat_core.settings import ChatSettings
from chat_core.wiring import Stores, stores_on
from history.wiring import history_on
from local.embedded_aws import EmbeddedAws
from local.model.server import StandInModel
from local.momento import EmbeddedMomento
from local.services import start_momento
from tests.fault.gate import Gate
from tests.integration.app import App, application
from tests.patience import VARIABLES, be_patient
from tests.table_client import client_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from chat_core.aws import Sender
    from chat_core.turns.service import TurnService

CACHE = "omoide"
MEMORY: Mapping[str, Any] = {"policy": "message_window", "max_messages": 20}
HOT_MESSAGES = 8


class Wire:
    """What posts to DynamoDB, with those who are asked before and told after each post.

    Attributes
    ----------
    before
        Called with the operation; an answer of theirs is taken for DynamoDB's.
    after
        Called with the operation that was answered; may raise.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.before: list[Callable[[str], Answer | None]] = []
        self.after: list[Callable[[str], None]] = []

    def send(self, headers: Mapping[str, str], body: bytes) -> Answer:
        operation = headers["x-amz-target"].partition(".")[2]
        for ask in self.before:
            if answer := ask(operation):
                return answer
        answer = self._sender.send(headers, body)
        for tell in self.after:
            tell(operation)
        return answer

    def is_ready(self) -> bool:
        return bool(self._sender.is_ready())

    def prepare(self) -> None:
        self._sender.prepare()

    def close(self) -> None:
        self._sender.close()


@dataclass(frozen=True)
class World(App):
    """The application, and what it stands on."""

    gate: Gate = None  # type: ignore[assignment]
    stores: Stores = None  # type: ignore[assignment]
    turns: TurnService = None  # type: ignore[assignment]
    boto: Any = None
    wire: Wire = None  # type: ignore[assignment]
    table: str = ""

    def hot_list(self, conversation: str, user: str = "local") -> list[bytes]:
        """The list as Momento has it."""
        cache = self.momento.caches.get(CACHE)
        with cache.lock:
            return list(cache.elements(f"message_store:{user}/{conversation}".encode()) or ())

    def memory_value(self, conversation: str, user: str = "local") -> bytes | None:
        """The memory value as Momento has it."""
        cache = self.momento.caches.get(CACHE)
        with cache.lock:
            return cache.value(f"memory:{user}/{conversation}".encode())

    def rows(self) -> list[dict[str, Any]]:
        """All rows of the table."""
        pages = self.boto.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        return [row for page in pages for row in page["Items"]]

    def texts(self, conversation: str, user: str = "local") -> list[str]:
        """The texts of a conversation's items, as a client pages through them."""
        found: list[str] = []
        query = {"limit": "100", "order": "asc"}
        while True:
            page = self.call("GET", f"/v1/conversations/{conversation}/items", user=user, query=query)
            if page.status == 404:
                return []
            assert page.status == 200, page.body
            found += ["".join(part["text"] for part in item.get("content", ())) for item in page.body["data"]]
            if not page.body["has_more"]:
                return found
            query["after"] = page.body["last_id"]

    def throttle(self, operation: str, times: int) -> None:
        """Make DynamoDB refuse calls of an operation for load."""
        left = [times]

        def refuse(called: str) -> Answer | None:
            if called != operation or not left[0]:
                return None
            left[0] -= 1
            body = b'{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow down"}'
            return Answer(400, body)

        self.wire.before.append(refuse)


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[EmbeddedMomento, StandInModel, str]]:
    with EmbeddedMomento() as momento, StandInModel() as model:
        start_momento({"MOMENTO_LOCAL": f"127.0.0.1:{momento.port}", "CACHE_NAME": CACHE})
        moto = EmbeddedAws()
        moto.start()
        patient = _client(moto.url, read_timeout=60)
        patient.list_tables()  # moto imports DynamoDB on the first call
        patient.close()
        yield momento, model, moto.url


@pytest.fixture(scope="module")
def llm(servers: tuple[EmbeddedMomento, StandInModel, str]) -> Iterator[OpenAIModel]:
    """One for all tests of a file: each would read the certificates anew."""
    made = OpenAIModel(lambda _: "sk-fake-not-a-key", servers[1].base_url)
    yield made
    event_loop.run(made.aclose())


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """Time for the services, and the variables that say so; empty for what they have in Lambda."""
    be_patient(monkeypatch)
    return VARIABLES


@pytest.fixture
def world(
    servers: tuple[EmbeddedMomento, StandInModel, str], llm: OpenAIModel, patience: Mapping[str, str]
) -> Iterator[World]:
    """Fresh stores, as a new environment has them."""
    momento, model, moto = servers
    momento.faults.clear()
    momento.wipe()
    model.script.clear()
    model.delay = 0.0
    host, port = moto.removeprefix("http://").split(":")
    with Gate((host, int(port))) as gate:
        url = f"http://127.0.0.1:{gate.port}"
        boto = _client(url)
        wire = Wire(Connections(Endpoint(url, "us-east-1")))
        aws = client_at(url, region="us-east-1", through=lambda _: wire)
        table = f"table-{uuid.uuid4().hex[:8]}"
        boto.create_table(TableName=table, **application().tables[0].definition)
        cache = MomentoCache(CACHE, lambda *, refresh: MomentoCredentials(local=f"127.0.0.1:{momento.port}"))
        stores = stores_on(Table(table, client=lambda: aws), cache, hot_messages=HOT_MESSAGES)
        variables = {"HISTORY_TABLE": table, "OPENAI_BASE_URL": model.base_url, "LOCK_WAIT_SECONDS": "1"}
        settings = ChatSettings.from_env({**variables, **patience, "DEFAULT_MEMORY": json.dumps(MEMORY)})
        parts = chat_on(settings, stores, llm, MomentoResponseCache(cache))
        own = history_on(settings.history, stores)
        chat.handler.app.dependency_overrides[chat.handler.parts] = lambda: parts
        history.handler.app.dependency_overrides[history.handler.parts] = lambda: own
        calls = model.calls["/v1/responses"]
        try:
            yield World(
                model,
                momento,
                calls_before=calls,
                gate=gate,
                stores=stores,
                turns=parts.turns,
                boto=boto,
                wire=wire,
                table=table,
            )
        finally:
            chat.handler.app.dependency_overrides.clear()
            history.handler.app.dependency_overrides.clear()
            event_loop.run(cache.aclose())
            boto.close()
            aws.close()


@cache
def _session() -> Session:
    """Make one for all: each reads the API's model anew."""
    return Session("fake-offline-id", "fake-offline-secret", region_name="us-east-1")


def _client(endpoint: str, **patience: int) -> Any:
    """boto3's client, to look at the table from outside."""
    config = Config(**patience)
    return _session().client("dynamodb", endpoint_url=endpoint, config=config)
